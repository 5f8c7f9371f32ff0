//! The command line. Every command is a file of its own.

mod account;
mod all;
mod config;
mod console;
mod dead_letters;
mod migrate;
mod pack;
mod reread;
mod serve;
mod strays;
mod token;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use platform::pack::{Pack, PackFault, PackFiles};
use route::boundaries::BoundaryFaults;

pub use config::Config;
pub(crate) use reread::put_back;

/// Gridward (格网): report, route, handle, supervise.
#[derive(Debug, Parser)]
#[command(name = "gridward", version, about, max_term_width = 100)]
pub struct Gridward {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all services in one process, on one file.
    All(all::All),
    /// 发现: take reports. One service alone, on Kafka and PostgreSQL, as are the next four.
    Discover(serve::Serve),
    /// 流转: find who should hold an incident.
    Route(serve::Serve),
    /// 处置: keep the cases.
    Handle(serve::Serve),
    /// 督办: see the time pass, and keep the figures.
    Supervise(serve::Serve),
    /// 社会组织: offer cases to partner organisations, and keep their register.
    Partner(serve::Serve),
    /// 控制台: sign people in. Of Kafka it reads which pack is in force.
    Console(serve::Serve),
    /// Make, change, list and remove the accounts that people sign in with.
    Account(account::AccountCommand),
    /// Have a service read its topics again from their beginning, after a broker lost or made anew what it had read.
    Reread(reread::Reread),
    /// List the facts on a service's own topic that it does not know, for which it does not start; take note of them.
    Strays(strays::Strays),
    /// Print the settings for Kafka and PostgreSQL that are in force, with what each means.
    Config(config::Show),
    /// Bring the database in a folder, or those of the settings, up to date.
    Migrate(migrate::Migrate),
    /// Run recorded reports through the services, on a clock that jumps.
    Replay(crate::replay::Replay),
    /// Watch a street's day, or recorded reports, live in a browser.
    Demo(crate::demo::Demo),
    /// Prove, from outside the services, that nothing was lost, doubled or early.
    Audit(crate::audit::Audit),
    /// Measure how fast it is, beside the bare database in the same run.
    Bench(crate::bench::Bench),
    /// Live many lives of an office in which everything goes wrong that can, and hold the promises against each.
    Simulate(crate::simulate::Simulate),
    /// List, show and retry facts that could not be decided.
    DeadLetters(dead_letters::DeadLetters),
    /// Print a signed token for a person of the pack.
    Token(token::Token),
    /// Check a pack: its files, its people, its boundaries; publish it to the services; or sketch grids for a new one.
    Pack(pack::PackCommand),
}

/// Where the data lies.
#[derive(Clone, Debug, Args)]
pub struct DataFolder {
    /// Folder of the database, the lock and the token key.
    #[arg(long, value_name = "FOLDER", env = "GRIDWARD_DATA", default_value = ".data")]
    pub data: PathBuf,
}

/// Which jurisdiction.
#[derive(Clone, Debug, Args)]
pub struct PackFolder {
    /// A pack: a folder with a pack.json, or the name of one that comes with Gridward (baltimore, beilun, boston,
    /// pingshan, tainan, taipei, tongxi, twostreets). Once a version is published under its code, that one counts. When
    /// left out: the one that the folder of the data runs on, and boston where there is none yet.
    #[arg(long, value_name = "PACK", env = "GRIDWARD_PACK")]
    pub pack: Option<PathBuf>,
    #[command(flatten)]
    pub data: PackData,
}

/// Where the files lie that a pack names and may not bring along.
#[derive(Clone, Debug, Args)]
pub struct PackData {
    /// Folder of the files that a pack names as $DATA/…, since their licence does not let them come with it; the
    /// environment's DATA when left out.
    #[arg(long, value_name = "FOLDER")]
    pub pack_data: Option<PathBuf>,
}

impl PackData {
    /// An empty DATA, as make gives it, is none.
    fn folder(&self) -> Option<PathBuf> {
        let around = || std::env::var_os("DATA").filter(|data| !data.is_empty()).map(PathBuf::from);
        self.pack_data.clone().or_else(around)
    }
}

/// The pack where none is named, and nothing runs yet that has one.
const USUAL: &str = "boston";

impl PackFolder {
    /// A pack that is named by the settings.
    pub fn of_settings(pack: PathBuf) -> Self {
        Self { pack: Some(pack), data: PackData { pack_data: None } }
    }

    /// The one that is named; where none is, the one of this code.
    pub fn or_of(self, code: Option<String>) -> Self {
        Self { pack: self.pack.or(code.map(PathBuf::from)), ..self }
    }

    /// Whether one was named.
    pub fn is_given(&self) -> bool {
        self.pack.is_some()
    }

