//! What people do to a case, and who of the pack does it, as the case stands. What no longer fits, because somebody
//! else was quicker, is done by nobody. Pure.

use chrono::NaiveDateTime;
use domain::area::Level;
use domain::case::{Action, Case, ReturnReason, State};
use domain::holder::{Holder, Post};
use domain::id::PartnerId;
use domain::partner::DeclineReason;
use domain::rights::Role;
use partner::Said;
use platform::pack::{Pack, Person};

/// Something that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// 签收.
    Sign,
    /// 阶段办结.
    Stage,
    /// 办结反馈.
    Answer,
    /// 退回: of a case that was given back so often before.
    Return { before: u32, reason: ReturnReason },
    /// 核查通过.
    Pass,
    /// 核查退回.
    Fail,
    /// 结案.
    Close,
    /// 接单, by one of those that are asked: the first, the second …, counted around.
    Accept(usize),
    /// 婉拒, likewise.
    Decline(usize, DeclineReason),
    /// 下单, by the community, with all that fit.
    Order,
}

/// A deed with whoever does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    Act(&'a Person, Action),
    Says(&'a Person, PartnerId, Said),
    Orders(&'a Person),
}

/// The third return is decided by the street, for good.
const LAST_RETURN: u32 = 3;

/// Who does `deed` to `case` at `local`, in the pack's own time; nobody where it does not fit the case any more.
pub fn cast<'a>(pack: &'a Pack, case: &Case, deed: Deed, local: NaiveDateTime) -> Option<Part<'a>> {
    let worker = || somebody_of(pack, &case.holder, local);
    let act = |person: &'a Person, action| Some(Part::Act(person, action));
    match (deed, &case.state) {
        (Deed::Sign, State::Dispatched) if !awaits_route(case) => act(worker()?, Action::Sign),
        (Deed::Stage, State::Handling { .. }) => act(worker()?, Action::Stage),
        (Deed::Answer, State::Handling { .. }) => act(worker()?, Action::Answer),
        (Deed::Return { before, reason }, State::Dispatched | State::Handling { .. })
            if case.returns == before && !awaits_route(case) && gives_back(case.holder.post) =>
        {
            act(worker()?, Action::Return(reason))
        }
        (Deed::Pass, State::Checking { passed: None, .. }) => act(checker(pack, case)?, Action::Pass),
        (Deed::Fail, State::Checking { passed: None, .. }) => act(checker(pack, case)?, Action::Fail),
        (Deed::Close, State::Checking { passed: Some(passed), .. }) => {
            act(pack.people.get(&passed.by)?, Action::Close)
        }
        (Deed::Accept(nth), State::Offered { partners }) => says(pack, partners, nth, Said::Accept),
        (Deed::Decline(nth, reason), State::Offered { partners }) => {
            says(pack, partners, nth, Said::Decline(reason))
        }
        (Deed::Order, State::Dispatched) if !awaits_route(case) => {
            let community = pack.areas.at_level(&case.area, Level::Community)?;
            let holder = Holder { post: Post::Community, area: community.path.clone() };
            Some(Part::Orders(somebody_of(pack, &holder, local)?))
        }
        _ => None,
    }
}

/// Whoever is on duty for a holder, or else the first who works for it.
fn somebody_of<'a>(pack: &'a Pack, holder: &Holder, local: NaiveDateTime) -> Option<&'a Person> {
    let on_duty = pack.people.on_duty(holder, local).map(|on_duty| on_duty.person);
    on_duty.or_else(|| pack.people.working_for(holder).next())
}

/// Given back, and not proposed to anybody yet: the desk only keeps it for the moment.
fn awaits_route(case: &Case) -> bool {
    case.returns >= case.attempt && case.returns < LAST_RETURN
}

fn gives_back(post: Post) -> bool {
    matches!(post, Post::GridLeader | Post::Community)
}

/// One of the checkers who has not handled it; not always the same.
fn checker<'a>(pack: &'a Pack, case: &Case) -> Option<&'a Person> {
    let all: Vec<&Person> = pack
        .people
        .with_role_over(Role::Checker, &case.area)
        .filter(|person| !case.handlers.contains(&person.id))
        .collect();
    let last = usize::from(case.incident.0.as_bytes()[15]);
    all.get(last.checked_rem(all.len())?).copied()
}

fn says<'a>(pack: &'a Pack, asked: &[PartnerId], nth: usize, said: Said) -> Option<Part<'a>> {
    let partner = asked.get(nth.checked_rem(asked.len())?)?;
    let member = pack.people.working_for(&Holder::of_partner(partner)).next()?;
    Some(Part::Says(member, partner.clone(), said))
}
