//! Whatever goes wrong: a fleet on a Kafka and a PostgreSQL of its own works, and faults drawn from a seed happen to
//! it one after the other: kills, zombies, answers that are eaten, servers that freeze. Afterwards every report that
//! was answered is one case, every due step took effect once and not early, and the audit agrees.
//!
//! [`fault`] says what can go wrong, [`hand`] lets it happen, [`work`] sees whether work goes on, and [`verdict`] looks
//! at what is stored at the end. What ends a service, as it should, has a scenario of its own in `scenes`.

mod fault;
mod gone;
mod hand;
mod outcome;
pub(crate) mod own_servers;
mod poison;
pub(crate) mod proxy;
mod verdict;
mod work;

#[cfg(test)]
mod scenes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use gridward::servers::services;
use platform::clock::{Clock, host_now};
use platform::pack::Pack;
use reqwest::StatusCode;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::fleet::{FILE, Fleet};
use crate::instance::beat;
use crate::kills::clients::{Answer, Client, LINES, Reports};
use crate::kills::organisations::{MEMBERS, Member};
use crate::kills::people::{Acted, Actor};
use crate::kills::progress::Progress;
use crate::kills::{ACTORS, ORIGIN, SPEED, all};
use crate::process::{PARTNERED, pack};
use fault::Deck;
pub use fault::{Fault, KINDS};
use gone::Gone;
use hand::Hand;
pub use hand::Happened;
pub use outcome::{Outcome, bound};
use own_servers::OwnServers;
use work::Work;

/// What to do to a fleet.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Instances of each service.
    pub each: usize,
    /// Faults that hit something.
    pub faults: usize,
    /// Reports answered, at least.
    pub reports: usize,
    /// Reports a second.
    pub rate: usize,
    /// The same seed gives the same reports and draws the same faults.
    pub seed: u64,
}

/// A report is under way at each of so many clients, [`LINES`] times.
const CLIENTS: usize = 8;

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
    let seconds = 240 + 30 * plan.faults + 3 * plan.reports / plan.rate.max(1);
    Duration::from_secs(seconds as u64)
}

async fn carry_out(plan: Plan, folder: &TempDir, progress: &Arc<Progress>) -> anyhow::Result<Outcome> {
    let pack = Pack::load(&pack(PARTNERED)).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let services = services(&pack);
    let servers = OwnServers::start(&services).await?;
    let clock = paced()?;
    let mut fleet = Fleet::on(&servers.servers, folder.path(), PARTNERED, plan.each, &clock.settings).await?;
    servers.lead(&mut fleet)?;
    let broker = &servers.servers.broker;
    let work = Arc::new(Work::of(&fleet.settings, &fleet.databases, broker, progress).await?);
    fleet.start().await?;
    let door = fleet.door();

    let pace = Duration::from_secs(1) * u32::try_from(CLIENTS * LINES)? / u32::try_from(plan.rate.max(1))?;
    let reports = Reports { clients: CLIENTS, posts: None, pace, seed: plan.seed };
    let mut reporting: JoinSet<anyhow::Result<Vec<Answer>>> = JoinSet::new();
    for n in 0..CLIENTS * LINES {
        reporting.spawn(Client::new(&door, reports, n, progress)?.report_all());
    }
    let mut acting: JoinSet<anyhow::Result<Vec<Acted>>> = JoinSet::new();
    for n in 0..ACTORS {
        acting.spawn(Actor::new(&door, plan.seed, n, progress)?.act_until_told());
    }
    for n in 0..MEMBERS {
        acting.spawn(Member::new(&door, plan.seed, n, progress)?.act_until_told());
    }
    let gone = Gone::new(&door, reports, progress)?;
    let begun = Instant::now();
    let mut hand =
        Hand::new(fleet, servers, work.clone(), gone, Deck::new(plan.seed, &services, plan.each), progress);
    let happened = async {
        hand.happen(plan.faults).await?;
        while progress.answered() < plan.reports {
            beat(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    };
    // Whoever had an answer that nobody may have ends it at once.
    let (mut answers, mut acts) = (Vec::new(), Vec::new());
    tokio::select! {
        happened = happened => happened?,
        reported = all(&mut reporting) => { reported?; bail!("the clients have stopped by themselves") }
        acted = all(&mut acting) => { acted?; bail!("the people have stopped by themselves") }
    }
    progress.stop_acting();
    answers.extend(all(&mut reporting).await?);
    acts.extend(all(&mut acting).await?);
    answers.append(&mut hand.gone.answers);
    let took = begun.elapsed();

    let settled_at = work.settled(&clock.clock).await?;
    let settled = begun.elapsed() - took;
    let Hand { mut fleet, servers, happened, missed, poison, .. } = hand;
    all_ready(&fleet).await?;
    progress.stage("stopping");
    fleet.stop().await?;
    progress.stage("looking at what is stored");
    let found = verdict::look(&work, &folder.path().join(FILE), &answers, &acts, settled_at, &poison).await?;
    drop(servers);
    let mut outcome = Outcome { found, happened, missed, poison: poison.count() };
    outcome.found.seconds = took.as_secs_f64();
    outcome.found.settle_seconds = settled.as_secs_f64();
    outcome.found.retries = progress.retries();
    Ok(outcome)
}

/// A clock that runs faster, so that steps fall due, and the settings that give it to every instance.
struct Paced {
    clock: Clock,
    settings: String,
}

fn paced() -> anyhow::Result<Paced> {
    let (host_origin, origin): (_, DateTime<Utc>) =
        (host_now(), ORIGIN.parse().context("the origin is a time")?);
    let settings = format!(
        "speed = {SPEED}\nspeed_from = \"{}\"\nspeed_shows = \"{ORIGIN}\"\n",
        host_origin.to_rfc3339_opts(SecondsFormat::Millis, true)
    );
    Ok(Paced { clock: Clock::Paced { host_origin, origin, speed: SPEED }, settings })
}

/// Whoever has stopped the line says so.
async fn all_ready(fleet: &Fleet) -> anyhow::Result<()> {
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
    let plan = Plan { each: 2, faults: 8, reports: 600, rate: 30, seed: 1 };
    let outcome = run(plan).await.unwrap();
    println!("{outcome}");
    assert!(outcome.is_good(), "{outcome}");
    assert_eq!(outcome.happened.len(), plan.faults);
    let found = &outcome.found;
    assert!(found.reports >= 600 && found.steps_effected > 0 && found.actions > 0, "{outcome}");
    assert!(found.offers > 0, "{outcome}");
}
