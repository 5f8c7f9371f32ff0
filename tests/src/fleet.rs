//! The second setting as it is run: each service as processes of its own, several of each, on a PostgreSQL and a
//! Kafka that the tests have started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use gridward::servers::{WITHOUT_TOPIC, services, services_of};
use gridward::settings::Settings;
use platform::entropy;
use platform::pack::Pack;
use platform::store::Store;
use platform::token::Tokens;
use sea_orm::ConnectionTrait;

pub use crate::door::Door;
use crate::instance::{Instance, binary, free_port};
use crate::process::{client, pack};

/// Where `tests/servers/with.sh` tells of a broker, and of a PostgreSQL server as a URL.
pub const BROKER: &str = "GRIDWARD_TEST_KAFKA";
pub const DATABASES: &str = "GRIDWARD_TEST_POSTGRES";

/// Whether the tests have servers.
pub fn has_servers() -> bool {
    std::env::var_os(BROKER).is_some() && std::env::var_os(DATABASES).is_some()
}

/// A broker as `host:port`, and a PostgreSQL server as the URL of a database on it.
#[derive(Clone, Debug)]
pub struct Servers {
    pub broker: String,
    pub databases: String,
}

impl Servers {
    /// Those that the tests were given.
    ///
    /// # Errors
    /// When they were given none.
    pub fn given() -> anyhow::Result<Self> {
        Ok(Self { broker: std::env::var(BROKER)?, databases: std::env::var(DATABASES)? })
    }
}

/// Databases and topics of their own on the servers of the tests, named in a file of settings.
///
/// # Errors
/// When there are none, or they do not do as asked.
pub async fn settings(folder: &Path, pack: &str, more: &str) -> anyhow::Result<Settings> {
    Ok(settings_on(&Servers::given()?, folder, pack, more).await?.0)
}

/// The same on `servers`, with the URL of the databases: `{service}` is in it.
async fn settings_on(
    servers: &Servers,
    folder: &Path,
    pack: &str,
    more: &str,
) -> anyhow::Result<(Settings, String)> {
    let Servers { broker, databases: server } = servers;
    let (host, _) = server.rsplit_once('/').context("the URL names a database")?;
    let name: String = entropy::draw::<6>().iter().map(|byte| format!("{byte:02x}")).collect();
    let loaded = Pack::load(&self::pack(pack)).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let here = Store::connect(server, 2).await?;
    for service in services(&loaded).into_iter().chain(WITHOUT_TOPIC) {
        here.writer().execute_unprepared(&format!("CREATE DATABASE f{name}_{service}")).await?;
    }
    here.close().await?;
    let file = folder.join(FILE);
    let key = folder.join("token.key");
    Tokens::of_folder(folder).context("cannot make the token key")?;
    std::fs::write(
        &file,
        format!(
            "pack = {pack:?}\ntoken_key_file = {key:?}\ndrain_seconds = 1\n{more}\n\
             [database]\nurl = \"{host}/f{name}_{{service}}\"\nconnections = 6\n\
             [kafka]\nbootstrap = \"{broker}\"\nprefix = \"f{name}.\"\npartitions = 6\nsession_seconds = 2\n",
            pack = self::pack(pack),
        ),
    )?;
    Ok((Settings::load(Some(&file), std::iter::empty())?, format!("{host}/f{name}_{{service}}")))
}

/// The settings of a fleet, in its folder.
pub const FILE: &str = "gridward.toml";

/// All services of an office, each as so many processes: partner where the pack has organisations, and console.
#[derive(Debug)]
pub struct Fleet {
    pub settings: Settings,
    /// Where the databases are: a URL with `{service}` in it.
    pub databases: String,
    /// By service, and number among its instances.
    pub instances: BTreeMap<&'static str, Vec<Instance>>,
    pub pack: Arc<Pack>,
    client: reqwest::Client,
    tokens: Tokens,
}

impl Fleet {
    /// [`Self::on`] the servers that the tests were given.
    ///
    /// # Errors
    /// When there are none, or they do not do as asked.
    pub async fn new(folder: &Path, pack: &str, each: usize, more: &str) -> anyhow::Result<Self> {
        Self::on(&Servers::given()?, folder, pack, each, more).await
    }

