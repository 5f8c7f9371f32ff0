//! The source of time, passed in wherever time is needed. Nothing else reads the host's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Where "now" comes from. Always whole milliseconds, so that both databases keep it unchanged.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The host's clock.
    Host,
    /// Somebody sets it: a replayed file, a test. Jumps; never runs by itself.
    Driven(Arc<AtomicI64>),
    /// Somebody sets it, and inputs count as of now, as on the host's: a simulator.
    Simulated(Arc<AtomicI64>),
    /// The host's clock run faster from an origin: the demo, where a day passes while one watches.
    Paced { host_origin: DateTime<Utc>, origin: DateTime<Utc>, speed: f64 },
}

impl Clock {
    pub fn driven(start: DateTime<Utc>) -> Self {
        Self::Driven(Arc::new(AtomicI64::new(start.timestamp_millis())))
    }

    pub fn simulated(start: DateTime<Utc>) -> Self {
        Self::Simulated(Arc::new(AtomicI64::new(start.timestamp_millis())))
    }

    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Host => host_now(),
            Self::Driven(millis) | Self::Simulated(millis) => from_millis(millis.load(Ordering::SeqCst)),
            Self::Paced { host_origin, origin, speed } => *origin + paced(host_now() - *host_origin, *speed),
        }
    }

    /// What this clock showed when the host's showed `at`; nothing for a clock that somebody sets.
    pub fn showed(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Host => Some(at),
            Self::Driven(_) | Self::Simulated(_) => None,
            Self::Paced { host_origin, origin, speed } => Some(*origin + paced(at - *host_origin, *speed)),
        }
    }

    /// Moves a clock that somebody sets forward to `to`; it never goes back. Other clocks move by themselves.
    pub fn drive(&self, to: DateTime<Utc>) {
        if let Self::Driven(millis) | Self::Simulated(millis) = self {
            millis.fetch_max(to.timestamp_millis(), Ordering::SeqCst);
        }
    }

    /// On a driven clock an input counts as of its recorded time; on any other as of now.
    pub fn is_driven(&self) -> bool {
        matches!(self, Self::Driven(_))
    }

    /// How long to wait on the host until this clock shows `at`; nothing on a clock that somebody sets.
    pub fn until(&self, at: DateTime<Utc>) -> Option<Duration> {
        self.wait_for((at - self.now()).to_std().unwrap_or(Duration::ZERO))
    }

    /// How long to wait on the host until this clock is `ahead` of now; nothing on a clock that somebody sets.
    pub fn wait_for(&self, ahead: Duration) -> Option<Duration> {
        match self {
            Self::Host => Some(ahead),
            Self::Driven(_) | Self::Simulated(_) => None,
            Self::Paced { speed, .. } => Some(ahead.div_f64(*speed)),
        }
    }
}

/// How far a paced clock has come while the host's went on by `elapsed`.
fn paced(elapsed: TimeDelta, speed: f64) -> TimeDelta {
    // A demo runs for hours at most: no precision is lost that anybody could see.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "hours in milliseconds fit an f64"
    )]
    let paced = (elapsed.num_milliseconds() as f64 * speed) as i64;
    TimeDelta::milliseconds(paced)
}

/// The one place that reads the host's clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the host's clock")]
pub fn host_now() -> DateTime<Utc> {
    from_millis(Utc::now().timestamp_millis())
}

fn from_millis(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
