//! Who of many instances does a job that one can do: table `SERVICE_lease`. It saves work; nothing depends on
//! it being held by one alone.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{Doing, StoreError};

/// Takes or keeps the lease on `job` for `holder`, by the database's clock; answers whether it has it.
pub async fn hold<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    job: &'static str,
    holder: &str,
    term: Duration,
) -> Result<bool, StoreError> {
    let sql = format!(
        "INSERT INTO {service}_lease (job, holder, until) \
         VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3)) \
         ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, until = excluded.until \
         WHERE {service}_lease.holder = excluded.holder OR {service}_lease.until < clock_timestamp()"
    );
    let values = [job.into(), holder.into(), term.as_secs_f64().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let outcome = connection.execute_raw(statement).await.doing("taking a lease")?;
    Ok(outcome.rows_affected() == 1)
}

/// Gives the lease up, so that another instance need not wait for its end.
pub async fn release<C: ConnectionTrait>(
    connection: &C,
    service: &'static str,
    job: &'static str,
    holder: &str,
) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM {service}_lease WHERE job = $1 AND holder = $2");
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [job.into(), holder.into()]);
    connection.execute_raw(statement).await.doing("giving a lease up")?;
    Ok(())
}
