//! The killer: ends the process at moments drawn from the seed, and starts it again at once.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use platform::clock::Clock;

use super::Plan;
use super::dice::Dice;
use super::progress::Progress;
use super::verdict::{Stored, Waiting};
use crate::process::{Process, beat};

/// One SIGKILL.
#[derive(Clone, Debug)]
pub struct Kill {
    /// Reports answered until then.
    pub answered: usize,
    pub moment: Moment,
    /// What waited a moment before.
    pub waiting: Option<Waiting>,
    /// How long the process then took to be ready; `None` when it was killed before it was.
    pub ready: Option<Duration>,
}

/// What a kill waits for, beside its share of the reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing.
    Anytime,
    /// More steps being due than a turn takes.
    DuringBurst,
    /// The process being started after the kill before.
    WhileStarting,
}

/// The order of moments; it begins again after the last.
const MOMENTS: [Moment; 5] =
    [Moment::Anytime, Moment::DuringBurst, Moment::Anytime, Moment::WhileStarting, Moment::Anytime];

/// So many steps due at once are a burst.
const BURST: u64 = 256;
/// No burst came for so long: it is killed without.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Answers come in batches right after a commit; a kill comes at any time after one.
const JITTER_MS: usize = 40;
/// A start is killed at most this long after it began.
const STARTING_MS: usize = 120;

pub async fn kill_all(
    process: &mut Process,
    plan: Plan,
    clock: &Clock,
    folder: &Path,
    progress: &Progress,
) -> anyhow::Result<Vec<Kill>> {
    let mut dice = Dice::new(plan.seed, 1_000_000);
    let mut at: Vec<usize> =
        (0..plan.kills).map(|_| plan.posts / 50 + dice.below(plan.posts * 19 / 20)).collect();
    at.sort_unstable();
    let mut kills: Vec<Kill> = Vec::with_capacity(plan.kills);
    let moments = MOMENTS.iter().copied().cycle();
    let mut started = None;
    for (moment, at) in moments.zip(at) {
        let waiting = match (moment, started.is_some()) {
            (Moment::WhileStarting, true) => {
                beat(dice.millis(STARTING_MS)).await;
                None
            }
            _ => {
                ready(process, started.take(), &mut kills).await?;
                while progress.answered() < at {
                    beat(Duration::from_millis(1)).await;
                }
                beat(dice.millis(JITTER_MS)).await;
                Some(look(folder, clock, moment).await?)
            }
        };
        process.kill()?;
        progress.one_killed();
        started = Some(Instant::now());
        process.spawn()?;
        kills.push(Kill { answered: progress.answered(), moment, waiting, ready: None });
    }
    ready(process, started, &mut kills).await?;
    Ok(kills)
}

/// Waits until the process that was started again is ready.
async fn ready(process: &mut Process, started: Option<Instant>, kills: &mut [Kill]) -> anyhow::Result<()> {
    if let (Some(started), Some(last)) = (started, kills.last_mut()) {
        process.ready().await?;
        last.ready = Some(started.elapsed());
    }
    Ok(())
}

/// Looks at what waits; for a burst, until there is one. The file is closed again before the kill, so that
/// the next start finds it as a dead process left it.
async fn look(folder: &Path, clock: &Clock, moment: Moment) -> anyhow::Result<Waiting> {
    let stored = Stored::open(folder).await?;
    let begun = Instant::now();
    loop {
        let waiting = stored.waiting(clock.now()).await?;
        if moment != Moment::DuringBurst || waiting.due >= BURST || begun.elapsed() > LONGEST_WAIT {
            stored.close().await?;
            return Ok(waiting);
        }
        beat(Duration::from_millis(2)).await;
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::Anytime => "killed",
            Moment::DuringBurst => "killed during a burst",
            Moment::WhileStarting => "killed while starting",
        };
        write!(f, "{moment} after {} answers", self.answered)?;
        if let Some(waiting) = &self.waiting {
            write!(f, ", {waiting}")?;
        }
        match self.ready {
            Some(ready) => write!(f, "; ready again in {} ms", ready.as_millis()),
            None => write!(f, "; not ready before the next"),
        }
    }
}