    /// As it is named.
    pub fn named(&self) -> &Path {
        self.pack.as_deref().unwrap_or(Path::new(USUAL))
    }

    /// # Errors
    /// Every fault of the pack, by file and line.
    pub fn load(&self) -> anyhow::Result<Arc<Pack>> {
        let folder = find_pack(self.named())?;
        let data = self.data.folder();
        Ok(Arc::new(Pack::load_with(&folder, data.as_deref()).map_err(|fault| told(&fault))?))
    }

    /// The pack, and its files as they are published.
    ///
    /// # Errors
    /// Every fault of the pack, by file and line.
    pub fn load_to_publish(&self) -> anyhow::Result<(Pack, PackFiles)> {
        let folder = find_pack(self.named())?;
        Pack::load_to_publish(&folder, self.data.folder().as_deref()).map_err(|fault| told(&fault))
    }

    /// The code of the pack, as its pack.json says, also where nothing else of it can be read. Where there is no such
    /// folder the name is the code: a pack that is published need not lie here.
    pub fn code(&self) -> Option<String> {
        let Ok(folder) = find_pack(self.named()) else { return self.named().to_str().map(str::to_owned) };
        let text = std::fs::read_to_string(folder.join("pack.json")).ok()?;
        let main: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        main["code"].as_str().map(str::to_owned)
    }
}

/// How many faults there are, and each on a line of its own, in both languages.
pub(crate) fn told(fault: &PackFault) -> anyhow::Error {
    let (count, list) = (fault.faults.len(), fault.both());
    anyhow::anyhow!(
        "the pack is refused, what is wrong with it: {count} / 辖区包未通过检查，错误 {count} 处：\n{list}"
    )
}

/// The same of its boundaries, which are read once all else is whole.
pub(crate) fn told_of_boundaries(faults: &BoundaryFaults) -> anyhow::Error {
    let count = faults.all().len();
    anyhow::anyhow!(
        "the boundaries are refused, what is wrong with them: {count} / 边界未通过检查，错误 {count} 处：\n{faults}"
    )
}

/// A folder as given, or one of the packs beside the sources or the program.
fn find_pack(named: &Path) -> anyhow::Result<PathBuf> {
    if named.join("pack.json").is_file() {
        return Ok(named.to_owned());
    }
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let mut tried = vec![PathBuf::from("shared/packs")];
    let mut above = beside;
    while let Some(folder) = above {
        tried.push(folder.join("shared/packs"));
        tried.push(folder.join("packs"));
        above = folder.parent().map(Path::to_owned);
    }
    tried
        .into_iter()
        .map(|packs| packs.join(named))
        .find(|folder| folder.join("pack.json").is_file())
        .with_context(|| {
            format!(
                "there is no pack `{0}` here: give a folder that holds a pack.json; packs that come with Gridward are found by \
                 name beside the program, or from the folder of its sources / \
                 找不到辖区包「{0}」：请给出含 pack.json 的目录；自带的辖区包须在程序旁或源码目录中才能按名称找到",
                named.display()
            )
        })
}

/// Runs the chosen command; a failure is told once, here, with its causes.
pub fn run(gridward: Gridward) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    let outcome = runtime.block_on(async {
        match gridward.command {
            Command::All(all) => all.run().await,
            Command::Discover(serve) => serve.discover().await,
            Command::Route(serve) => serve.route().await,
            Command::Handle(serve) => serve.handle().await,
            Command::Supervise(serve) => serve.supervise().await,
            Command::Partner(serve) => serve.partner().await,
            Command::Console(serve) => serve.console().await,
            Command::Account(account) => account.run().await,
            Command::Reread(reread) => reread.run().await,
            Command::Strays(strays) => strays.run().await,
            Command::Config(config) => config.run(),
            Command::Migrate(migrate) => migrate.run().await,
            Command::Replay(replay) => replay.run().await,
            Command::Demo(demo) => demo.run().await,
            Command::Audit(audit) => audit.run().await,
            Command::Bench(bench) => bench.run().await,
            Command::Simulate(simulate) => simulate.run(),
            Command::DeadLetters(letters) => letters.run().await,
            Command::Token(token) => token.run().await,
            Command::Pack(pack) => pack.run().await,
        }
    });
    match outcome {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    tell(format_args!("gridward: {error:#}"));
    ExitCode::FAILURE
}

/// Tells the person at the terminal what went wrong, or how far a command is, apart from its output.
#[expect(clippy::print_stderr, reason = "the one place that tells a person something beside the output")]
pub(crate) fn tell(what: impl std::fmt::Display) {
    eprintln!("{what}");
}

/// Prints a line for the person at the terminal; a reader that went away is no fault.
pub(crate) fn say(line: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}
