//! Cases by the million in all four databases of an office on servers, as copies of one that the services have made:
//! what an audit has to look at.

use domain::id::IncidentId;
use platform::store::{Doing, Store, StoreError, get};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// The tables of a service that know of an incident.
const TABLES: [(&str, &[&str]); 4] = [
    ("discover", &["discover_report", "discover_sequence", "discover_outbox"]),
    ("route", &["route_incident", "route_sequence", "route_outbox"]),
    ("handle", &["handle_case", "handle_history", "handle_words", "handle_sequence", "handle_outbox"]),
    (
        "supervise",
        &["supervise_case", "supervise_deadline", "supervise_step", "supervise_sequence", "supervise_outbox"],
    ),
];

/// Ids of copies begin so: version 7, all of one moment, in the order of their numbers.
const BEGINS: &str = "01900000-0000-7001-8000-";

/// How many copies the database of `service` holds: they are numbered without gap.
///
/// # Errors
/// When the database fails.
pub async fn held(store: &Store, service: &str) -> Result<i64, StoreError> {
    let sequences = format!("{service}_sequence");
    let sql = format!(
        "SELECT ('x' || right(incident::text, 12))::bit(48)::bigint + 1 AS n FROM {sequences} \
         WHERE incident BETWEEN '{BEGINS}000000000000' AND '{BEGINS}ffffffffffff' ORDER BY incident DESC LIMIT 1"
    );
    let row = one(store, sql).await?;
    row.map_or(Ok(0), |row| get(&row, "n"))
}

/// Lets statements on this connection take as long as they need.
///
/// # Errors
/// When the database fails.
pub async fn patient(store: &Store) -> Result<(), StoreError> {
    let sql = "SET statement_timeout = 0; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'";
    store.writer().execute_unprepared(sql).await.doing("setting how long a statement may take")?;
    Ok(())
}

/// Adds the copies of `incident` from number `from` to before `to` to what `service` keeps, one statement for each
/// table. The bodies of the facts in the outbox are left out: they would be most of the room. The store has one
/// connection, which is [`patient`].
///
/// # Errors
/// When the database fails.
pub async fn add(
    store: &Store,
    service: &str,
    incident: IncidentId,
    from: i64,
    to: i64,
) -> Result<(), StoreError> {
    let doing = "copying cases";
    let mut of_tables = Vec::new();
    for table in tables(service) {
        of_tables.push((*table, columns(store, table).await?));
    }
    let tx = store.begin().await?;
    for (table, columns) in of_tables {
        let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        let values: Vec<String> = columns.iter().map(|column| value(table, column)).collect();
        let sql = format!(
            "INSERT INTO {table} ({}) SELECT {} FROM generate_series({from}, {}) AS many(i) CROSS JOIN {table} AS one \
             WHERE one.incident = '{incident}' ORDER BY i",
            names.join(", "),
            values.join(", "),
            to - 1
        );
        tx.execute_unprepared(&sql).await.doing(doing)?;
    }
    if service == "supervise" {
        // The case was just opened, which is all that figures know of it; what is sensitive is counted by itself.
        let area = format!("(SELECT area FROM supervise_case WHERE incident = '{incident}')");
        let counted = format!(
            "UPDATE supervise_tally SET count = count + {} WHERE area = {area} AND measure LIKE \
             CASE WHEN EXISTS (SELECT 1 FROM supervise_tally WHERE area = {area} AND measure = 'opened') \
             THEN 'opened%' ELSE 'sensitive_opened%' END",
            to - from
        );
        tx.execute_unprepared(&counted).await.doing(doing)?;
    }
    tx.commit().await.doing(doing)
}

/// What a column of the copy of number `i` holds.
fn value(table: &str, column: &str) -> String {
    match column {
        "incident" => format!("CAST('{BEGINS}' || lpad(to_hex(i), 12, '0') AS uuid)"),
        "client_id" => "one.client_id || '-' || i".to_owned(),
        "body" if table.ends_with("_outbox") => "''".to_owned(),
        _ => format!("one.\"{column}\""),
    }
}

/// Lets the database see what it holds now, as it would by itself after a while: which pages all can see, and how
/// values are spread.
///
/// # Errors
/// When the database fails.
pub async fn look_over(store: &Store, service: &str) -> Result<(), StoreError> {
    let doing = "looking over the database";
    for table in tables(service) {
        store.writer().execute_unprepared(&format!("VACUUM (ANALYZE) {table}")).await.doing(doing)?;
    }
    Ok(())
}

/// Counts the rows of every table of `service` that knows of an incident, from its pages and not from an index: the
/// least that looking at all of them takes. Answers how many that are.
///
/// # Errors
/// When the database fails.
pub async fn count_bare(store: &Store, service: &str) -> Result<i64, StoreError> {
    let doing = "counting bare rows";
    let tx = store.begin().await?;
    tx.execute_unprepared(
        "SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off",
    )
    .await
    .doing(doing)?;
    let mut all = 0;
    for table in tables(service) {
        let sql = format!("SELECT count(*) AS n FROM {table}");
        let row = tx.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.doing(doing)?;
        all += row.map_or(Ok(0), |row| get::<i64>(&row, "n"))?;
    }
    tx.commit().await.doing(doing)?;
    Ok(all)
}

/// How many bytes the database of a service takes.
///
/// # Errors
/// When the database fails.
pub async fn bytes(store: &Store) -> Result<i64, StoreError> {
    let row = one(store, "SELECT pg_database_size(current_database()) AS n".to_owned()).await?;
    row.map_or(Ok(0), |row| get(&row, "n"))
}

fn tables(service: &str) -> &'static [&'static str] {
    TABLES.iter().find(|(of, _)| *of == service).map_or(&[], |(_, tables)| *tables)
}

async fn columns(store: &Store, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT column_name::text AS name FROM information_schema.columns WHERE table_schema = current_schema() \
         AND table_name = '{table}' AND NOT (column_name = 'id' AND table_name LIKE '%\\_outbox') \
         ORDER BY ordinal_position"
    );
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = store.readers().query_all_raw(statement).await.doing("reading columns")?;
    rows.iter().map(|row| get(row, "name")).collect()
}

async fn one(store: &Store, sql: String) -> Result<Option<sea_orm::QueryResult>, StoreError> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    store.readers().query_one_raw(statement).await.doing("looking at copies")
}
