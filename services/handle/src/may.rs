//! What a person may do to a case now: asked of the code that decides, so that nobody is shown a button that refuses
//! them. Pure.

use chrono::{DateTime, Utc};
use domain::area::{AreaPath, Areas, Level};
use domain::case::{Action, Case, Input, Outcome, may_be_offered, may_be_transferred, receive};
use domain::holder::{Holder, Post};
use domain::rights::{self, Grant, answers, may};
use platform::pack::{Pack, People};
use platform::token::Principal;

use crate::act::right;
use crate::terms;

/// Has a case offered to partner organisations; partner decides on it.
const ORDER: &str = "order";
/// 转派: to whom is asked when it is done.
const TRANSFER: &str = "transfer";

/// A case as somebody comes to it, and who there is.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub case: &'a Case,
    /// The highest level answerable by now: the row has it a moment later.
    pub level: Level,
    pub people: &'a People,
    pub areas: &'a Areas,
}

/// Whether `grants` let their bearer see a case.
pub(crate) fn may_see(grants: &[Grant], case: &Case) -> bool {
    may(grants, rights::Action::SeeCase, kept_in(case), &case.holder)
}

/// The area that a right has to reach to, to reach a case: where it lies. What is sensitive is nobody's below those who
/// hold it, though it lies with them: 需知最小, the fewest who have to know.
fn kept_in(case: &Case) -> &AreaPath {
    if case.is_sensitive() { &held_by(case).area } else { &case.area }
}

/// Whether `grants` let their bearer do `wanted` to a case: as they say; or as of the post that acts for its holder, or
/// for one that is answerable for it, where nobody works for that any more, since its area is listed no more or the post
/// has fallen vacant.
pub(crate) fn may_do(grants: &[Grant], wanted: rights::Action, seen: Seen<'_>) -> bool {
    let case = seen.case;
    let acting = || seen.people.acting_for(&case.holder);
    may(grants, wanted, kept_in(case), &case.holder)
        || acting().is_some_and(|acting| may(grants, wanted, kept_in(case), &acting))
        || !answered_from(grants, wanted, seen).is_empty()
}

/// Whether `grants` let their bearer transfer a case to `to`: somebody works for that post, and it is of an area they
/// are answerable in, as everybody who could take it over themselves is.
pub(crate) fn may_give(grants: &[Grant], to: &Holder, seen: Seen<'_>) -> bool {
    let from = answered_from(grants, rights::Action::Transfer, seen);
    from.iter().any(|area| area.contains(&to.area)) && seen.people.working_for(to).next().is_some()
}

/// The areas for which `grants` make their bearer answerable for a case by now, and let them do `wanted` because of it.
fn answered_from(grants: &[Grant], wanted: rights::Action, seen: Seen<'_>) -> Vec<AreaPath> {
    let Seen { case, level, people, areas } = seen;
    // What a level holds is not a lower one's to give, though it lies in its area.
    let levels = held_at(case)..=level;
    let own = answers(grants, wanted, &case.area, &levels).into_iter().cloned();
    // A grid holds what lies in it and answers for nobody else, so whoever acts for its leader hands nothing on.
    let posts = [Post::Community, Post::StreetDesk].into_iter().filter(|post| levels.contains(&post.level()));
    let answerable = posts.filter_map(|post| {
        let area = areas.at_level(&case.area, post.level())?;
        Some(Holder { post, area: area.path.clone() })
    });
    // A vacant post's level is that of whoever acts for it.
    let acting = answerable.filter_map(|vacant| people.acting_for(&vacant));
    let acting = acting.flat_map(|acting| {
        let level = acting.post.level();
        let of_post = answers(grants, wanted, &case.area, &(level..=level)).into_iter();
        of_post.filter(move |area| **area == acting.area).cloned().collect::<Vec<_>>()
    });
    own.chain(acting).collect()
}

fn held_at(case: &Case) -> Level {
    held_by(case).post.level()
}

/// The post that holds a case; of one that an organisation has, the post that it comes back to.
fn held_by(case: &Case) -> &Holder {
    let home = case.home.as_ref().filter(|_| case.holder.post == Post::Partner);
    home.unwrap_or(&case.holder)
}

/// The actions that would change `case` if `who` took them at `now`, by name, in the order of the work.
pub(crate) fn may_now(case: &Case, who: &Principal, now: DateTime<Utc>, pack: &Pack) -> Vec<&'static str> {
    let terms = terms(pack);
    let seen = Seen { case, level: case.level, people: &pack.people, areas: &pack.areas };
    let allowed = |wanted| may_do(&who.grants, wanted, seen);
    let changes = |action: &Action| {
        let input = Input::Act { action: action.clone(), by: who.person.clone() };
        matches!(receive(case.incident, Some(case), &input, now, terms), Ok(Outcome::Changed(_)))
    };
    let acts = Action::ALL.iter().filter(|action| allowed(right(action)) && changes(action));
    let transfer = allowed(rights::Action::Transfer) && may_be_transferred(case);
    let takers = terms.categories.get(&case.category).is_some_and(|category| !category.offer_to.is_empty());
    let order = takers && allowed(rights::Action::Order) && may_be_offered(case, now, terms);
    let named = [(transfer, TRANSFER), (order, ORDER)].into_iter().filter(|(may, _)| *may);
    acts.map(Action::name).chain(named.map(|(_, name)| name)).collect()
}
