//! The contract of the stream and of the turn on it, tried in every setting there is. A new setting is
//! one more line in [`settings`].

mod commands;
mod culprits;
mod facts;
mod letters;
mod notebook;
mod on_kafka;
mod positions;
mod server;
mod stream;
mod windows;

use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::facts::Topic;
use domain::id::IncidentId;
use platform::clock::Clock;
use platform::metrics::Metrics;
use platform::store::{Store, StoreError};
use platform::stream::{EmbeddedStream, Fact, Opens, Record, Source, Stream};
use platform::turn::{Surroundings, Turns};
use sea_orm::{ConnectionTrait, Statement};
use tempfile::TempDir;

use notebook::Notebook;

type Opened = Pin<Box<dyn Future<Output = (Store, Arc<dyn Stream>)> + Send>>;

/// A setting by name, and how its store and stream are opened in a folder, for the first time or again.
#[derive(Clone, Copy)]
pub struct Setting {
    pub name: &'static str,
    /// Whether several instances may work on one store.
    server: bool,
    open: fn(&TempDir) -> Opened,
}

/// Every setting.
pub fn settings() -> Vec<Setting> {
    let mut settings = vec![Setting { name: "embedded", server: false, open: embedded }];
    if std::env::var_os(SERVER).is_some() {
        settings.push(Setting { name: "Kafka and PostgreSQL", server: true, open: on_kafka::open });
    }
    settings
}

/// Where `tests/servers/with.sh` tells of a PostgreSQL server, as a URL.
const SERVER: &str = "GRIDWARD_TEST_POSTGRES";

/// Makes an empty database on the server; it goes with the server.
async fn new_database() -> String {
    let server = std::env::var(SERVER).unwrap();
    let (host, _) = server.rsplit_once('/').expect("the URL names a database");
    let name: String = platform::entropy::draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    let here = Store::connect(&server, 1).await.unwrap();
    here.writer().execute_unprepared(&format!("CREATE DATABASE t{name}")).await.unwrap();
    here.close().await.unwrap();
    format!("{host}/t{name}")
}

fn embedded(folder: &TempDir) -> Opened {
    let folder = folder.path().to_owned();
    Box::pin(async move {
        let store = gridward::embedded::prepare(&folder).await.unwrap();
        let stream = EmbeddedStream::open(store.clone()).await.unwrap();
        (store, Arc::new(stream) as Arc<dyn Stream>)
    })
}

/// A setting at work in a folder of its own.
pub struct Here {
    setting: Setting,
    folder: TempDir,
    store: Store,
    stream: Arc<dyn Stream>,
}

impl Setting {
    pub async fn start(self) -> Here {
        self.again(TempDir::new().unwrap()).await
    }

    async fn again(self, folder: TempDir) -> Here {
        let (store, stream) = (self.open)(&folder).await;
        Here { setting: self, folder, store, stream }
    }
}

impl Here {
    fn name(&self) -> &'static str {
        self.setting.name
    }

    /// Everything is closed and opened again, as after the end of the process.
    async fn restart(self) -> Self {
        // Or the next process sends once more what this one's relay has sent and not yet marked.
        self.stream.settled().await.unwrap();
        drop(self.stream);
        self.store.close().await.unwrap();
        self.setting.again(self.folder).await
    }

    fn around(&self) -> Surroundings {
        Surroundings {
            store: self.store.clone(),
            stream: self.stream.clone(),
            clock: Clock::driven(noon()),
            metrics: Metrics::new(),
        }
    }

    /// A reader of its own: another instance, or the same one after a restart.
    fn turns(&self) -> Turns<Notebook> {
        Turns::new(Arc::new(Notebook::default()), &self.around())
    }

    /// Publishes in a turn of their own.
    async fn publish(&self, facts: &[Fact]) -> Result<(), StoreError> {
        let tx = self.store.begin().await?;
        self.stream.publish(&tx, facts).await?;
        tx.commit().await.unwrap();
        self.stream.published();
        Ok(())
    }

    /// Words on `reported` for the notebook to take.
    async fn say(&self, words: &[(u8, i64, &str)]) {
        let facts: Vec<Fact> = words.iter().map(|(n, sequence, word)| said(*n, *sequence, word)).collect();
        self.publish(&facts).await.unwrap();
    }

    /// Everything on `topic`, partition by partition.
    async fn all(&self, topic: Topic) -> Vec<Record> {
        let mut all = Vec::new();
        for partition in self.stream.partitions(topic) {
            all.extend(self.stream.read(Source { topic, partition }, 0, 10_000, Opens::All).await.unwrap());
        }
        all
    }

    /// What the notebook has noted, as (incident, word) in the order of its own topic.
    async fn noted(&self) -> Vec<(u8, String)> {
        let all = self.all(Topic::Routed).await;
        all.iter().map(|record| (number(record.incident), record.body().unwrap())).collect()
    }

    async fn execute(&self, sql: &str) {
        self.store.writer().execute_unprepared(sql).await.unwrap();
    }

    async fn count(&self, sql: &str) -> i64 {
        let backend = self.store.readers().get_database_backend();
        let statement = Statement::from_string(backend, sql.to_owned());
        let row = self.store.readers().query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    async fn parked(&self) -> i64 {
        self.count("SELECT count(*) FROM route_parked").await
    }
}

fn noon() -> DateTime<Utc> {
    "2026-03-02T04:00:00.250Z".parse().unwrap()
}

/// Incident number `n`.
fn incident(n: u8) -> IncidentId {
    IncidentId::new(noon(), [n; 10])
}

fn number(incident: IncidentId) -> u8 {
    incident.0.as_bytes()[15]
}

fn fact(topic: Topic, n: u8, sequence: i64, body: &str) -> Fact {
    Fact {
        topic,
        incident: incident(n),
        sequence,
        kind: "word.said".to_owned(),
        at: noon() + TimeDelta::minutes(sequence),
        noticed_at: noon() + TimeDelta::minutes(sequence) + TimeDelta::seconds(1),
        cause: format!("act/say/{sequence}"),
        body: body.to_owned(),
    }
}

fn said(n: u8, sequence: i64, word: &str) -> Fact {
    fact(Topic::Reported, n, sequence, &serde_json::to_string(word).unwrap())
}

fn owned(noted: &[(u8, &str)]) -> Vec<(u8, String)> {
    noted.iter().map(|(n, word)| (*n, (*word).to_owned())).collect()
}
