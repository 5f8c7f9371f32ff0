//! Which pack a service ran on, by digest: table `SERVICE_pack`.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};

use super::{Doing, StoreError, Tx, get, iden, table};

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

/// Notes that the service runs on the pack of this digest, from `loaded_at` if it is new.
pub async fn note(
    tx: &Tx,
    service: &'static str,
    code: &str,
    digest: &str,
    loaded_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let insert = Query::insert()
        .into_table(table(service, "pack"))
        .columns([iden("code"), iden("digest"), iden("loaded_at")])
        .values_panic([code.into(), digest.into(), loaded_at.into()])
        .on_conflict(OnConflict::column(iden("digest")).do_nothing().to_owned())
        .to_owned();
    tx.execute(&insert).await.doing("noting the pack")?;
    Ok(())
}
