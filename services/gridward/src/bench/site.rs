//! Where a bench runs: a file in a temporary folder, or the databases and topics of a file of settings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::TimeDelta;
use clap::Args;
use discover::{Discover, Reported, Submit};
use domain::id::{IncidentId, PersonId};
use platform::clock::{Clock, host_now};
use platform::entropy;
use platform::lifecycle::Lifecycle;
use platform::metrics::Metrics;
use platform::pack::{InForce, Pack};
use platform::store::{Store, outbox};
use platform::stream::{Stream, kafka};
use platform::token::{Principal, Tokens};
use platform::turn::{Asked, INPUTS_PER_TURN, Turns};

use super::child::Child;
use super::reports::Reports;
use super::wait;
use crate::audit::Places;
use crate::commands::PackFolder;
use crate::embedded::{Embedded, migrate};
use crate::servers::{Joined, database, join, leave, services, topics};
use crate::settings::Settings;
use crate::store::bare::Bare;

/// Where to measure.
#[derive(Clone, Debug, Args)]
pub struct Where {
    /// Settings of Kafka and PostgreSQL: measure there, in empty databases. What is reported stays in them.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Without --config: make the temporary folder with the database in this one; another disk, say.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    data: Option<PathBuf>,
    #[command(flatten)]
    pack: PackFolder,
    /// With --config: take the databases as they are, also when they are not empty.
    #[arg(long, requires = "config")]
    keep: bool,
    /// Print the figures as JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// A folder that goes when this does.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Temporary {
    fn make(within: &Path) -> anyhow::Result<Self> {
        let name: String = entropy::draw::<6>().iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = within.join(format!("gridward-bench-{name}"));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {0} / 无法创建目录 {0}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed lies in a folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where a bench runs.
#[derive(Debug)]
pub struct Site {
    temporary: Temporary,
    servers: Option<(PathBuf, Settings)>,
    pub pack: Arc<Pack>,
    tokens: Tokens,
    pub reports: Reports,
}

impl Site {
    /// Makes what is missing, and looks that nothing is there that would be mixed with the bench's own.
    ///
    /// # Errors
    /// When a database is not empty, or something cannot be used.
    pub async fn open(at: &Where) -> anyhow::Result<Self> {
        let within = at.data.clone().unwrap_or_else(std::env::temp_dir);
        let temporary = Temporary::make(&within)?;
        let Some(file) = &at.config else {
            let pack = at.pack.load()?;
            let folder = temporary.0.join(DATA);
            std::fs::create_dir_all(&folder)?;
            let tokens = Tokens::of_folder(&folder).context("cannot make the token key")?;
            let reports = Reports::of(&pack)?;
            let site = Self { temporary, servers: None, pack, tokens, reports };
            site.store("discover").await?.close().await?;
            return Ok(site);
        };
        let settings = Settings::load(Some(file), std::env::vars())?;
        let pack = PackFolder::of_settings(settings.pack.clone()).load()?;
        let tokens = Tokens::of_file(&settings.token_key_file).context("cannot read token_key_file")?;
        for service in services(&pack) {
            let store = database(service, &settings).await?;
            let used = outbox::any(store.readers(), service).await?;
            let place = store.place();
            store.close().await?;
            if used && !at.keep {
                bail!(
                    "{place} is not empty: a bench fills it with made-up reports. Name empty databases, or say --keep / \
                     {place} 不是空库：性能测试会写入虚构数据。请指定空库，或加 --keep"
                );
            }
        }
        topics(&settings.stream()?).await?;
        let reports = Reports::of(&pack)?;
        Ok(Self { temporary, servers: Some((file.clone(), settings)), pack, tokens, reports })
    }

    /// In words.
    pub fn setting(&self) -> &'static str {
        if self.is_servers() { "PostgreSQL + Kafka" } else { "SQLite" }
    }

    pub fn is_servers(&self) -> bool {
        self.servers.is_some()
    }

    /// A service's database to be measured bare, from so many connections; on a file another one with one writer.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn bare(&self, service: &str, connections: usize) -> anyhow::Result<Bare> {
        Ok(match &self.servers {
            Some((_, settings)) => Bare::server(&settings.database_url(service)?, connections).await?,
            None => Bare::file(self.file("other").await?),
        })
    }

