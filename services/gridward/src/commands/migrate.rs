//! `gridward migrate`: brings a folder's database up to date. The other commands do it too, by themselves.

use std::process::ExitCode;

use clap::Args;

use super::{DataFolder, say};
use crate::embedded::{lock, prepare};

#[derive(Debug, Args)]
pub struct Migrate {
    #[command(flatten)]
    data: DataFolder,
}

impl Migrate {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let _lock = lock(&self.data.data)?;
        let store = prepare(&self.data.data).await?;
        say(format_args!("{} is up to date / 数据库已是最新", store.place()));
        store.close().await?;
        Ok(ExitCode::SUCCESS)
    }
}
