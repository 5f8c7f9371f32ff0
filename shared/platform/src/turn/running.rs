//! The loop: people's commands before facts, facts before sweeps; idle when nothing waits.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::commands::{Desk, Waiting};
use super::{INPUTS_PER_TURN, Service, Turns};
use crate::lifecycle::Lifecycle;
use crate::store::StoreError;

/// How many people may wait at a desk before the next is told to come back.
const ROOM_AT_THE_DESK: usize = 4_000;

/// How often the loop looks up even if nothing woke it: for dead letters somebody wants retried from
/// another process, and for times another instance left behind.
const LOOK_UP: Duration = Duration::from_secs(2);

/// How long after a turn that could not be saved a service counts as not ready, unless another was saved since.
const LINGERS: Duration = Duration::from_secs(10);

/// Whether the reader of a service runs. Shared with the health endpoint.
#[derive(Clone, Debug, Default)]
pub struct Health {
    stopped: Arc<Mutex<Option<String>>>,
    /// When a turn last could not be saved, and why.
    failed: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Health {
    /// Why the reader has stopped, if it has.
    pub fn stopped(&self) -> Option<String> {
        self.stopped.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Why no turn can be saved just now, if the last one could not: a full disk, a server that is away.
    pub fn failing(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failed.as_ref().filter(|(at, _)| at.elapsed() < LINGERS).map(|(_, why)| why.clone())
    }

    pub(super) fn failed(&self, why: String) {
        let now = Instant::now();
        *self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((now, why));
    }

    pub(super) fn saved(&self) {
        *self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    pub(super) fn stop_the_line(&self, why: String) {
        error!("stopped the line: {why}");
        *self.stopped.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(why);
    }
}

impl<S: Service> Turns<S> {
    /// Opens the desk and hands back the loop to run; it ends when the process is asked to stop, after
    /// everybody already at the desk has been answered.
    pub fn open_desk(self, lifecycle: Lifecycle) -> (Desk<S>, impl Future<Output = ()> + Send) {
        let (desk, waiting) = Desk::new(ROOM_AT_THE_DESK);
        (desk, self.run(waiting, lifecycle))
    }

    async fn run(mut self, mut waiting: mpsc::Receiver<Waiting<S>>, mut lifecycle: Lifecycle) {
        let mut arrivals = self.stream.arrivals();
        let mut backoff = Duration::from_millis(50);
        self.metrics.reading.with_label_values(&[S::NAME]).set(1);
        while !lifecycle.is_stopping() {
            arrivals.mark_unchanged();
            match self.step(&mut waiting).await {
                Ok(Step::Worked) => backoff = Duration::from_millis(50),
                Ok(Step::Idle(wait)) => {
                    backoff = Duration::from_millis(50);
                    tokio::select! {
                        biased;
                        () = lifecycle.stopping() => {}
                        // A service that takes no commands has no desk, and goes on without one.
                        Some(first) = waiting.recv() => self.serve(first, &mut waiting).await,
                        _ = arrivals.changed() => {}
                        () = pause(wait) => {}
                    }
                }
                Err(failed) => {
                    warn!(service = S::NAME, "could not finish a turn, trying again: {failed}");
                    self.health.failed(failed.to_string());
                    // Waiting does not mend a row, a position or a file that is wrong; somebody has to.
                    if !failed.may_pass() {
                        self.health.stop_the_line(format!("{}: {failed}", S::NAME));
                    }
                    lifecycle.pause(backoff).await;
                    backoff = (backoff * 2).min(Duration::from_secs(5));
                }
            }
            let reading = i64::from(self.health.stopped().is_none());
            self.metrics.reading.with_label_values(&[S::NAME]).set(reading);
        }
        waiting.close();
        while let Ok(last) = waiting.try_recv() {
            self.serve(last, &mut waiting).await;
        }
        info!(service = S::NAME, "stopped");
    }

    /// One look at everything that may wait, at most a turn of each: commands first, but a steady stream of
    /// them never keeps facts or sweeps from their turn.
    async fn step(&mut self, waiting: &mut mpsc::Receiver<Waiting<S>>) -> Result<Step, StoreError> {
        let mut worked = false;
        if let Ok(first) = waiting.try_recv() {
            self.serve(first, waiting).await;
            worked = true;
        }
        if self.health.stopped().is_some() {
            return Ok(if worked { Step::Worked } else { Step::Idle(LOOK_UP) });
        }
        worked |= self.take_facts().await?.all() > 0;
        worked |= self.sweep_if_due().await? > 0;
        if self.looked_up.elapsed() >= LOOK_UP {
            self.looked_up = Instant::now();
            worked |= self.retry_asked().await? > 0;
            self.look_for_trouble().await?;
        }
        if worked {
            return Ok(Step::Worked);
        }
        let next = self.service.next_due(self.store.readers()).await?;
        let wait = next.and_then(|next| self.clock.until(next)).unwrap_or(LOOK_UP);
        Ok(Step::Idle(wait.clamp(Duration::from_millis(1), LOOK_UP)))
    }

    /// A sweep takes the right to write, so it looks with a reader first.
    async fn sweep_if_due(&mut self) -> Result<usize, StoreError> {
        match self.service.next_due(self.store.readers()).await? {
            Some(next) if next <= self.clock.now() => self.sweep().await,
            _ => Ok(0),
        }
    }

    /// Serves `first` and everybody else who waits by now, in one turn.
    async fn serve(&mut self, first: Waiting<S>, waiting: &mut mpsc::Receiver<Waiting<S>>) {
        let mut asked = vec![first.asked];
        let mut answers = vec![first.answer];
        while asked.len() < INPUTS_PER_TURN {
            let Ok(next) = waiting.try_recv() else { break };
            asked.push(next.asked);
            answers.push(next.answer);
        }
        for (answer, result) in answers.into_iter().zip(self.obey(&asked).await) {
            // Who has gone away does not hear the answer; the work stands.
            let _ = answer.send(result);
        }
    }
}

enum Step {
    Worked,
    /// Nothing waits; look again after this, or when woken.
    Idle(Duration),
}

#[expect(clippy::disallowed_methods, reason = "the loop's own waiting, cut short by whatever comes")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
