//! The topics, read whole: once from their beginnings, and from then on what was added.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use domain::facts::Topic;
use kafka::TopicError;
use kafka::reading::{Membership, Message, Reading, Settings};
use platform::stream::kafka::envelope::{open, topic_name};
use platform::stream::{Source, UNREADABLE};
use tokio::time::timeout;

use super::index::{Entry, Index, digest};
use super::places::Places;

/// One partition of one topic.
pub(super) type Place = (Topic, i32);

/// Where a partition begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The first position that is kept.
    pub first: i64,
    /// The position of the last record; below `first` when there is none.
    pub last: i64,
}

/// Records taken from a buffer at once.
const AT_ONCE: usize = 2_000;

/// The topics are read up to here before the databases are looked at: what is added meanwhile is little.
const LITTLE: usize = 2_000;

/// How often that is tried where records are added as fast as they are read.
const TRIES: usize = 5;

/// How long a broker may take to say what partitions there are.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it may take to answer at all.
const ANSWER: Duration = Duration::from_secs(10);

/// A record that cannot be opened.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    pub place: Place,
    pub position: i64,
    pub why: String,
}

/// How many of those are named; the rest are counted.
const NAMED: usize = 100;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub index: Index,
    pub records: u64,
    pub closed: Vec<Closed>,
    pub closed_in_all: u64,
    /// When the first record that is kept was sent, where earlier ones are not kept.
    pub since: BTreeMap<Place, DateTime<Utc>>,
    /// Up to where it was read, and what the last record said.
    reached: BTreeMap<Place, (i64, u64)>,
}

/// A reader of all four topics, with nobody.
pub(super) struct Topics {
    reading: Reading,
    /// Reads nothing: a question waits at the broker behind whatever is being fetched by the same client.
    asking: Reading,
    names: BTreeMap<Topic, String>,
    pub ids: BTreeMap<Topic, String>,
    pub read: Read,
}

impl Topics {
    pub async fn start(places: &Places) -> anyhow::Result<Self> {
        let names: BTreeMap<Topic, String> =
            Topic::ALL.into_iter().map(|topic| (topic, topic_name(&places.prefix, topic))).collect();
        let all: Vec<&str> = names.values().map(String::as_str).collect();
        there_are(places, &all).await?;
        let settings =
            Settings { patience: PATIENCE, ..Settings::new(places.kafka.clone(), &all, Membership::Alone) };
        let asking = Reading::start(settings.clone()).context("cannot ask Kafka")?;
        let reading = Reading::start(settings).context("cannot read from Kafka")?;
        let topics = Self { reading, asking, names, ids: BTreeMap::new(), read: Read::default() };
        topics.seen().await?;
        Ok(topics)
    }

