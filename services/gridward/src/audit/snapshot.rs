//! One read transaction: everything the audit sees is of one moment, whatever is written meanwhile.

use anyhow::Context;
use chrono::{DateTime, Utc};
use platform::store::Store;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, QueryResult, Statement, TransactionTrait, TryGetable,
    Value,
};
use uuid::Uuid;

/// Pages of the file kept in memory, in KiB: facts of one incident lie far apart.
const CACHE: &str = "PRAGMA cache_size = -64000";

/// The moment.
pub(super) struct Snapshot {
    tx: DatabaseTransaction,
}

impl Snapshot {
    pub async fn begin(store: &Store) -> anyhow::Result<Self> {
        let tx = store.readers().begin().await.context("cannot begin to read")?;
        tx.execute_unprepared(CACHE).await.context("cannot set the size of the cache")?;
        Ok(Self { tx })
    }

    pub async fn rows(&self, sql: &str, values: Vec<Value>) -> anyhow::Result<Vec<QueryResult>> {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
        self.tx.query_all_raw(statement).await.with_context(|| format!("cannot read: {sql}"))
    }

    /// The first column of the first row, if there is one that is not null.
    pub async fn one<T: TryGetable>(&self, sql: &str, values: Vec<Value>) -> anyhow::Result<Option<T>> {
        let rows = self.rows(sql, values).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        row.try_get_by_index::<Option<T>>(0).with_context(|| format!("not as expected: {sql}"))
    }

    pub async fn end(self) -> anyhow::Result<()> {
        self.tx.rollback().await.context("cannot end reading")
    }
}

/// The columns of one row, in order. What is not of the kind that was written is said in words, so that
/// it becomes a fault and does not stop the audit.
pub(super) struct Cells<'a> {
    row: &'a QueryResult,
    next: usize,
}

impl<'a> Cells<'a> {
    pub fn new(row: &'a QueryResult) -> Self {
        Self { row, next: 0 }
    }

    pub fn take<T: TryGetable>(&mut self) -> Result<T, String> {
        let column = self.next;
        self.next += 1;
        self.row.try_get_by_index(column).map_err(|error| format!("column {}: {error}", column + 1))
    }

    pub fn time(&mut self) -> Result<DateTime<Utc>, String> {
        self.take()
    }

    pub fn incident(&mut self) -> Result<Uuid, String> {
        let bytes: Vec<u8> = self.take()?;
        Uuid::from_slice(&bytes).map_err(|error| format!("incident of {} bytes: {error}", bytes.len()))
    }
}
