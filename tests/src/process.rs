//! A real `gridward all`: a child process on a folder and a port of its own, to be asked, killed and started
//! again; and what such a process takes by itself.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use chrono::TimeDelta;
use platform::clock::host_now;
use platform::entropy;
use platform::pack::Pack;
use platform::token::{Principal, Tokens};
use reqwest::StatusCode;
use tempfile::TempDir;

/// Below the ports a system hands out by itself, so that nobody is given ours between a kill and a restart.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// A start that takes longer has failed.
const LONGEST_START: Duration = Duration::from_secs(60);
/// A stop that takes longer hangs.
const LONGEST_STOP: Duration = Duration::from_secs(60);
/// How often a starting or stopping process is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// What the process said, in its folder.
const SAID: &str = "stderr.log";

/// One `gridward all`. What it started goes when it does; the folder stays.
#[derive(Debug)]
pub struct Process {
    folder: PathBuf,
    pack_folder: PathBuf,
    pack: Arc<Pack>,
    tokens: Tokens,
    client: reqwest::Client,
    port: u16,
    speed: f64,
    child: Option<Child>,
}

/// The program, beside the one that runs or a folder above it.
///
/// # Errors
/// When it has not been built.
pub fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find out which program runs")?;
    let found =
        own.ancestors().skip(1).take(2).map(|folder| folder.join("gridward")).find(|file| file.is_file());
    found
        .with_context(|| format!("no gridward beside {}: run `cargo build -p gridward` first", own.display()))
}

/// A pack that lies beside the sources.
pub fn pack(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/packs").join(name)
}

/// Waits for one beat.
pub async fn beat(wait: Duration) {
    let mut ticks =
        tokio::time::interval_at(tokio::time::Instant::now() + wait, wait.max(Duration::from_millis(1)));
    ticks.tick().await;
}

