//! An office that is asked from within: its endpoints, and the services behind them, in one thread. When much was changed
//! in it, another is opened in its place, so that what one input left does not grow without end.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use chrono::{DateTime, TimeDelta, Utc};
use discover::Discover;
use gridward::embedded::migrate;
use gridward::http::{Front, Routes, finished};
use gridward::running::Accounts;
use handle::Handle;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use partner::PartnerDesk;
use platform::clock::{Clock, host_now};
use platform::http::{Peer, Proxies};
use platform::lifecycle::{Lifecycle, Stopper};
use platform::link::{Link, Opened};
use platform::metrics::Metrics;
use platform::pack::{InForce, Pack};
use platform::store::Store;
use platform::stream::{EmbeddedStream, Stream};
use platform::token::{Principal, Tokens};
use platform::turn::{Desk, Service, Surroundings, Turns};
use route::Route;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::super::base;
use super::Answer;

/// After so many changes another office is opened.
const CHANGES: u32 = 1_000;

/// Nothing here takes this long; what does is stuck.
const STUCK: std::time::Duration = std::time::Duration::from_secs(60);

pub struct Office {
    runtime: Runtime,
    router: Router,
    pub tokens: Tokens,
    /// An open case of the leader of grid 111, by its path.
    pub case: String,
    /// A link to the form for the worker there, who is signed in.
    pub link: Link,
    changes: u32,
    /// The loops of the services end with it.
    _stopper: Stopper,
}

thread_local! {
    /// The last one goes with the process: when a thread ends, it is too late for a runtime to end in good order.
    static OFFICE: ManuallyDrop<RefCell<Option<Office>>> = const { ManuallyDrop::new(RefCell::new(None)) };
}

/// Asks something of this thread's office.
pub fn with_office<T>(asks: impl FnOnce(&mut Office) -> T) -> T {
    OFFICE.with(|kept| {
        let mut kept = kept.borrow_mut();
        if kept.as_ref().is_none_or(|office| office.changes >= CHANGES) {
            *kept = Some(Office::open().unwrap_or_else(|error| panic!("no office can be opened: {error:#}")));
        }
        asks(kept.as_mut().expect("it was opened just now"))
    })
}

impl Office {
    fn open() -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let tokens = Tokens::new(&[7; 32]);
        let (stopper, lifecycle) = Lifecycle::new();
        let (router, begun) = runtime.block_on(opened(&tokens, &lifecycle))?;
        let link = Link::new([7; 16], "worker-111".into(), None, host_now(), 24 * 60);
        let mut office =
            Self { runtime, router, tokens, case: String::new(), link, changes: 0, _stopper: stopper };
        office.case = office.first_case()?;
        // What is reported from here on stays a report: what becomes of it is another matter.
        office.runtime.block_on(begun.end())?;
        Ok(office)
    }

    /// Reported by the worker of grid 111, and waited for until it is open.
    fn first_case(&mut self) -> anyhow::Result<String> {
        let place = json!({ "lon": 121.805, "lat": 29.905, "datum": "CGCS2000" });
        let report = json!({ "client_id": "first", "category": "road", "place": place });
        let reported =
            self.answer(self.request("POST", "/api/v1/reports", "worker-111", report.to_string())?);
        let receipt: serde_json::Value = serde_json::from_str(&reported.body)?;
        let case = receipt["case"].as_str().context("a receipt names the case")?.to_owned();
        let seen =
            self.answer(self.request("GET", &format!("{case}?wait=10s"), "worker-111", String::new())?);
        anyhow::ensure!(seen.status == StatusCode::OK, "the case does not open: {seen:?}");
        Ok(case)
    }

    /// A request of somebody of the pack.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        person: &str,
        body: impl Into<Body>,
    ) -> anyhow::Result<Request<Body>> {
        let bearer = format!("Bearer {}", self.token(person));
        let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, bearer);
        Ok(request.body(body.into())?)
    }

    /// A token of somebody of the pack; of nobody, where there is no such person.
    pub fn token(&self, person: &str) -> String {
        let grants = base::PACK.people.get(&person.into()).map(|person| person.grants.clone());
        let principal = Principal { person: person.into(), grants: grants.unwrap_or_default() };
        let signed = self.tokens.issue(&principal, host_now(), TimeDelta::hours(1));
        signed.expect("a principal is plain data")
    }

    /// The link as it stands in its address.
    pub fn link_text(&self) -> String {
        self.tokens.issue_link(&self.link).expect("a link is plain data")
    }

    /// The note of a form that was handed out just now, for a report of its own.
    pub fn note(&self, client_id: String) -> String {
        let (opened_at, link) = (host_now(), &self.link);
        let (id, person, expires_at) = (link.id.clone(), link.person.clone(), link.expires_at);
        let opened = Opened { link: id, person, client_id, opened_at, expires_at };
        self.tokens.issue_opened(&opened).expect("a note is plain data")
    }

    /// How much has been changed so far: a number that no two reports have.
    pub fn changes(&self) -> u32 {
        self.changes
    }

    pub fn answer(&mut self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(Peer(std::net::Ipv4Addr::LOCALHOST.into()));
        let asks = request.method() != "GET";
        let service = TowerToHyperService::new(self.router.clone());
        let answer = self.runtime.block_on(async {
            let response =
                tokio::time::timeout(STUCK, service.call(request)).await.expect("nothing is stuck");
            let (parts, body) = response.expect("a router has no errors of its own").into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("our bodies are whole");
            (parts, String::from_utf8(body.to_vec()).expect("we write UTF-8"))
        });
        let (parts, body) = answer;
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        self.changes += u32::from(asks && answer.read() == super::Read::Taken);
        answer
    }
}

