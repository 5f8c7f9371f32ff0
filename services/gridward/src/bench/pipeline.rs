//! `gridward bench pipeline`: from the report on its topic to the committed case with its deadlines. First a backlog,
//! as fast as it goes, beside the bare database writing the same rows in large statements; then reports at a steady
//! rate, and how soon each is a case.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use clap::Args;
use domain::facts::Topic;
use platform::clock::Clock;
use platform::store::Store;
use serde_json::Value;

use super::child::{Busy, Child, own_cpu_seconds};
use super::figures::{Figures, percentile, rate, tenths};
use super::site::{Site, Where};
use super::steady::{self, Steady};
use super::wait;
use crate::settling::meanwhile;
use crate::store::bare::{self, Bare, Rows};
use crate::store::seen;

#[derive(Clone, Debug, Args)]
pub struct Pipeline {
    #[command(flatten)]
    pub at: Where,
    /// So many reports wait before anything is measured.
    #[arg(long, value_name = "REPORTS", default_value_t = 30_000, value_parser = clap::value_parser!(u32).range(1..))]
    reports: u32,
    /// Then so many a second.
    #[arg(long, value_name = "A_SECOND", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steady: u32,
    /// For so many seconds; 0 leaves them out.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u16,
}

/// A backlog that takes longer does not move.
const LONGEST: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(20);

/// The bare rate is of so many incidents: enough for a second or two.
const BARE_INCIDENTS: usize = 10_000;
const BATCHES: [usize; 3] = [100, 500, 1_000];

impl Pipeline {
    /// # Errors
    /// When a process or a database fails.
    pub async fn measure(&self) -> anyhow::Result<Figures> {
        let site = Site::open(&self.at).await?;
        let count = self.reports as usize;
        let stores = Stores::open(&site).await?;
        let before = stores.progress().await?;
        site.fill(count).await?;
        let (children, backlog) = if site.is_servers() {
            self.by_processes(&site, &stores, before).await?
        } else {
            (Vec::new(), stores.in_this_process(&site, before.cases + i64::from(self.reports)).await?)
        };
        let mut more = BTreeMap::from([("cpu_us_each", Value::from_iter(backlog.cpu_us_each(count)))]);
        more.insert("machine_busy_percent", tenths(backlog.busy));
        let bare = bare_rates(&site, count.min(BARE_INCIDENTS)).await?;
        let (best, bare_rate) = bare
            .iter()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(name, rate)| (name.clone(), *rate))
            .context("measured")?;
        more.insert("bare_rates", bare.into_iter().map(|(name, rate)| (name, tenths(rate))).collect());
        let (waited, memory) = self.steadily(&site, &stores, children).await?;
        more.insert("memory_mb", memory);
        more.insert("steady_a_second", Value::from(self.steady));
        stores.close().await?;

        let taken = rate(count, backlog.seconds);
        Ok(Figures {
            bench: "pipeline",
            setting: site.setting(),
            of: "reports to committed cases",
            n: count,
            seconds: backlog.seconds,
            rate: taken,
            bare_rate,
            ratio: taken / bare_rate,
            bare_limit: format!(
                "the same rows of route and handle into copies with all indexes, two transactions a batch, the best of several: {best}"
            ),
            latency: "201 to committed case, at a steady rate",
            p50_ms: percentile(&waited, 0.5),
            p99_ms: percentile(&waited, 0.99),
            more,
        })
    }

    /// route and handle, each a process: from route's first turn until handle's last has committed, all by the
    /// database's clock, so that starting and joining a group are left out.
    async fn by_processes(
        &self,
        site: &Site,
        stores: &Stores,
        before: Progress,
    ) -> anyhow::Result<(Vec<Child>, Backlog)> {
        let begun = stores.route.now(stores.route.readers(), &Clock::Host).await?;
        let children = site.start(&["route", "handle"]).await?;
        let busy = Busy::begin();
        let end = stores.cases_opened(before.cases + i64::from(self.reports)).await?;
        let busy = busy.percent();
        let first = seen::first_noticed(&stores.route, "route", Topic::Routed, begun).await?;
        let seconds = seconds_between(first.context("route has worked")?, end);
        let cpu = children.iter().map(|child| (child.name, child.cpu_seconds())).collect();
        Ok((children, Backlog { seconds, cpu, busy }))
    }

    /// Reports over HTTP at a steady rate, with every service running.
    async fn steadily(
        &self,
        site: &Site,
        stores: &Stores,
        mut children: Vec<Child>,
    ) -> anyhow::Result<(Vec<f64>, Value)> {
        children.extend(site.start(&["discover", "supervise"]).await?);
        let all = stores.published_cases().await?;
        stores.until("supervise", &stores.supervise, Topic::Handled, all).await?;
        let discover = children.iter().find(|child| ["discover", "all"].contains(&child.name));
        let steady = Steady {
            address: discover.context("discover was started")?.address,
            token: site.token()?,
            reports: site.reports.clone(),
            // Those of the backlog are taken.
            first: self.reports as usize,
            a_second: self.steady,
            seconds: self.seconds,
        };
        let mut waited = steady::run(steady, &stores.handle).await?;
        waited.sort_unstable_by(f64::total_cmp);
        let memory =
            children.iter().map(|child| (child.name.to_owned(), tenths(child.memory_mb()))).collect();
        for child in children {
            child.stop().await?;
        }
        Ok((waited, memory))
    }
}

