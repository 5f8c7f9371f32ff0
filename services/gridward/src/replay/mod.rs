//! `gridward replay FILE --pack P`: recorded reports through the real services, on a clock that jumps.
//!
//! A row is filed and dispatched when it was opened; its recorded due time is its one deadline; at its
//! recorded closing the holder signs and answers and somebody else checks and closes, through the
//! services' own commands. Interrupted, it goes on where it was when it is run again.

pub mod drive;
mod encoding;
mod fields;
mod lines;
pub mod order;
mod place;
mod quotes;
mod records;
pub mod refused;
pub mod rows;
pub mod summary;
mod tail;
pub mod truth;
mod unpack;
pub mod windows;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDateTime, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use platform::clock::Clock;
use platform::pack::Pack;
use platform::store::{log, outbox};
use platform::stream::kafka::With;
use platform::telemetry::log_to_stderr;
use serde::Serialize;

use crate::commands::{PackFolder, say, tell};
use crate::embedded::Embedded;
use crate::settings::Settings as ServerSettings;
use crate::settling::Office;
use crate::store::progress::{self, Progress};
use drive::Counted;
use lines::Lines;
use order::{Source, first_out_of_order};
use rows::Rows;
use summary::{Run, Summary};
use windows::Windows;

#[derive(Debug, Args)]
pub struct Replay {
    /// The recorded file: CSV, plain or gzipped. The pack's own when left out.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    pack: PackFolder,
    /// Folder for the database; the same command run again goes on there.
    #[arg(long, value_name = "FOLDER", default_value = ".data/replay")]
    data: PathBuf,
    /// Settings of Kafka and PostgreSQL: replay into empty databases there, not into a folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Let nothing happen after this local time, as in 2011-12-31T23:59:59. The last recorded event when
    /// left out.
    #[arg(long, value_name = "TIME")]
    until: Option<NaiveDateTime>,
    /// How many events settle together; 1 is one at a time, with the same outcome.
    #[arg(long, value_name = "EVENTS", default_value_t = 8_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    window: u32,
    /// Print the figures as JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// What a replay is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub file: PathBuf,
    pub pack: Arc<Pack>,
    pub data: PathBuf,
    /// Kafka and PostgreSQL, instead of a database in the folder.
    pub servers: Option<crate::settings::Settings>,
    pub until: Option<NaiveDateTime>,
    pub window: usize,
}

/// How a replay ended.
pub enum Ended {
    Done(Box<Summary>, Counted),
    /// Asked to stop; the same call goes on.
    Stopped {
        windows_done: i64,
    },
}

impl Replay {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        log_to_stderr("warn");
        let pack = self.pack.load()?;
        let own = || pack.recorded.as_ref().and_then(|recorded| recorded.file.clone());
        let file = self.file.or_else(own).context(
            "the pack has no recorded file of its own: name one / 辖区包没有自带记录文件，请指定文件",
        )?;
        let servers =
            self.config.map(|file| ServerSettings::load(Some(&file), std::env::vars())).transpose()?;
        let window = self.window as usize;
        let asked = Asked { file, pack, data: self.data, servers, until: self.until, window };
        let mut stop = Box::pin(platform::lifecycle::asked_to_stop());
        // Looked at once, so that from here on a Ctrl-C is ours to handle.
        is_asked(&mut stop);
        let bar = progress_bar(&asked.file);
        // A bar is drawn on a terminal alone.
        let silent = !std::io::stderr().is_terminal();
        let mut lines = Lines::default();
        let between_windows = &mut || {
            let (read, all) = (bar.position(), bar.length().unwrap_or(0));
            if silent && let Some(line) = lines.tell(read, all, bar.elapsed()) {
                tell(line);
            }
            is_asked(&mut stop)
        };
        let ended = replay(&asked, &bar, between_windows).await?;
        bar.finish_and_clear();
        match ended {
            Ended::Stopped { windows_done } => {
                say(format_args!(
                    "stopped after window {windows_done}; the same command goes on from there / 已在第 {windows_done} 个窗口后停止，再次运行同一命令即可继续"
                ));
                Ok(ExitCode::from(130))
            }
            Ended::Done(summary, counted) => {
                if self.json {
                    say(serde_json::to_string_pretty(&summary)?);
                } else {
                    say(summary.table());
                    for example in &counted.examples {
                        say(format_args!("refused 拒收 {example}"));
                    }
                }
                let Some(broken_off) = &summary.broken_off else { return Ok(ExitCode::SUCCESS) };
                bail!("{broken_off}");
            }
        }
    }
}

/// Whether a stop has been asked for by now.
fn is_asked(stop: &mut std::pin::Pin<Box<impl Future<Output = std::io::Result<()>>>>) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    stop.as_mut().poll(&mut context).is_ready()
}

