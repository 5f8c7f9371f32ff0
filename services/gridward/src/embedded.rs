//! The embedded setting: all services in one process, on one SQLite file in one folder.

use std::cell::Cell;
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

use crate::http::{Desks, Router};

/// The name of the lock file in a data folder.
const LOCK: &str = "gridward.lock";

/// All services, opened and not yet running.
pub struct Embedded {
    pub folder: PathBuf,
    pub pack: Arc<Pack>,
    pub around: Surroundings,
    pub discover: Turns<Discover>,
    pub route: Turns<Route>,
    pub handle: Turns<Handle>,
    pub supervise: Turns<Supervise>,
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
            discover: Turns::new(Discover::new(&pack), &around),
            route: Turns::new(route, &around),
            handle: Turns::new(Handle::new(&pack), &around),
            supervise: Turns::new(supervise, &around),
            pack,
            around,
            lock,
        })
    }

    /// Runs turns until no fact waits anywhere; answers how many were read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&mut self) -> anyhow::Result<usize> {
        let mut all = 0;
        loop {
            // Together: while one decides, the database works for another.
            let (route, handle, supervise) = tokio::try_join!(
                biased;
                self.route.take_facts(),
                self.handle.take_facts(),
                self.supervise.take_facts(),
            )?;
            let read = route.all() + handle.all() + supervise.all();
            if read == 0 {
                return Ok(all);
            }
            all += read;
        }
    }

    /// Sweeps and settles until nothing is due; answers how many steps were told of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&mut self) -> anyhow::Result<usize> {
        let mut all = 0;
        loop {
            let Self { route, handle, supervise, around, .. } = self;
            let sweep = async {
                let mut told = 0;
                loop {
                    match supervise.sweep().await? {
                        0 => return Ok(told),
                        some => told += some,
                    }
                }
            };
            let told = meanwhile(&*around.stream, sweep, async || {
                let (route, handle) = tokio::try_join!(biased; route.take_facts(), handle.take_facts())?;
                Ok(route.all() + handle.all())
            });
            let told = told.await?;
            self.settle().await?;
            if told == 0 {
                return Ok(all);
            }
            all += told;
        }
    }
}

/// Does `work`, and meanwhile reads what it publishes: while one decides, the database works for another.
/// Ends when the work is done and there is nothing more to read.
///
/// # Errors
/// When the work fails, or the reading.
pub async fn meanwhile<T>(
    stream: &dyn Stream,
    work: impl Future<Output = anyhow::Result<T>>,
    mut read: impl AsyncFnMut() -> anyhow::Result<usize>,
) -> anyhow::Result<T> {
    let done = Cell::new(false);
    let mut arrivals = stream.arrivals();
    let working = async {
        let outcome = work.await;
        done.set(true);
        stream.published();
        outcome
    };
    // Never dropped half-way: a turn that was would not know whether it had committed.
    let reading = async {
        loop {
            arrivals.mark_unchanged();
            let last = done.get();
            if read().await? > 0 {
                continue;
            }
            if last {
                return anyhow::Ok(());
            }
            let _ = arrivals.changed().await;
        }
    };
    let (outcome, read) = tokio::join!(biased; working, reading);
    read?;
    outcome
}

/// Migrates the file in `folder`, and gives a new one its log's identity.
///
/// # Errors
/// When a migration fails.
pub async fn prepare(folder: &Path) -> anyhow::Result<Store> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let store = Store::open(folder)
        .await
        .with_context(|| format!("cannot open the database in {}", folder.display()))?;
    migrations::up(store.writer()).await.context("cannot migrate the database")?;
    let tx = store.begin().await?;
    let identity: String = entropy::draw::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    log::identify(&tx, &identity).await?;
    tx.commit().await.context("cannot write the identity of the log")?;
    Ok(store)
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
        let front = Front {
            around: &self.around,
            pack: &self.pack,
            health: vec![
                (Discover::NAME, self.discover.health()),
                (Route::NAME, self.route.health()),
                (Handle::NAME, self.handle.health()),
                (Supervise::NAME, self.supervise.health()),
            ],
        };
        let (discover, discovering) = self.discover.open_desk(lifecycle.clone());
        let (_, routing) = self.route.open_desk(lifecycle.clone());
        let (handle, handling) = self.handle.open_desk(lifecycle.clone());
        let (_, supervising) = self.supervise.open_desk(lifecycle.clone());
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
