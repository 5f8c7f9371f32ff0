//! Per incident: the sequence last drawn on the service's own topic, and the one last taken from each
//! topic it reads. Table `SERVICE_sequence (topic, incident) → last`.

use std::collections::BTreeMap;

use domain::facts::Topic;
use domain::id::IncidentId;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use super::{Doing, ROWS_PER_INSERT, StoreError, Tx, get, get_incident, iden, table};

/// The sequences of some incidents on one topic.
pub type Sequences = BTreeMap<IncidentId, i64>;

/// Loads the sequences of `incidents` (sorted) on the service's own topic, and locks their rows where the
/// database locks rows, so that no other turn decides about them meanwhile. A row that is not there yet is
/// made, for there has to be something to lock; it goes with the turn if that is rolled back.
pub async fn lock(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    incidents: &[IncidentId],
) -> Result<Sequences, StoreError> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return load(tx, service, topic, incidents).await;
    }
    // What is made here is ours until the turn ends, as what is locked is. All is made before any is locked, and
    // both in id order, as everybody does it: two turns never wait for each other.
    let make = format!(
        "INSERT INTO {service}_sequence (topic, incident, last) SELECT $1, incident, 0 \
         FROM unnest($2::uuid[]) AS asked (incident) ON CONFLICT (incident, topic) DO NOTHING RETURNING incident"
    );
    let mut sequences = Sequences::new();
    for row in tx.query_all_raw(asked(&make, topic, incidents)).await.doing("making rows to lock")? {
        sequences.insert(get_incident(&row, "incident")?, 0);
    }
    let there: Vec<IncidentId> =
        incidents.iter().copied().filter(|incident| !sequences.contains_key(incident)).collect();
    if there.is_empty() {
        return Ok(sequences);
    }
    let lock = format!("{} ORDER BY incident FOR UPDATE", select_on_postgres(service));
    for row in tx.query_all_raw(asked(&lock, topic, &there)).await.doing("locking incidents")? {
        sequences.insert(get_incident(&row, "incident")?, get(&row, "last")?);
    }
    Ok(sequences)
}

/// One text for any number of incidents, so that it is parsed and planned once.
fn select_on_postgres(service: &'static str) -> String {
    format!("SELECT incident, last FROM {service}_sequence WHERE topic = $1 AND incident = ANY ($2)")
}

/// A statement on PostgreSQL about `incidents` on `topic`.
fn asked(sql: &str, topic: Topic, incidents: &[IncidentId]) -> Statement {
    let incidents: Vec<Uuid> = incidents.iter().map(|incident| incident.0).collect();
    Statement::from_sql_and_values(DbBackend::Postgres, sql, [topic.as_str().into(), incidents.into()])
}

fn select(service: &'static str, topic: Topic, incidents: &[IncidentId]) -> SelectStatement {
    Query::select()
        .columns([iden("incident"), iden("last")])
        .from(table(service, "sequence"))
        .and_where(Expr::col(iden("topic")).eq(topic.as_str()))
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
        let select = asked(&select_on_postgres(service), topic, incidents);
        for row in tx.query_all_raw(select).await.doing("loading sequences")? {
            sequences.insert(get_incident(&row, "incident")?, get(&row, "last")?);
        }
        return Ok(sequences);
    }
    for some in incidents.chunks(ROWS_PER_INSERT) {
        let select = select(service, topic, some);
        for row in tx.query_all(&select).await.doing("loading sequences")? {
            sequences.insert(get_incident(&row, "incident")?, get(&row, "last")?);
        }
    }
    Ok(sequences)
}

/// Saves the sequences that changed.
pub async fn save(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    sequences: &Sequences,
) -> Result<(), StoreError> {
    if sequences.is_empty() {
        return Ok(());
    }
    if tx.get_database_backend() == DbBackend::Postgres {
        let save = format!(
            "INSERT INTO {service}_sequence (topic, incident, last) SELECT $1, incident, last \
             FROM unnest($2::uuid[], $3::bigint[]) AS drawn (incident, last) \
             ON CONFLICT (incident, topic) DO UPDATE SET last = excluded.last"
        );
        let incidents: Vec<Uuid> = sequences.keys().map(|incident| incident.0).collect();
        let last: Vec<i64> = sequences.values().copied().collect();
        let values = [topic.as_str().into(), incidents.into(), last.into()];
        let save = Statement::from_sql_and_values(DbBackend::Postgres, save, values);
        tx.execute_raw(save).await.doing("saving sequences")?;
        return Ok(());
    }
    let rows: Vec<_> = sequences.iter().collect();
    for some in rows.chunks(ROWS_PER_INSERT) {
        let mut insert = Query::insert()
            .into_table(table(service, "sequence"))
            .columns([iden("topic"), iden("incident"), iden("last")])
            .on_conflict(
                OnConflict::columns([iden("topic"), iden("incident")]).update_column(iden("last")).to_owned(),
            )
            .to_owned();
        for (incident, last) in some {
            insert.values_panic([topic.as_str().into(), incident.0.into(), (**last).into()]);
        }
        tx.execute(&insert).await.doing("saving sequences")?;
    }
    Ok(())
}
