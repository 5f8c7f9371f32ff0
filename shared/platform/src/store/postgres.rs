//! A PostgreSQL database: one for each service, beside others of its kind.
//!
//! Text is compared byte by byte (paths of areas are ranges of text), and a server that stops answering does not
//! hold a turn's locks for ever.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{ConnectOptions as _, Connection as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxError,
    Statement,
};

use super::{Doing, StoreError, Tx, get_time};

/// A statement that takes longer is given up; the longest of ours saves the rows of one turn.
const LONGEST_STATEMENT: &str = "30s";

/// A row that somebody else holds for longer: the turn is given up and tried again.
const LONGEST_LOCK: &str = "10s";

/// A turn whose process froze half-way loses its locks after this. No turn waits for anything but the database.
const LONGEST_SILENCE: &str = "5s";

/// How long a connection may take to be had.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens a pool; answers it with the database's name, `host:port/name`.
pub(super) async fn connect(url: &str, connections: u32) -> Result<(DatabaseConnection, String), StoreError> {
    let unfit = |why: String| StoreError::Unfit { database: "of the settings".to_owned(), why };
    // Its own message would show the URL, and the password in it.
    let not_one = || {
        unfit(
            "its URL is not postgres://user:password@host:port/database, with whatever is odd in the password as %40 / \
             URL 应为 postgres://用户:密码@主机:端口/库名，密码中的特殊字符须转义，如 %40"
                .to_owned(),
        )
    };
    if !is_ours(url) {
        return Err(not_one());
    }
    let parsed = PgConnectOptions::from_str(url).map_err(|_| not_one())?;
    let database = parsed.get_database().unwrap_or_default().to_owned();
    let name = format!("{}:{}/{database}", parsed.get_host(), parsed.get_port());
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .connect_timeout(PATIENCE)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false)
        // One that was just used is not asked first whether it is alive: that is a question for each turn.
        .test_before_acquire_if_idle_for(Duration::from_secs(1))
        .map_sqlx_postgres_opts(|postgres| {
            postgres.application_name("gridward").options([
                ("statement_timeout", LONGEST_STATEMENT),
                ("lock_timeout", LONGEST_LOCK),
                ("idle_in_transaction_session_timeout", LONGEST_SILENCE),
                ("synchronous_commit", "on"),
            ])
        });
    try_once(&parsed).await.doing("connecting to PostgreSQL")?;
    let pool = Database::connect(options).await.doing("connecting to PostgreSQL")?;
    let order = one(
        &pool,
        // Of ICU's order or the C library's; the column of the first was named anew in PostgreSQL 17.
        "SELECT coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', datcollate) \
         FROM pg_database d WHERE datname = current_database()",
    )
    .await?;
    if !["C", "POSIX", "C.UTF-8", "C.utf8"].contains(&order.as_str()) {
        return Err(StoreError::Unfit {
            database: name,
            why: format!(
                "its text is in the order of {order}: make it with LC_COLLATE 'C' / \
                 排序规则为 {order}，请以 LC_COLLATE 'C' 建库"
            ),
        });
    }
    let kept = one(&pool, "SHOW fsync").await?;
    if kept != "on" {
        let why = "its server runs with fsync off: what it has committed can be lost / 服务器关闭了 fsync，已提交的数据可能丢失";
        return Err(StoreError::Unfit { database: name, why: why.to_owned() });
    }
    Ok((pool, name))
}

/// Connects once without a pool, which would try until its time is over and then say only that it is.
async fn try_once(options: &PgConnectOptions) -> Result<(), DbErr> {
    let failed = |error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)));
    let connected = tokio::time::timeout(PATIENCE, options.connect()).await;
    let connection = connected
        .unwrap_or_else(|_| Err(SqlxError::Io(std::io::ErrorKind::TimedOut.into())))
        .map_err(failed)?;
    connection.close().await.map_err(failed)
}

/// Whether it is a URL of PostgreSQL in which nothing of a password can be taken for something else.
fn is_ours(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let before_place = rest.rsplit_once('@').map_or("", |(before, _)| before);
    matches!(scheme, "postgres" | "postgresql") && !before_place.contains(['@', '/', '?', '#'])
}

async fn one(pool: &DatabaseConnection, sql: &str) -> Result<String, StoreError> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = pool.query_one_raw(statement).await.doing("looking how the database is set up")?;
    row.map_or_else(
        || Ok(String::new()),
        |row| row.try_get_by_index(0).doing("looking how the database is set up"),
    )
}

/// Waits for the one right to change the schema of this database, as long as another's migration may take.
pub(super) async fn alone(tx: Tx) -> Result<Tx, StoreError> {
    // The number is any that nobody else takes: "gridward" in ASCII.
    let wait = "SET LOCAL lock_timeout = '10min'; SET LOCAL statement_timeout = '10min'; \
                SET LOCAL idle_in_transaction_session_timeout = 0; \
                SELECT pg_advisory_xact_lock(7454413962178327140)";
    tx.execute_unprepared(wait).await.doing("waiting for another migration")?;
    Ok(tx)
}

/// The server's clock at this very moment, not at the beginning of the transaction, in whole milliseconds.
pub(super) async fn now<C: ConnectionTrait>(on: &C) -> Result<DateTime<Utc>, StoreError> {
    let sql = "SELECT date_trunc('milliseconds', clock_timestamp()) AS now";
    let row = on
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .doing("asking the database for the time")?;
    let row = row.ok_or(StoreError::Inconsistent {
        table: "clock_timestamp()",
        id: String::new(),
        why: "the database does not tell the time".to_owned(),
    })?;
    get_time(&row, "now")
}

/// Whether another transaction was in the way (SQLSTATE class 40).
pub(super) fn collided(error: &RuntimeErr) -> bool {
    let RuntimeErr::SqlxError(error) = error else { return false };
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("40"))
}

/// Whether waiting may help: the connection broke, another turn was in the way, the server is ending, starting
/// or out of something (SQLSTATE classes 08, 40, 53, 55, 57, 58: PostgreSQL 15, Appendix A).
pub(super) fn may_pass(error: &RuntimeErr) -> bool {
    let RuntimeErr::SqlxError(error) = error else { return false };
    match &**error {
        SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::PoolTimedOut | SqlxError::WorkerCrashed => true,
        SqlxError::Database(error) => error.code().is_some_and(|code| {
            // A database that is not there, or a duplicate, is no matter of time; a turn that froze is (25P03).
            let classes = ["08", "40", "53", "55", "57", "58"];
            code == "25P03" || classes.iter().any(|class| code.len() == 5 && code.starts_with(class))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn a_password_that_could_be_shown_in_part_is_no_url_of_ours() {
        for url in ["postgres://g:s@h:1/d", "postgresql://g:s%40x@h/d?sslmode=require", "postgres://h/d"] {
            assert!(is_ours(url), "{url}");
        }
        for url in ["postgrez://g:s@h:1/d", "postgres://g:a@b@h/d", "postgres://g:a/b#c@h/d", "g:s@h/d", ""] {
            assert!(!is_ours(url), "{url}");
        }
    }
}
