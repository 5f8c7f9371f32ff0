//! How far a replay is, where there is no terminal to draw a bar on: a line now and then. Pure.

use std::time::Duration;

/// A line at least so often, once there is something new to tell.
const EVERY: Duration = Duration::from_secs(10);
/// And one for each tenth of the file.
const TENTH: u64 = 10;

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Lines {
    percent: u64,
    gone: Duration,
}

impl Lines {
    /// The line to be told when `read` of `all` bytes were read after so much time, if one is.
    pub fn tell(&mut self, read: u64, all: u64, gone: Duration) -> Option<String> {
        let percent = read.saturating_mul(100).checked_div(all).unwrap_or(0).min(100);
        let tenths = percent / TENTH > self.percent / TENTH;
        if !tenths && gone < self.gone + EVERY {
            return None;
        }
        *self = Self { percent, gone };
        let seconds = gone.as_secs();
        Some(format!("{percent} % of the file in {seconds} s / 已回放文件的 {percent} %，用时 {seconds} 秒"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_with_each_tenth_and_every_ten_seconds_and_not_in_between() {
        let mut lines = Lines::default();
        let mut told = |read, seconds| lines.tell(read, 1_000, Duration::from_secs(seconds)).is_some();
        assert!(!told(10, 1), "nothing to tell yet");
        assert!(told(110, 2));
        assert!(!told(190, 3));
        assert!(told(200, 4));
        assert!(!told(210, 13));
        assert!(told(211, 14), "ten seconds later, however slow it is");
        assert!(told(1_000, 15));
        assert!(!told(1_000, 16));
    }

    #[test]
    fn a_line_says_how_much_and_how_long() {
        let line = Lines::default().tell(5, 10, Duration::from_secs(42)).unwrap();
        assert_eq!(line, "50 % of the file in 42 s / 已回放文件的 50 %，用时 42 秒");
        assert_eq!(Lines::default().tell(5, 0, Duration::ZERO), None, "an empty file");
    }
}
