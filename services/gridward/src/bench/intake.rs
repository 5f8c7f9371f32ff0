//! `gridward bench intake`: reports over HTTP from many connections, each answered 201 after it is committed; beside
//! the bare transaction of the same two rows, one for each report, from as many connections.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::Value;
use tokio::task::JoinSet;

use super::asking::Connection;
use super::child::{Busy, own_cpu_seconds};
use super::figures::{Figures, percentile, rate, tenths};
use super::reports::Reports;
use super::site::{Site, Where};
use crate::store::bare::{Bare, Rows};

#[derive(Clone, Debug, Args)]
pub struct Intake {
    #[command(flatten)]
    pub at: Where,
    /// How many connections report at once; the bare transactions come from as many.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    connections: u16,
    /// Report for so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    seconds: u16,
    /// Stop after so many reports.
    #[arg(long, value_name = "REPORTS", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    reports: u32,
}

/// Reports before anything counts: connections are made, plans are cached, and there are rows to copy.
const FIRST: usize = 500;

/// One of these before what is measured, one after it, so that a machine that grows slower slows both.
const BARE_PARTS: u32 = 2;

impl Intake {
    /// # Errors
    /// When a process or a database fails, or a report is not answered 201.
    pub async fn measure(&self) -> anyhow::Result<Figures> {
        let site = Site::open(&self.at).await?;
        let children = site.start(&["discover"]).await?;
        let discover = children.first().context("discover was started")?;
        let load = Load {
            address: discover.address,
            token: site.token()?,
            reports: site.reports.clone(),
            connections: usize::from(self.connections),
            next: Arc::default(),
        };
        let whole = Duration::from_secs(self.seconds.into());
        load.run(FIRST.min(self.reports as usize), whole).await?;

        let mut bare = site.bare("discover", load.connections).await?;
        let rows = intake_rows(&site, &mut bare).await?;
        let (bare_long, bare_most) = (whole / 4, self.reports as usize / 4 + 1);
        let before = bare.one_by_one(&rows, bare_long, bare_most).await?;
        let (cpu, own_cpu, busy) = (discover.cpu_seconds(), own_cpu_seconds(), Busy::begin());
        let Measured { mut waited, seconds } = load.run(self.reports as usize, whole).await?;
        let (cpu, own_cpu) = (discover.cpu_seconds() - cpu, own_cpu_seconds() - own_cpu);
        let busy = busy.percent();
        let after = bare.one_by_one(&rows, bare_long, bare_most).await?;
        let memory = discover.memory_mb();
        bare.close().await?;
        for child in children {
            child.stop().await?;
        }

        waited.sort_unstable_by(f64::total_cmp);
        let (n, bare_rate) = (waited.len(), (before + after) / f64::from(BARE_PARTS));
        let taken = rate(n, seconds);
        let each = |cpu: f64| tenths(cpu * 1e6 / taken / seconds);
        let more = BTreeMap::from([
            ("connections", Value::from(self.connections)),
            ("bare_before", tenths(before)),
            ("bare_after", tenths(after)),
            ("service_cpu_us_each", each(cpu)),
            ("load_cpu_us_each", each(own_cpu)),
            ("machine_busy_percent", tenths(busy)),
            ("memory_mb", tenths(memory)),
        ]);
        Ok(Figures {
            bench: "intake",
            setting: site.setting(),
            of: "reports answered 201",
            n,
            seconds,
            rate: taken,
            bare_rate,
            ratio: taken / bare_rate,
            bare_limit: bare_limit(&site, self.connections),
            latency: "asking to 201",
            p50_ms: percentile(&waited, 0.5),
            p99_ms: percentile(&waited, 0.99),
            more,
        })
    }
}

fn bare_limit(site: &Site, connections: u16) -> String {
    if site.is_servers() {
        return format!(
            "the report and its outbox row in one transaction, as copies of the real tables with their indexes; \
             {connections} connections, one commit each"
        );
    }
    "the report and its row of the log in one transaction, in another file of the same schema; one commit each, one \
     after the other, as SQLite has one writer"
        .to_owned()
}

/// What discover wrote, to be written again under other names.
async fn intake_rows(site: &Site, bare: &mut Bare) -> anyhow::Result<Vec<Rows>> {
    let store = site.store("discover").await?;
    let facts = if site.is_servers() { "discover_outbox" } else { "log" };
    let mut rows = Vec::new();
    for table in ["discover_report", facts] {
        rows.push(bare.copy_of(&store, table, FIRST, 1).await?);
    }
    store.close().await?;
    Ok(rows)
}

/// Reports from many connections at once.
#[derive(Clone)]
struct Load {
    address: SocketAddr,
    token: String,
    reports: Reports,
    connections: usize,
    next: Arc<AtomicUsize>,
}

struct Measured {
    /// Milliseconds each report waited for its 201.
    waited: Vec<f64>,
    seconds: f64,
}

impl Load {
    /// Reports until there are `most`, or for so `long`.
    async fn run(&self, most: usize, long: Duration) -> anyhow::Result<Measured> {
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(Connection::open(self.address, &self.token).await?);
        }
        let end = self.next.load(Ordering::Relaxed) + most;
        let begun = Instant::now();
        let mut asking = JoinSet::new();
        for connection in connections {
            asking.spawn(self.clone().ask(connection, end, begun + long));
        }
        let mut waited = Vec::with_capacity(most);
        while let Some(one) = asking.join_next().await {
            waited.extend(one.context("a connection panicked")??);
        }
        let seconds = begun.elapsed().as_secs_f64();
        // A number that was drawn and not sent is not drawn again.
        self.next.fetch_max(end + self.connections, Ordering::Relaxed);
        Ok(Measured { waited, seconds })
    }

    async fn ask(self, mut connection: Connection, end: usize, until: Instant) -> anyhow::Result<Vec<f64>> {
        let mut waited = Vec::new();
        while Instant::now() < until {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                break;
            }
            let body = self.reports.body(number);
            let begun = Instant::now();
            let answer = connection.ask("POST", "/api/v1/reports", &body).await?;
            let said = || String::from_utf8_lossy(answer.body).into_owned();
            ensure!(answer.status == 201, "a report was answered {}: {}", answer.status, said());
            waited.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok(waited)
    }
}
