//! How far a run is, shared by everybody in it, so that one that hangs can say what was outstanding.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

#[derive(Debug)]
pub struct Progress {
    posts: usize,
    answered: AtomicUsize,
    new: AtomicUsize,
    retries: AtomicU64,
    kills: AtomicUsize,
    actions: AtomicUsize,
    enough: AtomicBool,
    stage: Mutex<String>,
}

impl Progress {
    pub fn new(posts: usize) -> Self {
        Self {
            posts,
            answered: AtomicUsize::new(0),
            new: AtomicUsize::new(0),
            retries: AtomicU64::new(0),
            kills: AtomicUsize::new(0),
            actions: AtomicUsize::new(0),
            enough: AtomicBool::new(false),
            stage: Mutex::new("reporting".to_owned()),
        }
    }

    pub fn stage(&self, what: &str) {
        *self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = what.to_owned();
    }

    /// One more report has its first answer.
    pub fn one_answered(&self) {
        self.answered.fetch_add(1, Ordering::SeqCst);
    }

    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    /// One more report was answered 201.
    pub fn one_new(&self) {
        self.new.fetch_add(1, Ordering::SeqCst);
    }

    pub fn new_ones(&self) -> usize {
        self.new.load(Ordering::SeqCst)
    }

    pub fn one_retried(&self) {
        self.retries.fetch_add(1, Ordering::SeqCst);
    }

    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::SeqCst)
    }

    pub fn one_killed(&self) {
        self.kills.fetch_add(1, Ordering::SeqCst);
    }

    pub fn one_acted(&self) {
        self.actions.fetch_add(1, Ordering::SeqCst);
    }

    pub fn stop_acting(&self) {
        self.enough.store(true, Ordering::SeqCst);
    }

    pub fn goes_on(&self) -> bool {
        !self.enough.load(Ordering::SeqCst)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        let (answered, kills, actions) = (count(&self.answered), count(&self.kills), count(&self.actions));
        write!(
            f,
            "{answered} of {} reports were answered after {kills} kills or faults, {} were sent again, {actions} actions; {stage}",
            self.posts,
            self.retries()
        )
    }
}
