//! Random lives: what must hold whatever is done, in whatever order, however slow the messages are.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::advance::{Until, advance};
use super::super::{State, next_step_due};
use super::*;
use crate::facts::{CaseFact, OfferProposed};
use crate::id::PartnerId;
use crate::partner::{DeclineReason, ReleaseReason};

/// One thing that reaches the case.
#[derive(Clone, Debug)]
pub(super) enum Do {
    /// What usually comes next, by somebody who may.
    Next,
    Act(Action, &'static str),
    /// An attempt so many after the case's own.
    Route(u32, &'static str),
    /// Whatever partner may propose: whose revision or round is so many off.
    Partner(Saying, &'static str, u32),
    /// Any step of any round there ever was, early, late or again.
    Step(Index),
}

/// What is said of, or by, an organisation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Saying {
    Placed,
    Accepted,
    Declined,
    Withdrawn,
}

/// The same by somebody else's clock: so many minutes after the one before, or before it.
pub(super) type Timed = (i64, Do);

fn anything() -> impl Strategy<Value = Do> {
    let person = select(vec!["leader", "colleague", "checker", "desk"]);
    prop_oneof![
        6 => Just(Do::Next),
        // The third time is another thing than the first.
        2 => select(vec!["leader", "colleague"]).prop_map(|by| Do::Act(RETURN, by)),
        3 => (select(Action::ALL.to_vec()), person).prop_map(|(action, by)| Do::Act(action, by)),
        2 => (0_u32..3, select(vec![GRID, COMMUNITY, OTHER_GRID, DESK])).prop_map(|(n, to)| Do::Route(n, to)),
        4 => of_partner(),
        1 => any::<Index>().prop_map(Do::Step),
    ]
}

fn of_partner() -> impl Strategy<Value = Do> {
    let placed = [Saying::Placed, Saying::Placed];
    let saying = select([&placed[..], &[Saying::Accepted, Saying::Declined, Saying::Withdrawn]].concat());
    let off = prop_oneof![5 => Just(0_u32), 1 => Just(1_u32)];
    (saying, select(vec!["lark", "home"]), off)
        .prop_map(|(saying, partner, off)| Do::Partner(saying, partner, off))
}

/// Mostly of offers: made, accepted, declined, lapsed, taken back, given back and made again.
pub(super) fn offers() -> impl Strategy<Value = Vec<Timed>> {
    let deed = select(vec![RETURN, Action::Sign, Action::Answer, Action::Fail]);
    let person = select(vec!["leader", "of-partner", "checker"]);
    let what = prop_oneof![
        6 => of_partner(),
        1 => Just(Do::Next),
        2 => (deed, person).prop_map(|(action, by)| Do::Act(action, by)),
        1 => any::<Index>().prop_map(Do::Step),
    ];
    vec((prop_oneof![4 => 0_i64..40, 1 => 0_i64..300, 1 => -60_i64..0], what), 1..40)
}

fn proposed_by_partner(case: &Case, saying: Saying, partner: &str, off: u32) -> Input {
    let round = case.deadline(DeadlineKind::Offer).map_or(1, |offer| offer.round) + off;
    let (partner, by) = (PartnerId::from(partner), "of-partner".into());
    Input::Partnered(match saying {
        Saying::Placed => OfferProposed::Placed {
            partners: if off == 0 { vec!["lark".into(), "home".into()] } else { vec![partner] },
            by: None,
            revision: case.revision,
            why: Text::new("", ""),
        },
        Saying::Accepted => OfferProposed::Accepted { partner, round, by },
        Saying::Declined => OfferProposed::Declined { partner, round, by, reason: DeclineReason::NotOurWork },
        Saying::Withdrawn => OfferProposed::Withdrawn { partner, reason: ReleaseReason::Suspended },
    })
}

/// Times go back now and then.
pub(super) fn wild() -> impl Strategy<Value = Vec<Timed>> {
    vec((prop_oneof![4 => 0_i64..90, 3 => 0_i64..900, 1 => -300_i64..0], anything()), 1..30)
}

/// In order of their times, as turns give them; often in the very minute in which a step falls due.
fn in_order() -> impl Strategy<Value = Vec<Timed>> {
    let gap = prop_oneof![3 => 0_i64..90, 3 => select(vec![0_i64, 30, 60, 120, 192, 240, 480, 600]), 1 => 0_i64..2_000];
    let commands =
        anything().prop_filter("proposals are added by the test", |what| !matches!(what, Do::Step(_)));
    vec((gap, commands), 1..25)
}

/// Every step of every round, as it was when the round began.
fn all_steps(life: &Life) -> Vec<StepDue> {
    let mut steps = BTreeMap::new();
    for effect in &life.told {
        for deadline in &effect.case.deadlines {
            for (n, step) in deadline.steps.iter().enumerate() {
                let n = u32::try_from(n).unwrap();
                let (kind, round) = (deadline.kind, deadline.round);
                let due = StepDue { deadline: kind, round, step: n, does: step.does, due_at: step.due_at };
                steps.insert((step.due_at, kind, round, n), due);
            }
        }
    }
    steps.into_values().collect()
}

/// What reaches the case as it stands.
pub(super) fn input(life: &Life, what: &Do, at: DateTime<Utc>) -> Input {
    match what {
        Do::Next => next(&as_of(life, at)),
        Do::Act(action, by) => Input::Act { action: action.clone(), by: (*by).into() },
        Do::Partner(saying, partner, off) => proposed_by_partner(life.case(), *saying, partner, *off),
        Do::Route(n, to) => Input::Routed(proposal(life.case().attempt + n, to)),
        Do::Step(index) => match all_steps(life).as_slice() {
            [] => next(&as_of(life, at)),
            steps => Input::StepDue(index.get(steps).clone()),
        },
    }
}

/// Carries one thing out; whether it was refused or changed anything does not matter here.
pub(super) fn carry_out(life: &mut Life, what: &Do, at: DateTime<Utc>) {
    let input = input(life, what, at);
    life.receive(&input, at);
}

/// The case with every step due by then taken: what usually comes next does not depend on who noticed a step.
fn as_of(life: &Life, at: DateTime<Utc>) -> Case {
    let mut case = life.case().clone();
    let at = at.max(case.last_at);
    advance(&mut case, Until::Before(at), life.office.terms(), &mut Vec::new());
    case
}

fn next(case: &Case) -> Input {
    let (action, by) = match &case.state {
        State::Dispatched if case.returns >= case.attempt && case.returns < 3 => {
            return Input::Routed(proposal(case.attempt + 1, COMMUNITY));
        }
        State::Dispatched => (Action::Sign, "leader"),
        State::Offered { .. } => return proposed_by_partner(case, Saying::Accepted, "lark", 0),
        State::Handling { .. } => (Action::Answer, "leader"),
        State::Checking { passed: None, .. } => (Action::Pass, "checker"),
        State::Checking { .. } | State::Closed { .. } => (Action::Close, "checker"),
    };
    Input::Act { action, by: by.into() }
}

fn live(things: &[Timed]) -> Life {
    let mut life = Life::opened();
    let mut now = t(0, 0);
    for (gap, what) in things {
        now += TimeDelta::minutes(*gap);
        carry_out(&mut life, what, now);
    }
    life
}

/// Proposes what is due by `horizon`, in order, until nothing is.
pub(super) fn settle(life: &mut Life, horizon: DateTime<Utc>) {
    while let Some(due_at) = next_step_due(life.case()).filter(|due_at| *due_at <= horizon) {
        let due = all_steps(life).into_iter().filter(|step| step.due_at == due_at);
        for step in due {
            life.step_due(&step);
        }
    }
}

/// Small and repeatable: enough to choose with.
fn shuffle<T>(list: &mut [T], mut seed: u64) {
    for n in (1..list.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        list.swap(n, usize::try_from(seed >> 33).unwrap() % (n + 1));
    }
}

/// Like [`live`], but at every moment some of what fell due by then is proposed: late, twice, in any order.
/// `at` of a proposal is never before its due time, and an input comes before a step due at its instant.
fn live_with_proposals(things: &[Timed], seeds: &[u64], horizon: DateTime<Utc>) -> Life {
    let mut life = Life::opened();
    let mut now = t(0, 0);
    for ((gap, what), seed) in things.iter().zip(seeds.iter().cycle()) {
        now += TimeDelta::minutes(*gap);
        let mut due: Vec<_> = all_steps(&life).into_iter().filter(|step| step.due_at < now).collect();
        due.extend(due.clone());
        shuffle(&mut due, *seed);
        due.truncate(usize::try_from(*seed % 7).unwrap());
        for step in due {
            life.step_due(&step);
        }
        carry_out(&mut life, what, now);
    }
    settle(&mut life, horizon);
    life
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_facts_applied_one_by_one_give_each_row_and_the_last(things in wild()) {
        let life = live(&things);
        let mut folded = life.told[0].case.clone();
        for effect in &life.told {
            let fact = CaseFact { happened: effect.happened.clone(), case: effect.case.clone() };
            let read: CaseFact = serde_json::from_str(&serde_json::to_string(&fact).unwrap()).unwrap();
            prop_assert_eq!(&read, &fact);
            folded.apply(effect.at, &read.happened);
            prop_assert_eq!(&folded, &effect.case, "{}", say(effect));
        }
        prop_assert_eq!(Some(folded), life.case);
    }

    #[test]
    fn every_step_takes_effect_at_most_once_never_early_and_in_order(things in wild()) {
        let life = live(&things);
        let due: BTreeMap<_, _> =
            all_steps(&life).into_iter().map(|s| ((s.deadline, s.round, s.step), s.due_at)).collect();
        let mut last_of_round = BTreeMap::new();
        let mut last_at = t(0, 0);
        for effect in &life.told {
            prop_assert!(effect.at >= last_at, "{:?}", life.story());
            last_at = effect.at;
            let (Happened::Reminded { deadline, round, step }
            | Happened::Lapsed { deadline, round, step, .. }
            | Happened::Escalated { deadline, round, step, .. }) = &effect.happened else { continue };
            prop_assert!(effect.at >= due[&(*deadline, *round, *step)], "{}", say(effect));
            let before = last_of_round.insert((*deadline, *round), *step);
            prop_assert!(before < Some(*step), "{:?}", life.story());
        }
    }

    #[test]
    fn there_is_exactly_one_holder_and_it_changes_only_by_who_gives_it_up_or_takes_it(things in wild()) {
        let life = live(&things);
        let mut holder: Holder = GRID.parse().unwrap();
        for effect in &life.told {
            match &effect.happened {
                Happened::Returned { holder: next, .. } | Happened::Assigned { holder: next, .. } => {
                    holder = next.clone();
                }
                Happened::Accepted { partner, .. } => holder = Holder::of_partner(partner),
                Happened::Released { holder: next, .. } => {
                    prop_assert!(next.partner().is_none(), "what flows back is the office's");
                    holder = next.clone();
                }
                _ => {}
            }
            prop_assert_eq!(&effect.case.holder, &holder);
            let of_the_office = office().areas.by_path(&holder.area).is_some();
            prop_assert!(of_the_office != holder.partner().is_some());
            // An organisation holds only what is being worked on, and somebody of the office stands behind it.
            prop_assert_eq!(effect.case.home.is_some(), holder.partner().is_some());
            let offered = matches!(effect.case.state, State::Offered { .. });
            let waits = effect.case.deadline(DeadlineKind::Offer).is_some_and(|it| it.met_at.is_none());
            prop_assert_eq!(offered, waits, "an offer stands as long as somebody is asked, and no longer");
        }
    }

    #[test]
    fn the_due_time_of_a_round_never_changes_and_no_round_comes_back(things in wild()) {
        let life = live(&things);
        let mut rounds = BTreeMap::new();
        let mut latest = BTreeMap::new();
        for deadline in life.told.iter().flat_map(|effect| &effect.case.deadlines) {
            let times = (deadline.start_at, deadline.due_at, deadline.limit, deadline.policy.clone());
            let steps: Vec<_> = deadline.steps.iter().map(|step| (step.does, step.due_at)).collect();
            let kept = rounds.entry((deadline.kind, deadline.round)).or_insert((times.clone(), steps.clone()));
            prop_assert_eq!(&*kept, &(times, steps));
            let before = latest.insert(deadline.kind, deadline.round);
            prop_assert!(before <= Some(deadline.round));
        }
    }

    #[test]
    fn the_level_and_the_revision_never_fall_and_handlers_never_leave(things in wild()) {
        let life = live(&things);
        for pair in life.told.windows(2) {
            let (before, after) = (&pair[0].case, &pair[1].case);
            prop_assert!(before.level <= after.level && before.revision <= after.revision);
            prop_assert!(after.handlers.starts_with(&before.handlers));
            prop_assert!(before.last_at <= after.last_at);
        }
    }

    #[test]
    fn nobody_ever_checked_or_closed_what_they_handled(things in wild()) {
        let life = live(&things);
        for effect in &life.told {
            if let Happened::Checked { by, .. } | Happened::Reworked { by, .. } | Happened::Closed { by } =
                &effect.happened
            {
                prop_assert!(!effect.case.handlers.contains(by), "{}", say(effect));
            }
        }
    }

    #[test]
    fn the_outcome_depends_on_recorded_times_and_never_on_which_message_was_slow(
        things in in_order(),
        seeds in vec(any::<u64>(), 1..25),
    ) {
        let end: i64 = things.iter().map(|(gap, _)| gap).sum();
        let horizon = t(50, end);
        let mut alone = live(&things);
        settle(&mut alone, horizon);
        let disturbed = live_with_proposals(&things, &seeds, horizon);
        prop_assert_eq!(disturbed.story(), alone.story());
        prop_assert_eq!(disturbed.told, alone.told);
        prop_assert_eq!(disturbed.case, alone.case);
    }
}
