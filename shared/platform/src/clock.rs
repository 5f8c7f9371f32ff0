//! The source of time, passed in wherever time is needed. Nothing else reads the host's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// Where "now" comes from. Always whole milliseconds, so that both databases keep it unchanged.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The host's clock.
    Host,
    /// Somebody sets it: a replayed file, a test. Jumps; never runs by itself.
    Driven(Arc<AtomicI64>),
    /// Somebody sets it, right or wrong, and inputs count as of now, as on the host's: a simulator.
    Simulated(Arc<Simulated>),
    /// The host's clock run faster from an origin: the demo, where a day passes while one watches.
    Paced { host_origin: DateTime<Utc>, origin: DateTime<Utc>, speed: f64 },
    /// The same, and nobody waits for the nights.
    Skipping(Arc<Skipping>),
}

/// A clock that may be set wrong, and the time that it really is.
#[derive(Debug)]
pub struct Simulated {
    /// What a clock that nobody can set showed at `start`.
    begun: Instant,
    start: i64,
    /// Milliseconds since 1970, as it really is.
    real: AtomicI64,
    /// By so many milliseconds what it shows is wrong.
    off: AtomicI64,
}

impl Simulated {
    fn shown(&self) -> DateTime<Utc> {
        from_millis(self.real.load(Ordering::SeqCst).saturating_add(self.off.load(Ordering::SeqCst)))
    }

    fn steady(&self) -> Instant {
        let passed = u64::try_from(self.real.load(Ordering::SeqCst) - self.start).unwrap_or(0);
        self.begun.checked_add(Duration::from_millis(passed)).unwrap_or(self.begun)
    }
}

/// A paced clock that leaves out stretches of time: at the begin of each it shows its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Skipping {
    pub host_origin: DateTime<Utc>,
    pub origin: DateTime<Utc>,
    pub speed: f64,
    /// From when until when, in order, none before the origin and none into the next.
    pub gaps: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Skipping {
    fn at(&self, host: DateTime<Utc>) -> DateTime<Utc> {
        let mut shown = shown(self.origin, host - self.host_origin, self.speed);
        for (from, until) in &self.gaps {
            if shown < *from {
                break;
            }
            shown = later(shown, *until - *from);
        }
        shown
    }

    /// How much of the time from `from` until `until` it shows: the rest is left out.
    fn shows(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> TimeDelta {
        let left_out = |gap: &(DateTime<Utc>, DateTime<Utc>)| {
            (gap.1.min(until) - gap.0.max(from)).max(TimeDelta::zero())
        };
        until - from - self.gaps.iter().map(left_out).sum::<TimeDelta>()
    }
}

impl Clock {
    pub fn driven(start: DateTime<Utc>) -> Self {
        Self::Driven(Arc::new(AtomicI64::new(start.timestamp_millis())))
    }

    pub fn simulated(start: DateTime<Utc>) -> Self {
        let start = start.timestamp_millis();
        let (real, off) = (AtomicI64::new(start), AtomicI64::new(0));
        Self::Simulated(Arc::new(Simulated { begun: Instant::now(), start, real, off }))
    }

    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Host => host_now(),
            Self::Driven(millis) => from_millis(millis.load(Ordering::SeqCst)),
            Self::Simulated(clock) => clock.shown(),
            Self::Paced { host_origin, origin, speed } => shown(*origin, host_now() - *host_origin, *speed),
            Self::Skipping(clock) => clock.at(host_now()),
        }
    }

    /// What this clock showed when the host's showed `at`; nothing for a clock that somebody sets.
    pub fn showed(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Host => Some(at),
            Self::Driven(_) | Self::Simulated(_) => None,
            Self::Paced { host_origin, origin, speed } => Some(shown(*origin, at - *host_origin, *speed)),
            Self::Skipping(clock) => Some(clock.at(at)),
        }
    }

    /// Moves a clock that somebody sets forward to `to`; it never goes back. Other clocks move by themselves.
    pub fn drive(&self, to: DateTime<Utc>) {
        let millis = match self {
            Self::Driven(millis) => millis,
            Self::Simulated(clock) => &clock.real,
            Self::Host | Self::Paced { .. } | Self::Skipping(_) => return,
        };
        millis.fetch_max(to.timestamp_millis(), Ordering::SeqCst);
    }

    /// Sets a simulated clock wrong by `off`, or right again by nothing. Other clocks stay.
    pub fn set_off(&self, off: TimeDelta) {
        if let Self::Simulated(clock) = self {
            clock.off.store(off.num_milliseconds(), Ordering::SeqCst);
        }
    }

    /// What a clock shows that nobody can set: only differences mean anything.
    pub fn steady(&self) -> Instant {
        match self {
            Self::Simulated(clock) => clock.steady(),
            Self::Host | Self::Driven(_) | Self::Paced { .. } | Self::Skipping(_) => Instant::now(),
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
            Self::Skipping(clock) => {
                let now = self.now();
                let until = TimeDelta::from_std(ahead).ok().and_then(|ahead| now.checked_add_signed(ahead));
                let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
                Some(clock.shows(now, until).to_std().unwrap_or(Duration::ZERO).div_f64(clock.speed))
            }
        }
    }
}

