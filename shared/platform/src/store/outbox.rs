//! Facts on their way to Kafka: table `SERVICE_outbox`, written in the turn that brought them about.
//!
//! A relay sends the rows that are not published yet, in id order. Never "ids above a mark": an id is drawn
//! before its turn commits, so a lower one may appear later. Facts of one incident are drawn under its lock, so
//! their ids are in the order of their sequences. Published rows are kept for days: a broker's acknowledgement is
//! not yet on its disk, and what it lost is sent again from here.

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query};
use sea_orm::{ConnectionTrait, QueryResult};

use super::{Doing, ROWS_PER_INSERT, StoreError, Tx, get, get_incident, get_time, iden, table};
use crate::stream::Fact;

const COLUMNS: [&str; 8] = ["topic", "incident", "sequence", "kind", "at", "noticed_at", "cause", "body"];

/// A fact that waits to be published.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub id: i64,
    pub fact: Fact,
}

/// Appends `facts`, in order.
pub async fn append(tx: &Tx, service: &'static str, facts: &[Fact]) -> Result<(), StoreError> {
    for some in facts.chunks(ROWS_PER_INSERT) {
        let mut insert =
            Query::insert().into_table(table(service, "outbox")).columns(COLUMNS.map(iden)).to_owned();
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
        tx.execute(&insert).await.doing("appending to the outbox")?;
    }
    Ok(())
}

/// The first `limit` rows that are not published, in id order.
pub async fn waiting<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    limit: u64,
) -> Result<Vec<Waiting>, StoreError> {
    let select = Query::select()
        .column(iden("id"))
        .columns(COLUMNS.map(iden))
        .from(table(service, "outbox"))
        .and_where(Expr::col(iden("published_at")).is_null())
        .order_by(iden("id"), Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = connection.query_all(&select).await.doing("reading the outbox")?;
    rows.iter().map(|row| Ok(Waiting { id: get(row, "id")?, fact: fact(row)? })).collect()
}

/// Marks rows as published, by the database's clock.
pub async fn published<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    ids: &[i64],
) -> Result<(), StoreError> {
    for some in ids.chunks(ROWS_PER_INSERT) {
        let update = Query::update()
            .table(table(service, "outbox"))
            .value(iden("published_at"), Func::cust(iden("clock_timestamp")))
            .and_where(Expr::col(iden("id")).is_in(some.iter().copied()))
            .to_owned();
        connection.execute(&update).await.doing("marking facts as published")?;
    }
    Ok(())
}

/// Has facts sent again that a broker lost.
pub async fn send_again<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    ids: &[i64],
) -> Result<(), StoreError> {
    for some in ids.chunks(ROWS_PER_INSERT) {
        let update = Query::update()
            .table(table(service, "outbox"))
            .value(iden("published_at"), Option::<DateTime<Utc>>::None)
            .and_where(Expr::col(iden("id")).is_in(some.iter().copied()))
            .to_owned();
        connection.execute(&update).await.doing("having facts sent again")?;
    }
    Ok(())
}

/// Forgets what was published before `before`; answers how many rows that were.
pub async fn forget<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let delete = Query::delete()
        .from_table(table(service, "outbox"))
        .and_where(Expr::col(iden("published_at")).lt(before))
        .to_owned();
    Ok(connection.execute(&delete).await.doing("forgetting what was published long ago")?.rows_affected())
}

fn fact(row: &QueryResult) -> Result<Fact, StoreError> {
    let topic: String = get(row, "topic")?;
    let topic: Topic =
        topic.parse().map_err(|why| StoreError::Inconsistent { table: "outbox", id: topic.clone(), why })?;
    Ok(Fact {
        topic,
        incident: get_incident(row, "incident")?,
        sequence: get(row, "sequence")?,
        kind: get(row, "kind")?,
        at: get_time(row, "at")?,
        noticed_at: get_time(row, "noticed_at")?,
        cause: get(row, "cause")?,
        body: get(row, "body")?,
    })
}
