//! Table `console_account`: who can sign in, by the id of the person in the register; nothing else about them.

use chrono::{DateTime, Utc};
use domain::id::PersonId;
use platform::store::{Doing, StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect};

#[derive(Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "console_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: String,
    /// The hash of the password, with how it was made.
    pub phc: String,
    pub created_at: DateTime<Utc>,
    /// When the password was set last.
    pub changed_at: DateTime<Utc>,
    pub disabled: bool,
}

impl std::fmt::Debug for Model {
    /// Never shows a hash.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("person", &self.person)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The account of a person.
pub async fn find<C: ConnectionTrait>(
    connection: &C,
    person: &PersonId,
) -> Result<Option<Model>, StoreError> {
    Entity::find_by_id(person.0.clone()).one(connection).await.doing("looking up an account")
}

/// The account of a person, which nobody else changes until the transaction ends.
pub async fn locked(tx: &Tx, person: &PersonId) -> Result<Option<Model>, StoreError> {
    let find = Entity::find_by_id(person.0.clone()).lock_exclusive();
    find.one(tx).await.doing("looking up an account")
}

/// All accounts, by person.
pub async fn all<C: ConnectionTrait>(connection: &C) -> Result<Vec<Model>, StoreError> {
    Entity::find().order_by_asc(Column::Person).all(connection).await.doing("listing accounts")
}

/// Whether the table can be asked at all.
pub async fn answers<C: ConnectionTrait>(connection: &C) -> Result<(), StoreError> {
    let one = Entity::find().select_only().column(Column::Person).limit(1).into_tuple::<String>();
    one.one(connection).await.doing("asking whether the accounts are there").map(drop)
}

/// Makes an account.
///
/// # Errors
/// When the database fails, or the person has one: also one that somebody else makes at this moment.
pub async fn make(tx: &Tx, account: Model) -> Result<(), StoreError> {
    rows::insert(tx, vec![row(account)], "making an account").await
}

/// Saves an account in place of what it was.
pub async fn save(tx: &Tx, account: Model) -> Result<(), StoreError> {
    rows::replace(tx, vec![row(account)], "saving an account").await
}

fn row(account: Model) -> ActiveModel {
    let Model { person, phc, created_at, changed_at, disabled } = account;
    ActiveModel {
        person: Set(person),
        phc: Set(phc),
        created_at: Set(created_at),
        changed_at: Set(changed_at),
        disabled: Set(disabled),
    }
}

/// Answers whether there was one.
pub async fn remove(tx: &Tx, person: &PersonId) -> Result<bool, StoreError> {
    let removed = Entity::delete_by_id(person.0.clone()).exec(tx).await.doing("removing an account")?;
    Ok(removed.rows_affected > 0)
}
