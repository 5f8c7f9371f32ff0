//! SIGKILL under load: clients report, people act, time runs fast, and the process is
//! killed again and again. Afterwards every report that was answered is there, once, as one case, and every
//! step that fell due took effect once and not early.
//!
//! [`clients`] report, [`people`] and [`organisations`] act, while [`killer`] kills and starts again; [`verdict`] looks at what
//! is stored when everything has settled.

pub(crate) mod clients;
pub(crate) mod dice;
mod killer;
pub(crate) mod organisations;
pub(crate) mod people;
pub(crate) mod progress;
pub(crate) mod verdict;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use platform::clock::Clock;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::process::{PARTNERED, Process, beat};
pub use killer::Kill;
use progress::Progress;

/// What to do to a process.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Reports, each with a client id of its own.
    pub posts: usize,
    pub clients: usize,
    pub kills: usize,
    /// The same seed gives the same reports and the same moments.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Reports answered 201 or 200.
    pub reports: u64,
    /// From the first report to the last answer.
    pub seconds: f64,
    /// From the last answer until nothing waited any more.
    pub settle_seconds: f64,
    pub kills: Vec<Kill>,
    /// Requests that were sent again, because the connection broke or the answer was 503.
    pub retries: u64,
    /// Answers 200: the report was there already.
    pub answered_again: u64,
    /// Answered reports that are not there, or have no case.
    pub lost: u64,
    /// Client ids with a second incident, incidents with a second case.
    pub doubled: u64,
    /// What people did to cases and was answered 200.
    pub actions: u64,
    /// Answered actions that are in no history.
    pub actions_lost: u64,
    /// Offers to partner organisations, whatever came of them.
    pub offers: u64,
    pub steps_effected: u64,
    pub reminded: u64,
    /// Offers that nobody answered in time.
    pub lapsed: u64,
    pub escalated: u64,
    pub steps_early: u64,
    pub steps_doubled: u64,
    /// Steps that fell due before everything had settled, and took no effect.
    pub steps_missed: u64,
    /// `step.due` facts: every due step is told of at least once.
    pub steps_told: u64,
    pub on_the_way: u64,
    pub audit_clean: bool,
    /// The first of everything that is not as it should be.
    pub faults: Vec<String>,
}

/// How much faster than the host's the clock of the cases runs: a limit of ten minutes is five seconds.
pub(crate) const SPEED: f64 = 120.0;

/// Monday, 09:00 in Shanghai.
pub(crate) const ORIGIN: &str = "2026-03-02T01:00:00Z";

/// People who look at queues and act.
pub(crate) const ACTORS: usize = 4;

/// Carries out `plan` on a process of its own.
///
/// # Errors
/// When it cannot be carried out in time, saying what was outstanding; the folder is kept then. What was
/// lost or doubled is part of the outcome.
pub async fn run(plan: Plan) -> anyhow::Result<Outcome> {
    ensure!(plan.posts > 0 && plan.clients > 0, "somebody has to report something");
    let mut folder = TempDir::new()?;
    folder.disable_cleanup(true);
    let progress = Arc::new(Progress::new(plan.posts));
    let carried_out = tokio::time::timeout(limit(plan), carry_out(plan, folder.path(), &progress)).await;
    let mut outcome = match carried_out {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => return Err(error.context(format!("{progress}; {}", kept(folder.path())))),
        Err(_) => bail!("not finished after {:?}: {progress}; {}", limit(plan), kept(folder.path())),
    };
    if outcome.is_good() {
        folder.disable_cleanup(false);
        folder.close()?;
    } else {
        outcome.faults.push(kept(folder.path()));
    }
    Ok(outcome)
}

fn kept(folder: &Path) -> String {
    format!("the folder is kept: {}", folder.display())
}

/// Far more than it takes; it is there for what hangs.
fn limit(plan: Plan) -> Duration {
    Duration::from_secs(60)
        + Duration::from_millis(10) * u32::try_from(plan.posts).unwrap_or(u32::MAX)
        + Duration::from_secs(5) * u32::try_from(plan.kills).unwrap_or(u32::MAX)
}

