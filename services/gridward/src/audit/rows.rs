//! The rows the audit reads, each with the SQL that reads it. The first column is always the incident.

use chrono::{DateTime, Utc};
use domain::facts::Topic;

use super::snapshot::Cells;
use super::whole::SERVICES;

/// A row of one incident, read by a range of incidents: above `?1` up to `?2`.
pub(super) trait Row: Sized {
    const TABLE: &'static str;
    fn sql() -> String;
    fn read(cells: &mut Cells<'_>) -> Result<Self, String>;
}

fn select(table: &str, columns: &str, order: &str) -> String {
    format!(
        "SELECT incident, {columns} FROM {table} WHERE incident > ?1 AND incident <= ?2 ORDER BY incident{order}"
    )
}

/// One select for each service, put together.
fn of_services(select: impl Fn(&str) -> String) -> String {
    SERVICES.map(|service| select(service.name)).join(" UNION ALL ")
}

fn service(cells: &mut Cells<'_>) -> Result<&'static str, String> {
    let name: String = cells.take()?;
    let known = SERVICES.iter().find(|service| service.name == name);
    known.map(|service| service.name).ok_or_else(|| format!("`{name}` is no service"))
}

fn topic(cells: &mut Cells<'_>) -> Result<Topic, String> {
    let name: String = cells.take()?;
    name.parse()
}

/// A fact on the log.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub topic: Topic,
    pub sequence: i64,
    /// Its place on the log.
    pub id: i64,
    pub kind: String,
    pub at: DateTime<Utc>,
    pub noticed_at: DateTime<Utc>,
    pub body: String,
}

impl Row for Fact {
    const TABLE: &'static str = "log";

    fn sql() -> String {
        select(Self::TABLE, "topic, sequence, id, kind, at, noticed_at, body", ", topic, sequence")
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            topic: topic(cells)?,
            sequence: cells.take()?,
            id: cells.take()?,
            kind: cells.take()?,
            at: cells.time()?,
            noticed_at: cells.time()?,
            body: cells.take()?,
        })
    }
}

/// A report that was answered 201.
#[derive(Clone, Debug)]
pub(super) struct ReportRow {
    pub reporter: String,
    pub category: String,
    pub lon: f64,
    pub lat: f64,
    pub datum: String,
    pub filed_at: DateTime<Utc>,
}

impl Row for ReportRow {
    const TABLE: &'static str = "discover_report";

    fn sql() -> String {
        select(Self::TABLE, "reporter, category, lon, lat, datum, filed_at", "")
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            reporter: cells.take()?,
            category: cells.take()?,
            lon: cells.take()?,
            lat: cells.take()?,
            datum: cells.take()?,
            filed_at: cells.time()?,
        })
    }
}

/// Where an incident was routed last.
#[derive(Clone, Debug)]
pub(super) struct RouteRow {
    pub attempt: i64,
    pub lon: f64,
    pub lat: f64,
    pub area: String,
    pub boundaries: String,
    pub rule: String,
    pub holder: String,
    pub routed_at: DateTime<Utc>,
}

impl Row for RouteRow {
    const TABLE: &'static str = "route_incident";

    fn sql() -> String {
        select(Self::TABLE, "attempt, lon, lat, area, boundaries, rule, holder, routed_at", "")
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            attempt: cells.take()?,
            lon: cells.take()?,
            lat: cells.take()?,
            area: cells.take()?,
            boundaries: cells.take()?,
            rule: cells.take()?,
            holder: cells.take()?,
            routed_at: cells.time()?,
        })
    }
}

/// Who did something, and when.
pub(super) type MarkColumns = (Option<String>, Option<DateTime<Utc>>);

/// The case as handle keeps it.
#[derive(Clone, Debug)]
pub(super) struct CaseRow {
    pub reporter: String,
    pub category: String,
    pub lon: f64,
    pub lat: f64,
    pub area: String,
    pub holder: String,
    pub state: String,
    /// Signed, answered, passed, closed.
    pub marks: [MarkColumns; 4],
    pub level: String,
    pub attempt: i64,
    pub returns: i64,
    pub reworks: i64,
    pub handlers: String,
    pub flags: String,
    pub deadlines: String,
    pub recorded: bool,
    pub opened_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    pub due_at: Option<DateTime<Utc>>,
    pub revision: i64,
}

impl Row for CaseRow {
    const TABLE: &'static str = "handle_case";

    fn sql() -> String {
        select(
            Self::TABLE,
            "reporter, category, lon, lat, area, holder, state, signed_by, signed_at, answered_by, answered_at, \
             passed_by, passed_at, closed_by, closed_at, level, attempt, returns, reworks, handlers, flags, \
             deadlines, recorded, opened_at, last_at, due_at, revision",
            "",
        )
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            reporter: cells.take()?,
            category: cells.take()?,
            lon: cells.take()?,
            lat: cells.take()?,
            area: cells.take()?,
            holder: cells.take()?,
            state: cells.take()?,
            marks: [mark(cells)?, mark(cells)?, mark(cells)?, mark(cells)?],
            level: cells.take()?,
            attempt: cells.take()?,
            returns: cells.take()?,
            reworks: cells.take()?,
            handlers: cells.take()?,
            flags: cells.take()?,
            deadlines: cells.take()?,
            recorded: cells.take()?,
            opened_at: cells.time()?,
            last_at: cells.time()?,
            due_at: cells.take()?,
            revision: cells.take()?,
        })
    }
}

