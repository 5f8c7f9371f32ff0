//! Deadlines under any policy: what is set when one begins, what moves afterwards and what never does, and that each
//! step that falls due takes effect then, whatever else is done.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::super::State;
use super::random::{Timed, carry_out, settle, wild};
use super::*;
use crate::calendar::WorkingDayRule;
use crate::deadline::{Deadline, Does, Verdict};

/// Limits of every unit, from a minute to some days, and none at all.
fn limits() -> impl Strategy<Value = Limit> {
    let rule = select(vec![WorkingDayRule::EndOfDay, WorkingDayRule::Times]);
    prop_oneof![
        (0_u32..4_000).prop_map(|minutes| Limit::UrgentHours { minutes }),
        (0_u32..1_500).prop_map(|minutes| Limit::WorkingHours { minutes }),
        (0_u32..5, rule).prop_map(|(days, rule)| Limit::WorkingDays { days, rule }),
        (0_u32..6).prop_map(|days| Limit::CalendarDays { days }),
    ]
}

/// Some of the levels above the grid, in order, each after a time of its own.
fn ladders() -> impl Strategy<Value = Ladder> {
    let above = subsequence(vec![Level::Community, Level::Street, Level::County], 0..=3);
    (option::of(1_u32..100), above, vec(limits(), 3)).prop_map(|(remind_percent, above, after)| {
        let escalate = above.into_iter().zip(after).map(|(to, after)| Rung { to, after }).collect();
        Ladder { remind_percent, escalate }
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    let limits = (option::of(limits()), option::of(limits()), option::of(limits()));
    (limits, ladders(), ladders(), ladders()).prop_map(|(limits, sign, handle, check)| {
        let (sign_limit, check_limit, offer_limit) = limits;
        Policy {
            version: "drawn".to_owned(),
            sign_limit,
            check_limit,
            offer_limit,
            sign,
            handle,
            check,
            urgent: None,
        }
    })
}

/// A calendar without and one with clocks that change, in the weeks in which they do.
fn calendars() -> impl Strategy<Value = Calendar> {
    let files = [
        include_str!("../../../../packs/calendars/cn.json"),
        include_str!("../../../../packs/calendars/us.json"),
    ];
    select(files.to_vec()).prop_map(|file| Calendar::from_json(file).unwrap())
}

/// The same areas and people, under other rules. The rules of a life outlive it.
fn offices() -> impl Strategy<Value = &'static Office> {
    (policies(), calendars(), limits()).prop_map(|(policy, calendar, handle)| {
        let categories = categories("rubbish", &handle.to_string());
        let office = Office { policy, calendar, categories, areas: office().areas.clone() };
        &*Box::leak(Box::new(office))
    })
}

/// Some days after the beginning of March 2026, in which the clocks of New York change; to the second.
fn moments() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..20 * 86_400).prop_map(|seconds| t(0, 0) + TimeDelta::seconds(seconds))
}

/// Everything a deadline is, but whether it was met and what was done of it.
fn set(deadline: &Deadline) -> Deadline {
    let mut set = Deadline { met_at: None, ..deadline.clone() };
    set.steps.iter_mut().for_each(|step| step.done_at = None);
    set
}

/// Looks at each row after the one before it.
fn look(before: &Case, effect: &Effect) -> Result<(), TestCaseError> {
    let (after, happened) = (&effect.case, &effect.happened);
    let reworked = matches!(happened, Happened::Reworked { .. });
    for deadline in &after.deadlines {
        let kind = deadline.kind;
        let Some(was) = before.deadline(kind).filter(|was| was.round == deadline.round) else {
            // A new round: one after the last, from now on, with nothing met and nothing done.
            let last = before.deadline(kind).map_or(0, |was| was.round);
            prop_assert_eq!(deadline.round, last + 1, "{:?}", happened);
            prop_assert_eq!(deadline.start_at, after.last_at, "{:?}", happened);
            prop_assert_eq!(&set(deadline), deadline, "{:?}", happened);
            prop_assert!(kind != DeadlineKind::Handle, "handling has one round for life");
            continue;
        };
        prop_assert_eq!(set(was), set(deadline), "nothing moves it: {:?}", happened);
        let un_met = reworked && kind == DeadlineKind::Handle;
        prop_assert!(
            was.met_at.is_none() || deadline.met_at == was.met_at || un_met,
            "{:?} of {:?}",
            happened,
            kind
        );
        for (was, step) in was.steps.iter().zip(&deadline.steps) {
            prop_assert!(was.done_at.is_none() || was.done_at == step.done_at, "what is done is done");
        }
    }
    let kept = before.deadlines.iter().all(|was| after.deadline(was.kind).is_some());
    prop_assert!(kept, "{:?} lost a deadline", happened);
    Ok(())
}

/// Looks at a row by itself: whatever fell due before it, and still counts, has taken effect, and at its time.
fn nothing_waits(case: &Case) -> Result<(), TestCaseError> {
    for deadline in &case.deadlines {
        let waits = deadline.met_at.is_none() && !matches!(case.state, State::Closed { .. });
        for step in &deadline.steps {
            prop_assert!(!waits || step.done_at.is_some() || step.due_at >= case.last_at, "{:?}", deadline);
            let Some(done_at) = step.done_at else { continue };
            // Late only where it was moot when it fell due: handling that was met then, and is not any more.
            let once_met = deadline.kind == DeadlineKind::Handle && case.reworks > 0;
            prop_assert!(done_at == step.due_at || (once_met && done_at > step.due_at), "{:?}", deadline);
        }
    }
    Ok(())
}

