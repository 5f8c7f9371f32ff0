//! `gridward migrate`: brings a folder's database up to date, or all databases and topics of the settings. The
//! other commands do it too, by themselves; this one is for before a new version is rolled out.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Config, DataFolder, say};
use crate::embedded::{lock, prepare};
use crate::servers::{WITHOUT_TOPIC, database, services_of, topics};

#[derive(Debug, Args)]
pub struct Migrate {
    #[command(flatten)]
    data: DataFolder,
    /// Settings of Kafka and PostgreSQL: migrate there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Migrate {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        if self.config.is_some() {
            return servers(&Config { config: self.config }).await;
        }
        let _lock = lock(&self.data.data)?;
        let store = prepare(&self.data.data).await?;
        say(format_args!("{} is up to date / 数据库已是最新", store.place()));
        store.close().await?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn servers(config: &Config) -> anyhow::Result<ExitCode> {
    let settings = config.load()?;
    // The topics first: one of them says which services there are.
    let made = topics(&settings.stream()?).await?;
    let all =
        if made.is_empty() { "no topic was missing / 主题齐全".to_owned() } else { made.join(", ") };
    say(format_args!("topics at {}: {all}", settings.kafka.bootstrap));
    for service in services_of(&settings).await?.into_iter().chain(WITHOUT_TOPIC) {
        let store = database(service, &settings).await?;
        say(format_args!("{} is up to date / 数据库已是最新", store.place()));
        store.close().await?;
    }
    Ok(ExitCode::SUCCESS)
}
