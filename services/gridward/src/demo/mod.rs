//! `gridward demo`: a street's day live, on a sped-up clock, with people acting, and a page to watch. Of a pack that has a
//! day written down (`day.json`) that day and those after it; of a pack with recorded reports those.
//!
//! What came before is lived through at once, so that there is something to see; then the clock runs.

pub mod day;
pub mod highlights;
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
use discover::NewReport;
use domain::area::AreaPath;
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
use crate::running::{Stage, start};
use day::{Doors, Player, Script};
use highlights::Highlights;
pub use lines::Line;
use lines::{Example, Place, lines};
pub use visitors::Visitor;

/// How many times faster than life recorded reports are played, unless somebody says otherwise: a day in 72 seconds.
const RECORDED_SPEED: f64 = 1200.0;

#[derive(Debug, Args)]
pub struct Demo {
    #[command(flatten)]
    pack: PackFolder,
    /// How much faster than the host's the clock of the cases runs. When left out: as the pack's day says, or 1200 for
    /// recorded reports, which is a day in 72 seconds.
    #[arg(long, value_name = "TIMES", value_parser = folder_clock::speed)]
    speed: Option<f64>,
    /// How many recorded days are there when the page opens, for a pack with recorded reports.
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=60))]
    days: u32,
    /// Folder of the demo; it begins anew at every start.
    #[arg(long, value_name = "FOLDER", default_value = ".data/demo")]
    data: PathBuf,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// What a pack has to show.
enum OfPack {
    Day(Box<Script>),
    /// The file of its recorded reports.
    Recorded(PathBuf),
}

impl OfPack {
    fn find(pack: &Arc<Pack>) -> anyhow::Result<Self> {
        if let Some(script) = Script::of(pack)? {
            return Ok(Self::Day(Box::new(script)));
        }
        let recorded = pack.recorded.as_ref().and_then(|recorded| recorded.file.clone());
        recorded.map(Self::Recorded).with_context(|| {
            format!(
                "the pack {0} has neither a day.json nor recorded reports to show: use one that has, such as beilun or boston / \
                 辖区包 {0} 既没有 day.json 也没有可演示的记录，请改用有的辖区包，如 beilun 或 boston",
                pack.code
            )
        })
    }
}

/// What there is to play, with all that came before lived through.
enum Play {
    Day(Box<Player>),
    Recorded(Box<Windows>),
}

/// How the clock goes on.
struct Opening {
    /// What it shows when the page opens.
    from: DateTime<Utc>,
    speed: f64,
    /// What it leaves out.
    gaps: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    example: Example,
    /// Where there is something to see first.
    grid: Option<AreaPath>,
}

