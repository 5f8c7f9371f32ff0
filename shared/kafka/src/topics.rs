//! Having the topics: made if missing, and never with another number of partitions than agreed, which would
//! send an incident's facts to another partition than the ones before.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kafka_topics::{TopicError, TopicId};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::bounds;
use crate::connection::{Connection, Spoken};

/// How often a topic just made is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// A topic as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    /// Fixed for life.
    pub partitions: usize,
    /// Copies of each partition; −1 is what the broker is set to.
    pub replication: i32,
    /// Kafka's settings of a topic, by name: `retention.ms`, `cleanup.policy`. Only for one that is made here.
    pub settings: BTreeMap<String, String>,
}

impl Wanted {
    /// With the broker's own settings.
    pub fn new(name: impl Into<String>, partitions: usize) -> Self {
        Self { name: name.into(), partitions, replication: -1, settings: BTreeMap::new() }
    }
}

/// Why the topics are not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum EnsureError {
    /// Repeating does not help, and nothing was changed.
    #[error("topic {topic} has {found} partitions and must have {wanted}")]
    Partitions { topic: String, found: usize, wanted: usize },
    /// The broker does not make it: no right to, a setting it does not know, too few brokers, …
    #[error("topic {topic} is not made")]
    Refused {
        topic: String,
        #[source]
        code: RDKafkaErrorCode,
    },
    /// To be repeated.
    #[error("the broker does not answer about topics{}", why(.reason.as_ref()))]
    Broker {
        #[source]
        error: KafkaError,
        /// What its client says of it.
        reason: Option<String>,
    },
    /// To be repeated.
    #[error("topic {0} was made but is not seen in time")]
    Unseen(String),
}

fn why(reason: Option<&String>) -> String {
    reason.map_or_else(String::new, |reason| format!(" ({reason})"))
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics").field("patience", &self.patience).finish_non_exhaustive()
    }
}

/// Whoever looks after topics.
pub struct Topics {
    admin: Arc<AdminClient<Spoken>>,
    patience: Duration,
}

impl Topics {
    /// `patience` bounds each of its calls.
    ///
    /// # Errors
    /// A property that librdkafka does not take.
    pub fn start(connection: &Connection, patience: Duration) -> Result<Self, EnsureError> {
        let admin = connection.config().create_with_context(Spoken);
        let admin = admin.map_err(|error| EnsureError::Broker { error, reason: None })?;
        Ok(Self { admin: Arc::new(admin), patience })
    }

    fn unanswered(&self, error: KafkaError) -> EnsureError {
        EnsureError::Broker { error, reason: kafka_topics::last_said(self.admin.inner()) }
    }

    /// Makes what is missing, and compares what is there. Returns the names of those it made. It may run in
    /// several services at once.
    ///
    /// # Errors
    /// [`EnsureError::Partitions`] before anything is made.
    pub async fn ensure(&self, wanted: &[Wanted]) -> Result<Vec<String>, EnsureError> {
        let until = Instant::now() + self.patience;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut made = Vec::new();
        loop {
            looks.tick().await;
            let missing = self.missing(wanted).await?;
            let Some(first) = missing.first() else { return Ok(made) };
            if Instant::now() >= until {
                return Err(EnsureError::Unseen(first.name.clone()));
            }
            made.extend(self.make(&missing).await?);
        }
    }

    /// The ids of topics, by name.
    ///
    /// # Errors
    /// [`TopicError::Missing`] names a topic that is not there.
    pub async fn ids(&self, topics: &[&str]) -> Result<BTreeMap<String, TopicId>, TopicError> {
        let (admin, patience) = (Arc::clone(&self.admin), self.patience);
        let names: Vec<String> = topics.iter().map(|name| (*name).to_owned()).collect();
        spawn_blocking(move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            kafka_topics::topic_ids(admin.inner(), &names, patience)
        })
        .await
        .unwrap_or(Err(TopicError::Library("answer, as the process ends")))
    }

    /// The first position kept of a partition and the last one there is, as [`crate::reading::Reading::bounds`]
    /// says them. Asked here they do not wait behind a fetch.
    ///
    /// # Errors
    /// When the broker does not answer in time or does not know the partition.
    pub async fn bounds(&self, topic: &str, partition: i32) -> Result<(i64, i64), KafkaError> {
        let (admin, patience, topic) = (Arc::clone(&self.admin), self.patience, topic.to_owned());
        let asked = spawn_blocking(move || bounds::of(admin.inner(), &topic, partition, patience));
        asked.await.unwrap_or(Err(KafkaError::Canceled))
    }

    async fn missing<'a>(&self, wanted: &'a [Wanted]) -> Result<Vec<&'a Wanted>, EnsureError> {
        let (admin, patience) = (Arc::clone(&self.admin), self.patience);
        let names: Vec<String> = wanted.iter().map(|one| one.name.clone()).collect();
        let counted = spawn_blocking(move || {
            names.iter().map(|name| partitions(&admin, name, patience)).collect::<Result<Vec<_>, _>>()
        });
        let counted = counted.await.unwrap_or(Err(KafkaError::Canceled));
        let counted = counted.map_err(|error| self.unanswered(error))?;
        let mut missing = Vec::new();
        for (one, found) in wanted.iter().zip(counted) {
            match found {
                None => missing.push(one),
                Some(found) if found == one.partitions => {}
                Some(found) => {
                    let (topic, wanted) = (one.name.clone(), one.partitions);
                    return Err(EnsureError::Partitions { topic, found, wanted });
                }
            }
        }
        Ok(missing)
    }

    async fn make(&self, missing: &[&Wanted]) -> Result<Vec<String>, EnsureError> {
        let new: Vec<NewTopic<'_>> = missing
            .iter()
            .map(|one| {
                let count = i32::try_from(one.partitions).unwrap_or(i32::MAX);
                let topic = NewTopic::new(&one.name, count, TopicReplication::Fixed(one.replication));
                one.settings.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
            })
            .collect();
        let options = AdminOptions::new()
            .request_timeout(Some(self.patience))
            // The controller answers when the brokers know.
            .operation_timeout(Some(self.patience));
        let mut made = Vec::new();
        let answers = self.admin.create_topics(&new, &options).await;
        for answer in answers.map_err(|error| self.unanswered(error))? {
            match answer {
                Ok(name) => {
                    tracing::info!(topic = name, "made topic {name}");
                    made.push(name);
                }
                // Somebody else was first, or it is not seen everywhere yet: it is compared with the next look.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(EnsureError::Refused { topic, code }),
            }
        }
        Ok(made)
    }
}

/// How many partitions a topic has; `None` if there is no such topic.
fn partitions(
    admin: &AdminClient<Spoken>,
    topic: &str,
    limit: Duration,
) -> Result<Option<usize>, KafkaError> {
    let metadata = admin.inner().fetch_metadata(Some(topic), limit)?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(None) };
    match found.error() {
        None => Ok(Some(found.partitions().len())),
        // The second one: it was just made. Making it once more is refused, and it is looked for again.
        Some(
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
            | RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        ) => Ok(None),
        Some(code) => Err(KafkaError::MetadataFetch(code.into())),
    }
}
