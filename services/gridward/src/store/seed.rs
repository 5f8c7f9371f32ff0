//! Cases by the million, as copies of one that the services have made, in the real tables: what stands around the few
//! that fall due in a bench.

use chrono::{DateTime, TimeDelta, Utc};
use domain::deadline::Deadline;
use domain::id::IncidentId;
use platform::clock::Clock;
use platform::store::{Doing, Store, StoreError, get, get_time, lists};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use uuid::Uuid;

/// The case that all others are copies of.
#[derive(Clone, Debug)]
pub struct Template {
    pub incident: IncidentId,
    /// How many deadlines are open.
    pub deadlines: i64,
    /// As the case's row has them.
    of_case: Vec<Deadline>,
}

/// How long nothing happens to those that stand around.
const FAR: TimeDelta = TimeDelta::days(60);

/// A case that is to fall due: the first step of its handling deadline.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    pub incident: IncidentId,
    pub at: DateTime<Utc>,
}

const SUPERVISED: [&str; 4] =
    ["supervise_case", "supervise_deadline", "supervise_step", "supervise_sequence"];

impl Template {
    /// Reads what the services know of `incident`.
    ///
    /// # Errors
    /// When a database fails, or the case is not open in both.
    pub async fn read(supervise: &Store, handle: &Store, incident: IncidentId) -> Result<Self, StoreError> {
        let one = async |store: &Store, sql: &str| {
            let statement = statement(store, sql, vec![incident.0.into()]);
            store.readers().query_one_raw(statement).await.doing("reading the case to copy")
        };
        let missing = |what: &str| StoreError::Inconsistent {
            table: "supervise_step",
            id: incident.to_string(),
            why: format!("a case to copy has no {what}"),
        };
        let deadlines = "SELECT count(*) AS n FROM supervise_deadline WHERE incident = $1 AND open";
        let deadlines = one(supervise, deadlines).await?.map(|row| get(&row, "n")).transpose()?;
        let row = one(handle, "SELECT deadlines FROM handle_case WHERE incident = $1").await?;
        let text: String = get(&row.ok_or_else(|| missing("row"))?, "deadlines")?;
        let wrong = |why| StoreError::Inconsistent { table: "handle_case", id: incident.to_string(), why };
        let of_case: Vec<Deadline> = lists::read(&text).map_err(wrong)?;
        match deadlines {
            Some(deadlines @ 1..) => Ok(Self { incident, deadlines, of_case }),
            _ => Err(missing("open deadline")),
        }
    }

