//! Drives the services through one window: reports, settle, what people did, settle, one sweep. Whoever has
//! nothing to do with a step reads meanwhile: recorded times alone decide, not who was quicker.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use discover::{Discover, NewReport, ReportFault, Reported, Submit};
use domain::case::Action;
use domain::holder::Holder;
use domain::id::{IncidentId, PersonId};
use domain::rights::{Grant, Role};
use domain::text::Text;
use handle::{Act, Handle};
use platform::pack::{Pack, Person, Placed, Recorded};
use platform::store::Store;
use platform::turn::{Asked, INPUTS_PER_TURN, Turns};
use serde::{Deserialize, Serialize};

use super::refused::{EXAMPLES, Refusals, Refused};
use super::rows::Row;
use super::windows::{Closing, Window};
use crate::settling::{Office, meanwhile};

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

impl Counted {
    fn refuse(&mut self, refused: &Refused) {
        *self.refused.entry(refused.reason.to_owned()).or_default() += 1;
        self.show(refused);
    }

    fn refuse_all(&mut self, refused: &Refusals) {
        for (reason, rows) in refused.by_reason() {
            *self.refused.entry((*reason).to_owned()).or_default() += rows;
        }
        refused.examples().iter().for_each(|refused| self.show(refused));
    }

    fn show(&mut self, refused: &Refused) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(refused.to_string());
        }
    }
}

/// Lets everything in `window` happen.
///
/// # Errors
/// When a service fails, or a recorded action is refused: the rules would then not be those of the record.
pub async fn drive(all: &Office, window: &Window, counted: &mut Counted) -> anyhow::Result<()> {
    counted.rows += window.reports.len() as u64 + window.refused.rows();
    counted.refuse_all(&window.refused);
    let Some(end) = window.end else { return Ok(()) };
    // An input at T comes before a step due at T, also when the input is in the next window.
    all.clock.drive(end - TimeDelta::milliseconds(1));
    report(all, &window.reports, counted).await?;
    all.settle().await?;
    act_on(all, &window.closings).await?;
    all.settle().await?;
    all.sweep().await?;
    Ok(())
}

/// Files `rows`; the others route and open them meanwhile.
async fn report(all: &Office, rows: &[Row], counted: &mut Counted) -> anyhow::Result<()> {
    let form = all.pack.form_of_records();
    let filing = async { submit(&mut *all.discover.turns.lock().await, rows, &form, counted).await };
    let readers = vec![all.route.reader(), all.handle.reader(), all.supervise.reader()];
    meanwhile(filing, readers).await?;
    Ok(())
}

/// Does what people did; the others read of it meanwhile.
async fn act_on(all: &Office, closings: &[Closing]) -> anyhow::Result<()> {
    let handle = &all.handle;
    let closing = async { close(&mut *handle.turns.lock().await, &handle.store, &all.pack, closings).await };
    meanwhile(closing, vec![all.route.reader(), all.supervise.reader()]).await?;
    Ok(())
}

async fn submit(
    discover: &mut Turns<Discover>,
    rows: &[Row],
    form: &Recorded,
    counted: &mut Counted,
) -> anyhow::Result<()> {
    for some in rows.chunks(INPUTS_PER_TURN) {
        let asked: Vec<_> = some.iter().map(submission).collect();
        let answers = discover.obey(&asked).await;
        for (row, answer) in some.iter().zip(answers) {
            let answer = answer.with_context(|| {
                let (line, id) = (row.line, &row.id);
                format!("line {line}: row {id} cannot be filed / 第 {line} 行：{id} 无法登记")
            })?;
            match answer {
                // Not fresh is what this very row filed before the window was interrupted; it counts once, now.
                Ok(filed) if filed.fresh || filed.incident == row.incident => counted.accepted += 1,
                Ok(_) => counted.refuse(&filed_otherwise(row)),
                Err(fault) => counted.refuse(&refused(row, &fault, form)),
            }
        }
    }
    Ok(())
}

