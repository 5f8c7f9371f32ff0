//! The rows the audit reads, each with the SQL that reads it. The first column is always the incident.

use chrono::{DateTime, Utc};
use domain::facts::Topic;

use super::snapshot::{Cells, Setting};
use super::whole::{SERVICES, writer};

/// A select of some rows, and the service whose they are.
pub(super) struct Select {
    pub service: &'static str,
    pub sql: String,
}

/// A row of one incident, read by a range of incidents: [`RANGE`].
pub(super) trait Row: Sized {
    const TABLE: &'static str;
    fn selects(setting: Setting) -> Vec<Select>;
    fn read(service: &'static str, cells: &mut Cells<'_>) -> Result<Self, String>;
}

/// Above the first value up to the second.
const RANGE: &str = "incident > $1 AND incident <= $2";

/// From one table of one service.
fn select(table: &str, columns: &str, order: &str) -> Vec<Select> {
    let sql = format!("SELECT incident, {columns} FROM {table} WHERE {RANGE} ORDER BY incident{order}");
    let owner = SERVICES.iter().find(|service| table.starts_with(service.name));
    vec![Select { service: owner.map_or("", |service| service.name), sql }]
}

fn of_services(sql: impl Fn(&str) -> String) -> Vec<Select> {
    SERVICES.map(|service| Select { service: service.name, sql: sql(service.name) }).into()
}

/// The tables facts are read from, and whose they are: the log, or the outboxes.
pub(super) fn tables_of_facts(setting: Setting) -> Vec<(&'static str, String)> {
    match setting {
        Setting::File => vec![("", "log".to_owned())],
        Setting::Servers => SERVICES.map(|service| (service.name, format!("{}_outbox", service.name))).into(),
    }
}

fn topic(cells: &mut Cells<'_>) -> Result<Topic, String> {
    let name: String = cells.take()?;
    name.parse()
}

/// A fact as its writer wrote it: on the log of a file, or in an outbox.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub topic: Topic,
    pub sequence: i64,
    /// Its place on the log or in the outbox.
    pub id: i64,
    pub kind: String,
    pub at: DateTime<Utc>,
    pub noticed_at: DateTime<Utc>,
    pub cause: String,
    pub body: String,
    /// When the relay had it acknowledged; in a file writing is publishing.
    pub published_at: Option<DateTime<Utc>>,
}

impl Row for Fact {
    const TABLE: &'static str = "log";

    fn selects(setting: Setting) -> Vec<Select> {
        let published = match setting {
            Setting::File => "noticed_at",
            Setting::Servers => "published_at",
        };
        let columns = format!("topic, sequence, id, kind, at, noticed_at, cause, body, {published}");
        let tables = tables_of_facts(setting).into_iter();
        tables.flat_map(|(_, table)| select(&table, &columns, ", topic, sequence")).collect()
    }

