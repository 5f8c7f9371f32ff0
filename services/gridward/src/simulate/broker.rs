//! The topics, in memory: partitions with positions, written by relays that may repeat themselves, read by instances
//! that each believe which partitions are theirs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::facts::Topic;
use domain::id::IncidentId;
use platform::faults::{Fate, Point};
use platform::store::outbox::{self, Waiting};
use platform::store::{Store, StoreError, Tx};
use platform::stream::kafka::envelope;
use platform::stream::relay::Carries;
use platform::stream::{Bounds, Fact, Opens, Record, Source, Stream};
use tokio::sync::watch;

use super::faults::Seat;
use super::store::mark_all;
use super::switches::{Broken, Switch};

/// All topics.
#[derive(Debug, Default)]
pub struct Broker {
    partitions: i32,
    logs: Mutex<BTreeMap<Source, Vec<Letter>>>,
    /// How often each topic was made anew.
    anew: Mutex<BTreeMap<Topic, u32>>,
    /// Up to which row of each outbox relays have sent, where they go by that.
    marks: Mutex<BTreeMap<&'static str, i64>>,
}

/// A record as it lies there.
#[derive(Clone, Debug)]
struct Letter {
    incident: IncidentId,
    key: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Broker {
    pub fn new(partitions: i32) -> Self {
        Self { partitions: partitions.max(1), ..Self::default() }
    }

    pub fn partitions(&self) -> i32 {
        self.partitions
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<Source, Vec<Letter>>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the facts of an incident lie.
    fn source(&self, topic: Topic, incident: IncidentId) -> Source {
        let last = incident.0.as_bytes()[15];
        Source { topic, partition: i32::from(last) % self.partitions }
    }

    fn append(&self, fact: &Fact) {
        let envelope::Letter { key, headers, body } = envelope::seal(fact);
        let headers =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
        let letter =
            Letter { incident: fact.incident, key: key.into_bytes(), headers, body: body.into_bytes() };
        self.logs().entry(self.source(fact.topic, fact.incident)).or_default().push(letter);
    }

    /// Appends once more what lies at `position`: a producer that was not sure. Answers whose it is.
    pub fn again(&self, source: Source, position: usize) -> Option<IncidentId> {
        let mut logs = self.logs();
        let log = logs.get_mut(&source)?;
        let letter = log.get(position)?.clone();
        let incident = letter.incident;
        log.push(letter);
        Some(incident)
    }

    /// Loses the last records of a partition. Answers how many it had of so many.
    pub fn lose(&self, source: Source, records: usize) -> usize {
        let mut logs = self.logs();
        let Some(log) = logs.get_mut(&source) else { return 0 };
        let left = log.len().saturating_sub(records);
        log.split_off(left).len()
    }

    /// Makes a topic anew. Answers how many records lay there.
    pub fn make_anew(&self, topic: Topic) -> usize {
        *self.anew.lock().unwrap_or_else(PoisonError::into_inner).entry(topic).or_default() += 1;
        let mut logs = self.logs();
        let of_topic = logs.iter_mut().filter(|(source, _)| source.topic == topic);
        of_topic.map(|(_, log)| std::mem::take(log).len()).sum()
    }

    /// Names the log of a topic: another one, once it was made anew.
    pub fn id_of(&self, topic: Topic) -> String {
        let anew = self.anew.lock().unwrap_or_else(PoisonError::into_inner);
        id_of(topic, anew.get(&topic).copied().unwrap_or(0))
    }

    /// Whether the row lies above what was sent of its outbox before; then that is moved up to it.
    fn is_above_mark(&self, service: &'static str, row: i64) -> bool {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = marks.entry(service).or_default();
        let above = row > *mark;
        *mark = row.max(*mark);
        above
    }

    /// The position of the last record; they are counted from 1.
    pub fn last(&self, source: Source) -> i64 {
        self.logs().get(&source).map_or(0, |log| i64::try_from(log.len()).unwrap_or(i64::MAX))
    }

    /// Up to `limit` records behind `after`.
    pub fn read(&self, source: Source, after: i64, limit: u64) -> Vec<Record> {
        let logs = self.logs();
        let log = logs.get(&source).map(Vec::as_slice).unwrap_or_default();
        let (skip, limit) =
            (usize::try_from(after).unwrap_or(0), usize::try_from(limit).unwrap_or(usize::MAX));
        let open = |(n, letter): (usize, &Letter)| {
            let position = i64::try_from(n + 1).unwrap_or(i64::MAX);
            envelope::open(source, position, Some(&letter.key), &letter.headers, Some(&letter.body))
        };
        log.iter().enumerate().skip(skip).take(limit).map(open).collect()
    }

    /// Everything there is.
    pub fn all(&self) -> Vec<Record> {
        let sources: Vec<Source> = self.logs().keys().copied().collect();
        sources.into_iter().flat_map(|source| self.read(source, 0, u64::MAX)).collect()
    }

    /// Everything there is of a topic.
    pub fn of_topic(&self, topic: Topic) -> Vec<Record> {
        let partitions = (0..self.partitions).map(|partition| Source { topic, partition });
        partitions.flat_map(|source| self.read(source, 0, u64::MAX)).collect()
    }

    /// Whether a reader that stands at `after` on the log called `topic_id` can read on.
    pub fn is_on(&self, source: Source, topic_id: &str, after: i64) -> bool {
        topic_id == self.id_of(source.topic) && after <= self.last(source)
    }
}

/// The partitions an instance believes are its own, of every topic it reads.
pub type Share = Arc<Mutex<Vec<i32>>>;

/// The stream as one instance has it.
#[derive(Debug)]
pub struct SimulatedStream {
    pub service: &'static str,
    pub broker: Arc<Broker>,
    pub seat: Arc<Seat>,
    pub broken: Broken,
    pub share: Share,
    /// The most records one read gives.
    pub most: AtomicU64,
    /// Up to where it has read.
    pub read_to: Mutex<BTreeMap<Source, i64>>,
    pub arrivals: watch::Sender<u64>,
}

impl SimulatedStream {
    /// Up to where this instance has read, as far as it has said.
    pub fn read_to(&self, source: Source) -> i64 {
        let read_to = self.read_to.lock().unwrap_or_else(PoisonError::into_inner);
        read_to.get(&source).copied().unwrap_or(0)
    }

    /// It reads again from wherever it is told to.
    pub fn forget(&self) {
        self.read_to.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What this instance takes for the name of a topic's log.
    fn id_of(&self, topic: Topic) -> String {
        if self.broken.has(Switch::OtherTopic) { id_of(topic, 0) } else { self.broker.id_of(topic) }
    }
}

fn id_of(topic: Topic, anew: u32) -> String {
    match anew {
        0 => format!("the {topic} of this life"),
        _ => format!("the {topic} of this life, made anew {anew} times"),
    }
}

#[async_trait::async_trait]
impl Stream for SimulatedStream {
    async fn publish(&self, tx: &Tx, facts: &[Fact]) -> Result<(), StoreError> {
        outbox::append(tx, self.service, facts).await?;
        self.seat.publishes(facts);
        if self.broken.has(Switch::PublishBeforeCommit) {
            facts.iter().for_each(|fact| self.broker.append(fact));
        }
        Ok(())
    }

    fn published(&self) {}

    fn partitions(&self, _topic: Topic) -> Vec<i32> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn bounds(&self, source: Source) -> Result<Bounds, StoreError> {
        let last = if self.broken.has(Switch::OutsideTopic) { i64::MAX } else { self.broker.last(source) };
        Ok(Bounds { topic_id: self.id_of(source.topic), first: 1, last })
    }

    async fn topic_id(&self, topic: Topic) -> Result<String, StoreError> {
        Ok(self.id_of(topic))
    }

    async fn read(
        &self,
        source: Source,
        after: i64,
        limit: u64,
        _opens: Opens,
    ) -> Result<Vec<Record>, StoreError> {
        let last = self.broker.last(source);
        if after > last && !self.broken.has(Switch::OutsideTopic) {
            return Err(StoreError::Inconsistent {
                table: "position",
                id: format!("{} on {}/{}", self.service, source.topic, source.partition),
                why: format!("it has positions 1 to {last}, so nothing can be read after {after}"),
            });
        }
        Ok(self.broker.read(source, after, limit.min(self.most.load(Ordering::Relaxed))))
    }

    fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    async fn settled(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn moved(&self, source: Source, after: i64) {
        self.read_to.lock().unwrap_or_else(PoisonError::into_inner).insert(source, after);
    }
}

/// The broker as one relay has it.
#[derive(Debug)]
pub struct Carrier {
    pub service: &'static str,
    pub store: Store,
    pub broker: Arc<Broker>,
    pub seat: Arc<Seat>,
    pub broken: Broken,
}

#[async_trait::async_trait]
impl Carries for Carrier {
    async fn carry(&mut self, rows: &[Waiting]) -> Result<(), StoreError> {
        if self.broken.has(Switch::MarkBeforeSend) {
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            outbox::published(self.store.writer(), self.service, &ids).await?;
        }
        for (n, row) in rows.iter().enumerate() {
            if n > 0 || self.broken.has(Switch::MarkBeforeSend) {
                self.seat.at(Point::RelaySending).await?;
            }
            if !self.broken.has(Switch::RelayByMark) || self.broker.is_above_mark(self.service, row.id) {
                self.broker.append(&row.fact);
            }
        }
        if self.broken.has(Switch::MarkUnsent) {
            mark_all(&self.store, self.service).await?;
        }
        Ok(())
    }
}
