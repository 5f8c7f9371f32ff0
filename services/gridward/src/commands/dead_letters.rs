//! `gridward dead-letters list | show | retry`: facts that could not be decided, and trying them again.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use discover::Discover;
use domain::id::IncidentId;
use handle::Handle;
use platform::clock::Clock;
use platform::store::Store;
use platform::store::dead_letters::{self, DeadLetter};
use platform::turn::Service;
use route::Route;
use serde_json::json;
use supervise::Supervise;

use super::{DataFolder, PackFolder, say};
use crate::embedded::Embedded;
use crate::folder_clock;

const SERVICES: [&str; 4] = [Discover::NAME, Route::NAME, Handle::NAME, Supervise::NAME];

#[derive(Debug, Args)]
pub struct DeadLetters {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One line for each.
    List {
        #[command(flatten)]
        data: DataFolder,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// One whole, with its body.
    Show {
        /// Its name, as `list` prints it: service/topic/incident/sequence.
        name: String,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Decide one again, with what waits behind it; `all` for every one.
    Retry {
        /// Its name, as `list` prints it, or `all`.
        name: String,
        #[command(flatten)]
        data: DataFolder,
        #[command(flatten)]
        pack: PackFolder,
    },
}

impl DeadLetters {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.what {
            What::List { data, json } => list(&data, json).await,
            What::Show { name, data } => show(&data, &name).await,
            What::Retry { name, data, pack } => retry(&data, &pack, &name).await,
        }
    }
}

async fn letters(store: &Store) -> anyhow::Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    for service in SERVICES {
        letters.extend(dead_letters::list(store.readers(), service).await?);
    }
    Ok(letters)
}

fn name(letter: &DeadLetter) -> String {
    let record = &letter.record;
    format!("{}/{}/{}/{}", letter.service, record.source.topic, record.incident, record.sequence)
}

async fn list(data: &DataFolder, as_json: bool) -> anyhow::Result<ExitCode> {
    let store = Store::look(&data.data).await?;
    let letters = letters(&store).await?;
    if as_json {
        let all: Vec<_> = letters
            .iter()
            .map(|letter| {
                json!({
                    "name": name(letter), "type": letter.record.kind, "reason": letter.reason,
                    "dead_at": letter.dead_at, "retry_asked": letter.retry_asked,
                })
            })
            .collect();
        say(serde_json::to_string_pretty(&all)?);
        return Ok(ExitCode::SUCCESS);
    }
    if letters.is_empty() {
        say("no dead letters / 没有死信");
    }
    for letter in &letters {
        say(format_args!("{}  {}  {}", name(letter), letter.record.kind, letter.reason));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(data: &DataFolder, named: &str) -> anyhow::Result<ExitCode> {
    let store = Store::look(&data.data).await?;
    let letters = letters(&store).await?;
    let letter = letters.iter().find(|letter| name(letter) == named).with_context(|| unknown(named))?;
    let record = &letter.record;
    say(format_args!("{named}"));
    say(format_args!("type      {}", record.kind));
    say(format_args!("at        {}", record.at));
    say(format_args!("cause     {}", record.cause));
    say(format_args!("position  {}", record.position));
    say(format_args!("dead at   {}", letter.dead_at));
    say(format_args!("reason    {}", letter.reason));
    say(format_args!("body      {}", record.body));
    Ok(ExitCode::SUCCESS)
}

async fn retry(data: &DataFolder, pack: &PackFolder, named: &str) -> anyhow::Result<ExitCode> {
    if !data.data.join(platform::store::FILE).is_file() {
        bail!("there is no database in {}", data.data.display());
    }
    let store = Store::open(&data.data).await?;
    let letters = letters(&store).await?;
    let wanted: Vec<&DeadLetter> =
        letters.iter().filter(|letter| named == "all" || name(letter) == named).collect();
    if wanted.is_empty() && named != "all" {
        bail!("{}", unknown(named));
    }
    for letter in &wanted {
        dead_letters::ask_retry(store.writer(), letter).await?;
    }
    let clock = folder_clock::so_far(&data.data, &store).await?;
    store.close().await?;
    retry_now(data, pack, clock, wanted.len()).await
}

/// Decides here when no other process has the folder; that one does it within seconds otherwise.
async fn retry_now(
    data: &DataFolder,
    pack: &PackFolder,
    clock: Clock,
    asked: usize,
) -> anyhow::Result<ExitCode> {
    if crate::embedded::lock(&data.data).is_err() {
        say(format_args!(
            "asked for {asked}; the running process takes them within seconds / 已登记 {asked} 条，运行中的进程将在数秒内重试"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let all = Embedded::open(&data.data, pack.load()?, clock).await?;
    let decided = all.route.lock().await.retry_asked().await?
        + all.handle.lock().await.retry_asked().await?
        + all.supervise.lock().await.retry_asked().await?;
    all.settle().await?;
    say(format_args!("{decided} of {asked} decided / {asked} 条中 {decided} 条已处理"));
    Ok(if decided == asked { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn unknown(named: &str) -> String {
    let incident = named.split('/').find(|part| part.parse::<IncidentId>().is_ok());
    let hint = incident.map(|incident| format!(" (incident {incident})")).unwrap_or_default();
    format!("there is no dead letter `{named}`{hint}: see `gridward dead-letters list` / 没有这条死信")
}
