//! The log of the embedded setting: table `log`, one row a fact, in the same file as everything else.
//!
//! Ids are drawn by the one writer, so they are in the order of commits. Nothing is ever trimmed.

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use domain::id::IncidentId;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, QueryResult};

use super::{Doing, ROWS_PER_INSERT, StoreError, Tx, get, get_incident, get_time, iden};
use crate::stream::{Fact, Opens, Record, Source};

const COLUMNS: [&str; 9] =
    ["id", "topic", "incident", "sequence", "kind", "at", "noticed_at", "cause", "body"];

/// Appends `facts`, in order.
pub async fn append(tx: &Tx, facts: &[Fact]) -> Result<(), StoreError> {
    for some in facts.chunks(ROWS_PER_INSERT) {
        let mut insert = Query::insert()
            .into_table(iden("log"))
            .columns(COLUMNS[1..].iter().copied().map(iden))
            .to_owned();
        for fact in some {
            insert.values_panic([
                fact.topic.as_str().into(),
                fact.incident.0.into(),
                fact.sequence.into(),
                fact.kind.as_str().into(),
                fact.at.into(),
                fact.noticed_at.into(),
                fact.cause.as_str().into(),
                fact.body.as_str().into(),
            ]);
        }
        tx.execute(&insert).await.doing("appending to the log")?;
    }
    Ok(())
}

/// Up to `limit` records of `source` after position `after`, in order; bodies only as far as `opens` says.
pub async fn read<C: ConnectionTrait>(
    connection: &C,
    source: Source,
    after: i64,
    limit: u64,
    opens: Opens,
) -> Result<Vec<Record>, StoreError> {
    let mut select = Query::select()
        .columns(COLUMNS[..8].iter().copied().map(iden))
        .from(iden("log"))
        .and_where(Expr::col(iden("topic")).eq(source.topic.as_str()))
        .and_where(Expr::col(iden("id")).gt(after))
        .order_by(iden("id"), Order::Asc)
        .limit(limit)
        .to_owned();
    match opens {
        Opens::All => select.column(iden("body")),
        Opens::Only(kinds) => {
            let opened = Expr::col(iden("kind")).is_in(kinds.iter().copied());
            select.expr_as(Expr::case(opened, Expr::col(iden("body"))).finally(""), iden("body"))
        }
    };
    let rows = connection.query_all(&select).await.doing("reading the log")?;
    rows.iter().map(|row| record(row, source.topic)).collect()
}

pub(crate) fn record(row: &QueryResult, topic: Topic) -> Result<Record, StoreError> {
    Ok(Record {
        source: Source::only(topic),
        position: get(row, "id")?,
        incident: get_incident(row, "incident")?,
        sequence: get(row, "sequence")?,
        kind: get(row, "kind")?,
        at: get_time(row, "at")?,
        noticed_at: get_time(row, "noticed_at")?,
        cause: get(row, "cause")?,
        body: get(row, "body")?,
    })
}

/// The id of the last record of `topic`, 0 when there is none.
pub async fn end<C: ConnectionTrait>(connection: &C, topic: Topic) -> Result<i64, StoreError> {
    let select = Query::select()
        .expr_as(Expr::col(iden("id")).max(), iden("end"))
        .from(iden("log"))
        .and_where(Expr::col(iden("topic")).eq(topic.as_str()))
        .to_owned();
    let row = connection.query_one(&select).await.doing("finding the end of the log")?;
    match row {
        Some(row) => Ok(get::<Option<i64>>(&row, "end")?.unwrap_or(0)),
        None => Ok(0),
    }
}

/// When the last record was noticed; nothing in an empty log.
pub async fn last_at<C: ConnectionTrait>(connection: &C) -> Result<Option<DateTime<Utc>>, StoreError> {
    let select = Query::select()
        .column(iden("noticed_at"))
        .from(iden("log"))
        .order_by(iden("id"), Order::Desc)
        .limit(1)
        .to_owned();
    let row = connection.query_one(&select).await.doing("looking at the last record of the log")?;
    row.map(|row| get_time(&row, "noticed_at")).transpose()
}

/// The id of the log itself, made when the file was; a position names it.
pub async fn identity<C: ConnectionTrait>(connection: &C) -> Result<String, StoreError> {
    let select = Query::select().column(iden("topic_id")).from(iden("log_identity")).to_owned();
    let row = connection.query_one(&select).await.doing("reading the identity of the log")?;
    match row {
        Some(row) => get(&row, "topic_id"),
        None => Err(StoreError::Inconsistent {
            table: "log_identity",
            id: String::new(),
            why: "it is empty: run `gridward migrate` on this folder".to_owned(),
        }),
    }
}

/// Writes the identity of a new log; an existing one is kept.
pub async fn identify(tx: &Tx, topic_id: &str) -> Result<(), StoreError> {
    let select = Query::select().column(iden("topic_id")).from(iden("log_identity")).to_owned();
    if tx.query_one(&select).await.doing("reading the identity of the log")?.is_some() {
        return Ok(());
    }
    let insert = Query::insert()
        .into_table(iden("log_identity"))
        .columns([iden("topic_id")])
        .values_panic([topic_id.into()])
        .to_owned();
    tx.execute(&insert).await.doing("writing the identity of the log")?;
    Ok(())
}

/// Every record of every topic between two ids, for tests that replay a slice of the log.
pub async fn slice<C: ConnectionTrait>(
    connection: &C,
    from: i64,
    to: i64,
) -> Result<Vec<Record>, StoreError> {
    let select = Query::select()
        .columns(COLUMNS.map(iden))
        .from(iden("log"))
        .and_where(Expr::col(iden("id")).between(from, to))
        .order_by(iden("id"), Order::Asc)
        .to_owned();
    let rows = connection.query_all(&select).await.doing("reading a slice of the log")?;
    rows.iter()
        .map(|row| {
            let topic: String = get(row, "topic")?;
            let topic =
                topic.parse().map_err(|why| StoreError::Inconsistent { table: "log", id: topic, why })?;
            record(row, topic)
        })
        .collect()
}

/// A fact's key in words: `handled/0197…/3`.
pub fn name(topic: Topic, incident: IncidentId, sequence: i64) -> String {
    format!("{topic}/{incident}/{sequence}")
}
