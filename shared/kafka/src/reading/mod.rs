//! Reading from positions of one's own, as a member of a group or of whole topics.
//!
//! The broker's group says which partitions this instance has; where to read in them the caller says with
//! every read, from wherever it keeps its positions. So nothing depends on committed offsets, and a position
//! that the log no longer has, or never had, is an error and never skipped.
//!
//! A position is the offset of a record plus 1: 0 stands before the first one.

mod lanes;
mod polling;
mod settings;
mod shared;

pub use settings::{Membership, Settings};

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kafka_topics::{TopicError, TopicId};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout_at;

use crate::bounds;
use lanes::{Lane, Taken};
use polling::{Member, Polling};
use shared::Shared;

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its offset plus 1.
    pub position: i64,
    /// Empty also if it has none.
    pub key: Vec<u8>,
    /// Empty also if it has none.
    pub payload: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since 1970, as the topic is set up: said by the sender, or when the broker took it.
    pub timestamp: Option<i64>,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Another member has it, or nobody yet. Not a fault: it ends when the group says so.
    #[error("partition {partition} of {topic} is not this instance's")]
    NotMine { topic: String, partition: i32 },
    /// The log no longer has, or never had, what comes behind this position: it was cut short, made anew, or
    /// its records were deleted. Repeating does not help.
    #[error("{topic}/{partition} has positions {first} to {last}, so nothing can be read after {after}")]
    Outside {
        topic: String,
        partition: i32,
        after: i64,
        /// No record before this position is kept.
        first: i64,
        /// The position of the last record; below `first` when there is none.
        last: i64,
    },
    /// Neither a record nor the end was seen in time. To be repeated.
    #[error("{topic}/{partition}: neither a record nor the end within {waited:?}")]
    Late { topic: String, partition: i32, waited: Duration },
    /// The broker could not be asked. To be repeated.
    #[error("the broker does not say where {topic}/{partition} begins and ends")]
    Broker {
        topic: String,
        partition: i32,
        #[source]
        source: KafkaError,
    },
    #[error("the reader has been stopped")]
    Stopped,
}

