//! `gridward bench due-steps`: steps that fall due among many deadlines that are open: many at one instant, and so many
//! a second. How long after its time each took effect, and what one costs, with few and with many standing around.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use domain::id::IncidentId;
use indicatif::{ProgressBar, ProgressStyle};
use platform::clock::{Clock, host_now};
use platform::entropy;
use platform::store::Store;
use serde::Serialize;
use serde_json::{Value, json};

use super::child::Child;
use super::figures::{Figures, percentile, rate, tenths};
use super::first::first_case;
use super::site::{Site, Where};
use super::wait;
use crate::store::seed::{self, Due, Template};
use crate::store::seen;

#[derive(Clone, Debug, Args)]
pub struct DueSteps {
    #[command(flatten)]
    pub at: Where,
    /// With so many deadlines open, one after the other; ascending. 10,000, a million and, with --config, ten million.
    #[arg(long, value_name = "DEADLINES", value_delimiter = ',')]
    open: Vec<u32>,
    /// So many steps fall due at one instant, and so many at a steady rate.
    #[arg(long, value_name = "STEPS", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    due: u32,
    /// How many times so many fall due at one instant: the cost of a step is the middle one.
    #[arg(long, value_name = "TIMES", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    times: u32,
    /// The steady rate.
    #[arg(long, value_name = "A_SECOND", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steady: u32,
}

const ON_A_FILE: [u32; 2] = [10_000, 1_000_000];
const ON_SERVERS: [u32; 3] = [10_000, 1_000_000, 10_000_000];

/// Cases made by one statement.
const AT_ONCE: i64 = 100_000;
/// How long before their time steps are there, so that the services have looked.
const AHEAD: TimeDelta = TimeDelta::seconds(4);
/// Steps that take longer are lost.
const LONGEST: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(50);
/// Bare steps of one transaction.
const BARE_BATCH: usize = 500;

/// What was seen with so many deadlines open.
#[derive(Clone, Debug, Serialize)]
struct Among {
    open: u32,
    /// Of the steps that fell due at one instant, over all times.
    instant: Lag,
    /// Until the last of them took effect; the middle time.
    instant_seconds: f64,
    steady: Lag,
    /// Of one step among those of an instant, from its time on: by the clock, and of the services' processors.
    wall_us_each: f64,
    cpu_us_each: f64,
    memory_mb: BTreeMap<String, Value>,
}

/// How long after its time a step took effect, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Lag {
    n: usize,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl DueSteps {
    /// # Errors
    /// When a process or a database fails, or a step took effect early or not at all.
    pub async fn measure(&self) -> anyhow::Result<Figures> {
        let site = Site::open(&self.at).await?;
        let mut open = self.open.clone();
        if open.is_empty() {
            open = if site.is_servers() { ON_SERVERS.to_vec() } else { ON_A_FILE.to_vec() };
        }
        open.sort_unstable();
        let (supervise, handle) = (site.store("supervise").await?, site.store("handle").await?);
        let incident = first_case(&site, &supervise, &handle).await?;
        let template = Template::read(&supervise, &handle, incident).await?;
        // The first case's own steps fall due while millions are made: what is copied is one to which nothing happens.
        let template = template.set_apart(&supervise, &handle, new_incident()).await?;
        let (mut stands, mut among) = (0, Vec::new());
        for open in open {
            let cases = i64::from(open) / template.deadlines;
            stand_around(&template, &supervise, stands, cases).await?;
            stands = stands.max(cases);
            let children = site.start(&["handle", "supervise"]).await?;
            among.push(self.among(open, &children, &template, &supervise, &handle).await?);
            for child in children {
                child.stop().await?;
            }
        }
        let bare_rate = self.bare(&template, &supervise, &handle).await?;
        supervise.close().await?;
        handle.close().await?;
        self.figures(&site, &among, bare_rate)
    }

    fn figures(&self, site: &Site, among: &[Among], bare_rate: f64) -> anyhow::Result<Figures> {
        let (least, most) = (among.first().context("measured")?, among.last().context("measured")?);
        let taken = 1e6 / most.wall_us_each;
        let more = BTreeMap::from([
            ("among", json!(among)),
            ("wall_most_to_least", hundredths(most.wall_us_each / least.wall_us_each)),
            ("cpu_most_to_least", hundredths(most.cpu_us_each / least.cpu_us_each.max(1e-3))),
        ]);
        Ok(Figures {
            bench: "due-steps",
            setting: site.setting(),
            of: "steps that fell due at one instant, among the most deadlines",
            n: self.due as usize,
            seconds: most.instant_seconds,
            rate: taken,
            bare_rate,
            ratio: taken / bare_rate,
            bare_limit: format!(
                "the statements of due steps (find, take off, fact; case, history, fact), {BARE_BATCH} in two transactions"
            ),
            latency: "its time to taking effect, at the steady rate, among the most deadlines",
            p50_ms: most.steady.p50_ms,
            p99_ms: most.steady.p99_ms,
            more,
        })
    }

    async fn among(
        &self,
        open: u32,
        children: &[Child],
        template: &Template,
        supervise: &Store,
        handle: &Store,
    ) -> anyhow::Result<Among> {
        let cpu = || children.iter().map(Child::cpu_seconds).sum::<f64>();
        let (mut instant, mut walls, mut cpus) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.times {
            let due = self.fall_due(TimeDelta::zero(), template, supervise, handle).await?;
            let first = due.first().context("some fall due")?.at;
            until(first, handle).await?;
            let before = cpu();
            let effects = took_effect(&due, handle).await?;
            cpus.push((cpu() - before) / rate(due.len(), 1.0));
            let last = effects.iter().map(|(_, noticed)| *noticed).max().context("some took effect")?;
            walls.push(milliseconds(last - first) / 1_000.0);
            instant.extend(effects);
        }
        let apart = TimeDelta::microseconds(1_000_000 / i64::from(self.steady));
        let due = self.fall_due(apart, template, supervise, handle).await?;
        let steady = took_effect(&due, handle).await?;
        let wall = middle(&mut walls);
        let memory = children.iter().map(|child| (child.name.to_owned(), tenths(child.memory_mb())));
        Ok(Among {
            open,
            instant: lag(&instant)?,
            instant_seconds: wall,
            steady: lag(&steady)?,
            wall_us_each: wall * 1e6 / f64::from(self.due),
            cpu_us_each: middle(&mut cpus) * 1e6,
            memory_mb: memory.collect(),
        })
    }

    /// Writes the cases whose steps are about to fall due, each `apart` from the one before.
    async fn fall_due(
        &self,
        apart: TimeDelta,
        template: &Template,
        supervise: &Store,
        handle: &Store,
    ) -> anyhow::Result<Vec<Due>> {
        let now = handle.now(handle.readers(), &Clock::Host).await?;
        let first = now + AHEAD + TimeDelta::milliseconds(i64::from(self.due));
        let due: Vec<Due> = (0..self.due)
            .map(|n| Due { incident: new_incident(), at: whole(first + apart * n.cast_signed()) })
            .collect();
        template.fall_due(supervise, handle, &due).await?;
        let now = handle.now(handle.readers(), &Clock::Host).await?;
        ensure!(now + AHEAD / 2 < first, "this machine is too slow to prepare {} cases in time", self.due);
        Ok(due)
    }

    async fn bare(&self, template: &Template, supervise: &Store, handle: &Store) -> anyhow::Result<f64> {
        let at = whole(handle.now(handle.readers(), &Clock::Host).await?);
        let due: Vec<Due> = (0..self.due).map(|_| Due { incident: new_incident(), at }).collect();
        template.fall_due(supervise, handle, &due).await?;
        let begun = Instant::now();
        let mut all = 0;
        while all < due.len() {
            let some = seed::bare_steps(supervise, handle, at, BARE_BATCH).await?;
            ensure!(some > 0, "{all} of {} bare steps were found", due.len());
            all += some;
        }
        let bare = rate(all, begun.elapsed().as_secs_f64());
        seed::forget_bare(supervise, handle).await?;
        Ok(bare)
    }
}

