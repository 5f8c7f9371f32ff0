//! Per incident: the sequence last drawn on the service's own topic, and the one last taken from each
//! topic it reads. Table `SERVICE_sequence (topic, incident) → last`.
//!
//! The row of the own topic is also what a turn locks where the database locks rows. A turn that writes the first row
//! of any table about an incident writes this one too, so that whatever can be decided about has one; two turns that
//! both do so collide, and one is run again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use domain::id::IncidentId;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, SqlErr, Statement};
use uuid::Uuid;

use super::{Doing, ROWS_PER_INSERT, StoreError, Tx, get, get_incident, get_time, iden, table};

/// The sequences of some incidents on one topic.
pub type Sequences = BTreeMap<IncidentId, i64>;

/// The sequences of some incidents on one topic, as a turn has found them and as it changes them.
#[derive(Clone, Debug)]
pub struct OfTopic {
    topic: Topic,
    last: Sequences,
    changed: BTreeMap<IncidentId, Change>,
}

/// A sequence that has to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub topic: Topic,
    pub incident: IncidentId,
    pub last: i64,
    /// There was no row when the turn looked.
    pub fresh: bool,
}

impl OfTopic {
    pub fn new(topic: Topic, found: Sequences) -> Self {
        Self { topic, last: found, changed: BTreeMap::new() }
    }

    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// The last one of `incident`, if there is a row.
    pub fn last(&self, incident: IncidentId) -> Option<i64> {
        self.last.get(&incident).copied()
    }

    pub fn set(&mut self, incident: IncidentId, last: i64) {
        let fresh = self.last.insert(incident, last).is_none();
        let change =
            self.changed.entry(incident).or_insert(Change { topic: self.topic, incident, last, fresh });
        change.last = last;
    }

    /// Makes sure that there is a row of `incident`: a 0 where none was drawn yet.
    pub fn make(&mut self, incident: IncidentId) {
        if !self.last.contains_key(&incident) {
            self.set(incident, 0);
        }
    }

    pub fn changes(&self) -> impl Iterator<Item = Change> {
        self.changed.values().copied()
    }
}

/// What a turn finds.
#[derive(Debug)]
pub struct Found {
    pub last: BTreeMap<Topic, Sequences>,
    /// The database's clock after the last row was locked, where the database locks rows.
    pub now: Option<DateTime<Utc>>,
}

/// Loads the sequences of `incidents` (sorted) on `topics`, and locks their rows where the database locks rows, so
/// that no other turn decides about them meanwhile.
pub async fn lock(
    tx: &Tx,
    service: &'static str,
    topics: &[Topic],
    incidents: &[IncidentId],
) -> Result<Found, StoreError> {
    let mut last: BTreeMap<Topic, Sequences> = BTreeMap::new();
    if tx.get_database_backend() != DbBackend::Postgres {
        for some in incidents.chunks(ROWS_PER_INSERT) {
            for row in tx.query_all(&select(service, topics, some)).await.doing("loading sequences")? {
                let topic: String = get(&row, "topic")?;
                let of_topic = last.entry(topic.parse().map_err(wrong)?).or_default();
                of_topic.insert(get_incident(&row, "incident")?, get(&row, "last")?);
            }
        }
        return Ok(Found { last, now: None });
    }
    // In id order, as everybody does it: two turns never wait for each other. The clock is read behind the aggregate,
    // and so behind the locks: what waited for them must not count as earlier than what it waited for.
    let lock = format!(
        "WITH locked AS MATERIALIZED (SELECT topic, incident, last FROM {service}_sequence \
         WHERE incident = ANY ($1) AND topic = ANY ($2) ORDER BY incident, topic FOR UPDATE) \
         SELECT coalesce(array_agg(CAST(topic AS text)), '{{}}') AS topics, \
         coalesce(array_agg(incident), '{{}}') AS incidents, coalesce(array_agg(last), '{{}}') AS lasts, \
         date_trunc('milliseconds', clock_timestamp()) AS now FROM locked"
    );
    let names: Vec<String> = topics.iter().map(|topic| topic.as_str().to_owned()).collect();
    let values = [uuids(incidents).into(), names.into()];
    let lock = Statement::from_sql_and_values(DbBackend::Postgres, lock, values);
    let row = tx.query_one_raw(lock).await.doing("locking incidents")?;
    let row = row.ok_or_else(|| wrong("an aggregate gave no row".to_owned()))?;
    let (topics, incidents): (Vec<String>, Vec<Uuid>) = (get(&row, "topics")?, get(&row, "incidents")?);
    let lasts: Vec<i64> = get(&row, "lasts")?;
    for ((topic, incident), number) in topics.iter().zip(incidents).zip(lasts) {
        last.entry(topic.parse().map_err(wrong)?).or_default().insert(IncidentId(incident), number);
    }
    Ok(Found { last, now: Some(get_time(&row, "now")?) })
}

