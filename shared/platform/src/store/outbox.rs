//! Facts on their way to Kafka: table `SERVICE_outbox`, written in the turn that brought them about.
//!
//! A relay sends the rows that are not published yet, in id order. Never "ids above a mark": an id is drawn
//! before its turn commits, so a lower one may appear later. Facts of one incident are drawn under its lock, so
//! their ids are in the order of their sequences. Published rows are kept for days: a broker's acknowledgement is
//! not yet on its disk, and what it lost is sent again from here.

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use super::{Doing, StoreError, Tx, get, get_incident, get_time, iden, table};
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
    insert(tx, service, facts, false).await
}

/// Appends facts that are on their topic already.
pub async fn append_published(tx: &Tx, service: &'static str, facts: &[Fact]) -> Result<(), StoreError> {
    insert(tx, service, facts, true).await
}

/// One statement of one text for any number of facts, so that it is parsed and planned once.
async fn insert(tx: &Tx, service: &'static str, facts: &[Fact], published: bool) -> Result<(), StoreError> {
    if facts.is_empty() {
        return Ok(());
    }
    if tx.get_database_backend() != DbBackend::Postgres {
        return insert_plainly(tx, service, facts, published).await;
    }
    let published_at = if published { "clock_timestamp()" } else { "NULL" };
    // `unnest` keeps the order: ids are drawn in the order of the facts.
    let insert = format!(
        "INSERT INTO {service}_outbox (topic, incident, sequence, kind, at, noticed_at, cause, body, published_at) \
         SELECT facts.*, {published_at} FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], \
         $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[]) AS facts"
    );
    let texts = |of: fn(&Fact) -> &str| -> Value {
        facts.iter().map(|fact| of(fact).to_owned()).collect::<Vec<String>>().into()
    };
    let times = |of: fn(&Fact) -> DateTime<Utc>| -> Value { facts.iter().map(of).collect::<Vec<_>>().into() };
    let values = [
        texts(|fact| fact.topic.as_str()),
        facts.iter().map(|fact| fact.incident.0).collect::<Vec<_>>().into(),
        facts.iter().map(|fact| fact.sequence).collect::<Vec<_>>().into(),
        texts(|fact| &fact.kind),
        times(|fact| fact.at),
        times(|fact| fact.noticed_at),
        texts(|fact| &fact.cause),
        texts(|fact| &fact.body),
    ];
    let insert = Statement::from_sql_and_values(DbBackend::Postgres, insert, values);
    tx.execute_raw(insert).await.doing("appending to the outbox")?;
    Ok(())
}

/// Where the database has no arrays.
async fn insert_plainly(
    tx: &Tx,
    service: &'static str,
    facts: &[Fact],
    published: bool,
) -> Result<(), StoreError> {
    let columns = COLUMNS.into_iter().chain(["published_at"]).map(iden);
    let mut insert = Query::insert().into_table(table(service, "outbox")).columns(columns).to_owned();
    for fact in facts {
        insert.values_panic([
            fact.topic.as_str().into(),
            fact.incident.0.into(),
            fact.sequence.into(),
            fact.kind.as_str().into(),
            fact.at.into(),
            fact.noticed_at.into(),
            fact.cause.as_str().into(),
            fact.body.as_str().into(),
            published.then_some(fact.noticed_at).into(),
        ]);
    }
    tx.execute(&insert).await.doing("appending to the outbox")?;
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
    let now = match connection.get_database_backend() {
        DbBackend::Postgres => "clock_timestamp()",
        _ => "noticed_at",
    };
    mark(connection, service, ids, now).await
}

/// Has facts sent again that a broker lost.
pub async fn send_again<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    ids: &[i64],
) -> Result<(), StoreError> {
    mark(connection, service, ids, "NULL").await
}

async fn mark<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    ids: &[i64],
    published_at: &str,
) -> Result<(), StoreError> {
    let update = format!("UPDATE {service}_outbox SET published_at = {published_at} WHERE");
    let update = match connection.get_database_backend() {
        DbBackend::Postgres => {
            let values = [ids.to_vec().into()];
            Statement::from_sql_and_values(DbBackend::Postgres, format!("{update} id = ANY ($1)"), values)
        }
        backend => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            Statement::from_string(backend, format!("{update} id IN ({})", ids.join(", ")))
        }
    };
    connection.execute_raw(update).await.doing("marking facts of the outbox")?;
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
