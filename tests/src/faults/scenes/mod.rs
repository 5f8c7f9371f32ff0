//! What ends a service, or rests it, as it should: each in an office of its own, once.

mod clock;
mod restored;
mod skewed;
mod tail;
mod topic;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use platform::clock::{Clock, host_now};
use platform::store::Store;
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::verdict;
use super::work::Work;
use crate::door::Door;
use crate::fleet::{FILE, Fleet, STUCK, Servers};
use crate::instance::{Instance, beat};
use crate::kills::progress::Progress;

const LOOK: Duration = Duration::from_millis(50);

/// One instance of each service, on the database's clock.
struct Office {
    folder: TempDir,
    fleet: Fleet,
    door: Door,
    work: Work,
    servers: Servers,
    sent: usize,
}

impl Office {
    /// Nobody is started yet.
    async fn on(servers: Servers, pack: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let fleet = Fleet::on(&servers, folder.path(), pack, 1, "").await.unwrap();
        let progress = Arc::new(Progress::new(0));
        let work = Work::of(&fleet.settings, &fleet.databases, &servers.broker, &progress).await.unwrap();
        let door = fleet.door();
        Self { folder, fleet, door, work, servers, sent: 0 }
    }

    /// On the servers that the tests were given, with everybody started.
    async fn open(pack: &str) -> Self {
        let mut office = Self::on(Servers::given().unwrap(), pack).await;
        office.fleet.start().await.unwrap();
        office
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    fn of(&mut self, service: &str) -> &mut Instance {
        &mut self.fleet.instances.get_mut(service).unwrap()[0]
    }

    /// A new report, answered 201: the path of its case.
    async fn report(&mut self, category: &str) -> String {
        self.sent += 1;
        let report = json!({
            "client_id": format!("r-{}", self.sent), "category": category,
            "place": {"lon": 121.805, "lat": 29.905, "datum": "CGCS2000"},
        });
        let (status, receipt) = self.ask("POST", "/api/v1/reports", "worker-111", Some(&report)).await;
        assert_eq!(status, 201, "{receipt}");
        receipt["case"].as_str().unwrap().to_owned()
    }

    /// So many reports, until each is a case.
    async fn cases(&mut self, many: usize) -> Vec<String> {
        let mut cases = Vec::new();
        for _ in 0..many {
            cases.push(self.report("rubbish").await);
        }
        for case in &cases {
            self.opened(case).await;
        }
        cases
    }

    async fn opened(&self, case: &str) -> Value {
        let begun = Instant::now();
        loop {
            let (status, body) = self.ask("GET", &format!("{case}?wait=5s"), "leader-111", None).await;
            if status == 200 {
                return body;
            }
            let health = self.health("handle").await;
            assert!(status == 202 && begun.elapsed() < STUCK / 2, "{status} {body}; handle says {health:?}");
        }
    }

    async fn ask(&self, method: &str, path: &str, person: &str, body: Option<&Value>) -> (u16, Value) {
        let mut ask =
            self.door.client.request(method.parse().unwrap(), self.door.url(path, 0)).timeout(STUCK);
        ask = ask.bearer_auth(self.door.token(person).unwrap());
        if let Some(body) = body {
            ask = ask.json(body);
        }
        let answer = ask.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// What an instance says of itself.
    async fn health(&self, service: &str) -> (StatusCode, String) {
        let url = self.fleet.instances[service][0].url("/health/ready");
        let answer = self.door.client.get(url).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Waits until an instance says of itself what is asked for.
    async fn says(&self, service: &str, what: impl Fn(StatusCode, &str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let (status, said) = self.health(service).await;
            if what(status, &said) {
                return said;
            }
            assert!(begun.elapsed() < STUCK, "{service} says {status}: {said}");
            beat(LOOK).await;
        }
    }

    /// Waits until nothing waits, and has it audited.
    async fn settles_clean(&self) {
        self.work.settled(&Clock::Host).await.unwrap();
        let said = verdict::audited(&self.settings(), host_now()).await.unwrap();
        assert_eq!(said["clean"], true, "{said:#}");
    }

    /// Does something to the server of the databases.
    async fn on_the_server(&self, sql: &str) {
        let here = Store::connect(&self.servers.databases, 1).await.unwrap();
        here.writer().execute_unprepared(sql).await.unwrap();
        here.close().await.unwrap();
    }

    /// The name of a service's database.
    fn database(&self, service: &str) -> String {
        let (_, name) = self.fleet.databases.rsplit_once('/').unwrap();
        name.replace("{service}", service)
    }
}