fn mark(cells: &mut Cells<'_>) -> Result<MarkColumns, String> {
    Ok((cells.take()?, cells.take()?))
}

/// One line of a case's history.
#[derive(Clone, Debug)]
pub(super) struct HistoryRow {
    pub sequence: i64,
    pub kind: String,
    pub at: DateTime<Utc>,
    pub noticed_at: DateTime<Utc>,
    pub person: Option<String>,
    pub happened: String,
}

impl Row for HistoryRow {
    const TABLE: &'static str = "handle_history";

    fn sql() -> String {
        select(Self::TABLE, "sequence, kind, at, noticed_at, person, happened", ", sequence")
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            sequence: cells.take()?,
            kind: cells.take()?,
            at: cells.time()?,
            noticed_at: cells.time()?,
            person: cells.take()?,
            happened: cells.take()?,
        })
    }
}

/// The case as supervise knows it.
#[derive(Clone, Debug)]
pub(super) struct MirrorRow {
    pub area: String,
    pub category: String,
    pub holder: String,
    pub state: String,
    pub level: String,
    pub opened_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
}

impl Row for MirrorRow {
    const TABLE: &'static str = "supervise_case";

    fn sql() -> String {
        select(Self::TABLE, "area, category, holder, state, level, opened_at, closed_at", "")
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            area: cells.take()?,
            category: cells.take()?,
            holder: cells.take()?,
            state: cells.take()?,
            level: cells.take()?,
            opened_at: cells.time()?,
            closed_at: cells.take()?,
        })
    }
}

/// A deadline as supervise knows it.
#[derive(Clone, Debug)]
pub(super) struct DeadlineRow {
    pub kind: String,
    pub round: i64,
    pub area: String,
    pub start_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub provisional: bool,
    pub met_at: Option<DateTime<Utc>>,
    pub verdict: Option<String>,
    pub open: bool,
}

impl Row for DeadlineRow {
    const TABLE: &'static str = "supervise_deadline";

    fn sql() -> String {
        let columns = "kind, round, area, start_at, due_at, provisional, met_at, verdict, open";
        select(Self::TABLE, columns, "")
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            kind: cells.take()?,
            round: cells.take()?,
            area: cells.take()?,
            start_at: cells.time()?,
            due_at: cells.time()?,
            provisional: cells.take()?,
            met_at: cells.take()?,
            verdict: cells.take()?,
            open: cells.take()?,
        })
    }
}

/// A step as supervise watches it.
#[derive(Clone, Debug)]
pub(super) struct StepRow {
    pub kind: String,
    pub round: i64,
    pub step: i64,
    pub does: String,
    pub due_at: DateTime<Utc>,
    pub done_at: Option<DateTime<Utc>>,
    pub noticed_at: Option<DateTime<Utc>>,
    pub look_at: Option<DateTime<Utc>>,
}

impl Row for StepRow {
    const TABLE: &'static str = "supervise_step";

    fn sql() -> String {
        select(Self::TABLE, "kind, round, step, does, due_at, done_at, noticed_at, look_at", "")
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            kind: cells.take()?,
            round: cells.take()?,
            step: cells.take()?,
            does: cells.take()?,
            due_at: cells.time()?,
            done_at: cells.take()?,
            noticed_at: cells.take()?,
            look_at: cells.take()?,
        })
    }
}

/// The last sequence a service drew on its own topic, or took from one it reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct SequenceRow {
    pub service: &'static str,
    pub topic: Topic,
    pub last: i64,
}

impl Row for SequenceRow {
    const TABLE: &'static str = "sequence";

    fn sql() -> String {
        of_services(|service| {
            format!(
                "SELECT incident, '{service}', topic, last FROM {service}_sequence \
                 WHERE incident > ?1 AND incident <= ?2"
            )
        })
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self { service: service(cells)?, topic: topic(cells)?, last: cells.take()? })
    }
}

/// A fact that a service set aside: parked behind another one, or dead.
#[derive(Clone, Debug)]
pub(super) struct AsideRow {
    pub service: &'static str,
    pub topic: Topic,
    pub sequence: i64,
    pub position: i64,
    pub body: String,
    /// Why it is dead; `None`: parked.
    pub reason: Option<String>,
}

impl Row for AsideRow {
    const TABLE: &'static str = "parked and dead_letter";

    fn sql() -> String {
        let topics = Topic::ALL.map(|topic| format!("'{topic}'")).join(", ");
        // Naming the topics lets the primary key, which begins with them, find the range.
        let one = |service: &str, table: &str, reason: &str| {
            format!(
                "SELECT incident, '{service}', topic, sequence, position, body, {reason} FROM {service}_{table} \
                 WHERE topic IN ({topics}) AND incident > ?1 AND incident <= ?2"
            )
        };
        of_services(|service| {
            format!("{} UNION ALL {}", one(service, "parked", "NULL"), one(service, "dead_letter", "reason"))
        })
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            service: service(cells)?,
            topic: topic(cells)?,
            sequence: cells.take()?,
            position: cells.take()?,
            body: cells.take()?,
            reason: cells.take()?,
        })
    }
}
