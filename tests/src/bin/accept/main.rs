//! `make accept`: replays real data, kills real processes, and prints each figure beside its mark.
//! Ends non-zero when a mark is missed.

mod cities;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use gridward::bench::percentile;
use scenarios::marks::{Marks, audited, due_steps, number, pack, replay, say, sum};
use scenarios::{faults, fleet, kills, process, published, rolling};
use serde_json::Value;

/// All processor time of this machine, and what of it its host gave to other machines, in ticks: the first line of
/// `/proc/stat` (proc(5)).
fn processor() -> Option<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<u64> =
        text.lines().next()?.split_whitespace().skip(1).filter_map(|one| one.parse().ok()).collect();
    Some((ticks.iter().take(8).sum(), *ticks.get(7)?))
}

fn main() -> ExitCode {
    let before = processor();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(accept()),
        Err(error) => Err(error.into()),
    };
    if let (Some((all, stolen)), Some((all_now, stolen_now))) = (before, processor()) {
        let percent = (stolen_now - stolen) * 100 / (all_now - all).max(1);
        say(&format!(
            "\nmeanwhile the host of this machine gave {percent} % of its processors' time to others: marks in seconds are \
             for a machine that has them to itself"
        ));
    }
    match outcome {
        Ok(0) => {
            say("\nevery mark was met");
            ExitCode::SUCCESS
        }
        Ok(missed) => {
            say(&format!("\n{missed} marks were missed"));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("\nacceptance could not be finished: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The parts, in order; whoever wants only some names them.
const PARTS: [&str; 10] = [
    "boston",
    "baltimore",
    "pingshan",
    "taipei",
    "tainan",
    "embedded",
    "published",
    "killed",
    "rolled",
    "faults",
];

async fn accept() -> anyhow::Result<u32> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(odd) = asked.iter().find(|part| !PARTS.contains(&part.as_str())) {
        bail!("there is no part {odd}: name some of {}", PARTS.join(", "));
    }
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|one| one == part);
    let mut marks = Marks::default();
    if wanted("boston") {
        let in_a_file = boston(&mut marks)?;
        boston_on_servers(&mut marks, in_a_file).await?;
    }
    let data = std::env::var_os("DATA").filter(|data| !data.is_empty());
    if let Some(data) = data {
        cities::all(&mut marks, Path::new(&data), wanted)?;
    }
    if wanted("embedded") {
        embedded(&mut marks).await?;
    }
    if wanted("published") {
        published(&mut marks).await?;
    }
    if wanted("killed") {
        killed(&mut marks).await?;
    }
    if wanted("rolled") {
        rolled(&mut marks).await?;
    }
    if wanted("faults") {
        faults(&mut marks).await?;
    }
    Ok(marks.missed)
}

/// The whole recorded file of the pack that comes with Gridward.
fn boston(marks: &mut Marks) -> anyhow::Result<Value> {
    say("\nBoston 311, July to December 2011");
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().display().to_string();
    let said = replay(&["--pack", &pack("boston"), "--data", &data])?;
    marks.equal("rows", &said["rows"], 58_251);
    marks.equal("accepted", &said["accepted"], 58_251);
    marks.equal("refused", &sum(&said["refused"]), 0);
    marks.equal("routed to a grid", &said["routed"], 53_459);
    marks.equal("fallback to the street desk", &said["fallback"], 4_792);
    marks.equal("flagged placeholder", &said["flagged"]["placeholder"], 4_775);
    marks.equal("flagged rounded", &said["flagged"]["rounded"], 5);
    marks.equal("flagged due before opened", &said["flagged"]["due_before_opened"], 3);
    marks.share("ward as recorded", &said["area_agreement"]["ward"], 99.2);
    marks.share("precinct as recorded", &said["area_agreement"]["precinct"], 95.3);
    marks.equal("verdicts compared", &said["verdicts"]["compared"], 43_664);
    marks.equal("verdicts equal", &said["verdicts"]["agreed"], 43_664);
    marks.equal("without a due time", &said["without_due"], 10_981);
    marks.equal("reminders", &said["reminders"], 13_608);
    marks.equal("escalated to the community", &said["escalations"]["community"], 11_679);
    marks.equal("escalated to the street", &said["escalations"]["street"], 10_604);
    due_steps(marks, &said, 35_891);
    marks.at_most("wall", number(&said["wall_seconds"]), 90.0, "s");
    marks.at_most("peak memory", number(&said["peak_memory_mb"]), 400.0, "MB");
    audited(marks, &["--data", &data])?;
    Ok(said)
}

/// The same file with the services on Kafka and PostgreSQL: the same figures, but for how long it took.
async fn boston_on_servers(marks: &mut Marks, mut in_a_file: Value) -> anyhow::Result<()> {
    if !fleet::has_servers() {
        say("\nBoston 311 on Kafka and PostgreSQL: no servers, left out");
        return Ok(());
    }
    say("\nBoston 311 on Kafka and PostgreSQL");
    let folder = tempfile::TempDir::new()?;
    fleet::settings(folder.path(), "boston", "").await?;
    let config = folder.path().join(fleet::FILE).display().to_string();
    let mut on_servers = replay(&["--pack", &pack("boston"), "--config", &config])?;
    let wall = number(&on_servers["wall_seconds"]);
    for said in [&mut in_a_file, &mut on_servers] {
        let said = said.as_object_mut().context("the replay printed no figures")?;
        said.retain(|figure, _| {
            !["wall_seconds", "records_per_second", "peak_memory_mb"].contains(&figure.as_str())
        });
    }
    let (Some(ours), Some(theirs)) = (in_a_file.as_object(), on_servers.as_object()) else {
        bail!("the replay printed no figures");
    };
    let differ: Vec<&str> = ours
        .iter()
        .filter(|(name, said)| theirs.get(*name) != Some(*said))
        .map(|(name, _)| name.as_str())
        .collect();
    let same = differ.is_empty() && ours.len() == theirs.len();
    let many = format!("{} of {} ({wall:.0} s)", ours.len() - differ.len(), ours.len());
    marks.check("figures as in a file", many, "all", same);
    if !same {
        say(&format!("       not the same: {differ:?}"));
    }
    audited(marks, &["--config", &config])
}

/// One process, as it starts and idles, and how soon a report is a case.
async fn embedded(marks: &mut Marks) -> anyhow::Result<()> {
    say("\nThe embedded setting");
    let measured = process::measure().await?;
    marks.at_most("ready after", measured.ready_seconds, 2.0, "s");
    marks.at_most("idle memory", measured.idle_mb, 100.0, "MB");
    marks.at_most("idle processor", measured.idle_cpu_percent, 1.0, "%");
    marks.at_most("a report is a case, median", measured.report_to_case_ms_median, 50.0, "ms");
    marks.at_most("a report is a case, worst of 50", measured.report_to_case_ms_max, 50.0, "ms");
    Ok(())
}

/// A change of the registers, everywhere within a second.
async fn published(marks: &mut Marks) -> anyhow::Result<()> {
    if !fleet::has_servers() {
        say("\nA pack that is published on Kafka: no servers, left out");
        return Ok(());
    }
    say("\nA pack of 143 grids, published again and again on Kafka, each time with one person more");
    let outcome = published::run(50, 2).await?;
    let many = format!("{} to {} processes", outcome.publications, outcome.processes);
    marks.check("publications", many, "= 50", outcome.publications == 50);
    marks.at_most("in force, median", percentile(&outcome.seconds, 0.5), 1.0, "s");
    marks.at_most("in force, 99 %", percentile(&outcome.seconds, 0.99), 1.0, "s");
    Ok(())
}

/// Twenty SIGKILLs under load.
async fn killed(marks: &mut Marks) -> anyhow::Result<()> {
    say("\nkill -9 under 20,000 reports from 8 clients, with people acting");
    let outcome = kills::run(kills::Plan { posts: 20_000, clients: 8, kills: 20, seed: 1 }).await?;
    let kills = outcome.kills.len();
    #[expect(clippy::cast_precision_loss, reason = "a handful of kills")]
    let bound = 300.0 / kills.max(1) as f64;
    marks.check("kills", kills, "= 20", kills == 20);
    marks.check(
        "reports answered and lost",
        outcome.lost,
        &format!("= 0 (below {bound:.0} % a kill, 95 %)"),
        outcome.lost == 0,
    );
    marks.check("reports or cases doubled", outcome.doubled, "= 0", outcome.doubled == 0);
    marks.check("due steps effected", outcome.steps_effected, "> 0", outcome.steps_effected > 0);
    marks.check("due steps early", outcome.steps_early, "= 0", outcome.steps_early == 0);
    marks.check("due steps doubled", outcome.steps_doubled, "= 0", outcome.steps_doubled == 0);
    marks.check("audit clean", outcome.audit_clean, "= true", outcome.audit_clean);
    Ok(())
}

/// Every instance replaced by another, one by one, as when a new version is rolled out.
async fn rolled(marks: &mut Marks) -> anyhow::Result<()> {
    if !fleet::has_servers() {
        say("\nA new version rolled out: no servers, left out");
        return Ok(());
    }
    say("\nA new version rolled out: 18 instances replaced one by one under 200 reports/s, each looked at");
    let folder = tempfile::TempDir::new()?;
    let mut fleet = fleet::Fleet::new(folder.path(), process::PARTNERED, 3, "").await?;
    fleet.start().await?;
    let outcome = rolling::replace_all(&mut fleet, 200).await?;
    fleet.stop().await?;
    marks.check("instances replaced", outcome.replaced, "= 18", outcome.replaced == 18);
    #[expect(clippy::cast_precision_loss, reason = "some thousands of requests")]
    let rate = outcome.answered as f64 / 2.0 / outcome.seconds;
    marks.check("reports a second, answered", format!("{rate:.0}"), "≥ 190", rate >= 190.0);
    let asked = outcome.answered.max(1);
    #[expect(clippy::cast_precision_loss, reason = "some thousands of requests")]
    let bound = 300.0 / asked as f64;
    let mark = format!("= 0 of {asked} (below {bound:.3} %, 95 %)");
    marks.check("errors to clients", outcome.errors.len(), &mark, outcome.errors.is_empty());
    for error in outcome.errors.iter().take(5) {
        say(&format!("       {error}"));
    }
    Ok(())
}

/// Everything that can go wrong on servers, drawn from a seed, under steady reports.
async fn faults(marks: &mut Marks) -> anyhow::Result<()> {
    if !fleet::has_servers() {
        say("\nWhatever goes wrong on Kafka and PostgreSQL: no servers, left out");
        return Ok(());
    }
    let plan =
        faults::Plan { each: 3, brokers: 1, faults: 60, together: 1, reports: 20_000, rate: 45, seed: 1 };
    say("\nWhatever goes wrong: 60 faults, 3 instances of each service, 20,000 reports, with people acting");
    let outcome = faults::run(plan).await?;
    say(&outcome.to_string());
    outcome.beside(marks);
    Ok(())
}
