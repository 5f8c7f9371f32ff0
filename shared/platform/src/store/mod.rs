//! The database: one SQLite file in the embedded setting, a PostgreSQL database for each service otherwise.
//!
//! On SQLite: WAL, `synchronous=FULL`, one connection that writes (BEGIN IMMEDIATE) and a pool that reads. On
//! PostgreSQL ([`postgres`]) a turn is one transaction that locks the rows it decides on. Every change is made
//! inside a turn's transaction; nothing here commits by itself but [`Store::begin`]'s holder.

pub mod dead_letters;
pub mod lease;
pub mod lists;
pub mod log;
mod opened;
pub mod outbox;
pub mod packs;
pub mod parked;
pub mod positions;
mod postgres;
pub mod register;
pub mod rows;
pub mod sequences;
pub mod strays;

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::id::IncidentId;
use sea_orm::sea_query::{Alias, ColumnRef, Cond, Expr, ExprTrait, IntoColumnRef, IntoIden, LikeExpr};
use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult,
    RuntimeErr, SqlErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use uuid::Uuid;

use crate::clock::Clock;
use crate::faults::Faults;
use opened::Opened;

/// The transaction of a turn.
pub type Tx = DatabaseTransaction;

/// Commits what is no turn's: a plain transaction of one request.
///
/// # Errors
/// When the database does not keep it.
pub async fn commit(tx: Tx, doing: &'static str) -> Result<(), StoreError> {
    tx.commit().await.doing(doing)
}

/// The pool that reads.
pub type Readers = DatabaseConnection;

/// The most rows one INSERT carries: SQLite takes 32,766 values a statement, our widest row has 40.
pub const ROWS_PER_INSERT: usize = 400;

/// What went wrong with the database, and what we were doing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{doing}: {error}")]
    Failed { doing: &'static str, error: DbErr },
    /// A server of ours, but not set up as we need it.
    #[error("the database {database} cannot be used: {why}")]
    Unfit { database: String, why: String },
    /// Nothing to look at.
    #[error("there is no database in {folder}: check --data / {folder} 中没有数据库，请检查 --data")]
    Nothing { folder: String },
    /// Something else lies where the database should.
    #[error(
        "{file} is not a Gridward database, or is damaged ({why}): restore it from a backup, or give another --data / \
         {file} 不是 Gridward 数据库，或已损坏：请从备份恢复，或换一个 --data"
    )]
    NotOurs { file: String, why: String },
    /// The file was moved while we run. It may be put back.
    #[error(
        "{file} is not the database that was opened: it was moved away or replaced, and nothing is written until it is \
         there again. Put it back; or stop this process, put the database in its place, and start again / \
         数据库文件 {file} 已被移走或替换，已暂停写入：请移回原处，或先停止进程再恢复数据库"
    )]
    Moved { file: String },
    /// A row that fits no state. Somebody has to look at it; no retry helps.
    #[error("row {id} of table {table} is inconsistent: {why}")]
    Inconsistent { table: &'static str, id: String, why: String },
    /// The broker does not answer, or not as it should. It may, later.
    #[error("{doing}: {why}")]
    Broker { doing: &'static str, why: String },
    /// The position was not where this reader left it: another one has the partition.
    #[error("another reader of {service} has moved the position of {topic}; rejoining")]
    Overtaken { service: &'static str, topic: &'static str },
}

impl StoreError {
    /// Whether the same thing may well succeed when tried again: the disk is full, the file is locked,
    /// the connection broke. What the data itself causes does not pass by waiting.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Inconsistent { .. } | Self::Unfit { .. } | Self::Nothing { .. } | Self::NotOurs { .. } => {
                false
            }
            Self::Overtaken { .. } | Self::Broker { .. } | Self::Moved { .. } => true,
            Self::Failed { error, .. } => match error {
                DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
                DbErr::Exec(error) | DbErr::Query(error) => {
                    let text = error.to_string();
                    postgres::may_pass(error)
                        || ["locked", "busy", "disk is full", "disk I/O"]
                            .iter()
                            .any(|sign| text.contains(sign))
                }
                _ => false,
            },
        }
    }
}

impl StoreError {
    /// The connection was lost while `doing` this: whether it was done, nobody can tell.
    pub fn cut_off(doing: &'static str) -> Self {
        let why = RuntimeErr::Internal("the connection was lost".to_owned());
        Self::Failed { doing, error: DbErr::Conn(why) }
    }