/// What a paced clock shows that began at `origin`, while the host's went on by `elapsed`.
fn shown(origin: DateTime<Utc>, elapsed: TimeDelta, speed: f64) -> DateTime<Utc> {
    // A demo runs for hours at most: no precision is lost that anybody could see.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "hours in milliseconds fit an f64, and what does not is the end of time"
    )]
    let paced = (elapsed.num_milliseconds() as f64 * speed) as i64;
    later(origin, TimeDelta::try_milliseconds(paced).unwrap_or(TimeDelta::MIN))
}

/// The end of time where it would be beyond, at either side.
fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    let end = if by < TimeDelta::zero() { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    at.checked_add_signed(by).unwrap_or(end)
}

/// The one place that reads the host's clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the host's clock")]
pub fn host_now() -> DateTime<Utc> {
    from_millis(Utc::now().timestamp_millis())
}

fn from_millis(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-07-{text}:00Z").parse().unwrap()
    }

    /// Sixty times as fast from eight in the morning; two nights are left out.
    fn days() -> Skipping {
        Skipping {
            host_origin: at("01T00:00"),
            origin: at("22T08:00"),
            speed: 60.0,
            gaps: vec![(at("22T20:00"), at("23T08:00")), (at("23T20:00"), at("24T08:00"))],
        }
    }

    #[test]
    fn a_simulated_clock_that_is_set_wrong_goes_on_beside_a_steady_one() {
        let clock = Clock::simulated(at("22T08:00"));
        let begun = clock.steady();
        clock.set_off(TimeDelta::hours(-1));
        clock.drive(at("22T08:10"));
        assert_eq!(clock.now(), at("22T07:10"));
        assert_eq!(clock.steady() - begun, Duration::from_secs(600));
        clock.set_off(TimeDelta::zero());
        clock.drive(at("22T08:00"));
        assert_eq!(clock.now(), at("22T08:10"), "it never goes back by itself");
    }

    #[test]
    fn a_clock_that_leaves_out_the_nights_shows_the_morning_where_the_evening_ended() {
        let clock = days();
        for (minutes, shown) in [
            (0, "22T08:00"),
            (1, "22T09:00"),
            (11, "22T19:00"),
            (12, "23T08:00"),
            (13, "23T09:00"),
            (24, "24T08:00"),
            (48, "25T08:00"),
        ] {
            assert_eq!(clock.at(at("01T00:00") + TimeDelta::minutes(minutes)), at(shown), "{minutes}");
        }
    }

    #[test]
    fn what_is_waited_for_over_a_night_is_nearer_by_the_night() {
        let clock = days();
        let shows = |from: &str, until: &str| clock.shows(at(from), at(until)).num_minutes();
        assert_eq!(shows("22T09:00", "22T10:30"), 90);
        assert_eq!(shows("22T19:00", "23T09:00"), 120);
        assert_eq!(shows("22T19:00", "23T02:00"), 60, "what lies in the night comes with its end");
        assert_eq!(shows("22T19:00", "25T08:00"), 60 + 12 * 60 + 24 * 60);
    }
}
