//! The relay: sends what waits in a service's outbox, in id order, and marks what the broker has acknowledged.
//!
//! It owns nothing. Any instance may send the first rows that are not published; two at once, or one that
//! repeats itself, send copies, which readers drop by their sequence. A lease keeps it to one at a time, to save
//! work. After any error it begins again at the first row that is not marked.

use std::time::Duration;

use ::kafka::sending::{Outgoing, Sending};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::envelope::{seal, topic_name};
use super::told;
use crate::lifecycle::{self, Lifecycle};
use crate::metrics::Metrics;
use crate::store::outbox::Waiting;
use crate::store::{Store, StoreError, lease, outbox};
use crate::stream::relay::{Carries, send_waiting};
use crate::turn::Health;

/// Rows of one batch. All are acknowledged before the next is begun.
const BATCH: u64 = 2_000;

/// How long a batch may take: a broker that starts again needs some seconds.
const LONGEST_BATCH: Duration = Duration::from_secs(30);

/// How often it looks, though no turn of this instance has published: another one's may have.
const LOOK: Duration = Duration::from_millis(20);

/// How often an instance without the lease asks for it.
const ASK: Duration = Duration::from_millis(500);

/// The lease; it is renewed when a third of it is over.
const TERM: Duration = Duration::from_secs(3);

/// How often the metrics are told what waits.
const TELL: Duration = Duration::from_secs(5);

/// The longest pause after an error.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The job a lease is about.
const JOB: &str = "relay";

/// Sends what one service publishes.
#[derive(Debug)]
pub struct Relay {
    service: &'static str,
    store: Store,
    broker: Broker,
    published: watch::Receiver<u64>,
    /// This instance, among others of its service.
    holder: String,
    held_at: Option<Instant>,
    health: Health,
    metrics: Metrics,
    told_at: Option<Instant>,
}

/// The broker, as the one who carries facts to their topics.
#[derive(Debug)]
struct Broker {
    prefix: String,
    sending: Sending,
}

/// What one pass did.
enum Pass {
    /// Sent so many.
    Sent(usize),
    /// Another instance relays.
    Elsewhere,
}

impl Relay {
    pub(super) fn new(
        service: &'static str,
        store: Store,
        prefix: String,
        sending: Sending,
        published: watch::Receiver<u64>,
        metrics: Metrics,
    ) -> Self {
        Self {
            service,
            store,
            broker: Broker { prefix, sending },
            published,
            holder: crate::entropy::draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect(),
            held_at: None,
            health: Health::named(format!("relay of {service}")),
            metrics,
            told_at: None,
        }
    }

    /// Whether it sends. What it cannot send waits in the outbox: reports are taken all the same.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Sends until it is asked to stop, and then once more what waits.
    pub async fn run(mut self, mut lifecycle: Lifecycle) {
        let mut pause = Duration::from_millis(20);
        while !lifecycle.is_stopping() {
            self.published.mark_unchanged();
            self.health.came_around();
            match self.pass().await {
                Ok(pass) => {
                    self.health.saved();
                    self.health.answered();
                    pause = Duration::from_millis(20);
                    match pass {
                        Pass::Sent(0) => self.rest(LOOK, &mut lifecycle).await,
                        Pass::Sent(_) => {}
                        Pass::Elsewhere => lifecycle.pause(ASK).await,
                    }
                }
                Err(failed) => {
                    warn!(service = self.service, "could not send what waits, trying again: {failed}");
                    self.health.failed(&failed);
                    lifecycle.pause(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        self.finish().await;
    }

    /// What the last turns have published is sent before the end; if it cannot be, another instance does, or this
    /// one when it is back.
    async fn finish(mut self) {
        while let Ok(Pass::Sent(1..)) = self.pass().await {}
        if self.held_at.is_some()
            && let Err(failed) = lease::release(self.store.writer(), self.service, JOB, &self.holder).await
        {
            info!(service = self.service, "could not give the lease up; it ends by itself: {failed}");
        }
        self.broker.sending.stop().await;
    }

    async fn rest(&mut self, longest: Duration, stop: &mut Lifecycle) {
        tokio::select! {
            biased;
            () = stop.stopping() => {}
            changed = self.published.changed() => {
                // The stream is gone, and with it whoever publishes here: others may.
                if changed.is_err() { stop.pause(longest).await }
            }
            () = lifecycle::rest(longest) => {}
        }
    }

    /// Tells the metrics what waits, now and then.
    async fn tell(&mut self) -> Result<(), StoreError> {
        if self.told_at.is_some_and(|at| at.elapsed() < TELL) {
            return Ok(());
        }
        self.told_at = Some(Instant::now());
        let (waiting, oldest) = outbox::backlog(self.store.readers(), self.service).await?;
        self.metrics.outbox_waiting.with_label_values(&[self.service]).set(waiting);
        self.metrics.outbox_oldest.with_label_values(&[self.service]).set(oldest);
        Ok(())
    }

    async fn pass(&mut self) -> Result<Pass, StoreError> {
        self.tell().await?;
        if !self.has_lease().await? {
            return Ok(Pass::Elsewhere);
        }
        let sent = send_waiting(&self.store, self.service, BATCH, &mut self.broker).await?;
        Ok(Pass::Sent(sent))
    }

    async fn has_lease(&mut self) -> Result<bool, StoreError> {
        if self.held_at.is_some_and(|at| at.elapsed() < TERM / 3) {
            return Ok(true);
        }
        let asked = Instant::now();
        let had = self.held_at.take().is_some();
        let has = lease::hold(self.store.writer(), self.service, JOB, &self.holder, TERM).await?;
        self.held_at = has.then_some(asked);
        if has != had {
            info!(
                service = self.service,
                "{}",
                if has { "relays from now on" } else { "another instance relays" }
            );
        }
        Ok(has)
    }
}

#[async_trait::async_trait]
impl Carries for Broker {
    async fn carry(&mut self, rows: &[Waiting]) -> Result<(), StoreError> {
        let batch: Vec<Outgoing> = rows.iter().map(|row| self.letter(row)).collect();
        let until = Instant::now() + LONGEST_BATCH;
        self.sending
            .send_all(&batch, until)
            .await
            .map_err(|error| StoreError::Broker { doing: "sending facts to the broker", why: told(&error) })
    }
}

impl Broker {
    fn letter(&self, row: &Waiting) -> Outgoing {
        let letter = seal(&row.fact);
        Outgoing {
            topic: topic_name(&self.prefix, row.fact.topic),
            key: letter.key.into_bytes(),
            payload: letter.body.into_bytes(),
            headers: letter
                .headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into_bytes()))
                .collect(),
            // Not the fact's time: see `Outgoing`.
            timestamp: 0,
        }
    }
}