    /// Whether another turn was at the same rows at the same moment: the same thing, done again, finds what that one
    /// has written.
    pub fn collided(&self) -> bool {
        match self {
            Self::Overtaken { .. } => true,
            Self::Failed { error, .. } => {
                matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
                    || matches!(error, DbErr::Exec(error) | DbErr::Query(error) if postgres::collided(error))
            }
            _ => false,
        }
    }
}

impl StoreError {
    /// Whether the file or the server's disk is damaged: no input is to blame, and none is set aside for it.
    pub fn is_damage(&self) -> bool {
        let Self::Failed { error, .. } = self else { return false };
        let text = error.to_string();
        let signs = ["malformed", "not a database", "invalid page", "could not read block"];
        signs.iter().any(|sign| text.contains(sign))
    }
}

/// Says what we were doing when a query failed.
pub trait Doing<T> {
    /// `doing` reads as the first words of a sentence: `saving cases`.
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, DbErr> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::Failed { doing, error })
    }
}

/// One open database.
#[derive(Clone, Debug)]
pub struct Store {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
    place: Place,
    faults: Faults,
}

/// Where a database is.
#[derive(Clone, Debug)]
enum Place {
    File(Opened),
    /// On a PostgreSQL server: its name there.
    Server(String),
    /// Nowhere: gone with its one connection.
    Memory,
}

/// The name of the file in a data folder.
pub const FILE: &str = "gridward.sqlite";

impl Store {
    /// Opens, or makes, the file in `folder`.
    ///
    /// # Errors
    /// When the file cannot be opened or made.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        let failed = |error| opening("opening the database", &file, error);
        opened::make(&file).map_err(failed)?;
        let writer = connect(&file, 1, false).await.map_err(failed)?;
        let readers = connect(&file, 4, false).await.map_err(failed)?;
        Ok(Self { writer, readers, place: Place::File(Opened::new(&file)), faults: Faults::default() })
    }

    /// Makes a database in memory that instances share as they share a server's, one transaction after another: for
    /// a simulator, which asks it one thing at a time.
    ///
    /// # Errors
    /// When SQLite cannot make it.
    pub async fn in_memory() -> Result<Self, StoreError> {
        let mut options = pool("sqlite::memory:", 1, |sqlite| {
            let sqlite = sqlite.statement_cache_capacity(500).row_buffer_size(1_000);
            // Nothing of it outlives the process.
            sqlite.pragma("synchronous", "OFF").pragma("temp_store", "MEMORY").pragma("cache_size", "-16000")
        });
        // It waits for its rollback as it comes back, and is asked nothing until then.
        options.map_sqlx_sqlite_before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        });
        let connection = Database::connect(options).await.doing("making a database in memory")?;
        let (writer, readers) = (connection.clone(), connection);
        Ok(Self { writer, readers, place: Place::Memory, faults: Faults::default() })
    }

    /// The same database, for an instance of its own for which other things go wrong.
    #[must_use]
    pub fn with_faults(&self, faults: Faults) -> Self {
        Self { faults, ..self.clone() }
    }

    /// What goes wrong on purpose here.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Opens a database of its own on a PostgreSQL server, named by a `postgres://` URL, with at most so many
    /// connections.
    ///
    /// # Errors
    /// When the server cannot be reached, or the database is not set up as we need it.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, StoreError> {
        let (pool, name) = postgres::connect(url, connections).await?;
        let (writer, readers) = (pool.clone(), pool);
        Ok(Self { writer, readers, place: Place::Server(name), faults: Faults::default() })
    }

    /// Opens the file of `folder` to look only, also beside a running process.
    ///
    /// # Errors
    /// When there is no such file, or it is not one of ours.
    pub async fn look(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        if !file.is_file() {
            return Err(StoreError::Nothing { folder: folder.display().to_string() });
        }
        let readers = connect(&file, 1, true)
            .await
            .map_err(|error| opening("opening the database to look", &file, error))?;
        if let Err(StoreError::Failed { doing, error }) = log::identity(&readers).await {
            return Err(opening(doing, &file, error));
        }
        let writer = readers.clone();
        Ok(Self { writer, readers, place: Place::File(Opened::new(&file)), faults: Faults::default() })
    }

    /// Whether the file is still where it was opened; a server's database is always.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when it is not.
    pub fn in_place(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::File(opened) => opened.is_in_place(),
            Place::Server(_) | Place::Memory => Ok(()),
        }
    }

    /// Begins a turn's transaction: on SQLite it holds the one right to write until it ends.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.in_place()?;
        let options = match self.place {
            Place::Server(_) => TransactionOptions::default(),
            Place::File(_) | Place::Memory => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            },
        };
        self.writer.begin_with_options(options).await.doing("beginning a turn")
    }

    /// Takes the right to change the schema until the transaction ends, waiting for whoever has it: several
    /// instances may start at once. In a file the one process that has the folder has it already.
    pub async fn alone(&self) -> Result<Tx, StoreError> {
        match self.place {
            Place::Server(_) => {
                postgres::alone(self.writer.begin().await.doing("beginning a migration")?).await
            }
            // It only has to end: on a file the migration needs the one right to write.
            Place::File(_) | Place::Memory => self.readers.begin().await.doing("beginning a migration"),
        }
    }

    /// Begins a turn's look at its rows, which [`Self::write`] goes on from. In a file a service's rows are
    /// changed by its own turns alone, one after the other, in the one process that has the folder: so it need
    /// not keep others from writing while it loads and decides. On a server other instances may change them too:
    /// the look locks them, and the same transaction writes.
    pub async fn look_first(&self) -> Result<Tx, StoreError> {
        if let Place::Memory = self.place {
            return self.begin().await;
        }
        self.readers.begin().await.doing("beginning a turn")
    }

    /// Goes on from a look to what the turn has to write.
    pub async fn write(&self, looked: Tx) -> Result<Tx, StoreError> {
        if self.is_shared() {
            return Ok(looked);
        }
        looked.rollback().await.doing("ending a turn's look")?;
        self.begin().await
    }

    /// The time a turn counts as. In production it is the database's own, so that a host whose clock is wrong
    /// neither fires early nor moves a case back in time (DESIGN §5).
    pub async fn now<C: ConnectionTrait>(&self, on: &C, clock: &Clock) -> Result<DateTime<Utc>, StoreError> {
        match (&self.place, clock) {
            (Place::Server(_), Clock::Host) => postgres::now(on).await,
            _ => Ok(clock.now()),
        }
    }

    /// Whether other instances may work on it at the same time.
    pub fn is_shared(&self) -> bool {
        matches!(self.place, Place::Server(_) | Place::Memory)
    }

    pub fn readers(&self) -> &Readers {
        &self.readers
    }

    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Where it is, in words; never with a password.
    pub fn place(&self) -> String {
        match &self.place {
            Place::File(opened) => opened.path().display().to_string(),
            Place::Server(name) => name.clone(),
            Place::Memory => "memory".to_owned(),
        }
    }

    /// Closes all connections; the last one folds the write-ahead log into the file.
    pub async fn close(self) -> Result<(), StoreError> {
        self.readers.close().await.doing("closing the readers")?;
        self.writer.close().await.doing("closing the writer")
    }
}

