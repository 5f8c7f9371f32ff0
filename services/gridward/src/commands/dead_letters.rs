//! `gridward dead-letters list | show | retry`: facts that could not be decided, and trying them again.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use discover::Discover;
use domain::id::IncidentId;
use handle::Handle;
use partner::PartnerDesk;
use platform::clock::Clock;
use platform::store::Store;
use platform::store::dead_letters::{self, DeadLetter};
use platform::turn::Service;
use route::Route;
use serde_json::json;
use supervise::Supervise;

use super::{Config, DataFolder, PackFolder, say};
use crate::embedded::Embedded;
use crate::folder_clock;
use crate::servers::{database_as_it_is, services_of};

const SERVICES: [&str; 5] = [Discover::NAME, Route::NAME, Handle::NAME, Supervise::NAME, PartnerDesk::NAME];

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
        place: Place,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// One whole, with its body.
    Show {
        /// Its name, as `list` prints it: service/topic/incident/sequence.
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Decide one again, with what waits behind it; `all` for every one.
    Retry {
        /// Its name, as `list` prints it, or `all`.
        name: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        pack: PackFolder,
    },
}

/// Where they are kept.
#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    data: DataFolder,
    /// Settings of Kafka and PostgreSQL: of the services there, not of a folder.
    #[arg(long, value_name = "FILE", env = "GRIDWARD_CONFIG")]
    config: Option<PathBuf>,
}

impl Place {
    /// The database of each service, where it has one of its own.
    async fn servers(&self) -> anyhow::Result<Option<Vec<Kept>>> {
        let Some(file) = &self.config else { return Ok(None) };
        let settings = Config { config: Some(file.clone()) }.load()?;
        let mut kept = Vec::new();
        for service in services_of(&settings).await? {
            kept.push((service, database_as_it_is(service, &settings, 1).await?));
        }
        Ok(Some(kept))
    }

    /// To look only.
    async fn look(&self) -> anyhow::Result<Vec<Kept>> {
        if let Some(kept) = self.servers().await? {
            return Ok(kept);
        }
        let store = Store::look(&self.data.data).await?;
        Ok(SERVICES.map(|service| (service, store.clone())).to_vec())
    }
}

/// A service, and the database with its dead letters.
type Kept = (&'static str, Store);

impl DeadLetters {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.what {
            What::List { place, json } => list(&place, json).await,
            What::Show { name, place } => show(&place, &name).await,
            What::Retry { name, place, pack } => match place.servers().await? {
                Some(kept) => ask(&kept, &name).await,
                None => retry(&place.data, &pack, &name).await,
            },
        }
    }
}

async fn letters(kept: &[Kept]) -> anyhow::Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    for (service, store) in kept {
        letters.extend(dead_letters::list(store.readers(), service).await?);
    }
    Ok(letters)
}

/// The one of that name, or `all`.
fn wanted<'a>(letters: &'a [DeadLetter], named: &str) -> anyhow::Result<Vec<&'a DeadLetter>> {
    let wanted: Vec<&DeadLetter> =
        letters.iter().filter(|letter| named == "all" || name(letter) == named).collect();
    if wanted.is_empty() && named != "all" {
        bail!("{}", unknown(named));
    }
    Ok(wanted)
}

/// Asks the services on servers, which look for it every other second.
async fn ask(kept: &[Kept], named: &str) -> anyhow::Result<ExitCode> {
    let letters = letters(kept).await?;
    let wanted = wanted(&letters, named)?;
    for letter in &wanted {
        let (_, store) =
            kept.iter().find(|(service, _)| *service == letter.service).context("a service of ours")?;
        dead_letters::ask_retry(store.writer(), letter).await?;
    }
    say(format_args!(
        "asked for {0}; the services that run take them within seconds / 已登记 {0} 条，运行中的服务将在数秒内重试",
        wanted.len()
    ));
    Ok(ExitCode::SUCCESS)
}

fn name(letter: &DeadLetter) -> String {
    let record = &letter.record;
    format!("{}/{}/{}/{}", letter.service, record.source.topic, record.incident, record.sequence)
}

async fn list(place: &Place, as_json: bool) -> anyhow::Result<ExitCode> {
    let letters = letters(&place.look().await?).await?;
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

async fn show(place: &Place, named: &str) -> anyhow::Result<ExitCode> {
    let letters = letters(&place.look().await?).await?;
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
    let letters = letters(&SERVICES.map(|service| (service, store.clone()))).await?;
    let wanted = wanted(&letters, named)?;
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
    let all = Embedded::open(&data.data, pack.clone(), clock).await?;
    let decided = all.route.lock().await.retry_asked().await?
        + all.handle.lock().await.retry_asked().await?
        + all.supervise.lock().await.retry_asked().await?
        + match &all.partner {
            Some(partner) => partner.lock().await.retry_asked().await?,
            None => 0,
        };
    all.settle().await?;
    say(format_args!("{decided} of {asked} decided / {asked} 条中 {decided} 条已处理"));
    Ok(if decided == asked { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn unknown(named: &str) -> String {
    let incident = named.split('/').find(|part| part.parse::<IncidentId>().is_ok());
    let hint = incident.map(|incident| format!(" (incident {incident})")).unwrap_or_default();
    format!("there is no dead letter `{named}`{hint}: see `gridward dead-letters list` / 没有这条死信")
}
