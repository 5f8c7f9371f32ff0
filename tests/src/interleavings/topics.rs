//! The topics, in memory, as one instance of a service has them: what it publishes goes to its outbox, as on servers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::facts::Topic;
use platform::store::outbox::{self, Waiting};
use platform::store::{StoreError, Tx};
use platform::stream::relay::Carries;
use platform::stream::{Bounds, Fact, Opens, Record, Source, Stream};
use sea_orm::prelude::async_trait;
use tokio::sync::watch;

/// What has been carried to each partition of each topic.
#[derive(Debug)]
pub struct Topics {
    partitions: i32,
    logs: Mutex<BTreeMap<Source, Vec<Record>>>,
}

impl Topics {
    pub fn new(partitions: i32) -> Self {
        Self { partitions, logs: Mutex::default() }
    }

    /// The same once more, for a schedule that may add to it.
    pub fn copy(&self) -> Self {
        Self { partitions: self.partitions, logs: Mutex::new(self.logs().clone()) }
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<Source, Vec<Record>>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn partitions(&self) -> Vec<i32> {
        (0..self.partitions).collect()
    }

    fn append(&self, fact: &Fact) {
        let partition = i32::from(fact.incident.0.as_bytes()[15]) % self.partitions;
        let source = Source { topic: fact.topic, partition };
        let mut logs = self.logs();
        let log = logs.entry(source).or_default();
        log.push(Record {
            source,
            position: i64::try_from(log.len() + 1).expect("few records"),
            incident: fact.incident,
            sequence: fact.sequence,
            kind: fact.kind.clone(),
            at: fact.at,
            noticed_at: fact.noticed_at,
            cause: fact.cause.clone(),
            body: fact.body.clone(),
        });
    }

    /// Everything on one partition.
    pub fn all(&self, source: Source) -> Vec<Record> {
        self.logs().get(&source).cloned().unwrap_or_default()
    }

    /// What whoever reads them takes, repeats dropped: for each topic and incident its facts as they came first.
    pub fn heard(&self) -> Vec<String> {
        let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for record in self.logs().values().flatten() {
            let of = format!("{} {}", record.source.topic, record.incident);
            if seen.insert((of.clone(), record.sequence)) {
                heard.entry(of).or_default().push(record.sequence.to_string());
            }
        }
        heard.into_iter().map(|(of, sequences)| format!("{of}: {}", sequences.join(" "))).collect()
    }
}

/// The name of a topic's log.
pub fn topic_id(topic: Topic) -> String {
    format!("the {topic} of this test")
}

/// The topics as one instance of `service` has them.
#[derive(Debug)]
pub struct Ears {
    service: &'static str,
    topics: Arc<Topics>,
    partitions: Vec<i32>,
    /// The most records that one read gives; none: nothing has arrived yet.
    most: AtomicU64,
    arrivals: watch::Sender<u64>,
}

impl Ears {
    pub fn of(service: &'static str, topics: &Arc<Topics>, partitions: Vec<i32>) -> Arc<Self> {
        let topics = topics.clone();
        Arc::new(Self {
            service,
            topics,
            partitions,
            most: AtomicU64::new(u64::MAX),
            arrivals: watch::Sender::new(0),
        })
    }

    /// From now on one read gives so many records at most.
    pub fn hear(&self, most: u64) {
        self.most.store(most, Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl Stream for Ears {
    async fn publish(&self, tx: &Tx, facts: &[Fact]) -> Result<(), StoreError> {
        outbox::append(tx, self.service, facts).await
    }

    fn published(&self) {}

    fn partitions(&self, _topic: Topic) -> Vec<i32> {
        self.partitions.clone()
    }

    async fn bounds(&self, source: Source) -> Result<Bounds, StoreError> {
        let last = self.topics.all(source).last().map_or(0, |record| record.position);
        Ok(Bounds { topic_id: topic_id(source.topic), first: 1, last })
    }

    async fn topic_id(&self, topic: Topic) -> Result<String, StoreError> {
        Ok(topic_id(topic))
    }

    async fn read(
        &self,
        source: Source,
        after: i64,
        limit: u64,
        _opens: Opens,
    ) -> Result<Vec<Record>, StoreError> {
        let most = limit.min(self.most.load(Ordering::SeqCst));
        let mut records = self.topics.all(source);
        records.retain(|record| record.position > after);
        records.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(records)
    }

    fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    async fn settled(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Carries facts there.
#[derive(Debug)]
pub struct Carrier(pub Arc<Topics>);

#[async_trait::async_trait]
impl Carries for Carrier {
    async fn carry(&mut self, rows: &[Waiting]) -> Result<(), StoreError> {
        rows.iter().for_each(|row| self.0.append(&row.fact));
        Ok(())
    }
}
