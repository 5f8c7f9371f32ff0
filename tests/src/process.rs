//! A real `gridward all`: a child process on a folder and a port of its own, to be asked, killed and started
//! again; and what such a process takes by itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use gridward::servers::{WITHOUT_TOPIC, services};
use platform::clock::host_now;
use platform::pack::Pack;
use platform::token::{Principal, Tokens};
use reqwest::StatusCode;
use tempfile::TempDir;

use crate::door::Door;
pub use crate::instance::{Instance, beat, binary, free_port};

/// What the process said, in its folder.
const SAID: &str = "stderr.log";

/// One `gridward all`. What it started goes when it does; the folder stays.
#[derive(Debug)]
pub struct Process {
    pack: Arc<Pack>,
    tokens: Tokens,
    client: reqwest::Client,
    instance: Instance,
}

/// The two streets with partner organisations: a pack of the tests alone.
pub const PARTNERED: &str = "partnered";

/// A pack that lies beside the sources, or beside the tests.
pub fn pack(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = tests.join("packs").join(name);
    if own.is_dir() { own } else { tests.join("../shared/packs").join(name) }
}

/// A client as people have one: it gives up.
///
/// # Errors
/// When it cannot be made.
pub fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(15))
        .build()?)
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
        let client = client()?;
        let port = free_port().context("no free port")?;
        let mut args: Vec<OsString> = vec!["all".into(), "--data".into(), folder.into()];
        args.extend(["--pack".into(), pack_folder.into()]);
        args.extend(["--listen".into(), format!("127.0.0.1:{port}").into()]);
        args.extend(["--speed".into(), speed.to_string().into()]);
        Ok(Self {
            pack: Arc::new(pack),
            tokens: Tokens::of_folder(folder).context("cannot make the token key")?,
            instance: Instance::new("gridward", args, &folder.join(SAID), port, &client),
            client,
        })
    }

    /// How people reach it: every service is this one process.
    pub fn door(&self) -> Door {
        let services = services(&self.pack).into_iter().chain(WITHOUT_TOPIC);
        let services = services.map(|service| (service, vec![self.instance.url("")])).collect();
        Door { client: self.client.clone(), pack: self.pack.clone(), tokens: self.tokens.clone(), services }
    }

    pub fn pack(&self) -> &Arc<Pack> {
        &self.pack
    }

    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub fn url(&self, path: &str) -> String {
        self.instance.url(path)
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

    /// The process itself.
    pub fn instance(&mut self) -> &mut Instance {
        &mut self.instance
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
        self.instance.spawn_as(shell)?;
        self.instance.ready().await
    }

    /// Takes the limit of [`Self::start_with_files_up_to`] away, as when somebody has made room.
    ///
    /// # Errors
    /// When it does not run, or `prlimit` is not there.
    pub fn lift_the_limit(&self) -> anyhow::Result<()> {
        let lifted = Command::new("prlimit")
            .args(["--pid", &self.instance.pid()?.to_string(), "--fsize=unlimited"])
            .status();
        ensure!(lifted.context("cannot run `prlimit`")?.success(), "the limit could not be lifted");
        Ok(())
    }
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
    let ready_seconds = process.instance().start().await?.as_secs_f64();
    let pid = process.instance().pid()?;
    beat(REST).await;
    let idle_mb = memory_mb(pid)?;
    let (before, begun) = (cpu_seconds(pid)?, Instant::now());
    beat(IDLE).await;
    let idle_cpu_percent = (cpu_seconds(pid)? - before) * 100.0 / begun.elapsed().as_secs_f64();
    let mut waited = Vec::new();
    for n in 0..SINGLE_REPORTS {
        waited.push(report_to_case(&process, n).await?.as_secs_f64() * 1_000.0);
    }
    process.instance().stop().await?;
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
    process.instance().start().await.unwrap();
    report_to_case(&process, 0).await.unwrap();
    process.instance().kill().unwrap();
    process.instance().start().await.unwrap();
    report_to_case(&process, 1).await.unwrap();
    process.instance().stop().await.unwrap();
    assert!(process.instance().pid().is_err());
}

#[tokio::test]
async fn whoever_presses_a_key_ends_it_or_closes_the_terminal_stops_a_process_in_good_order() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::new(folder.path(), "twostreets", 1.0).unwrap();
    for (n, signal) in ["INT", "TERM", "HUP"].into_iter().enumerate() {
        process.instance().start().await.unwrap();
        report_to_case(&process, n).await.unwrap();
        process.instance().signal(signal).unwrap();
        process.instance().ends().await.unwrap();
        let said = process.instance().said();
        let last = said.lines().last().unwrap_or_default();
        assert!(last.contains("stopped"), "after {signal}: {said}");
    }
}

#[tokio::test]
async fn a_database_that_is_moved_away_under_a_process_is_noticed_and_nothing_is_answered_that_is_not_there()
{
    let folder = TempDir::new().unwrap();
    let mut process = Process::new(folder.path(), "twostreets", 1.0).unwrap();
    process.instance().start().await.unwrap();
    report_to_case(&process, 0).await.unwrap();
    let (file, elsewhere) = (folder.path().join(platform::store::FILE), folder.path().join("elsewhere"));
    std::fs::rename(&file, &elsewhere).unwrap();
    let said = loop {
        let asked = process.client().get(process.url("/health/ready")).send().await.unwrap();
        if asked.status() == StatusCode::SERVICE_UNAVAILABLE {
            break asked.text().await.unwrap();
        }
        beat(Duration::from_millis(20)).await;
    };
    assert!(said.contains("was moved away") && said.contains("已被移走"), "{said}");
    let refused = report_to_case(&process, 1).await.unwrap_err().to_string();
    assert!(refused.contains("503"), "{refused}");
    std::fs::rename(&elsewhere, &file).unwrap();
    report_to_case(&process, 1).await.unwrap();
    process.instance().stop().await.unwrap();
    let report = gridward::audit::audit(folder.path(), gridward::audit::Options::default()).await.unwrap();
    assert!(report.is_clean() && report.check("once").unwrap().looked_at == 2, "{report}");
}

#[test]
fn a_process_on_a_port_that_is_taken_fails_before_it_touches_its_folder() {
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (data, address) = (folder.path().join("data"), taken.local_addr().unwrap().to_string());
    let mut second = Command::new(binary().unwrap());
    second.args(["all", "--speed", "60", "--listen", &address, "--data"]).arg(&data);
    let refused = second.arg("--pack").arg(pack("twostreets")).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success(), "{said}");
    for part in [address.as_str(), "--listen", "端口"] {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
    assert!(!data.exists(), "no folder, no clock, no database");
}
