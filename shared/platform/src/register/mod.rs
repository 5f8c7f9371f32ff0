//! The register of packs: what is published for each jurisdiction, with one writer, `gridward pack publish`, and every
//! service as its reader. A pack is checked as a whole, since its rules name its categories and its people its areas;
//! so it is published as a whole.
//!
//! What is kept are records, the latest of each key: a table of the one file, or a topic of one partition whose log is
//! compacted.
//!
//! | key | value |
//! |---|---|
//! | `part/SHA256` | up to 900 kB of a file, under its own digest: what did not change is not sent again |
//! | `pack/CODE/MILLISECONDS` | a [`Manifest`]: the files of one version, and of which parts they are |
//!
//! The parts come first and the manifest last, so that a version is there as a whole or not at all. The newest by its
//! own time counts. Once it does, what only older ones needed is taken out.

mod manifest;
mod shelf;
#[cfg(test)]
mod tests;

pub use manifest::{Listed, MANIFEST, Manifest, Parts};
pub use shelf::{Shelf, Unusable};

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::lifecycle::rest;
use crate::store::{Store, StoreError, register};
use crate::stream::kafka::{PackTopic, ReadOn};

/// What stands under a key; empty: nothing, from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: String,
    pub value: Vec<u8>,
}

/// How often a file is looked at. It tells nobody that another process has written to it.
const LOOK_AT_A_FILE: Duration = Duration::from_millis(200);

/// How often a topic is looked at, though it tells of what arrives.
const LOOK_AT_A_TOPIC: Duration = Duration::from_millis(500);

/// A version that was sent, and of which a part is missing when it is read back, is completed so often: somebody who
/// published at the same time may have taken out what this one relied on.
const COMPLETED: u32 = 3;

/// The register, in either setting.
#[derive(Debug)]
pub enum Register {
    InFile {
        store: Store,
        /// The last record seen.
        seen: Option<i64>,
    },
    OnTopic {
        topic: Box<PackTopic>,
        /// What stands in it up to a position. It is kept, some 200 kB of a street, so that what is published next is all
        /// that has to be read then: going back in a topic waits for the broker's answer to the question before.
        kept: Option<(i64, Shelf)>,
    },
}

/// Why a version was not published.
#[derive(Debug, thiserror::Error)]
pub enum NotPublished {
    /// Of two at once one wins: this is it, where it can still be told.
    #[error("{}", lost_to(newest.as_deref()))]
    SomebodyElse { newest: Option<Box<Manifest>> },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("what was sent cannot be read back whole: {0}")]
    Unusable(Unusable),
}

fn lost_to(newest: Option<&Manifest>) -> String {
    let Some(Manifest { code, version, published_at, by, .. }) = newest else {
        return "somebody else published at the same moment, and yours is not published: look with `gridward pack status`, \
                and publish again if yours is to stand / 有人同时发布了辖区包，您的版本未发布：请用 gridward pack status 查看，\
                如仍需发布请重试"
            .to_owned();
    };
    let version = version.get(..12).unwrap_or(version);
    format!(
        "{code} {version} was published at the same moment, at {published_at} by {by}: that is in force now, and yours is not \
         published. Ask what it changes, bring the two together, and publish that / {by} 同时于 {published_at} 发布了 {code} \
         {version}，现已生效，您的版本未发布：请核对其改动，合并后再发布"
    )
}

impl NotPublished {
    fn lost_to(newest: Option<&Manifest>) -> Self {
        Self::SomebodyElse { newest: newest.cloned().map(Box::new) }
    }
}

impl Register {
    pub fn in_file(store: Store) -> Self {
        Self::InFile { store, seen: None }
    }

    pub fn on_topic(topic: PackTopic) -> Self {
        Self::OnTopic { topic: Box::new(topic), kept: None }
    }