    fn read(service: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
        let topic = topic(cells)?;
        if !service.is_empty() && service != writer(topic) {
            return Err(format!("a fact of {topic} in the outbox of {service}"));
        }
        Ok(Self {
            topic,
            sequence: cells.whole()?,
            id: cells.whole()?,
            kind: cells.take()?,
            at: cells.time()?,
            noticed_at: cells.time()?,
            cause: cells.take()?,
            body: cells.take()?,
            published_at: cells.take()?,
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

    fn selects(_: Setting) -> Vec<Select> {
        select(Self::TABLE, "reporter, category, lon, lat, datum, filed_at", "")
    }

    fn read(_: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
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

    fn selects(_: Setting) -> Vec<Select> {
        select(Self::TABLE, "attempt, lon, lat, area, boundaries, rule, holder, routed_at", "")
    }

    fn read(_: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            attempt: cells.whole()?,
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
    pub home: Option<String>,
    pub state: String,
    pub offered_to: Option<String>,
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

    fn selects(_: Setting) -> Vec<Select> {
        select(
            Self::TABLE,
            "reporter, category, lon, lat, area, holder, home, state, offered_to, signed_by, signed_at, answered_by, answered_at, \
             passed_by, passed_at, closed_by, closed_at, level, attempt, returns, reworks, handlers, flags, \
             deadlines, recorded, opened_at, last_at, due_at, revision",
            "",
        )
    }

    fn read(_: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            reporter: cells.take()?,
            category: cells.take()?,
            lon: cells.take()?,
            lat: cells.take()?,
            area: cells.take()?,
            holder: cells.take()?,
            home: cells.take()?,
            state: cells.take()?,
            offered_to: cells.take()?,
            marks: [mark(cells)?, mark(cells)?, mark(cells)?, mark(cells)?],
            level: cells.take()?,
            attempt: cells.whole()?,
            returns: cells.whole()?,
            reworks: cells.whole()?,
            handlers: cells.take()?,
            flags: cells.take()?,
            deadlines: cells.take()?,
            recorded: cells.take()?,
            opened_at: cells.time()?,
            last_at: cells.time()?,
            due_at: cells.take()?,
            revision: cells.whole()?,
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

    fn selects(_: Setting) -> Vec<Select> {
        select(Self::TABLE, "sequence, kind, at, noticed_at, person, happened", ", sequence")
    }

    fn read(_: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            sequence: cells.whole()?,
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
    /// Whether figures count it by itself; `None` where nothing was heard of it since that is kept.
    pub sensitive: Option<bool>,
}

impl Row for MirrorRow {
    const TABLE: &'static str = "supervise_case";

    fn selects(_: Setting) -> Vec<Select> {
        select(Self::TABLE, "area, category, holder, state, level, opened_at, closed_at, sensitive", "")
    }

    fn read(_: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            area: cells.take()?,
            category: cells.take()?,
            holder: cells.take()?,
            state: cells.take()?,
            level: cells.take()?,
            opened_at: cells.time()?,
            closed_at: cells.take()?,
            sensitive: cells.take()?,
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

    fn selects(_: Setting) -> Vec<Select> {
        let columns = "kind, round, area, start_at, due_at, provisional, met_at, verdict, open";
        select(Self::TABLE, columns, "")
    }

    fn read(_: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            kind: cells.take()?,
            round: cells.whole()?,
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
    /// Where the case lay when it took effect; `None` also of what did before that was kept.
    pub done_in: Option<String>,
}

impl Row for StepRow {
    const TABLE: &'static str = "supervise_step";

    fn selects(_: Setting) -> Vec<Select> {
        select(Self::TABLE, "kind, round, step, does, due_at, done_at, noticed_at, look_at, done_in", "")
    }

    fn read(_: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            kind: cells.take()?,
            round: cells.whole()?,
            step: cells.whole()?,
            does: cells.take()?,
            due_at: cells.time()?,
            done_at: cells.take()?,
            noticed_at: cells.take()?,
            look_at: cells.take()?,
            done_in: cells.take()?,
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

    fn selects(_: Setting) -> Vec<Select> {
        of_services(|service| format!("SELECT incident, topic, last FROM {service}_sequence WHERE {RANGE}"))
    }

    fn read(service: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self { service, topic: topic(cells)?, last: cells.whole()? })
    }
}

/// A fact that a service set aside: parked behind another one, or dead.
#[derive(Clone, Debug)]
pub(super) struct AsideRow {
    pub service: &'static str,
    pub topic: Topic,
    pub sequence: i64,
    pub partition: i64,
    pub position: i64,
    pub body: String,
    /// Why it is dead; `None`: parked.
    pub reason: Option<String>,
}

impl Row for AsideRow {
    const TABLE: &'static str = "parked and dead_letter";

    fn selects(_: Setting) -> Vec<Select> {
        let topics = Topic::ALL.map(|topic| format!("'{topic}'")).join(", ");
        // Naming the topics lets the primary key, which begins with them, find the range.
        let one = |service: &str, table: &str, reason: &str| {
            format!(
                "SELECT incident, topic, sequence, partition, position, body, {reason} FROM {service}_{table} \
                 WHERE topic IN ({topics}) AND {RANGE}"
            )
        };
        let parked = "CAST(NULL AS TEXT) AS reason";
        of_services(|service| {
            format!("{} UNION ALL {}", one(service, "parked", parked), one(service, "dead_letter", "reason"))
        })
    }

    fn read(service: &'static str, cells: &mut Cells<'_>) -> Result<Self, String> {
        Ok(Self {
            service,
            topic: topic(cells)?,
            sequence: cells.whole()?,
            partition: cells.whole()?,
            position: cells.whole()?,
            body: cells.take()?,
            reason: cells.take()?,
        })
    }
}
