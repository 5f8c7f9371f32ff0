//! A Kafka and a PostgreSQL of their own, to be killed and frozen, and the proxies through which the first instance
//! of each service reaches them. The Kafka may be of three brokers, which each lead some partitions and keep a copy of
//! all.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
#[cfg(test)]
use gridward::servers::{SERVICES, WITHOUT_TOPIC};
use platform::entropy;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::proxy::Proxy;
use super::unreliable::{Trouble, Unreliable};
use crate::fleet::{Fleet, Servers};
use crate::instance::free_port;

/// One of the scripts that start servers, as `tests/servers/with.sh` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first broker, or the only one.
    Kafka,
    /// The second or the third, counted from 0 as the first is.
    Broker(usize),
    Postgres,
}

impl Which {
    /// The broker of this number.
    pub fn broker(number: usize) -> Self {
        if number == 0 { Self::Kafka } else { Self::Broker(number) }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Kafka | Self::Broker(_) => "kafka.sh",
            Self::Postgres => "postgres.sh",
        }
    }

    /// Its folder, and its name to [`Unreliable`].
    fn name(self) -> String {
        match self {
            Self::Kafka => "kafka".to_owned(),
            Self::Broker(number) => format!("kafka-{number}"),
            Self::Postgres => "postgres".to_owned(),
        }
    }
}

/// Servers in a folder. They end when this process does, however it ends.
#[derive(Debug)]
pub struct OwnServers {
    folder: TempDir,
    pub servers: Servers,
    pub brokers: usize,
    /// By service: its first instance's way to its database, and to the broker.
    pub proxies: BTreeMap<&'static str, Ways>,
    disks: Unreliable,
}

/// The ways of one instance.
#[derive(Debug)]
pub struct Ways {
    pub database: Proxy,
    /// Where there is one broker; each of three would be another way.
    pub broker: Option<Proxy>,
}

