//! `gridward token --as PERSON`: a signed token for somebody of the pack, until accounts come.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::TimeDelta;
use clap::Args;
use platform::clock::host_now;
use platform::token::{Principal, Tokens};

use super::{DataFolder, PackFolder, say};

#[derive(Debug, Args)]
pub struct Token {
    /// The person, by id, as the pack's people.csv lists them.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// How many hours the token holds, by the host's clock.
    #[arg(long, value_name = "HOURS", default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=720))]
    hours: i64,
    #[command(flatten)]
    data: DataFolder,
    /// Sign with the key in this file: the token_key_file of services on Kafka and PostgreSQL.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    pack: PackFolder,
}

impl Token {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let pack = self.pack.load()?;
        let person = pack.people.get(&self.person.as_str().into()).with_context(|| {
            format!(
                "the pack {0} has no person `{1}`: look in its people.csv / 辖区包 {0} 中没有「{1}」，请查看 people.csv",
                pack.code, self.person
            )
        })?;
        // The key of a folder nobody runs on signs for nobody.
        if self.key.is_none() && !self.data.data.join(platform::store::FILE).is_file() {
            bail!(
                "there is no database in {0}: name the --data of the running `gridward all`, or make one with `gridward migrate` / \
                 {0} 中没有数据库：请用 --data 指定正在运行的目录，或先运行 gridward migrate",
                self.data.data.display()
            );
        }
        let tokens = match &self.key {
            Some(file) => Tokens::of_file(file),
            None => Tokens::of_folder(&self.data.data),
        };
        let tokens = tokens.context("cannot read the token key")?;
        let principal = Principal { person: person.id.clone(), grants: person.grants.clone() };
        say(tokens
            .issue(&principal, host_now(), TimeDelta::hours(self.hours))
            .context("cannot sign the token")?);
        Ok(ExitCode::SUCCESS)
    }
}