/// Replays `asked`, telling `bar` of progress and asking `stop` after each window.
///
/// # Errors
/// When the file, the pack or the database cannot be used, or the folder holds another replay.
pub async fn replay(
    asked: &Asked,
    bar: &ProgressBar,
    stop: &mut impl FnMut() -> bool,
) -> anyhow::Result<Ended> {
    let begun = Instant::now();
    let digest = unpack::digest(&asked.file)?;
    let out_of_order = first_out_of_order(asked.rows()?);
    let held = Held::open(asked).await?;
    let all = held.office();
    let (mut done, mut counted) = resume(&held, asked, &digest).await?;
    let source = match out_of_order {
        Some(_) => Source::in_order(asked.rows()?, &asked.data)?,
        None => asked.rows()?.into(),
    };
    let until = asked.until.map(|until| asked.pack.calendar.instant(until));
    let mut windows = Windows::new(source, asked.window, until);
    let mut at: i64 = 0;
    loop {
        let window = windows.next_window();
        if window.is_empty() {
            break;
        }
        at += 1;
        bar.set_position(windows.source().read_bytes());
        if at <= done {
            continue;
        }
        drive::drive(&all, &window, &mut counted).await?;
        done = at;
        save(&all, asked, &digest, done, &counted).await?;
        if stop() {
            drop(all);
            held.close().await?;
            return Ok(Ended::Stopped { windows_done: done });
        }
    }
    let run = Run {
        until: until.or(windows.end()).unwrap_or(DateTime::UNIX_EPOCH),
        out_of_order_from_line: out_of_order,
        broken_off: windows.source().broken_off().map(str::to_owned),
        begun,
    };
    // What it knows of millions of rows is not needed twice.
    drop(windows);
    let summary = finish(&all, asked, &counted, run).await?;
    drop(all);
    held.close().await?;
    Ok(Ended::Done(Box::new(summary), counted))
}

/// What holds a replay's cases.
enum Held {
    Folder(Box<Embedded>),
    Servers(Box<crate::servers::Servers>),
}

impl Held {
    async fn open(asked: &Asked) -> anyhow::Result<Self> {
        let clock = Clock::driven(DateTime::UNIX_EPOCH);
        let Some(settings) = &asked.servers else {
            let all = Embedded::open(&asked.data, asked.pack.clone(), clock).await?;
            return Ok(Self::Folder(Box::new(all)));
        };
        // A file that is not sorted is sorted there first.
        std::fs::create_dir_all(&asked.data)
            .with_context(|| format!("cannot make the folder {}", asked.data.display()))?;
        // There is no other instance to share with, and nobody waits for a group.
        let all = crate::servers::Servers::open(settings, With::Nobody, asked.pack.clone(), clock).await?;
        let progress = all.office().discover.store;
        migrations::up_for(progress.writer(), "gridward").await.context("cannot migrate the database")?;
        Ok(Self::Servers(Box::new(all)))
    }

    fn office(&self) -> Office {
        match self {
            Self::Folder(all) => all.office(),
            Self::Servers(all) => all.office(),
        }
    }

    /// Whether it holds any fact yet.
    async fn is_in_use(&self) -> anyhow::Result<bool> {
        let discover = self.office().discover.store;
        let readers = discover.readers();
        Ok(match self {
            Self::Folder(_) => log::last_at(readers).await?.is_some(),
            Self::Servers(_) => outbox::any(readers, "discover").await?,
        })
    }

    async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Folder(all) => Ok(all.around.store.close().await?),
            Self::Servers(all) => all.close().await,
        }
    }
}

/// Lets everything up to the end of the run happen, and compares it with the record.
async fn finish(all: &Office, asked: &Asked, counted: &Counted, run: Run) -> anyhow::Result<Summary> {
    all.clock.drive(run.until);
    all.settle().await?;
    all.sweep().await?;
    let compared = truth::compare(asked.rows()?, &asked.pack, all, run.until).await?;
    Summary::of(all, counted, compared, run).await
}

impl Asked {
    fn rows(&self) -> anyhow::Result<Rows> {
        Rows::open(&self.file, &self.pack)
    }
}

/// What must be the same for a run to go on where another stopped.
#[derive(Serialize)]
struct Settings<'a> {
    pack: &'a str,
    until: Option<NaiveDateTime>,
    window: usize,
}

fn settings(asked: &Asked) -> String {
    let settings = Settings { pack: &asked.pack.digest, until: asked.until, window: asked.window };
    serde_json::to_string(&settings).expect("settings are plain data")
}

async fn resume(held: &Held, asked: &Asked, digest: &str) -> anyhow::Result<(i64, Counted)> {
    let office = held.office();
    let store = &office.discover.store;
    let here = store.place();
    if progress::other_begun(store, digest).await? {
        bail!(
            "{here} holds the replay of another file: give this one another --data / 该目录中是另一份文件的回放，请换一个 --data"
        );
    }
    let Some(progress) = progress::load(store, digest).await? else {
        // Its clock would jump, and every open deadline there with it.
        if held.is_in_use().await? {
            bail!(
                "{here} holds cases that are not a replay's: give the replay another --data / \
                 {here} 中已有并非回放的案件，请为回放换一个 --data"
            );
        }
        // From here on the folder is a replay's, also when the first window is interrupted.
        save(&office, asked, digest, 0, &Counted::default()).await?;
        return Ok((0, Counted::default()));
    };
    if progress.settings != settings(asked) {
        bail!(
            "{here} holds a replay of this file with another pack, --until or --window: give this one another --data / \
             该目录中的回放使用了不同的辖区包、--until 或 --window，请换一个 --data"
        );
    }
    let counted = serde_json::from_str(&progress.counted)
        .context("cannot read the progress of the replay / 无法读取回放进度")?;
    Ok((progress.windows_done, counted))
}

async fn save(all: &Office, asked: &Asked, digest: &str, done: i64, counted: &Counted) -> anyhow::Result<()> {
    let counted = serde_json::to_string(counted)
        .context("cannot write the progress of the replay / 无法写入回放进度")?;
    let progress = Progress { settings: settings(asked), windows_done: done, counted };
    Ok(progress::save(&all.discover.store, digest, &progress).await?)
}

fn progress_bar(file: &Path) -> ProgressBar {
    let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed} gone, {eta} to go")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}

/// The local time of an instant in words, for messages.
pub fn local(pack: &Pack, at: DateTime<Utc>) -> String {
    pack.calendar.local(at).format("%Y-%m-%d %H:%M:%S").to_string()
}
