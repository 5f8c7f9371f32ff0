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

/// When a kill comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After a share of the reports drawn from the seed, and a few milliseconds.
    Anytime,
    /// While the process catches up with the steps that fell due when it was down after the kill before.
    CatchingUp,
    /// While it is being started after the kill before.
    Starting,
}

/// The order of moments; it begins again after the last.
const MOMENTS: [Moment; 5] =
    [Moment::Anytime, Moment::CatchingUp, Moment::Anytime, Moment::Starting, Moment::Anytime];

/// How long the process stays down, so that there is something to catch up with.
const DOWN: Duration = Duration::from_millis(1_500);
/// So many steps due at once are something to catch up with.
const MANY: u64 = 64;
/// It caught up before anybody could look: it is killed without.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Answers come in batches right after a commit; a kill comes at any time after one.
const JITTER_MS: usize = 40;
/// A start is killed at most this long after it began.
const STARTING_MS: usize = 40;

pub async fn kill_all(
    process: &mut Process,
    plan: Plan,
    clock: &Clock,
    folder: &Path,
    progress: &Progress,
) -> anyhow::Result<Vec<Kill>> {
    let mut dice = Dice::new(plan.seed, 1_000_000);
    let moments: Vec<Moment> = MOMENTS.iter().copied().cycle().take(plan.kills).collect();
    let mut shares: Vec<usize> =
        moments.iter().map(|_| plan.posts / 50 + dice.below(plan.posts * 19 / 20)).collect();
    shares.sort_unstable();
    let mut kills: Vec<Kill> = Vec::with_capacity(plan.kills);
    let mut started = None;
    for (n, (moment, share)) in moments.iter().copied().zip(shares).enumerate() {
        if moment == Moment::Starting {
            beat(dice.millis(STARTING_MS)).await;
        } else {
            ready(process, started, &mut kills).await?;
        }
        let waiting = match moment {
            Moment::Anytime => {
                while progress.answered() < share {
                    beat(Duration::from_millis(1)).await;
                }
                beat(dice.millis(JITTER_MS)).await;
                Some(look(folder, clock, 0).await?)
            }
            Moment::CatchingUp => Some(look(folder, clock, MANY).await?),
            Moment::Starting => None,
        };
        process.instance().kill()?;
        progress.one_killed();
        kills.push(Kill { answered: progress.answered(), moment, waiting, ready: None });
        if moments.get(n + 1) == Some(&Moment::CatchingUp) {
            beat(DOWN).await;
        }
        started = Some(Instant::now());
        process.instance().spawn()?;
    }
    ready(process, started, &mut kills).await?;
    Ok(kills)
}

/// Waits until the process that was started again is ready.
async fn ready(process: &mut Process, started: Option<Instant>, kills: &mut [Kill]) -> anyhow::Result<()> {
    if let (Some(started), Some(last)) = (started, kills.last_mut()) {
        process.instance().ready().await?;
        last.ready = Some(started.elapsed());
    }
    Ok(())
}

/// Looks at what waits, until there are `many` due steps or it has taken too long. The file is closed again
/// before the kill, so that the next start finds it as a dead process left it.
async fn look(folder: &Path, clock: &Clock, many: u64) -> anyhow::Result<Waiting> {
    let stored = Stored::open(folder).await?;
    let begun = Instant::now();
    loop {
        let waiting = stored.waiting(clock.now()).await?;
        if waiting.due >= many || begun.elapsed() > LONGEST_WAIT {
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
            Moment::CatchingUp => "killed while catching up",
            Moment::Starting => "killed while starting",
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
