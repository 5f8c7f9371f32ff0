//! Sending in order: one idempotent producer, batch after batch.
//!
//! A batch is answered as a whole. After any error, or when the deadline has passed, nothing of it is left on
//! its way here: the caller begins again at its first unsent row. What the broker had taken by then is in the
//! log a second time afterwards, which readers drop by its sequence; what was answered `Ok` is there once.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer, ProducerContext, PurgeConfig, ThreadedProducer,
};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

use crate::connection::{Connection, note, pass_on};

/// How long a purged producer may take to account for what it had. It asks nobody; a producer that takes
/// longer is replaced.
const SETTLING: Duration = Duration::from_secs(5);

/// How long at most until a full queue is tried again.
const NO_ROOM: Duration = Duration::from_millis(5);

/// A record on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub topic: String,
    /// Chooses the partition, by murmur2 as the Java client does.
    pub key: Vec<u8>,
    /// Sent as none when it is empty: what a compacted topic has under the key is then taken out.
    pub payload: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since 1970; 0 is taken as now, and is what to send. Never a time that a driven clock or a
    /// report says: a broker that restarts forgets a producer whose last record is older than a day by this
    /// number, takes what it then repeats for new, and by the same number deletes records after a while.
    pub timestamp: i64,
}

/// Where to send, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    pub connection: Connection,
    /// `lz4`, `gzip`, `snappy` or `none`. Facts are small and alike: lz4 is cheap and they shrink.
    pub compression: &'static str,
    /// How long a record waits for others to share a request with. The whole batch is enqueued in far less.
    pub linger: Duration,
}

impl Settings {
    /// lz4, 1 ms.
    pub fn new(connection: Connection) -> Self {
        Self { connection, compression: "lz4", linger: Duration::from_millis(1) }
    }
}

/// Why a batch was not sent. In each case some of it may be in the log.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A property that librdkafka does not take. Repeating does not help.
    #[error("the producer cannot be set up")]
    Start(#[source] KafkaError),
    /// This record cannot be sent as it is: too large, or for a topic that is not there. Those before it in the
    /// batch may have been sent, none behind it was. Repeating alone does not help.
    #[error("record {index} of the batch, for {topic}, is not taken")]
    Refused {
        index: usize,
        topic: String,
        #[source]
        source: KafkaError,
    },
    /// The broker refused a record, or what it did with one cannot be known. To be repeated.
    #[error("a record of the batch was not acknowledged")]
    Failed(#[source] KafkaError),
    /// To be repeated.
    #[error("{open} of {count} records were not acknowledged in time")]
    Late { open: usize, count: usize },
}

/// One long-lived producer. Every new one waits for its id from the broker, so it is kept, and replaced only
/// after an error it cannot recover from. Dropping it blocks for up to a second: see [`Sending::stop`].
pub struct Sending {
    settings: Settings,
    producer: Option<Arc<ThreadedProducer<Deliveries>>>,
    /// False while a batch is on its way: it stays so if whoever sent it stopped waiting.
    clear: bool,
}

impl Sending {
    /// Connects in the background: a broker that is away is no error here.
    ///
    /// # Errors
    /// [`SendError::Start`]
    pub fn start(settings: Settings) -> Result<Self, SendError> {
        let producer = produce(&settings)?;
        Ok(Self { settings, producer: Some(producer), clear: true })
    }

    /// Sends all of `batch` in its order and returns when every record is acknowledged by all replicas in sync,
    /// or at `deadline`. Dropping the future is as safe as an error.
    ///
    /// # Errors
    /// The batch has to be sent again, from the first record the caller has not seen acknowledged.
    pub async fn send_all(&mut self, batch: &[Outgoing], deadline: Instant) -> Result<(), SendError> {
        if !self.clear {
            self.abandon().await;
        }
        let producer = match &self.producer {
            Some(producer) => Arc::clone(producer),
            None => {
                let made = produce(&self.settings)?;
                tracing::info!("a new producer takes over");
                Arc::clone(self.producer.insert(made))
            }
        };
        self.clear = false;
        let tally = Arc::new(Tally::default());
        let sent = async {
            enqueue(&producer, batch, &tally).await?;
            tally.wait_for_all().await
        };
        let sent = match timeout_at(deadline, sent).await {
            Ok(sent) => sent,
            Err(_) => Err(SendError::Late { open: tally.open().min(batch.len()), count: batch.len() }),
        };
        drop(producer);
        if sent.is_ok() {
            self.clear = true;
        } else {
            self.abandon().await;
        }
        sent
    }

    /// Makes sure that nothing is on its way any more, and that the producer is still good.
    async fn abandon(&mut self) {
        // Taken out: if this future is dropped half-way, the next batch gets a new producer.
        if let Some(producer) = self.producer.take() {
            let settled = spawn_blocking(move || {
                producer.purge(PurgeConfig::default().queue().inflight());
                let settled = producer.flush(SETTLING);
                if let Some((code, reason)) = producer.client().fatal_error() {
                    tracing::warn!("the producer cannot go on: {code}: {reason}");
                    return None;
                }
                settled.is_ok().then_some(producer)
            });
            self.producer = settled.await.ok().flatten();
        }
        self.clear = true;
    }

    /// Ends the producer; what is on its way is given up.
    pub async fn stop(mut self) {
        if let Some(producer) = self.producer.take() {
            // It panics only if librdkafka's Rust side does, and then there is nothing left to stop.
            let _ = spawn_blocking(move || drop(producer)).await;
        }
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("settings", &self.settings)
            .field("clear", &self.clear)
            .finish_non_exhaustive()
    }
}

fn produce(settings: &Settings) -> Result<Arc<ThreadedProducer<Deliveries>>, SendError> {
    let mut config = settings.connection.config();
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // What was taken is sent, or purged by us: it never ends by itself, leaving a gap behind it.
        .set("message.timeout.ms", "0")
        .set("partitioner", "murmur2_random")
        .set("linger.ms", settings.linger.as_millis().to_string())
        .set("compression.type", settings.compression);
    config.create_with_context(Deliveries).map(Arc::new).map_err(SendError::Start)
}

async fn enqueue(
    producer: &ThreadedProducer<Deliveries>,
    batch: &[Outgoing],
    tally: &Arc<Tally>,
) -> Result<(), SendError> {
    for (index, outgoing) in batch.iter().enumerate() {
        let mut record = outgoing.record(Arc::clone(tally));
        loop {
            tally.failure()?;
            tally.open.fetch_add(1, Ordering::AcqRel);
            let Err((error, back)) = producer.send(record) else { break };
            tally.open.fetch_sub(1, Ordering::AcqRel);
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => {}
                // It is about the producer and not about this record.
                Some(RDKafkaErrorCode::Fatal) => return Err(SendError::Failed(error)),
                _ => {
                    let topic = outgoing.topic.clone();
                    return Err(SendError::Refused { index, topic, source: error });
                }
            }
            record = back;
            // The producer's thread polls, and there is room soon after something was acknowledged: a record
            // is freed a moment after its report, so the last report alone is no sure sign.
            let _ = timeout(NO_ROOM, tally.changed.notified()).await;
        }
    }
    Ok(())
}

