//! The schema: one ordered list of migrations for each service, each with its own migration table, so
//! that a service can have a database of its own.
//!
//! A migration expands first and contracts in a later release, since old code still runs while the new
//! schema is live. Each is safe to run again when it was killed half-way. Times are instants in UTC,
//! whole milliseconds; ids of incidents are UUIDs.

mod discover;
mod gridward;
mod handle;
mod keyed;
mod outbox;
mod route;
mod stream;
mod supervise;
mod turn;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

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
        // How far a file was replayed: beside the reports.
        "gridward" => gridward::Migrator::up(connection, None).await,
        other => Err(DbErr::Custom(format!("there is no service {other}"))),
    }
}
