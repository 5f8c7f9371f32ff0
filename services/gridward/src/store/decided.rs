//! What the services decided, read for the figures of a replay.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::id::IncidentId;
use platform::store::{Doing, ROWS_PER_INSERT, Store, StoreError, get, get_incident};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// The area each incident was routed to.
pub async fn areas(
    store: &Store,
    incidents: &[IncidentId],
) -> Result<BTreeMap<IncidentId, AreaPath>, StoreError> {
    let texts = column(store, "route_incident", "area", incidents, None).await?;
    let parsed = texts.into_iter().filter_map(|(incident, area)| Some((incident, area.parse().ok()?)));
    Ok(parsed.collect())
}

/// The verdict on each incident's handling deadline, where there is one.
pub async fn verdicts(
    store: &Store,
    incidents: &[IncidentId],
) -> Result<BTreeMap<IncidentId, String>, StoreError> {
    column(store, "supervise_deadline", "verdict", incidents, Some("handle")).await
}

async fn column(
    store: &Store,
    table: &'static str,
    column: &'static str,
    incidents: &[IncidentId],
    kind: Option<&str>,
) -> Result<BTreeMap<IncidentId, String>, StoreError> {
    let mut found = BTreeMap::new();
    for some in incidents.chunks(ROWS_PER_INSERT) {
        let mut select = Query::select()
            .columns([Alias::new("incident"), Alias::new(column)])
            .from(Alias::new(table))
            .and_where(Expr::col(Alias::new("incident")).is_in(some.iter().map(|incident| incident.0)))
            .to_owned();
        if let Some(kind) = kind {
            select.and_where(Expr::col(Alias::new("kind")).eq(kind));
        }
        for row in store.readers().query_all(&select).await.doing("reading what was decided")? {
            if let Some(text) = get::<Option<String>>(&row, column)? {
                found.insert(get_incident(&row, "incident")?, text);
            }
        }
    }
    Ok(found)
}

/// Incidents that lie in a grid, and those that do not.
pub async fn routed_and_fallback(store: &Store) -> Result<(i64, i64), StoreError> {
    let routed = one(store, "SELECT count(*) AS n FROM route_incident WHERE grid IS NOT NULL").await?;
    let fallback = one(store, "SELECT count(*) AS n FROM route_incident WHERE grid IS NULL").await?;
    Ok((routed, fallback))
}

/// How many cases carry each flag.
pub async fn flagged(store: &Store) -> Result<BTreeMap<String, i64>, StoreError> {
    let sql = "SELECT f.value AS flag, count(*) AS n FROM handle_case, json_each(handle_case.flags) AS f \
               GROUP BY f.value";
    pairs(store, sql, "flag").await
}

/// Sums of the tallies by measure.
pub async fn tallies(store: &Store) -> Result<BTreeMap<String, i64>, StoreError> {
    pairs(
        store,
        "SELECT measure, CAST(sum(count) AS INTEGER) AS n FROM supervise_tally GROUP BY measure",
        "measure",
    )
    .await
}

/// Steps that took effect, before their time, more than once; and that should have by `until` and did not.
pub struct DueSteps {
    pub effected: i64,
    pub early: i64,
    pub doubled: i64,
    pub missed: i64,
}

pub async fn due_steps(store: &Store, until: DateTime<Utc>) -> Result<DueSteps, StoreError> {
    let effected = one(store, "SELECT count(*) AS n FROM supervise_step WHERE done_at IS NOT NULL").await?;
    let early = one(store, "SELECT count(*) AS n FROM supervise_step WHERE done_at < due_at").await?;
    // What happened is the same text for the same step, so a second time shows as a second row.
    let doubled = "SELECT count(*) AS n FROM (SELECT 1 FROM handle_history \
                   WHERE kind IN ('case.reminded', 'case.escalated') GROUP BY incident, happened HAVING count(*) > 1)";
    let doubled = one(store, doubled).await?;
    let missed = "SELECT count(*) AS n FROM supervise_step s \
                  JOIN supervise_deadline d ON d.incident = s.incident AND d.kind = s.kind AND d.round = s.round \
                  WHERE s.done_at IS NULL AND s.due_at < coalesce(d.met_at, ?)";
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, missed, [until.into()]);
    let row = store.readers().query_one_raw(statement).await.doing("counting missed steps")?;
    let missed = row.map_or(Ok(0), |row| get(&row, "n"))?;
    Ok(DueSteps { effected, early, doubled, missed })
}

async fn one(store: &Store, sql: &str) -> Result<i64, StoreError> {
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    let row = store.readers().query_one_raw(statement).await.doing("counting what was decided")?;
    row.map_or(Ok(0), |row| get(&row, "n"))
}

async fn pairs(store: &Store, sql: &str, key: &str) -> Result<BTreeMap<String, i64>, StoreError> {
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    let rows = store.readers().query_all_raw(statement).await.doing("counting what was decided")?;
    rows.iter().map(|row| Ok((get(row, key)?, get(row, "n")?))).collect()
}
