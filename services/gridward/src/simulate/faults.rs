//! What goes wrong for one of them while it works: one fault a step, at the point the script says.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use platform::faults::{Fate, Point, Rule};
use platform::store::StoreError;
use platform::stream::Fact;

use super::switches::Broken;

/// What can go wrong at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It dies there: what it had in memory is gone, and what it had not committed.
    Crash,
    /// It freezes, and goes on later as if nothing had been.
    Freeze,
    /// It is told that the connection was lost. Behind a commit: it is done, and told that it failed.
    Fail,
    /// It is told that another instance was in the way.
    Collide,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Crash, Self::Freeze, Self::Fail, Self::Collide];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Freeze => "freeze",
            Self::Fail => "fail",
            Self::Collide => "collide",
        }
    }

    /// What somebody does whom it happens to.
    pub fn does(self) -> &'static str {
        match self {
            Self::Crash => "dies",
            Self::Freeze => "freezes",
            Self::Fail => "is told that the connection was lost",
            Self::Collide => "is told that another one was in the way",
        }
    }

    /// Whoever freezes in a transaction loses it: that is a failure, and no case of its own.
    pub fn fits(self, point: Point) -> bool {
        self != Self::Freeze || !point.in_transaction()
    }
}

/// At the so-manieth point of a step, from 1, this goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub nth: u32,
    pub kind: Kind,
}

/// How often each fault was met.
pub type Reached = BTreeMap<(Point, Kind), u64>;

/// Where one of them stands, as its own fate.
#[derive(Debug)]
pub struct Seat {
    service: &'static str,
    broken: Broken,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    fault: Option<Fault>,
    /// Points of this step that were reached.
    passed: u32,
    /// Where it stopped, and does not go on by itself.
    stopped: Option<(Point, Kind)>,
    /// What went wrong in this step.
    met: Option<(Point, Kind)>,
    /// Published in a transaction that may not be committed.
    uncommitted: Vec<Fact>,
    committed: Vec<Fact>,
    reached: Reached,
}

impl Seat {
    pub fn new(service: &'static str, broken: Broken) -> Self {
        Self { service, broken, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step begins, or goes on; this goes wrong in it.
    pub fn plan(&self, fault: Option<Fault>) {
        let mut state = self.state();
        state.fault = fault;
        state.passed = 0;
        state.stopped = None;
        state.met = None;
    }

    /// Where it has stopped, if it has.
    pub fn stopped(&self) -> Option<(Point, Kind)> {
        self.state().stopped
    }

    /// What went wrong since it went on, if anything did.
    pub fn met(&self) -> Option<(Point, Kind)> {
        self.state().met
    }

    /// It was given these facts to publish, in a transaction.
    pub fn publishes(&self, facts: &[Fact]) {
        self.state().uncommitted.extend_from_slice(facts);
    }

    /// What it has published and committed since this was last asked.
    pub fn committed(&self) -> Vec<Fact> {
        std::mem::take(&mut self.state().committed)
    }

    pub fn reached(&self) -> Reached {
        self.state().reached.clone()
    }

    /// What goes wrong now, at `point`.
    fn arrive(&self, point: Point) -> Option<Kind> {
        let mut state = self.state();
        if point.is_decided() {
            state.uncommitted.clear();
        }
        if point.is_committed() {
            let committed = std::mem::take(&mut state.uncommitted);
            state.committed.extend(committed);
        }
        state.passed += 1;
        let fault = state.fault.filter(|fault| fault.nth == state.passed)?;
        state.fault = None;
        let kind = if fault.kind.fits(point) { fault.kind } else { Kind::Fail };
        *state.reached.entry((point, kind)).or_default() += 1;
        state.met = Some((point, kind));
        if let Kind::Crash | Kind::Freeze = kind {
            state.stopped = Some((point, kind));
        }
        Some(kind)
    }
}

#[async_trait::async_trait]
impl Fate for Seat {
    async fn at(&self, point: Point) -> Result<(), StoreError> {
        match self.arrive(point) {
            None => Ok(()),
            Some(Kind::Fail) => Err(StoreError::cut_off(point.as_str())),
            Some(Kind::Collide) => {
                Err(StoreError::Overtaken { service: self.service, topic: point.as_str() })
            }
            // Whoever polls this knows by himself when it goes on.
            Some(Kind::Crash | Kind::Freeze) => {
                poll_fn(|_| if self.stopped().is_none() { Poll::Ready(()) } else { Poll::Pending }).await;
                Ok(())
            }
        }
    }

    fn breaks(&self, rule: Rule) -> bool {
        self.broken.breaks(rule)
    }
}
