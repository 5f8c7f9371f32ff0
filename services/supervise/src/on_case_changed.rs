//! `case.*`: mirrors the case, its deadlines and steps, and moves the tallies. Pure.

use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::case::{Case, Happened, State};
use domain::deadline::{Deadline, DeadlineKind, Step, Verdict};
use domain::facts::CaseFact;
use platform::stream::Record;

use crate::Work;
use crate::store::cases::Mirrored;
use crate::store::deadlines::DeadlineRow;
use crate::store::steps::StepRow;

pub(crate) fn react(work: &mut Work, record: &Record) -> Result<(), String> {
    if !Happened::FACT_TYPES.contains(&record.kind.as_str()) {
        return Err(format!("supervise does not know facts of type `{}`", record.kind));
    }
    let CaseFact { happened, case } = record.body()?;
    let sensitive = is_sensitive(work, &case);
    tally_move(work, &case, sensitive);
    tally(work, &happened, &case, sensitive);
    if let Happened::Reminded { deadline, step, .. }
    | Happened::Lapsed { deadline, step, .. }
    | Happened::Escalated { deadline, step, .. } = &happened
    {
        effected(work, &case, *deadline, *step, record.noticed_at);
    }
    mirror_deadlines(work, &case, record.at);
    work.cases.insert(case.incident, mirrored(&case, sensitive));
    work.changed_cases.insert(case.incident);
    Ok(())
}

/// Whether a case is counted by itself: as it was opened, or as the pack said when it was first heard of, and so to its
/// end. What closes would else be counted elsewhere than what was opened, once its category is listed no more. What the
/// pack has never heard of is nobody's to count either.
fn is_sensitive(work: &Work, case: &Case) -> bool {
    let kept = work.cases.get(&case.incident).and_then(|known| known.sensitive);
    let of_pack = || work.pack.categories.get(&case.category).is_none_or(|category| category.sensitive);
    kept.unwrap_or_else(|| case.is_sensitive() || of_pack())
}

fn mirrored(case: &Case, sensitive: bool) -> Mirrored {
    let closed_at = match &case.state {
        State::Closed { closed, .. } => Some(closed.at),
        _ => None,
    };
    Mirrored {
        area: case.area.clone(),
        category: case.category.clone(),
        holder: case.holder.clone(),
        state: case.state.name().to_owned(),
        level: case.level,
        opened_at: case.opened_at,
        closed_at,
        sensitive: Some(sensitive),
    }
}

fn mirror_deadlines(work: &mut Work, case: &Case, at: DateTime<Utc>) {
    close_replaced(work, case, at);
    for deadline in &case.deadlines {
        let key = (case.incident, deadline.kind, deadline.round);
        let row = deadline_row(case, deadline);
        for (n, step) in deadline.steps.iter().enumerate() {
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            let key = (case.incident, deadline.kind, deadline.round, n);
            let row = step_row(work.steps.get(&key), step, row.open, &case.area);
            if work.steps.get(&key) != Some(&row) {
                work.steps.insert(key, row);
                work.changed_steps.insert(key);
            }
        }
        if work.deadlines.get(&key) != Some(&row) {
            work.deadlines.insert(key, row);
            work.changed_deadlines.insert(key);
        }
    }
}

/// The case's row keeps the latest round of each kind; an earlier one ended with it.
fn close_replaced(work: &mut Work, case: &Case, at: DateTime<Utc>) {
    let stands = |kind, round| case.deadlines.iter().any(|other| other.kind == kind && other.round == round);
    for (key, row) in &mut work.deadlines {
        if key.0 == case.incident && row.open && !stands(key.1, key.2) {
            row.open = false;
            row.met_at = Some(at);
            row.verdict = Some(verdict(row.due_at, at).to_owned());
            work.changed_deadlines.insert(*key);
        }
    }
    for (key, row) in &mut work.steps {
        if key.0 == case.incident && !stands(key.1, key.2) && row.done_at.is_none() && row.look_at.is_some() {
            row.look_at = None;
            work.changed_steps.insert(*key);
        }
    }
}

fn deadline_row(case: &Case, deadline: &Deadline) -> DeadlineRow {
    let closed = matches!(case.state, State::Closed { .. });
    DeadlineRow {
        area: case.area.clone(),
        start_at: deadline.start_at,
        due_at: deadline.due_at,
        provisional: deadline.provisional,
        met_at: deadline.met_at,
        verdict: deadline.met_at.map(|met_at| verdict(deadline.due_at, met_at).to_owned()),
        open: deadline.met_at.is_none() && !closed,
    }
}

fn verdict(due_at: DateTime<Utc>, met_at: DateTime<Utc>) -> &'static str {
    if met_at <= due_at { "on_time" } else { "overdue" }
}

/// The step as it stands now, and when the sweep should look at it next: when it is due, until it has been
/// told of and is done; never again once it is moot. What it brought about stays with the `area` that the case lay in
/// when it was first heard to be done.
fn step_row(before: Option<&StepRow>, step: &Step, open: bool, area: &AreaPath) -> StepRow {
    let noticed_at = before.and_then(|row| row.noticed_at);
    let look_at = match (step.done_at, noticed_at) {
        (Some(_), Some(_)) => None,
        (Some(_), None) => Some(step.due_at),
        (None, _) if !open => None,
        (None, _) => before.and_then(|row| row.look_at).or(Some(step.due_at)),
    };
    let done_in = match before.filter(|row| row.done_at.is_some()) {
        Some(row) => row.done_in.clone(),
        None => step.done_at.map(|_| area.clone()),
    };
    StepRow { does: step.does, due_at: step.due_at, done_at: step.done_at, noticed_at, look_at, done_in }
}

