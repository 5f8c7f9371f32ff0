//! What the services decided, read for the figures of a replay.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::id::IncidentId;
use platform::store::{Doing, ROWS_PER_INSERT, Store, StoreError, get, get_incident};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, Statement, Value};

/// The area each incident was routed to, as `route` keeps it.
pub async fn areas(
    route: &Store,
    incidents: &[IncidentId],
) -> Result<BTreeMap<IncidentId, AreaPath>, StoreError> {
    let texts = column(route, "route_incident", "area", incidents, None).await?;
    let parsed = texts.into_iter().filter_map(|(incident, area)| Some((incident, area.parse().ok()?)));
    Ok(parsed.collect())
}

/// The verdict on each incident's handling deadline, where there is one, as `supervise` keeps it.
pub async fn verdicts(
    supervise: &Store,
    incidents: &[IncidentId],
) -> Result<BTreeMap<IncidentId, String>, StoreError> {
    column(supervise, "supervise_deadline", "verdict", incidents, Some("handle")).await
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

/// How many incidents were placed how.
pub struct PlacedHow {
    /// In a grid.
    pub in_grid: i64,
    /// In a community or street that the report names, and held there by a rule.
    pub by_name: i64,
    /// Neither: with a street desk until somebody knows more.
    pub fallback: i64,
}

/// Counts the incidents by how they were placed; each is one of the three.
pub async fn placed_how(route: &Store) -> Result<PlacedHow, StoreError> {
    let in_grid = "SELECT count(*) AS n FROM route_incident WHERE grid IS NOT NULL";
    let by_name = "SELECT count(*) AS n FROM route_incident WHERE grid IS NULL \
                   AND flags LIKE '%\"stated_area\"%' AND rule <> 'fallback'";
    let fallback = "SELECT count(*) AS n FROM route_incident WHERE grid IS NULL \
                    AND NOT (flags LIKE '%\"stated_area\"%' AND rule <> 'fallback')";
    Ok(PlacedHow {
        in_grid: one(route, in_grid, vec![]).await?,
        by_name: one(route, by_name, vec![]).await?,
        fallback: one(route, fallback, vec![]).await?,
    })
}

/// How many cases carry each flag.
pub async fn flagged(handle: &Store) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut flagged = BTreeMap::new();
    let lists = pairs(handle, "SELECT flags, count(*) AS n FROM handle_case GROUP BY flags", "flags").await?;
    for (list, cases) in lists {
        let flags: Vec<String> = serde_json::from_str(&list).map_err(|error| StoreError::Inconsistent {
            table: "handle_case",
            id: list.clone(),
            why: format!("its flags are no list of texts: {error}"),
        })?;
        for flag in flags {
            *flagged.entry(flag).or_default() += cases;
        }
    }
    Ok(flagged)
}

/// Sums of the tallies by measure, of what is sensitive and of what is not together.
pub async fn tallies(supervise: &Store) -> Result<BTreeMap<String, i64>, StoreError> {
    let sql = "SELECT replace(measure, 'sensitive_', '') AS told, CAST(sum(count) AS bigint) AS n FROM supervise_tally GROUP BY 1";
    pairs(supervise, sql, "told").await
}

/// Steps that took effect, before their time, more than once; and that should have by `until` and did not.
pub struct DueSteps {
    pub effected: i64,
    pub early: i64,
    pub doubled: i64,
    pub missed: i64,
}

/// What became of the steps, as `supervise` watches them and `handle` wrote them into the histories.
pub async fn due_steps(
    supervise: &Store,
    handle: &Store,
    until: DateTime<Utc>,
) -> Result<DueSteps, StoreError> {
    let effected = "SELECT count(*) AS n FROM supervise_step WHERE done_at IS NOT NULL";
    let early = "SELECT count(*) AS n FROM supervise_step WHERE done_at < due_at";
    // What happened is the same text for the same step, so a second time shows as a second row.
    let doubled = "SELECT count(*) AS n FROM (SELECT 1 AS step FROM handle_history \
                   WHERE kind IN ('case.reminded', 'case.lapsed', 'case.escalated') GROUP BY incident, happened HAVING count(*) > 1) AS d";
    let missed = "SELECT count(*) AS n FROM supervise_step s \
                  JOIN supervise_deadline d ON d.incident = s.incident AND d.kind = s.kind AND d.round = s.round \
                  WHERE s.done_at IS NULL AND s.due_at < coalesce(d.met_at, $1)";
    Ok(DueSteps {
        effected: one(supervise, effected, vec![]).await?,
        early: one(supervise, early, vec![]).await?,
        doubled: one(handle, doubled, vec![]).await?,
        missed: one(supervise, missed, vec![until.into()]).await?,
    })
}

async fn one(store: &Store, sql: &str, values: Vec<Value>) -> Result<i64, StoreError> {
    let readers = store.readers();
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), sql, values);
    let row = readers.query_one_raw(statement).await.doing("counting what was decided")?;
    row.map_or(Ok(0), |row| get(&row, "n"))
}

async fn pairs(store: &Store, sql: &str, key: &str) -> Result<BTreeMap<String, i64>, StoreError> {
    let readers = store.readers();
    let statement = Statement::from_string(readers.get_database_backend(), sql);
    let rows = readers.query_all_raw(statement).await.doing("counting what was decided")?;
    rows.iter().map(|row| Ok((get(row, key)?, get(row, "n")?))).collect()
}