    /// Waits until the partitions of every topic are known.
    async fn seen(&self) -> anyhow::Result<()> {
        let mut arrivals = self.reading.arrivals();
        let all = async {
            while self.names.values().any(|name| self.reading.assigned(name).is_empty()) {
                arrivals.changed().await.context("the reader of Kafka has ended")?;
            }
            anyhow::Ok(())
        };
        let missing = || {
            let none = self.names.values().filter(|name| self.reading.assigned(name).is_empty());
            none.map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        match timeout(PATIENCE, all).await {
            Ok(seen) => seen,
            Err(_) => anyhow::bail!("Kafka does not answer, or has no topic {}", missing()),
        }
    }

    /// The number of partitions of each topic.
    pub fn counts(&self) -> BTreeMap<Topic, u32> {
        let count = |name: &String| u32::try_from(self.reading.assigned(name).len()).unwrap_or(u32::MAX);
        self.names.iter().map(|(topic, name)| (*topic, count(name))).collect()
    }

    /// The ids of the topics there are now.
    pub async fn known_by(&self) -> anyhow::Result<BTreeMap<Topic, String>> {
        let ids = self.asking.topic_ids().await.context("cannot ask Kafka which topics these are")?;
        let by_name: BTreeMap<String, String> =
            ids.into_iter().map(|(name, id)| (name, id.to_string())).collect();
        let ids = self.names.iter().filter_map(|(topic, name)| Some((*topic, by_name.get(name)?.clone())));
        Ok(ids.collect())
    }

    /// Reads on until little is left, from the beginning if the topics are others than before or were cut.
    /// Answers up to where.
    pub async fn catch_up(&mut self) -> anyhow::Result<BTreeMap<Place, Extent>> {
        let ids = self.known_by().await?;
        if ids != self.ids {
            self.read = Read::default();
            self.ids = ids;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let ends = self.ends().await?;
            if !self.still_there(&ends).await? {
                tracing::warn!("what lay on the topics before is not there any more: they are read again");
                self.read = Read::default();
            }
            let added = self.read_to(&ends).await?;
            if added <= LITTLE || tries >= TRIES {
                return Ok(ends);
            }
        }
    }

    /// Where each partition begins and ends now.
    pub async fn ends(&self) -> anyhow::Result<BTreeMap<Place, Extent>> {
        let mut ends = BTreeMap::new();
        for (topic, name) in &self.names {
            for partition in self.reading.assigned(name) {
                let (first, last) = self.asking.bounds(name, partition).await?;
                ends.insert((*topic, partition), Extent { first, last });
            }
        }
        Ok(ends)
    }

    /// Whether the record read last still lies where it lay, in each partition that has grown or shrunk. If it
    /// does, so do all before it.
    async fn still_there(&self, ends: &BTreeMap<Place, Extent>) -> anyhow::Result<bool> {
        for (place, (position, before)) in &self.read.reached {
            let Some(extent) = ends.get(place) else { return Ok(false) };
            if extent.last < *position {
                return Ok(false);
            }
            if extent.last == *position || extent.first > *position {
                continue;
            }
            let name = &self.names[&place.0];
            let again = self.reading.read(name, place.1, position - 1, 1).await?;
            let same = |message: &Message| message.position == *position && trace(message) == *before;
            if !again.first().is_some_and(same) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads on up to `ends`; answers how many records that were.
    pub async fn read_to(&mut self, ends: &BTreeMap<Place, Extent>) -> anyhow::Result<usize> {
        let begins = |read: &Read, place: &Place, extent: &Extent| {
            read.reached.get(place).map_or(0, |(position, _)| *position).max(extent.first - 1)
        };
        let more = ends.iter().map(|(place, extent)| extent.last - begins(&self.read, place, extent));
        let more: i64 = more.filter(|more| *more > 0).sum();
        self.read.index.expect(usize::try_from(more).unwrap_or(0));
        let mut added = 0;
        for (place, extent) in ends {
            let name = self.names[&place.0].clone();
            let mut after = begins(&self.read, place, extent);
            while after < extent.last {
                let messages = self.reading.read(&name, place.1, after, AT_ONCE).await?;
                let Some(last) = messages.last() else { break };
                after = last.position;
                added += messages.len();
                if extent.first > 1 {
                    self.read.begins(*place, messages.first());
                }
                self.read.take(*place, &messages);
            }
        }
        self.read.index.settle();
        Ok(added)
    }

    /// Ends the reader. It may wait for the broker a while.
    pub async fn stop(self) {
        // It only says that the broker was slow to let go, which no longer matters.
        let _ = tokio::task::spawn_blocking(move || (self.asking.stop(), self.reading.stop())).await;
    }
}

/// Whether there are these topics: a question of its own, as a reader waits for a broker that is away.
async fn there_are(places: &Places, names: &[&str]) -> anyhow::Result<()> {
    let asking = kafka::topics::Topics::start(&places.kafka, ANSWER)?;
    match asking.ids(names).await {
        Ok(_) => Ok(()),
        Err(TopicError::Missing(name)) => anyhow::bail!(
            "Kafka at {0} has no topic {name}: is kafka.prefix right? If so, `gridward migrate --config FILE` makes the \
             topics / {0} 处的 Kafka 没有主题 {name}：请检查 kafka.prefix；确认无误后用 gridward migrate 创建主题",
            places.kafka.bootstrap
        ),
        Err(error) => Err(anyhow::Error::new(error).context(format!(
            "Kafka at {0} does not answer / {0} 处的 Kafka 没有应答",
            places.kafka.bootstrap
        ))),
    }
}

impl Read {
    fn begins(&mut self, place: Place, first: Option<&Message>) {
        let sent = first.and_then(|message| DateTime::from_timestamp_millis(message.timestamp?));
        if let Some(sent) = sent {
            self.since.entry(place).or_insert(sent);
        }
    }

    fn take(&mut self, place: Place, messages: &[Message]) {
        let source = Source { topic: place.0, partition: place.1 };
        for message in messages {
            self.records += 1;
            let Message { position, key, payload, headers, .. } = message;
            let record = open(source, *position, Some(key), headers, Some(payload));
            let entry = match record.kind.as_str() {
                UNREADABLE => None,
                kind => {
                    let digest = digest(kind, record.at, &record.cause, &record.body);
                    Entry::new(place, *position, record.incident.0, record.sequence, digest)
                }
            };
            match entry {
                Some(entry) => self.index.push(entry),
                None => {
                    self.closed_in_all += 1;
                    if self.closed.len() < NAMED {
                        self.closed.push(Closed { place, position: *position, why: record.cause });
                    }
                }
            }
        }
        if let Some(last) = messages.last() {
            self.reached.insert(place, (last.position, trace(last)));
        }
    }
}

/// What a record is known again by.
fn trace(message: &Message) -> u64 {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: String = message.headers.iter().map(|(_, value)| text(value)).collect();
    digest(&text(&message.key), DateTime::UNIX_EPOCH, &headers, &text(&message.payload))
}
