//! Drives the services through one window: reports, settle, what people did, settle, one sweep.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use discover::{NewReport, Reported, Submit};
use domain::case::Action;
use domain::holder::Holder;
use domain::id::{IncidentId, PersonId};
use domain::rights::{Grant, Role};
use handle::Act;
use platform::pack::{Pack, Person};
use platform::turn::{Asked, INPUTS_PER_TURN};
use serde::{Deserialize, Serialize};

use super::rows::Row;
use super::windows::{Closing, Window};
use crate::embedded::Embedded;

/// Everybody in a recorded file, whose names it does not give.
const RECORDED: &str = "recorded";

/// What has been counted so far; kept with the progress, so that a resumed run goes on counting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    pub rows: u64,
    pub accepted: u64,
    pub refused: BTreeMap<String, u64>,
    /// The first few refusals, in words.
    pub examples: Vec<String>,
}

/// How many refusals are shown in words.
const EXAMPLES: usize = 10;

impl Counted {
    fn refuse(&mut self, reason: &str, what: String) {
        *self.refused.entry(reason.to_owned()).or_default() += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(what);
        }
    }
}

/// Lets everything in `window` happen.
///
/// # Errors
/// When a service fails, or a recorded action is refused: the rules would then not be those of the record.
pub async fn drive(all: &mut Embedded, window: &Window, counted: &mut Counted) -> anyhow::Result<()> {
    counted.rows += (window.reports.len() + window.refused.len()) as u64;
    for refused in &window.refused {
        counted.refuse(refused.reason, format!("line {}: {}", refused.line, refused.what));
    }
    let Some(end) = window.end else { return Ok(()) };
    // An input at T comes before a step due at T, also when the input is in the next window.
    all.around.clock.drive(end - TimeDelta::milliseconds(1));
    submit(all, &window.reports, counted).await?;
    all.settle().await?;
    close(all, &window.closings).await?;
    all.settle().await?;
    all.sweep().await?;
    Ok(())
}

async fn submit(all: &mut Embedded, rows: &[Row], counted: &mut Counted) -> anyhow::Result<()> {
    for some in rows.chunks(INPUTS_PER_TURN) {
        let asked: Vec<_> = some.iter().map(submission).collect();
        let answers = all.discover.obey(&asked).await;
        for (row, answer) in some.iter().zip(answers) {
            match answer.with_context(|| format!("cannot file row {}", row.id))? {
                Ok(_) => counted.accepted += 1,
                Err(fault) => {
                    counted.refuse(fault.code, format!("row {}: {}: {}", row.id, fault.field, fault.text.en))
                }
            }
        }
    }
    Ok(())
}

fn submission(row: &Row) -> Asked<Submit> {
    let report = NewReport {
        client_id: row.id.clone(),
        category: row.category.clone(),
        place: row.place.clone(),
        description: String::new(),
    };
    let command = Submit { incident: row.incident, report: Reported::Recorded { report, due_at: row.due } };
    Asked { command, by: RECORDED.into(), recorded_at: row.opened }
}

/// At its recorded closing the holder of a case signs and answers, and somebody else checks and closes.
async fn close(all: &mut Embedded, closings: &[Closing]) -> anyhow::Result<()> {
    // Four actions each: a turn's worth.
    for some in closings.chunks(INPUTS_PER_TURN / 4) {
        let incidents: Vec<IncidentId> = some.iter().map(|closing| closing.incident).collect();
        let holders = handle::holders(&all.around.store, &incidents).await?;
        let mut asked = Vec::with_capacity(some.len() * 4);
        for closing in some {
            // A row that was refused at the door has no case, and so no closing.
            let Some(holder) = holders.get(&closing.incident) else { continue };
            asked.extend(life(&all.pack, *closing, holder)?);
        }
        let answers = all.handle.obey(&asked).await;
        for (asked, answer) in asked.iter().zip(answers) {
            let command = &asked.command;
            let answer = answer.with_context(|| format!("cannot act on case {}", command.incident))?;
            if let Err(refusal) = answer {
                bail!(
                    "{} may not {} case {}: {}",
                    asked.by,
                    command.action.name(),
                    command.incident,
                    refusal.text()
                );
            }
        }
    }
    Ok(())
}

fn life(pack: &Pack, closing: Closing, holder: &Holder) -> anyhow::Result<[Asked<Act>; 4]> {
    let (handler, checker) = people(pack, holder)?;
    let act = |person: &Person, action| acted(person, action, closing.incident, closing.at);
    Ok([
        act(handler, Action::Sign),
        act(handler, Action::Answer),
        act(checker, Action::Pass),
        act(checker, Action::Close),
    ])
}

/// Who works for `holder`, and who looks after them.
///
/// # Errors
/// When the pack has nobody for either.
pub fn people<'a>(pack: &'a Pack, holder: &Holder) -> anyhow::Result<(&'a Person, &'a Person)> {
    let nobody =
        |what: &str| format!("the pack has nobody to {what} cases of {holder}: add a line to its people.csv");
    let handler = find(pack.people.working_for(holder)).with_context(|| nobody("handle"))?;
    let handler = pack.people.get(&handler).with_context(|| nobody("handle"))?;
    let checkers = pack.people.with_role_over(Role::Checker, &holder.area);
    let desks = pack.people.with_role_over(Role::StreetDesk, &holder.area);
    let checker = find(checkers.chain(desks).filter(|person| person.id != handler.id));
    let checker = checker.and_then(|checker| pack.people.get(&checker)).with_context(|| nobody("check"))?;
    Ok((handler, checker))
}

fn find<'a>(mut people: impl Iterator<Item = &'a Person>) -> Option<PersonId> {
    people.next().map(|person| person.id.clone())
}

/// A person's action, counted as of `at` on a driven clock.
pub fn acted(person: &Person, action: Action, incident: IncidentId, at: DateTime<Utc>) -> Asked<Act> {
    let grants: Vec<Grant> = person.grants.clone();
    let command = Act { incident, action, grants, seen: None, note: None };
    Asked { command, by: person.id.clone(), recorded_at: at }
}
