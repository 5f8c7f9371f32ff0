//! Where a service has read to, in its own database, moved in the same transaction as its effects by
//! compare-and-set. Table `SERVICE_position (topic, partition) → topic_id, position`.

use domain::facts::Topic;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Order, Query};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{Doing, StoreError, Tx, get, iden, table};
use crate::stream::Source;

/// The position a reader has: which log it means, and the last record it took from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub topic_id: String,
    /// 0 before the first record.
    pub after: i64,
}

/// Writes the first position of a service on `source`. One that another instance has just written stays.
pub async fn begin(
    tx: &Tx,
    service: &'static str,
    source: Source,
    position: &Position,
) -> Result<(), StoreError> {
    let insert = Query::insert()
        .into_table(table(service, "position"))
        .columns([iden("topic"), iden("partition"), iden("topic_id"), iden("position")])
        .values_panic([
            source.topic.as_str().into(),
            source.partition.into(),
            position.topic_id.as_str().into(),
            position.after.into(),
        ])
        .on_conflict(OnConflict::columns([iden("topic"), iden("partition")]).do_nothing().to_owned())
        .to_owned();
    tx.execute(&insert).await.doing("writing a first position")?;
    Ok(())
}

/// A partition on which a reader moves on.
#[derive(Clone, Copy, Debug)]
pub struct Move<'a> {
    pub partition: i32,
    pub from: &'a Position,
    pub to: i64,
}

/// Moves the positions on `topic` from where this reader left them: all, or none.
///
/// # Errors
/// [`StoreError::Overtaken`] when one was not there.
pub async fn move_on(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    moves: &[Move<'_>],
) -> Result<(), StoreError> {
    let moved = match tx.get_database_backend() {
        DbBackend::Postgres if moves.len() > 1 => move_many(tx, service, topic, moves).await?,
        _ => {
            let mut moved = 0;
            for one in moves {
                moved += move_one(tx, service, topic, one).await?;
            }
            moved
        }
    };
    if moved == moves.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::Overtaken { service, topic: topic.as_str() })
    }
}

async fn move_one(tx: &Tx, service: &'static str, topic: Topic, one: &Move<'_>) -> Result<u64, StoreError> {
    let update = Query::update()
        .table(table(service, "position"))
        .value(iden("position"), one.to)
        .and_where(Expr::col(iden("topic")).eq(topic.as_str()))
        .and_where(Expr::col(iden("partition")).eq(one.partition))
        .and_where(Expr::col(iden("topic_id")).eq(one.from.topic_id.as_str()))
        .and_where(Expr::col(iden("position")).eq(one.from.after))
        .to_owned();
    Ok(tx.execute(&update).await.doing("moving a position")?.rows_affected())
}

async fn move_many(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    moves: &[Move<'_>],
) -> Result<u64, StoreError> {
    let update = format!(
        "UPDATE {service}_position AS kept SET position = moved.goes FROM \
         unnest($2::int[], $3::text[], $4::bigint[], $5::bigint[]) AS moved (partition, topic_id, stood, goes) \
         WHERE kept.topic = $1 AND kept.partition = moved.partition AND kept.topic_id = moved.topic_id \
         AND kept.position = moved.stood"
    );
    let values = [
        topic.as_str().into(),
        moves.iter().map(|one| one.partition).collect::<Vec<i32>>().into(),
        moves.iter().map(|one| one.from.topic_id.clone()).collect::<Vec<String>>().into(),
        moves.iter().map(|one| one.from.after).collect::<Vec<i64>>().into(),
        moves.iter().map(|one| one.to).collect::<Vec<i64>>().into(),
    ];
    let update = Statement::from_sql_and_values(DbBackend::Postgres, update, values);
    Ok(tx.execute_raw(update).await.doing("moving positions")?.rows_affected())
}

/// Moves the positions on `topic` wherever they were: what a simulator breaks on purpose.
pub async fn put_all(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    moves: &[Move<'_>],
) -> Result<(), StoreError> {
    for one in moves {
        let to = Position { topic_id: one.from.topic_id.clone(), after: one.to };
        put(tx, service, Source { topic, partition: one.partition }, &to).await?;
    }
    Ok(())
}

/// Every position of a service, by source.
pub async fn all<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
) -> Result<Vec<(Source, Position)>, StoreError> {
    let select = Query::select()
        .columns(["topic", "partition", "topic_id", "position"].map(iden))
        .from(table(service, "position"))
        .order_by(iden("topic"), Order::Asc)
        .order_by(iden("partition"), Order::Asc)
        .to_owned();
    let rows = connection.query_all(&select).await.doing("loading positions")?;
    rows.iter()
        .map(|row| {
            let topic: String = get(row, "topic")?;
            let topic = topic.parse().map_err(|why| StoreError::Inconsistent {
                table: "position",
                id: topic.clone(),
                why,
            })?;
            let source = Source { topic, partition: get(row, "partition")? };
            Ok((source, Position { topic_id: get(row, "topic_id")?, after: get(row, "position")? }))
        })
        .collect()
}

/// Puts a position where somebody wants it, whatever it was. A reader that is at work is overtaken.
pub async fn put<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    source: Source,
    position: &Position,
) -> Result<(), StoreError> {
    let update = Query::update()
        .table(table(service, "position"))
        .value(iden("topic_id"), position.topic_id.as_str())
        .value(iden("position"), position.after)
        .and_where(Expr::col(iden("topic")).eq(source.topic.as_str()))
        .and_where(Expr::col(iden("partition")).eq(source.partition))
        .to_owned();
    connection.execute(&update).await.doing("putting a position")?;
    Ok(())
}
