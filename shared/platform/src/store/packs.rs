//! Which pack a service ran on, by digest: table `SERVICE_pack`.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{OnConflict, Query};

use super::{Doing, StoreError, Tx, iden, table};

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
