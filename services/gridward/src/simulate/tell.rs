//! A life as a person reads it: when, who, what, and what came of it.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// One step of a life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: DateTime<Utc>,
    pub who: String,
    pub what: String,
    pub came: Vec<String>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {:<18} {}", self.at.format("%m-%d %H:%M:%S%.3f"), self.who, self.what)?;
        for came in &self.came {
            write!(f, "\n{:22}  → {came}", "")?;
        }
        Ok(())
    }
}

/// The digest of a life: the same script gives the same one.
pub fn digest(lines: &[Line]) -> String {
    let mut digest = Sha256::new();
    for line in lines {
        digest.update(line.at.timestamp_millis().to_be_bytes());
        for words in [&line.who, &line.what].into_iter().chain(&line.came) {
            digest.update(words.as_bytes());
            digest.update(b"\n");
        }
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// How long passes, in words.
pub fn passes(time: TimeDelta) -> String {
    let millis = time.num_milliseconds();
    match millis {
        ..1_000 => format!("{millis} ms pass"),
        1_000..60_000 => format!("{}.{:03} s pass", millis / 1_000, millis % 1_000),
        60_000..86_400_000 => {
            format!("{} h {} min {} s pass", millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60)
        }
        _ => format!("{} days pass", millis / 86_400_000),
    }
}
