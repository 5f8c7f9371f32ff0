//! What a bench found, for people and for machines.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The figures of one bench. What counts is the ratio: both rates are of one run on one machine.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    pub bench: &'static str,
    pub setting: &'static str,
    /// What is counted.
    pub of: &'static str,
    pub n: usize,
    pub seconds: f64,
    /// A second.
    pub rate: f64,
    pub bare_rate: f64,
    pub ratio: f64,
    /// What the bare rate is of, in words.
    pub bare_limit: String,
    /// What the percentiles are of, in words.
    pub latency: &'static str,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// What else was seen.
    pub more: BTreeMap<&'static str, Value>,
}

impl Figures {
    /// Lines of `figure  value`.
    pub fn table(&self) -> String {
        let mut lines = vec![
            line("bench 项目", format!("{} ({})", self.bench, self.setting)),
            line("n", format!("{} {} in {:.1} s", self.n, self.of, self.seconds)),
            line("a second 每秒", format!("{:.0}", self.rate)),
            line("bare 裸速率", format!("{:.0} ({})", self.bare_rate, self.bare_limit)),
            line("ratio 比值", format!("{:.2}", self.ratio)),
            line(
                "latency 延迟",
                format!("p50 {:.1} ms, p99 {:.1} ms ({})", self.p50_ms, self.p99_ms, self.latency),
            ),
        ];
        lines.extend(self.more.iter().map(|(what, value)| line(what, value)));
        lines.join("\n")
    }
}

fn line(what: &str, value: impl std::fmt::Display) -> String {
    let width: usize = what.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{what}{}{value}", " ".repeat(24_usize.saturating_sub(width).max(1)))
}

/// The value that this part of `sorted` does not exceed.
pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among what one run measured"
    )]
    let rank = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len().max(1));
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

/// So many in so long, a second.
pub fn rate(count: usize, seconds: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "what one run measured fits an f64")]
    let count = count as f64;
    count / seconds.max(1e-6)
}

/// With one digit: more would say what a run cannot know.
pub fn tenths(value: f64) -> Value {
    Value::from((value * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((percentile(&sorted, 0.5) - 50.0).abs() < 1e-9);
        assert!((percentile(&sorted, 0.99) - 99.0).abs() < 1e-9);
        assert!((percentile(&sorted[..1], 0.99) - 1.0).abs() < 1e-9);
        assert!(percentile(&[], 0.5).abs() < 1e-9);
    }
}
