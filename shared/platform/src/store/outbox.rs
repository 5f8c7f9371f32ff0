//! Facts on their way to Kafka: table `SERVICE_outbox`, written in the turn that brought them about.
//!
//! A relay sends the rows that are not published yet, in id order. Never "ids above a mark": an id is drawn
//! before its turn commits, so a lower one may appear later. Facts of one incident are drawn under its lock, so
//! their ids are in the order of their sequences. Published rows are kept for days: a broker's acknowledgement is
//! not yet on its disk, and what it lost is sent again from here.

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};

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
    insert(tx, service, facts, None).await
}

/// Appends facts that are on their topic already.
pub async fn append_published(tx: &Tx, service: &'static str, facts: &[Fact]) -> Result<(), StoreError> {
    insert(tx, service, facts, Some(Func::cust(iden("clock_timestamp")).into())).await
}

async fn insert(
    tx: &Tx,
    service: &'static str,
    facts: &[Fact],
    published_at: Option<Expr>,
) -> Result<(), StoreError> {
    for some in facts.chunks(ROWS_PER_INSERT) {
        let mut columns: Vec<_> = COLUMNS.map(iden).into();
        if published_at.is_some() {
            columns.push(iden("published_at"));
        }
        let mut insert = Query::insert().into_table(table(service, "outbox")).columns(columns).to_owned();
        for fact in some {
            let values: [Expr; 8] = [
                fact.topic.as_str().into(),
                fact.incident.0.into(),
                fact.sequence.into(),
                fact.kind.as_str().into(),
                fact.at.into(),
                fact.noticed_at.into(),
                fact.cause.as_str().into(),
                fact.body.as_str().into(),
            ];
            insert.values_panic(values.into_iter().chain(published_at.clone()));
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

/// Whether anything was ever published.
pub async fn any<C: ConnectionTrait>(connection: &C, service: &'static str) -> Result<bool, StoreError> {
    let select = Query::select().column(iden("id")).from(table(service, "outbox")).limit(1).to_owned();
    Ok(connection.query_one(&select).await.doing("looking into the outbox")?.is_some())
}

/// How many rows wait, and for how many seconds the oldest has, by the database's clock.
pub async fn backlog<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
) -> Result<(i64, f64), StoreError> {
    let sql = format!(
        "SELECT count(*) AS n, \
         CAST(coalesce(extract(epoch FROM clock_timestamp() - min(noticed_at)), 0) AS double precision) AS oldest \
         FROM {service}_outbox WHERE published_at IS NULL"
    );
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    match connection.query_one_raw(statement).await.doing("counting what waits in the outbox")? {
        Some(row) => Ok((get(&row, "n")?, get(&row, "oldest")?)),
        None => Ok((0, 0.0)),
    }
}

/// Marks rows as published, by the database's clock.
pub async fn published<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    ids: &[i64],
) -> Result<(), StoreError> {
    mark(connection, service, ids, Func::cust(iden("clock_timestamp")).into()).await
}

/// Has facts sent again that a broker lost.
pub async fn send_again<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    ids: &[i64],
) -> Result<(), StoreError> {
    mark(connection, service, ids, Option::<DateTime<Utc>>::None.into()).await
}

async fn mark<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    ids: &[i64],
    published_at: Expr,
) -> Result<(), StoreError> {
    for some in ids.chunks(ROWS_PER_INSERT) {
        let update = Query::update()
            .table(table(service, "outbox"))
            .value(iden("published_at"), published_at.clone())
            .and_where(Expr::col(iden("id")).is_in(some.iter().copied()))
            .to_owned();
        connection.execute(&update).await.doing("marking facts of the outbox")?;
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
