//! What the bare database does at most: rows like those of the services, written into copies of their tables with
//! all indexes, with nothing around it. A bench says how near the services come.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::id::IncidentId;
use platform::clock::host_now;
use platform::entropy;
use platform::store::{Doing, Store, StoreError, get};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, QueryResult, Statement,
    TransactionTrait, Value,
};
use tokio::task::JoinSet;
use uuid::Uuid;

/// A database to be measured bare: connections that are ours alone, and the copies made there.
#[derive(Debug)]
pub struct Bare {
    connections: Vec<DatabaseConnection>,
    /// Another file of the same schema: its tables are the copies.
    file: Option<Store>,
    copies: Vec<&'static str>,
}

/// Rows as a service wrote them, to be written again.
#[derive(Clone, Debug)]
pub struct Rows {
    into: String,
    columns: Vec<Column>,
    rows: Arc<Vec<Vec<Value>>>,
    /// Rows of one incident.
    each: usize,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Uuid,
    Time,
    Bool,
    Double,
    Big,
    Int,
    Text,
}

impl Kind {
    /// By what a database calls the type.
    fn of(name: &str) -> Self {
        let name = name.to_lowercase();
        let kinds = [
            ("uuid", Self::Uuid),
            ("timestamp", Self::Time),
            ("bool", Self::Bool),
            ("double", Self::Double),
            ("real", Self::Double),
            ("bigint", Self::Big),
            ("int", Self::Int),
        ];
        kinds.into_iter().find(|(part, _)| name.contains(part)).map_or(Self::Text, |(_, kind)| kind)
    }

    fn read(self, row: &QueryResult, column: &str) -> Result<Value, StoreError> {
        Ok(match self {
            Self::Uuid => get::<Option<Uuid>>(row, column)?.into(),
            Self::Time => get::<Option<DateTime<Utc>>>(row, column)?.into(),
            Self::Bool => get::<Option<bool>>(row, column)?.into(),
            Self::Double => get::<Option<f64>>(row, column)?.into(),
            Self::Big => get::<Option<i64>>(row, column)?.into(),
            Self::Int => get::<Option<i32>>(row, column)?.into(),
            Self::Text => get::<Option<String>>(row, column)?.into(),
        })
    }
}

/// Drawn by the database, or written later.
const LEFT_OUT: [&str; 2] = ["id", "published_at"];

/// What tells our copies from everybody else's tables.
const COPY: &str = "bare_";

impl Bare {
    /// So many connections to a PostgreSQL database. No connection is tried out before each transaction, as a pool
    /// would: nothing is between the statements and the server.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn server(url: &str, connections: usize) -> Result<Self, StoreError> {
        let mut ours = Vec::with_capacity(connections);
        for _ in 0..connections {
            let mut options = ConnectOptions::new(url);
            options.max_connections(1).min_connections(1).sqlx_logging(false).test_before_acquire(false);
            ours.push(Database::connect(options).await.doing("connecting to measure")?);
        }
        Ok(Self { connections: ours, file: None, copies: Vec::new() })
    }

    /// An empty file of the services' own schema, and its one writer.
    pub fn file(store: Store) -> Self {
        Self { connections: vec![store.writer().clone()], file: Some(store), copies: Vec::new() }
    }

    fn one(&self) -> &DatabaseConnection {
        &self.connections[0]
    }

    /// Reads the rows of the last `incidents` of `table`, `each` of them having so many, and makes an empty copy of
    /// the table for them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn copy_of(
        &mut self,
        from: &Store,
        table: &'static str,
        incidents: usize,
        each: usize,
    ) -> Result<Rows, StoreError> {
        let rows = Rows::read(from, table, incidents, each).await?;
        if self.file.is_some() {
            return Ok(rows);
        }
        let into = format!("{COPY}{table}");
        let make = format!("DROP TABLE IF EXISTS {into}; CREATE TABLE {into} (LIKE {table} INCLUDING ALL)");
        self.one().execute_unprepared(&make).await.doing("copying a table")?;
        self.copies.push(table);
        Ok(Rows { into, ..rows })
    }

    /// One transaction for each incident, with one row of each of `rows` under a name of its own, from all
    /// connections at once, for so `long` or until there are `most`; answers how many a second.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn one_by_one(&self, rows: &[Rows], long: Duration, most: usize) -> Result<f64, StoreError> {
        let rows: Arc<[Rows]> = rows.into();
        let next = Arc::new(AtomicUsize::new(0));
        let begun = Instant::now();
        let mut writing = JoinSet::new();
        for connection in &self.connections {
            writing.spawn(single(connection.clone(), rows.clone(), next.clone(), begun + long, most));
        }
        let mut all = 0;
        while let Some(one) = writing.join_next().await {
            all += one.unwrap_or(Ok(0))?;
        }
        Ok(a_second(all, begun.elapsed()))
    }

    /// Removes the copies and closes the connections.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<(), StoreError> {
        for table in &self.copies {
            self.one()
                .execute_unprepared(&format!("DROP TABLE {COPY}{table}"))
                .await
                .doing("removing a copy")?;
        }
        for connection in self.connections {
            connection.close().await.doing("closing a connection")?;
        }
        match self.file {
            Some(store) => store.close().await,
            None => Ok(()),
        }
    }
}

