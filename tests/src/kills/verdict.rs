//! What is stored, in plain SQL and by the audit: what still waits, and whether all that was answered is
//! there, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, Utc};
use domain::id::IncidentId;
use gridward::audit::{Options, audit};
use platform::store::{Store, get, get_incident};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use super::Outcome;
use super::clients::Answer;
use super::people::Acted;
use crate::offers::{HELD, MIRRORED, OF_HANDLE, OF_PARTNER, OFFERED, Tables};

/// Of each kind of fault so many are named.
const NAMED: usize = 5;

/// The file of a folder, to look at.
pub struct Stored {
    store: Store,
}

/// What has not been done yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waiting {
    /// Reports that are not a case.
    pub reports: u64,
    /// Facts some service has not read.
    pub facts: u64,
    /// Steps that are due.
    pub due: u64,
    /// Offers that are to be taken back.
    pub offers: u64,
}

impl Waiting {
    pub fn is_nothing(&self) -> bool {
        self.reports + self.facts + self.due + self.offers == 0
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reports, facts, due, offers } = self;
        write!(
            f,
            "with {reports} reports not a case yet, {facts} facts unread, {due} steps due, {offers} offers to take back"
        )
    }
}

/// One statement, so that all is of one moment. A step told of is looked at again 30 s later, so what is due
/// lies within that time in the index.
const WAITING: &str = "
SELECT
  (SELECT count(*) FROM discover_report r WHERE NOT EXISTS (SELECT 1 FROM handle_case c WHERE c.incident = r.incident)) AS reports,
  (SELECT count(*) FROM log WHERE topic = 'reported' AND id > (SELECT coalesce(max(position), 0) FROM route_position WHERE topic = 'reported'))
  + (SELECT count(*) FROM log WHERE topic = 'handled' AND id > (SELECT coalesce(max(position), 0) FROM route_position WHERE topic = 'handled'))
  + (SELECT count(*) FROM log WHERE topic = 'routed' AND id > (SELECT coalesce(max(position), 0) FROM handle_position WHERE topic = 'routed'))
  + (SELECT count(*) FROM log WHERE topic = 'supervised' AND id > (SELECT coalesce(max(position), 0) FROM handle_position WHERE topic = 'supervised'))
  + (SELECT count(*) FROM log WHERE topic = 'handled' AND id > (SELECT coalesce(max(position), 0) FROM supervise_position WHERE topic = 'handled'))
  + (SELECT count(*) FROM log WHERE topic = 'handled' AND id > (SELECT coalesce(max(position), 0) FROM partner_position WHERE topic = 'handled'))
  + (SELECT count(*) FROM log WHERE topic = 'partnered' AND id > (SELECT coalesce(max(position), 0) FROM handle_position WHERE topic = 'partnered'))
    AS facts,
  (SELECT count(*) FROM supervise_step WHERE look_at <= ?2 AND due_at <= ?1) AS due,
  (SELECT count(*) FROM partner_offer WHERE look_at IS NOT NULL) AS offers";

const EFFECTS: &str = "
WITH effect AS (
  SELECT incident, at, noticed_at, handle_history.kind AS fact, json_extract(happened, '$.deadline') AS kind,
         json_extract(happened, '$.round') AS round, json_extract(happened, '$.step') AS step
  FROM handle_history WHERE handle_history.kind IN ('case.reminded', 'case.lapsed', 'case.escalated')
)";

/// Steps that supervise has read of and keeps as still to come. A stop may leave facts unread.
const UNKNOWN: &str = "
SELECT count(*) FROM log
LEFT JOIN supervise_step AS s ON s.incident = log.incident
  AND s.kind = json_extract(body, '$.happened.deadline')
  AND s.round = json_extract(body, '$.happened.round') AND s.step = json_extract(body, '$.happened.step')
WHERE log.kind IN ('case.reminded', 'case.lapsed', 'case.escalated') AND s.done_at IS NULL
  AND log.id <= (SELECT max(position) FROM supervise_position WHERE topic = 'handled')";

impl Stored {
    pub async fn open(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self { store: Store::look(folder).await.context("cannot look at the file")? })
    }

    pub async fn close(self) -> anyhow::Result<()> {
        self.store.close().await.context("cannot close the file")
    }

    pub async fn waiting(&self, now: DateTime<Utc>) -> anyhow::Result<Waiting> {
        let soon = now + chrono::TimeDelta::seconds(60);
        let rows = self.rows(WAITING, vec![now.into(), soon.into()]).await?;
        let row = rows.first().context("a count without a row")?;
        let count = |column: &str| anyhow::Ok(get::<i64>(row, column)?.unsigned_abs());
        let (reports, facts) = (count("reports")?, count("facts")?);
        Ok(Waiting { reports, facts, due: count("due")?, offers: count("offers")? })
    }

    async fn rows(&self, sql: &str, values: Vec<Value>) -> anyhow::Result<Vec<QueryResult>> {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
        self.store.readers().query_all_raw(statement).await.with_context(|| format!("cannot read: {sql}"))
    }

    async fn count(&self, sql: &str, values: Vec<Value>) -> anyhow::Result<u64> {
        let rows = self.rows(sql, values).await?;
        let row = rows.first().context("a count without a row")?;
        Ok(row.try_get_by_index::<i64>(0)?.unsigned_abs())
    }

    async fn incidents(&self, sql: &str) -> anyhow::Result<Vec<IncidentId>> {
        let rows = self.rows(sql, Vec::new()).await?;
        rows.iter().map(|row| Ok(get_incident(row, "incident")?)).collect()
    }
}

