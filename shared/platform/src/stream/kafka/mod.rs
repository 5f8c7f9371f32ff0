//! The stream on Kafka: a turn publishes into its service's outbox, a [`Relay`] sends from there, readers read
//! the topics from positions of their own.

pub mod envelope;
mod packs;
mod relay;
mod tail;

pub use packs::{PACKS, PACKS_SETTINGS, PackTopic, ReadOn};
pub use relay::Relay;
pub use tail::{OwnTopic, unknown_among};

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ::kafka::connection::Connection;
use ::kafka::reading::{self, Membership, ReadError, Reading};
use ::kafka::sending::{self, Sending};
use ::kafka::topics::{EnsureError, Topics, Wanted};
use domain::facts::Topic;
use tokio::sync::watch;
use tracing::warn;

use super::{Bounds, Fact, Opens, Record, Source, Stream};
use crate::metrics::Metrics;
use crate::store::{Store, StoreError, Tx, outbox};
use envelope::topic_name;

/// How long one question to the broker may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often at most the broker is told how far one partition has been read.
const COPY: Duration = Duration::from_secs(1);

/// Where the topics are, and with whom they are read.
#[derive(Clone, Debug)]
pub struct Settings {
    pub connection: Connection,
    /// Before the name of every topic: `gridward.`.
    pub prefix: String,
    /// Of every topic of facts, fixed for life.
    pub partitions: usize,
    /// Copies of each partition; −1 is what the broker is set to.
    pub replication: i32,
    pub membership: With,
}

/// With whom a service's instances share what they read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// The instances of the service, as a group of its name; one that is not heard of for so long is out.
    Instances(Duration),
    /// Nobody: all partitions are this one's.
    Nobody,
}

impl Settings {
    /// Makes the topics that are missing.
    ///
    /// # Errors
    /// When one has another number of partitions, or the broker does not make it.
    pub async fn ensure_topics(&self) -> Result<Vec<String>, EnsureError> {
        let wanted: Vec<Wanted> =
            Topic::ALL.into_iter().map(|topic| self.wanted(topic)).chain([packs::wanted(self)]).collect();
        Topics::start(&self.connection, PATIENCE * 2)?.ensure(&wanted).await
    }

    fn wanted(&self, topic: Topic) -> Wanted {
        let mut wanted = Wanted::new(topic_name(&self.prefix, topic), self.partitions);
        wanted.replication = self.replication;
        // Facts are read again after years: by a store that is rebuilt, and by the audit.
        wanted.settings.insert("retention.ms".to_owned(), "-1".to_owned());
        wanted
    }
}

/// One instance's stream: what it reads as a member of its service's group, and its service's outbox.
#[derive(Debug)]
pub struct KafkaStream {
    service: &'static str,
    store: Store,
    prefix: String,
    /// What reads nothing has none.
    reading: Option<Reading>,
    topics: Topics,
    arrivals: watch::Sender<u64>,
    /// Rings when a turn here has published; the relay listens.
    published: watch::Sender<u64>,
    copied: Mutex<BTreeMap<Source, Instant>>,
}

impl KafkaStream {
    /// Joins the readers of `reads`; the relay is to be run beside. A broker that is away is no error here.
    ///
    /// # Errors
    /// When a setting is none that the client takes.
    pub fn start(
        service: &'static str,
        reads: &[Topic],
        store: &Store,
        settings: &Settings,
        metrics: &Metrics,
    ) -> Result<(Self, Relay), StoreError> {
        let doing = "setting up the client of the broker";
        let names: Vec<String> = reads.iter().map(|topic| topic_name(&settings.prefix, *topic)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let membership = match settings.membership {
            With::Instances(session) => {
                Membership::Group { id: format!("{}{service}", settings.prefix), session }
            }
            With::Nobody => Membership::Alone,
        };
        let reading = match reads {
            [] => None,
            _ => {
                let settings = reading::Settings::new(settings.connection.clone(), &names, membership);
                Some(Reading::start(settings).map_err(|error| unfit(doing, &error))?)
            }
        };
        let topics = Topics::start(&settings.connection, PATIENCE).map_err(|error| unfit(doing, &error))?;
        let sending = Sending::start(sending::Settings::new(settings.connection.clone()))
            .map_err(|error| unfit(doing, &error))?;
        let (arrivals, published) = (watch::Sender::new(0), watch::Sender::new(0));
        if let Some(reading) = &reading {
            tokio::spawn(pass_on(reading.arrivals(), arrivals.clone()));
        }
        let rung = published.subscribe();
        let relay =
            Relay::new(service, store.clone(), settings.prefix.clone(), sending, rung, metrics.clone());
        let stream = Self {
            service,
            store: store.clone(),
            prefix: settings.prefix.clone(),
            reading,
            topics,
            arrivals,
            published,
            copied: Mutex::default(),
        };
        Ok((stream, relay))
    }

    /// How long ago the thread that reads last came around; nothing reads nothing.
    pub fn since_last_poll(&self) -> Option<Duration> {
        self.reading.as_ref().map(Reading::since_last_poll)
    }

    /// Leaves the group, so that the others need not wait for the end of the session. It blocks: in a runtime it
    /// belongs in `spawn_blocking`.
    pub fn leave(&self) {
        if let Some(Err(late)) = self.reading.as_ref().map(Reading::stop) {
            warn!(service = self.service, "{late}");
        }
    }

    fn name(&self, topic: Topic) -> String {
        topic_name(&self.prefix, topic)
    }

    fn reader(&self, topic: Topic) -> Result<&Reading, StoreError> {
        self.reading.as_ref().ok_or_else(|| StoreError::Inconsistent {
            table: "topic",
            id: topic.to_string(),
            why: format!("{} does not read it", self.service),
        })
    }
}

/// Rings `ours` with `theirs`, as long as there is somebody there.
async fn pass_on(mut theirs: watch::Receiver<u64>, ours: watch::Sender<u64>) {
    while theirs.changed().await.is_ok() {
        ours.send_modify(|rung| *rung += 1);
    }
}

#[async_trait::async_trait]
impl Stream for KafkaStream {
    async fn publish(&self, tx: &Tx, facts: &[Fact]) -> Result<(), StoreError> {
        outbox::append(tx, self.service, facts).await
    }