fn opening(doing: &'static str, file: &Path, error: DbErr) -> StoreError {
    let why = error.to_string();
    let other = ["not a database", "malformed", "no such table"].iter().any(|sign| why.contains(sign));
    if other {
        return StoreError::NotOurs { file: file.display().to_string(), why };
    }
    StoreError::Failed { doing, error }
}

async fn connect(file: &Path, connections: u32, look_only: bool) -> Result<DatabaseConnection, DbErr> {
    let options = pool(&format!("sqlite://{}", file.display()), connections, move |sqlite| {
        let sqlite =
            sqlite.busy_timeout(Duration::from_secs(10)).row_buffer_size(1_000).statement_cache_capacity(48);
        if look_only {
            return sqlite.read_only(true);
        }
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("cache_size", "-16000")
            // Fewer, larger folds of the log into the file: 16 MB.
            .pragma("wal_autocheckpoint", "4000")
            .pragma("foreign_keys", "ON")
    });
    Database::connect(options).await
}

/// A pool of SQLite connections that live as long as it does.
fn pool(
    url: &str,
    connections: u32,
    set: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false)
        .test_before_acquire(false)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        // When a full disk or a broken file ends a transaction, SQLite has rolled it back by itself, and the
        // connection still counts itself in it: the next BEGIN would be a savepoint in nothing, and its COMMIT
        // would keep nothing. Such a connection is closed, and another opened.
        .map_sqlx_sqlite_before_acquire(|connection, _| {
            Box::pin(async move {
                // A rollback that was begun when a turn was dropped is over first.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .map_sqlx_sqlite_opts(set);
    options
}

/// A table of a service by its short name: `handle_sequence`.
pub(crate) fn table(service: &str, name: &str) -> Alias {
    Alias::new(format!("{service}_{name}"))
}

/// The SQL rendering of [`AreaPath::contains`]: rows whose path in `column` is `area` or below it.
pub fn within<C: IntoColumnRef + Clone>(column: C, area: &AreaPath) -> Cond {
    let (from, to) = area.below();
    let column: ColumnRef = column.into_column_ref();
    Cond::any()
        .add(Expr::col(column.clone()).eq(area.as_str()))
        .add(Cond::all().add(Expr::col(column.clone()).gte(from)).add(Expr::col(column).lt(to)))
}

/// Rows whose holder in `column`, a post as in `street_desk:330206/330206002`, is of `area` or of one below it.
pub fn held_within<C: IntoColumnRef + Clone>(column: C, area: &AreaPath) -> Cond {
    let column: ColumnRef = column.into_column_ref();
    let path = area.as_str().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let like = |pattern: String| Expr::col(column.clone()).like(LikeExpr::new(pattern).escape('\\'));
    Cond::any().add(like(format!("%:{path}"))).add(like(format!("%:{path}/%")))
}

/// Reads a column of a row, naming both when it is not what we wrote.
pub fn get<T: sea_orm::TryGetable>(row: &QueryResult, column: &str) -> Result<T, StoreError> {
    row.try_get("", column).doing("reading a row")
}

pub fn get_incident(row: &QueryResult, column: &str) -> Result<IncidentId, StoreError> {
    Ok(IncidentId(get::<Uuid>(row, column)?))
}

pub fn get_time(row: &QueryResult, column: &str) -> Result<DateTime<Utc>, StoreError> {
    get(row, column)
}

pub(crate) fn iden(name: &'static str) -> sea_orm::sea_query::DynIden {
    Alias::new(name).into_iden()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_looks_where_no_database_of_ours_is_hears_so_in_both_languages() {
        let folder = tempfile::tempdir().unwrap();
        let said = Store::look(folder.path()).await.unwrap_err();
        assert!(matches!(said, StoreError::Nothing { .. }), "{said}");
        for bytes in [&b""[..], b"hello", &[0x53; 9_000]] {
            std::fs::write(folder.path().join(FILE), bytes).unwrap();
            let said = Store::look(folder.path()).await.unwrap_err();
            assert!(matches!(said, StoreError::NotOurs { .. }) && !said.may_pass(), "{said}");
            assert!(
                said.to_string().contains("give another --data") && said.to_string().contains("请从备份恢复")
            );
        }
    }

    #[tokio::test]
    async fn a_damaged_file_is_told_from_one_that_cannot_be_written_to_now() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let words = "CREATE TABLE word (word TEXT); INSERT INTO word VALUES ('one')";
        store.writer().execute_unprepared(words).await.unwrap();
        store.close().await.unwrap();
        let file = folder.path().join(FILE);
        let mut bytes = std::fs::read(&file).unwrap();
        // The second page, where the one table lies.
        bytes[4_096..].fill(0x53);
        std::fs::write(&file, bytes).unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let read = store.readers().execute_unprepared("SELECT * FROM word").await.doing("looking at words");
        let damage = read.unwrap_err();
        assert!(damage.is_damage() && !damage.may_pass(), "{damage}");
    }

    #[test]
    fn what_servers_and_files_say_of_damage_is_known_and_nothing_else_is_taken_for_it() {
        let failed =
            |text: &str| StoreError::Failed { doing: "reading", error: DbErr::Custom(text.to_owned()) };
        for damage in [
            "database disk image is malformed",
            "file is not a database",
            "invalid page in block 3 of relation base/16384/2619",
            "could not read block 0 in file \"base/16384/2619\": read only 0 of 8192 bytes",
        ] {
            assert!(failed(damage).is_damage(), "{damage}");
        }
        for other in
            ["database or disk is full", "database is locked", "no such table: word", "disk I/O error"]
        {
            assert!(!failed(other).is_damage(), "{other}");
        }
        let why = "malformed".to_owned();
        let row = StoreError::Inconsistent { table: "word", id: String::new(), why };
        assert!(!row.is_damage(), "a row of ours that is wrong is no damage of the file");
    }
}