    /// Makes databases and topics; `each` instances of every service are started with [`Self::start`].
    ///
    /// # Errors
    /// When the servers do not do as asked.
    pub async fn on(
        servers: &Servers,
        folder: &Path,
        pack: &str,
        each: usize,
        more: &str,
    ) -> anyhow::Result<Self> {
        let (settings, databases) = settings_on(servers, folder, pack, more).await?;
        let file = folder.join(FILE);
        let migrated = Command::new(binary()?).args(["migrate", "--config"]).arg(&file).output()?;
        ensure!(migrated.status.success(), "migrate: {}", String::from_utf8_lossy(&migrated.stderr));
        let client = client()?;
        let mut instances = BTreeMap::new();
        for service in services_of(&settings).await?.into_iter().chain(WITHOUT_TOPIC) {
            let mut of_service = Vec::new();
            for n in 0..each {
                let port = free_port().context("no free port")?;
                let (name, said) = (format!("{service} {n}"), folder.join(format!("{service}-{n}.log")));
                let args: Vec<OsString> =
                    vec![service.into(), "--config".into(), file.clone().into(), "--listen".into()];
                let args = [args, vec![format!("127.0.0.1:{port}").into()]].concat();
                of_service.push(Instance::new(&name, args, &said, port, &client));
            }
            instances.insert(service, of_service);
        }
        let loaded = Pack::load(&self::pack(pack)).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let tokens = Tokens::of_folder(folder)?;
        Ok(Self { settings, databases, instances, pack: Arc::new(loaded), client, tokens })
    }

    pub fn all(&mut self) -> impl Iterator<Item = &mut Instance> {
        self.instances.values_mut().flatten()
    }

    /// Starts every instance and waits until all are ready.
    ///
    /// # Errors
    /// When one ends, or is not ready within a minute.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        for instance in self.all() {
            instance.spawn()?;
        }
        for instance in self.instances.values_mut().flatten() {
            instance.ready().await?;
        }
        Ok(())
    }

    /// Asks every instance to stop, and waits for all.
    ///
    /// # Errors
    /// When one fails or does not stop.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        for instance in self.all().filter(|instance| instance.runs()) {
            instance.signal("TERM")?;
        }
        for instance in self.instances.values_mut().flatten().filter(|instance| instance.runs()) {
            instance.stop().await?;
        }
        Ok(())
    }

    /// How people reach it.
    pub fn door(&self) -> Door {
        let urls = |instances: &Vec<Instance>| instances.iter().map(|instance| instance.url("")).collect();
        let services =
            self.instances.iter().map(|(service, instances)| (*service, urls(instances))).collect();
        Door { client: self.client.clone(), pack: self.pack.clone(), tokens: self.tokens.clone(), services }
    }
}

