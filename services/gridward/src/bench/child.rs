//! A service under load: a process of its own, so that what it takes is told apart from what the load takes.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child as Running, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::asking::Connection;
use super::wait;

/// Joining the readers of a topic takes some seconds; catching up with it is not waited for.
const LONGEST_START: Duration = Duration::from_secs(120);
const LONGEST_STOP: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

/// One `gridward SERVICE`. It ends when this goes.
#[derive(Debug)]
pub struct Child {
    pub name: &'static str,
    pub address: SocketAddr,
    said: PathBuf,
    running: Option<Running>,
}

impl Child {
    /// Starts this very program as `name`; it logs into `folder`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &'static str, args: Vec<OsString>, folder: &Path) -> anyhow::Result<Self> {
        // Bound and let go: who takes it in between makes the start fail, and no figure wrong.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        let address = free.local_addr()?;
        drop(free);
        let said = folder.join(format!("{name}.log"));
        let log = File::options().create(true).append(true).open(&said).context("cannot write a log")?;
        let running = Command::new(std::env::current_exe().context("cannot find this program")?)
            .arg(name)
            .args(args)
            .args(["--listen".to_owned(), address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start gridward {name}"))?;
        Ok(Self { name, address, said, running: Some(running) })
    }

    /// Waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ends before, or takes too long.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST_START {
            if let Ok(mut connection) = Connection::open(self.address, "").await
                && let Ok(answer) = connection.ask("GET", "/health/ready", "").await
                && answer.status == 200
            {
                return Ok(());
            }
            let running = self.running.as_mut().context("it was not started")?;
            if let Some(status) = running.try_wait()? {
                self.running = None;
                bail!("gridward {} ended at its start, {status}:\n{}", self.name, self.said());
            }
            wait(LOOK).await;
        }
        bail!("gridward {} was not ready in time:\n{}", self.name, self.said())
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it fails, or does not stop.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let Some(running) = self.running.as_mut() else { return Ok(()) };
        let asked = Command::new("kill").args(["-TERM", &running.id().to_string()]).status();
        ensure!(asked.context("cannot run `kill`")?.success(), "gridward {} could not be stopped", self.name);
        let begun = Instant::now();
        while begun.elapsed() < LONGEST_STOP {
            if let Some(status) = running.try_wait()? {
                self.running = None;
                ensure!(status.success(), "gridward {} stopped with {status}:\n{}", self.name, self.said());
                return Ok(());
            }
            wait(LOOK).await;
        }
        bail!("gridward {} did not stop:\n{}", self.name, self.said())
    }

    /// Its memory in use, in MB, as Linux tells it; 0 where it does not.
    pub fn memory_mb(&self) -> f64 {
        let status = self.told("status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1024.0
    }

    /// Processor time it has used so far, in seconds; 0 where nobody tells.
    pub fn cpu_seconds(&self) -> f64 {
        self.told("stat").map_or(0.0, |stat| cpu_seconds(&stat))
    }

    fn told(&self, file: &str) -> Option<String> {
        let pid = self.running.as_ref()?.id();
        std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()
    }

    fn said(&self) -> String {
        let said = std::fs::read_to_string(&self.said).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// Processor time in a line of `/proc/PID/stat`, in seconds.
fn cpu_seconds(stat: &str) -> f64 {
    // The name, in brackets, may hold anything; counted from behind it, utime and stime are the 12th and 13th, in
    // ticks of a hundredth second.
    let Some((_, after)) = stat.rsplit_once(')') else { return 0.0 };
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Processor time of this process so far: what the load itself takes.
pub fn own_cpu_seconds() -> f64 {
    std::fs::read_to_string("/proc/self/stat").map_or(0.0, |stat| cpu_seconds(&stat))
}

/// How much of all processors of this machine was busy since a moment, whoever it was.
#[derive(Clone, Copy, Debug)]
pub struct Busy {
    all: f64,
    idle: f64,
}

impl Busy {
    /// From now on.
    pub fn begin() -> Self {
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let first = stat.lines().next().unwrap_or_default();
        let ticks: Vec<f64> =
            first.split_whitespace().skip(1).filter_map(|ticks| ticks.parse().ok()).collect();
        // user, nice, system, idle, waiting for a disk, …
        Self { all: ticks.iter().take(8).sum(), idle: ticks.iter().skip(3).take(2).sum() }
    }

    /// In percent; 0 where nobody tells.
    pub fn percent(self) -> f64 {
        let now = Self::begin();
        let all = now.all - self.all;
        if all > 0.0 { 100.0 - 100.0 * (now.idle - self.idle) / all } else { 0.0 }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It may have ended by itself; there is nobody left to tell.
            let _ = running.kill();
            let _ = running.wait();
        }
    }
}
