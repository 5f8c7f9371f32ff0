//! The stream: where services meet, and nowhere else. One small trait, two settings; the contract suite
//! in `tests/` holds for both.
//!
//! A [`Fact`] goes out inside a turn's transaction; a [`Record`] comes in from a position. A record's name
//! is (topic, incident, sequence): sequences are 1, 2, 3 … per topic and incident, so readers drop what
//! they have, take what is next, and park what comes too soon.

mod embedded;
pub mod kafka;
pub mod relay;

pub use embedded::EmbeddedStream;
pub use kafka::KafkaStream;

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use domain::id::IncidentId;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::store::{StoreError, Tx};

/// One partition of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub topic: Topic,
    pub partition: i32,
}

impl Source {
    /// The one partition a topic has in the embedded setting.
    pub fn only(topic: Topic) -> Self {
        Self { topic, partition: 0 }
    }
}

/// A fact on its way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub topic: Topic,
    pub incident: IncidentId,
    /// Drawn while the incident's row is locked.
    pub sequence: i64,
    /// The type: `case.signed`.
    pub kind: String,
    /// When it counts as having happened (`ce_time`).
    pub at: DateTime<Utc>,
    /// When we noticed. Differs from `at` when a message was slow or a clock is driven.
    pub noticed_at: DateTime<Utc>,
    /// What brought it about (`ce_cause`): `routed/1`, `act/sign`, `due/handle/1/0`.
    pub cause: String,
    /// JSON.
    pub body: String,
}

/// A fact as it is read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub source: Source,
    /// Where in the source; a reader's position is the last one it took.
    pub position: i64,
    pub incident: IncidentId,
    pub sequence: i64,
    pub kind: String,
    pub at: DateTime<Utc>,
    pub noticed_at: DateTime<Utc>,
    pub cause: String,
    pub body: String,
}

impl Record {
    /// Reads the body.
    ///
    /// # Errors
    /// Names the type, the incident and the sequence, and what in the body is not as agreed.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_str(&self.body)
            .map_err(|error| format!("the body of {} cannot be read: {error}", self.name()))
    }

    /// In words: `case.signed handled/0197…/3`.
    pub fn name(&self) -> String {
        format!("{} {}/{}/{}", self.kind, self.source.topic, self.incident, self.sequence)
    }

    /// As its writer published it.
    pub fn as_fact(&self) -> Fact {
        Fact {
            topic: self.source.topic,
            incident: self.incident,
            sequence: self.sequence,
            kind: self.kind.clone(),
            at: self.at,
            noticed_at: self.noticed_at,
            cause: self.cause.clone(),
            body: self.body.clone(),
        }
    }

    /// What a fact brought about by this one names as its cause: `routed/1`.
    pub fn as_cause(&self) -> String {
        format!("{}/{}", self.source.topic, self.sequence)
    }
}

/// The type of a record that cannot be read at all; its cause says why. No service decides it: it becomes a
/// dead letter.
pub const UNREADABLE: &str = "unreadable";

/// Which bodies a reader opens. It keeps the order of all records, but need not carry what it never reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    All,
    /// Only these types.
    Only(&'static [&'static str]),
}

/// What there is to read of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Names the log itself: a topic that was made anew has another.
    pub topic_id: String,
    /// No record before this position is kept.
    pub first: i64,
    /// The position of the last record; below `first` when there is none.
    pub last: i64,
}

/// The stream, in either setting.
#[async_trait::async_trait]
pub trait Stream: Send + Sync + std::fmt::Debug {
    /// Writes `facts` as part of a turn: they are there if and only if its transaction commits.
    async fn publish(&self, tx: &Tx, facts: &[Fact]) -> Result<(), StoreError>;

    /// Says that a transaction which published has committed, so that readers wake.
    fn published(&self);

    /// The partitions of `topic` that this instance reads now.
    fn partitions(&self, topic: Topic) -> Vec<i32>;

    /// What there is to read of `source`, as the log itself says now.
    async fn bounds(&self, source: Source) -> Result<Bounds, StoreError>;

    /// The id of `topic`'s log, as it is now: another one, once it was made anew.
    async fn topic_id(&self, topic: Topic) -> Result<String, StoreError>;

    /// Up to `limit` records after position `after`, in order. Bodies that `opens` leaves shut may come
    /// empty.
    async fn read(
        &self,
        source: Source,
        after: i64,
        limit: u64,
        opens: Opens,
    ) -> Result<Vec<Record>, StoreError>;

    /// Changes whenever there may be something new to read, or a turn here has published.
    fn arrivals(&self) -> watch::Receiver<u64>;

    /// Returns once everything published here so far is on the log.
    async fn settled(&self) -> Result<(), StoreError>;

    /// Says that this instance has read `source` up to `after`, for tools that show lag. Nothing rests on it.
    fn moved(&self, _source: Source, _after: i64) {}
}
