//! The sweep: says of each step whose time has come that it is due. Pure.
//!
//! It takes what is due and not told of yet, and what was told of a while ago and is still not done: so
//! nothing is flooded and nothing sticks.

use chrono::TimeDelta;
use domain::facts::{STEP_DUE, StepDue};
use domain::id::IncidentId;
use platform::turn::Turn;

use crate::{StepKey, Work};

/// After this long without effect a step is proposed again.
const PROPOSE_AGAIN: TimeDelta = TimeDelta::seconds(30);

pub(crate) fn sweep(work: &mut Work, incident: IncidentId, turn: &mut Turn) {
    let now = turn.now();
    for key in due(work, incident, now) {
        let Some(row) = work.steps.get_mut(&key) else { continue };
        let (_, deadline, round, step) = key;
        let body = StepDue { deadline, round, step, does: row.does, due_at: row.due_at };
        let cause = format!("due/{}/{round}/{step}", deadline.as_str());
        turn.publish(incident, STEP_DUE, row.due_at, cause, &body);
        row.noticed_at = row.noticed_at.or(Some(now));
        row.look_at = if row.done_at.is_some() { None } else { Some(now + PROPOSE_AGAIN) };
        work.changed_steps.insert(key);
    }
}

/// The incident's steps to tell of, in the order they fell due.
fn due(work: &Work, incident: IncidentId, now: chrono::DateTime<chrono::Utc>) -> Vec<StepKey> {
    let mut due: Vec<_> = work
        .steps
        .iter()
        .filter(|(key, row)| key.0 == incident && row.look_at.is_some_and(|look_at| look_at <= now))
        .map(|(key, row)| (row.due_at, *key))
        .collect();
    due.sort_unstable();
    due.into_iter().map(|(_, key)| key).collect()
}
