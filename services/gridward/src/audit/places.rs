//! The audit of an office on servers: a database for each service, and the topics between them.
//!
//! The topics are read first, then each database is looked at in one transaction, readers before writers, then
//! the topics once more to their ends: so what an outbox calls published must lie on its topic, what lay there
//! before must be in the outbox, and whether a reader's position is behind a fact is known exactly. What is left
//! is that the four moments are not one: an incident found at fault is looked at again, and counts only if the
//! fault stands each time.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Context;
use kafka::connection::Connection;
use platform::lifecycle::Lifecycle;
use platform::store::{Store, outbox};

use super::Options;
use super::ledger::{Ledger, Name, Rows};
use super::life::Page;
use super::report::{OnTopics, Report};
use super::snapshot::{Setting, Snapshot};
use super::topics::Topics;
use super::walk::{Suspects, Walker, aside, one};
use super::whole::{OnKafka, Whole};
use crate::servers::{database_as_it_is, services_of};
use crate::settings::Settings;

/// Where an office keeps what it knows.
#[derive(Clone)]
pub struct Places {
    /// By service: discover, route, handle, supervise, and partner where the office has one.
    pub databases: BTreeMap<&'static str, Store>,
    pub kafka: Connection,
    /// Before the names of the topics.
    pub prefix: String,
}

impl Places {
    /// Where `settings` say they are; nothing is changed there.
    ///
    /// # Errors
    /// When a database cannot be reached.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let mut databases = BTreeMap::new();
        for service in services_of(settings).await? {
            databases.insert(service, database_as_it_is(service, settings, 2).await?);
        }
        let prefix = settings.kafka.prefix.clone();
        Ok(Self { databases, kafka: settings.stream()?.connection, prefix })
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("kafka", &self.kafka)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// How sure a fault has to be.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often an incident at fault is looked at in all.
    pub looks: u32,
    /// How long it is left alone between two looks.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { looks: 4, pause: Duration::from_secs(1) }
    }
}

/// Incidents at fault that are looked at again, one by one; where there are more, the others count at once.
const MOST_SUSPECTS: usize = 2_000;

/// Audits an office, again and again; what it has read of the topics it keeps.
pub struct Auditor {
    places: Places,
    topics: Topics,
    patience: Patience,
    /// As of the last audit, what a broker lost, and what lies on its topic behind a reader that has not taken it.
    to_send_again: [Rows; 2],
}

/// What was looked at, at one time.
struct Look {
    snapshot: Snapshot,
    whole: Whole,
}

impl Auditor {
    /// # Errors
    /// When Kafka does not answer, or a topic is missing.
    pub async fn start(places: Places, patience: Patience) -> anyhow::Result<Self> {
        let topics = Topics::start(&places).await?;
        Ok(Self { places, topics, patience, to_send_again: Default::default() })
    }

    /// Audits the office as it is now.
    ///
    /// # Errors
    /// When a database or the broker cannot be read; a fault in the data is part of the report.
    pub async fn audit(&mut self, options: Options) -> anyhow::Result<Report> {
        let mut ledger = Ledger::new(Setting::Servers);
        let Look { snapshot, whole } = self.look(options, &mut ledger).await?;
        self.closed(&mut ledger);
        let most = if self.patience.looks > 1 { MOST_SUSPECTS } else { 0 };
        let mut walker = Walker::new(whole, ledger, most);
        walker.walk(&snapshot, Some(&self.topics.read.index)).await?;
        let (parked, dead) = aside(&snapshot).await?;
        snapshot.end().await?;
        let Walker { mut ledger, suspects, .. } = walker;
        self.again(suspects, options, &mut ledger).await?;
        self.to_send_again = ledger.take_unsent();
        let read = &self.topics.read;
        let topics = OnTopics {
            records: read.records,
            copies: read.index.copies,
            lost: self.to_send_again[0].values().map(|rows| rows.len() as u64).sum(),
        };
        Ok(ledger.close(parked, dead, Some(topics)))
    }