/// How a backlog was worked off.
struct Backlog {
    seconds: f64,
    /// By process.
    cpu: Vec<(&'static str, f64)>,
    busy: f64,
}

impl Backlog {
    fn cpu_us_each(&self, count: usize) -> serde_json::Map<String, Value> {
        let each = |cpu: f64| tenths(cpu / rate(count, 1.0) * 1e6);
        self.cpu.iter().map(|(name, cpu)| ((*name).to_owned(), each(*cpu))).collect()
    }
}

/// How far the services were.
struct Progress {
    cases: i64,
}

/// The databases, to look at.
struct Stores {
    route: Store,
    handle: Store,
    supervise: Store,
}

impl Stores {
    async fn open(site: &Site) -> anyhow::Result<Self> {
        Ok(Self {
            route: site.store("route").await?,
            handle: site.store("handle").await?,
            supervise: site.store("supervise").await?,
        })
    }

    async fn progress(&self) -> anyhow::Result<Progress> {
        let (cases, _) = seen::read_so_far(&self.handle, "handle", Topic::Routed).await?;
        Ok(Progress { cases })
    }

    async fn cases_opened(&self, all: i64) -> anyhow::Result<DateTime<Utc>> {
        self.until("handle", &self.handle, Topic::Routed, all).await
    }

    async fn published_cases(&self) -> anyhow::Result<i64> {
        Ok(seen::published(&self.handle, "handle", Topic::Handled).await?)
    }

    /// Waits until `service` has read so many facts of `topic`; answers the database's time then.
    async fn until(
        &self,
        service: &str,
        store: &Store,
        topic: Topic,
        all: i64,
    ) -> anyhow::Result<DateTime<Utc>> {
        let begun = Instant::now();
        loop {
            let (read, now) = seen::read_so_far(store, service, topic).await?;
            if read >= all {
                return Ok(now);
            }
            ensure!(begun.elapsed() < LONGEST, "{service} has read {read} of {all} facts in {LONGEST:?}");
            wait(LOOK).await;
        }
    }

    /// route and handle as tasks of this process, on the file, without the others that live there too.
    async fn in_this_process(&self, site: &Site, all: i64) -> anyhow::Result<Backlog> {
        let embedded = site.embedded().await?;
        let office = embedded.office();
        let (begun, busy) = (Instant::now(), Busy::begin());
        let cpu = own_cpu_seconds();
        let opened = self.cases_opened(all);
        let _ = meanwhile(opened, vec![office.route.reader(), office.handle.reader()]).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let cpu = own_cpu_seconds() - cpu;
        office.close().await?;
        Ok(Backlog { seconds, cpu: vec![("route and handle", cpu)], busy: busy.percent() })
    }

    async fn close(self) -> anyhow::Result<()> {
        for store in [self.route, self.handle, self.supervise] {
            store.close().await?;
        }
        Ok(())
    }
}

fn seconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).to_std().unwrap_or_default().as_secs_f64()
}

/// The rows that route and handle have written of the last incidents, written again bare in several ways.
async fn bare_rates(site: &Site, incidents: usize) -> anyhow::Result<Vec<(String, f64)>> {
    let connections = if site.is_servers() { 2 } else { 1 };
    let (outboxes, topics) = (["route_outbox", "handle_outbox"], "log");
    let mut route = site.bare("route", connections).await?;
    let store = site.store("route").await?;
    let mut of_route =
        copies(&mut route, &store, [("route_incident", 1), ("route_sequence", 2)], incidents).await?;
    let of_handle = [("handle_case", 1), ("handle_history", 1), ("handle_words", 1), ("handle_sequence", 2)];
    let from = site.store("handle").await?;
    let mut rates = Vec::new();
    if site.is_servers() {
        let mut handle = site.bare("handle", connections).await?;
        of_route.push(route.copy_of(&store, outboxes[0], incidents, 1).await?);
        let mut of_handle = copies(&mut handle, &from, of_handle, incidents).await?;
        of_handle.push(handle.copy_of(&from, outboxes[1], incidents, 1).await?);
        let parts = [(&route, &*of_route), (&handle, &*of_handle)];
        for connections in 1..=connections {
            for batch in BATCHES {
                let rate = bare::in_batches(&parts, batch, connections).await?;
                rates.push((format!("{batch} incidents a statement, connections: {connections}"), rate));
            }
        }
        handle.close().await?;
    } else {
        let of_handle = copies(&mut route, &from, of_handle, incidents).await?;
        // The log has the facts of discover too; those of route and handle are two of three.
        let facts = [route.copy_of(&from, topics, incidents, 2).await?];
        let parts = [(&route, &*of_route), (&route, &*of_handle), (&route, &facts[..])];
        for batch in BATCHES {
            let rate = bare::in_batches(&parts, batch, 1).await?;
            rates.push((format!("{batch} incidents a statement"), rate));
        }
    }
    for store in [store, from] {
        store.close().await?;
    }
    route.close().await?;
    Ok(rates)
}

async fn copies<const N: usize>(
    bare: &mut Bare,
    from: &Store,
    tables: [(&'static str, usize); N],
    incidents: usize,
) -> anyhow::Result<Vec<Rows>> {
    let mut rows = Vec::new();
    for (table, each) in tables {
        rows.push(bare.copy_of(from, table, incidents, each).await?);
    }
    Ok(rows)
}
