//! What a bench sees of the services' work from outside: how far they are, and when they did what.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use domain::id::IncidentId;
use platform::clock::Clock;
use platform::store::{Doing, ROWS_PER_INSERT, Store, StoreError, get, get_incident, get_time};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, Statement, Value};

/// How many facts of `topic` a service has read, on a topic that was never trimmed; and the database's time then.
///
/// # Errors
/// When the database fails.
pub async fn read_so_far(
    store: &Store,
    service: &str,
    topic: Topic,
) -> Result<(i64, DateTime<Utc>), StoreError> {
    let sql = if store.is_shared() {
        format!(
            "SELECT CAST(coalesce(sum(position + 1), 0) AS bigint) AS n FROM {service}_position WHERE topic = $1"
        )
    } else {
        // A position in the one log is an id among those of all topics.
        format!(
            "SELECT count(*) AS n FROM log WHERE topic = $1 AND id <= \
             (SELECT coalesce(max(position), 0) FROM {service}_position WHERE topic = $1)"
        )
    };
    let read = count(store, &sql, vec![topic.as_str().into()]).await?;
    Ok((read, store.now(store.readers(), &Clock::Host).await?))
}

/// How many facts a service has published on its topic.
///
/// # Errors
/// When the database fails.
pub async fn published(store: &Store, service: &str, topic: Topic) -> Result<i64, StoreError> {
    let table = if store.is_shared() { format!("{service}_outbox") } else { "log".to_owned() };
    let sql = format!("SELECT count(*) AS n FROM {table} WHERE topic = $1");
    count(store, &sql, vec![topic.as_str().into()]).await
}

/// When the first fact of a topic was noticed behind `from`.
///
/// # Errors
/// When the database fails.
pub async fn first_noticed(
    store: &Store,
    service: &str,
    topic: Topic,
    from: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let table = if store.is_shared() { format!("{service}_outbox") } else { "log".to_owned() };
    let sql = format!("SELECT min(noticed_at) AS at FROM {table} WHERE topic = $1 AND noticed_at >= $2");
    let readers = store.readers();
    let values: Vec<Value> = vec![topic.as_str().into(), from.into()];
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), sql, values);
    let row = readers.query_one_raw(statement).await.doing("looking when work began")?;
    row.map_or(Ok(None), |row| get(&row, "at"))
}

/// Which of `incidents` are cases now.
///
/// # Errors
/// When the database fails.
pub async fn cases(handle: &Store, incidents: &[IncidentId]) -> Result<BTreeSet<IncidentId>, StoreError> {
    let mut found = BTreeSet::new();
    for some in incidents.chunks(ROWS_PER_INSERT) {
        let select = Query::select()
            .column(Alias::new("incident"))
            .from(Alias::new("handle_case"))
            .and_where(Expr::col(Alias::new("incident")).is_in(some.iter().map(|incident| incident.0)))
            .to_owned();
        for row in handle.readers().query_all(&select).await.doing("looking for cases")? {
            found.insert(get_incident(&row, "incident")?);
        }
    }
    Ok(found)
}

/// How many deadlines of an incident supervise watches.
///
/// # Errors
/// When the database fails.
pub async fn open_deadlines(supervise: &Store, incident: IncidentId) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) AS n FROM supervise_deadline WHERE incident = $1 AND open";
    count(supervise, sql, vec![incident.0.into()]).await
}

/// When steps of `incidents` took effect: the time each was due, and when it was noticed.
///
/// # Errors
/// When the database fails.
pub async fn effects(
    handle: &Store,
    incidents: &[IncidentId],
) -> Result<Vec<(DateTime<Utc>, DateTime<Utc>)>, StoreError> {
    let mut found = Vec::new();
    for some in incidents.chunks(ROWS_PER_INSERT) {
        let select = Query::select()
            .columns(["at", "noticed_at"].map(Alias::new))
            .from(Alias::new("handle_history"))
            .and_where(Expr::col(Alias::new("incident")).is_in(some.iter().map(|incident| incident.0)))
            .and_where(Expr::col(Alias::new("kind")).is_in([
                "case.reminded",
                "case.lapsed",
                "case.escalated",
            ]))
            .to_owned();
        for row in handle.readers().query_all(&select).await.doing("looking for effects")? {
            found.push((get_time(&row, "at")?, get_time(&row, "noticed_at")?));
        }
    }
    Ok(found)
}

async fn count(store: &Store, sql: &str, values: Vec<Value>) -> Result<i64, StoreError> {
    let readers = store.readers();
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), sql, values);
    let row = readers.query_one_raw(statement).await.doing("counting what was done")?;
    row.map_or(Ok(0), |row| get(&row, "n"))
}