    /// Records that cannot even be opened.
    fn closed(&self, ledger: &mut Ledger) {
        let read = &self.topics.read;
        for closed in &read.closed {
            let (topic, partition) = closed.place;
            let what = format!("the record at {} cannot be opened: {}", closed.position, closed.why);
            ledger.fault(Name::Written, format!("{topic}/{partition}"), what);
        }
        for _ in read.closed.len() as u64..read.closed_in_all {
            ledger.fault(Name::Written, "…", "a record cannot be opened");
        }
    }

    async fn look(&mut self, options: Options, ledger: &mut Ledger) -> anyhow::Result<Look> {
        let before = self.topics.catch_up().await?;
        let snapshot = Snapshot::of_servers(&self.places.databases).await?;
        let after = self.topics.ends().await?;
        self.topics.read_to(&after).await?;
        let topics = OnKafka {
            ids: self.topics.ids.clone(),
            counts: self.topics.counts(),
            before,
            after,
            since: self.topics.read.since.clone(),
        };
        let whole = Whole::of_servers(&snapshot, options, topics, ledger).await?;
        Ok(Look { snapshot, whole })
    }

    /// Looks at those at fault again, until no fault is left, or it has stood each time.
    async fn again(
        &mut self,
        mut suspects: Suspects,
        options: Options,
        ledger: &mut Ledger,
    ) -> anyhow::Result<()> {
        // Nobody stops it: it only pauses.
        let (_stopper, mut lifecycle) = Lifecycle::new();
        for looks in 1..self.patience.looks {
            if suspects.is_empty() {
                break;
            }
            lifecycle.pause(self.patience.pause).await;
            // What concerns more than an incident was said with the first look.
            let Look { snapshot, whole } = self.look(options, &mut Ledger::new(Setting::Servers)).await?;
            let mut standing = Suspects::new();
            for (id, checks) in suspects {
                let page = Page::of(&snapshot, &self.topics.read.index, id).await?;
                let mut own = Ledger::of(&whole);
                for (_, why) in page.unreadable {
                    own.fault(Name::Readable, id, why);
                }
                if let Some(life) = page.lives.get(&id) {
                    one(life, &whole, &mut own, None);
                }
                let stands = checks.and(own.at_fault());
                if stands.is_empty() || looks + 1 == self.patience.looks {
                    ledger.absorb(own, stands);
                } else {
                    standing.insert(id, stands);
                }
            }
            suspects = standing;
            snapshot.end().await?;
        }
        Ok(())
    }

    /// Has sent again, as of the last audit, what a broker lost, and what a reader has passed over: the copy lies before
    /// it, and it takes what it has not taken. Answers how many facts that are.
    ///
    /// # Errors
    /// When an outbox cannot be written.
    pub async fn resend(&mut self) -> anyhow::Result<u64> {
        let mut all = 0;
        let [lost, passed_over] = std::mem::take(&mut self.to_send_again);
        for (why, rows) in [("a broker lost", lost), ("a reader has passed over", passed_over)] {
            for (service, mut rows) in rows {
                rows.sort_unstable();
                rows.dedup();
                let store = self.places.databases.get(service).context("no such database")?;
                outbox::send_again(store.writer(), service, &rows).await?;
                tracing::warn!("{} facts of {service} that {why} are sent again: {rows:?}", rows.len());
                all += rows.len() as u64;
            }
        }
        Ok(all)
    }

    /// Lets go of the topics.
    pub async fn stop(self) {
        self.topics.stop().await;
    }
}

/// Audits an office as it is now.
///
/// # Errors
/// When a database or the broker cannot be read; a fault in the data is part of the report.
pub async fn audit_places(places: &Places, options: Options) -> anyhow::Result<Report> {
    let mut auditor = Auditor::start(places.clone(), Patience::default()).await?;
    let report = auditor.audit(options).await;
    auditor.stop().await;
    report
}
