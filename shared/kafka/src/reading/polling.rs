//! The thread that polls: it alone moves the fetchers, fills the buffers and takes part in the group.
//!
//! Each partition has a queue of its own, because an end of partition or an error on the common queue does
//! not say which topic it is about. A full buffer leaves its queue alone, and librdkafka then fetches no more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{Headers, Message as _};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::Message;
use super::lanes::{Flow, Lane, Place};
use super::shared::Shared;
use crate::connection::{note, pass_on};

/// How long the thread lies down when nothing rings. It bounds what a lost ring could cost, and how old the
/// last poll is on a quiet day.
const NAP: Duration = Duration::from_millis(100);
/// As long as a fetcher is still to be moved: it cannot be before librdkafka has started it.
const SHORT_NAP: Duration = Duration::from_millis(5);
/// How long one attempt to move a fetcher may take. It asks no broker.
const MOVE: Duration = Duration::from_millis(500);
/// How long a question that is only asked to wake librdkafka may take.
const WAKE: Duration = Duration::from_millis(50);
/// So many refusals in a row, about half a second, mean that the fetcher has stopped by itself.
const REFUSALS: u32 = 100;
/// Events of the group and of the client as a whole, in one pass.
const EVENTS: usize = 16;

/// What librdkafka tells the consumer.
pub(super) struct Member {
    pub(super) shared: Arc<Shared>,
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        pass_on(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        note(&error, reason);
    }
}

impl ConsumerContext for Member {
    /// Only changes what is assigned and writes it down: whoever keeps positions learns of it by the arrivals.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let places: Vec<Place> =
            list.elements().iter().map(|one| (one.topic().to_owned(), one.partition())).collect();
        let done = match kind {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                tracing::info!(?places, "given partitions");
                take_on(consumer, list, &places, &self.shared)
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                tracing::info!(?places, lost = consumer.assignment_lost(), "giving partitions back");
                self.shared.lanes().retain(|place, _| !places.contains(place));
                // While it closes, librdkafka may no longer know which protocol it spoke.
                consumer.incremental_unassign(list).or_else(|_| consumer.unassign())
            }
            other => Err(KafkaError::Rebalance(other.into())),
        };
        if let Err(error) = done {
            tracing::error!("could not follow the group: {error}");
        }
        self.shared.bump();
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::debug!("the copy of a position was not taken: {error}");
        }
    }
}

/// Assigns and parks: nothing is fetched before somebody says from where.
fn take_on(
    consumer: &BaseConsumer<Member>,
    list: &mut TopicPartitionList,
    places: &[Place],
    shared: &Shared,
) -> KafkaResult<()> {
    // An absolute offset, or librdkafka would ask the group for the committed ones.
    list.set_all_offsets(Offset::Offset(0))?;
    consumer.incremental_assign(list)?;
    consumer.pause(list)?;
    shared.lanes().extend(places.iter().map(|place| (place.clone(), Lane::parked())));
    Ok(())
}

/// Something that came for one partition.
enum Came {
    Record(Message),
    End,
    Error(String),
}

/// What the thread has of one partition.
struct Line {
    queue: PartitionQueue<Member>,
    /// As it is when it was just assigned.
    paused: bool,
}

/// All that the thread has.
pub(super) struct Polling {
    consumer: Arc<BaseConsumer<Member>>,
    shared: Arc<Shared>,
    queues: BTreeMap<Place, Line>,
    /// Topics of which all partitions are still to be taken on; none with a group.
    wanted: Vec<String>,
}

impl Polling {
    pub(super) fn new(consumer: Arc<BaseConsumer<Member>>, shared: Arc<Shared>, wanted: Vec<String>) -> Self {
        Self { consumer, shared, queues: BTreeMap::new(), wanted }
    }

    /// Until it is told to stop; then leaves the group and says so.
    pub(super) fn run(mut self, left: &Sender<()>) {
        while !self.shared.stopping.load(Ordering::Relaxed) {
            let moving = self.pass();
            self.shared.bell.wait(if moving { SHORT_NAP } else { NAP });
        }
        self.leave();
        // Nobody may be waiting any more.
        let _ = left.send(());
    }

