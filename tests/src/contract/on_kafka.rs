//! The second setting for the contract: PostgreSQL with an outbox, a relay, and topics of one partition on a real
//! broker. Whoever reads is given the time that a fact takes through the relay: what is published has then arrived,
//! as it has in the other setting.

use std::sync::Arc;

use domain::facts::Topic;
use kafka::connection::Connection;
use platform::lifecycle::{Lifecycle, Stopper};
use platform::metrics::Metrics;
use platform::store::{Store, StoreError, Tx};
use platform::stream::kafka::{Settings, With};
use platform::stream::{Bounds, Fact, KafkaStream, Opens, Record, Source, Stream};
use sea_orm::prelude::async_trait;
use tempfile::TempDir;
use tokio::sync::watch;

use super::{Opened, new_database};

/// Where `tests/servers/with.sh` tells of a broker.
pub const BROKER: &str = "GRIDWARD_TEST_KAFKA";

/// Topics under a name of their own on the broker of the tests.
pub fn topics(prefix: &str, partitions: usize) -> Settings {
    Settings {
        connection: Connection::plain(std::env::var(BROKER).unwrap()),
        prefix: prefix.to_owned(),
        partitions,
        replication: -1,
        membership: With::Nobody,
    }
}

/// A database and topics of its own, whose names are kept in the folder.
pub fn open(folder: &TempDir) -> Opened {
    let kept = folder.path().join("database");
    Box::pin(async move {
        let url = match std::fs::read_to_string(&kept) {
            Ok(url) => url,
            Err(_) => {
                let url = new_database().await;
                std::fs::write(&kept, &url).unwrap();
                url
            }
        };
        let store = Store::connect(&url, 4).await.unwrap();
        migrations::up_for(store.writer(), "route").await.unwrap();
        let (_, name) = url.rsplit_once('/').unwrap();
        let settings = topics(&format!("{name}."), 1);
        settings.ensure_topics().await.unwrap();
        let stream = Arrived::start(&store, &settings);
        (store, Arc::new(stream) as Arc<dyn Stream>)
    })
}

/// A stream whose readers wait until what was published has come.
#[derive(Debug)]
pub struct Arrived {
    stream: KafkaStream,
    /// Another reader, for looks at topics that are read at the same time.
    looks: KafkaStream,
    _relaying: Stopper,
}

impl Arrived {
    fn start(store: &Store, settings: &Settings) -> Self {
        let (stopper, lifecycle) = Lifecycle::new();
        let (stream, relay) =
            KafkaStream::start("route", &Topic::ALL, store, settings, &Metrics::new()).unwrap();
        tokio::spawn(relay.run(lifecycle));
        let (looks, _) = KafkaStream::start("route", &Topic::ALL, store, settings, &Metrics::new()).unwrap();
        Self { stream, looks, _relaying: stopper }
    }
}

#[async_trait::async_trait]
impl Stream for Arrived {
    async fn publish(&self, tx: &Tx, facts: &[Fact]) -> Result<(), StoreError> {
        self.stream.publish(tx, facts).await
    }

    fn published(&self) {
        self.stream.published();
    }

    /// A topic that is taken on is seen a moment later.
    fn partitions(&self, _topic: Topic) -> Vec<i32> {
        vec![0]
    }

    async fn bounds(&self, source: Source) -> Result<Bounds, StoreError> {
        self.stream.settled().await?;
        self.stream.bounds(source).await
    }

    async fn topic_id(&self, topic: Topic) -> Result<String, StoreError> {
        self.stream.topic_id(topic).await
    }

    async fn read(
        &self,
        source: Source,
        after: i64,
        limit: u64,
        opens: Opens,
    ) -> Result<Vec<Record>, StoreError> {
        let last = self.bounds(source).await?.last;
        let reader = if source.topic == Topic::Reported { &self.stream } else { &self.looks };
        let mut read: Vec<Record> = Vec::new();
        loop {
            let mut arrivals = reader.arrivals();
            let at = read.last().map_or(after, |record| record.position);
            let left = limit - read.len() as u64;
            if left == 0 || at >= last {
                return Ok(read);
            }
            let some = reader.read(source, at, left, opens).await?;
            if some.is_empty() {
                arrivals.changed().await.unwrap();
            }
            read.extend(some);
        }
    }

    fn arrivals(&self) -> watch::Receiver<u64> {
        self.stream.arrivals()
    }

    async fn settled(&self) -> Result<(), StoreError> {
        self.stream.settled().await
    }
}
