//! One real `gridward` as a child process on a port of its own: to be started, asked whether it is ready, frozen,
//! killed, and stopped.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use platform::entropy;
use reqwest::StatusCode;

use crate::owned::Owned;

/// Below the ports a system hands out by itself, so that nobody is given ours between a kill and a restart.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// A start that takes longer has failed.
const LONGEST_START: Duration = Duration::from_secs(60);
/// A stop that takes longer hangs.
const LONGEST_STOP: Duration = Duration::from_secs(60);
/// How often a starting or stopping process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Waits for one beat.
pub async fn beat(wait: Duration) {
    let mut ticks =
        tokio::time::interval_at(tokio::time::Instant::now() + wait, wait.max(Duration::from_millis(1)));
    ticks.tick().await;
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

/// A port that nobody listens on, and nobody else here was given: a process that is down for a moment keeps its own.
pub fn free_port() -> Option<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let ports = u32::from(PORTS.end - PORTS.start);
    let first = u32::from_le_bytes(entropy::draw()) % ports;
    (0..ports)
        .map(|n| PORTS.start + u16::try_from((first + n) % ports).unwrap_or(0))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok() && given.insert(*port))
}

/// A `gridward`, running or not. What it started goes when it does, and also when this process is killed.
#[derive(Debug)]
pub struct Instance {
    /// `handle 2`, in messages.
    name: String,
    args: Vec<OsString>,
    /// Where what it says is kept.
    said: PathBuf,
    port: u16,
    client: reqwest::Client,
    /// What it finds in its environment, beside ours.
    environment: Vec<(String, String)>,
    running: Option<Owned>,
}

impl Instance {
    /// Not started yet; `args` say what it is to do, on `port`.
    pub fn new(name: &str, args: Vec<OsString>, said: &Path, port: u16, client: &reqwest::Client) -> Self {
        let (name, said) = (name.to_owned(), said.to_owned());
        Self { name, args, said, port, client: client.clone(), environment: Vec::new(), running: None }
    }

    /// It finds `value` in its environment from its next start on.
    pub fn tell(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Starts it, again if it ran before; answers how long it took until it was ready.
    ///
    /// # Errors
    /// When it ends at once or is not ready within a minute.
    pub async fn start(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.spawn()?;
        self.ready().await?;
        Ok(begun.elapsed())
    }

    /// Starts it and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        self.spawn_as(Command::new(binary()?))
    }

    /// Starts `program`, which is to become it.
    ///
    /// # Errors
    /// When it runs already, or cannot be started.
    pub fn spawn_as(&mut self, mut program: Command) -> anyhow::Result<()> {
        ensure!(self.running.is_none(), "{} runs already", self.name);
        let said = File::options().create(true).append(true).open(&self.said);
        program
            .args(&self.args)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said.context("cannot write what it says")?);
        self.running = Some(Owned::start(&mut program)?);
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
            let running = self.running.as_mut().context("the process was not started")?;
            if let Some(status) = running.child.try_wait()? {
                self.running = None;
                bail!("{} ended at its start, {status}:\n{}", self.name, self.said());
            }
            beat(LOOK).await;
        }
        bail!("{} was not ready after {LONGEST_START:?}:\n{}", self.name, self.said())
    }

    /// Ends it as `kill -9` does: no warning, nothing finished.
    ///
    /// # Errors
    /// When it does not run, or had ended by itself before.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut running = self.running.take().with_context(|| format!("{} does not run", self.name))?;
        running.child.kill().context("cannot kill the process")?;
        let status = running.child.wait().context("cannot wait for the process")?;
        // 9 is SIGKILL: anything else was not us.
        ensure!(status.signal() == Some(9), "{} had ended by itself, {status}:\n{}", self.name, self.said());
        Ok(())
    }

    /// Sends it a signal by name: STOP, CONT, TERM.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.pid()?.to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        ensure!(sent.context("cannot run `kill`")?.success(), "`kill -{name} {pid}` failed");
        Ok(())
    }

    /// Asks it to stop (SIGTERM), and waits until it has finished what it began.
    ///
    /// # Errors
    /// When it does not run, does not stop within a minute, or says that it failed.
    pub async fn stop(&mut self) -> anyhow::Result<Duration> {
        self.signal("TERM")?;
        self.ends().await
    }

    /// Waits until it has ended by itself, as it was asked to.
    ///
    /// # Errors
    /// When it does not run, does not end within a minute, or says that it failed.
    pub async fn ends(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST_STOP {
            let running = self.running.as_mut().context("the process does not run")?;
            if let Some(status) = running.child.try_wait()? {
                self.running = None;
                ensure!(status.success(), "{} stopped with {status}:\n{}", self.name, self.said());
                return Ok(begun.elapsed());
            }
            beat(LOOK).await;
        }
        bail!("{} did not stop within {LONGEST_STOP:?}:\n{}", self.name, self.said())
    }

    /// # Errors
    /// When it does not run.
    pub fn pid(&self) -> anyhow::Result<u32> {
        let running = self.running.as_ref().with_context(|| format!("{} does not run", self.name))?;
        Ok(running.child.id())
    }

    /// The last lines it said.
    pub fn said(&self) -> String {
        let said = std::fs::read_to_string(&self.said).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It may have ended by itself; there is nobody left to tell.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}
