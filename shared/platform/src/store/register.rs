//! The register of packs in the embedded setting: table `pack_record`, the latest record of each key. On servers it is
//! a topic.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};

use super::{Doing, StoreError, Tx, get, iden};
use crate::register::Record;

/// The number of the last record; each has a higher one than all before it.
pub async fn last<C: ConnectionTrait>(connection: &C) -> Result<Option<i64>, StoreError> {
    let select = Query::select()
        .expr_as(Expr::col(iden("id")).max(), iden("last"))
        .from(iden("pack_record"))
        .to_owned();
    let row = connection.query_one(&select).await.doing("looking at the register of packs")?;
    match row {
        Some(row) => get(&row, "last"),
        None => Ok(None),
    }
}

/// Every record, in the order they were written.
pub async fn all<C: ConnectionTrait>(connection: &C) -> Result<Vec<Record>, StoreError> {
    let select = Query::select()
        .columns(["key", "value"].map(iden))
        .from(iden("pack_record"))
        .order_by(iden("id"), Order::Asc)
        .to_owned();
    let rows = connection.query_all(&select).await.doing("reading the register of packs")?;
    rows.iter().map(|row| Ok(Record { key: get(row, "key")?, value: get(row, "value")? })).collect()
}

/// The keys of all records.
pub async fn keys(tx: &Tx) -> Result<BTreeSet<String>, StoreError> {
    let select = Query::select().column(iden("key")).from(iden("pack_record")).to_owned();
    let rows = tx.query_all(&select).await.doing("reading the register of packs")?;
    rows.iter().map(|row| get(row, "key")).collect()
}

/// Writes `records`, each in place of the one of its key.
pub async fn write(tx: &Tx, records: &[Record]) -> Result<(), StoreError> {
    for Record { key, value } in records {
        let delete = Query::delete()
            .from_table(iden("pack_record"))
            .and_where(Expr::col(iden("key")).eq(key.as_str()))
            .to_owned();
        tx.execute(&delete).await.doing("writing to the register of packs")?;
        if value.is_empty() {
            continue;
        }
        let insert = Query::insert()
            .into_table(iden("pack_record"))
            .columns(["key", "value"].map(iden))
            .values_panic([key.as_str().into(), value.clone().into()])
            .to_owned();
        tx.execute(&insert).await.doing("writing to the register of packs")?;
    }
    Ok(())
}
