//! What readers and the polling thread both see, and how they wake each other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::lanes::Lanes;

/// What readers and the thread both see.
pub(super) struct Shared {
    lanes: Mutex<Lanes>,
    pub(super) arrivals: watch::Sender<u64>,
    pub(super) bell: Bell,
    pub(super) stopping: AtomicBool,
    began: Instant,
    /// Milliseconds since `began`.
    polled: AtomicU64,
    pub(super) buffered: usize,
}

impl Shared {
    pub(super) fn new(buffered: usize) -> Self {
        Self {
            lanes: Mutex::default(),
            arrivals: watch::Sender::new(0),
            bell: Bell::default(),
            stopping: AtomicBool::new(false),
            began: Instant::now(),
            polled: AtomicU64::new(0),
            buffered: buffered.max(1),
        }
    }

    /// A panic while it was held leaves it whole: every change of it is one step.
    pub(super) fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bump(&self) {
        self.arrivals.send_modify(|count| *count += 1);
    }

    pub(super) fn beat(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.polled.store(now, Ordering::Relaxed);
    }

    pub(super) fn since_last_beat(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.polled.load(Ordering::Relaxed)))
    }
}

/// Wakes the thread. Rung while nobody waits, it is heard by the next who does.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_one();
    }

    pub(super) fn wait(&self, limit: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rung, _) =
            self.heard.wait_timeout_while(rung, limit, |rung| !*rung).unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}