/// The services that nobody asks anything, for as long as they are needed.
struct Begun {
    stopper: Stopper,
    loops: Vec<JoinHandle<()>>,
}

impl Begun {
    async fn end(self) -> anyhow::Result<()> {
        self.stopper.stop();
        for ended in self.loops {
            ended.await.context("a service panicked")?;
        }
        Ok(())
    }
}

async fn opened(tokens: &Tokens, lifecycle: &Lifecycle) -> anyhow::Result<(Router, Begun)> {
    let pack: Arc<Pack> = base::PACK.clone();
    let store = Store::in_memory().await?;
    migrate(&store).await?;
    let in_force = InForce::new(pack.clone());
    let stream: Arc<dyn Stream> = Arc::new(EmbeddedStream::open(store.clone()).await?);
    let thursday: DateTime<Utc> = "2026-03-05T01:00:00Z".parse()?;
    let clock = Clock::driven(thursday);
    let around = Surroundings { store: store.clone(), stream, clock, metrics: Metrics::new() };
    partner::follow(&store, &pack.partners, thursday).await?;
    let route = Route::new(&in_force).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let (stopper, until_open) = Lifecycle::new();
    let mut begun = Begun { stopper, loops: Vec::new() };
    begun.loops.push(spawn(route, &around, &until_open).1);
    let (discover, _) = spawn(Discover::new(&in_force), &around, lifecycle);
    let (handle, _) = spawn(Handle::new(&in_force), &around, lifecycle);
    let (partner, _) = spawn(PartnerDesk::new(&in_force), &around, lifecycle);
    let front =
        Front { around: &around, pack: &in_force, tokens, health: Vec::new(), beside: Vec::new(), lifecycle };
    let accounts = Accounts { store, proxies: Proxies::default() };
    let routes = Routes::discover(&front, discover)
        .and(Routes::handle(&front, handle))
        .and(Routes::supervise(&front))
        .and(Routes::partner(&front, partner))
        .and(Routes::console(accounts, &in_force, tokens))
        .with_probes(&front);
    Ok((finished(routes), begun))
}

fn spawn<S: Service>(service: Arc<S>, around: &Surroundings, until: &Lifecycle) -> (Desk<S>, JoinHandle<()>) {
    let (desk, running) = Turns::new(service, around).open_desk(until.clone());
    (desk, tokio::spawn(running))
}
