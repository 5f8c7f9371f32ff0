//! Table `console_attempt`: how often a password was tried in vain, by account, by peer, by both, and by account
//! and device. The keys are digests: people type passwords where their name belongs.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use platform::store::{Doing, StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{Condition, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};

use crate::throttle::{KNOWN_FOR, Tallies, Tally, signed_in};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "console_attempt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub failures: i32,
    pub last_at: DateTime<Utc>,
    pub succeeded_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// From where somebody tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub peer: IpAddr,
    /// The secret by which a device is known on which somebody has signed in before.
    pub device: Option<String>,
}

/// What a try is counted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    pair: String,
    account: String,
    peer: String,
    device: Option<String>,
}

impl Keys {
    pub fn of(name: &str, from: &Origin) -> Self {
        let peer = from.peer;
        Self {
            pair: digest("pair", &format!("{peer}\0{name}")),
            account: digest("account", name),
            peer: digest("peer", &peer.to_string()),
            device: from.device.as_ref().map(|secret| of_device(name, secret)),
        }
    }

    fn all(&self) -> [&String; 3] {
        let mut all = [&self.pair, &self.account, &self.peer];
        // Always locked in one order, so that two who try at once never wait for each other.
        all.sort();
        all
    }
}

fn digest(what: &str, of: &str) -> String {
    let digest = Sha256::digest(format!("{what}\0{of}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn of_device(name: &str, secret: &str) -> String {
    digest("device", &format!("{secret}\0{name}"))
}

/// What is counted so far, which nobody else changes until the transaction ends. A device is one only where the
/// account's owner has signed in on it.
pub async fn locked(tx: &Tx, keys: &Keys, now: DateTime<Utc>) -> Result<Tallies, StoreError> {
    let fresh = keys.all().map(|key| row(key, &Tally::default(), now));
    let there = OnConflict::column(Column::Key).do_nothing().to_owned();
    let insert = Entity::insert_many(fresh).on_conflict(there).exec_without_returning(tx);
    insert.await.doing("counting a sign-in")?;
    let among = Column::Key.is_in(keys.all().into_iter().chain(&keys.device).map(String::as_str));
    let find = Entity::find().filter(among).order_by_asc(Column::Key).lock_exclusive();
    let rows = find.all(tx).await.doing("counting a sign-in")?;
    let of = |key: &str| {
        let row = rows.iter().find(|row| row.key == key);
        row.map_or_else(Tally::default, |row| Tally {
            failures: row.failures,
            last_at: (row.failures > 0).then_some(row.last_at),
            succeeded_at: row.succeeded_at,
        })
    };
    let device = keys.device.as_deref().map(of).filter(|tally| tally.is_known(now));
    Ok(Tallies { pair: of(&keys.pair), account: of(&keys.account), peer: of(&keys.peer), device })
}

pub async fn save(tx: &Tx, keys: &Keys, tallies: &Tallies, now: DateTime<Utc>) -> Result<(), StoreError> {
    let counted =
        [(&keys.pair, &tallies.pair), (&keys.account, &tallies.account), (&keys.peer, &tallies.peer)];
    let device = keys.device.as_ref().zip(tallies.device.as_ref());
    let rows = counted.into_iter().chain(device).map(|(key, tally)| row(key, tally, now)).collect();
    rows::replace(tx, rows, "counting a sign-in").await
}

/// The owner of an account has signed in on a device that nothing was known of.
pub async fn know(tx: &Tx, name: &str, secret: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let known = row(&of_device(name, secret), &signed_in(now), now);
    rows::replace(tx, vec![known], "remembering a device").await
}

/// Forgets what counts no more.
pub async fn forget(tx: &Tx, now: DateTime<Utc>) -> Result<(), StoreError> {
    let old =
        Condition::all().add(Column::LastAt.lt(now - TimeDelta::days(1))).add(Column::SucceededAt.is_null());
    let long_ago = Column::LastAt.lt(now - KNOWN_FOR);
    let forget = Entity::delete_many().filter(Condition::any().add(old).add(long_ago));
    forget.exec(tx).await.doing("forgetting old sign-ins").map(drop)
}

fn row(key: &str, tally: &Tally, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        key: Set(key.to_owned()),
        failures: Set(tally.failures),
        last_at: Set(tally.last_at.unwrap_or(now)),
        succeeded_at: Set(tally.succeeded_at),
    }
}