    /// Adds a copy none of whose steps falls due in the next months; it is the one to copy from then on.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn set_apart(
        self,
        supervise: &Store,
        handle: &Store,
        incident: IncidentId,
    ) -> Result<Self, StoreError> {
        let at = handle.now(handle.readers(), &Clock::Host).await? + FAR;
        self.fall_due(supervise, handle, &[Due { incident, at }]).await?;
        Self::read(supervise, handle, incident).await
    }

    /// Adds the copies from number `from` to before `to`, none of which falls due in the next months. One statement
    /// for each table: the rows are made where they are kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stand_around(&self, supervise: &Store, from: i64, to: i64) -> Result<(), StoreError> {
        let tx = supervise.begin().await?;
        if supervise.is_shared() {
            tx.execute_unprepared("SET LOCAL statement_timeout = 0").await.doing("copying cases")?;
        }
        for table in SUPERVISED {
            let columns = columns(supervise, table).await?;
            let values: Vec<String> = columns.iter().map(|column| self.far(supervise, column)).collect();
            let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
            let (names, values) = (names.join(", "), values.join(", "));
            let numbers = match supervise.readers().get_database_backend() {
                DbBackend::Postgres => format!("generate_series({from}, {}) AS many(i)", to - 1),
                _ => format!(
                    "(WITH RECURSIVE many(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM many WHERE i + 1 < {to}) \
                     SELECT i FROM many) AS many"
                ),
            };
            let sql = format!(
                "INSERT INTO {table} ({names}) SELECT {values} FROM {numbers} CROSS JOIN {table} AS one \
                 WHERE one.incident = $1 ORDER BY i"
            );
            let insert = statement(supervise, &sql, vec![self.incident.0.into()]);
            tx.execute_raw(insert).await.doing("copying cases")?;
        }
        tx.commit().await.doing("copying cases")
    }

    /// What a column of the copy of number `i` holds.
    fn far(&self, store: &Store, column: &str) -> String {
        let postgres = store.readers().get_database_backend() == DbBackend::Postgres;
        let (days, name) = (FAR.num_days(), format!("one.\"{column}\""));
        match column {
            // Version 7, all of one moment, in the order of their numbers.
            "incident" if postgres => {
                "CAST('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0') AS uuid)".to_owned()
            }
            "incident" => "unhex('01900000000070008000' || printf('%012x', i))".to_owned(),
            // Four a second.
            "due_at" | "look_at" if postgres => {
                format!("{name} + make_interval(days => {days}, secs => i * 0.25)")
            }
            "due_at" | "look_at" => format!(
                "strftime('%Y-%m-%dT%H:%M:%S+00:00', {name}, '+{days} days', '+' || (i / 4) || ' seconds')"
            ),
            _ => name,
        }
    }

    /// Adds copies of which one step falls due at its time, and all others long after.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn fall_due(&self, supervise: &Store, handle: &Store, due: &[Due]) -> Result<(), StoreError> {
        for (store, tables) in
            [(supervise, &SUPERVISED[..]), (handle, &["handle_case", "handle_sequence"][..])]
        {
            let tx = store.begin().await?;
            for table in tables {
                let columns = columns(store, table).await?;
                let many = due.chunks(500);
                for some in many {
                    self.copy(store, &tx, table, &columns, some).await?;
                }
            }
            tx.commit().await.doing("copying cases that fall due")?;
        }
        Ok(())
    }

    /// One statement: the rows of one table for some cases, from their ids, times and lists of deadlines.
    async fn copy(
        &self,
        store: &Store,
        tx: &platform::store::Tx,
        table: &str,
        columns: &[String],
        due: &[Due],
    ) -> Result<(), StoreError> {
        let postgres = store.readers().get_database_backend() == DbBackend::Postgres;
        let first = "(one.kind = 'handle' AND one.step = 0)";
        let far = |name: &str| match postgres {
            true => format!("one.{name} + interval '{} days'", FAR.num_days()),
            false => format!("strftime('%Y-%m-%dT%H:%M:%S+00:00', one.{name}, '+{} days')", FAR.num_days()),
        };
        let of = |column: &String| match (table, column.as_str()) {
            (_, "incident") => "due.id".to_owned(),
            ("handle_case", "deadlines") => "due.list".to_owned(),
            ("supervise_step", name @ ("due_at" | "look_at")) => {
                format!("CASE WHEN {first} THEN due.at ELSE {} END", far(name))
            }
            ("supervise_deadline" | "handle_case", name @ "due_at") => far(name),
            (_, name) => format!("one.\"{name}\""),
        };
        let values: Vec<String> = columns.iter().map(of).collect();
        let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        let mut bound: Vec<Value> = Vec::new();
        let mut rows = Vec::new();
        for one in due {
            rows.push(match postgres {
                true => {
                    let n = bound.len();
                    format!("(${}::uuid, ${}::timestamptz, ${}::text)", n + 1, n + 2, n + 3)
                }
                false => "(?, ?, ?)".to_owned(),
            });
            bound.extend([Value::from(one.incident.0), one.at.into(), self.deadlines_due(one.at).into()]);
        }
        let template: Uuid = self.incident.0;
        let id = if postgres { format!("${}", bound.len() + 1) } else { "?".to_owned() };
        bound.push(template.into());
        let sql = format!(
            "WITH due(id, at, list) AS (VALUES {}) INSERT INTO {table} ({}) SELECT {} FROM due CROSS JOIN {table} AS one \
             WHERE one.incident = {id}",
            rows.join(", "),
            names.join(", "),
            values.join(", ")
        );
        tx.execute_raw(statement(store, &sql, bound)).await.doing("copying cases that fall due")?;
        Ok(())
    }

    /// The deadlines of a case as its row keeps them.
    fn deadlines_due(&self, at: DateTime<Utc>) -> String {
        let mut deadlines = self.of_case.clone();
        for deadline in &mut deadlines {
            deadline.due_at += FAR;
            for (n, step) in deadline.steps.iter_mut().enumerate() {
                let first = deadline.kind == domain::deadline::DeadlineKind::Handle && n == 0;
                step.due_at = if first { at } else { step.due_at + FAR };
            }
        }
        lists::write(&deadlines)
    }
}

/// Lets the database see what it holds now, as it would by itself after a while.
///
/// # Errors
/// When the database fails.
pub async fn look_over(supervise: &Store) -> Result<(), StoreError> {
    let tx = supervise.begin().await?;
    if supervise.is_shared() {
        tx.execute_unprepared("SET LOCAL statement_timeout = 0").await.doing("looking over the database")?;
    }
    for table in SUPERVISED {
        tx.execute_unprepared(&format!("ANALYZE {table}")).await.doing("looking over the database")?;
    }
    tx.commit().await.doing("looking over the database")
}

async fn columns(store: &Store, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = match store.readers().get_database_backend() {
        DbBackend::Postgres => format!(
            "SELECT column_name::text AS name FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
        ),
        _ => format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
    };
    let rows =
        store.readers().query_all_raw(statement(store, &sql, Vec::new())).await.doing("reading columns")?;
    rows.iter().map(|row| get(row, "name")).collect()
}

fn statement(store: &Store, sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(store.readers().get_database_backend(), sql, values)
}

