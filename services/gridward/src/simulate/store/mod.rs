//! The database that the simulated services share: in memory, with the tables of all of them and an outbox for each.
//! It is made once for each thread and emptied before each life.

mod copies;

use anyhow::Context;
use platform::store::{Doing, Store, StoreError};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

pub use copies::{Copies, Version};

use super::parts::Part;

/// The database, and how it is emptied.
pub struct Kept {
    pub store: Store,
    pub copies: Copies,
    empty: String,
}

impl Kept {
    /// # Errors
    /// When a migration fails.
    pub async fn make() -> anyhow::Result<Self> {
        let store = Store::in_memory().await?;
        migrations::up(store.writer()).await.context("cannot migrate the database in memory")?;
        for part in Part::ALL {
            let sql = outbox(part.name());
            store.writer().execute_unprepared(&sql).await.context("cannot make an outbox")?;
        }
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%_migration' \
                      AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let names: Vec<[String; 1]> = rows(&store, tables).await?;
        let empty = names.iter().map(|[name]| format!("DELETE FROM {name}; ")).collect();
        let copies = Copies::make(&store, &names).await.context("cannot make copies of the tables")?;
        Ok(Self { store, copies, empty })
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn empty(&self) -> Result<(), StoreError> {
        // Prepared once.
        let empty = Statement::from_string(DbBackend::Sqlite, &self.empty);
        self.store.writer().execute_raw(empty).await.doing("emptying the database")?;
        Ok(())
    }
}

/// Marks all that waits, sent or not: what a relay must not do.
///
/// # Errors
/// When the database fails.
pub async fn mark_all(store: &Store, service: &str) -> Result<(), StoreError> {
    let sql = format!("UPDATE {service}_outbox SET published_at = noticed_at WHERE published_at IS NULL");
    let mark = Statement::from_string(DbBackend::Sqlite, sql);
    store.writer().execute_raw(mark).await.doing("marking what was not sent")?;
    Ok(())
}

/// As it is on a server, but for the types. Ids begin anew in an empty table.
fn outbox(service: &str) -> String {
    format!(
        "CREATE TABLE {service}_outbox (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, incident BLOB NOT NULL, \
         sequence INTEGER NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL, noticed_at TEXT NOT NULL, \
         cause TEXT NOT NULL, body TEXT NOT NULL, published_at TEXT); \
         CREATE INDEX {service}_outbox_waiting ON {service}_outbox (id) WHERE published_at IS NULL; \
         CREATE UNIQUE INDEX {service}_outbox_by_sequence ON {service}_outbox (incident, topic, sequence)"
    )
}

/// Rows whose columns are all text.
///
/// # Errors
/// When the database fails, or a column is no text.
pub async fn rows<const N: usize>(store: &Store, sql: &str) -> Result<Vec<[String; N]>, StoreError> {
    let select = Statement::from_string(DbBackend::Sqlite, sql);
    let found = store.readers().query_all_raw(select).await.doing("looking at what is kept")?;
    let mut rows = Vec::with_capacity(found.len());
    for row in found {
        let mut cells = [const { String::new() }; N];
        for (n, cell) in cells.iter_mut().enumerate() {
            *cell = row.try_get_by_index(n).doing("reading what is kept")?;
        }
        rows.push(cells);
    }
    Ok(rows)
}
