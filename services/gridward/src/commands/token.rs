//! `gridward token --as PERSON`: a signed token for somebody of the pack, or a link to the report form, for an operator who
//! has the key. People sign in with accounts.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use clap::Args;
use domain::rights::{Action, areas_for};
use platform::clock::host_now;
use platform::entropy;
use platform::link::{LONGEST_MINUTES, Link, USUAL_MINUTES};
use platform::pack::Pack;
use platform::token::{Principal, Tokens};

use super::{DataFolder, PackFolder, say};
use crate::in_force;

#[derive(Debug, Args)]
pub struct Token {
    /// The person, by id, as the pack's people.csv lists them.
    #[arg(long = "as", value_name = "PERSON", required_unless_present = "form_link")]
    person: Option<String>,
    /// Print a link to the report form for this person instead: `/r/…`, behind this server's address.
    #[arg(long, value_name = "PERSON", conflicts_with = "person")]
    form_link: Option<String>,
    /// How many minutes the link holds.
    #[arg(long, value_name = "MINUTES", default_value_t = USUAL_MINUTES, value_parser = clap::value_parser!(i64).range(1..=LONGEST_MINUTES))]
    minutes: i64,
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
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let pack = self.pack().await?;
        let named = self.person.as_deref().or(self.form_link.as_deref()).unwrap_or_default();
        let person = pack.people.get(&named.into()).with_context(|| {
            format!(
                "the pack {0} has no person `{named}`: look in its people.csv / 辖区包 {0} 中没有「{named}」，请查看 people.csv",
                pack.code
            )
        })?;
        let tokens = match &self.key {
            Some(file) => Tokens::of_file(file),
            None => Tokens::of_folder(&self.data.data),
        };
        let tokens = tokens.context("cannot read the token key")?;
        if self.form_link.is_some() {
            ensure!(
                !areas_for(&person.grants, Action::Report).is_empty(),
                "`{named}` may not report, so a link would open for nobody: name a grid worker, say / 「{named}」无上报权限，\
                 发了链接也打不开：请指定网格员等可上报的人员"
            );
            let link = Link::new(entropy::draw(), person.id.clone(), None, host_now(), self.minutes);
            say(format_args!("/r/{}", tokens.issue_link(&link).context("cannot sign the link")?));
            return Ok(ExitCode::SUCCESS);
        }
        let principal = Principal { person: person.id.clone(), grants: person.grants.clone() };
        say(tokens
            .issue(&principal, host_now(), TimeDelta::hours(self.hours))
            .context("cannot sign the token")?);
        Ok(ExitCode::SUCCESS)
    }

    /// The pack in force in the folder: the key of one that nobody runs on signs for nobody. Beside a key file there is
    /// no register to ask.
    async fn pack(&self) -> anyhow::Result<Arc<Pack>> {
        match &self.key {
            Some(_) => self.pack.load(),
            None => in_force::pack_in(&self.data.data, &self.pack).await,
        }
    }
}
