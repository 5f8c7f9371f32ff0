//! Facts that could not be decided, kept with their cause until somebody has mended it and retries.
//! Table `SERVICE_dead_letter`, by (topic, incident, sequence).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use domain::id::IncidentId;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Order, Query};
use sea_orm::{ConnectionTrait, QueryResult, Statement};

use super::parked::{COLUMNS, record, values};
use super::{Doing, StoreError, Tx, get, get_incident, get_time, iden, table};
use crate::stream::Record;

/// One fact set aside.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    pub service: &'static str,
    pub record: Record,
    pub reason: String,
    pub dead_at: DateTime<Utc>,
    /// Somebody asked that it be tried again, or it waits for what is not known here yet.
    pub retry_asked: bool,
}

/// Sets `record` aside, or renews the reason if it was already; `waits`: it is to be tried again by itself.
pub async fn keep(
    tx: &Tx,
    service: &'static str,
    record: &Record,
    reason: &str,
    dead_at: DateTime<Utc>,
    waits: bool,
) -> Result<(), StoreError> {
    let more = [iden("reason"), iden("dead_at"), iden("retry_asked")];
    let values = values(record).into_iter().chain([reason.into(), dead_at.into(), waits.into()]);
    let insert = Query::insert()
        .into_table(table(service, "dead_letter"))
        .columns(COLUMNS.map(iden).into_iter().chain(more.clone()))
        .values_panic(values)
        .on_conflict(
            OnConflict::columns([iden("topic"), iden("incident"), iden("sequence")])
                .update_columns(more)
                .to_owned(),
        )
        .to_owned();
    tx.execute(&insert).await.doing("keeping a dead letter")?;
    Ok(())
}

/// The dead letter was decided after all.
pub async fn resolve(tx: &Tx, service: &'static str, record: &Record) -> Result<(), StoreError> {
    let delete = Query::delete()
        .from_table(table(service, "dead_letter"))
        .and_where(Expr::col(iden("topic")).eq(record.source.topic.as_str()))
        .and_where(Expr::col(iden("incident")).eq(record.incident.0))
        .and_where(Expr::col(iden("sequence")).eq(record.sequence))
        .to_owned();
    tx.execute(&delete).await.doing("resolving a dead letter")?;
    Ok(())
}

/// Which facts on `topic` about any of `incidents` are dead letters, by incident and sequence.
pub async fn among(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    incidents: &[IncidentId],
) -> Result<BTreeSet<(IncidentId, i64)>, StoreError> {
    let mut among = BTreeSet::new();
    for some in incidents.chunks(super::ROWS_PER_INSERT) {
        let select = Query::select()
            .columns([iden("incident"), iden("sequence")])
            .from(table(service, "dead_letter"))
            .and_where(Expr::col(iden("topic")).eq(topic.as_str()))
            .and_where(Expr::col(iden("incident")).is_in(some.iter().map(|incident| incident.0)))
            .to_owned();
        for row in tx.query_all(&select).await.doing("looking for dead letters")? {
            among.insert((get_incident(&row, "incident")?, get(&row, "sequence")?));
        }
    }
    Ok(among)
}

/// Whether the service has set any fact aside, as a dead letter or parked behind a missing one.
pub async fn any_aside<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM {service}_dead_letter) OR EXISTS (SELECT 1 FROM {service}_parked) \
         THEN 1 ELSE 0 END AS aside"
    );
    let select = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(select).await.doing("looking for facts set aside")?;
    row.map_or(Ok(false), |row| Ok(get::<i32>(&row, "aside")? == 1))
}

/// All dead letters of a service, oldest first.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
) -> Result<Vec<DeadLetter>, StoreError> {
    let select = select(service)
        .order_by(iden("dead_at"), Order::Asc)
        .order_by(iden("position"), Order::Asc)
        .to_owned();
    let rows = connection.query_all(&select).await.doing("listing dead letters")?;
    rows.iter().map(|row| letter(service, row)).collect()
}

/// Those that somebody asked to try again.
pub async fn asked<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
) -> Result<Vec<DeadLetter>, StoreError> {
    let select = select(service)
        .and_where(Expr::col(iden("retry_asked")).eq(true))
        .order_by(iden("position"), Order::Asc)
        .to_owned();
    let rows = connection.query_all(&select).await.doing("listing dead letters to retry")?;
    rows.iter().map(|row| letter(service, row)).collect()
}

/// Asks that the dead letter be tried again; the service does it, now or when it next runs.
/// Answers whether there is such a letter.
pub async fn ask_retry<C: ConnectionTrait>(connection: &C, letter: &DeadLetter) -> Result<bool, StoreError> {
    let update = Query::update()
        .table(table(letter.service, "dead_letter"))
        .value(iden("retry_asked"), true)
        .and_where(Expr::col(iden("topic")).eq(letter.record.source.topic.as_str()))
        .and_where(Expr::col(iden("incident")).eq(letter.record.incident.0))
        .and_where(Expr::col(iden("sequence")).eq(letter.record.sequence))
        .to_owned();
    Ok(connection.execute(&update).await.doing("asking for a retry")?.rows_affected() == 1)
}

/// Asks that every dead letter of the service be tried again; answers how many there are.
pub async fn ask_retry_of_all<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
) -> Result<u64, StoreError> {
    let update =
        Query::update().table(table(service, "dead_letter")).value(iden("retry_asked"), true).to_owned();
    Ok(connection.execute(&update).await.doing("asking for retries")?.rows_affected())
}

fn select(service: &'static str) -> sea_orm::sea_query::SelectStatement {
    let columns = COLUMNS.map(iden).into_iter().chain([iden("reason"), iden("dead_at"), iden("retry_asked")]);
    Query::select().columns(columns).from(table(service, "dead_letter")).to_owned()
}

fn letter(service: &'static str, row: &QueryResult) -> Result<DeadLetter, StoreError> {
    let topic: String = get(row, "topic")?;
    let topic: Topic = topic.parse().map_err(|why| StoreError::Inconsistent {
        table: "dead_letter",
        id: topic.clone(),
        why,
    })?;
    Ok(DeadLetter {
        service,
        record: record(row, topic)?,
        reason: get(row, "reason")?,
        dead_at: get_time(row, "dead_at")?,
        retry_asked: get(row, "retry_asked")?,
    })
}
