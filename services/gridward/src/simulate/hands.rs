//! Many lives at once: each hand has a thread, a runtime of its own and a database of its own, and takes the next seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, anyhow};
use tokio::runtime::{Builder, Runtime};

use super::figures::{Failed, Figures};
use super::life::{Lived, of_seed};
use super::office::Office;
use super::promises::{Breach, Promise};
use super::shrink::shrink;
use super::store::Kept;
use super::switches::Broken;

/// Every so-manieth life is lived twice, and must be the same.
const TWICE: u64 = 100;

/// Which lives.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub seeds: u64,
    pub first_seed: u64,
    pub threads: usize,
    pub broken: Broken,
    /// After so many that break a promise no more are begun.
    pub failures: usize,
}

/// A thread's own runtime and database.
struct Hand<'a> {
    office: &'a Office,
    runtime: Runtime,
    kept: Kept,
    broken: Broken,
}

impl<'a> Hand<'a> {
    fn new(office: &'a Office, broken: Broken) -> anyhow::Result<Self> {
        let runtime =
            Builder::new_current_thread().enable_time().build().context("cannot start a runtime")?;
        let kept = runtime.block_on(Kept::make())?;
        Ok(Self { office, runtime, kept, broken })
    }

    /// Lives the life of `seed`; one that panics breaks a promise.
    fn live(&mut self, seed: u64) -> anyhow::Result<Result<Lived, Breach>> {
        let life = || self.runtime.block_on(of_seed(self.office, &self.kept, seed, self.broken));
        match catch_unwind(AssertUnwindSafe(life)) {
            Ok(lived) => lived.map(Ok),
            Err(_) => {
                // Nobody knows what it was in the middle of.
                self.kept = self.runtime.block_on(Kept::make())?;
                let what = "it panicked, as said above".to_owned();
                Ok(Err(Breach { promise: Promise::GoesOn, what }))
            }
        }
    }
}

/// Lives them all.
///
/// # Errors
/// When a database in memory cannot be made or fails.
pub fn live(office: &Office, wanted: &Wanted) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let figures = Mutex::new(Figures::default());
    std::thread::scope(|scope| {
        let hand = |n: usize| {
            stay_on_one_processor(n);
            take_seeds(office, wanted, &next, &figures)
        };
        let hands: Vec<_> = (0..wanted.threads.max(1)).map(|n| scope.spawn(move || hand(n))).collect();
        hands.into_iter().try_for_each(|hand| hand.join().map_err(|_| anyhow!("a thread panicked"))?)
    })?;
    let mut figures = figures.into_inner().unwrap_or_else(PoisonError::into_inner);
    figures.end(began.elapsed(), wanted);
    Ok(figures)
}

/// Keeps this thread, and the one that its database will have, on the same processor. They take turns, a thousand times a
/// life: on two processors each would be asleep by then, and waking it takes longer than what it is woken for.
#[cfg(target_os = "linux")]
fn stay_on_one_processor(n: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let Ok(allowed) = sched_getaffinity(None) else { return };
    let processors: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
    let Some(cpu) = n.checked_rem(processors.len()).and_then(|n| processors.get(n)) else { return };
    let mut own = CpuSet::new();
    own.set(*cpu);
    // Where it is not allowed, lives take longer, and that is all.
    let _ = sched_setaffinity(None, &own);
}

#[cfg(not(target_os = "linux"))]
fn stay_on_one_processor(_: usize) {}

fn take_seeds(
    office: &Office,
    wanted: &Wanted,
    next: &AtomicU64,
    figures: &Mutex<Figures>,
) -> anyhow::Result<()> {
    let mut hand = Hand::new(office, wanted.broken)?;
    let figures = || figures.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let n = next.fetch_add(1, Ordering::SeqCst);
        if n >= wanted.seeds || figures().failed.len() >= wanted.failures {
            return Ok(());
        }
        let seed = wanted.first_seed.wrapping_add(n);
        let lived = hand.live(seed)?;
        if n.is_multiple_of(TWICE)
            && let Ok(first) = &lived
        {
            let again = hand.live(seed)?;
            let same = again.is_ok_and(|again| again.digest == first.digest);
            figures().lived_twice(seed, same);
        }
        match lived {
            Ok(lived) => figures().add(seed, &lived),
            Err(breach) => figures().fail(Failed::new(seed, &[breach])),
        }
    }
}

/// Lives one life again, and makes it short where it breaks a promise; answers both.
///
/// # Errors
/// When the database in memory fails, or the life panics.
pub fn again(office: &Office, seed: u64, broken: Broken) -> anyhow::Result<(Lived, Lived)> {
    // A thread of its own, as this one may have a runtime.
    std::thread::scope(|scope| {
        let hand = || {
            let hand = Hand::new(office, broken)?;
            let live = async || of_seed(office, &hand.kept, seed, broken).await;
            hand.runtime.block_on(async {
                let whole = live().await?;
                let short = shrink(office, &hand.kept, live().await?).await?;
                anyhow::Ok((whole, short))
            })
        };
        scope.spawn(hand).join().map_err(|_| anyhow!("the life of seed {seed} panicked"))?
    })
}
