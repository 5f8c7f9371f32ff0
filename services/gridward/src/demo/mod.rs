//! `gridward demo`: recorded reports live, on a sped-up clock, with people acting, and a page to watch.
//!
//! The first days are replayed at once, so that there is something to see; then the clock runs.

mod play;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use platform::clock::{Clock, host_now};
use platform::lifecycle::{Lifecycle, asked_to_stop};
use platform::pack::Pack;
use platform::telemetry::log_to_stderr;
use platform::token::{Principal, Tokens};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::commands::{PackFolder, say, start};
use crate::embedded::Embedded;
use crate::replay::drive::{Counted, drive};
use crate::replay::local;
use crate::replay::rows::Rows;
use crate::replay::windows::Windows;

#[derive(Debug, Args)]
pub struct Demo {
    #[command(flatten)]
    pack: PackFolder,
    /// How much faster than the host's the clock of the cases runs; 1200 is a day in 72 seconds.
    #[arg(long, value_name = "TIMES", default_value_t = 1200.0, value_parser = speed)]
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

/// How many times faster than life a clock may run.
pub(crate) fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if (1.0..=1_000_000.0).contains(&speed) {
        Ok(speed)
    } else {
        Err("give 1 to 1000000 / 请给出 1 到 1000000".to_owned())
    }
}

impl Demo {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        log_to_stderr("warn");
        let pack = self.pack.load()?;
        let recorded = pack.recorded.as_ref().context("this pack has no recorded file to show")?.file.clone();
        // Taken first: a demo that is running already keeps its folder.
        let listener = TcpListener::bind(self.listen).await.with_context(|| {
            format!(
                "cannot listen on {0}: is another demo running? / 无法监听 {0}，是否已有演示在运行？",
                self.listen
            )
        })?;
        begin_anew(&self.data)?;
        let rows = Rows::open(&recorded, Arc::new(pack.calendar.clone()), pack.datum)?;
        let mut windows = Windows::new(rows, 500, None);
        let from = self.first_days(&mut windows, &pack).await?;

