//! A store behind its own topic: one that was restored from before the topic's last facts. It would draw their
//! sequences a second time, for other contents; so a service compares the two before it serves anybody.

use ::kafka::reading::{self, Membership, Reading};
use ::kafka::topics::Topics;
use domain::facts::Topic;
use futures_util::future::try_join_all;
use tokio::time::{Duration, Instant};

use super::{PATIENCE, Settings, broker, envelope, topic_name, unfit};
use crate::lifecycle::rest;
use crate::store::{Store, StoreError, sequences};
use crate::stream::{Record, Source, UNREADABLE};

/// The last records of a partition that are compared. A relay that repeated itself may have put copies of older
/// facts behind the last one, but not so many.
const TAIL: i64 = 2_000;

/// Between two attempts to ask.
const BETWEEN: Duration = Duration::from_millis(100);

/// Records read at once.
const SOME: usize = 1_000;

/// The whole of a topic, up to where it ended at the beginning.
#[derive(Debug)]
pub struct OwnTopic {
    topic: Topic,
    name: String,
    reading: Reading,
    /// First and last position, by partition.
    bounds: Vec<(i64, i64)>,
}

impl OwnTopic {
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn open(settings: &Settings, topic: Topic) -> Result<Self, StoreError> {
        let doing = "looking at the own topic";
        let name = topic_name(&settings.prefix, topic);
        let connection = settings.connection.clone();
        let topics = Topics::start(&connection, PATIENCE).map_err(|error| unfit(doing, &error))?;
        let partitions = 0..i32::try_from(settings.partitions).unwrap_or(i32::MAX);
        let until = Instant::now() + PATIENCE * 2;
        let bounds = loop {
            let asked = partitions.clone().map(|partition| topics.bounds(&name, partition));
            match try_join_all(asked).await {
                Ok(bounds) => break bounds,
                Err(error) if Instant::now() > until => return Err(broker(doing, &error)),
                // A topic that was just made has no leader for a moment.
                Err(_) => rest(BETWEEN).await,
            }
        };
        let reading = reading::Settings::new(connection, &[&name], Membership::Alone);
        let reading = Reading::start(reading).map_err(|error| unfit(doing, &error))?;
        Ok(Self { topic, name, reading, bounds })
    }

    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// As the broker calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The facts among the last of each partition that `service`, whose topic it is, does not know of.
    ///
    /// # Errors
    /// When the broker or the database cannot be asked.
    pub async fn unknown(&self, store: &Store, service: &'static str) -> Result<Vec<Record>, StoreError> {
        let tails = try_join_all((0..).zip(&self.bounds).map(async |(partition, (first, last))| {
            let mut records = Vec::new();
            let mut after = (last - TAIL).max(first - 1);
            while let Some(some) = self.some(partition, after).await? {
                after = some.last().map_or(after, |record| record.position);
                records.extend(some);
            }
            Ok::<_, StoreError>(records)
        }));
        let records: Vec<Record> = tails.await?.into_iter().flatten().collect();
        // After the topic: another instance may publish meanwhile, and what it has committed is in the store.
        unknown_among(records, store, service, self.topic).await
    }

    /// Up to [`SOME`] records of a partition behind `after`; nothing at its end.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn some(&self, partition: i32, after: i64) -> Result<Option<Vec<Record>>, StoreError> {
        let index = usize::try_from(partition).unwrap_or(usize::MAX);
        if self.bounds.get(index).is_none_or(|(_, last)| after >= *last) {
            return Ok(None);
        }
        let source = Source { topic: self.topic, partition };
        let messages = self.reading.read_soon(&self.name, partition, after, SOME).await;
        let messages = messages.map_err(|error| broker("reading the own topic", &error))?;
        let open = |message: &reading::Message| {
            let (key, body) = (Some(&*message.key), Some(&*message.payload));
            envelope::open(source, message.position, key, &message.headers, body)
        };
        // The last position need not hold a record: the mark of somebody's transaction takes one too.
        Ok((!messages.is_empty()).then(|| messages.iter().map(open).collect()))
    }

    /// The position before the first record of each partition.
    pub fn beginnings(&self) -> Vec<(i32, i64)> {
        (0..).zip(&self.bounds).map(|(partition, (first, _))| (partition, first - 1)).collect()
    }

    /// Lets go of the topic. It blocks for a moment: in a runtime it belongs in `spawn_blocking`.
    pub fn close(self) {
        drop(self.reading);
    }
}

/// Those of `records` whose sequence `service` has not drawn, as far as its store says.
///
/// # Errors
/// When the database cannot be asked.
pub async fn unknown_among(
    records: Vec<Record>,
    store: &Store,
    service: &'static str,
    topic: Topic,
) -> Result<Vec<Record>, StoreError> {
    let mut incidents: Vec<_> = records.iter().map(|record| record.incident).collect();
    incidents.sort_unstable();
    incidents.dedup();
    let tx = store.begin().await?;
    let drawn = sequences::load(&tx, service, topic, &incidents).await?;
    drop(tx);
    let is_unknown = |record: &Record| {
        record.kind != UNREADABLE && record.sequence > drawn.get(&record.incident).copied().unwrap_or(0)
    };
    Ok(records.into_iter().filter(is_unknown).collect())
}