impl OwnServers {
    /// Starts a broker and a PostgreSQL, with ways to them for the first instance of each of `services`.
    ///
    /// # Errors
    /// When one cannot be had, or does not start.
    pub async fn start(services: &[&'static str]) -> anyhow::Result<Self> {
        let (folder, disks) = place()?;
        let ports = ports(2 + services.len())?;
        let (plain, controller, behind) = (ports[0], ports[1], &ports[2..]);
        let mut brokers = Vec::new();
        for port in behind {
            brokers.push(Proxy::to(*port).await?);
        }
        let alone = listeners(plain, controller, behind, &brokers);
        let bootstrap = format!("127.0.0.1:{plain}");
        Self::begin(folder, disks, vec![alone], bootstrap, services, brokers).await
    }

    /// The same with three brokers: each partition has three copies, and an acknowledged record is on two at least.
    ///
    /// # Errors
    /// When one cannot be had, or does not start.
    pub async fn start_three(services: &[&'static str]) -> anyhow::Result<Self> {
        let (folder, disks) = place()?;
        let ports = ports(6)?;
        let (plain, controllers) = ports.split_at(3);
        let voters: Vec<String> =
            (1..).zip(controllers).map(|(id, port)| format!("{id}@127.0.0.1:{port}")).collect();
        let cluster: String = entropy::draw::<11>().iter().map(|byte| format!("{byte:02x}")).collect();
        let of_one = |n: usize| {
            vec![
                format!("--cluster={cluster}"),
                format!("node.id={}", n + 1),
                format!(
                    "listeners=PLAINTEXT://127.0.0.1:{},CONTROLLER://127.0.0.1:{}",
                    plain[n], controllers[n]
                ),
                format!("advertised.listeners=PLAINTEXT://127.0.0.1:{}", plain[n]),
                format!("controller.quorum.voters={}", voters.join(",")),
                "broker.session.timeout.ms=3000".to_owned(),
                "default.replication.factor=3".to_owned(),
                "min.insync.replicas=2".to_owned(),
                "offsets.topic.replication.factor=3".to_owned(),
                "transaction.state.log.replication.factor=3".to_owned(),
                "transaction.state.log.min.isr=2".to_owned(),
                "share.coordinator.state.topic.replication.factor=3".to_owned(),
                "share.coordinator.state.topic.min.isr=2".to_owned(),
            ]
        };
        let bootstrap: Vec<String> = plain.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let all = (0..3).map(of_one).collect();
        Self::begin(folder, disks, all, bootstrap.join(","), services, Vec::new()).await
    }

    async fn begin(
        folder: TempDir,
        disks: Unreliable,
        settings: Vec<Vec<String>>,
        broker: String,
        services: &[&'static str],
        behind: Vec<Proxy>,
    ) -> anyhow::Result<Self> {
        let brokers = settings.len();
        let servers = Servers { broker, databases: String::new() };
        let mut own = Self { folder, servers, brokers, proxies: BTreeMap::new(), disks };
        let mut starting = JoinSet::new();
        // Three that vote for each other are there together or not at all.
        for (number, settings) in settings.into_iter().enumerate() {
            starting.spawn(own.run(Which::broker(number), "start", settings));
        }
        starting.spawn(own.run(Which::Postgres, "start", Vec::new()));
        while let Some(started) = starting.join_next().await {
            started.context("starting a server panicked")??;
        }
        std::fs::write(own.folder.path().join("kafka/bootstrap"), &own.servers.broker)?;
        own.servers.databases = own.run(Which::Postgres, "url", Vec::new()).await?.trim().to_owned();
        let port = own.servers.databases.rsplit(['@', ':', '/']).nth(1).and_then(|port| port.parse().ok());
        let port = port.context("the URL of the databases names no port")?;
        let mut behind = behind.into_iter();
        for service in services {
            own.proxies.insert(*service, Ways { database: Proxy::to(port).await?, broker: behind.next() });
        }
        Ok(own)
    }

    /// The first instance of each service goes through its proxies from its next start on.
    ///
    /// # Errors
    /// When the URL of the databases is none.
    pub fn lead(&self, fleet: &mut Fleet) -> anyhow::Result<()> {
        let (before, after) = fleet.databases.split_once('@').context("a URL with a user")?;
        let (_, database) = after.split_once('/').context("a URL with a database")?;
        for (service, ways) in &self.proxies {
            let url = format!("{before}@127.0.0.1:{}/{database}", ways.database.port());
            let first = fleet.instances.get_mut(service).and_then(|of_service| of_service.first_mut());
            let first = first.context("a service without an instance")?;
            first.tell("GRIDWARD_DATABASE_URL", &url);
            if let Some(broker) = &ways.broker {
                first.tell("GRIDWARD_KAFKA_BOOTSTRAP", &format!("127.0.0.1:{}", broker.port()));
            }
        }
        Ok(())
    }

    /// `kill`, `freeze`, `thaw`, `crash`, `lose`: see the scripts.
    ///
    /// # Errors
    /// When the script says so.
    pub async fn tell(&self, which: Which, command: &'static str, more: &[&str]) -> anyhow::Result<String> {
        self.run(which, command, more.iter().map(|word| (*word).to_owned()).collect()).await
    }

    /// Tells some brokers the same at the same time.
    ///
    /// # Errors
    /// When the script says so.
    pub async fn tell_brokers(
        &self,
        numbers: impl IntoIterator<Item = usize>,
        command: &'static str,
    ) -> anyhow::Result<()> {
        let mut telling = JoinSet::new();
        for number in numbers {
            telling.spawn(self.run(Which::broker(number), command, Vec::new()));
        }
        while let Some(told) = telling.join_next().await {
            told.context("telling a broker panicked")??;
        }
        Ok(())
    }

    /// Whether a server runs.
    pub fn runs(&self, which: Which) -> bool {
        self.pid(which).is_some()
    }

    /// The process of a server that runs.
    pub fn pid(&self, which: Which) -> Option<u32> {
        let folder = self.path(which);
        let pid: u32 = std::fs::read_to_string(folder.join("pid")).ok()?.trim().parse().ok()?;
        let told = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        // One that has ended and was not waited for yet has none.
        let ours = String::from_utf8_lossy(&told).contains(&format!("{}/", folder.display()));
        ours.then_some(pid)
    }

    /// Where a server keeps what it has.
    pub fn path(&self, which: Which) -> PathBuf {
        self.folder.path().join(which.name())
    }

    /// The disk of a server is so from now on.
    ///
    /// # Errors
    /// When it cannot be made so.
    pub fn trouble(&self, which: Which, trouble: Trouble) -> anyhow::Result<()> {
        self.disks.set(&which.name(), trouble)
    }

    /// The disk of a server is well again; answers how often it ran into it.
    ///
    /// # Errors
    /// When it cannot be made so.
    pub fn mend(&self, which: Which, trouble: Trouble) -> anyhow::Result<u64> {
        self.disks.mend(&which.name(), trouble)?;
        Ok(self.hits(which))
    }

    /// How often a server ran into what is wrong with its disk.
    pub fn hits(&self, which: Which) -> u64 {
        self.disks.hits(&which.name())
    }

    /// What a script says, once it is through.
    fn run(
        &self,
        which: Which,
        what: &'static str,
        mut more: Vec<String>,
    ) -> impl Future<Output = anyhow::Result<String>> + Send + use<> {
        if what == "start" {
            more.push(owner());
        }
        let mut asked = command(self.folder.path(), which, what, &more);
        asked.envs(self.disks.environment(&which.name()));
        ran(asked, which, what)
    }
}

impl Drop for OwnServers {
    fn drop(&mut self) {
        let brokers = (0..self.brokers).map(Which::broker);
        for which in brokers.chain([Which::Postgres]) {
            // It may be down already; there is nobody left to tell.
            let _ = command(self.folder.path(), which, "kill", &[]).output();
        }
        // Shared memory that a killed PostgreSQL left goes with a stop.
        let _ = command(self.folder.path(), Which::Postgres, "stop", &[]).output();
    }
}

/// A folder for servers, with what makes their disks unwell.
fn place() -> anyhow::Result<(TempDir, Unreliable)> {
    // A short path, as a unix socket's name lies below it, and open to the user PostgreSQL runs as.
    let folder = tempfile::Builder::new().prefix("gridward-faults.").tempdir_in("/var/tmp")?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    let disks = Unreliable::make(folder.path())?;
    Ok((folder, disks))
}

/// So many ports that are free.
fn ports(many: usize) -> anyhow::Result<Vec<u16>> {
    let mut ports = BTreeSet::new();
    while ports.len() < many {
        ports.insert(free_port().context("no free port")?);
    }
    Ok(ports.into_iter().collect())
}

/// Two servers in a folder that speak with the outside by TLS, the broker also with SCRAM. They end when this process
/// does.
#[cfg(test)]
#[derive(Debug)]
pub struct SecuredServers {
    folder: TempDir,
    pub bootstrap: String,
    /// Of the database named after the last slash.
    pub url: String,
}

#[cfg(test)]
impl SecuredServers {
    /// Starts both, with an empty database for each of `SERVICES`: `tls_handle`.
    ///
    /// # Errors
    /// When one cannot be had, or does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("gridward-tls.").tempdir_in("/var/tmp")?;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let how = || vec!["--tls".to_owned(), owner()];
        let run =
            |which, what, more: Vec<String>| ran(command(folder.path(), which, what, &more), which, what);
        let (kafka, postgres) =
            tokio::join!(run(Which::Kafka, "start", how()), run(Which::Postgres, "start", how()));
        kafka.and(postgres)?;
        for service in SERVICES.into_iter().chain(WITHOUT_TOPIC) {
            run(Which::Postgres, "createdb", vec![format!("tls_{service}")]).await?;
        }
        let bootstrap = std::fs::read_to_string(folder.path().join("kafka/bootstrap.tls"))?.trim().to_owned();
        let url = run(Which::Postgres, "url", vec!["tls_{service}".to_owned()]).await?;
        Ok(Self { url: url.trim().to_owned(), bootstrap, folder })
    }

    /// A file of one of the two: `tls/ca.pem`.
    pub fn file(&self, which: Which, name: &str) -> std::path::PathBuf {
        self.folder.path().join(which.name()).join(name)
    }
}

#[cfg(test)]
impl Drop for SecuredServers {
    fn drop(&mut self) {
        for which in [Which::Kafka, Which::Postgres] {
            // There is nobody left to tell.
            let _ = command(self.folder.path(), which, "stop", &[]).output();
        }
    }
}

/// What a broker is told so that each proxy leads to a listener which tells its clients to come back by the proxy.
fn listeners(plain: u16, controller: u16, behind: &[u16], proxies: &[Proxy]) -> Vec<String> {
    let mut open = format!("PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller}");
    let mut told = format!("PLAINTEXT://127.0.0.1:{plain}");
    let mut protocols = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned();
    for (n, (port, proxy)) in behind.iter().zip(proxies).enumerate() {
        open += &format!(",WAY{n}://127.0.0.1:{port}");
        told += &format!(",WAY{n}://127.0.0.1:{}", proxy.port());
        protocols += &format!(",WAY{n}:PLAINTEXT");
    }
    vec![
        format!("listeners={open}"),
        format!("advertised.listeners={told}"),
        format!("listener.security.protocol.map={protocols}"),
        format!("controller.quorum.voters=1@127.0.0.1:{controller}"),
    ]
}

fn owner() -> String {
    format!("--owner={}", std::process::id())
}

fn command(folder: &Path, which: Which, command: &str, more: &[String]) -> Command {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers");
    let mut run = Command::new(scripts.join(which.script()));
    run.arg(command).arg(folder.join(which.name())).stdin(Stdio::null());
    for word in more {
        // Options have a word of their own before what they say.
        match word.strip_prefix("--").and_then(|option| option.split_once('=')) {
            Some((option, said)) => run.args([&format!("--{option}"), said]),
            None => run.arg(word),
        };
    }
    run
}

async fn ran(mut asked: Command, which: Which, what: &'static str) -> anyhow::Result<String> {
    let ran = tokio::task::spawn_blocking(move || asked.output()).await?.context("cannot run a script")?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "{} {what}: {said}", which.name());
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}
