//! A Kafka and a PostgreSQL of their own, to be killed and frozen, and the proxies through which the first instance
//! of each service reaches them.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
#[cfg(test)]
use gridward::servers::{SERVICES, WITHOUT_TOPIC};
use tempfile::TempDir;

use super::proxy::Proxy;
use crate::fleet::{Fleet, Servers};
use crate::instance::free_port;

/// One of the scripts that start servers, as `tests/servers/with.sh` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Kafka,
    Postgres,
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Postgres => "postgres",
        }
    }
}

/// Two servers in a folder. They end when this process does, however it ends.
#[derive(Debug)]
pub struct OwnServers {
    folder: TempDir,
    pub servers: Servers,
    /// By service: its first instance's way to its database, and to the broker.
    pub proxies: BTreeMap<&'static str, Ways>,
}

/// The ways of one instance.
#[derive(Debug)]
pub struct Ways {
    pub database: Proxy,
    pub broker: Proxy,
}

impl OwnServers {
    /// Starts both, with ways to them for the first instance of each of `services`.
    ///
    /// # Errors
    /// When one cannot be had, or does not start.
    pub async fn start(services: &[&'static str]) -> anyhow::Result<Self> {
        // A short path, as a unix socket's name lies below it, and open to the user PostgreSQL runs as.
        let folder = tempfile::Builder::new().prefix("gridward-faults.").tempdir_in("/var/tmp")?;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let mut ports = BTreeSet::new();
        while ports.len() < 2 + services.len() {
            ports.insert(free_port().context("no free port")?);
        }
        let ports: Vec<u16> = ports.into_iter().collect();
        let (plain, controller, behind) = (ports[0], ports[1], &ports[2..]);
        let mut brokers = Vec::new();
        for port in behind {
            brokers.push(Proxy::to(*port).await?);
        }
        let listeners = listeners(plain, controller, behind, &brokers);
        let own = folder.path().to_owned();
        let (kafka, postgres) = tokio::join!(
            run(&own, Which::Kafka, "start", listeners),
            run(&own, Which::Postgres, "start", vec![owner()])
        );
        kafka.and(postgres)?;
        let broker = format!("127.0.0.1:{plain}");
        std::fs::write(own.join("kafka/bootstrap"), &broker)?;
        let databases = run(&own, Which::Postgres, "url", Vec::new()).await?.trim().to_owned();
        let port = databases.rsplit(['@', ':', '/']).nth(1).and_then(|port| port.parse().ok());
        let port = port.context("the URL of the databases names no port")?;
        let mut proxies = BTreeMap::new();
        for (service, broker) in services.iter().zip(brokers) {
            proxies.insert(*service, Ways { database: Proxy::to(port).await?, broker });
        }
        Ok(Self { folder, servers: Servers { broker, databases }, proxies })
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
            first.tell("GRIDWARD_KAFKA_BOOTSTRAP", &format!("127.0.0.1:{}", ways.broker.port()));
        }
        Ok(())
    }

    /// `kill`, `freeze`, `thaw`, `crash`, `lose`: see the scripts.
    ///
    /// # Errors
    /// When the script says so.
    pub async fn tell(&self, which: Which, command: &str, more: &[&str]) -> anyhow::Result<String> {
        let mut more: Vec<String> = more.iter().map(|word| (*word).to_owned()).collect();
        if command == "start" {
            more.push(owner());
        }
        run(self.folder.path(), which, command, more).await
    }
}

impl Drop for OwnServers {
    fn drop(&mut self) {
        for which in [Which::Kafka, Which::Postgres] {
            // It may be down already; there is nobody left to tell.
            let _ = command(self.folder.path(), which, "kill", &[]).output();
        }
        // Shared memory that a killed PostgreSQL left goes with a stop.
        let _ = command(self.folder.path(), Which::Postgres, "stop", &[]).output();
    }
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
        let (kafka, postgres) = tokio::join!(
            run(folder.path(), Which::Kafka, "start", how()),
            run(folder.path(), Which::Postgres, "start", how())
        );
        kafka.and(postgres)?;
        for service in SERVICES.into_iter().chain(WITHOUT_TOPIC) {
            run(folder.path(), Which::Postgres, "createdb", vec![format!("tls_{service}")]).await?;
        }
        let bootstrap = std::fs::read_to_string(folder.path().join("kafka/bootstrap.tls"))?.trim().to_owned();
        let url = run(folder.path(), Which::Postgres, "url", vec!["tls_{service}".to_owned()]).await?;
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
        owner(),
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
    let name = which.name();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers");
    let mut run = Command::new(scripts.join(format!("{name}.sh")));
    run.arg(command).arg(folder.join(name)).stdin(Stdio::null());
    for word in more {
        match word.strip_prefix("--owner=") {
            Some(owner) => run.args(["--owner", owner]),
            None => run.arg(word),
        };
    }
    run
}

async fn run(folder: &Path, which: Which, what: &str, more: Vec<String>) -> anyhow::Result<String> {
    let mut asked = command(folder, which, what, &more);
    let ran = tokio::task::spawn_blocking(move || asked.output()).await?.context("cannot run a script")?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "{} {what}: {said}", which.name());
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}
