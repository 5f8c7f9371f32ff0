//! Every rule broken on purpose, one after the other: how many lives it takes until a promise is seen broken.

use std::fmt;

use serde::Serialize;

use super::hands::{Wanted, live};
use super::office::Office;
use super::switches::{Broken, Switch, all};

/// Each must be noticed within so many lives.
const WITHIN: u64 = 10_000;

/// So often each is looked for, for the median.
const FINDS: usize = 5;

/// And what another layer may catch, if it is noticed by itself at all.
const ALONE: u64 = 2_000;

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Tried {
    pub rules: Vec<One>,
}

/// One rule, or several together.
#[derive(Debug, Serialize)]
pub struct One {
    pub broken: Vec<&'static str>,
    pub lives: u64,
    /// Lives until it was noticed, the median of all times it was; `None`: never.
    pub median: Option<u64>,
    /// What may catch it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caught_by: Option<&'static str>,
    /// How it was noticed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noticed: Option<String>,
}

impl One {
    fn is_noticed(&self) -> bool {
        self.median.is_some()
    }
}

impl Tried {
    /// Whether each was noticed, by itself or beside what would have caught it.
    pub fn is_good(&self) -> bool {
        let beside = |rule: &One| {
            let with = |other: &&One| rule.broken.iter().all(|name| other.broken.contains(name));
            self.rules.iter().filter(with).any(One::is_noticed)
        };
        self.rules.iter().all(|rule| if rule.caught_by.is_some() { beside(rule) } else { rule.is_noticed() })
    }
}

/// Breaks `switches` together, from the first seed of `wanted` on.
///
/// # Errors
/// When the database in memory fails.
pub fn one(office: &Office, wanted: &Wanted, switches: &[Switch]) -> anyhow::Result<One> {
    let caught_by = match switches {
        [alone] => alone.caught_by(),
        _ => None,
    };
    let seeds = if caught_by.is_some() { ALONE } else { WITHIN };
    let broken = Broken::of(switches);
    let figures = live(office, &Wanted { seeds, broken, failures: FINDS, ..*wanted })?;
    let mut before = wanted.first_seed.wrapping_sub(1);
    let mut gaps: Vec<u64> = Vec::new();
    for failed in figures.failed.iter().take(FINDS) {
        gaps.push(failed.seed.wrapping_sub(before));
        before = failed.seed;
    }
    gaps.sort_unstable();
    Ok(One {
        broken: broken.names(),
        lives: figures.lives,
        median: gaps.get(gaps.len() / 2).copied(),
        caught_by,
        noticed: figures.failed.first().and_then(|failed| failed.breaches.first().cloned()),
    })
}

/// Tries every switch, and those together that catch each other's.
///
/// # Errors
/// When the database in memory fails.
pub fn every(office: &Office, wanted: &Wanted) -> anyhow::Result<Tried> {
    let rules = all().iter().map(|switches| one(office, wanted, switches)).collect::<anyhow::Result<_>>()?;
    Ok(Tried { rules })
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for One { broken, lives, median, caught_by, noticed } in &self.rules {
            let name = broken.join(" + ");
            match (median, caught_by) {
                (Some(median), _) => {
                    let noticed = noticed.as_deref().unwrap_or_default();
                    writeln!(
                        f,
                        "noticed 已发现    {name}: within {median} lives (median); first: {noticed}"
                    )?;
                }
                (None, Some(by)) => {
                    writeln!(f, "caught 被拦下     {name}: unseen in {lives} lives, caught by {by}")?
                }
                (None, None) => writeln!(f, "NOT NOTICED 未发现 {name}: in {lives} lives")?,
            }
        }
        let noticed = self.rules.iter().filter(|rule| rule.median.is_some()).count();
        write!(f, "{noticed} of {} noticed / 共 {} 项，发现 {noticed} 项", self.rules.len(), self.rules.len())
    }
}
