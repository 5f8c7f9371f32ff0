//! A life as a person reads it: when, who, what, and what came of it.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use platform::faults::Point;
use platform::turn::Taken;
use sha2::{Digest, Sha256};

use super::parts::INSTANCES;

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

/// Where somebody stands, in words.
pub fn stands(point: Point) -> &'static str {
    match point {
        Point::FactsRead => "facts are read, and nothing is locked",
        Point::CommandsAsked => "somebody has asked, and nothing is locked",
        Point::SweepFound => "what is due is found, and nothing is locked",
        Point::FactsDecided | Point::CommandsDecided | Point::SweepDecided => {
            "all is decided, and nothing written"
        }
        Point::FactsSaved | Point::CommandsSaved | Point::SweepSaved => {
            "all is written, and nothing committed"
        }
        Point::FactsCommitted | Point::SweepCommitted => "it is committed, and nobody here knows",
        Point::CommandsCommitted => "it is committed, and nobody is answered",
        Point::RelayRead => "what waits is read, and nothing sent",
        Point::RelaySending => "a part is sent",
        Point::RelaySent => "all is sent, and nothing marked",
        Point::RelayMarked => "it is marked, and nobody here knows",
    }
}

/// What became of the facts of a step.
pub fn taken(taken: Taken) -> String {
    let became = [
        (taken.taken, "takes"),
        (taken.dropped, "drops"),
        (taken.parked, "parks"),
        (taken.dead, "sets aside"),
    ];
    let said = became.iter().filter(|(facts, _)| *facts > 0);
    said.map(|(facts, does)| format!("{does} {facts}")).collect::<Vec<_>>().join(", ")
}

/// Who reads which partition.
pub fn shared(shares: &[Vec<i32>; INSTANCES], partitions: i32) -> String {
    let readers = |partition: i32| {
        let reads = shares.each_ref().map(|share| share.contains(&partition));
        match reads {
            [true, true] => "both believe that it is theirs",
            [true, false] => "1 reads it",
            [false, true] => "2 reads it",
            [false, false] => "nobody reads it",
        }
    };
    (0..partitions).map(|n| format!("partition {n}: {}", readers(n))).collect::<Vec<_>>().join("; ")
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

/// How a clock is set, in words.
pub fn set(off: TimeDelta) -> String {
    match off.num_milliseconds() {
        0 => "is set right again".to_owned(),
        millis @ 1.. => format!("is set ahead by {} s", millis / 1_000),
        millis => format!("is set back by {} s", -millis / 1_000),
    }
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
