//! Facts that wait: behind a gap in their incident's sequence, or behind a dead letter. Table
//! `SERVICE_parked`, by (topic, incident, sequence).

use std::collections::BTreeMap;

use domain::facts::Topic;
use domain::id::IncidentId;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, QueryResult};

use super::{Doing, StoreError, Tx, get, get_incident, get_time, iden, table};
use crate::stream::{Record, Source};

pub(super) const COLUMNS: [&str; 10] =
    ["topic", "partition", "position", "incident", "sequence", "kind", "at", "noticed_at", "cause", "body"];

/// What waits, by incident and sequence.
pub type Parked = BTreeMap<IncidentId, BTreeMap<i64, Record>>;

/// What waits on `topic` for any of `incidents`.
pub async fn load(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    incidents: &[IncidentId],
) -> Result<Parked, StoreError> {
    let mut parked = Parked::new();
    for some in incidents.chunks(super::ROWS_PER_INSERT) {
        let select = Query::select()
            .columns(COLUMNS.map(iden))
            .from(table(service, "parked"))
            .and_where(Expr::col(iden("topic")).eq(topic.as_str()))
            .and_where(Expr::col(iden("incident")).is_in(some.iter().map(|incident| incident.0)))
            .to_owned();
        for row in tx.query_all(&select).await.doing("loading parked facts")? {
            let record = record(&row, topic)?;
            parked.entry(record.incident).or_default().insert(record.sequence, record);
        }
    }
    Ok(parked)
}

/// Parks `record`. Parking it twice keeps one.
pub async fn park(tx: &Tx, service: &'static str, record: &Record) -> Result<(), StoreError> {
    let insert = Query::insert()
        .into_table(table(service, "parked"))
        .columns(COLUMNS.map(iden))
        .values_panic(values(record))
        .on_conflict(
            OnConflict::columns([iden("topic"), iden("incident"), iden("sequence")]).do_nothing().to_owned(),
        )
        .to_owned();
    tx.execute(&insert).await.doing("parking a fact")?;
    Ok(())
}

/// Frees what was taken.
pub async fn free(tx: &Tx, service: &'static str, record: &Record) -> Result<(), StoreError> {
    let delete = Query::delete()
        .from_table(table(service, "parked"))
        .and_where(Expr::col(iden("topic")).eq(record.source.topic.as_str()))
        .and_where(Expr::col(iden("incident")).eq(record.incident.0))
        .and_where(Expr::col(iden("sequence")).eq(record.sequence))
        .to_owned();
    tx.execute(&delete).await.doing("freeing a parked fact")?;
    Ok(())
}

pub(super) fn values(record: &Record) -> [Expr; 10] {
    [
        record.source.topic.as_str().into(),
        record.source.partition.into(),
        record.position.into(),
        record.incident.0.into(),
        record.sequence.into(),
        record.kind.as_str().into(),
        record.at.into(),
        record.noticed_at.into(),
        record.cause.as_str().into(),
        record.body.as_str().into(),
    ]
}

pub(super) fn record(row: &QueryResult, topic: Topic) -> Result<Record, StoreError> {
    Ok(Record {
        source: Source { topic, partition: get(row, "partition")? },
        position: get(row, "position")?,
        incident: get_incident(row, "incident")?,
        sequence: get(row, "sequence")?,
        kind: get(row, "kind")?,
        at: get_time(row, "at")?,
        noticed_at: get_time(row, "noticed_at")?,
        cause: get(row, "cause")?,
        body: get(row, "body")?,
    })
}