/// What waits in `folder` at `now`.
pub async fn waiting(folder: &Path, now: DateTime<Utc>) -> anyhow::Result<Waiting> {
    let stored = Stored::open(folder).await?;
    let waiting = stored.waiting(now).await?;
    stored.close().await?;
    Ok(waiting)
}

/// Looks at a stopped process's file: `settled_at` is when nothing waited, on the clock of the cases.
pub async fn look(
    folder: &Path,
    answers: &[Answer],
    acts: &[Acted],
    settled_at: DateTime<Utc>,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let stored = Stored::open(folder).await?;
    compare(kept(&stored).await?, answers, acts, &mut outcome);
    let tables = Tables {
        held: stored.rows(HELD, Vec::new()).await?,
        mirrored: stored.rows(MIRRORED, Vec::new()).await?,
        offered: stored.rows(OFFERED, Vec::new()).await?,
        of_handle: stored.rows(OF_HANDLE, Vec::new()).await?,
        of_partner: stored.rows(OF_PARTNER, Vec::new()).await?,
    };
    offers(&tables, &mut outcome)?;
    steps(&stored, settled_at, &mut outcome).await?;
    stored.close().await?;
    audited(folder, settled_at, &mut outcome).await?;
    Ok(outcome)
}

/// What is stored of reports and cases.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// By reporter and client id.
    pub reports: BTreeMap<(String, String), BTreeSet<IncidentId>>,
    pub cases: BTreeSet<IncidentId>,
    /// How often each was opened.
    pub opened: BTreeMap<IncidentId, u64>,
    /// Lines of history that people brought about.
    pub lines: BTreeSet<(IncidentId, String, String)>,
}

impl Kept {
    pub fn report(&mut self, row: &QueryResult) -> anyhow::Result<()> {
        let of = (get(row, "reporter")?, get(row, "client_id")?);
        self.reports.entry(of).or_default().insert(get_incident(row, "incident")?);
        Ok(())
    }

    pub fn line(&mut self, row: &QueryResult) -> anyhow::Result<()> {
        self.lines.insert((get_incident(row, "incident")?, get(row, "kind")?, get(row, "person")?));
        Ok(())
    }

    pub fn open(&mut self, incident: IncidentId) {
        *self.opened.entry(incident).or_default() += 1;
    }
}

/// What of reports and people's lines is asked for, wherever it is stored.
pub const REPORTS: &str = "SELECT incident, reporter, client_id FROM discover_report";
pub const LINES: &str = "SELECT incident, kind, person FROM handle_history WHERE person IS NOT NULL";

async fn kept(stored: &Stored) -> anyhow::Result<Kept> {
    let mut kept = Kept::default();
    for row in stored.rows(REPORTS, Vec::new()).await? {
        kept.report(&row)?;
    }
    kept.cases = stored.incidents("SELECT incident FROM handle_case").await?.into_iter().collect();
    for incident in stored.incidents("SELECT incident FROM log WHERE kind = 'case.opened'").await? {
        kept.open(incident);
    }
    for row in stored.rows(LINES, Vec::new()).await? {
        kept.line(&row)?;
    }
    Ok(kept)
}

/// Each answered client id: one incident, one report, one case.
pub fn compare(kept: Kept, answers: &[Answer], acts: &[Acted], outcome: &mut Outcome) {
    actions(&kept, acts, outcome);
    let Kept { reports: mut there, cases, opened, .. } = kept;
    let mut answered: BTreeMap<(&str, &str), BTreeSet<IncidentId>> = BTreeMap::new();
    for answer in answers {
        outcome.answered_again += u64::from(!answer.fresh);
        answered.entry((&answer.reporter, &answer.client_id)).or_default().insert(answer.incident);
    }
    outcome.reports = answered.len() as u64;
    let mut lost = Vec::new();
    let mut doubled = Vec::new();
    for ((reporter, client_id), incidents) in &answered {
        let stored = there.remove(&((*reporter).to_owned(), (*client_id).to_owned())).unwrap_or_default();
        let whole =
            |incident| stored.contains(incident) && cases.contains(incident) && opened.contains_key(incident);
        if !incidents.iter().all(whole) {
            lost.push(format!(
                "{client_id} of {reporter}, answered as {incidents:?}, is stored as {stored:?}"
            ));
        }
        if incidents.union(&stored).count() > 1 {
            doubled.push(format!(
                "{client_id} of {reporter} was answered {incidents:?}, and is stored as {stored:?}"
            ));
        }
    }
    doubled.extend(
        opened
            .iter()
            .filter(|(_, times)| **times > 1)
            .map(|(id, times)| format!("{id} was opened {times} times")),
    );
    outcome.lost = lost.len() as u64;
    outcome.doubled = doubled.len() as u64;
    // Everybody kept asking until there was an answer.
    let unasked = there
        .keys()
        .map(|(reporter, client_id)| format!("nobody was answered for {client_id} of {reporter}"));
    for faults in [lost, doubled, unasked.collect()] {
        outcome.faults.extend(faults.into_iter().take(NAMED));
    }
}

