//! A street in a file, copied to servers: its tables into a database for each service, its log into their
//! outboxes and, as the relays would send it, onto topics.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::facts::Topic;
use gridward::audit::Places;
use kafka::connection::Connection;
use kafka::reading::{Membership, Reading};
use kafka::sending::{Outgoing, Sending};
use kafka::topics::{Topics, Wanted};
use platform::store::{Store, log, outbox};
use platform::stream::kafka::envelope::{seal, topic_name};
use platform::stream::{Fact, Record};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// Where `tests/servers/with.sh` tells of its servers.
const POSTGRES: &str = "GRIDWARD_TEST_POSTGRES";
const KAFKA: &str = "GRIDWARD_TEST_KAFKA";

pub const SERVICES: [(&str, Topic, &[Topic]); 4] = [
    ("discover", Topic::Reported, &[]),
    ("route", Topic::Routed, &[Topic::Reported, Topic::Handled]),
    ("handle", Topic::Handled, &[Topic::Routed, Topic::Supervised]),
    ("supervise", Topic::Supervised, &[Topic::Handled]),
];

const PARTITIONS: usize = 2;

/// Whether there are servers to try it on.
pub fn are_there() -> bool {
    std::env::var_os(POSTGRES).is_some() && std::env::var_os(KAFKA).is_some()
}

/// The databases, with all tables as they were copied beside them, to go back to.
pub struct Copied {
    pub databases: BTreeMap<&'static str, Store>,
    tables: BTreeMap<&'static str, Vec<String>>,
    /// The log, in order, and how far each reader had read it.
    records: Vec<Record>,
    read_to: BTreeMap<(&'static str, Topic), i64>,
}

impl Copied {
    pub async fn of(file: &Store) -> Self {
        let mut databases = BTreeMap::new();
        let mut tables = BTreeMap::new();
        for (service, ..) in SERVICES {
            let store = Store::connect(&new_database().await, 4).await.unwrap();
            migrations::up_for(store.writer(), service).await.unwrap();
            tables.insert(service, copy_tables(file, &store, service).await);
            databases.insert(service, store);
        }
        let records = log::slice(file.readers(), 0, i64::MAX).await.unwrap();
        let mut read_to = BTreeMap::new();
        for (service, _, reads) in SERVICES {
            for topic in reads {
                let sql = format!("SELECT position FROM {service}_position WHERE topic = '{topic}'");
                read_to.insert((service, *topic), number(file, DbBackend::Sqlite, &sql).await);
            }
        }
        let copied = Self { databases, tables, records, read_to };
        copied.fill_outboxes().await;
        for (service, tables) in &copied.tables {
            let kept = tables.iter().map(|table| format!("CREATE TABLE kept.{table} AS TABLE {table}; "));
            let sql = format!("CREATE SCHEMA kept; {}", kept.collect::<String>());
            copied.execute(service, &sql).await;
        }
        copied
    }

    pub async fn execute(&self, service: &str, sql: &str) -> u64 {
        let outcome = self.databases[service].writer().execute_unprepared(sql).await;
        outcome.unwrap_or_else(|error| panic!("{error}\n{sql}")).rows_affected()
    }

    /// Everything of `service` as it was copied; positions too.
    pub async fn restore(&self, service: &str) {
        let again = self.tables[service]
            .iter()
            .map(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept.{table}; "));
        self.execute(service, &again.collect::<String>()).await;
        if service == "discover" {
            let index = "CREATE UNIQUE INDEX IF NOT EXISTS discover_report_by_client_id \
                         ON discover_report (client_id, reporter)";
            self.execute(service, index).await;
        }
    }

    async fn fill_outboxes(&self) {
        for (service, writes, _) in SERVICES {
            let own = self.records.iter().filter(|record| record.source.topic == writes);
            let facts: Vec<Fact> = own.map(fact).collect();
            let tx = self.databases[service].begin().await.unwrap();
            outbox::append(&tx, service, &facts).await.unwrap();
            tx.commit().await.unwrap();
            self.execute(service, &format!("UPDATE {service}_outbox SET published_at = noticed_at")).await;
        }
    }

    /// Has the facts on topics of their own, after `tamper` had its way with them, and puts each reader behind
    /// what it had read. The positions are kept to go back to.
    pub async fn lay(&self, tamper: impl FnOnce(&mut Vec<Outgoing>)) -> Places {
        let kafka = Connection::plain(std::env::var(KAFKA).unwrap());
        let prefix = format!("{}-", unique());
        let names: Vec<String> = Topic::ALL.iter().map(|topic| topic_name(&prefix, *topic)).collect();
        let topics = Topics::start(&kafka, Duration::from_secs(20)).unwrap();
        let wanted: Vec<Wanted> = names.iter().map(|name| Wanted::new(name, PARTITIONS)).collect();
        topics.ensure(&wanted).await.unwrap();
        let mut letters: Vec<Outgoing> =
            self.records.iter().map(|record| outgoing(&prefix, &fact(record))).collect();
        tamper(&mut letters);
        let mut sending = Sending::start(kafka::sending::Settings::new(kafka.clone())).unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        sending.send_all(&letters, deadline).await.unwrap();
        sending.stop().await;
        let office = Places { databases: self.databases.clone(), kafka, prefix };
        self.put_readers(&office, &topics).await;
        office
    }

    async fn put_readers(&self, office: &Places, topics: &Topics) {
        let lies = places(office).await;
        for (service, _, reads) in SERVICES {
            self.execute(service, &format!("DELETE FROM {service}_position")).await;
            for topic in reads {
                let name = topic_name(&office.prefix, *topic);
                let id = topics.ids(&[&name]).await.unwrap().remove(&name).unwrap();
                for partition in 0..i32::try_from(PARTITIONS).unwrap() {
                    let read = self.records.iter().filter(|record| {
                        record.source.topic == *topic && record.position <= self.read_to[&(service, *topic)]
                    });
                    let positions = read.filter_map(|record| {
                        lies.get(&log::name(*topic, record.incident, record.sequence))
                            .filter(|(on, _)| *on == partition)
                            .map(|(_, position)| *position)
                    });
                    let position = positions.max().unwrap_or(0);
                    let sql = format!(
                        "INSERT INTO {service}_position (topic, partition, topic_id, position) \
                         VALUES ('{topic}', {partition}, '{id}', {position})"
                    );
                    self.execute(service, &sql).await;
                }
            }
            let keep = format!(
                "DELETE FROM kept.{service}_position; INSERT INTO kept.{service}_position TABLE {service}_position"
            );
            self.execute(service, &keep).await;
        }
    }
}

fn outgoing(prefix: &str, fact: &Fact) -> Outgoing {
    let letter = seal(fact);
    Outgoing {
        topic: topic_name(prefix, fact.topic),
        key: letter.key.into_bytes(),
        payload: letter.body.into_bytes(),
        headers: letter
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_bytes()))
            .collect(),
        timestamp: 0,
    }
}