impl Outgoing {
    fn record(&self, tally: Arc<Tally>) -> BaseRecord<'_, [u8], [u8], Arc<Tally>> {
        let headers = self
            .headers
            .iter()
            .fold(OwnedHeaders::new_with_capacity(self.headers.len()), |headers, (key, value)| {
                headers.insert(Header { key, value: Some(value) })
            });
        let record = BaseRecord::with_opaque_to(&self.topic, tally)
            .key(self.key.as_slice())
            .headers(headers)
            .timestamp(self.timestamp);
        if self.payload.is_empty() { record } else { record.payload(self.payload.as_slice()) }
    }
}

/// How far one batch is. Each of its records carries it, so that a report that comes late counts for the batch
/// it belongs to.
#[derive(Default)]
struct Tally {
    open: AtomicUsize,
    failure: Mutex<Option<KafkaError>>,
    changed: Notify,
}

impl Tally {
    fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    fn failure(&self) -> Result<(), SendError> {
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(SendError::Failed(error.clone())),
            None => Ok(()),
        }
    }

    async fn wait_for_all(&self) -> Result<(), SendError> {
        loop {
            self.failure()?;
            if self.open() == 0 {
                // The failure of the last one is written before it is counted.
                return self.failure();
            }
            self.changed.notified().await;
        }
    }

    fn answer(&self, error: Option<KafkaError>) {
        let failed = error.is_some();
        if let Some(error) = error {
            // The first one says most: those that follow may only be its consequence.
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        let open = self.open.fetch_sub(1, Ordering::AcqRel) - 1;
        // Not for each: whoever waits wants all, or room in the queue, which every end of a run gives.
        if failed || open == 0 || open.is_multiple_of(256) {
            self.changed.notify_one();
        }
    }
}

/// What librdkafka tells the producer.
struct Deliveries;

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        pass_on(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        note(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Arc<Tally>;

    fn delivery(&self, result: &DeliveryResult<'_>, tally: Arc<Tally>) {
        tally.answer(result.as_ref().err().map(|(error, _)| error.clone()));
    }
}
