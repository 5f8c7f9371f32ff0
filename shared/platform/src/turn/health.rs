//! How a service's loop is: what the health endpoints and the metrics tell.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::error;

use crate::store::StoreError;

/// How long after a turn that could not be saved a service counts as not ready, unless another was saved since.
const LINGERS: Duration = Duration::from_secs(10);

/// Whether a loop runs, and what is wrong with it. Shared with the health endpoints.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whose it is: `handle`, `relay of handle`.
    name: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    stopped: Option<String>,
    /// When a turn last could not be saved, and why.
    failed: Option<(Instant, String)>,
    /// Why nothing is taken or sent, from the first question to the broker that failed to the next that does not: one
    /// may take longer than anything lingers.
    away: Option<String>,
    /// Why nothing is swept, as long as it is so.
    resting: Option<String>,
    /// When the loop last came around.
    round: Option<Instant>,
}

impl Health {
    /// Of the loop of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), state: Arc::default() }
    }

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
        [state.away.clone(), state.resting.clone()].into_iter().flatten().collect()
    }

    /// How long ago the loop last came around; nothing before its first round.
    pub fn since_round(&self) -> Option<Duration> {
        self.state().round.map(|at| at.elapsed())
    }

    /// Something could not be done; it will be tried again. As long as only the broker is away, or another instance
    /// has a partition now, people are served.
    pub fn failed(&self, error: &StoreError) {
        let name = &self.name;
        match error {
            StoreError::Broker { .. } => self.waits(format!(
                "{name} waits for Kafka, and serves people meanwhile: {error} / {name} 正在等待 Kafka，其间仍可受理"
            )),
            StoreError::Overtaken { .. } => {
                self.waits(format!("{name}: {error} / {name} 的分区已由另一实例接手，正在重新加入"));
            }
            _ if error.may_pass() => self.unsaved(&error.to_string()),
            _ => self.fails(format!("{name}: {error}")),
        }
    }

    /// A command could not be saved.
    pub(super) fn unsaved(&self, why: &str) {
        let name = &self.name;
        self.fails(format!(
            "{name} cannot save for now, and tries again: {why} / {name} 暂时无法保存，正在重试"
        ));
    }

    fn waits(&self, why: String) {
        self.state().away = Some(why);
    }

    fn fails(&self, why: String) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_the_broker_is_away_a_service_is_ready_and_says_what_it_waits_for() {
        let health = Health::named("handle");
        health.failed(&StoreError::Broker { doing: "reading a topic", why: "nobody answers".to_owned() });
        let troubles = health.troubles();
        for part in ["handle waits for Kafka", "reading a topic: nobody answers", "handle 正在等待 Kafka"]
        {
            assert!(troubles.len() == 1 && troubles[0].contains(part), "`{part}` is not in {troubles:?}");
        }
        assert_eq!((health.failing(), health.stopped()), (None, None), "people are served");
        health.answered();
        assert!(health.troubles().is_empty());
    }

    #[test]
    fn an_instance_whose_partition_another_one_has_now_is_ready() {
        let health = Health::named("handle");
        health.failed(&StoreError::Overtaken { service: "handle", topic: "routed" });
        let troubles = health.troubles();
        assert!(troubles[0].contains("rejoining") && troubles[0].contains("正在重新加入"), "{troubles:?}");
        assert_eq!(health.failing(), None);
    }

    #[test]
    fn while_nothing_can_be_saved_a_service_is_not_ready_and_says_why_until_something_was_saved() {
        let health = Health::named("handle");
        health.unsaved("database or disk is full");
        let why = health.failing().unwrap();
        for part in ["handle cannot save for now", "disk is full", "handle 暂时无法保存"] {
            assert!(why.contains(part), "`{part}` is not in {why}");
        }
        health.saved();
        assert_eq!(health.failing(), None);
    }
}
