//! Table `discover_form_link`: on which device a link to the report form was opened first. One row for each link that
//! was opened, and none of what cannot come any more.

use chrono::{DateTime, Utc};
use platform::link::{ACCEPTED_AFTER, Link};
use platform::store::{Doing, Store, StoreError, commit};
use sea_orm::ActiveValue::Set;
use sea_orm::ConnectionTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "discover_form_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub link: String,
    pub person: String,
    /// Of the device, by [`crate::link::digest`].
    pub device: String,
    pub bound_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The digest of the device a link is bound to, if it is to any.
pub async fn bound<C: ConnectionTrait>(connection: &C, link: &Link) -> Result<Option<String>, StoreError> {
    let row = Entity::find_by_id(link.id.clone()).one(connection).await.doing("looking up a form link")?;
    Ok(row.map(|row| row.device))
}

/// Binds a link to a device, unless it is to another already; answers the digest of the one it is bound to.
pub async fn bind(
    store: &Store,
    link: &Link,
    device: &str,
    now: DateTime<Utc>,
) -> Result<String, StoreError> {
    let tx = store.begin().await?;
    let row = ActiveModel {
        link: Set(link.id.clone()),
        person: Set(link.person.0.clone()),
        device: Set(device.to_owned()),
        bound_at: Set(now),
        expires_at: Set(link.expires_at),
    };
    let first = OnConflict::column(Column::Link).do_nothing().to_owned();
    let insert = Entity::insert_many([row]).on_conflict(first).exec_without_returning(&tx);
    insert.await.doing("binding a form link")?;
    let bound = bound(&tx, link).await?;
    commit(tx, "binding a form link").await?;
    forget(store, now).await;
    bound.ok_or_else(|| StoreError::Inconsistent {
        table: "discover_form_link",
        id: link.id.clone(),
        why: "it was bound, and is not".to_owned(),
    })
}

/// Forgets links with which nothing can come any more. Whoever forgets the same at the same moment does it for both.
async fn forget(store: &Store, now: DateTime<Utc>) {
    let old = Column::ExpiresAt.lt(now - ACCEPTED_AFTER - ACCEPTED_AFTER);
    let forgotten = Entity::delete_many().filter(old).exec(store.writer()).await;
    if let Err(error) = forgotten {
        tracing::debug!("old form links are forgotten another time: {error}");
    }
}