    fn published(&self) {
        self.published.send_modify(|turns| *turns += 1);
        self.arrivals.send_modify(|rung| *rung += 1);
    }

    fn partitions(&self, topic: Topic) -> Vec<i32> {
        self.reading.as_ref().map(|reading| reading.assigned(&self.name(topic))).unwrap_or_default()
    }

    async fn bounds(&self, source: Source) -> Result<Bounds, StoreError> {
        let name = self.name(source.topic);
        let (bounds, topic_id) =
            tokio::join!(self.topics.bounds(&name, source.partition), self.topic_id(source.topic));
        let (first, last) =
            bounds.map_err(|error| broker("asking where a partition begins and ends", &error))?;
        Ok(Bounds { topic_id: topic_id?, first, last })
    }

    async fn topic_id(&self, topic: Topic) -> Result<String, StoreError> {
        let name = self.name(topic);
        let doing = "asking for the id of a topic";
        let ids = self.topics.ids(&[&name]).await.map_err(|error| broker(doing, &error))?;
        let id = ids.get(&name).map(ToString::to_string);
        id.ok_or_else(|| StoreError::Broker { doing, why: format!("the broker names none for {name}") })
    }

    async fn read(
        &self,
        source: Source,
        after: i64,
        limit: u64,
        _opens: Opens,
    ) -> Result<Vec<Record>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let name = self.name(source.topic);
        let messages = match self.reader(source.topic)?.read(&name, source.partition, after, limit).await {
            Ok(messages) => messages,
            // Another instance has it now, and reads on from where we committed.
            Err(ReadError::NotMine { .. }) => return Ok(Vec::new()),
            Err(outside @ ReadError::Outside { .. }) => {
                return Err(StoreError::Inconsistent {
                    table: "position",
                    id: format!("{} on {}/{}", self.service, source.topic, source.partition),
                    why: outside.to_string(),
                });
            }
            Err(error) => return Err(broker("reading a topic", &error)),
        };
        Ok(messages
            .iter()
            .map(|message| {
                let (key, body) = (Some(&*message.key), Some(&*message.payload));
                envelope::open(source, message.position, key, &message.headers, body)
            })
            .collect())
    }

    fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    async fn settled(&self) -> Result<(), StoreError> {
        let mut wait = tokio::time::interval(Duration::from_millis(2));
        while !outbox::waiting(self.store.readers(), self.service, 1).await?.is_empty() {
            wait.tick().await;
        }
        Ok(())
    }

    fn moved(&self, source: Source, after: i64) {
        let Some(reading) = &self.reading else { return };
        let mut copied = self.copied.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if copied.get(&source).is_none_or(|at| at.elapsed() >= COPY) {
            copied.insert(source, Instant::now());
            reading.commit_copy(&self.name(source.topic), source.partition, after);
        }
    }
}

/// What the broker's client says, with what lies behind it.
pub(super) fn told(error: &dyn Error) -> String {
    let mut why = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        why = format!("{why}: {error}");
        behind = error.source();
    }
    why
}

fn broker(doing: &'static str, error: &dyn Error) -> StoreError {
    StoreError::Broker { doing, why: told(error) }
}

fn unfit(doing: &'static str, error: &dyn Error) -> StoreError {
    StoreError::Unfit { database: doing.to_owned(), why: told(error) }
}
