//! The embedded setting: all services in one process, on one SQLite file in one folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Context, bail};
use discover::Discover;
use handle::Handle;
use platform::clock::Clock;
use platform::entropy;
use platform::lifecycle::Lifecycle;
use platform::metrics::Metrics;
use platform::pack::Pack;
use platform::store::{Store, log, packs};
use platform::stream::{EmbeddedStream, Stream};
use platform::turn::{Health, Service, Surroundings, Turns};
use route::Route;
use supervise::Supervise;
use tokio::sync::Mutex;

use crate::http::{Desks, Router};
use crate::settling::{Reads, Shared, meanwhile};

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
        let supervise = Supervise::new(&around.metrics)?;
        note_pack(&around, &pack).await?;
        Ok(Self {
            folder: folder.to_owned(),
            discover: shared(Discover::new(&pack), &around),
            route: shared(route, &around),
            handle: shared(Handle::new(&pack), &around),
            supervise: shared(supervise, &around),
            pack,
            around,
            lock,
        })
    }

    /// Runs turns until no fact waits anywhere; answers how many were read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&self) -> anyhow::Result<usize> {
        let mut all = 0;
        loop {
            let readers: Vec<Shared<dyn Reads>> =
                vec![self.route.clone(), self.handle.clone(), self.supervise.clone()];
            match meanwhile(&self.around.stream, async { Ok(()) }, readers).await? {
                ((), 0) => return Ok(all),
                ((), some) => all += some,
            }
        }
    }

    /// Sweeps and settles until nothing is due; answers how many steps were told of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> anyhow::Result<usize> {
        let mut all = 0;
        loop {
            let sweep = async {
                let mut supervise = self.supervise.lock().await;
                let mut told = 0;
                loop {
                    match supervise.sweep().await? {
                        0 => return Ok(told),
                        some => told += some,
                    }
                }
            };
            let readers: Vec<Shared<dyn Reads>> = vec![self.route.clone(), self.handle.clone()];
            let (told, _) = meanwhile(&self.around.stream, sweep, readers).await?;
            self.settle().await?;
            if told == 0 {
                return Ok(all);
            }
            all += told;
        }
    }
}

/// A service of its own beginning.
pub fn shared<S: Service>(service: Arc<S>, around: &Surroundings) -> Shared<Turns<S>> {
    Arc::new(Mutex::new(Turns::new(service, around)))
}

/// Takes a service back from those who shared it.
fn sole<S: Service>(shared: Shared<Turns<S>>) -> Turns<S> {
    let turns = Arc::into_inner(shared).expect("whoever lets services work beside each other waits for them");
    turns.into_inner()
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
    let tx = around.store.begin().await?;
    for service in [Discover::NAME, Route::NAME, Handle::NAME, Supervise::NAME] {
        if let Some(other) = packs::other(&tx, service, &pack.code).await? {
            let code = &pack.code;
            bail!(
                "this folder holds cases of the pack {other}, not {code}: give the right --pack, or another --data / \
                 该目录中是辖区包 {other} 的案件，而不是 {code}：请改用正确的 --pack，或换一个 --data"
            );
        }
        packs::note(&tx, service, &pack.code, &pack.digest, around.clock.now()).await?;
    }
    tx.commit().await.context("cannot note the pack")
}

/// All services split for running: loops to spawn, desks to ask at, a router to serve.
pub struct Parts {
    pub folder: PathBuf,
    pub pack: Arc<Pack>,
    pub around: Surroundings,
    pub desks: Desks,
    pub router: Router,
    pub loops: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pub lock: File,
}

impl Embedded {
    /// Opens the desks and hands everything out for running. `route` builds the router while the services
    /// can still be looked at.
    pub fn into_parts(
        self,
        lifecycle: &Lifecycle,
        routes: impl FnOnce(&Front<'_>, Desks) -> Router,
    ) -> Parts {
        let (discover, route) = (sole(self.discover), sole(self.route));
        let (handle, supervise) = (sole(self.handle), sole(self.supervise));
        let front = Front {
            around: &self.around,
            pack: &self.pack,
            health: vec![
                (Discover::NAME, discover.health()),
                (Route::NAME, route.health()),
                (Handle::NAME, handle.health()),
                (Supervise::NAME, supervise.health()),
            ],
        };
        let (discover, discovering) = discover.open_desk(lifecycle.clone());
        let (_, routing) = route.open_desk(lifecycle.clone());
        let (handle, handling) = handle.open_desk(lifecycle.clone());
        let (_, supervising) = supervise.open_desk(lifecycle.clone());
        let desks = Desks { discover, handle };
        let router = routes(&front, desks.clone());
        Parts {
            router,
            desks,
            loops: vec![Box::pin(discovering), Box::pin(routing), Box::pin(handling), Box::pin(supervising)],
            folder: self.folder,
            pack: self.pack.clone(),
            around: self.around.clone(),
            lock: self.lock,
        }
    }
}

/// What the endpoints of all services stand on.
pub struct Front<'a> {
    pub around: &'a Surroundings,
    pub pack: &'a Arc<Pack>,
    pub health: Vec<(&'static str, Health)>,
}