/// Why reading could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the consumer cannot be set up")]
    Consumer(#[from] KafkaError),
    #[error("no thread for polling")]
    Thread(#[from] std::io::Error),
}

/// Stopping took longer than it may; the thread goes on leaving by itself. The group notices at the latest when
/// the session ends.
#[derive(Debug, thiserror::Error)]
#[error("the group was not left within {0:?}")]
pub struct StillLeaving(Duration);

/// A consumer with its own thread. Dropping it stops it, which blocks: see [`Reading::stop`].
pub struct Reading {
    shared: Arc<Shared>,
    /// The thread has it, and drops it.
    consumer: Weak<BaseConsumer<Member>>,
    topics: Vec<String>,
    grouped: bool,
    patience: Duration,
    farewell: Duration,
    thread: Mutex<Option<(JoinHandle<()>, Receiver<()>)>>,
}

impl Reading {
    /// Connects in the background: a broker that is away is no error here.
    ///
    /// # Errors
    /// A property that librdkafka does not take, or no thread.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        let shared = Arc::new(Shared::new(settings.buffered));
        let mut consumer: BaseConsumer<Member> =
            settings.config().create_with_context(Member { shared: Arc::clone(&shared) })?;
        let ringing = Arc::clone(&shared);
        consumer.set_nonempty_callback(move || ringing.bell.ring());
        let consumer = Arc::new(consumer);
        let grouped = matches!(settings.membership, Membership::Group { .. });
        if grouped {
            let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
            consumer.subscribe(&topics)?;
        }
        let wanted = if grouped { Vec::new() } else { settings.topics.clone() };
        let handle = Arc::downgrade(&consumer);
        let polling = Polling::new(consumer, Arc::clone(&shared), wanted);
        let (leaving, left) = mpsc::channel();
        let thread =
            thread::Builder::new().name("kafka-reading".to_owned()).spawn(move || polling.run(&leaving))?;
        Ok(Self {
            shared,
            consumer: handle,
            topics: settings.topics,
            grouped,
            patience: settings.patience,
            farewell: settings.farewell,
            thread: Mutex::new(Some((thread, left))),
        })
    }

    /// The partitions of `topic` that this instance has now, in order.
    pub fn assigned(&self, topic: &str) -> Vec<i32> {
        self.shared
            .lanes()
            .keys()
            .filter(|(name, _)| name == topic)
            .map(|(_, partition)| *partition)
            .collect()
    }

    /// Changes when records arrived, an end was reached, fetching failed, or the assignment changed.
    pub fn arrivals(&self) -> watch::Receiver<u64> {
        self.shared.arrivals.subscribe()
    }

    /// Up to `limit` records behind `after`, in order; none only if the end was reached. It waits for the
    /// broker if nothing is buffered there. One reader per partition: two at different positions would move
    /// the fetcher back and forth.
    ///
    /// # Errors
    /// [`ReadError::Outside`] needs a person; the others pass, or the partition is another's.
    pub async fn read(
        &self,
        topic: &str,
        partition: i32,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Message>, ReadError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let until = tokio::time::Instant::now() + self.patience;
        let late = || ReadError::Late { topic: topic.to_owned(), partition, waited: self.patience };
        let mut arrivals = self.arrivals();
        loop {
            arrivals.borrow_and_update();
            let (taken, was_full) = self.lane(topic, partition, |lane| {
                let was_full = lane.len() >= self.shared.buffered;
                (lane.take(after, limit), was_full)
            })?;
            if was_full {
                // Nothing rings for what stayed in the queue.
                self.shared.bell.ring();
            }
            match taken {
                Taken::Records(records) => return Ok(records),
                Taken::End => return Ok(Vec::new()),
                Taken::NotYet => {
                    if timeout_at(until, arrivals.changed()).await.is_err() {
                        return Err(late());
                    }
                }
                Taken::Elsewhere => {
                    if tokio::time::Instant::now() >= until {
                        return Err(late());
                    }
                    let (first, last) = self.bounds(topic, partition).await?;
                    if after < first - 1 || last < after {
                        return Err(ReadError::Outside {
                            topic: topic.to_owned(),
                            partition,
                            after,
                            first,
                            last,
                        });
                    }
                    self.lane(topic, partition, |lane| lane.seek(after))?;
                    self.shared.bell.ring();
                    if after == last {
                        return Ok(Vec::new());
                    }
                }
            }
        }
    }

    /// As [`Self::read`], of a partition that is given to this instance in a moment: what is read alone is taken on a
    /// little after the start. None at the end here too, whatever stands there: the last positions of a log may hold
    /// the marks of somebody's transactions, which are no records and never come.
    ///
    /// # Errors
    /// As [`Self::read`]; [`ReadError::NotMine`] when it was not given in time.
    pub async fn read_soon(
        &self,
        topic: &str,
        partition: i32,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Message>, ReadError> {
        let until = tokio::time::Instant::now() + self.patience;
        loop {
            let mut arrivals = self.arrivals();
            match self.read(topic, partition, after, limit).await {
                Err(ReadError::NotMine { .. }) if tokio::time::Instant::now() < until => {
                    // Too late is seen above.
                    let _ = timeout_at(until, arrivals.changed()).await;
                }
                read => return read,
            }
        }
    }

    /// The first position kept and the last one there is, as the broker says now: `(n + 1, n)` if there is no
    /// record. Of any partition, also another's.
    ///
    /// # Errors
    /// [`ReadError::Broker`] if it does not answer in time or does not know the partition.
    pub async fn bounds(&self, topic: &str, partition: i32) -> Result<(i64, i64), ReadError> {
        let (name, patience) = (topic.to_owned(), self.patience);
        let asked = self
            .ask(move |consumer| bounds::of(consumer.client(), &name, partition, patience))
            .await
            .ok_or(ReadError::Stopped)?;
        asked.map_err(|source| ReadError::Broker { topic: topic.to_owned(), partition, source })
    }

    /// The ids of the topics read, sorted by name. It asks the broker each time.
    ///
    /// # Errors
    /// Names a topic that is missing.
    pub async fn topic_ids(&self) -> Result<Vec<(String, TopicId)>, TopicError> {
        let (topics, patience) = (self.topics.clone(), self.patience);
        self.ask(move |consumer| {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            kafka_topics::topic_ids(consumer.client(), &names, patience)
        })
        .await
        .ok_or(TopicError::Library("answer, as the reader has been stopped"))?
        .map(|ids| ids.into_iter().collect())
    }

    /// Tells the broker where this reader is, for tools that show lag. Nobody waits for it and nothing is read
    /// from it; a copy that does not arrive is made good by the next.
    pub fn commit_copy(&self, topic: &str, partition: i32, after: i64) {
        let Some(consumer) = self.consumer.upgrade().filter(|_| self.grouped) else { return };
        let mut list = TopicPartitionList::new();
        let done = list
            .add_partition_offset(topic, partition, Offset::Offset(after))
            .and_then(|()| consumer.commit(&list, CommitMode::Async));
        if let Err(error) = done {
            tracing::debug!(topic, partition, "the copy of a position was not sent: {error}");
        }
    }

    /// How long ago the thread last polled: well below a second if it is well.
    pub fn since_last_poll(&self) -> Duration {
        self.shared.since_last_beat()
    }

    /// Leaves the group and ends the thread. It blocks, up to `farewell` of the settings: with a runtime it
    /// belongs in `spawn_blocking`. A second call does nothing.
    ///
    /// # Errors
    /// The broker did not let go in time.
    pub fn stop(&self) -> Result<(), StillLeaving> {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.bell.ring();
        let running = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((thread, left)) = running else { return Ok(()) };
        if left.recv_timeout(self.farewell) == Err(mpsc::RecvTimeoutError::Timeout) {
            return Err(StillLeaving(self.farewell));
        }
        if thread.join().is_err() {
            tracing::error!("the polling thread ended by a panic");
        }
        Ok(())
    }

    fn lane<T>(&self, topic: &str, partition: i32, act: impl FnOnce(&mut Lane) -> T) -> Result<T, ReadError> {
        if self.shared.stopping.load(Ordering::Relaxed) {
            return Err(ReadError::Stopped);
        }
        let place = (topic.to_owned(), partition);
        let mut lanes = self.shared.lanes();
        lanes.get_mut(&place).map(act).ok_or(ReadError::NotMine { topic: place.0, partition })
    }

    /// Asks the broker from a thread that may wait. `None` when stopped.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&BaseConsumer<Member>) -> T + Send + 'static,
    ) -> Option<T> {
        if self.shared.stopping.load(Ordering::Relaxed) {
            return None;
        }
        let consumer = self.consumer.upgrade()?;
        spawn_blocking(move || question(&consumer)).await.ok()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!("{error}");
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("topics", &self.topics)
            .field("grouped", &self.grouped)
            .finish_non_exhaustive()
    }
}