async fn single(
    connection: DatabaseConnection,
    rows: Arc<[Rows]>,
    next: Arc<AtomicUsize>,
    until: Instant,
    most: usize,
) -> Result<usize, StoreError> {
    let doing = "writing bare rows";
    let backend = connection.get_database_backend();
    let inserts: Vec<String> = rows.iter().map(|rows| rows.insert(backend, 1)).collect();
    let mut written = 0;
    while Instant::now() < until {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= most {
            break;
        }
        let incident = IncidentId::new(host_now(), entropy::draw());
        let tx = connection.begin().await.doing(doing)?;
        for (rows, insert) in rows.iter().zip(&inserts) {
            let values = rows.renamed(number, incident);
            tx.execute_raw(Statement::from_sql_and_values(backend, insert, values)).await.doing(doing)?;
        }
        tx.commit().await.doing(doing)?;
        written += 1;
    }
    Ok(written)
}

/// The services' databases, each with what is written there for the same incidents.
pub type Parts<'a> = [(&'a Bare, &'a [Rows])];

/// Writes all rows of all parts once, in statements of `batch` incidents: a transaction for each batch and part, as
/// turns do. From so many connections, each with its share. Answers how many incidents a second.
///
/// # Errors
/// When a database fails.
pub async fn in_batches(parts: &Parts<'_>, batch: usize, connections: usize) -> Result<f64, StoreError> {
    for (bare, rows) in parts {
        for rows in *rows {
            let empty = if bare.file.is_some() { "DELETE FROM" } else { "TRUNCATE" };
            bare.one()
                .execute_unprepared(&format!("{empty} {}", rows.into))
                .await
                .doing("emptying a copy")?;
        }
    }
    let incidents = parts.iter().flat_map(|(_, rows)| rows.iter().map(Rows::incidents)).min().unwrap_or(0);
    let begun = Instant::now();
    let mut writing = JoinSet::new();
    for number in 0..connections {
        let from = incidents * number / connections;
        let to = incidents * (number + 1) / connections;
        let share = |(bare, rows): &(&Bare, &[Rows])| {
            let connection = bare.connections.get(number).unwrap_or(bare.one());
            (connection.clone(), rows.to_vec())
        };
        writing.spawn(batches(parts.iter().map(share).collect(), batch, from, to));
    }
    while let Some(one) = writing.join_next().await {
        one.unwrap_or(Ok(()))?;
    }
    Ok(a_second(incidents, begun.elapsed()))
}