fn fact(record: &Record) -> Fact {
    let Record { source, incident, sequence, kind, at, noticed_at, cause, body, .. } = record.clone();
    Fact { topic: source.topic, incident, sequence, kind, at, noticed_at, cause, body }
}

/// Where each fact lies first: its partition and position, by its `ce_id`.
async fn places(office: &Places) -> BTreeMap<String, (i32, i64)> {
    let names = Topic::ALL.map(|topic| topic_name(&office.prefix, topic));
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let settings = kafka::reading::Settings::new(office.kafka.clone(), &all, Membership::Alone);
    let reading = Reading::start(settings).unwrap();
    let mut arrivals = reading.arrivals();
    while names.iter().any(|name| reading.assigned(name).len() < PARTITIONS) {
        arrivals.changed().await.unwrap();
    }
    let mut places = BTreeMap::new();
    for name in &names {
        for partition in reading.assigned(name) {
            let (_, last) = reading.bounds(name, partition).await.unwrap();
            let mut after = 0;
            while after < last {
                for message in reading.read(name, partition, after, 1_000).await.unwrap() {
                    after = message.position;
                    let id = message.headers.iter().find(|(name, _)| name == "ce_id");
                    let Some((_, id)) = id else { continue };
                    let id = String::from_utf8(id.clone()).unwrap();
                    places.entry(id).or_insert((partition, message.position));
                }
            }
        }
    }
    tokio::task::spawn_blocking(move || reading.stop()).await.unwrap().unwrap();
    places
}

/// Copies what the two settings have in common; answers the names of all tables of `service`.
async fn copy_tables(file: &Store, store: &Store, service: &str) -> Vec<String> {
    let sql = format!(
        "SELECT table_name, column_name, udt_name FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name LIKE '{service}\\_%' \
         AND table_name <> '{service}_migration' ORDER BY table_name, ordinal_position"
    );
    let rows = store.writer().query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in rows {
        let cell = |n| row.try_get_by_index::<String>(n).unwrap();
        tables.entry(cell(0)).or_default().push((cell(1), cell(2)));
    }
    for (table, columns) in &tables {
        let only_here = ["outbox", "lease", "position", "stray"];
        if only_here.iter().any(|name| *table == format!("{service}_{name}")) {
            continue;
        }
        let written = columns.iter().map(|(column, kind)| match kind.as_str() {
            "uuid" => format!("quote(lower(hex(\"{column}\")))"),
            "bool" => format!("CASE \"{column}\" WHEN 1 THEN 'true' ELSE 'false' END"),
            _ => format!("quote(\"{column}\")"),
        });
        let written = written.collect::<Vec<_>>().join(" || ', ' || ");
        let sql = format!("SELECT '(' || {written} || ')' FROM {table}");
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        let rows = file.readers().query_all_raw(statement).await.unwrap();
        let rows: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        let names: Vec<String> = columns.iter().map(|(column, _)| format!("\"{column}\"")).collect();
        for some in rows.chunks(1_000) {
            let sql = format!("INSERT INTO {table} ({}) VALUES {}", names.join(", "), some.join(", "));
            store.writer().execute_unprepared(&sql).await.unwrap();
        }
    }
    tables.into_keys().collect()
}

pub async fn number(store: &Store, backend: DbBackend, sql: &str) -> i64 {
    let row = store.readers().query_one_raw(Statement::from_string(backend, sql)).await.unwrap();
    row.map_or(0, |row| row.try_get_by_index(0).unwrap())
}

fn unique() -> String {
    platform::entropy::draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes an empty database on the server; it goes with the server.
async fn new_database() -> String {
    let server = std::env::var(POSTGRES).unwrap();
    let (host, _) = server.rsplit_once('/').expect("the URL names a database");
    let name = format!("a{}", unique());
    let here = Store::connect(&server, 1).await.unwrap();
    here.writer().execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    here.close().await.unwrap();
    format!("{host}/{name}")
}
