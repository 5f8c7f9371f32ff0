//! Whether a figure stays where it is: a straight line through what was seen of it, by least squares. Pure.

/// A straight line through what was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trend {
    pub mean: f64,
    pub least: f64,
    pub most: f64,
    /// What the line rises by in an hour.
    pub an_hour: f64,
}

/// The line through `seen`: seconds, and the figure then. Of nothing, and of one thing, it is flat.
pub fn trend(seen: &[(f64, f64)]) -> Trend {
    let Some((_, first)) = seen.first() else { return Trend::default() };
    let (mut many, mut at, mut mean, mut least, mut most) = (0.0, 0.0, 0.0, *first, *first);
    for (seconds, figure) in seen {
        many += 1.0;
        at += seconds;
        mean += figure;
        least = figure.min(least);
        most = figure.max(most);
    }
    (at, mean) = (at / many, mean / many);
    let across: f64 = seen.iter().map(|(seconds, _)| (seconds - at).powi(2)).sum();
    let along: f64 = seen.iter().map(|(seconds, figure)| (seconds - at) * (figure - mean)).sum();
    let an_hour = if across > 0.0 { along / across * 3_600.0 } else { 0.0 };
    Trend { mean, least, most, an_hour }
}

impl Trend {
    /// Whether it rises by less than so much an hour, or by less than so many percent of what it is.
    pub fn is_flat(&self, an_hour: f64, percent: f64) -> bool {
        self.an_hour < an_hour || self.an_hour < self.mean * percent / 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A figure every 30 s for two hours.
    fn seen(figure: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..240).map(|n| f64::from(n) * 30.0).map(|at| (at, figure(at))).collect()
    }

    #[test]
    fn what_grows_evenly_grows_by_so_much_an_hour_whatever_it_was_at_first() {
        for first in [0.0, 120.0] {
            let line = trend(&seen(|at| first + at / 3_600.0 * 7.0));
            assert!((line.an_hour - 7.0).abs() < 1e-6, "{line:?}");
            assert!(!line.is_flat(5.0, 2.0), "{line:?}");
        }
    }

    #[test]
    fn what_goes_up_and_down_is_flat() {
        let line = trend(&seen(|at| 100.0 + 20.0 * (at / 60.0).sin()));
        assert!(line.is_flat(5.0, 2.0) && line.least < 81.0 && line.most > 119.0, "{line:?}");
    }

    #[test]
    fn little_is_flat_beside_much() {
        let line = trend(&seen(|at| 1_000.0 + at / 3_600.0 * 15.0));
        assert!(line.is_flat(5.0, 2.0) && !line.is_flat(5.0, 1.0), "{line:?}");
    }

    #[test]
    fn nothing_and_one_thing_are_flat() {
        assert_eq!(trend(&[]), Trend::default());
        assert_eq!(trend(&[(5.0, 3.0)]), Trend { mean: 3.0, least: 3.0, most: 3.0, an_hour: 0.0 });
    }
}
