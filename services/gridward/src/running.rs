//! All services in one process, running: their loops, one listener for all of them, and an end in good order.

use std::fs::File;
use std::sync::Arc;

use anyhow::Context;
use discover::Discover;
use handle::Handle;
use partner::PartnerDesk;
use platform::clock::Clock;
use platform::http::{Patience, Proxies};
use platform::lifecycle::{Lifecycle, Stopper};
use platform::metrics::Metrics;
use platform::pack::{InForce, Pack};
use platform::register::Register;
use platform::store::Store;
use platform::token::Tokens;
use platform::turn::{Desk, Service, Surroundings, Turns};
use route::Route;
use supervise::Supervise;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tracing::info;

use crate::http::{Desks, Front, Router, Routes, finished};
use crate::in_force::Follower;
use crate::servers::Beside;
use crate::settling::{At, Office};

/// All services of one process, opened and not yet running.
pub struct Ready {
    pub office: Office,
    pub accounts: Accounts,
    pub metrics: Metrics,
    pub in_force: InForce,
    /// Where the next version is published.
    pub register: Register,
    pub held: Held,
}

/// What signing in stands on.
pub struct Accounts {
    pub store: Store,
    /// Whose word is taken for where somebody asks from.
    pub proxies: Proxies,
}

/// What is held as long as they run.
pub enum Held {
    /// A folder, so that no other process writes there.
    Folder(File),
    /// The relays and what reads the topics.
    Servers(Beside),
}

/// A running process: its loops and its listener.
pub struct Running {
    loops: JoinSet<()>,
    ending: Stopper,
    listening: JoinHandle<std::io::Result<()>>,
    stage: Stage,
    held: Held,
}

/// What somebody who acts without HTTP needs of a running process.
#[derive(Clone, Debug)]
pub struct Stage {
    pub desks: Desks,
    pub clock: Clock,
    /// As it was at the start.
    pub pack: Arc<Pack>,
    /// discover, route, handle, supervise, console, and partner where there is one; all the same in a folder.
    stores: Vec<(&'static str, Store)>,
}

impl Stage {
    /// The store that has the tables of `service`.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn store(&self, service: &str) -> &Store {
        let found = self.stores.iter().find(|(name, _)| *name == service);
        &found.expect("the names of the services are known").1
    }
}

/// Starts the services as tasks and serves their endpoints until `lifecycle` ends. `extend` may add to the routes.
///
/// # Errors
/// When the listener has no address.
pub fn start(
    ready: Ready,
    listener: TcpListener,
    tokens: &Tokens,
    lifecycle: &Lifecycle,
    extend: impl FnOnce(Router) -> Router,
) -> anyhow::Result<Running> {
    let address = listener.local_addr()?;
    let Ready { office, accounts, metrics, in_force, register, held } = ready;
    let Office { pack, clock, discover, route, handle, supervise, partner } = office;
    let mut stores = vec![
        (Discover::NAME, discover.store.clone()),
        (Route::NAME, route.store.clone()),
        (Handle::NAME, handle.store.clone()),
        (Supervise::NAME, supervise.store.clone()),
        (console::NAME, accounts.store.clone()),
    ];
    stores.extend(partner.as_ref().map(|partner| (PartnerDesk::NAME, partner.store.clone())));
    let around = |store: &Store, stream: &Arc<dyn platform::stream::Stream>| Surroundings {
        store: store.clone(),
        stream: stream.clone(),
        clock: clock.clone(),
        metrics: metrics.clone(),
    };
    let arounds = [
        around(&discover.store, &discover.stream),
        around(&handle.store, &handle.stream),
        around(&supervise.store, &supervise.stream),
    ];
    let around_partner = partner.as_ref().map(|partner| around(&partner.store, &partner.stream));
    let partner = partner.map(sole);
    let (discover, route) = (sole(discover), sole(route));
    let (handle, supervise) = (sole(handle), sole(supervise));
    let mut health = vec![
        (Discover::NAME, discover.health()),
        (Route::NAME, route.health()),
        (Handle::NAME, handle.health()),
        (Supervise::NAME, supervise.health()),
    ];
    health.extend(partner.as_ref().map(|partner| (PartnerDesk::NAME, partner.health())));
    let follower = Follower::new(register, &in_force, stores.clone(), &clock, &metrics);
    let mut beside = match &held {
        Held::Folder(_) => Vec::new(),
        Held::Servers(beside) => beside.health(),
    };
    beside.push(("packs", follower.health()));
    let front = |around| {
        let (health, beside) = (health.clone(), beside.clone());
        Front { around, pack: &in_force, tokens, health, beside, lifecycle }
    };
    let (ending, ended) = Lifecycle::new();
    let mut loops = JoinSet::new();
    let desks = Desks {
        discover: spawn(discover, &ended, &mut loops),
        handle: spawn(handle, &ended, &mut loops),
        partner: partner.map(|partner| spawn(partner, &ended, &mut loops)),
    };
    spawn(route, &ended, &mut loops);
    spawn(supervise, &ended, &mut loops);
    loops.spawn(follower.run(ended.clone()));
    let mut routes = Routes::discover(&front(&arounds[0]), desks.discover.clone())
        .and(Routes::handle(&front(&arounds[1]), desks.handle.clone()))
        .and(Routes::supervise(&front(&arounds[2])))
        .and(Routes::console(accounts, &in_force, tokens));
    if let (Some(around), Some(desk)) = (&around_partner, &desks.partner) {
        routes = routes.and(Routes::partner(&front(around), desk.clone()));
    }
    let routes = routes.with_probes(&front(&arounds[0]));
    let serving =
        platform::http::serve(listener, finished(extend(routes)), lifecycle.clone(), Patience::default());
    let listening = tokio::spawn(serving);
    info!(
        "ready: the API is at http://{address}/api/v1 (openapi.json says what there is), data in {}; Ctrl-C ends it / \
         已就绪：接口见 /api/v1/openapi.json，按 Ctrl-C 停止",
        stores[0].1.place()
    );
    let stage = Stage { desks, clock: clock.clone(), pack: pack.clone(), stores };
    Ok(Running { loops, ending, listening, stage, held })
}

/// Takes a service back from those who shared it.
fn sole<S: Service>(at: At<S>) -> Turns<S> {
    let turns =
        Arc::into_inner(at.turns).expect("whoever lets services work beside each other waits for them");
    turns.into_inner()
}

/// Lets a service run; what nobody asks anything has a desk too.
fn spawn<S: Service>(turns: Turns<S>, ended: &Lifecycle, loops: &mut JoinSet<()>) -> Desk<S> {
    let (desk, running) = turns.open_desk(ended.clone());
    loops.spawn(running);
    desk
}

impl Running {
    pub fn stage(&self) -> Stage {
        self.stage.clone()
    }

    /// Waits until everybody inside has been answered, then ends the loops, sends what they have published, and
    /// closes the databases.
    ///
    /// # Errors
    /// When the listener failed, a loop panicked, or a database cannot be closed.
    pub async fn finished(mut self) -> anyhow::Result<()> {
        self.listening.await.context("the listener panicked")?.context("the listener failed")?;
        self.ending.stop();
        while let Some(ended) = self.loops.join_next().await {
            ended.context("a service panicked")?;
        }
        if let Held::Servers(beside) = self.held {
            beside.close().await?;
        }
        for (_, store) in self.stage.stores {
            store.close().await?;
        }
        info!("stopped");
        Ok(())
    }
}
