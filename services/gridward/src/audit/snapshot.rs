//! What is read, and how: one read transaction on a file, or one on each service's database. What the two
//! settings say differently in SQL is said here and nowhere else.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, Utc};
use platform::store::Store;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, QueryResult, Statement,
    TransactionTrait, TryGetable, Value,
};
use uuid::Uuid;

/// Pages of the file kept in memory, in KiB: facts of one incident lie far apart.
const CACHE: &str = "PRAGMA cache_size = -64000";

/// A walk of millions of rows takes longer than any turn may, and asks now one database, now another.
const PATIENCE: &str = "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0";

/// Readers before those they read, as far as the circle of topics allows: what a reader has taken is then in
/// its writer's outbox as it is seen here.
const ORDER: [&str; 5] = ["supervise", "partner", "handle", "route", "discover"];

/// An office without partner organisations does not run it; then nothing is asked of it, and nothing found.
const OPTIONAL: &str = "partner";

/// Where the rows lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// All tables in one SQLite file, and the log beside them.
    File,
    /// A PostgreSQL database for each service, an outbox in each, and the topics.
    Servers,
}

/// The moment; on servers one of each database, a few milliseconds apart.
pub(super) struct Snapshot {
    kept: Kept,
}

enum Kept {
    File(DatabaseTransaction),
    Servers(BTreeMap<&'static str, DatabaseTransaction>),
}

impl Snapshot {
    pub async fn of_file(store: &Store) -> anyhow::Result<Self> {
        let tx = store.readers().begin().await.context("cannot begin to read")?;
        tx.execute_unprepared(CACHE).await.context("cannot set the size of the cache")?;
        Ok(Self { kept: Kept::File(tx) })
    }

    pub async fn of_servers(databases: &BTreeMap<&'static str, Store>) -> anyhow::Result<Self> {
        let mut each = BTreeMap::new();
        for service in ORDER {
            let store = match databases.get(service) {
                None if service == OPTIONAL => continue,
                store => store.with_context(|| format!("no database of {service}"))?,
            };
            let (isolation, access) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
            let tx = store.readers().begin_with_config(Some(isolation), Some(access)).await;
            let tx = tx.with_context(|| format!("cannot begin to read what {service} keeps"))?;
            tx.execute_unprepared(PATIENCE).await.context("cannot set how long reading may take")?;
            // The first question fixes the moment.
            tx.execute_unprepared("SELECT 1").await.context("cannot begin to read")?;
            each.insert(service, tx);
        }
        Ok(Self { kept: Kept::Servers(each) })
    }

    pub fn setting(&self) -> Setting {
        match self.kept {
            Kept::File(_) => Setting::File,
            Kept::Servers(_) => Setting::Servers,
        }
    }

    /// Whether `service` is part of this office.
    pub fn has(&self, service: &str) -> bool {
        match &self.kept {
            Kept::File(_) => true,
            Kept::Servers(each) => service != OPTIONAL || each.contains_key(service),
        }
    }

    /// Rows of tables of `service`; in a file anybody's.
    pub async fn rows(
        &self,
        service: &str,
        sql: &str,
        values: Vec<Value>,
    ) -> anyhow::Result<Vec<QueryResult>> {
        if !self.has(service) {
            return Ok(Vec::new());
        }
        let (tx, backend) = match &self.kept {
            Kept::File(tx) => (tx, DbBackend::Sqlite),
            Kept::Servers(each) => {
                let tx = each.get(service).with_context(|| format!("no database of `{service}`"))?;
                (tx, DbBackend::Postgres)
            }
        };
        let statement = Statement::from_sql_and_values(backend, sql, values);
        tx.query_all_raw(statement).await.with_context(|| format!("cannot read: {sql}"))
    }

    /// Something that answers no rows: how the questions after it are answered.
    pub async fn execute(&self, service: &str, sql: &str) -> anyhow::Result<()> {
        if !self.has(service) {
            return Ok(());
        }
        let tx = match &self.kept {
            Kept::File(tx) => tx,
            Kept::Servers(each) => {
                each.get(service).with_context(|| format!("no database of `{service}`"))?
            }
        };
        tx.execute_unprepared(sql).await.with_context(|| format!("cannot set how {service} is asked"))?;
        Ok(())
    }

    /// The first column of the first row, if there is one that is not null.
    pub async fn one<T: TryGetable>(
        &self,
        service: &str,
        sql: &str,
        values: Vec<Value>,
    ) -> anyhow::Result<Option<T>> {
        let rows = self.rows(service, sql, values).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        row.try_get_by_index::<Option<T>>(0).with_context(|| format!("not as expected: {sql}"))
    }

    /// The id of an incident in the first column of the first row, as bytes.
    pub async fn one_incident(
        &self,
        service: &str,
        sql: &str,
        values: Vec<Value>,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        match self.kept {
            Kept::File(_) => self.one(service, sql, values).await,
            Kept::Servers(_) => {
                let id: Option<Uuid> = self.one(service, sql, values).await?;
                Ok(id.map(|id| id.as_bytes().to_vec()))
            }
        }
    }

    /// An end of a range of incidents as a value to compare with; ids of a file may have any length.
    pub fn edge(&self, bytes: &[u8]) -> Value {
        match self.kept {
            Kept::File(_) => bytes.to_vec().into(),
            Kept::Servers(_) => {
                let mut id = [0; 16];
                id.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                Uuid::from_bytes(id).into()
            }
        }
    }

    /// The time by the database of `service` on a server.
    pub async fn now(&self, service: &str) -> anyhow::Result<DateTime<Utc>> {
        let now = self.one(service, "SELECT clock_timestamp()", Vec::new()).await?;
        now.context("the database does not tell the time")
    }

    pub async fn end(self) -> anyhow::Result<()> {
        let each = match self.kept {
            Kept::File(tx) => vec![tx],
            Kept::Servers(each) => each.into_values().collect(),
        };
        for tx in each {
            tx.rollback().await.context("cannot end reading")?;
        }
        Ok(())
    }
}

impl Setting {
    /// The incidents of a group of rows, as text with spaces between.
    pub fn incidents(self) -> &'static str {
        match self {
            Self::File => "group_concat(lower(hex(incident)), ' ')",
            Self::Servers => "string_agg(incident::text, ' ')",
        }
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

    /// A whole number: of 8 bytes in a file, of 4 or 8 on a server.
    pub fn whole(&mut self) -> Result<i64, String> {
        let column = self.next;
        self.take::<i64>().or_else(|why| {
            let short: Result<i32, _> = self.row.try_get_by_index(column);
            short.map(i64::from).map_err(|_| why)
        })
    }

    pub fn time(&mut self) -> Result<DateTime<Utc>, String> {
        self.take()
    }

    pub fn incident(&mut self) -> Result<Uuid, String> {
        self.take().map_err(|why| format!("no id of an incident: {why}"))
    }
}