fn wrong(why: String) -> StoreError {
    StoreError::Inconsistent { table: "sequence", id: String::new(), why }
}

fn uuids(incidents: &[IncidentId]) -> Vec<Uuid> {
    incidents.iter().map(|incident| incident.0).collect()
}

fn select(service: &'static str, topics: &[Topic], incidents: &[IncidentId]) -> SelectStatement {
    Query::select()
        .columns([iden("topic"), iden("incident"), iden("last")])
        .from(table(service, "sequence"))
        .and_where(Expr::col(iden("topic")).is_in(topics.iter().map(|topic| topic.as_str())))
        .and_where(Expr::col(iden("incident")).is_in(incidents.iter().map(|incident| incident.0)))
        .to_owned()
}

/// Loads the sequences of `incidents` on `topic`.
pub async fn load(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    incidents: &[IncidentId],
) -> Result<Sequences, StoreError> {
    let mut sequences = Sequences::new();
    if tx.get_database_backend() == DbBackend::Postgres {
        // One text for any number of incidents, so that it is parsed and planned once.
        let sql =
            format!("SELECT incident, last FROM {service}_sequence WHERE topic = $1 AND incident = ANY ($2)");
        let values = [topic.as_str().into(), uuids(incidents).into()];
        let select = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        for row in tx.query_all_raw(select).await.doing("loading sequences")? {
            sequences.insert(get_incident(&row, "incident")?, get(&row, "last")?);
        }
        return Ok(sequences);
    }
    for some in incidents.chunks(ROWS_PER_INSERT) {
        let select = select(service, &[topic], some);
        for row in tx.query_all(&select).await.doing("loading sequences")? {
            sequences.insert(get_incident(&row, "incident")?, get(&row, "last")?);
        }
    }
    Ok(sequences)
}

/// Saves the sequences that changed.
///
/// # Errors
/// [`StoreError::Overtaken`] when another turn has meanwhile made a row that was not there.
pub async fn save(tx: &Tx, service: &'static str, changes: &[Change]) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    if tx.get_database_backend() == DbBackend::Postgres {
        return save_on_postgres(tx, service, changes).await;
    }
    for some in changes.chunks(ROWS_PER_INSERT) {
        let mut insert = Query::insert()
            .into_table(table(service, "sequence"))
            .columns([iden("topic"), iden("incident"), iden("last")])
            .on_conflict(
                OnConflict::columns([iden("topic"), iden("incident")]).update_column(iden("last")).to_owned(),
            )
            .to_owned();
        for change in some {
            insert.values_panic([change.topic.as_str().into(), change.incident.0.into(), change.last.into()]);
        }
        tx.execute(&insert).await.doing("saving sequences")?;
    }
    Ok(())
}

/// Rows that were there are locked by this turn, and only change; new ones are written once, and must be new.
async fn save_on_postgres(tx: &Tx, service: &'static str, changes: &[Change]) -> Result<(), StoreError> {
    let insert = |of: &str| {
        format!(
            "INSERT INTO {service}_sequence (topic, incident, last) SELECT topic, incident, goes FROM {of}"
        )
    };
    let update = |of: &str| {
        format!(
            "UPDATE {service}_sequence AS kept SET last = changed.goes FROM {of} \
             WHERE kept.incident = changed.incident AND kept.topic = changed.topic"
        )
    };
    let changed = |with: &str| {
        format!("unnest($1::text[], $2::uuid[], $3::bigint[]{with}) AS changed (topic, incident, goes")
    };
    let (fresh, old) =
        (changes.iter().any(|change| change.fresh), changes.iter().any(|change| !change.fresh));
    let sql = match (fresh, old) {
        (true, false) => insert(&format!("{})", changed(""))),
        (false, _) => update(&format!("{})", changed(""))),
        (true, true) => format!(
            "WITH changed AS (SELECT * FROM {}, fresh)), moved AS ({} AND NOT changed.fresh) {} WHERE changed.fresh",
            changed(", $4::bool[]"),
            update("changed"),
            insert("changed")
        ),
    };
    let mut values = vec![
        changes.iter().map(|change| change.topic.as_str().to_owned()).collect::<Vec<String>>().into(),
        changes.iter().map(|change| change.incident.0).collect::<Vec<Uuid>>().into(),
        changes.iter().map(|change| change.last).collect::<Vec<i64>>().into(),
    ];
    if fresh && old {
        values.push(changes.iter().map(|change| change.fresh).collect::<Vec<bool>>().into());
    }
    let save = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    match tx.execute_raw(save).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            let topic = changes.first().map_or("", |change| change.topic.as_str());
            Err(StoreError::Overtaken { service, topic })
        }
        Err(error) => Err(error).doing("saving sequences"),
    }
}
