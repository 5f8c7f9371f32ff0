//! How a service's loop is: what the health endpoints and the metrics tell.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::error;

use crate::store::StoreError;

/// How long after a turn that could not be saved a service counts as not ready, unless another was saved since.
const LINGERS: Duration = Duration::from_secs(10);

/// Whether a loop runs, and what is wrong with it. Shared with the health endpoints.
#[derive(Clone, Debug, Default)]
pub struct Health {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    stopped: Option<String>,
    /// When a turn last could not be saved, and why.
    failed: Option<(Instant, String)>,
    /// When the broker last did not do as asked, and why.
    away: Option<(Instant, String)>,
    /// Why nothing is swept, as long as it is so.
    resting: Option<String>,
    /// When the loop last came around.
    round: Option<Instant>,
}

impl Health {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the reader has stopped, if it has.
    pub fn stopped(&self) -> Option<String> {
        self.state().stopped.clone()
    }

    /// Why no turn can be saved just now, if the last one could not: a full disk, a server that is away.
    pub fn failing(&self) -> Option<String> {
        recent(self.state().failed.as_ref())
    }

    /// What is wrong though people are still served: the broker is away, nothing is swept.
    pub fn troubles(&self) -> Vec<String> {
        let state = self.state();
        [recent(state.away.as_ref()), state.resting.clone()].into_iter().flatten().collect()
    }

    /// How long ago the loop last came around; nothing before its first round.
    pub fn since_round(&self) -> Option<Duration> {
        self.state().round.map(|at| at.elapsed())
    }

    /// Something could not be done; it will be tried again.
    pub fn failed(&self, error: &StoreError) {
        let told = Some((Instant::now(), error.to_string()));
        match error {
            StoreError::Broker { .. } => self.state().away = told,
            _ => self.state().failed = told,
        }
    }

    /// A command could not be saved.
    pub(super) fn unsaved(&self, why: String) {
        self.state().failed = Some((Instant::now(), why));
    }

    /// A turn was saved, or the database answered.
    pub fn saved(&self) {
        self.state().failed = None;
    }

    /// The broker did as asked.
    pub fn answered(&self) {
        self.state().away = None;
    }

    /// The loop has come around.
    pub fn came_around(&self) {
        self.state().round = Some(Instant::now());
    }

    /// Nothing is swept from now on, for this reason; or again, with none. Answers whether that is new.
    pub(super) fn rests(&self, why: Option<String>) -> bool {
        let mut state = self.state();
        let new = state.resting.is_some() != why.is_some();
        state.resting = why;
        new
    }

    pub(super) fn stop_the_line(&self, why: String) {
        error!("stopped the line: {why}");
        self.state().stopped = Some(why);
    }
}

fn recent(told: Option<&(Instant, String)>) -> Option<String> {
    told.filter(|(at, _)| at.elapsed() < LINGERS).map(|(_, why)| why.clone())
}