impl Demo {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        log_to_stderr("warn");
        let pack = self.pack.load()?;
        let of_pack = OfPack::find(&pack)?;
        // Taken first: a demo that is running already keeps its folder.
        let listener = TcpListener::bind(self.listen).await.with_context(|| {
            format!(
                "cannot listen on {0}: if another demo or program has the port, give --listen another (PORT= with make \
                 demo) / 无法监听 {0}：若已有演示或其他程序占用端口，请用 --listen（make demo 用 PORT=）换一个",
                self.listen
            )
        })?;
        begin_anew(&self.data)?;
        let highlights = Highlights::default();
        let (play, opening) = match of_pack {
            OfPack::Day(script) => self.morning(*script, &highlights, &pack).await?,
            OfPack::Recorded(file) => self.first_days(&file, &pack).await?,
        };
        let Opening { from, speed, gaps, example, grid } = opening;
        let clock = folder_clock::skipping(&self.data, speed, Some(from), gaps)?;
        let all = Embedded::open(&self.data, pack.clone(), clock.clone()).await?;
        let tokens = Tokens::of_folder(&self.data).context("cannot read the token key")?;
        let (stopper, lifecycle) = Lifecycle::new();
        let lines = self.lines(&pack, &example);
        let visitors = visitors::visitors(&tokens, &pack, grid.as_ref())?;
        let running = start(all.ready(), listener, &tokens, &lifecycle, |router| {
            router
                .merge(crate::http::demo_page(&visitors, &clock, speed, &pack, &lines))
                .merge(crate::http::demo_now(highlights, clock, speed))
        })?;
        self.tell(&pack, from, speed, &lines);
        let playing = tokio::spawn(play.go_on(running.stage(), lifecycle));
        asked_to_stop().await?;
        say("stopping / 正在停止");
        stopper.stop();
        playing.await.context("the player panicked")??;
        running.finished().await?;
        Ok(ExitCode::SUCCESS)
    }

    /// Lives through the first day until the page opens.
    async fn morning(
        &self,
        script: Script,
        highlights: &Highlights,
        pack: &Arc<Pack>,
    ) -> anyhow::Result<(Play, Opening)> {
        say("the morning of the first day goes by / 正在走完首日上午 …");
        let (from, begins) = (script.opens(), script.hours().first().begins);
        let opening = Opening {
            from,
            speed: self.speed.unwrap_or(script.speed()),
            gaps: script.hours().gaps(),
            example: script.example().into(),
            grid: script.first_grid(),
        };
        let all = Embedded::open(&self.data, pack.clone(), Clock::driven(begins)).await?;
        let mut player = Player::new(pack.clone(), script, highlights.clone());
        player.play_until(from, &mut Doors::driven(all.office())).await?;
        all.around.store.close().await?;
        Ok((Play::Day(Box::new(player)), opening))
    }

    /// Replays the first recorded days at once.
    async fn first_days(&self, recorded: &Path, pack: &Arc<Pack>) -> anyhow::Result<(Play, Opening)> {
        let mut windows = Windows::new(Rows::open(recorded, pack)?, 500, None);
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
        let from = windows.end().unwrap_or(DateTime::UNIX_EPOCH);
        all.around.store.close().await?;
        let opening = Opening {
            from,
            speed: self.speed.unwrap_or(RECORDED_SPEED),
            gaps: Vec::new(),
            example: first.context("the recorded file has no usable rows")?.into(),
            grid: None,
        };
        Ok((Play::Recorded(Box::new(windows)), opening))
    }

    fn lines(&self, pack: &Pack, example: &Example) -> Vec<Line> {
        let program = std::env::args().next().unwrap_or_else(|| "gridward".to_owned());
        let place =
            Place { program: &program, address: self.listen, data: &self.data, pack: self.pack.named() };
        lines(&place, pack, example)
    }

    fn tell(&self, pack: &Pack, from: DateTime<Utc>, speed: f64, lines: &[Line]) {
        let (address, from) = (self.listen, local(pack, from));
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

impl Play {
    /// Plays on, on the stage's clock, until there is no more or the process stops.
    async fn go_on(self, stage: Stage, lifecycle: Lifecycle) -> anyhow::Result<()> {
        match self {
            Self::Day(mut player) => {
                let mut doors = Doors::running(stage, lifecycle);
                player.play_until(DateTime::<Utc>::MAX_UTC, &mut doors).await.map(drop)
            }
            Self::Recorded(windows) => play::play(*windows, stage, lifecycle).await,
        }
    }
}

impl From<day::Reports> for Example {
    fn from(reports: day::Reports) -> Self {
        Self { by: Some(reports.by), report: reports.report }
    }
}

impl From<Row> for Example {
    fn from(row: Row) -> Self {
        let Row { id, category, place, .. } = row;
        let report =
            NewReport { client_id: id, category, place, registered_area: None, description: String::new() };
        Self { by: None, report }
    }
}

/// Marks a folder as a demo's, which may be cleared.
const MARK: &str = "this-is-a-demo";

/// Clears what an earlier demo left. A folder that holds anything else is never touched.
fn begin_anew(folder: &Path) -> anyhow::Result<()> {
    let _held = crate::embedded::lock(folder)?;
    let mark = folder.join(MARK);
    let own = [platform::store::FILE, platform::token::KEY_FILE, folder_clock::FILE];
    if let Some(name) = own.iter().find(|name| folder.join(name).exists() && !mark.exists()) {
        bail!(
            "{0} holds {name}, which is not a demo's: give the demo another --data / {0} 中的 {name} 不是演示数据，请为演示换一个 --data",
            folder.display()
        );
    }
    std::fs::write(&mark, "cleared at every start of gridward demo\n")
        .with_context(|| format!("cannot write {}", mark.display()))?;
    let beside = ["-wal", "-shm"].map(|end| format!("{}{end}", platform::store::FILE));
    let names = own.map(str::to_owned);
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
