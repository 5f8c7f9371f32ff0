//! The schema: one ordered list of migrations for each service, each with its own migration table, so
//! that a service can have a database of its own.
//!
//! A migration expands first and contracts in a later release, since old code still runs while the new
//! schema is live. Each is safe to run again when it was killed half-way. Times are instants in UTC,
//! whole milliseconds; ids of incidents are UUIDs.

mod console;
mod discover;
mod gridward;
mod handle;
mod keyed;
mod outbox;
mod partner;
mod registration;
mod route;
mod stream;
mod supervise;
mod turn;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend, Statement};

/// Brings a database that holds everything (the embedded setting) up to date.
///
/// # Errors
/// When a migration fails; run it again after mending the cause.
pub async fn up(connection: &DatabaseConnection) -> Result<(), DbErr> {
    stream::Migrator::up(connection, None).await?;
    discover::Migrator::up(connection, None).await?;
    route::Migrator::up(connection, None).await?;
    handle::Migrator::up(connection, None).await?;
    supervise::Migrator::up(connection, None).await?;
    partner::Migrator::up(connection, None).await?;
    console::Migrator::up(connection, None).await?;
    gridward::Migrator::up(connection, None).await
}

/// Brings the database of one service up to date, where each has its own.
///
/// # Errors
/// When there is no such service, or a migration fails; run it again after mending the cause.
pub async fn up_for(connection: &DatabaseConnection, service: &str) -> Result<(), DbErr> {
    match service {
        "discover" => discover::Migrator::up(connection, None).await,
        "route" => route::Migrator::up(connection, None).await,
        "handle" => handle::Migrator::up(connection, None).await,
        "supervise" => supervise::Migrator::up(connection, None).await,
        "partner" => partner::Migrator::up(connection, None).await,
        "console" => console::Migrator::up(connection, None).await,
        // How far a file was replayed: beside the reports.
        "gridward" => gridward::Migrator::up(connection, None).await,
        other => Err(DbErr::Custom(format!("there is no service {other}"))),
    }
}

/// Whether the database of one service is up to date; nothing is changed. Where each service has its own, on
/// PostgreSQL.
///
/// # Errors
/// When there is no such service, or the database cannot be asked.
pub async fn is_up_to_date(connection: &DatabaseConnection, service: &str) -> Result<bool, DbErr> {
    match service {
        "discover" => has_all::<discover::Migrator>(connection).await,
        "route" => has_all::<route::Migrator>(connection).await,
        "handle" => has_all::<handle::Migrator>(connection).await,
        "supervise" => has_all::<supervise::Migrator>(connection).await,
        "partner" => has_all::<partner::Migrator>(connection).await,
        "console" => has_all::<console::Migrator>(connection).await,
        other => Err(DbErr::Custom(format!("there is no service {other}"))),
    }
}

/// Another service whose tables lie in a database that is to be `service`'s alone; on PostgreSQL.
///
/// # Errors
/// When the database cannot be asked.
pub async fn other_tenant(
    connection: &DatabaseConnection,
    service: &str,
) -> Result<Option<&'static str>, DbErr> {
    for other in ["discover", "route", "handle", "supervise", "partner", "console"] {
        if other != service && has_table(connection, &format!("{other}_migration")).await? {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

async fn has_table(connection: &DatabaseConnection, table: &str) -> Result<bool, DbErr> {
    let sql = "SELECT to_regclass($1) IS NOT NULL";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [table.into()]);
    let row = connection.query_one_raw(statement).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

async fn has_all<M: MigratorTrait>(connection: &DatabaseConnection) -> Result<bool, DbErr> {
    let table = M::migration_table_name().to_string();
    if !has_table(connection, &table).await? {
        return Ok(false);
    }
    let statement = Statement::from_string(DbBackend::Postgres, format!("SELECT version FROM {table}"));
    let rows = connection.query_all_raw(statement).await?;
    let applied: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
    Ok(M::migrations().iter().all(|migration| applied.iter().any(|name| name == migration.name())))
}
