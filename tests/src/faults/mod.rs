//! Whatever goes wrong: a fleet on a Kafka and a PostgreSQL of its own works, and faults drawn from a seed happen to
//! it: kills, zombies, answers that are eaten, servers that freeze, disks that are full. Afterwards every report that
//! was answered is one case, every due step took effect once and not early, and the audit agrees.
//!
//! [`kind`] names what can go wrong, [`fault`] says all of one, [`deck`] draws them, [`hand`] lets rounds of them happen,
//! [`doing`] one of them, [`work`] sees whether work goes on, and [`verdict`] looks at what is stored at the end. What
//! ends a service, as it should, has a scenario of its own in `scenes`.

mod again;
mod deck;
mod doing;
mod fault;
mod gone;
mod hand;
mod kind;
pub(crate) mod load;
mod locked;
mod outcome;
pub(crate) mod own_servers;
mod poison;
pub(crate) mod proxy;
mod storm;
mod twice;
pub(crate) mod unreliable;
pub(crate) mod verdict;
pub(crate) mod work;

#[cfg(test)]
mod scenes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::facts::Topic;
use gridward::servers::services;
use platform::clock::{Clock, host_now};
use platform::pack::Pack;
use reqwest::StatusCode;
use tempfile::TempDir;

use crate::fleet::{FILE, Fleet};
use crate::instance::beat;
use crate::kills::progress::Progress;
use crate::kills::{ORIGIN, SPEED};
use crate::process::{PARTNERED, pack};
use deck::Deck;
use doing::{Around, Clients};
pub use fault::Fault;
use gone::Gone;
use hand::Hand;
pub use hand::Happened;
pub use kind::Kind;
use load::Load;
pub use outcome::{Outcome, bound};
use own_servers::OwnServers;
pub(crate) use poison::Sent;
use twice::Twice;
use work::Work;

/// What to do to a fleet.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Instances of each service.
    pub each: usize,
    /// One, or three of which each record is on two at least.
    pub brokers: usize,
    /// Faults that hit something.
    pub faults: usize,
    /// So many of them happen at once, at most, where they cannot hide what each other does.
    pub together: usize,
    /// Reports answered, at least.
    pub reports: usize,
    /// Reports a second.
    pub rate: usize,
    /// The same seed gives the same reports and draws the same faults.
    pub seed: u64,
}

impl Plan {
    /// How many times at the end each topic gets a fact that nobody knows: one in 25 faults is one, as one of each other
    /// kind is drawn in 24.
    fn unknown(self) -> usize {
        if self.brokers == 1 { self.faults.div_ceil(25 * Topic::ALL.len()) } else { 0 }
    }
}

/// Carries out `plan` on servers and a fleet of its own.
///
/// # Errors
/// When it cannot be carried out, saying what was outstanding; what was said is kept then. What was lost or doubled is
/// part of the outcome.
pub async fn run(plan: Plan) -> anyhow::Result<Outcome> {
    let progress = Arc::new(Progress::new(plan.reports));
    let mut folder = TempDir::new()?;
    folder.disable_cleanup(true);
    let carried_out = tokio::time::timeout(limit(plan), carry_out(plan, &folder, &progress)).await;
    let kept = format!("what was said is kept: {}", folder.path().display());
    let mut outcome = match carried_out {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => return Err(error.context(format!("{progress}; {kept}"))),
        Err(_) => bail!("not finished after {:?}: {progress}; {kept}", limit(plan)),
    };
    if outcome.is_good() {
        folder.disable_cleanup(false);
        folder.close()?;
    } else {
        outcome.found.faults.push(kept);
    }
    Ok(outcome)
}

/// Far more than it takes; it is there for what hangs.
fn limit(plan: Plan) -> Duration {
    let seconds = 600 + 60 * plan.faults + 3 * plan.reports / plan.rate.max(1);
    Duration::from_secs(seconds as u64)
}