fn effected(work: &mut Work, case: &Case, kind: DeadlineKind, step: u32, noticed_at: DateTime<Utc>) {
    let step = case.deadline(kind).and_then(|deadline| deadline.steps.get(step as usize));
    if let Some(step) = step {
        let does = step.does.as_str().to_owned();
        work.effected.push((does, noticed_at - step.due_at));
    }
}

/// A case that lies in another area from now on is open there, and no longer where it was opened.
fn tally_move(work: &mut Work, case: &Case, sensitive: bool) {
    let before = work.cases.get(&case.incident).map(|known| known.area.clone());
    if let Some(before) = before.filter(|before| *before != case.area) {
        work.tallies.add(&before, "moved_out", sensitive);
        work.tallies.add(&case.area, "moved_in", sensitive);
    }
}

/// What each fact adds to the figures of its area.
fn tally(work: &mut Work, happened: &Happened, case: &Case, sensitive: bool) {
    let mut add = |measure: &str| work.tallies.add(&case.area, measure, sensitive);
    match happened {
        Happened::Opened { .. } => {
            add("opened");
            if case.deadline(DeadlineKind::Handle).is_none() {
                add("opened_without_due");
            }
        }
        Happened::Reminded { .. } => add("reminded"),
        Happened::Escalated { to, .. } => add(&format!("escalated_{to}")),
        Happened::Returned { .. } => add("returned"),
        Happened::Offered { .. } => add("offered"),
        Happened::Accepted { .. } => add("accepted"),
        Happened::Lapsed { .. } => add("lapsed"),
        Happened::Reworked { .. } => add("reworked"),
        Happened::Closed { .. } => {
            add("closed");
            let handled = case.deadline(DeadlineKind::Handle).map(|deadline| deadline.verdict(case.last_at));
            match handled {
                Some(Verdict::OnTime) => add("on_time"),
                Some(Verdict::Overdue) => add("overdue"),
                Some(Verdict::Running) | None => {}
            }
        }
        Happened::Assigned { .. }
        | Happened::Signed { .. }
        | Happened::Declined { .. }
        | Happened::Released { .. }
        | Happened::Staged { .. }
        | Happened::Answered { .. }
        | Happened::Checked { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::area::Level;
    use domain::deadline::Does;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn step(done_at: Option<i64>) -> Step {
        Step { does: Does::Escalate(Level::Community), due_at: at(100), done_at: done_at.map(at) }
    }

    fn row(noticed_at: Option<i64>, look_at: Option<i64>) -> StepRow {
        StepRow {
            does: Does::Escalate(Level::Community),
            due_at: at(100),
            done_at: None,
            noticed_at: noticed_at.map(at),
            look_at: look_at.map(at),
            done_in: None,
        }
    }

    fn grid() -> AreaPath {
        "s/c/g".parse().unwrap()
    }

    #[test]
    fn a_new_step_is_looked_at_when_it_is_due() {
        assert_eq!(step_row(None, &step(None), true, &grid()).look_at, Some(at(100)));
    }

    #[test]
    fn a_step_that_was_told_of_and_is_done_is_never_looked_at_again() {
        assert_eq!(step_row(Some(&row(Some(100), Some(130))), &step(Some(100)), true, &grid()).look_at, None);
    }

    #[test]
    fn a_step_done_before_anybody_told_of_it_is_still_told_of_once() {
        assert_eq!(
            step_row(Some(&row(None, Some(100))), &step(Some(100)), true, &grid()).look_at,
            Some(at(100))
        );
    }

    #[test]
    fn a_step_of_a_met_deadline_is_moot_and_comes_back_when_the_check_fails() {
        let moot = step_row(Some(&row(None, Some(100))), &step(None), false, &grid());
        assert_eq!(moot.look_at, None);
        assert_eq!(step_row(Some(&moot), &step(None), true, &grid()).look_at, Some(at(100)));
    }

    #[test]
    fn a_step_told_of_and_not_done_keeps_the_time_of_the_next_try() {
        assert_eq!(
            step_row(Some(&row(Some(100), Some(130))), &step(None), true, &grid()).look_at,
            Some(at(130))
        );
    }

    #[test]
    fn what_took_effect_stays_with_the_area_where_it_did_when_the_case_is_taken_elsewhere() {
        let waits = step_row(None, &step(None), true, &grid());
        assert_eq!(waits.done_in, None);
        let done = step_row(Some(&waits), &step(Some(100)), true, &grid());
        assert_eq!(done.done_in, Some(grid()));
        let next: AreaPath = "s/d/h".parse().unwrap();
        assert_eq!(step_row(Some(&done), &step(Some(100)), true, &next), done);
        assert_eq!(step_row(Some(&waits), &step(Some(100)), true, &next).done_in, Some(next));
    }

    #[test]
    fn what_took_effect_before_that_was_kept_is_not_put_anywhere_afterwards() {
        let long_done = StepRow { done_at: Some(at(100)), ..row(Some(100), None) };
        assert_eq!(step_row(Some(&long_done), &step(Some(100)), true, &grid()).done_in, None);
    }
}