impl Process {
    /// Chooses a port and makes the folder's key; starts nothing yet. The clock of the cases runs `speed`
    /// times as fast as the host's.
    ///
    /// # Errors
    /// When the pack cannot be loaded, the folder not be written, or no port is free.
    pub fn new(folder: &Path, pack_name: &str, speed: f64) -> anyhow::Result<Self> {
        let pack_folder = pack(pack_name);
        let pack = Pack::load(&pack_folder).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        Ok(Self {
            folder: folder.to_owned(),
            pack_folder,
            pack: Arc::new(pack),
            tokens: Tokens::of_folder(folder).context("cannot make the token key")?,
            client: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(2))
                .timeout(Duration::from_secs(15))
                .build()?,
            port: free_port().context("no free port")?,
            speed,
            child: None,
        })
    }

    pub fn pack(&self) -> &Arc<Pack> {
        &self.pack
    }

    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A token for somebody of the pack, good for a day of the host's clock.
    ///
    /// # Errors
    /// When the pack has nobody of that id.
    pub fn token(&self, person: &str) -> anyhow::Result<String> {
        let person =
            self.pack.people.get(&person.into()).with_context(|| format!("nobody is called {person}"))?;
        let principal = Principal { person: person.id.clone(), grants: person.grants.clone() };
        self.tokens.issue(&principal, host_now(), TimeDelta::hours(24)).context("cannot sign a token")
    }

    /// Starts the process, again on the same folder and port if it ran before; answers how long it took
    /// until it was ready.
    ///
    /// # Errors
    /// When it ends at once or is not ready within a minute.
    pub async fn start(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.spawn()?;
        self.ready().await?;
        Ok(begun.elapsed())
    }

    /// Starts the process and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        self.spawn_as(Command::new(binary()?))
    }

    /// Starts the process so that no file of its may grow beyond so many KiB, as on a disk that is full, and waits
    /// until it is ready.
    ///
    /// # Errors
    /// When it ends at once or is not ready within a minute.
    pub async fn start_with_files_up_to(&mut self, kib: u32) -> anyhow::Result<()> {
        let mut shell = Command::new("bash");
        // Without the trap the signal would end it, where a full disk only answers an error.
        shell.args(["-c", &format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$0\" \"$@\"")]).arg(binary()?);
        self.spawn_as(shell)?;
        self.ready().await
    }

    /// Takes the limit of [`Self::start_with_files_up_to`] away, as when somebody has made room.
    ///
    /// # Errors
    /// When it does not run, or `prlimit` is not there.
    pub fn lift_the_limit(&self) -> anyhow::Result<()> {
        let lifted =
            Command::new("prlimit").args(["--pid", &self.pid()?.to_string(), "--fsize=unlimited"]).status();
        ensure!(lifted.context("cannot run `prlimit`")?.success(), "the limit could not be lifted");
        Ok(())
    }

    fn spawn_as(&mut self, mut program: Command) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "the process runs already");
        let said = self.folder.join(SAID);
        let said =
            File::options().create(true).append(true).open(said).context("cannot write what it says")?;
        let child = program
            .arg("all")
            .arg("--data")
            .arg(&self.folder)
            .arg("--pack")
            .arg(&self.pack_folder)
            .args(["--listen", &format!("127.0.0.1:{}", self.port), "--speed", &self.speed.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .context("cannot start gridward")?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until `/health/ready` says so.
    ///
    /// # Errors
    /// When the process ends before, or takes more than a minute.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let url = self.url("/health/ready");
        let begun = Instant::now();
        while begun.elapsed() < LONGEST_START {
            let asked = self.client.get(&url).timeout(Duration::from_secs(1)).send().await;
            if asked.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return Ok(());
            }
            let child = self.child.as_mut().context("the process was not started")?;
            if let Some(status) = child.try_wait()? {
                self.child = None;
                bail!("gridward ended at its start, {status}:\n{}", self.said());
            }
            beat(LOOK).await;
        }
        bail!("gridward was not ready after {LONGEST_START:?}:\n{}", self.said())
    }

    /// Ends it as `kill -9` does: no warning, nothing finished.
    ///
    /// # Errors
    /// When it does not run, or had ended by itself before.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("the process does not run")?;
        child.kill().context("cannot kill the process")?;
        let status = child.wait().context("cannot wait for the process")?;
        // 9 is SIGKILL: anything else was not us.
        ensure!(status.signal() == Some(9), "gridward had ended by itself, {status}:\n{}", self.said());
        Ok(())
    }

    /// Asks it to stop (SIGTERM), and waits until it has finished what it began.
    ///
    /// # Errors
    /// When it does not run, does not stop within a minute, or says that it failed.
    pub async fn stop(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let pid = self.pid()?.to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().context("cannot run `kill`")?;
        ensure!(asked.success(), "`kill -TERM {pid}` failed");
        while begun.elapsed() < LONGEST_STOP {
            let child = self.child.as_mut().context("the process does not run")?;
            if let Some(status) = child.try_wait()? {
                self.child = None;
                ensure!(status.success(), "gridward stopped with {status}:\n{}", self.said());
                return Ok(begun.elapsed());
            }
            beat(LOOK).await;
        }
        bail!("gridward did not stop within {LONGEST_STOP:?}:\n{}", self.said())
    }

    /// # Errors
    /// When it does not run.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.as_ref().map(Child::id).context("the process does not run")
    }

    /// The last lines it said.
    pub fn said(&self) -> String {
        let said = std::fs::read_to_string(self.folder.join(SAID)).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; there is nobody left to tell.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> Option<u16> {
    let ports = u32::from(PORTS.end - PORTS.start);
    let first = u32::from_le_bytes(entropy::draw()) % ports;
    (0..ports)
        .map(|n| PORTS.start + u16::try_from((first + n) % ports).unwrap_or(0))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

/// What one process takes, and how soon a report is a case.
#[derive(Clone, Debug)]
pub struct Measured {
    /// From the start on a new folder until `/health/ready`.
    pub ready_seconds: f64,
    pub idle_mb: f64,
    /// Of one core.
    pub idle_cpu_percent: f64,
    /// From having the 201 of a report to having its case, one report at a time.
    pub report_to_case_ms_median: f64,
    pub report_to_case_ms_max: f64,
}

/// How long a new process rests before its memory is looked at.
const REST: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(10);
const SINGLE_REPORTS: usize = 50;

/// Measures a process on a new folder. Asserts nothing.
///
/// # Errors
/// When the process does not do as it should.
pub async fn measure() -> anyhow::Result<Measured> {
    let folder = TempDir::new()?;
    let mut process = Process::new(folder.path(), "twostreets", 1.0)?;
    let ready_seconds = process.start().await?.as_secs_f64();
    let pid = process.pid()?;
    beat(REST).await;
    let idle_mb = memory_mb(pid)?;
    let (before, begun) = (cpu_seconds(pid)?, Instant::now());
    beat(IDLE).await;
    let idle_cpu_percent = (cpu_seconds(pid)? - before) * 100.0 / begun.elapsed().as_secs_f64();
    let mut waited = Vec::new();
    for n in 0..SINGLE_REPORTS {
        waited.push(report_to_case(&process, n).await?.as_secs_f64() * 1_000.0);
    }
    process.stop().await?;
    waited.sort_by(f64::total_cmp);
    Ok(Measured {
        ready_seconds,
        idle_mb,
        idle_cpu_percent,
        report_to_case_ms_median: waited.get(waited.len() / 2).copied().unwrap_or(f64::NAN),
        report_to_case_ms_max: waited.last().copied().unwrap_or(f64::NAN),
    })
}

async fn report_to_case(process: &Process, n: usize) -> anyhow::Result<Duration> {
    let report = serde_json::json!({
        "client_id": format!("single-{n}"),
        "category": "rubbish",
        "place": {"lon": 121.805, "lat": 29.905, "datum": "CGCS2000"},
    });
    let token = process.token("worker-111")?;
    let ask = process.client().post(process.url("/api/v1/reports")).bearer_auth(&token).json(&report);
    let answer = ask.send().await?;
    ensure!(answer.status() == StatusCode::CREATED, "a report was answered {}", answer.status());
    let receipt: serde_json::Value = answer.json().await?;
    let begun = Instant::now();
    let case = receipt["case"].as_str().context("the receipt names no case")?;
    let ask = process.client().get(process.url(&format!("{case}?wait=2s"))).bearer_auth(&token);
    let answer = ask.send().await?;
    ensure!(answer.status() == StatusCode::OK, "no case after 2 s: {}", answer.status());
    answer.bytes().await?;
    Ok(begun.elapsed())
}

/// Memory in use, as the system counts it.
fn memory_mb(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB")?.trim().parse::<f64>().ok());
    Ok(kib.context("the system does not say how much memory a process uses")? / 1_024.0)
}

/// Processor time used so far, in ticks of a hundredth second.
fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may hold anything; counted from behind it, utime and stime are the 12th and 13th.
    let (_, after) = stat.rsplit_once(')').context("the system says nothing of the process")?;
    let ticks: Option<f64> =
        after.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().ok()).sum();
    Ok(ticks.context("the system does not say how much processor time a process used")? / 100.0)
}

#[tokio::test]
async fn a_process_is_killed_started_again_on_its_folder_and_stopped() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::new(folder.path(), "twostreets", 1.0).unwrap();
    process.start().await.unwrap();
    report_to_case(&process, 0).await.unwrap();
    process.kill().unwrap();
    process.start().await.unwrap();
    report_to_case(&process, 1).await.unwrap();
    process.stop().await.unwrap();
    assert!(process.pid().is_err());
}