async fn carry_out(plan: Plan, folder: &TempDir, progress: &Arc<Progress>) -> anyhow::Result<Outcome> {
    let pack = Pack::load(&pack(PARTNERED)).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let services = services(&pack);
    let servers = match plan.brokers {
        1 => OwnServers::start(&services).await?,
        3 => OwnServers::start_three(&services).await?,
        other => bail!("one broker or three, not {other}"),
    };
    let clock = paced()?;
    let mut fleet = Fleet::on(&servers.servers, folder.path(), PARTNERED, plan.each, &clock.settings).await?;
    servers.lead(&mut fleet)?;
    let broker = &servers.servers.broker;
    let work = Arc::new(Work::of(&fleet.settings, &fleet.databases, broker, progress).await?);
    fleet.start().await?;
    let door = fleet.door();

    let reports = load::steady(plan.rate, plan.seed)?;
    let mut load = Load::begin(&door, reports, progress)?;
    let clients =
        Clients { gone: Gone::new(&door, reports, progress)?, twice: Twice::new(&door, reports, progress)? };
    let begun = Instant::now();
    let around = Around { servers, work: work.clone(), door, progress: progress.clone(), begun };
    let deck = Deck::new(plan.seed, &services, plan.each, plan.brokers);
    let mut hand = Hand::new(fleet, around, clients, deck, plan.together);
    let unknown = plan.unknown();
    load.until(async {
        hand.happen(plan.faults.saturating_sub(unknown * Topic::ALL.len())).await?;
        hand.unknown_facts(unknown).await?;
        progress.stage("the last faults are over");
        while progress.answered() < plan.reports {
            beat(Duration::from_millis(20)).await;
        }
        Ok(())
    })
    .await?;
    let (mut answers, acts) = load.end().await?;
    let Hand { mut fleet, around, clients, happened, missed, poison, .. } = hand;
    let clients = clients.context("somebody still has hold of the clients")?;
    answers.extend(clients.gone.answers);
    answers.extend(clients.twice.answers);
    let took = begun.elapsed();

    let settled_at = work.settled(&clock.clock).await?;
    let settled = begun.elapsed() - took;
    all_ready(&fleet).await?;
    progress.stage("stopping");
    fleet.stop().await?;
    progress.stage("looking at what is stored");
    let found = verdict::look(&work, &folder.path().join(FILE), &answers, &acts, settled_at, &poison).await?;
    drop(around);
    let mut outcome = Outcome { plan, found, happened, missed, poison: poison.count() };
    outcome.found.seconds = took.as_secs_f64();
    outcome.found.settle_seconds = settled.as_secs_f64();
    outcome.found.retries = progress.retries();
    Ok(outcome)
}

/// A clock that runs faster, so that steps fall due, and the settings that give it to every instance.
pub(crate) struct Paced {
    pub clock: Clock,
    pub settings: String,
}

pub(crate) fn paced() -> anyhow::Result<Paced> {
    let (host_origin, origin): (_, DateTime<Utc>) =
        (host_now(), ORIGIN.parse().context("the origin is a time")?);
    let settings = format!(
        "speed = {SPEED}\nspeed_from = \"{}\"\nspeed_shows = \"{ORIGIN}\"\n",
        host_origin.to_rfc3339_opts(SecondsFormat::Millis, true)
    );
    Ok(Paced { clock: Clock::Paced { host_origin, origin, speed: SPEED }, settings })
}

/// Whoever has stopped the line says so.
pub(crate) async fn all_ready(fleet: &Fleet) -> anyhow::Result<()> {
    let door = fleet.door();
    for instance in fleet.instances.values().flatten() {
        let answer = door.client.get(instance.url("/health/ready")).send().await?;
        let status = answer.status();
        if status != StatusCode::OK {
            bail!("{} is not ready at the end: {}", instance.name(), answer.text().await?);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_what_was_answered_is_there_once_and_steps_take_effect_once_and_not_early() {
    if !crate::fleet::has_servers() {
        return;
    }
    let plan = Plan { each: 2, brokers: 1, faults: 13, together: 2, reports: 600, rate: 30, seed: 1 };
    let outcome = run(plan).await.unwrap();
    println!("{outcome}");
    assert!(outcome.is_good(), "{outcome}");
    assert_eq!(outcome.happened.len(), plan.faults);
    let found = &outcome.found;
    assert!(found.reports >= 600 && found.steps_effected > 0 && found.actions > 0, "{outcome}");
    assert!(found.offers > 0, "{outcome}");
}
