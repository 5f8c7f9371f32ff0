//! The people of the demo: reports come in when they were recorded, holders sign some time later, answer
//! at the recorded closing, and somebody else checks and closes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, TimeDelta, Utc};
use discover::{NewReport, Reported, Submit};
use domain::case::Action;
use domain::id::IncidentId;
use platform::lifecycle::Lifecycle;
use platform::turn::Asked;
use tracing::warn;

use crate::replay::drive::{acted, people};
use crate::replay::rows::Row;
use crate::replay::windows::Windows;
use crate::running::Stage;

/// What happens next, and when.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cue {
    at: DateTime<Utc>,
    what: What,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Sign(IncidentId),
    Answer(IncidentId),
    Check(IncidentId),
}

/// Plays the rest of `windows` on the stage's clock until the file ends or the process stops.
pub async fn play(mut windows: Windows, stage: Stage, mut lifecycle: Lifecycle) -> anyhow::Result<()> {
    let mut cues = BinaryHeap::new();
    loop {
        let window = windows.next_window();
        if window.is_empty() && cues.is_empty() {
            return Ok(());
        }
        for closing in &window.closings {
            cues.push(Reverse(Cue { at: closing.at, what: What::Answer(closing.incident) }));
        }
        for row in window.reports {
            if !play_until(row.opened, &mut cues, &stage, &mut lifecycle).await {
                return Ok(());
            }
            if let Some(closed) = row.closed {
                let sign_at = row.opened + (closed - row.opened) / 4;
                cues.push(Reverse(Cue { at: sign_at, what: What::Sign(row.incident) }));
            }
            report(&row, &stage).await;
        }
        let end = window.end.unwrap_or(DateTime::<Utc>::MAX_UTC);
        if !play_until(end, &mut cues, &stage, &mut lifecycle).await {
            return Ok(());
        }
    }
}

/// Lets everything cued before `end` happen in its time, then waits for `end`. False once stopping.
async fn play_until(
    end: DateTime<Utc>,
    cues: &mut BinaryHeap<Reverse<Cue>>,
    stage: &Stage,
    lifecycle: &mut Lifecycle,
) -> bool {
    loop {
        let next = cues.peek().map(|Reverse(cue)| cue.at).filter(|at| *at < end);
        if let Some(wait) = stage.clock.until(next.unwrap_or(end)) {
            lifecycle.pause(wait).await;
        }
        if lifecycle.is_stopping() {
            return false;
        }
        if next.is_none() {
            return true;
        }
        if let Some(Reverse(cue)) = cues.pop() {
            happen(cue, cues, stage).await;
        }
    }
}

async fn happen(cue: Cue, cues: &mut BinaryHeap<Reverse<Cue>>, stage: &Stage) {
    match cue.what {
        What::Sign(incident) => act(incident, &[Action::Sign], stage).await,
        What::Answer(incident) => {
            act(incident, &[Action::Sign, Action::Answer], stage).await;
            cues.push(Reverse(Cue { at: cue.at + TimeDelta::hours(2), what: What::Check(incident) }));
        }
        What::Check(incident) => act(incident, &[Action::Pass, Action::Close], stage).await,
    }
}

async fn report(row: &Row, stage: &Stage) {
    let report = NewReport {
        client_id: row.id.clone(),
        category: row.category.clone(),
        place: row.place.clone(),
        registered_area: None,
        description: String::new(),
    };
    let command = Submit { incident: row.incident, report: Reported::Recorded { report, due_at: row.due } };
    let asked = Asked { command, by: "recorded".into(), recorded_at: row.opened };
    match stage.desks.discover.ask(asked).await {
        Ok(Ok(_)) => {}
        Ok(Err(fault)) => warn!("a recorded report was refused: {}", fault.text),
        Err(error) => warn!("a recorded report was not answered: {error}"),
    }
}

/// The case's people act. A case that is already further on, because somebody at the keyboard was quicker,
/// is left to them.
async fn act(incident: IncidentId, actions: &[Action], stage: &Stage) {
    let holders = match handle::holders(stage.store("handle"), &[incident]).await {
        Ok(holders) => holders,
        Err(error) => return warn!("cannot look up a holder: {error}"),
    };
    let Some(holder) = holders.get(&incident) else { return };
    let (handler, checker) = match people(&stage.pack, holder) {
        Ok(people) => people,
        Err(error) => return warn!("{error}"),
    };
    for action in actions {
        let person = if matches!(action, Action::Pass | Action::Close) { checker } else { handler };
        let asked = acted(person, action.clone(), incident, stage.clock.now());
        if stage.desks.handle.ask(asked).await.is_err() {
            return;
        }
    }
}