/// What takes longer hangs.
pub const STUCK: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::beat;
    use crate::process::PARTNERED;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    #[tokio::test(flavor = "multi_thread")]
    async fn each_service_alone_and_two_of_each_make_a_case_of_a_report_and_close_it() {
        if !has_servers() {
            return;
        }
        let folder = TempDir::new().unwrap();
        let mut fleet = Fleet::new(folder.path(), "twostreets", 2, "").await.unwrap();
        fleet.start().await.unwrap();
        let door = fleet.door();
        for number in 0..6 {
            let report = json!({
                "client_id": format!("r-{number}"), "category": "rubbish",
                "place": {"lon": 121.805, "lat": 29.905, "datum": "CGCS2000"},
            });
            let ask = async |method: &str, path: &str, person: &str, body: Option<&Value>| {
                let mut ask = door.client.request(method.parse().unwrap(), door.url(path, number));
                ask = ask.bearer_auth(door.token(person).unwrap());
                if let Some(body) = body {
                    ask = ask.json(body);
                }
                let answer = ask.send().await.unwrap();
                let status = answer.status().as_u16();
                (status, answer.json::<Value>().await.unwrap())
            };
            let (status, receipt) = ask("POST", "/api/v1/reports", "worker-111", Some(&report)).await;
            assert_eq!(status, 201, "{receipt}");
            let case = receipt["case"].as_str().unwrap();
            let (status, opened) = ask("GET", &format!("{case}?wait=10s"), "worker-111", None).await;
            assert_eq!(status, 200, "{opened}");
            for (what, who, body) in [
                ("sign", "leader-111", json!({})),
                ("answer", "leader-111", json!({})),
                ("check", "checker-1", json!({"passed": true})),
                ("close", "checker-1", json!({})),
            ] {
                let (status, said) = ask("POST", &format!("{case}/{what}"), who, Some(&body)).await;
                assert_eq!(status, 200, "{what}: {said}");
            }
        }
        // Another service, in its own time: the figures count what was closed.
        let looked = async {
            loop {
                let url = door.url("/api/v1/figures", 1);
                let ask = door.client.get(url).bearer_auth(door.token("supervisor-1").unwrap());
                let figures: Value = ask.send().await.unwrap().json().await.unwrap();
                if figures.to_string().contains("\"closed\":6") {
                    return;
                }
                beat(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(STUCK, looked).await.unwrap();
        fleet.stop().await.unwrap();
    }

    impl Fleet {
        /// Asks an instance of that number; the status, and the body.
        async fn asks(
            &self,
            number: usize,
            method: &str,
            path: &str,
            person: &str,
            body: &Value,
        ) -> (u16, Value) {
            let door = self.door();
            let ask = door.client.request(method.parse().unwrap(), door.url(path, number));
            let ask = ask.bearer_auth(door.token(person).unwrap());
            let answer = if body.is_null() { ask.send().await } else { ask.json(body).send().await }.unwrap();
            (answer.status().as_u16(), answer.json().await.unwrap_or_default())
        }

        /// Asks until the answer is as wanted.
        async fn until(&self, path: &str, person: &str, wanted: impl Fn(&Value) -> bool) -> Value {
            let looked = async {
                loop {
                    let (status, seen) = self.asks(0, "GET", path, person, &Value::Null).await;
                    if status == 200 && wanted(&seen) {
                        return seen;
                    }
                    beat(Duration::from_millis(50)).await;
                }
            };
            tokio::time::timeout(STUCK, looked).await.unwrap()
        }
    }

    /// Six services, two processes of each: organisations answer at different ones at the same moment.
    #[tokio::test(flavor = "multi_thread")]
    async fn organisations_that_accept_at_two_instances_at_once_are_told_apart_and_one_has_the_case() {
        if !has_servers() {
            return;
        }
        let folder = TempDir::new().unwrap();
        let mut fleet = Fleet::new(folder.path(), PARTNERED, 2, "").await.unwrap();
        assert_eq!(fleet.instances.len(), 6, "{:?}", fleet.instances.keys());
        fleet.start().await.unwrap();
        for round in 0..8 {
            let report = json!({
                "client_id": format!("offered-{round}"), "category": "clean-up",
                "place": {"lon": 121.825, "lat": 29.905, "datum": "CGCS2000"},
            });
            let (status, receipt) = fleet.asks(round, "POST", "/api/v1/reports", "worker-211", &report).await;
            assert_eq!(status, 201, "{receipt}");
            let case = receipt["case"].as_str().unwrap().to_owned();
            let incident = case.rsplit('/').next().unwrap().to_owned();
            let open = |list: &Value| {
                let mut offers = list["offers"].as_array().unwrap().iter();
                offers.any(|offer| offer["incident"] == incident && offer["state"] == "open")
            };
            for person in ["swift-1", "stork-1"] {
                fleet.until("/api/v1/offers", person, open).await;
            }
            let accept = format!("/api/v1/offers/{incident}/accept");
            let nothing = json!({});
            let (swift, stork) = tokio::join!(
                fleet.asks(round, "POST", &accept, "swift-1", &nothing),
                fleet.asks(round + 1, "POST", &accept, "stork-1", &nothing),
            );
            // Whoever had no answer in time is told when they ask again.
            let decided = |list: &Value| {
                let mut offers = list["offers"].as_array().unwrap().iter();
                offers.any(|offer| offer["incident"] == incident && offer["state"] != "accepting")
            };
            let mut told = Vec::new();
            for (person, (status, body)) in [("swift-1", swift), ("stork-1", stork)] {
                assert!(matches!(status, 200 | 202 | 409), "round {round}, {person}: {status} {body}");
                fleet.until("/api/v1/offers?show=all", person, decided).await;
                let (again, body) = fleet.asks(round, "POST", &accept, person, &nothing).await;
                assert!(
                    status == 202 || status == again,
                    "round {round}, {person}: {status}, then {again} {body}"
                );
                told.push(again);
            }
            told.sort_unstable();
            assert_eq!(told, [200, 409], "round {round}");
            let (_, seen) = fleet.asks(round, "GET", &case, "desk-2a", &Value::Null).await;
            assert!(seen["holder"].as_str().unwrap().starts_with("partner:org/s"), "round {round}: {seen}");
        }
        // console takes a name and a password, and knows nobody yet.
        let typed = json!({ "name": "worker-211", "password": "not the password" });
        assert_eq!(fleet.asks(1, "POST", "/api/v1/sessions", "worker-211", &typed).await.0, 401);
        fleet.stop().await.unwrap();
    }
}