async fn carry_out(plan: Plan, folder: &Path, progress: &Arc<Progress>) -> anyhow::Result<Outcome> {
    let mut process = Process::new(folder, PARTNERED, SPEED)?;
    let origin: DateTime<Utc> = ORIGIN.parse().context("the origin is a time")?;
    let clock = gridward::folder_clock::paced(folder, SPEED, Some(origin))?;
    process.instance().start().await?;

    let mut reporting = JoinSet::new();
    let door = process.door();
    let Plan { posts, clients, seed, .. } = plan;
    let reports = clients::Reports { clients, posts: Some(posts), pace: Duration::ZERO, seed };
    for n in 0..clients * clients::LINES {
        reporting.spawn(clients::Client::new(&door, reports, n, progress)?.report_all());
    }
    let mut acting = JoinSet::new();
    for n in 0..ACTORS {
        acting.spawn(people::Actor::new(&door, seed, n, progress)?.act_until_told());
    }
    for n in 0..organisations::MEMBERS {
        acting.spawn(organisations::Member::new(&door, seed, n, progress)?.act_until_told());
    }
    let begun = Instant::now();
    let reported = async {
        let answers = all(&mut reporting).await?;
        anyhow::Ok((answers, begun.elapsed()))
    };
    let (kills, (answers, took)) =
        tokio::try_join!(killer::kill_all(&mut process, plan, &clock, folder, progress), reported)?;
    progress.stop_acting();
    let acts = all(&mut acting).await?;

    progress.stage("waiting until nothing waits any more");
    let (settled_at, settled) = settle(&mut process, folder, &clock, progress).await?;
    progress.stage("stopping");
    process.instance().stop().await?;
    progress.stage("looking at what is stored");
    let mut outcome = verdict::look(folder, &answers, &acts, settled_at).await?;
    outcome.kills = kills;
    outcome.seconds = took.as_secs_f64();
    outcome.settle_seconds = settled.as_secs_f64();
    outcome.retries = progress.retries();
    Ok(outcome)
}

/// Waits for all of them; the first failure ends it.
pub(crate) async fn all<T: 'static>(tasks: &mut JoinSet<anyhow::Result<Vec<T>>>) -> anyhow::Result<Vec<T>> {
    let mut gathered = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        gathered.extend(ended.context("a task panicked")??);
    }
    Ok(gathered)
}

/// Waits until every report is a case, every fact is read, and every step due by then has taken effect.
/// Answers the time on the clock of the cases at which that was so. Time goes on, and other steps fall due.
async fn settle(
    process: &mut Process,
    folder: &Path,
    clock: &Clock,
    progress: &Progress,
) -> anyhow::Result<(DateTime<Utc>, Duration)> {
    let begun = Instant::now();
    loop {
        let now = clock.now();
        let waiting = verdict::waiting(folder, now).await?;
        if waiting.is_nothing() {
            return Ok((now, begun.elapsed()));
        }
        progress.stage(&format!("waiting until nothing waits any more: {waiting}"));
        process.instance().pid()?;
        beat(Duration::from_millis(100)).await;
    }
}

impl Outcome {
    /// Where steps that a fact of this type tells of are counted.
    pub(crate) fn steps_of(&mut self, kind: &str) -> &mut u64 {
        match kind {
            "case.reminded" => &mut self.reminded,
            "case.lapsed" => &mut self.lapsed,
            _ => &mut self.escalated,
        }
    }

    /// Nothing lost, doubled, early or missed, and the audit agrees.
    pub fn is_good(&self) -> bool {
        let wrong = [
            self.lost,
            self.doubled,
            self.actions_lost,
            self.steps_early,
            self.steps_doubled,
            self.steps_missed,
        ];
        wrong.iter().all(|count| *count == 0)
            && self.on_the_way == 0
            && self.audit_clean
            && self.faults.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "counts of reports fit an f64")]
        let (rate, bound) = (self.reports as f64 / self.seconds, 300.0 / self.reports.max(1) as f64);
        let Self { reports, seconds, settle_seconds, retries, answered_again, .. } = self;
        writeln!(
            f,
            "{reports} reports in {seconds:.1} s ({rate:.0}/s), settled {settle_seconds:.1} s later; {retries} requests sent again, {answered_again} answered again"
        )?;
        for kill in &self.kills {
            writeln!(f, "  {kill}")?;
        }
        let Self { lost, doubled, actions, actions_lost, .. } = self;
        writeln!(
            f,
            "lost {lost}, doubled {doubled} of {reports} (0 means below {bound:.3} % at 95 %); actions {actions}, lost {actions_lost}"
        )?;
        let Self { steps_effected, reminded, lapsed, escalated, steps_told, offers, .. } = self;
        writeln!(
            f,
            "steps {steps_effected}: {reminded} reminded, {lapsed} lapsed, {escalated} escalated, told of {steps_told} times; {offers} offers"
        )?;
        let Self { steps_early, steps_doubled, steps_missed, on_the_way, audit_clean, .. } = self;
        write!(
            f,
            "steps early {steps_early}, doubled {steps_doubled}, missed {steps_missed}; on the way {on_the_way}; audit clean: {audit_clean}"
        )?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_once_and_steps_take_effect_once_and_not_early_whatever_is_killed() {
    let outcome = run(Plan { posts: 20_000, clients: 8, kills: 5, seed: 1 }).await.unwrap();
    println!("{outcome}");
    assert!(outcome.is_good(), "{outcome}");
    assert_eq!((outcome.reports, outcome.kills.len()), (20_000, 5));
    assert!(outcome.reminded > 0 && outcome.escalated > 0 && outcome.actions > 0, "{outcome}");
    assert!(outcome.offers > 0 && outcome.lapsed > 0, "{outcome}");
}
