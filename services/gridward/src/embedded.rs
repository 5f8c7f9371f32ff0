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
use platform::pack::Pack;
use platform::store::{Store, log, packs};
use platform::stream::{EmbeddedStream, Stream};
use platform::turn::{Service, Surroundings, Turns};
use route::Route;
use supervise::Supervise;
use tokio::sync::Mutex;

use crate::running::{Accounts, Held, Ready};
use crate::servers::services;
use crate::settling::{At, Office, Shared};

/// The name of the lock file in a data folder.
const LOCK: &str = "gridward.lock";

/// All services, opened and not yet running.
pub struct Embedded {
    pub folder: PathBuf,
    pub pack: Arc<Pack>,
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
    /// Opens `folder`, making and migrating its file as needed.
    ///
    /// # Errors
    /// When another process has the folder, the file cannot be opened or migrated, or the pack's
    /// boundaries cannot be used.
    pub async fn open(folder: &Path, pack: Arc<Pack>, clock: Clock) -> anyhow::Result<Self> {
        let lock = lock(folder)?;
        let store = prepare(folder).await?;
        let stream: Arc<dyn Stream> = Arc::new(EmbeddedStream::open(store.clone()).await?);
        let around = Surroundings { store, stream, clock, metrics: Metrics::new() };
        let route = Route::new(&pack).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let supervise = Supervise::new(&pack, &around.metrics)?;
        note_pack(&around, &pack).await?;
        partner::begin_with(&around.store, &pack.partners, around.clock.now()).await?;
        Ok(Self {
            folder: folder.to_owned(),
            discover: shared(Discover::new(&pack), &around),
            route: shared(route, &around),
            handle: shared(Handle::new(&pack), &around),
            supervise: shared(supervise, &around),
            partner: pack.has_partners().then(|| shared(PartnerDesk::new(&pack), &around)),
            pack,
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

async fn note_pack(around: &Surroundings, pack: &Pack) -> anyhow::Result<()> {
    for service in services(pack).into_iter().chain([console::NAME]) {
        note_pack_of(service, &around.store, &around.clock, pack).await?;
    }
    Ok(())
}

/// Notes that `service` runs on `pack` from now on.
///
/// # Errors
/// When its store holds cases of another pack.
pub async fn note_pack_of(
    service: &'static str,
    store: &Store,
    clock: &Clock,
    pack: &Pack,
) -> anyhow::Result<()> {
    let tx = store.begin().await?;
    if let Some(other) = packs::other(&tx, service, &pack.code).await? {
        let (code, place) = (&pack.code, store.place());
        bail!(
            "{place} holds cases of the pack {other}, not {code}: give the right --pack, or another --data / \
             {place} 中是辖区包 {other} 的案件，而不是 {code}：请改用正确的 --pack，或换一个 --data"
        );
    }
    packs::note(&tx, service, &pack.code, &pack.digest, clock.now()).await?;
    tx.commit().await.context("cannot note the pack")
}

impl Embedded {
    /// To be run.
    pub fn ready(self) -> Ready {
        let office = self.office();
        let accounts = Accounts { store: self.around.store, proxies: Proxies::default() };
        Ready { office, accounts, metrics: self.around.metrics, held: Held::Folder(self.lock) }
    }
}
