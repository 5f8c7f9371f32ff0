//! `gridward bench audit`: how long the quick audit takes, with few cases and with many, and what each of its queries
//! takes of it; beside counting the same rows, which is the least that looking at all of them takes.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Args;
use domain::id::IncidentId;
use indicatif::{ProgressBar, ProgressStyle};
use platform::store::Store;
use serde::Serialize;
use serde_json::{Value, json};

use super::figures::{Figures, percentile, rate, tenths};
use super::first::first_case;
use super::site::{Site, Where};
use crate::audit::{Options, Patience, Report, audit_quickly};
use crate::servers::SERVICES;
use crate::store::copies;

#[derive(Clone, Debug, Args)]
pub struct BenchAudit {
    #[command(flatten)]
    pub at: Where,
    /// With so many cases, one after the other; ascending. With --keep, copies that are there already count.
    #[arg(long, value_name = "CASES", value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    cases: Vec<u32>,
}

/// Cases made by one statement.
const AT_ONCE: i64 = 100_000;

/// The one check that finds something: the facts of copies were never sent, so their topics are short of them.
const NEVER_SENT: &str = "sent";

/// What was seen with so many cases.
#[derive(Clone, Debug, Serialize)]
struct Among {
    cases: u32,
    seconds: f64,
    bare_seconds: f64,
    bare_rows: i64,
    gigabytes: Value,
    queries: Value,
}

impl BenchAudit {
    /// # Errors
    /// When a process or a database fails, or the audit finds a fault in what was copied.
    pub async fn measure(&self) -> anyhow::Result<Figures> {
        let site = Site::open(&self.at).await?;
        ensure!(
            site.is_servers(),
            "the quick audit is of an office on servers: give --config / 快速核查仅用于服务器部署：请给出 --config"
        );
        let (supervise, handle) = (site.store("supervise").await?, site.store("handle").await?);
        let incident = first_case(&site, &supervise, &handle).await?;
        let mut stores = Vec::new();
        for service in SERVICES {
            let store = site.connection(service).await?;
            copies::patient(&store).await?;
            stores.push((service, store));
        }
        let mut sizes = self.cases.clone();
        sizes.sort_unstable();
        let mut among = Vec::new();
        for cases in sizes {
            make(&stores, incident, i64::from(cases)).await?;
            among.push(look(&site, &stores, cases).await?);
        }
        for (_, store) in stores {
            store.close().await?;
        }
        supervise.close().await?;
        handle.close().await?;
        figures(&site, &among)
    }
}

/// Makes copies until there are so many, in all databases at once.
async fn make(stores: &[(&'static str, Store)], incident: IncidentId, cases: i64) -> anyhow::Result<()> {
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:30} {human_pos} copies made 已造副本, {eta} left")?);
    let making = stores.iter().map(|(service, store)| async {
        let from = copies::held(store, service).await?;
        bar.inc_length((cases - from).max(0).unsigned_abs());
        let mut made = from;
        while made < cases {
            let next = (made + AT_ONCE).min(cases);
            copies::add(store, service, incident, made, next).await?;
            bar.inc((next - made).unsigned_abs());
            made = next;
        }
        anyhow::Ok(copies::look_over(store, service).await?)
    });
    all(making).await?;
    bar.finish_and_clear();
    Ok(())
}

async fn look(site: &Site, stores: &[(&'static str, Store)], cases: u32) -> anyhow::Result<Among> {
    let begun = Instant::now();
    let bare_rows: i64 =
        all(stores.iter().map(|(service, store)| async { Ok(copies::count_bare(store, service).await?) }))
            .await?
            .into_iter()
            .sum();
    let bare_seconds = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let report = audit_quickly(&site.places().await?, Options::default(), Patience::default()).await?;
    let seconds = begun.elapsed().as_secs_f64();
    expect_clean(&report)?;
    let mut bytes = 0;
    for (_, store) in stores {
        bytes += copies::bytes(store).await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "what a disk holds fits an f64")]
    let gigabytes = tenths(bytes as f64 / 1e9);
    let queries =
        report.quick.map(|quick| json!(quick.queries)).context("a quick audit tells its queries")?;
    Ok(Among { cases, seconds, bare_seconds, bare_rows, gigabytes, queries })
}

fn expect_clean(report: &Report) -> anyhow::Result<()> {
    let others = report.checks.iter().filter(|check| check.name != NEVER_SENT && check.found > 0);
    let names: Vec<&str> = others.map(|check| check.name).collect();
    ensure!(names.is_empty(), "the audit found faults in copies, by {}:\n{report}", names.join(", "));
    Ok(())
}

fn figures(site: &Site, among: &[Among]) -> anyhow::Result<Figures> {
    let most = among.last().context("measured")?;
    let cases = most.cases as usize;
    let (taken, bare_rate) = (rate(cases, most.seconds), rate(cases, most.bare_seconds));
    let mut queries: Vec<f64> = most
        .queries
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|query| query["seconds"].as_f64())
        .map(|seconds| seconds * 1_000.0)
        .collect();
    queries.sort_unstable_by(f64::total_cmp);
    Ok(Figures {
        bench: "audit",
        setting: site.setting(),
        of: "cases, all looked at by the quick audit",
        n: cases,
        seconds: most.seconds,
        rate: taken,
        bare_rate,
        ratio: taken / bare_rate,
        bare_limit: "counting the rows of the same tables, page by page, the four databases at once"
            .to_owned(),
        latency: "one query of the audit, with the most cases",
        p50_ms: percentile(&queries, 0.5),
        p99_ms: percentile(&queries, 0.99),
        more: BTreeMap::from([
            ("among", json!(among)),
            ("not_seeded", json!("bodies of facts in the outboxes, and the topics: no query reads them")),
        ]),
    })
}

/// All of them at once.
async fn all<T>(
    those: impl Iterator<Item = impl Future<Output = anyhow::Result<T>>>,
) -> anyhow::Result<Vec<T>> {
    let those: [_; 4] =
        those.collect::<Vec<_>>().try_into().map_err(|_| anyhow::anyhow!("there are four services"))?;
    let [discover, route, handle, supervise] = those;
    let (discover, route, handle, supervise) = tokio::try_join!(discover, route, handle, supervise)?;
    Ok(vec![discover, route, handle, supervise])
}
