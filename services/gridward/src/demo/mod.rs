//! `gridward demo`: recorded reports live, on a sped-up clock, with people acting, and a page to watch.
//!
//! The first days are replayed at once, so that there is something to see; then the clock runs.

mod lines;
mod play;
mod visitors;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use platform::clock::Clock;
use platform::lifecycle::{Lifecycle, asked_to_stop};
use platform::pack::Pack;
use platform::telemetry::log_to_stderr;
use platform::token::Tokens;
use tokio::net::TcpListener;

use crate::commands::{PackFolder, say};
use crate::embedded::Embedded;
use crate::folder_clock;
use crate::replay::drive::{Counted, drive};
use crate::replay::local;
use crate::replay::rows::{Row, Rows};
use crate::replay::windows::Windows;
use crate::running::start;
pub use lines::Line;
use lines::{Place, lines};
pub use visitors::Visitor;

#[derive(Debug, Args)]
pub struct Demo {
    #[command(flatten)]
    pack: PackFolder,
    /// How much faster than the host's the clock of the cases runs; 1200 is a day in 72 seconds.
    #[arg(long, value_name = "TIMES", default_value_t = 1200.0, value_parser = folder_clock::speed)]
    speed: f64,
    /// How many recorded days are there when the page opens.
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=60))]
    days: u32,
    /// Folder of the demo; it begins anew at every start.
    #[arg(long, value_name = "FOLDER", default_value = ".data/demo")]
    data: PathBuf,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

impl Demo {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        log_to_stderr("warn");
        let pack = self.pack.load()?;
        let own = pack.recorded.as_ref().and_then(|recorded| recorded.file.clone());
        let recorded = own.with_context(|| {
            format!(
                "the pack {0} has no recorded reports to show: use one that has, such as boston / \
                 辖区包 {0} 没有可演示的记录，请改用有记录的辖区包，如 boston",
                pack.code
            )
        })?;
        // Taken first: a demo that is running already keeps its folder.
        let listener = TcpListener::bind(self.listen).await.with_context(|| {
            format!(
                "cannot listen on {0}: if another demo or program has the port, give --listen another / \
                 无法监听 {0}：若已有演示或其他程序占用端口，请用 --listen 换一个",
                self.listen
            )
        })?;
        begin_anew(&self.data)?;
        let rows = Rows::open(&recorded, &pack)?;
        let mut windows = Windows::new(rows, 500, None);
        let (from, example) = self.first_days(&mut windows, &pack).await?;

        let clock = folder_clock::paced(&self.data, self.speed, Some(from))?;
        let all = Embedded::open(&self.data, pack.clone(), clock).await?;
        let tokens = Tokens::of_folder(&self.data).context("cannot read the token key")?;
        let (stopper, lifecycle) = Lifecycle::new();
        let lines = self.lines(&pack, &example);
        let visitors = visitors::visitors(&tokens, &pack, None)?;
        let running = start(all.ready(), listener, &tokens, &lifecycle, |router| {
            router.merge(crate::http::demo_page(&visitors, self.speed, &pack, &lines))
        })?;
        self.tell(&pack, from, &lines);
        let playing = tokio::spawn(play::play(windows, running.stage(), lifecycle));
        asked_to_stop().await?;
        say("stopping / 正在停止");
        stopper.stop();
        playing.await.context("the player panicked")??;
        running.finished().await?;
        Ok(ExitCode::SUCCESS)
    }

    /// Replays the first days at once; answers the time the clock starts at, and a report as an example.
    async fn first_days(
        &self,
        windows: &mut Windows,
        pack: &Arc<Pack>,
    ) -> anyhow::Result<(DateTime<Utc>, Row)> {
        let all = Embedded::open(&self.data, pack.clone(), Clock::driven(DateTime::UNIX_EPOCH)).await?;
        say("preparing the first recorded days / 正在准备最初几天的记录 …");
        let mut first: Option<Row> = None;
        loop {
            let window = windows.next_window();
            let Some(end) = window.end else { bail!("the recorded file has no usable rows") };
            if window.is_empty() {
                break;
            }
            drive(&all.office(), &window, &mut Counted::default()).await?;
            if first.is_none() {
                first = window.reports.first().cloned();
            }
            let begin = first.as_ref().map_or(end, |row| row.opened);
            if end - begin >= TimeDelta::days(i64::from(self.days)) {
                break;
            }
        }
        let end = windows.end().unwrap_or(DateTime::UNIX_EPOCH);
        all.around.store.close().await?;
        Ok((end, first.context("the recorded file has no usable rows")?))
    }

    fn lines(&self, pack: &Pack, example: &Row) -> Vec<Line> {
        let program = std::env::args().next().unwrap_or_else(|| "gridward".to_owned());
        let place =
            Place { program: &program, address: self.listen, data: &self.data, pack: &self.pack.pack };
        lines(&place, pack, example)
    }

    fn tell(&self, pack: &Pack, from: DateTime<Utc>, lines: &[Line]) {
        let (address, speed, from) = (self.listen, self.speed, local(pack, from));
        say(format_args!(
            "\n  {} {}: http://{address}\n  \
             the clock starts at {from} and runs {speed} times as fast / 时钟自 {from} 起，以 {speed} 倍速运行\n  \
             Ctrl-C stops it / 按 Ctrl-C 停止\n\n\
             try the API, line by line, from another terminal / 在另一个终端逐行试用接口：\n",
            pack.name.zh, pack.name.en,
        ));
        for Line { does, command } in lines {
            say(format_args!("# {} / {}\n{command}\n", does.en, does.zh));
        }
    }
}

/// Marks a folder as a demo's, which may be cleared.
const MARK: &str = "this-is-a-demo";

/// Clears what an earlier demo left. A folder that holds anything else is never touched.
fn begin_anew(folder: &Path) -> anyhow::Result<()> {
    let _held = crate::embedded::lock(folder)?;
    let database = folder.join(platform::store::FILE);
    let mark = folder.join(MARK);
    if database.exists() && !mark.exists() {
        bail!(
            "{0} holds a database that is not a demo's: give the demo another --data / {0} 中不是演示数据，请为演示换一个 --data",
            folder.display()
        );
    }
    std::fs::write(&mark, "cleared at every start of gridward demo\n")
        .with_context(|| format!("cannot write {}", mark.display()))?;
    let beside = ["-wal", "-shm"].map(|end| format!("{}{end}", platform::store::FILE));
    let names = [platform::store::FILE, platform::token::KEY_FILE, folder_clock::FILE].map(str::to_owned);
    for name in names.into_iter().chain(beside) {
        match std::fs::remove_file(folder.join(&name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot clear {}", folder.join(&name).display()));
            }
            _ => {}
        }
    }
    Ok(())
}