    /// What stands in it, if anything was written since it was last read. Of what was written a moment ago the last may
    /// come with the next call; each manifest comes with all that was written before it.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn moved(&mut self) -> Result<Option<Shelf>, StoreError> {
        match self {
            Self::InFile { store, seen } if register::last(store.readers()).await? == *seen => {
                return Ok(None);
            }
            Self::OnTopic { topic, kept: Some((seen, shelf)) } => match topic.read_on(seen, shelf).await? {
                ReadOn::Nothing => return Ok(None),
                ReadOn::More => {
                    let shelf = shelf.clone();
                    warn_of_odd(&shelf);
                    return Ok(Some(shelf));
                }
                ReadOn::Elsewhere => {}
            },
            Self::InFile { .. } | Self::OnTopic { kept: None, .. } => {}
        }
        self.read().await.map(Some)
    }

    /// All that stands in it, up to its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(&mut self) -> Result<Shelf, StoreError> {
        let mut shelf = Shelf::default();
        match self {
            Self::InFile { store, seen } => {
                // Before the records: what is written meanwhile is looked at once more.
                let last = register::last(store.readers()).await?;
                for Record { key, value } in register::all(store.readers()).await? {
                    shelf.take(&key, &value);
                }
                *seen = last;
            }
            Self::OnTopic { topic, kept } => {
                let seen = topic.read_all(&mut shelf).await?;
                *kept = Some((seen, shelf.clone()));
            }
        }
        warn_of_odd(&shelf);
        Ok(shelf)
    }

    /// It is to be read again, whether or not it has moved.
    pub fn look_again(&mut self) {
        match self {
            // No record has this number.
            Self::InFile { seen, .. } => *seen = Some(-1),
            Self::OnTopic { kept, .. } => *kept = None,
        }
    }

    /// Returns when something may have been written, at the latest after a moment.
    pub async fn stirs(&mut self) {
        match self {
            Self::InFile { .. } => rest(LOOK_AT_A_FILE).await,
            Self::OnTopic { topic, .. } => tokio::select! {
                () = topic.stirs() => {}
                () = rest(LOOK_AT_A_TOPIC) => {}
            },
        }
    }

    /// Brings the parts of a version that is about to be published to a topic, and adds them to what `before` shows. With
    /// them comes the connection to the broker; so what is published then is a small manifest, a moment after its time.
    ///
    /// # Errors
    /// When the broker does not take them; loose ones go with the next version that is published.
    pub async fn bring(&mut self, before: &mut Shelf, parts: &Parts) -> Result<(), StoreError> {
        if let Self::OnTopic { topic, .. } = self {
            let records = before.lacking(parts);
            topic.send(&records).await?;
            records.iter().for_each(|record| before.take(&record.key, &record.value));
        }
        Ok(())
    }

    /// Publishes a version after what `before` shows, and waits until it can be read back whole. Answers a version that
    /// was published meanwhile, which `before` does not show and this one replaces: only a topic lets that happen.
    ///
    /// # Errors
    /// Why it is not published.
    pub async fn publish(
        &mut self,
        before: &Shelf,
        manifest: &Manifest,
        parts: &Parts,
    ) -> Result<Option<Manifest>, NotPublished> {
        let mut records = before.lacking(parts);
        records.push(manifest.record());
        if let Self::InFile { store, .. } = self {
            let mut after = before.clone();
            records.iter().for_each(|record| after.take(&record.key, &record.value));
            records.extend(after.needless());
            let tx = store.begin().await?;
            if register::keys(&tx).await? == before.keys() {
                register::write(&tx, &records).await?;
                crate::store::commit(tx, "publishing a pack").await?;
                return Ok(None);
            }
            drop(tx);
            let after = self.read().await?;
            return Err(NotPublished::lost_to(after.newest(&manifest.code)));
        }
        self.send(&records).await?;
        let mut tries = 0;
        loop {
            let after = self.read().await?;
            let newest = after.newest(&manifest.code);
            if newest != Some(manifest) {
                return Err(NotPublished::lost_to(newest));
            }
            match after.files(manifest) {
                Ok(_) => {
                    self.send(&after.needless()).await?;
                    return Ok(after.beside(manifest, before).cloned());
                }
                Err(Unusable::Missing { .. }) if tries < COMPLETED => {
                    self.send(&after.lacking(parts)).await?;
                    tries += 1;
                }
                Err(unusable) => return Err(NotPublished::Unusable(unusable)),
            }
        }
    }

    async fn send(&mut self, records: &[Record]) -> Result<(), StoreError> {
        match self {
            Self::OnTopic { topic, .. } => topic.send(records).await,
            Self::InFile { store, .. } => {
                let tx = store.begin().await?;
                register::write(&tx, records).await?;
                crate::store::commit(tx, "writing to the register of packs").await
            }
        }
    }

    /// Lets go of it; the file stays open, for it is others' too.
    pub async fn close(self) {
        if let Self::OnTopic { topic, .. } = self {
            topic.close().await;
        }
    }
}

fn warn_of_odd(shelf: &Shelf) {
    for (key, why) in shelf.odd() {
        tracing::warn!(key, "left a record of the register of packs aside: {why}");
    }
}

/// The time a version gets that is published `now`, after `before`: always a later one, also where the clock of another
/// host was ahead.
pub fn published_at(now: DateTime<Utc>, before: Option<&Manifest>) -> DateTime<Utc> {
    let least = before.map(|before| before.published_at + TimeDelta::milliseconds(1));
    least.map_or(now, |least| least.max(now))
}