fn live(office: &'static Office, things: &[Timed]) -> Result<Life, TestCaseError> {
    let mut life = Life { office, ..Life::unknown() };
    life.routed(1, GRID, t(0, 0));
    let mut now = t(0, 0);
    for (gap, what) in things {
        now += TimeDelta::minutes(*gap);
        let known = life.told.len();
        carry_out(&mut life, what, now);
        if life.told.len() > known {
            nothing_waits(life.case())?;
        }
    }
    for pair in life.told.windows(2) {
        look(&pair[0].case, &pair[1])?;
    }
    Ok(life)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_deadline_has_the_steps_of_its_ladder_each_at_its_time(
        policy in policies(),
        calendar in calendars(),
        kind in select(DeadlineKind::ALL.to_vec()),
        start in moments(),
        limit in limits(),
    ) {
        let deadline = policy.deadline(&calendar, kind, 3, start, limit);
        prop_assert_eq!(deadline.due_at, calendar.due(start, limit).at);
        prop_assert!(start <= deadline.due_at && (limit.is_zero() == (start == deadline.due_at)));
        prop_assert_eq!(&set(&deadline), &deadline, "nothing is met or done yet");
        prop_assert_eq!(&policy.deadline(&calendar, kind, 3, start, limit), &deadline, "the same once more");
        let (does, at): (Vec<Does>, Vec<DateTime<Utc>>) =
            deadline.steps.iter().map(|step| (step.does, step.due_at)).unzip();
        if kind == DeadlineKind::Offer {
            prop_assert_eq!((does, at), (vec![Does::Lapse], vec![deadline.due_at]));
            return Ok(());
        }
        let ladder = policy.ladder(kind).unwrap();
        let remind = ladder.remind_percent.filter(|_| !limit.is_zero()).map(|_| Does::Remind);
        let rungs = ladder.escalate.iter().map(|rung| Does::Escalate(rung.to));
        prop_assert_eq!(does, remind.into_iter().chain(rungs).collect::<Vec<_>>());
        let reminded = usize::from(remind.is_some());
        prop_assert!(at[..reminded].iter().all(|at| start <= *at && *at <= deadline.due_at));
        let after = ladder.escalate.iter().map(|rung| calendar.due(deadline.due_at, rung.after).at);
        prop_assert_eq!(&at[reminded..], after.collect::<Vec<_>>(), "counted from when it was due");
    }

    #[test]
    fn whoever_begins_later_is_never_due_earlier(
        limit in limits(), start in moments(), seconds in 0_i64..300_000,
    ) {
        // Where clocks are set back, a wall clock shows an hour twice, and a calendar day is one of the wall clock's.
        let calendar = Calendar::from_json(include_str!("../../../../packs/calendars/cn.json")).unwrap();
        let later = calendar.due(start + TimeDelta::seconds(seconds), limit);
        prop_assert!(calendar.due(start, limit).at <= later.at);
    }

    #[test]
    fn a_verdict_goes_by_when_it_was_met_and_by_nothing_that_comes_later(
        start in moments(), limit in limits(), met in -3_000_i64..3_000, looked in -3_000_i64..3_000,
    ) {
        let plain = office().policy.deadline(&office().calendar, DeadlineKind::Handle, 1, start, limit);
        let (met_at, now) = (plain.due_at + TimeDelta::minutes(met), plain.due_at + TimeDelta::minutes(looked));
        let verdict = if looked <= 0 { Verdict::Running } else { Verdict::Overdue };
        prop_assert_eq!(plain.verdict(now), verdict);
        let is_met = Deadline { met_at: Some(met_at), ..plain };
        let verdict = if met <= 0 { Verdict::OnTime } else { Verdict::Overdue };
        prop_assert_eq!(is_met.verdict(now), verdict);
    }

    #[test]
    fn nothing_moves_a_deadline_and_whatever_falls_due_takes_effect_then_under_any_policy(
        office in offices(), things in wild(),
    ) {
        let mut life = live(office, &things)?;
        // And in the end each step that still counts has come, once.
        settle(&mut life, DateTime::<Utc>::MAX_UTC);
        nothing_waits(life.case())?;
        let open = !matches!(life.case().state, State::Closed { .. });
        let unmet = life.case().deadlines.iter().filter(|deadline| open && deadline.met_at.is_none());
        prop_assert!(unmet.flat_map(|deadline| &deadline.steps).all(|step| step.done_at.is_some()));
        let mut told: BTreeMap<_, u32> = BTreeMap::new();
        for effect in &life.told {
            let (Happened::Reminded { deadline, round, step }
            | Happened::Lapsed { deadline, round, step, .. }
            | Happened::Escalated { deadline, round, step, .. }) = &effect.happened else { continue };
            *told.entry((*deadline, *round, *step)).or_default() += 1;
        }
        prop_assert!(told.values().all(|times| *times == 1), "{:?}", life.story());
    }
}
