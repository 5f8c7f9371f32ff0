//! `make chaos`: hundreds of faults on a fleet with one broker and with three, hours of steady work, lives drawn from
//! seeds, and parsers fed with what nobody would send. Says first what this machine cannot do, then each figure beside
//! its mark. Ends non-zero when a mark is missed.
//!
//! The environment says how much: SEED, FAULTS, REPORTS, RATE, EACH, TOGETHER, MINUTES, LIVES, RUNS; JSON names a file
//! for the figures.

mod gaps;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail, ensure};
use scenarios::marks::{Marks, number, say};
use scenarios::{faults, owned, process, soak};
use serde_json::{Map, Value, json};

/// The parts, in order; whoever wants only some names them.
const PARTS: [&str; 5] = ["faults", "brokers", "soak", "lives", "fuzz"];

/// Those that need a Kafka and a PostgreSQL.
const ON_SERVERS: [&str; 3] = ["faults", "brokers", "soak"];

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(chaos()),
        Err(error) => Err(error.into()),
    };
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
            say(&format!("\nit could not be finished: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A number that the environment says.
fn told(name: &str, otherwise: u64) -> anyhow::Result<u64> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => {
            text.parse().with_context(|| format!("{name} is `{text}`, and must be a whole number"))
        }
        _ => Ok(otherwise),
    }
}

fn size(name: &str, otherwise: u64) -> anyhow::Result<usize> {
    Ok(usize::try_from(told(name, otherwise)?)?)
}

async fn chaos() -> anyhow::Result<u32> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(odd) = asked.iter().find(|part| !PARTS.contains(&part.as_str())) {
        bail!("there is no part {odd}: name some of {}", PARTS.join(", "));
    }
    let wanted = |part: &&str| asked.is_empty() || asked.iter().any(|one| one == part);
    let parts: Vec<&str> = PARTS.into_iter().filter(wanted).collect();
    let without = std::env::var("GRIDWARD_WITHOUT_SERVERS").is_ok_and(|said| said == "1");
    let impossible: Vec<&str> = parts.iter().copied().filter(|part| ON_SERVERS.contains(part)).collect();
    ensure!(
        !without || impossible.is_empty(),
        "GRIDWARD_WITHOUT_SERVERS=1, and {} need a Kafka and a PostgreSQL: name the others, as in PARTS='lives fuzz'",
        impossible.join(", ")
    );
    let mut figures = Map::new();
    figures.insert("machine".to_owned(), gaps::say_gaps());
    let mut marks = Marks::default();
    for part in parts {
        let figure = match part {
            "faults" => faults_of(&mut marks, one_broker()?).await?,
            "brokers" => faults_of(&mut marks, three_brokers()?).await?,
            "soak" => soaked(&mut marks).await?,
            "lives" => lives(&mut marks)?,
            _ => fuzzed(&mut marks)?,
        };
        figures.insert(part.to_owned(), figure);
        figures.insert("marks_missed".to_owned(), marks.missed.into());
        write(&figures)?;
    }
    Ok(marks.missed)
}

/// Writes what there is so far: what comes later may fail.
fn write(figures: &Map<String, Value>) -> anyhow::Result<()> {
    let Some(file) = std::env::var_os("JSON").filter(|file| !file.is_empty()) else { return Ok(()) };
    let text = serde_json::to_string_pretty(figures)?;
    std::fs::write(&file, text + "\n").with_context(|| format!("cannot write {}", Path::new(&file).display()))
}

fn one_broker() -> anyhow::Result<faults::Plan> {
    Ok(faults::Plan {
        each: size("EACH", 3)?,
        brokers: 1,
        faults: size("FAULTS", 500)?,
        together: size("TOGETHER", 3)?,
        reports: size("REPORTS", 200_000)?,
        rate: size("RATE", 75)?,
        seed: told("SEED", 1)?,
    })
}

/// A tenth of the faults, one after the other: nearly all of them are the brokers'.
fn three_brokers() -> anyhow::Result<faults::Plan> {
    let plan = one_broker()?;
    let (faults, reports) = (plan.faults.div_ceil(12).max(10), plan.reports.div_ceil(20));
    Ok(faults::Plan { brokers: 3, each: 2, faults, together: 1, reports, rate: plan.rate.min(45), ..plan })
}