    /// One round. True if something is still to be done that nothing will ring for.
    fn pass(&mut self) -> bool {
        self.shared.beat();
        for _ in 0..EVENTS {
            self.serve();
        }
        self.take_on_wanted();
        self.match_queues();
        let moving = self.move_fetchers();
        let places: Vec<Place> = self.queues.keys().cloned().collect();
        // Every buffer once, so that no partition waits for another.
        let filled = places.iter().filter(|place| self.fill(place)).count();
        if filled > 0 {
            self.shared.bump();
        }
        moving || !self.wanted.is_empty()
    }

    /// An event of the group or of the client; rebalances run in here.
    fn serve(&self) {
        match self.consumer.poll(Duration::ZERO) {
            None => {}
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                tracing::error!("the consumer cannot go on: {error}");
            }
            // Said by `Member::error` already, with its reason; librdkafka goes on by itself.
            Some(Err(error)) => tracing::debug!("the consumer says {error}"),
            // It was on its way before the partition had a queue of its own, so it may not be the next one.
            Some(Ok(record)) => {
                let place = (record.topic().to_owned(), record.partition());
                if let Some(lane) = self.shared.lanes().get_mut(&place) {
                    lane.broken("a record came past its queue".to_owned());
                }
            }
        }
    }

    fn take_on_wanted(&mut self) {
        let consumer = &self.consumer;
        let shared = &self.shared;
        self.wanted.retain(|topic| match all_of(consumer, topic) {
            Ok((mut list, places)) => match take_on(consumer, &mut list, &places, shared) {
                Ok(()) => {
                    shared.bump();
                    false
                }
                Err(error) => {
                    tracing::warn!(topic, "cannot take on a topic: {error}");
                    true
                }
            },
            Err(why) => {
                tracing::debug!(topic, "cannot see a topic's partitions yet: {why}");
                true
            }
        });
    }

    /// A queue for each lane, and none besides.
    fn match_queues(&mut self) {
        let places: Vec<Place> = self.shared.lanes().keys().cloned().collect();
        self.queues.retain(|place, _| places.contains(place));
        for place in places {
            if self.queues.contains_key(&place) {
                continue;
            }
            let Some(mut queue) = self.consumer.split_partition_queue(&place.0, place.1) else { continue };
            let shared = Arc::clone(&self.shared);
            queue.set_nonempty_callback(move || shared.bell.ring());
            self.queues.insert(place, Line { queue, paused: true });
        }
    }

    /// Moves the fetchers that readers want elsewhere. True if one could not be moved yet.
    fn move_fetchers(&mut self) -> bool {
        let wishes: Vec<(Place, i64, u32)> = self
            .shared
            .lanes()
            .iter()
            .filter_map(|(place, lane)| match lane.flow {
                Flow::Seeking(after) => Some((place.clone(), after, lane.refused)),
                _ => None,
            })
            .collect();
        let mut moving = false;
        for (place, after, refused) in wishes {
            let moved =
                if refused > REFUSALS { self.restart(&place, after) } else { self.seek(&place, after) };
            let mut lanes = self.shared.lanes();
            let Some(lane) = lanes.get_mut(&place) else { continue };
            match moved {
                Ok(()) => lane.sought(after),
                Err(error) => {
                    tracing::debug!(topic = place.0, partition = place.1, "cannot be moved yet: {error}");
                    lane.refused = if refused > REFUSALS { 0 } else { refused + 1 };
                    moving = true;
                }
            }
        }
        moving
    }

    /// A position is the offset of the record behind it.
    fn seek(&mut self, place: &Place, after: i64) -> KafkaResult<()> {
        self.consumer.seek(&place.0, place.1, Offset::Offset(after), MOVE)?;
        // Not without need: it makes librdkafka forget what is on its way once more.
        if self.queues.get(place).is_some_and(|line| line.paused) { self.resume(place) } else { Ok(()) }
    }

    fn resume(&mut self, place: &Place) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&place.0, place.1);
        self.consumer.resume(&list)?;
        if let Some(line) = self.queues.get_mut(place) {
            line.paused = false;
        }
        // librdkafka's own thread sees a resumed partition when something else wakes it, or within a second.
        // Any question does; the answer does not matter.
        let _ = self.consumer.fetch_watermarks(&place.0, place.1, WAKE);
        Ok(())
    }

    /// For a fetcher that has stopped: after an offset outside the log librdkafka lets it be moved no more.
    fn restart(&mut self, place: &Place, after: i64) -> KafkaResult<()> {
        self.queues.remove(place);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&place.0, place.1, Offset::Offset(after))?;
        self.consumer.incremental_unassign(&list)?;
        self.consumer.incremental_assign(&list)?;
        self.match_queues();
        self.resume(place)
    }

    /// Fills one buffer from its queue. True if a reader may find something new.
    fn fill(&self, place: &Place) -> bool {
        let Some(Line { queue, .. }) = self.queues.get(place) else { return false };
        let room = match self.shared.lanes().get(place) {
            Some(lane) if lane.takes_in() => self.shared.buffered.saturating_sub(lane.len()),
            _ => 0,
        };
        let mut came = Vec::new();
        while came.len() < room {
            match queue.poll(Duration::ZERO) {
                None => break,
                Some(Ok(record)) => came.push(Came::Record(owned(&record))),
                Some(Err(KafkaError::PartitionEOF(_))) => came.push(Came::End),
                Some(Err(error)) => came.push(Came::Error(error.to_string())),
            }
        }
        if came.is_empty() {
            return false;
        }
        // The answer with the last record also said where the log ends: no need to wait for an answer without.
        let end = if came.len() < room {
            kafka_topics::known_end(self.consumer.client(), &place.0, place.1)
        } else {
            None
        };
        let mut lanes = self.shared.lanes();
        let Some(lane) = lanes.get_mut(place) else { return false };
        for one in came {
            match one {
                Came::Record(record) => lane.push(record),
                Came::End => lane.ended(None),
                Came::Error(why) => {
                    tracing::warn!(topic = place.0, partition = place.1, "nothing more is fetched: {why}");
                    lane.broken(why);
                }
            }
        }
        if end.is_some() {
            lane.ended(end);
        }
        true
    }

    /// Leaves the group, or lets go of what was taken on. librdkafka does so when the consumer is dropped, and
    /// waits for the broker's answer: a few seconds if there is none.
    fn leave(mut self) {
        self.queues.clear();
        let until = Instant::now() + Duration::from_secs(1);
        // A question about bounds may still hold it; that one would then have to close it, and the last of the
        // callbacks would run where nobody expects them.
        while Arc::strong_count(&self.consumer) > 1 && Instant::now() < until {
            let _ = self.consumer.poll(Duration::from_millis(20));
        }
        drop(self.consumer);
        self.shared.lanes().clear();
        self.shared.bump();
    }
}

fn all_of(consumer: &BaseConsumer<Member>, topic: &str) -> Result<(TopicPartitionList, Vec<Place>), String> {
    let metadata = consumer.fetch_metadata(Some(topic), MOVE).map_err(|error| error.to_string())?;
    let count =
        metadata.topics().iter().find(|one| one.name() == topic).map_or(0, |one| one.partitions().len());
    let mut list = TopicPartitionList::new();
    let mut places = Vec::new();
    // Partitions are numbered from 0 without gaps; more than fit an i32 there cannot be.
    for partition in (0..).take(count) {
        list.add_partition(topic, partition);
        places.push((topic.to_owned(), partition));
    }
    if count == 0 { Err("the broker does not know it".to_owned()) } else { Ok((list, places)) }
}

/// Copies a record out of librdkafka's memory.
fn owned(record: &rdkafka::message::BorrowedMessage<'_>) -> Message {
    let headers = record.headers().map_or_else(Vec::new, |headers| {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
            .collect()
    });
    Message {
        position: record.offset() + 1,
        key: record.key().unwrap_or_default().to_vec(),
        payload: record.payload().unwrap_or_default().to_vec(),
        headers,
        timestamp: record.timestamp().to_millis(),
    }
}