async fn batches(
    parts: Vec<(DatabaseConnection, Vec<Rows>)>,
    batch: usize,
    from: usize,
    to: usize,
) -> Result<(), StoreError> {
    let doing = "writing many bare rows";
    for first in (from..to).step_by(batch.max(1)) {
        let last = (first + batch).min(to);
        for (connection, rows) in &parts {
            let backend = connection.get_database_backend();
            let tx = connection.begin().await.doing(doing)?;
            for rows in rows {
                let insert = rows.insert(backend, (last - first) * rows.each);
                let values = rows.rows[first * rows.each..last * rows.each].concat();
                tx.execute_raw(Statement::from_sql_and_values(backend, insert, values)).await.doing(doing)?;
            }
            tx.commit().await.doing(doing)?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "what one run wrote fits an f64")]
fn a_second(count: usize, long: Duration) -> f64 {
    count as f64 / long.as_secs_f64().max(1e-6)
}

impl Rows {
    /// Reads the rows of the last `incidents` of `table`, in their order.
    ///
    /// # Errors
    /// When the database fails, or holds too few.
    pub async fn read(
        from: &Store,
        table: &'static str,
        incidents: usize,
        each: usize,
    ) -> Result<Self, StoreError> {
        let readers = from.readers();
        let backend = readers.get_database_backend();
        let columns = columns(readers, table).await?;
        let names: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let sql = format!(
            "SELECT {} FROM {table} ORDER BY incident DESC LIMIT {}",
            names.join(", "),
            incidents * each
        );
        let found =
            readers.query_all_raw(Statement::from_string(backend, sql)).await.doing("reading rows")?;
        let rows = found.iter().rev().map(|row| {
            columns.iter().map(|column| column.kind.read(row, &column.name)).collect::<Result<Vec<_>, _>>()
        });
        let rows: Vec<Vec<Value>> = rows.collect::<Result<_, _>>()?;
        if rows.len() < each {
            let why = format!("{} rows, and {each} are needed", rows.len());
            return Err(StoreError::Inconsistent { table, id: String::new(), why });
        }
        Ok(Self { into: table.to_owned(), columns, rows: Arc::new(rows), each })
    }

    fn incidents(&self) -> usize {
        self.rows.len() / self.each
    }

    fn insert(&self, backend: DbBackend, rows: usize) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let width = names.len();
        let row = |n: usize| {
            let values: Vec<String> = (1..=width)
                .map(|m| match backend {
                    DbBackend::Postgres => format!("${}", n * width + m),
                    _ => "?".to_owned(),
                })
                .collect();
            format!("({})", values.join(","))
        };
        let all: Vec<String> = (0..rows).map(row).collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.into, names.join(","), all.join(","))
    }

    /// The row of that number, counted around, as of another incident.
    fn renamed(&self, number: usize, incident: IncidentId) -> Vec<Value> {
        let mut row = self.rows[number % self.rows.len()].clone();
        for (column, value) in self.columns.iter().zip(&mut row) {
            match column.name.as_str() {
                "incident" => *value = incident.0.into(),
                "client_id" => *value = incident.0.to_string().into(),
                _ => {}
            }
        }
        row
    }
}

async fn columns(readers: &DatabaseConnection, table: &str) -> Result<Vec<Column>, StoreError> {
    let backend = readers.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => format!(
            "SELECT column_name::text AS name, data_type::text AS kind FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
        ),
        _ => format!("SELECT name, type AS kind FROM pragma_table_info('{table}') ORDER BY cid"),
    };
    let rows = readers.query_all_raw(Statement::from_string(backend, sql)).await.doing("reading columns")?;
    let columns = rows.iter().map(|row| {
        let kind: String = get(row, "kind")?;
        Ok(Column { name: get(row, "name")?, kind: Kind::of(&kind) })
    });
    let columns: Vec<Column> = columns.collect::<Result<_, StoreError>>()?;
    Ok(columns.into_iter().filter(|column| !LEFT_OUT.contains(&column.name.as_str())).collect())
}