    /// A connection of the bench's own to a service's database.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn store(&self, service: &str) -> anyhow::Result<Store> {
        match &self.servers {
            Some((_, settings)) => Ok(Store::connect(&settings.database_url(service)?, 4).await?),
            None => self.file(DATA).await,
        }
    }

    /// The one connection to a service's database, so that what is set for it stays set.
    ///
    /// # Errors
    /// When it cannot be reached, or there is none.
    pub async fn connection(&self, service: &str) -> anyhow::Result<Store> {
        let (_, settings) = self.servers.as_ref().context("only servers have databases")?;
        Ok(Store::connect(&settings.database_url(service)?, 1).await?)
    }

    /// What an audit looks at.
    ///
    /// # Errors
    /// When a database cannot be reached, or there are no servers.
    pub async fn places(&self) -> anyhow::Result<Places> {
        let (_, settings) = self.servers.as_ref().context("only servers have places")?;
        Places::open(settings).await
    }

    async fn file(&self, name: &str) -> anyhow::Result<Store> {
        let folder = self.temporary.0.join(name);
        std::fs::create_dir_all(&folder)?;
        let store = Store::open(&folder).await?;
        migrate(&store).await?;
        Ok(store)
    }

    /// Starts the services as processes and waits until they are ready: each its own, or all in one on a file.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start(&self, services: &[&'static str]) -> anyhow::Result<Vec<Child>> {
        let folder = &self.temporary.0;
        let mut children = Vec::new();
        match &self.servers {
            Some((file, _)) => {
                for service in services {
                    let args: Vec<OsString> = vec!["--config".into(), file.into()];
                    children.push(Child::start(service, args, folder)?);
                }
            }
            None => {
                let mut args: Vec<OsString> = vec!["--data".into(), folder.join(DATA).into()];
                args.extend(["--pack".into(), self.pack.folder.clone().into()]);
                children.push(Child::start("all", args, folder)?);
            }
        }
        for child in &mut children {
            child.ready().await?;
        }
        Ok(children)
    }

    /// A token for who reports, good for a day.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token(&self) -> anyhow::Result<String> {
        let person = self.pack.people.get(&self.reports.reporter).context("the reporter is of the pack")?;
        let principal = Principal { person: person.id.clone(), grants: person.grants.clone() };
        self.tokens.issue(&principal, host_now(), TimeDelta::hours(24)).context("cannot sign a token")
    }

    /// Reports `count` times through discover's own turns, in this process, and puts all on the log.
    ///
    /// # Errors
    /// When a report is refused, or a server fails.
    pub async fn fill(&self, count: usize) -> anyhow::Result<()> {
        let Some((_, settings)) = &self.servers else {
            let all = Embedded::open(&self.temporary.0.join(DATA), self.pack.clone(), Clock::Host).await?;
            let office = all.office();
            self.report(count, &mut *office.discover.turns.lock().await).await?;
            return office.close().await;
        };
        let stream = settings.stream()?;
        let joined = self.joined(settings, &stream).await?;
        let Joined { around, stream, relay } = joined;
        let (stopper, lifecycle) = Lifecycle::new();
        let relaying = tokio::spawn(relay.run(lifecycle));
        let mut turns = Turns::new(Discover::new(&InForce::new(self.pack.clone())), &around);
        self.report(count, &mut turns).await?;
        stream.settled().await?;
        stopper.stop();
        relaying.await.context("the relay panicked")?;
        leave(stream).await?;
        Ok(around.store.close().await?)
    }

    /// Topics that were made a moment ago have no leader yet.
    async fn joined(&self, settings: &Settings, stream: &kafka::Settings) -> anyhow::Result<Joined> {
        let pack = InForce::new(self.pack.clone());
        for _ in 0..20 {
            match join::<Discover>(settings, stream, &pack, &Clock::Host, &Metrics::new()).await {
                Err(error) if format!("{error:#}").contains("leader") => {
                    wait(Duration::from_millis(250)).await
                }
                joined => return joined,
            }
        }
        bail!("the topics have no leader / 主题没有 leader")
    }

    async fn report(&self, count: usize, turns: &mut Turns<Discover>) -> anyhow::Result<()> {
        let by: &PersonId = &self.reports.reporter;
        let numbers: Vec<usize> = (0..count).collect();
        for some in numbers.chunks(INPUTS_PER_TURN) {
            let asked: Vec<_> = some
                .iter()
                .map(|number| Asked {
                    command: Submit {
                        incident: IncidentId::new(host_now(), entropy::draw()),
                        report: Reported::Now(self.reports.get(*number)),
                    },
                    by: by.clone(),
                    recorded_at: host_now(),
                })
                .collect();
            for answer in turns.obey(&asked).await {
                answer?.map_err(|fault| anyhow::anyhow!("a report was refused: {}", fault.text.en))?;
            }
        }
        Ok(())
    }

    /// All in one process on a file, for whoever decides what works when.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn embedded(&self) -> anyhow::Result<Embedded> {
        Embedded::open(&self.temporary.0.join(DATA), self.pack.clone(), Clock::Host).await
    }
}

/// The folder of the database within the temporary one.
const DATA: &str = "data";
