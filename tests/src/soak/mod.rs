//! Hours of steady work: what every process takes, what is stored and what waits are looked at every half minute. A
//! straight line through what was seen says whether anything grows that should not.

mod outcome;
mod sample;
mod trend;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gridward::servers::services;
use platform::pack::Pack;
use tempfile::TempDir;

use crate::faults::load::{Load, steady};
use crate::faults::own_servers::OwnServers;
use crate::faults::work::Work;
use crate::faults::{Sent, all_ready, paced, verdict};
use crate::fleet::{FILE, Fleet};
use crate::instance::beat;
use crate::kills::progress::Progress;
use crate::process::{PARTNERED, pack};
pub use outcome::Outcome;

/// How long, and how much.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Instances of each service.
    pub each: usize,
    pub minutes: u64,
    /// Reports a second.
    pub rate: usize,
    pub seed: u64,
}

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(30);

/// Lets a fleet of its own work so long. The clock of the cases runs faster than the host's, so that a case lives to
/// its last step within minutes; nothing else about it is hurried.
///
/// # Errors
/// When it cannot be carried out. What grows is part of the outcome.
pub async fn run(plan: Plan) -> anyhow::Result<Outcome> {
    let folder = TempDir::new()?;
    let loaded = Pack::load(&pack(PARTNERED)).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let servers = OwnServers::start(&services(&loaded)).await?;
    let clock = paced()?;
    let mut fleet = Fleet::on(&servers.servers, folder.path(), PARTNERED, plan.each, &clock.settings).await?;
    let progress = Arc::new(Progress::new(0));
    let work = Work::of(&fleet.settings, &fleet.databases, &servers.servers.broker, &progress).await?;
    fleet.start().await?;
    let mut load = Load::begin(&fleet.door(), steady(plan.rate, plan.seed)?, &progress)?;
    let begun = Instant::now();
    let mut samples = Vec::new();
    load.until(async {
        let mut rows = sample::Rows::new();
        while begun.elapsed() < Duration::from_secs(60 * plan.minutes) {
            beat(LOOK.saturating_sub(elapsed_since_last(&samples, begun))).await;
            let at = begun.elapsed().as_secs_f64();
            let seen = sample::take(&fleet, &servers, &work, clock.clock.now(), &mut rows).await?;
            samples.push(sample::Sample { at, ..seen });
        }
        Ok(())
    })
    .await?;
    let (answers, acts) = load.end().await?;
    let took = begun.elapsed();
    let settled_at = work.settled(&clock.clock).await?;
    let settled = begun.elapsed() - took;
    all_ready(&fleet).await?;
    fleet.stop().await?;
    let config = folder.path().join(FILE);
    let mut found = verdict::look(&work, &config, &answers, &acts, settled_at, &Sent::default()).await?;
    drop(servers);
    (found.seconds, found.settle_seconds) = (took.as_secs_f64(), settled.as_secs_f64());
    found.retries = progress.retries();
    Ok(Outcome { plan, found, samples })
}

/// How long ago the last look began; at the beginning it is time for the first.
fn elapsed_since_last(samples: &[sample::Sample], begun: Instant) -> Duration {
    samples.last().map_or(LOOK, |last| begun.elapsed().saturating_sub(Duration::from_secs_f64(last.at)))
}
