//! A street office that can be reached over HTTP: all services in this process on a driven clock, behind
//! a real listener on a port of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::IncidentId;
use gridward::audit::{Options, Places, audit, audit_places};
use gridward::embedded::Embedded;
use gridward::running::{Running, start};
use gridward::servers::Servers;
use gridward::settings::Settings;
use platform::clock::{Clock, host_now};
use platform::lifecycle::{Lifecycle, Stopper};
use platform::pack::Pack;
use platform::stream::kafka::With;
use platform::token::{KEY_FILE, Principal, Tokens};
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::fleet::FILE;
use crate::offers::{HELD, MIRRORED, OF_HANDLE, OF_PARTNER, OFFERED, Tables};
use crate::process::PARTNERED;
use crate::world::{IN_GRID_111, monday_morning, packs};

/// Nothing here takes this long; what does is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// A running office. Its folder goes when it does.
pub struct Office {
    pub clock: Clock,
    pub address: SocketAddr,
    pub tokens: Tokens,
    pub pack: Arc<Pack>,
    http: Client,
    running: Running,
    stopper: Stopper,
    /// Where it is, if it is not in the folder.
    servers: Option<Settings>,
    folder: TempDir,
    reports: AtomicU32,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, if the answer has this status.
    pub fn with(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }
}

impl Office {
    /// The synthetic pack of two streets, on a Monday at nine.
    pub async fn open() -> Self {
        Self::open_at(monday_morning()).await
    }

    pub async fn open_at(now: DateTime<Utc>) -> Self {
        Self::of(&packs().join("twostreets"), now).await
    }

    /// The same with partner organisations.
    pub async fn with_partners() -> Self {
        Self::of(&crate::process::pack(PARTNERED), monday_morning()).await
    }

    pub async fn of(pack: &Path, now: DateTime<Utc>) -> Self {
        // Whoever tries to sign in says where from, as a proxy on this machine would.
        Self::behind("127.0.0.1", pack, now).await
    }

