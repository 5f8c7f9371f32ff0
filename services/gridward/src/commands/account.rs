//! `gridward account add | set-password | disable | enable | remove | list`: who can sign in. A password is read from
//! standard input, or made up and printed once; it is never an argument, which every process of the machine can see.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use console::{Accounts, Password, made_up};
use domain::id::PersonId;
use platform::clock::host_now;
use platform::entropy;
use platform::pack::Pack;
use platform::store::Store;

use super::{Config, DataFolder, PackFolder, say};
use crate::embedded::beside;
use crate::in_force;
use crate::servers::database_as_it_is;

#[derive(Debug, Args)]
pub struct AccountCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an account for a person of the pack.
    Add(Change),
    /// Give an account another password.
    SetPassword(Change),
    /// Keep an account from signing in, until it is enabled again.
    Disable(Named),
    /// Let a disabled account sign in again.
    Enable(Named),
    /// Remove an account. The person stays in the register.
    Remove(Named),
    /// List the accounts; those whose person has left the register are marked.
    List(Place),
}

#[derive(Debug, Args)]
struct Change {
    #[command(flatten)]
    named: Named,
    /// Read the password from standard input, its first line; without this one is made up and printed once.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
struct Named {
    /// The person's id, as the pack's people.csv lists it.
    #[arg(value_name = "PERSON")]
    person: String,
    #[command(flatten)]
    place: Place,
}

/// Where the accounts are.
#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    data: DataFolder,
    #[command(flatten)]
    pack: PackFolder,
    /// Settings of Kafka and PostgreSQL: the accounts there, not of a folder. Pack is then as the settings say.
    #[arg(long, value_name = "FILE", env = "GRIDWARD_CONFIG")]
    config: Option<PathBuf>,
}

/// The accounts, the register they are compared with, and the database to close.
struct Open {
    accounts: Accounts,
    pack: std::sync::Arc<Pack>,
    store: Store,
}

impl Place {
    async fn open(&self) -> anyhow::Result<Open> {
        let (store, pack) = match &self.config {
            Some(file) => {
                let settings = Config { config: Some(file.clone()) }.load()?;
                let pack = in_force::pack_of(&settings).await?;
                (database_as_it_is(console::NAME, &settings, 2).await?, pack)
            }
            None => {
                let pack = in_force::pack_in(&self.data.data, &self.pack).await?;
                (beside(&self.data.data).await?, pack)
            }
        };
        Ok(Open { accounts: Accounts::new(store.clone()), pack, store })
    }
}

impl AccountCommand {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.what {
            What::Add(change) => set(change, Set::New).await?,
            What::SetPassword(change) => set(change, Set::Again).await?,
            What::Disable(named) => {
                let (open, person) = named.open().await?;
                open.accounts.disable(&person).await?;
                done(open, "disabled; who is signed in stays so for an hour at most / 已停用，已登录者最多一小时后失效").await?;
            }
            What::Enable(named) => {
                let (open, person) = named.open().await?;
                open.accounts.enable(&person).await?;
                done(open, "enabled / 已启用").await?;
            }
            What::Remove(named) => {
                let (open, person) = named.open().await?;
                open.accounts.remove(&person).await?;
                done(open, "removed; who is signed in stays so for an hour at most / 已删除，已登录者最多一小时后失效").await?;
            }
            What::List(place) => list(&place).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Named {
    async fn open(&self) -> anyhow::Result<(Open, PersonId)> {
        Ok((self.place.open().await?, self.person.as_str().into()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    New,
    Again,
}

async fn set(change: Change, set: Set) -> anyhow::Result<()> {
    let (open, person) = change.named.open().await?;
    if open.pack.people.get(&person).is_none() {
        bail!(
            "the pack {0} has no person `{person}`: look in its people.csv / 辖区包 {0} 中没有「{person}」，请查看 people.csv",
            open.pack.code
        );
    }
    let password = if change.password_stdin { typed()? } else { made_up(entropy::draw()) };
    match set {
        Set::New => open.accounts.add(&person, &password, host_now()).await?,
        Set::Again => open.accounts.set_password(&person, &password, host_now()).await?,
    }
    if !change.password_stdin {
        say(format_args!("{}", password.shown_once()));
    }
    let said = format!("{person} can sign in with that password / 「{person}」可用该密码登录");
    super::tell(said);
    open.store.close().await?;
    Ok(())
}

/// The first line of standard input.
fn typed() -> anyhow::Result<Password> {
    let mut text = String::new();
    std::io::stdin()
        .take(4_096)
        .read_to_string(&mut text)
        .context("cannot read the password / 无法读取密码")?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Password::from(line.to_owned()))
}

async fn done(open: Open, said: &str) -> anyhow::Result<()> {
    say(said);
    open.store.close().await?;
    Ok(())
}

async fn list(place: &Place) -> anyhow::Result<()> {
    let open = place.open().await?;
    let accounts = open.accounts.list().await?;
    if accounts.is_empty() {
        say("no accounts: `gridward account add PERSON` makes one / 没有账号");
    }
    for account in accounts {
        let person = open.pack.people.get(&account.person);
        let who = person.map_or_else(
            || "NOT IN THE REGISTER, cannot sign in / 已不在人员名册，不能登录".to_owned(),
            |person| person.name.to_string(),
        );
        let disabled = if account.disabled { "  DISABLED 已停用" } else { "" };
        let changed = account.changed_at.format("%Y-%m-%d %H:%M UTC");
        say(format_args!("{}  {who}  password set {changed}{disabled}", account.person));
    }
    open.store.close().await?;
    Ok(())
}
