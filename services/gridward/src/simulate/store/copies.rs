//! Copies of a service's tables, as a backup would be: they lie beside them, in the same database.

use std::collections::BTreeMap;

use platform::store::{Doing, Store, StoreError};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::simulate::parts::Part;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The tables themselves.
    Present,
    /// As they were when they were backed up.
    BackUp,
    /// As they were before they were put back to that.
    Latest,
}

impl Version {
    fn prefix(self) -> &'static str {
        match self {
            Self::Present => "",
            Self::BackUp => "backup_",
            Self::Latest => "latest_",
        }
    }
}

/// The tables of each service, each with its copies.
#[derive(Clone, Debug)]
pub struct Copies(BTreeMap<Part, Vec<String>>);

impl Copies {
    /// Makes the copies of `tables`, empty.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn make(store: &Store, tables: &[[String; 1]]) -> Result<Self, StoreError> {
        let of_part = |part: Part| {
            let own = format!("{}_", part.name());
            let tables = tables.iter().map(|[table]| table).filter(|table| table.starts_with(&own));
            (part, tables.cloned().collect())
        };
        let copies = Self(Part::ALL.map(of_part).into());
        let make = |table: &String| {
            [Version::BackUp, Version::Latest]
                .map(Version::prefix)
                .map(|prefix| format!("CREATE TABLE {prefix}{table} AS SELECT * FROM {table} WHERE 0; "))
        };
        let sql: String = copies.0.values().flatten().flat_map(make).collect();
        store.writer().execute_unprepared(&sql).await.doing("making copies of tables")?;
        Ok(copies)
    }

    /// Puts what is in one copy of a service's tables into another one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn copy(
        &self,
        store: &Store,
        part: Part,
        from: Version,
        to: Version,
    ) -> Result<(), StoreError> {
        let (from, to) = (from.prefix(), to.prefix());
        let tables = self.0.get(&part).map(Vec::as_slice).unwrap_or_default();
        let copy = |table: &String| {
            format!("DELETE FROM {to}{table}; INSERT INTO {to}{table} SELECT * FROM {from}{table}; ")
        };
        let sql: String = tables.iter().map(copy).collect();
        let copy = Statement::from_string(DbBackend::Sqlite, sql);
        store.writer().execute_raw(copy).await.doing("copying the tables of a service")?;
        Ok(())
    }
}
