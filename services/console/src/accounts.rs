//! Accounts as an operator makes, changes and removes them.

use chrono::{DateTime, Utc};
use domain::id::PersonId;
use platform::entropy;
use platform::store::{Store, StoreError};

use crate::password::{Hasher, Password, PasswordFault};
use crate::store::accounts::{self, Model};

/// The accounts in a database.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    hasher: Hasher,
}

/// An account as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub person: PersonId,
    pub created_at: DateTime<Utc>,
    /// When the password was set last.
    pub changed_at: DateTime<Utc>,
    pub disabled: bool,
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountFault {
    #[error(
        "{0} has an account already: set-password gives it another password / 「{0}」已有账号：如需改密码请用 set-password"
    )]
    There(PersonId),
    #[error(
        "{0} has no account: `gridward account add` makes one / 「{0}」没有账号：请先用 gridward account add 添加"
    )]
    None(PersonId),
    #[error(transparent)]
    Password(#[from] PasswordFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    pub fn new(store: Store) -> Self {
        Self { store, hasher: Hasher::new(entropy::draw()) }
    }

    /// # Errors
    /// When there is an account already, the password will not do, or the database fails.
    pub async fn add(
        &self,
        person: &PersonId,
        password: &Password,
        now: DateTime<Utc>,
    ) -> Result<(), AccountFault> {
        let phc = self.hashed(person, password).await?;
        let tx = self.store.begin().await?;
        if accounts::locked(&tx, person).await?.is_some() {
            return Err(AccountFault::There(person.clone()));
        }
        let account =
            Model { person: person.0.clone(), phc, created_at: now, changed_at: now, disabled: false };
        match accounts::make(&tx, account).await {
            // Somebody else has just made it.
            Err(error) if error.collided() => return Err(AccountFault::There(person.clone())),
            made => made?,
        }
        commit(tx).await
    }

    /// # Errors
    /// When there is no account, the password will not do, or the database fails.
    pub async fn set_password(
        &self,
        person: &PersonId,
        password: &Password,
        now: DateTime<Utc>,
    ) -> Result<(), AccountFault> {
        let phc = self.hashed(person, password).await?;
        self.change(person, |account| Model { phc, changed_at: now, ..account }).await
    }

    /// Whoever is signed in stays so until the token expires; nobody signs in again.
    ///
    /// # Errors
    /// When there is no account, or the database fails.
    pub async fn disable(&self, person: &PersonId) -> Result<(), AccountFault> {
        self.change(person, |account| Model { disabled: true, ..account }).await
    }

    /// # Errors
    /// When there is no account, or the database fails.
    pub async fn enable(&self, person: &PersonId) -> Result<(), AccountFault> {
        self.change(person, |account| Model { disabled: false, ..account }).await
    }

    /// # Errors
    /// When there is no account, or the database fails.
    pub async fn remove(&self, person: &PersonId) -> Result<(), AccountFault> {
        let tx = self.store.begin().await?;
        if !accounts::remove(&tx, person).await? {
            return Err(AccountFault::None(person.clone()));
        }
        commit(tx).await
    }

    /// By person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<Account>, StoreError> {
        let all = accounts::all(self.store.readers()).await?;
        let account = |row: Model| Account {
            person: PersonId(row.person),
            created_at: row.created_at,
            changed_at: row.changed_at,
            disabled: row.disabled,
        };
        Ok(all.into_iter().map(account).collect())
    }

    async fn hashed(&self, person: &PersonId, password: &Password) -> Result<String, PasswordFault> {
        let prepared = password.new_for(&person.0)?;
        Ok(self.hasher.hash(prepared, entropy::draw()).await)
    }

    async fn change(
        &self,
        person: &PersonId,
        change: impl FnOnce(Model) -> Model,
    ) -> Result<(), AccountFault> {
        let tx = self.store.begin().await?;
        let Some(account) = accounts::locked(&tx, person).await? else {
            return Err(AccountFault::None(person.clone()));
        };
        accounts::save(&tx, change(account)).await?;
        commit(tx).await
    }
}

async fn commit(tx: platform::store::Tx) -> Result<(), AccountFault> {
    Ok(platform::store::commit(tx, "saving an account").await?)
}