/// The bare statements of a due step, for `due` steps in one transaction: find them, take them off the list, write
/// the fact of each, as supervise does; then change the case, write its history and its fact, as handle does, in
/// another. Answers how many that were; [`forget_bare`] takes them away.
///
/// # Errors
/// When a database fails.
pub async fn bare_steps(
    supervise: &Store,
    handle: &Store,
    until: DateTime<Utc>,
    due: usize,
) -> Result<usize, StoreError> {
    let doing = "taking bare steps";
    let tx = supervise.begin().await?;
    let find = "SELECT incident, look_at FROM supervise_step WHERE look_at <= $1 ORDER BY look_at LIMIT $2";
    let limit = i64::try_from(due).unwrap_or(i64::MAX);
    let found =
        tx.query_all_raw(statement(supervise, find, vec![until.into(), limit.into()])).await.doing(doing)?;
    let mut incidents: Vec<(Uuid, DateTime<Utc>)> = Vec::new();
    for row in &found {
        incidents.push((get(row, "incident")?, get_time(row, "look_at")?));
    }
    let (body, topic) = ("{\"deadline\":\"handle\",\"round\":1,\"step\":0,\"does\":\"remind\"}", "bare");
    let ids: Vec<Value> = incidents.iter().map(|(incident, _)| Value::from(*incident)).collect();
    let listed = |store: &Store, after: usize| {
        let marks: Vec<String> = (0..ids.len()).map(|n| mark(store, after + n + 1)).collect();
        marks.join(",")
    };
    let take = format!(
        "UPDATE supervise_step SET noticed_at = {}, look_at = NULL \
         WHERE incident IN ({}) AND kind = 'handle' AND step = 0",
        mark(supervise, 1),
        listed(supervise, 1)
    );
    let mut bound = vec![Value::from(until)];
    bound.extend(ids.clone());
    tx.execute_raw(statement(supervise, &take, bound)).await.doing(doing)?;
    let facts = |service: &str, store: &Store| {
        let table = if store.is_shared() { format!("{service}_outbox") } else { "log".to_owned() };
        let mut bound: Vec<Value> = Vec::new();
        let mut rows = Vec::new();
        for (incident, at) in &incidents {
            let n = bound.len();
            let marks: Vec<String> = (1..=8).map(|m| mark(store, n + m)).collect();
            rows.push(format!("({})", marks.join(",")));
            bound.extend([
                format!("{topic}-{service}").into(),
                (*incident).into(),
                2_i64.into(),
                "step.due".into(),
                (*at).into(),
                until.into(),
                "due/handle/1/0".into(),
                body.into(),
            ]);
        }
        let columns = "topic, incident, sequence, kind, at, noticed_at, cause, body";
        (format!("INSERT INTO {table} ({columns}) VALUES {}", rows.join(",")), bound)
    };
    let (sql, bound) = facts("supervise", supervise);
    tx.execute_raw(statement(supervise, &sql, bound)).await.doing(doing)?;
    tx.commit().await.doing(doing)?;

    let tx = handle.begin().await?;
    let change = format!(
        "UPDATE handle_case SET last_at = {}, deadlines = deadlines WHERE incident IN ({})",
        mark(handle, 1),
        listed(handle, 1)
    );
    let mut bound = vec![Value::from(until)];
    bound.extend(ids.clone());
    tx.execute_raw(statement(handle, &change, bound)).await.doing(doing)?;
    let mut bound: Vec<Value> = Vec::new();
    let mut rows = Vec::new();
    for (incident, at) in &incidents {
        let n = bound.len();
        let marks: Vec<String> = (1..=6).map(|m| mark(handle, n + m)).collect();
        rows.push(format!("({})", marks.join(",")));
        let kind = "bare";
        bound.extend([
            (*incident).into(),
            2_i64.into(),
            kind.into(),
            (*at).into(),
            until.into(),
            body.into(),
        ]);
    }
    let history = format!(
        "INSERT INTO handle_history (incident, sequence, kind, at, noticed_at, happened) VALUES {}",
        rows.join(",")
    );
    tx.execute_raw(statement(handle, &history, bound)).await.doing(doing)?;
    let (sql, bound) = facts("handle", handle);
    tx.execute_raw(statement(handle, &sql, bound)).await.doing(doing)?;
    tx.commit().await.doing(doing)?;
    Ok(incidents.len())
}

fn mark(store: &Store, number: usize) -> String {
    match store.readers().get_database_backend() {
        DbBackend::Postgres => format!("${number}"),
        _ => format!("?{number}"),
    }
}

/// Removes what [`bare_steps`] wrote: nobody has published it, and nobody shall.
///
/// # Errors
/// When a database fails.
pub async fn forget_bare(supervise: &Store, handle: &Store) -> Result<(), StoreError> {
    let doing = "removing bare rows";
    handle
        .writer()
        .execute_unprepared("DELETE FROM handle_history WHERE kind = 'bare'")
        .await
        .doing(doing)?;
    for (service, store) in [("supervise", supervise), ("handle", handle)] {
        let table = if store.is_shared() { format!("{service}_outbox") } else { "log".to_owned() };
        let sql = format!("DELETE FROM {table} WHERE topic = 'bare-{service}'");
        store.writer().execute_unprepared(&sql).await.doing(doing)?;
    }
    Ok(())
}