        let clock = paced(&self.data, self.speed, Some(from))?;
        let all = Embedded::open(&self.data, pack.clone(), clock).await?;
        let tokens = Tokens::of_folder(&self.data).context("cannot read the token key")?;
        let (stopper, lifecycle) = Lifecycle::new();
        let viewer = token_of(&tokens, &pack)?;
        let running = start(all, listener, &tokens, &lifecycle, |router| {
            router.merge(crate::http::demo_page(&viewer, self.speed, &pack))
        })?;
        self.tell(&pack, from);
        let playing = tokio::spawn(play::play(windows, running.stage(), lifecycle));
        asked_to_stop().await?;
        say("stopping / 正在停止");
        stopper.stop();
        playing.await.context("the player panicked")??;
        running.finished().await?;
        Ok(ExitCode::SUCCESS)
    }

    /// Replays the first days at once; answers the time the clock starts at.
    async fn first_days(&self, windows: &mut Windows, pack: &Arc<Pack>) -> anyhow::Result<DateTime<Utc>> {
        let mut all = Embedded::open(&self.data, pack.clone(), Clock::driven(DateTime::UNIX_EPOCH)).await?;
        say("preparing the first recorded days / 正在准备最初几天的记录 …");
        let mut first = None;
        loop {
            let window = windows.next_window();
            let Some(end) = window.end else { bail!("the recorded file has no usable rows") };
            if window.is_empty() {
                break;
            }
            drive(&mut all, &window, &mut Counted::default()).await?;
            let begin = *first.get_or_insert_with(|| window.reports.first().map_or(end, |row| row.opened));
            if end - begin >= TimeDelta::days(i64::from(self.days)) {
                break;
            }
        }
        let end = windows.end().unwrap_or(DateTime::UNIX_EPOCH);
        all.around.store.close().await?;
        Ok(end)
    }

    fn tell(&self, pack: &Pack, from: DateTime<Utc>) {
        let address = self.listen;
        let data = self.data.display();
        let named = self.pack.pack.display();
        let program = std::env::args().next().unwrap_or_else(|| "gridward".to_owned());
        let example = pack.areas.iter().find(|area| area.level == domain::area::Level::Grid);
        let grid = example.map_or("", |area| area.path.code());
        say(format_args!(
            "\n  {} {} is live at http://{address}\n  the clock starts at {} and runs {} times as fast\n  Ctrl-C stops it / 按 Ctrl-C 停止\n\n\
             try the API from another terminal / 在另一个终端试用接口：\n\n\
               export TOKEN=$({program} token --as worker-{grid} --data {data} --pack {named})\n\
               curl -s -X POST http://{address}/api/v1/reports -H \"Authorization: Bearer $TOKEN\" \\\n\
                 -d '{{\"client_id\":\"my-first\",\"category\":\"Graffiti Removal\",\"place\":{{\"lon\":-71.0603,\"lat\":42.3555,\"datum\":\"WGS-84\"}}}}'\n\
               export DESK=$({program} token --as desk-1 --data {data} --pack {named})\n\
               curl -s \"http://{address}/api/v1/cases?limit=3\" -H \"Authorization: Bearer $DESK\"\n\
               curl -s http://{address}/api/v1/figures -H \"Authorization: Bearer $DESK\"\n",
            pack.name.zh,
            pack.name.en,
            local(pack, from),
            self.speed,
        ));
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
    let names = [platform::store::FILE, platform::token::KEY_FILE, CLOCK_FILE].map(str::to_owned);
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

fn token_of(tokens: &Tokens, pack: &Pack) -> anyhow::Result<String> {
    let supervisor = |person: &&platform::pack::Person| {
        person.grants.iter().any(|grant| grant.role == domain::rights::Role::Supervisor)
    };
    let viewer = pack.people.iter().find(supervisor).context("the pack has no supervisor to watch as")?;
    let principal = Principal { person: viewer.id.clone(), grants: viewer.grants.clone() };
    tokens.issue(&principal, host_now(), TimeDelta::hours(24)).context("cannot sign the viewer's token")
}

const CLOCK_FILE: &str = "clock.json";

/// Where a paced clock began, kept in the data folder so that a restart does not set it back.
#[derive(Serialize, Deserialize)]
struct Began {
    host_origin: DateTime<Utc>,
    origin: DateTime<Utc>,
    speed: f64,
}

/// The clock of `folder`: the host's at speed 1; otherwise one that runs `speed` times as fast since the
/// first start, from `origin` or the host's time then.
///
/// # Errors
/// When the folder keeps a clock of another speed, or its file cannot be read or written.
pub fn paced(folder: &Path, speed: f64, origin: Option<DateTime<Utc>>) -> anyhow::Result<Clock> {
    let file = folder.join(CLOCK_FILE);
    let kept: Option<Began> = match std::fs::read(&file) {
        Ok(bytes) => {
            Some(serde_json::from_slice(&bytes).with_context(|| format!("cannot read {}", file.display()))?)
        }
        Err(_) => None,
    };
    #[expect(clippy::float_cmp, reason = "the speed is kept as it was given")]
    let same = kept.as_ref().is_none_or(|began| began.speed == speed);
    if !same {
        bail!("{} runs on a clock of another speed: keep to it, or use another --data", folder.display());
    }
    #[expect(clippy::float_cmp, reason = "exactly 1 means the host's own clock")]
    if kept.is_none() && speed == 1.0 && origin.is_none() {
        return Ok(Clock::Host);
    }
    let began = match kept {
        Some(began) => began,
        None => {
            let host_origin = host_now();
            let began = Began { host_origin, origin: origin.unwrap_or(host_origin), speed };
            std::fs::create_dir_all(folder).context("cannot make the data folder")?;
            std::fs::write(&file, serde_json::to_vec(&began)?)
                .with_context(|| format!("cannot write {}", file.display()))?;
            began
        }
    };
    Ok(Clock::Paced { host_origin: began.host_origin, origin: began.origin, speed })
}