    /// One that believes these proxies.
    pub async fn behind(proxies: &str, pack: &Path, now: DateTime<Utc>) -> Self {
        let (folder, of_pack) = (TempDir::new().unwrap(), pack.to_str().unwrap());
        let pack = Arc::new(Pack::load(pack).unwrap());
        let clock = Clock::driven(now);
        let tokens = Tokens::of_folder(folder.path()).unwrap();
        let servers = match on_servers() {
            true => Some(crate::fleet::settings(folder.path(), of_pack, "").await.unwrap()),
            false => None,
        };
        let mut ready = match &servers {
            Some(settings) => open(settings, &pack, &clock).await.ready(),
            None => Embedded::open(folder.path(), pack.clone(), clock.clone()).await.unwrap().ready(),
        };
        ready.accounts.proxies = proxies.parse().unwrap();
        assert!(folder.path().join(KEY_FILE).is_file());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopper, lifecycle) = Lifecycle::new();
        let running = start(ready, listener, &tokens, &lifecycle, |router| router).unwrap();
        let http = Client::builder().timeout(STUCK).build().unwrap();
        let reports = AtomicU32::new(0);
        Self { clock, address, tokens, pack, http, running, stopper, servers, folder, reports }
    }

    /// Somebody of the pack, with the roles the pack gives them.
    pub fn principal(&self, person: &str) -> Principal {
        let person = self.pack.people.get(&person.into()).unwrap();
        Principal { person: person.id.clone(), grants: person.grants.clone() }
    }

    pub fn token(&self, person: &str) -> String {
        self.tokens.issue(&self.principal(person), host_now(), TimeDelta::hours(1)).unwrap()
    }

    /// A request without a token.
    pub fn anonymous(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().unwrap();
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    pub fn request(&self, method: &str, path: &str, person: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(self.token(person))
    }

    pub async fn get(&self, path: &str, person: &str) -> Answer {
        Answer::to(self.request("GET", path, person)).await
    }

    pub async fn post(&self, path: &str, person: &str, body: &Value) -> Answer {
        Answer::to(self.request("POST", path, person).json(body)).await
    }

    /// A report of `category` in grid 111 as a device would send it.
    pub fn new_report(&self, category: &str) -> Value {
        let (lon, lat) = IN_GRID_111;
        let number = self.reports.fetch_add(1, Ordering::SeqCst);
        json!({
            "client_id": format!("report-{number}"),
            "category": category,
            "place": { "lon": lon, "lat": lat, "datum": "CGCS2000" },
            "description": "堆在楼道口 beside the stairs"
        })
    }

    /// A report of `category` in grid 111 by its worker, opened as a case; where the case is.
    pub async fn case_of(&self, category: &str) -> String {
        let reported = self.post("/api/v1/reports", "worker-111", &self.new_report(category)).await.with(201);
        let case = reported["case"].as_str().unwrap().to_owned();
        self.get(&format!("{case}?wait=10s"), "worker-111").await.with(200);
        case
    }

    /// Somebody does something to a case.
    pub async fn act(&self, case: &str, what: &str, person: &str) -> Answer {
        let body = match what {
            "check" => json!({ "passed": true }),
            "return" => json!({ "reason": "wrong_area", "note": "在马路对面" }),
            _ => json!({}),
        };
        self.post(&format!("{case}/{what}"), person, &body).await
    }

    /// To `person` the case is not there: they hear what is told of an incident of the same moment that nobody ever
    /// reported. Within a minute of it that is no error, for a case of it may be about to open.
    pub async fn is_hidden(&self, case: &str, person: &str) {
        let incident: IncidentId = case.rsplit('/').next().unwrap().parse().unwrap();
        let absent = IncidentId::new(incident.time().unwrap(), [7; 10]);
        let seen = self.get(case, person).await;
        let other = self.get(&format!("/api/v1/cases/{absent}"), person).await;
        let told = |answer: &Answer| (answer.status, answer.text.clone());
        assert_eq!(told(&seen), told(&other), "{person}");
        match seen.status {
            202 => {
                let about_to =
                    json!({ "state": "REPORTED", "detail": "the case is about to open 案件即将生成" });
                assert_eq!((seen.json(), seen.header("retry-after")), (about_to, "1"));
            }
            404 => assert_eq!(super::problem(&seen)["type"], "urn:gridward:problem:not-found"),
            _ => panic!("{person} sees it: {seen:?}"),
        }
    }

    /// Looks until `path` is as wanted.
    pub async fn when(&self, path: &str, person: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = None;
        let looked = tokio::time::timeout(STUCK, async {
            let mut again = tokio::time::interval(Duration::from_millis(20));
            loop {
                again.tick().await;
                let seen = self.get(path, person).await;
                if seen.status == 200 && wanted(&seen.json()) {
                    return seen.json();
                }
                last = Some(seen);
            }
        });
        let seen = looked.await;
        seen.unwrap_or_else(|_| panic!("{path} never became as wanted; at last it was {last:?}"))
    }

    /// Where it is, as a command is told it.
    pub fn place(&self) -> [String; 2] {
        let (flag, path) = match &self.servers {
            Some(_) => ("--config", self.folder.path().join(FILE)),
            None => ("--data", self.folder.path().to_owned()),
        };
        [flag.to_owned(), path.to_str().unwrap().to_owned()]
    }

    /// The accounts that people sign in with.
    pub fn accounts(&self) -> console::Accounts {
        console::Accounts::new(self.running.stage().store(console::NAME).clone())
    }

    /// An id nobody was given, as of a day ago.
    pub fn absent(&self) -> IncidentId {
        IncidentId::new(self.clock.now() - TimeDelta::days(1), [7; 10])
    }

    /// How many reports are stored, and how many things people did to cases.
    pub async fn stored(&self) -> (i64, i64) {
        let acts = "SELECT count(*) AS n FROM handle_history WHERE person IS NOT NULL";
        let reports = self.count("discover", "SELECT count(*) AS n FROM discover_report").await;
        (reports, self.count("handle", acts).await)
    }

    /// One count from the tables of a service.
    pub async fn count(&self, service: &str, sql: &str) -> i64 {
        let stage = self.running.stage();
        let readers = stage.store(service).readers();
        let statement = Statement::from_string(readers.get_database_backend(), sql);
        let row = readers.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get("", "n").unwrap()
    }

    /// A good report is still answered 201, stored, and becomes a case.
    pub async fn still_takes_reports(&self) {
        let before = self.stored().await.0;
        self.case_of("road").await;
        assert_eq!(self.stored().await.0, before + 1);
    }

    async fn rows(&self, service: &str, sql: &str) -> Vec<QueryResult> {
        let stage = self.running.stage();
        let readers = stage.store(service).readers();
        let statement = Statement::from_string(readers.get_database_backend(), sql);
        readers.query_all_raw(statement).await.unwrap()
    }

    /// Waits until handle and partner have heard all they told each other, and have the same of every offer.
    pub async fn offers_agree(&self) {
        let mut last = Default::default();
        let looked = tokio::time::timeout(STUCK, async {
            let mut again = tokio::time::interval(Duration::from_millis(20));
            loop {
                again.tick().await;
                let tables = Tables {
                    held: self.rows("handle", HELD).await,
                    mirrored: self.rows("partner", MIRRORED).await,
                    offered: self.rows("partner", OFFERED).await,
                    of_handle: self.rows("handle", OF_HANDLE).await,
                    of_partner: self.rows("partner", OF_PARTNER).await,
                };
                // Each table is of another moment, so that only what stays is a fault.
                last = (tables.on_the_way().unwrap(), tables.disagreements().unwrap());
                if last.0.is_empty() && last.1.is_empty() {
                    return;
                }
            }
        });
        if looked.await.is_err() {
            panic!("handle and partner never agreed: {last:#?}");
        }
    }

    /// Stops it, lets what was on its way arrive, and asks the audit.
    pub async fn closes_clean(self) {
        if self.pack.has_partners() {
            self.offers_agree().await;
        }
        let Self { clock, pack, running, stopper, servers, folder, .. } = self;
        stopper.stop();
        running.finished().await.unwrap();
        // A server has a clock of its own, which this one is not.
        let options = Options { now: servers.is_some().then(|| clock.now()), strict: true };
        let report = if let Some(settings) = servers {
            let all = open(&settings, &pack, &clock).await;
            let office = all.office();
            office.settle().await.unwrap();
            office.sweep().await.unwrap();
            drop(office);
            all.close().await.unwrap();
            audit_places(&Places::open(&settings).await.unwrap(), options).await.unwrap()
        } else {
            let all = Embedded::open(folder.path(), pack, clock).await.unwrap();
            all.settle().await.unwrap();
            all.sweep().await.unwrap();
            all.around.store.close().await.unwrap();
            audit(folder.path(), options).await.unwrap()
        };
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.on_the_way, report.dead_letters, report.parked), (0, 0, 0), "{report}");
    }
}

/// Whether the scenarios are tried on Kafka and PostgreSQL, which is asked for by GRIDWARD_TEST_SETTING=servers.
fn on_servers() -> bool {
    std::env::var("GRIDWARD_TEST_SETTING").is_ok_and(|setting| setting == "servers")
}

/// All services on servers, in this process.
async fn open(settings: &Settings, pack: &Arc<Pack>, clock: &Clock) -> Servers {
    Servers::open(settings, With::Nobody, pack.clone(), clock.clone()).await.unwrap()
}
