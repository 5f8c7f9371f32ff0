//! The embedded setting: the log is a table of the same file. Publishing is an INSERT in the turn,
//! readers are woken by the commit. No relay, nothing to lose between files.

use domain::facts::Topic;
use tokio::sync::watch;

use super::{Bounds, Fact, Opens, Record, Source, Stream};
use crate::store::{Store, StoreError, Tx, log};

/// The stream of one process on one file.
#[derive(Debug)]
pub struct EmbeddedStream {
    store: Store,
    topic_id: String,
    arrivals: watch::Sender<u64>,
}

impl EmbeddedStream {
    /// # Errors
    /// When the file has no log yet: it was not migrated.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        let topic_id = log::identity(store.readers()).await?;
        Ok(Self { store, topic_id, arrivals: watch::Sender::new(0) })
    }
}

#[async_trait::async_trait]
impl Stream for EmbeddedStream {
    async fn publish(&self, tx: &Tx, facts: &[Fact]) -> Result<(), StoreError> {
        log::append(tx, facts).await
    }

    fn published(&self) {
        self.arrivals.send_modify(|turns| *turns += 1);
    }

    fn partitions(&self, _topic: Topic) -> Vec<i32> {
        vec![0]
    }

    async fn bounds(&self, source: Source) -> Result<Bounds, StoreError> {
        let last = log::end(self.store.readers(), source.topic).await?;
        Ok(Bounds { topic_id: self.topic_id.clone(), first: 1, last })
    }

    async fn topic_id(&self, _topic: Topic) -> Result<String, StoreError> {
        log::identity(self.store.readers()).await
    }

    async fn read(
        &self,
        source: Source,
        after: i64,
        limit: u64,
        opens: Opens,
    ) -> Result<Vec<Record>, StoreError> {
        log::read(self.store.readers(), source, after, limit, opens).await
    }

    fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    async fn settled(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
