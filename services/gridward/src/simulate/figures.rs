//! What came of many lives, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use platform::faults::Point;
use serde::Serialize;

use super::faults::{Kind, Reached};
use super::hands::Wanted;
use super::life::Lived;
use super::mishaps::{Hits, Mishap};
use super::promises::Breach;

/// From so many lives on, each fault must have been met in one of them.
const ENOUGH: u64 = 1_000;

/// Fewer lives say nothing of how many would break a promise.
const FEWEST: u64 = 30;

/// The figures of a run.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    pub lives: u64,
    pub first_seed: u64,
    pub seconds: f64,
    pub lives_per_second: f64,
    /// Events that happened, and facts that were committed.
    pub events: u64,
    pub facts: u64,
    /// Lives that were lived twice, and were the same.
    pub same_twice: u64,
    /// How often each fault was met, by point and kind, and how often each mishap hit something.
    pub faults: BTreeMap<String, u64>,
    /// Faults that were never met, though there were lives enough.
    pub never_met: Vec<String>,
    /// What is broken on purpose.
    pub broken: Vec<&'static str>,
    /// Those that broke a promise, in the order of their seeds.
    pub failed: Vec<Failed>,
    /// With 95 % certainty fewer than this share of lives break a promise, if none here did: 3 in so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    #[serde(skip)]
    reached: Reached,
    #[serde(skip)]
    hits: Hits,
}

/// A life that broke a promise.
#[derive(Clone, Debug, Serialize)]
pub struct Failed {
    pub seed: u64,
    pub breaches: Vec<String>,
}

impl Failed {
    pub(super) fn new(seed: u64, breaches: &[Breach]) -> Self {
        let breaches =
            breaches.iter().map(|breach| format!("{:?}: {}", breach.promise, breach.what)).collect();
        Self { seed, breaches }
    }
}

impl Figures {
    /// Whether no promise was broken, every life was the same twice, and every fault was met.
    pub fn is_good(&self) -> bool {
        self.failed.is_empty() && self.never_met.is_empty()
    }

    pub(super) fn add(&mut self, seed: u64, lived: &Lived) {
        self.lives += 1;
        self.events += lived.script.events.len() as u64;
        self.facts += lived.facts as u64;
        for (marker, times) in &lived.reached {
            *self.reached.entry(*marker).or_default() += times;
        }
        for (mishap, times) in &lived.hits {
            *self.hits.entry(*mishap).or_default() += times;
        }
        if !lived.is_clean() {
            self.failed.push(Failed::new(seed, &lived.breaches));
        }
    }

    pub(super) fn fail(&mut self, failed: Failed) {
        self.lives += 1;
        self.failed.push(failed);
    }

    pub(super) fn lived_twice(&mut self, seed: u64, same: bool) {
        if same {
            self.same_twice += 1;
        } else {
            let breaches = vec!["the same seed gave two lives: something here is left to chance".to_owned()];
            self.failed.push(Failed { seed, breaches });
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "lives are counted, and few")]
    pub(super) fn end(&mut self, took: Duration, wanted: &Wanted) {
        self.first_seed = wanted.first_seed;
        self.broken = wanted.broken.names();
        self.seconds = took.as_secs_f64();
        self.lives_per_second = self.lives as f64 / self.seconds.max(f64::MIN_POSITIVE);
        self.failed.sort_by_key(|failed| failed.seed);
        let name = |(point, kind): (Point, Kind)| format!("{} {}", point.as_str(), kind.as_str());
        self.faults = self.reached.iter().map(|(marker, times)| (name(*marker), *times)).collect();
        self.faults.extend(self.hits.iter().map(|(mishap, times)| (mishap.as_str().to_owned(), *times)));
        if self.lives >= ENOUGH {
            let fits = |point: Point| {
                Kind::ALL.into_iter().filter(move |kind| kind.fits(point)).map(move |kind| (point, kind))
            };
            let all = Point::ALL.into_iter().flat_map(fits);
            self.never_met = all.filter(|marker| !self.reached.contains_key(marker)).map(name).collect();
            let no_hit = Mishap::ALL.into_iter().filter(|mishap| !self.hits.contains_key(mishap));
            self.never_met.extend(no_hit.map(|mishap| mishap.as_str().to_owned()));
        }
        let bound = self.failed.is_empty() && self.lives >= FEWEST;
        self.at_most = bound.then_some(3.0 / self.lives as f64);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lives, first_seed, seconds, lives_per_second, events, facts, same_twice, .. } = self;
        writeln!(
            f,
            "{lives} lives from seed {first_seed} in {seconds:.1} s ({lives_per_second:.0} a second): {events} events, \
             {facts} facts"
        )?;
        if !self.broken.is_empty() {
            writeln!(f, "broken on purpose 故意破坏: {}", self.broken.join(", "))?;
        }
        writeln!(f, "lived twice and the same 重放一致: {same_twice}")?;
        let met: u64 = self.faults.values().sum();
        writeln!(f, "faults 故障: {met} of {} kinds", self.faults.len())?;
        for (name, times) in &self.faults {
            writeln!(f, "  {times:>8}  {name}")?;
        }
        for name in &self.never_met {
            writeln!(f, "NEVER MET 从未触发: {name}")?;
        }
        for Failed { seed, breaches } in &self.failed {
            writeln!(f, "BROKEN 违反承诺: seed {seed} (gridward simulate --replay {seed})")?;
            for breach in breaches.iter().take(3) {
                writeln!(f, "  {breach}")?;
            }
        }
        match self.at_most {
            Some(at_most) => write!(
                f,
                "no promise broken: with 95 % certainty fewer than {:.4} % of lives break one / \
                 未发现违反承诺：以 95 % 的把握，违反率低于 {:.4} %",
                at_most * 100.0,
                at_most * 100.0
            ),
            None if self.failed.is_empty() => {
                write!(
                    f,
                    "no promise broken; {lives} lives are too few to say more / 未发现违反承诺；样本太少"
                )
            }
            None => write!(
                f,
                "{} lives broke a promise / {} 个生命违反承诺",
                self.failed.len(),
                self.failed.len()
            ),
        }
    }
}