/// Each answered action has its line in the history.
fn actions(Kept { lines, .. }: &Kept, acts: &[Acted], outcome: &mut Outcome) {
    outcome.actions = acts.len() as u64;
    let missing = |act: &&Acted| !lines.contains(&(act.incident, act.kind.to_owned(), act.person.clone()));
    let lost: Vec<&Acted> = acts.iter().filter(missing).collect();
    outcome.actions_lost = lost.len() as u64;
    let named = lost.iter().take(NAMED);
    outcome.faults.extend(
        named.map(|act| format!("{} by {} is not in the history of {}", act.kind, act.person, act.incident)),
    );
}

/// What partner knows is what handle has.
pub fn offers(tables: &Tables, outcome: &mut Outcome) -> anyhow::Result<()> {
    outcome.offers = tables.offered.len() as u64;
    outcome.faults.extend(tables.disagreements()?.into_iter().take(NAMED));
    Ok(())
}

/// Each step took effect once, when it was due.
async fn steps(stored: &Stored, settled_at: DateTime<Utc>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let effects = |rest: &str| format!("{EFFECTS} {rest}");
    let mirrored = "LEFT JOIN supervise_step AS s ON s.incident = effect.incident AND s.kind = effect.kind
                    AND s.round = effect.round AND s.step = effect.step";
    let reminded = effects("SELECT count(*) FROM effect WHERE fact = 'case.reminded'");
    let lapsed = effects("SELECT count(*) FROM effect WHERE fact = 'case.lapsed'");
    let escalated = effects("SELECT count(*) FROM effect WHERE fact = 'case.escalated'");
    let doubled = effects(
        "SELECT count(*) FROM (SELECT 1 FROM effect GROUP BY incident, kind, round, step HAVING count(*) > 1)",
    );
    let early = effects(&format!(
        "SELECT count(*) FROM effect {mirrored} WHERE effect.at < s.due_at OR effect.noticed_at < s.due_at"
    ));
    outcome.reminded = stored.count(&reminded, Vec::new()).await?;
    outcome.escalated = stored.count(&escalated, Vec::new()).await?;
    outcome.lapsed = stored.count(&lapsed, Vec::new()).await?;
    outcome.steps_effected = outcome.reminded + outcome.lapsed + outcome.escalated;
    outcome.steps_doubled = stored.count(&doubled, Vec::new()).await?;
    outcome.steps_early = stored.count(&early, Vec::new()).await?;
    outcome.steps_told = stored.count("SELECT count(*) FROM log WHERE kind = 'step.due'", Vec::new()).await?;
    let missed =
        "SELECT count(*) FROM supervise_step WHERE done_at IS NULL AND look_at IS NOT NULL AND due_at <= ?1";
    outcome.steps_missed = stored.count(missed, vec![settled_at.into()]).await?;
    let unknown = stored.count(UNKNOWN, Vec::new()).await?;
    if unknown > 0 {
        outcome.faults.push(format!("supervise does not know of {unknown} steps that took effect"));
    }
    Ok(())
}

/// The audit, which shares no code with the services or with this.
async fn audited(folder: &Path, settled_at: DateTime<Utc>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let report = audit(folder, Options { now: Some(settled_at), strict: true }).await?;
    let due = report.due_steps;
    outcome.steps_early = outcome.steps_early.max(due.early);
    outcome.steps_doubled = outcome.steps_doubled.max(due.doubled);
    outcome.steps_missed = outcome.steps_missed.max(due.missed + due.late);
    outcome.on_the_way = report.on_the_way;
    outcome.audit_clean = report.is_clean();
    if due.effected != outcome.steps_effected {
        let effected = outcome.steps_effected;
        outcome.faults.push(format!(
            "the log tells of {} steps that took effect, the histories of {effected}",
            due.effected
        ));
    }
    for check in report.checks.iter().filter(|check| check.found > 0) {
        outcome.faults.push(check.to_string());
    }
    Ok(())
}