async fn stand_around(template: &Template, supervise: &Store, from: i64, to: i64) -> anyhow::Result<()> {
    let bar = ProgressBar::new(u64::try_from(to - from).unwrap_or(0));
    bar.set_style(ProgressStyle::with_template("{bar:30} {human_pos} cases made 已造案件, {eta} left")?);
    let mut made = from;
    while made < to {
        let next = (made + AT_ONCE).min(to);
        template.stand_around(supervise, made, next).await?;
        bar.inc(u64::try_from(next - made).unwrap_or(0));
        made = next;
    }
    bar.finish_and_clear();
    Ok(seed::look_over(supervise).await?)
}

/// Waits until the database's clock shows `at`.
async fn until(at: DateTime<Utc>, handle: &Store) -> anyhow::Result<()> {
    let now = handle.now(handle.readers(), &Clock::Host).await?;
    wait((at - now).to_std().unwrap_or_default()).await;
    Ok(())
}

/// Waits until a step of each has taken effect; answers when each was due and when it was noticed.
async fn took_effect(due: &[Due], handle: &Store) -> anyhow::Result<Vec<(DateTime<Utc>, DateTime<Utc>)>> {
    let incidents: Vec<IncidentId> = due.iter().map(|due| due.incident).collect();
    let last = due.iter().map(|due| due.at).max().context("some fall due")?;
    until(last, handle).await?;
    let begun = Instant::now();
    loop {
        // Asked for the one that comes last first, so that asking costs the services little.
        let tail = &incidents[incidents.len().saturating_sub(1)..];
        if !seen::effects(handle, tail).await?.is_empty() {
            let effects = seen::effects(handle, &incidents).await?;
            if effects.len() >= due.len() {
                return Ok(effects);
            }
        }
        ensure!(begun.elapsed() < LONGEST, "not all of {} steps took effect in {LONGEST:?}", due.len());
        wait(LOOK).await;
    }
}

fn lag(effects: &[(DateTime<Utc>, DateTime<Utc>)]) -> anyhow::Result<Lag> {
    let mut lags: Vec<f64> = effects.iter().map(|(at, noticed)| milliseconds(*noticed - *at)).collect();
    lags.sort_unstable_by(f64::total_cmp);
    ensure!(lags.first().is_none_or(|first| *first >= 0.0), "a step took effect before its time");
    Ok(Lag {
        n: lags.len(),
        p50_ms: percentile(&lags, 0.5),
        p99_ms: percentile(&lags, 0.99),
        max_ms: percentile(&lags, 1.0),
    })
}

fn milliseconds(long: TimeDelta) -> f64 {
    long.as_seconds_f64() * 1_000.0
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    percentile(values, 0.5)
}

fn hundredths(value: f64) -> Value {
    Value::from((value * 100.0).round() / 100.0)
}

fn new_incident() -> IncidentId {
    IncidentId::new(host_now(), entropy::draw())
}

/// Both databases keep whole milliseconds unchanged.
fn whole(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}
