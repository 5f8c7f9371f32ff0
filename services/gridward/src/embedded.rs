//! The embedded setting: all services in one process, on one SQLite file in one folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use discover::Discover;
use handle::Handle;
use partner::PartnerDesk;
use platform::clock::Clock;
use platform::entropy;
use platform::http::Proxies;
use platform::metrics::Metrics;
use platform::pack::{InForce, Pack};
use platform::register::Register;
use platform::store::{Store, log, packs};
use platform::stream::{EmbeddedStream, Stream};
use platform::turn::{Service, Surroundings, Turns};
use route::Route;
use supervise::Supervise;
use tokio::sync::Mutex;

use crate::in_force::{self, Follower, Named};
use crate::running::{Accounts, Held, Ready};
use crate::servers::services;
use crate::settling::{At, Office, Shared};

/// The name of the lock file in a data folder.
const LOCK: &str = "gridward.lock";

/// All services, opened and not yet running.
pub struct Embedded {
    pub folder: PathBuf,
    /// As it was at the start.
    pub pack: Arc<Pack>,
    pub in_force: InForce,
    pub around: Surroundings,
    pub discover: Shared<Turns<Discover>>,
    pub route: Shared<Turns<Route>>,
    pub handle: Shared<Turns<Handle>>,
    pub supervise: Shared<Turns<Supervise>>,
    /// Where the pack has partner organisations.
    pub partner: Option<Shared<Turns<PartnerDesk>>>,
    /// Held as long as the process may write.
    lock: File,
}

impl Embedded {
    /// Opens `folder`, making and migrating its file as needed. What is published in it goes before the pack that is
    /// named; where none is, the one that it ran on is meant.
    ///
    /// # Errors
    /// When another process has the folder, the file cannot be opened or migrated, the pack cannot be used, or its
    /// boundaries cannot.
    pub async fn open(folder: &Path, named: impl Into<Named>, clock: Clock) -> anyhow::Result<Self> {
        let lock = lock(folder)?;
        let store = prepare(folder).await?;
        let named = named.into().or_of(packs::code(store.readers(), Handle::NAME).await?);
        let in_force = in_force::begin(&named, &mut Register::in_file(store.clone())).await?;
        let pack = in_force.now();
        let stream: Arc<dyn Stream> = Arc::new(EmbeddedStream::open(store.clone()).await?);
        let around = Surroundings { store, stream, clock, metrics: Metrics::new() };
        let route = Route::new(&in_force).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        in_force::warn_of_gaps(&route, &around.clock);
        let supervise = Supervise::new(&in_force, &around.metrics)?;
        for service in services(&pack).into_iter().chain([console::NAME]) {
            in_force::note(service, &around.store, &around.clock, &in_force).await?;
        }
        partner::follow(&around.store, &pack.partners, around.clock.now()).await?;
        Ok(Self {
            folder: folder.to_owned(),
            discover: shared(Discover::new(&in_force), &around),
            route: shared(route, &around),
            handle: shared(Handle::new(&in_force), &around),
            supervise: shared(supervise, &around),
            partner: pack.has_partners().then(|| shared(PartnerDesk::new(&in_force), &around)),
            pack,
            in_force,
            around,
            lock,
        })
    }

    /// All services as one office, for whoever decides what happens when.
    pub fn office(&self) -> Office {
        Office {
            pack: self.pack.clone(),
            clock: self.around.clock.clone(),
            discover: At::new(self.discover.clone(), &self.around),
            route: At::new(self.route.clone(), &self.around),
            handle: At::new(self.handle.clone(), &self.around),
            supervise: At::new(self.supervise.clone(), &self.around),
            partner: self.partner.clone().map(|partner| At::new(partner, &self.around)),
        }
    }

    /// As [`Office::settle`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&self) -> anyhow::Result<usize> {
        self.office().settle().await
    }

    /// As [`Office::sweep`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> anyhow::Result<usize> {
        self.office().sweep().await
    }
}

/// A service of its own beginning.
pub fn shared<S: Service>(service: Arc<S>, around: &Surroundings) -> Shared<Turns<S>> {
    Arc::new(Mutex::new(Turns::new(service, around)))
}

/// Migrates the file in `folder`, and gives a new one its log's identity.
///
/// # Errors
/// When a migration fails.
pub async fn prepare(folder: &Path) -> anyhow::Result<Store> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let store = Store::open(folder).await?;
    migrate(&store).await?;
    Ok(store)
}

/// Migrates a database that holds everything, and gives a new one its log's identity.
///
/// # Errors
/// When a migration fails.
pub async fn migrate(store: &Store) -> anyhow::Result<()> {
    migrations::up(store.writer()).await.context("cannot migrate the database")?;
    let tx = store.begin().await?;
    let identity: String = entropy::draw::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    log::identify(&tx, &identity).await?;
    tx.commit().await.context("cannot write the identity of the log")
}

/// Takes the folder for this process alone.
///
/// # Errors
/// When another process has it.
pub fn lock(folder: &Path) -> anyhow::Result<File> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(LOCK);
    let file =
        File::create(&path).with_context(|| format!("cannot make the lock file {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => bail!(
            "another gridward process has the folder {}: stop it first, or give this one another --data / \
             另一个 gridward 进程正在使用该目录，请先停止它，或用 --data 指定其他目录",
            folder.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => Err(error).context("cannot lock the data folder"),
    }
}

/// Opens the file in `folder` beside a running process, which has brought it up to date; without one, brings it up to
/// date.
///
/// # Errors
/// When there is no such file, or it cannot be opened or migrated.
pub async fn beside(folder: &Path) -> anyhow::Result<Store> {
    if !folder.join(platform::store::FILE).is_file() {
        bail!(
            "there is no database in {0}: name the --data of the running `gridward all`, or make one with `gridward migrate` / \
             {0} 中没有数据库：请用 --data 指定正在运行的目录，或先运行 gridward migrate",
            folder.display()
        );
    }
    match lock(folder) {
        Ok(_held) => prepare(folder).await,
        Err(_) => Ok(Store::open(folder).await?),
    }
}

impl Embedded {
    /// What brings a version that is published into force, for whoever looks when they like.
    pub fn follower(&self) -> Follower {
        let stores = services(&self.pack).into_iter().chain([console::NAME]);
        let stores = stores.map(|service| (service, self.around.store.clone())).collect();
        let register = Register::in_file(self.around.store.clone());
        Follower::new(register, &self.in_force, stores, &self.around.clock, &self.around.metrics)
    }

    /// To be run.
    pub fn ready(self) -> Ready {
        let office = self.office();
        let register = Register::in_file(self.around.store.clone());
        let accounts = Accounts { store: self.around.store, proxies: Proxies::default() };
        let (in_force, metrics) = (self.in_force, self.around.metrics);
        Ready { office, accounts, metrics, in_force, register, held: Held::Folder(self.lock) }
    }
}