/// Everything that can go wrong, drawn from a seed, under steady reports.
async fn faults_of(marks: &mut Marks, plan: faults::Plan) -> anyhow::Result<Value> {
    let faults::Plan { each, brokers, faults, together, reports, rate, seed } = plan;
    let of = if brokers == 1 { "one broker" } else { "three brokers, two copies at least" };
    say(&format!(
        "\nWhatever goes wrong, with {of}: {faults} faults, up to {together} at once, {each} instances of each service, \
         {reports} reports at {rate} a second, with people acting; seed {seed}"
    ));
    let outcome = faults::run(plan).await?;
    say(&outcome.to_string());
    outcome.beside(marks);
    if brokers == 1 && faults >= 500 {
        let kinds = outcome.kinds();
        let fewest = kinds.iter().map(|of| of.hit).min().unwrap_or(0);
        marks.check("kinds of faults", kinds.len(), "≥ 14", kinds.len() >= 14);
        marks.check("of each kind, at least", fewest, "≥ 20", fewest >= 20);
    }
    Ok(outcome.figures())
}

/// Hours of steady work.
async fn soaked(marks: &mut Marks) -> anyhow::Result<Value> {
    let plan = soak::Plan {
        each: size("EACH", 2)?,
        minutes: told("MINUTES", 120)?,
        rate: size("RATE", 50)?,
        seed: told("SEED", 1)?,
    };
    let soak::Plan { each, minutes, rate, .. } = plan;
    say(&format!(
        "\nSteady work: {minutes} minutes, {rate} reports a second, {each} instances of each service"
    ));
    let outcome = soak::run(plan).await?;
    say(&outcome.to_string());
    outcome.beside(marks);
    Ok(outcome.figures())
}

/// Lives of an office drawn from seeds.
fn lives(marks: &mut Marks) -> anyhow::Result<Value> {
    let (many, first) = (told("LIVES", 100_000)?, told("SEED", 1)?);
    say(&format!("\nLives drawn from seeds: {many} from seed {first}"));
    let mut simulate = Command::new(process::binary()?);
    simulate.args(["simulate", "--json", "--seeds", &many.to_string(), "--first-seed", &first.to_string()]);
    let ran = owned::output(&mut simulate).context("cannot run gridward simulate")?;
    let said: Value = serde_json::from_slice(&ran.stdout).with_context(|| {
        format!("gridward simulate printed no JSON: {}", String::from_utf8_lossy(&ran.stderr))
    })?;
    let lived = said["lives"].as_u64().unwrap_or(0);
    let list = |name: &str| said[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let (broken, never) = (list("failed"), list("never_met"));
    let percent = number(&said["at_most"]) * 100.0;
    marks.check("lives", lived, &format!("= {many}"), lived == many);
    marks.check(
        "lives that broke a promise",
        broken.len(),
        &format!("= 0 (below {percent:.4} %, 95 %)"),
        broken.is_empty() && ran.status.success(),
    );
    for life in broken.iter().take(5) {
        say(&format!("       {life}"));
    }
    marks.check("faults that were never met", never.len(), "= 0", never.is_empty());
    marks.check("lived twice, and the same", &said["same_twice"], "told", true);
    let rate = number(&said["lives_per_second"]);
    marks.check("lives a second", format!("{rate:.0}"), "told", true);
    Ok(said)
}

/// What no parser may choke on.
fn fuzzed(marks: &mut Marks) -> anyhow::Result<Value> {
    let runs = told("RUNS", 1_000_000)?;
    say(&format!("\nParsers fed with {runs} inputs each"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz.sh");
    let ran = owned::status(Command::new(&script).arg(runs.to_string()));
    let ran = ran.with_context(|| format!("cannot run {}", script.display()))?;
    marks.check("parsers that choked", if ran.success() { "none" } else { "some" }, "none", ran.success());
    Ok(json!({ "inputs_each": runs, "clean": ran.success() }))
}
