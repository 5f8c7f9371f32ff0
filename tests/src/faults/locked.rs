//! Somebody at the database who holds a lock on a table, as whoever makes an index does, and a database that refuses
//! what would be well at another time.

use std::time::Duration;

use anyhow::Context;
use sea_orm::ConnectionTrait;
use tokio::task::JoinHandle;

use super::work::Work;
use crate::instance::beat;

const LOOK: Duration = Duration::from_millis(20);

/// Takes a lock on the outbox of `service` that lets others read and nobody write, and keeps it for so long; answers how
/// many sessions at most waited for it at once.
///
/// # Errors
/// When the lock is not to be had.
pub async fn hold(work: &Work, service: &str, lasts: Duration) -> anyhow::Result<i64> {
    let store = work.apart(service).await?;
    let lock = format!(
        "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE {service}_outbox IN SHARE MODE; \
         SELECT pg_sleep({}); COMMIT",
        lasts.as_secs_f64()
    );
    let holding: JoinHandle<anyhow::Result<()>> = tokio::spawn(async move {
        let held = store.writer().execute_unprepared(&lock).await;
        store.close().await?;
        held.map(drop).context("a table cannot be locked")
    });
    let waiting = format!(
        "SELECT count(*) FROM pg_locks AS waits WHERE NOT waits.granted AND waits.relation = '{service}_outbox'::regclass \
         AND EXISTS (SELECT 1 FROM pg_locks AS held WHERE held.granted AND held.relation = waits.relation \
         AND held.database = waits.database AND held.mode = 'ShareLock')"
    );
    let mut most = 0;
    while !holding.is_finished() {
        most = most.max(work.count(service, &waiting, Vec::new()).await?);
        beat(LOOK).await;
    }
    holding.await.context("whoever holds the lock panicked")??;
    Ok(most)
}

/// In a schema of its own, so that nothing of the service's is changed; its sequence counts also what was rolled back.
const REFUSE: &str = "
CREATE SCHEMA IF NOT EXISTS refusing;
CREATE SEQUENCE IF NOT EXISTS refusing.times;
CREATE OR REPLACE FUNCTION refusing.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF random() * 100 < TG_ARGV[1]::int THEN
    PERFORM nextval('refusing.times');
    RAISE EXCEPTION 'refused by whoever tries this service' USING ERRCODE = TG_ARGV[0];
  END IF;
  RETURN NULL;
END $$;";

/// From now on the database of `service` refuses so many percent of the turns that publish, with this SQLSTATE.
///
/// # Errors
/// When it cannot be told so.
pub async fn refuse(work: &Work, service: &str, state: &str, percent: usize) -> anyhow::Result<()> {
    let trigger = format!(
        "{REFUSE} SELECT setval('refusing.times', 1, false); \
         CREATE TRIGGER refusing BEFORE INSERT ON {service}_outbox FOR EACH STATEMENT \
         EXECUTE FUNCTION refusing.refuse('{state}', '{percent}');"
    );
    told(work, service, &trigger).await
}

/// It refuses nothing any more; answers how many statements it has refused.
///
/// # Errors
/// When it cannot be told so.
pub async fn accept(work: &Work, service: &str) -> anyhow::Result<i64> {
    told(work, service, &format!("DROP TRIGGER IF EXISTS refusing ON {service}_outbox")).await?;
    let times = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM refusing.times";
    work.count(service, times, Vec::new()).await
}

async fn told(work: &Work, service: &str, sql: &str) -> anyhow::Result<()> {
    let store = work.apart(service).await?;
    let told = store.writer().execute_unprepared(sql).await;
    store.close().await?;
    told.map(drop).with_context(|| format!("the database of {service} cannot be told: {sql}"))
}
