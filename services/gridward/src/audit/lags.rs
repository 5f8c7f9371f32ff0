//! How long after their time steps took effect, counted in classes of three digits: a few thousand at most,
//! however many steps.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::report::Lag;

/// Milliseconds, rounded up to three digits, and how many.
#[derive(Clone, Debug, Default)]
pub(super) struct Lags {
    classes: BTreeMap<u64, u64>,
    max: u64,
}

impl Lags {
    pub fn note(&mut self, lag: TimeDelta) {
        let lag = u64::try_from(lag.num_milliseconds()).unwrap_or(0);
        *self.classes.entry(class(lag)).or_default() += 1;
        self.max = self.max.max(lag);
    }

    pub fn add(&mut self, other: Self) {
        for (class, count) in other.classes {
            *self.classes.entry(class).or_default() += count;
        }
        self.max = self.max.max(other.max);
    }

    pub fn lag(&self) -> Option<Lag> {
        let all: u64 = self.classes.values().sum();
        let at = |percent: u64| {
            let rank = (all * percent).div_ceil(100).max(1);
            let mut seen = 0;
            let class = self.classes.iter().find(|(_, count)| {
                seen += **count;
                seen >= rank
            });
            class.map_or(self.max, |(class, _)| (*class).min(self.max))
        };
        (all > 0).then(|| Lag { p50: at(50), p99: at(99), max: self.max })
    }
}

fn class(lag: u64) -> u64 {
    let mut unit = 1;
    while lag / unit >= 1_000 {
        unit *= 10;
    }
    lag.div_ceil(unit) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_are_below_the_median_and_one_in_a_hundred_above_the_other() {
        let mut lags = Lags::default();
        (1..=200).for_each(|ms| lags.note(TimeDelta::milliseconds(ms)));
        assert_eq!(lags.lag(), Some(Lag { p50: 100, p99: 198, max: 200 }));
        let mut more = Lags::default();
        more.note(TimeDelta::milliseconds(123_456));
        lags.add(more);
        assert_eq!(lags.lag().map(|lag| lag.max), Some(123_456));
        assert_eq!(Lags::default().lag(), None);
    }

    #[test]
    fn classes_keep_three_digits() {
        assert_eq!([0, 7, 999, 1_000, 1_001, 123_456].map(class), [0, 7, 999, 1_000, 1_010, 124_000]);
    }
}
