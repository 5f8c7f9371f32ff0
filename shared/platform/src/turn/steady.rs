//! Time that does not jump. On a server a turn counts as of the database's clock, so that a host whose clock is
//! wrong does no harm; and a database whose clock is set while we run is told from one that simply goes on by a
//! clock that nobody can set.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

/// A clock may differ by so much from what went by before it counts as set: adjusting it, and a slow answer, cost
/// less.
pub const LARGEST_STEP: TimeDelta = TimeDelta::seconds(5);

/// Compares a clock with the time that went by. Pure: what both clocks show is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steady {
    /// What the clock showed when it was last believed, and when that was.
    believed: Option<(DateTime<Utc>, Instant)>,
}

/// What a clock shows, seen beside the time that went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The time to go by: the clock's, or, while it is off, what it should show.
    pub now: DateTime<Utc>,
    /// How far the clock is off, if it was set.
    pub off: Option<TimeDelta>,
}

impl Steady {
    /// The clock shows `shown`, at `at` by the clock that nobody can set.
    pub fn look(&mut self, shown: DateTime<Utc>, at: Instant) -> Seen {
        let Some((believed, then)) = self.believed else {
            self.believed = Some((shown, at));
            return Seen { now: shown, off: None };
        };
        let passed = TimeDelta::from_std(at.saturating_duration_since(then)).unwrap_or(TimeDelta::MAX);
        let expected = believed.checked_add_signed(passed).unwrap_or(shown);
        let off = shown - expected;
        if off.abs() > LARGEST_STEP {
            let whole = DateTime::from_timestamp_millis(expected.timestamp_millis()).unwrap_or(expected);
            return Seen { now: whole, off: Some(off) };
        }
        self.believed = Some((shown, at));
        Seen { now: shown, off: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn noon() -> DateTime<Utc> {
        "2026-03-02T04:00:00.250Z".parse().unwrap()
    }

    #[test]
    fn a_clock_that_goes_on_is_believed_also_when_it_is_adjusted_a_little_again_and_again() {
        let (mut steady, mut at, mut shown) = (Steady::default(), Instant::now(), noon());
        for _ in 0..100 {
            at += Duration::from_secs(10);
            shown += TimeDelta::seconds(14);
            assert_eq!(steady.look(shown, at), Seen { now: shown, off: None });
        }
    }

    #[test]
    fn a_clock_that_is_set_ahead_or_back_is_not_gone_by_until_it_is_right_again() {
        for step in [TimeDelta::hours(1), TimeDelta::minutes(-10)] {
            let (mut steady, at) = (Steady::default(), Instant::now());
            steady.look(noon(), at);
            let (later, should) = (at + Duration::from_secs(60), noon() + TimeDelta::seconds(60));
            assert_eq!(steady.look(should + step, later), Seen { now: should, off: Some(step) });
            let (later, should) = (at + Duration::from_secs(90), noon() + TimeDelta::seconds(90));
            assert_eq!(steady.look(should + step, later), Seen { now: should, off: Some(step) }, "still");
            assert_eq!(steady.look(should, later), Seen { now: should, off: None }, "it was set right");
        }
    }
}
