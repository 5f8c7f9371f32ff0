//! Which packs a service ran on, by digest: table `SERVICE_pack`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, QueryResult};

use super::{Doing, StoreError, Tx, get, get_time, iden, table};

/// A version of a pack as a service ran on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RanOn {
    pub digest: String,
    /// `None`: it lay in a folder.
    pub published_at: Option<DateTime<Utc>>,
    /// From when on, the last time.
    pub loaded_at: DateTime<Utc>,
}

/// The code of a pack other than `code` that the service ran on here, if it ever did.
pub async fn other(tx: &Tx, service: &'static str, code: &str) -> Result<Option<String>, StoreError> {
    let select = Query::select()
        .column(iden("code"))
        .from(table(service, "pack"))
        .and_where(Expr::col(iden("code")).ne(code))
        .limit(1)
        .to_owned();
    let row = tx.query_one(&select).await.doing("looking which pack was loaded before")?;
    row.map(|row| get(&row, "code")).transpose()
}

/// The code of the packs the service ran on here, if it ever ran.
pub async fn code<C: ConnectionTrait>(on: &C, service: &'static str) -> Result<Option<String>, StoreError> {
    let select = Query::select().column(iden("code")).from(table(service, "pack")).limit(1).to_owned();
    let row = on.query_one(&select).await.doing("looking which pack was loaded before")?;
    row.map(|row| get(&row, "code")).transpose()
}

/// The version the service ran on last.
pub async fn last<C: ConnectionTrait>(on: &C, service: &'static str) -> Result<Option<RanOn>, StoreError> {
    // On a clock that somebody drives several may have been loaded at one time.
    let select = versions(service)
        .order_by(iden("loaded_at"), Order::Desc)
        .order_by_expr(Expr::col(iden("published_at")).is_null(), Order::Asc)
        .order_by(iden("published_at"), Order::Desc)
        .limit(1)
        .to_owned();
    let row = on.query_one(&select).await.doing("looking which pack was loaded last")?;
    row.map(|row| ran_on(&row)).transpose()
}

/// When the newest version was published that the service ever ran on, if one was.
pub async fn newest<C: ConnectionTrait>(
    on: &C,
    service: &'static str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let select = versions(service)
        .and_where(Expr::col(iden("published_at")).is_not_null())
        .order_by(iden("published_at"), Order::Desc)
        .limit(1)
        .to_owned();
    let row = on.query_one(&select).await.doing("looking which packs were loaded")?;
    Ok(row.map(|row| ran_on(&row)).transpose()?.and_then(|ran_on| ran_on.published_at))
}

/// Notes that the service runs on the pack of this digest, from `loaded_at` if it did not run on it last.
pub async fn note(tx: &Tx, service: &'static str, code: &str, ran_on: &RanOn) -> Result<(), StoreError> {
    let last = last(tx, service).await?;
    if last.is_some_and(|last| (&last.digest, last.published_at) == (&ran_on.digest, ran_on.published_at)) {
        return Ok(());
    }
    let insert = Query::insert()
        .into_table(table(service, "pack"))
        .columns(["code", "digest", "published_at", "loaded_at"].map(iden))
        .values_panic([
            code.into(),
            ran_on.digest.as_str().into(),
            ran_on.published_at.into(),
            ran_on.loaded_at.into(),
        ])
        .on_conflict(
            OnConflict::column(iden("digest"))
                .update_columns(["published_at", "loaded_at"].map(iden))
                .to_owned(),
        )
        .to_owned();
    tx.execute(&insert).await.doing("noting the pack")?;
    Ok(())
}

fn versions(service: &'static str) -> SelectStatement {
    Query::select()
        .columns(["digest", "published_at", "loaded_at"].map(iden))
        .from(table(service, "pack"))
        .to_owned()
}

fn ran_on(row: &QueryResult) -> Result<RanOn, StoreError> {
    Ok(RanOn {
        digest: get(row, "digest")?,
        published_at: get::<Option<DateTime<Utc>>>(row, "published_at")?,
        loaded_at: get_time(row, "loaded_at")?,
    })
}