/// What discover does not take, told by the column of the file.
fn refused(row: &Row, fault: &ReportFault, form: &Recorded) -> Refused {
    let column: &str = match (fault.field, &form.placed) {
        ("client_id", _) => &form.columns.id,
        ("category", _) => &form.columns.category,
        ("place.lon", Placed::Point { lon, .. }) => lon,
        ("place.lat", Placed::Point { lat, .. }) => lat,
        (other, _) => other,
    };
    let ReportFault { code, text, .. } = fault;
    let text = Text::new(format!("{column}：{}", text.zh), format!("{column}: {}", text.en));
    Refused { line: row.line, reason: code, text }
}

fn filed_otherwise(row: &Row) -> Refused {
    let id = &row.id;
    let text = Text::new(
        format!("id {id} 在该目录中已登记为另一事件，请换一个 --data"),
        format!("id {id} was filed in this folder as another incident: give the replay another --data"),
    );
    Refused { line: row.line, reason: "duplicate_id", text }
}

fn submission(row: &Row) -> Asked<Submit> {
    let report = NewReport {
        client_id: row.id.clone(),
        category: row.category.clone(),
        place: row.place.clone(),
        registered_area: None,
        description: String::new(),
    };
    let command = Submit { incident: row.incident, report: Reported::Recorded { report, due_at: row.due } };
    Asked { command, by: RECORDED.into(), recorded_at: row.opened }
}

/// At its recorded closing the holder of a case signs and answers, and somebody else checks and closes.
async fn close(
    handle: &mut Turns<Handle>,
    store: &Store,
    pack: &Pack,
    closings: &[Closing],
) -> anyhow::Result<()> {
    // Four actions each: a turn's worth.
    for some in closings.chunks(INPUTS_PER_TURN / 4) {
        let incidents: Vec<IncidentId> = some.iter().map(|closing| closing.incident).collect();
        let holders = handle::holders(store, &incidents).await?;
        let mut asked = Vec::with_capacity(some.len() * 4);
        let mut lines = Vec::with_capacity(some.len() * 4);
        for closing in some {
            // A row that was refused at the door has no case, and so no closing.
            let Some(holder) = holders.get(&closing.incident) else { continue };
            let line = closing.line;
            let life = life(pack, *closing, holder);
            asked.extend(life.with_context(|| {
                format!("line {line} cannot be closed as recorded / 第 {line} 行无法按记录结案")
            })?);
            lines.extend([line; 4]);
        }
        let answers = handle.obey(&asked).await;
        for ((asked, line), answer) in asked.iter().zip(lines).zip(answers) {
            let incident = asked.command.incident;
            let answer = answer.with_context(|| {
                format!("line {line}: cannot act on case {incident} / 第 {line} 行：无法操作案件 {incident}")
            })?;
            if let Err(refusal) = answer {
                bail!(not_as_recorded(asked, line, &refusal.text()));
            }
        }
    }
    Ok(())
}

fn not_as_recorded(asked: &Asked<Act>, line: u64, why: &Text) -> String {
    let Asked { command: Act { action, incident, .. }, by, .. } = asked;
    let (en, zh) = (action.name(), action.zh());
    format!(
        "line {line}: {by} may not {en} case {incident} at its recorded closing: {} / \
         第 {line} 行：按记录结案时，{by} 不能对案件 {incident} 进行{zh}：{}",
        why.en, why.zh
    )
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
    let nobody = |en: &str, zh: &str| {
        format!(
            "the pack has nobody to {en} cases of {holder}: add a line to its people.csv / \
             辖区包中没有人{zh} {holder} 的事件，请在 people.csv 中补一行"
        )
    };
    let handler = find(pack.people.working_for(holder)).with_context(|| nobody("handle", "处置"))?;
    let handler = pack.people.get(&handler).with_context(|| nobody("handle", "处置"))?;
    let checkers = pack.people.with_role_over(Role::Checker, &holder.area);
    let desks = pack.people.with_role_over(Role::StreetDesk, &holder.area);
    let checker = find(checkers.chain(desks).filter(|person| person.id != handler.id));
    let checker =
        checker.and_then(|checker| pack.people.get(&checker)).with_context(|| nobody("check", "核查"))?;
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
