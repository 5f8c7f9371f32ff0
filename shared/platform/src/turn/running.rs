//! The loop: people's commands before facts, facts before sweeps; idle when nothing waits.

use std::panic::resume_unwind;
use std::pin::pin;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tracing::{error, info, warn};

use super::commands::{Desk, Waiting};
use super::steady::Seen;
use super::{INPUTS_PER_TURN, Service, Turns};
use crate::lifecycle::{Lifecycle, rest};
use crate::store::{StoreError, lease};

/// How many people may wait at a desk before the next is told to come back.
const ROOM_AT_THE_DESK: usize = 4_000;

/// How long an instance sweeps before another may; it asks again when a third of that is over.
const SWEEPS: Duration = Duration::from_secs(3);

/// How often an instance that does not sweep asks whether it may, while something is due.
const ASK: Duration = Duration::from_millis(500);

/// How often the loop looks up even if nothing woke it: for dead letters somebody wants retried from
/// another process, and for times another instance left behind.
const LOOK_UP: Duration = Duration::from_secs(2);

impl<S: Service> Turns<S> {
    /// Opens the desk and hands back the loop to run; it ends when the process is asked to stop, after
    /// everybody already at the desk has been answered.
    ///
    /// # Panics
    /// The loop panics when one of its windows did.
    pub fn open_desk(self, lifecycle: Lifecycle) -> (Desk<S>, impl Future<Output = ()> + Send) {
        let windows = if self.store.is_shared() { S::WINDOWS } else { 1 };
        let (desk, mut waiting) = Desk::new(windows, ROOM_AT_THE_DESK);
        let first = waiting.remove(0);
        let running = async move {
            let mut others = JoinSet::new();
            for waiting in waiting {
                others.spawn(self.beside().obey_alone(waiting, lifecycle.clone()));
            }
            let mut running = pin!(self.run(first, lifecycle));
            loop {
                tokio::select! {
                    () = &mut running => break,
                    Some(ended) = others.join_next() => ended.unwrap_or_else(gone),
                }
            }
            while let Some(ended) = others.join_next().await {
                ended.unwrap_or_else(gone);
            }
        };
        (desk, running)
    }

    /// Another window of the desk: nothing but people's commands, until everybody at it has been answered.
    async fn obey_alone(mut self, mut waiting: mpsc::Receiver<Waiting<S>>, mut lifecycle: Lifecycle) {
        loop {
            tokio::select! {
                biased;
                () = lifecycle.stopping() => break,
                first = waiting.recv() => match first {
                    Some(first) => self.serve(first, &mut waiting).await,
                    None => break,
                },
            }
        }
        self.close(waiting).await;
    }

    /// Answers everybody who is at the desk already.
    async fn close(&mut self, mut waiting: mpsc::Receiver<Waiting<S>>) {
        waiting.close();
        while let Ok(last) = waiting.try_recv() {
            self.serve(last, &mut waiting).await;
        }
    }

    async fn run(mut self, mut waiting: mpsc::Receiver<Waiting<S>>, mut lifecycle: Lifecycle) {
        let mut arrivals = self.stream.arrivals();
        let mut backoff = Duration::from_millis(50);
        // A clock that is set later is then told from one that goes on, also where nothing was done until then.
        if let Err(failed) = self.look_at_the_clock().await {
            warn!(service = S::NAME, "could not look at the clock, trying again: {failed}");
        }
        self.metrics.reading.with_label_values(&[S::NAME]).set(1);
        while !lifecycle.is_stopping() {
            arrivals.mark_unchanged();
            self.health.came_around();
            let step = self.step(&mut waiting).await;
            if step.is_ok() {
                backoff = Duration::from_millis(50);
                self.health.answered();
            }
            match step {
                Ok(Step::Worked) => {}
                Ok(Step::Idle(wait)) => {
                    tokio::select! {
                        biased;
                        () = lifecycle.stopping() => {}
                        // A service that takes no commands has no desk, and goes on without one.
                        Some(first) = waiting.recv() => self.serve(first, &mut waiting).await,
                        _ = arrivals.changed() => {}
                        () = rest(wait) => {}
                    }
                }
                Err(failed) => {
                    warn!(service = S::NAME, "could not finish a turn, trying again: {failed}");
                    self.health.failed(&failed);
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
        self.close(waiting).await;
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
            worked |= self.look_up().await? > 0;
            if self.store.is_shared() {
                self.look_at_the_clock().await?;
                self.tell_lag().await?;
            }
        }
        if worked {
            return Ok(Step::Worked);
        }
        let wait = match self.service.next_due(self.store.readers()).await? {
            Some(next) => match self.until(next).await? {
                // It is due, and another instance sweeps.
                Duration::ZERO => ASK,
                wait => wait,
            },
            None => LOOK_UP,
        };
        Ok(Step::Idle(wait.clamp(Duration::from_millis(1), LOOK_UP)))
    }

    /// What the loop does now and then, whether or not anything woke it: tries again the dead letters that somebody asked
    /// for, and looks whether anything is set aside, and whether the logs are still those that the positions are on.
    /// Answers how many letters were decided.
    ///
    /// # Errors
    /// When the database or the log cannot be asked, or is another one.
    pub async fn look_up(&mut self) -> Result<usize, StoreError> {
        self.store.in_place()?;
        let decided = self.retry_asked().await?;
        self.look_for_trouble().await?;
        self.check_logs().await?;
        Ok(decided)
    }

    /// A sweep takes the right to write, so it looks with a reader first.
    async fn sweep_if_due(&mut self) -> Result<usize, StoreError> {
        let Some(next) = self.service.next_due(self.store.readers()).await? else { return Ok(0) };
        if self.until(next).await? > Duration::ZERO || !self.may_sweep().await? {
            return Ok(0);
        }
        self.sweep().await
    }

    /// How long until `next`, by the clock that turns count by.
    async fn until(&mut self, next: DateTime<Utc>) -> Result<Duration, StoreError> {
        let seen = self.look_at_the_clock().await?;
        if seen.off.is_some() {
            return Ok(LOOK_UP);
        }
        // A driven clock is moved by somebody, who sweeps by himself.
        let ahead = (next - seen.now).to_std().unwrap_or(Duration::ZERO);
        Ok(if ahead.is_zero() { ahead } else { self.clock.wait_for(ahead).unwrap_or(LOOK_UP) })
    }

    /// Reads the clock, and says aloud when somebody has set it: until it is right again nothing is swept.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn look_at_the_clock(&mut self) -> Result<Seen, StoreError> {
        let shown = self.store.now(self.store.readers(), &self.clock).await?;
        let seen = self.seen(shown);
        let why = seen.off.map(|off| {
            format!(
                "{}: the clock of {} was set by {} s while we ran: nothing is swept until it is right again, or this \
                 process is restarted / 数据库时钟被拨动，暂停时限扫描",
                S::NAME,
                self.store.place(),
                off.num_seconds()
            )
        });
        self.metrics.clock_off.with_label_values(&[S::NAME]).set(seen.off.map_or(0, |off| off.num_seconds()));
        if self.health.rests(why.clone()) {
            match why {
                Some(why) => error!("{why}"),
                None => info!(service = S::NAME, "the clock is right again: sweeping goes on"),
            }
        }
        Ok(seen)
    }

    /// One instance sweeps, to save the others the work. Two at once would harm nothing: a step is decided under
    /// the lock of its incident.
    async fn may_sweep(&mut self) -> Result<bool, StoreError> {
        if !self.store.is_shared() || self.sweeps_until.is_some_and(|until| Instant::now() < until) {
            return Ok(true);
        }
        let asked = Instant::now();
        let may = lease::hold(self.store.writer(), S::NAME, "sweep", &self.instance, SWEEPS).await?;
        self.sweeps_until = may.then_some(asked + SWEEPS / 3);
        Ok(may)
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

/// A window that panicked takes the desk with it, so that whoever runs the desk hears of it.
fn gone(error: JoinError) {
    if let Ok(panic) = error.try_into_panic() {
        resume_unwind(panic);
    }
}

enum Step {
    Worked,
    /// Nothing waits; look again after this, or when woken.
    Idle(Duration),
}
