//! All services in one process, and letting them work beside each other until nothing is left to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use discover::Discover;
use handle::Handle;
use partner::PartnerDesk;
use platform::clock::Clock;
use platform::pack::Pack;
use platform::store::{Store, StoreError};
use platform::stream::Stream;
use platform::turn::{Service, Surroundings, Turns};
use route::Route;
use supervise::Supervise;
use tokio::sync::Mutex;

/// A service that one thing after another asks something of.
pub type Shared<R> = Arc<Mutex<R>>;

/// One service, and where it is: its store, and the stream as it sees it.
pub struct At<S: Service> {
    pub turns: Shared<Turns<S>>,
    pub store: Store,
    pub stream: Arc<dyn Stream>,
}

impl<S: Service> Clone for At<S> {
    fn clone(&self) -> Self {
        Self { turns: self.turns.clone(), store: self.store.clone(), stream: self.stream.clone() }
    }
}

impl<S: Service> At<S> {
    pub fn new(turns: Shared<Turns<S>>, around: &Surroundings) -> Self {
        Self { turns, store: around.store.clone(), stream: around.stream.clone() }
    }

    /// As one that reads.
    pub fn reader(&self) -> Reader {
        Reader { turns: self.turns.clone(), stream: self.stream.clone() }
    }
}

/// A service as one that reads facts, whichever it is.
pub struct Reader {
    turns: Shared<dyn Reads>,
    stream: Arc<dyn Stream>,
}

/// What reading asks of a service.
#[async_trait::async_trait]
pub trait Reads: Send + 'static {
    /// Takes what waits, up to a turn a partition; answers how many facts that were.
    ///
    /// # Errors
    /// When the database fails.
    async fn read(&mut self) -> Result<usize, StoreError>;

    /// Whether anything on the log is still to be read.
    ///
    /// # Errors
    /// When the log cannot be asked.
    async fn is_behind(&self) -> Result<bool, StoreError>;
}

#[async_trait::async_trait]
impl<S: Service> Reads for Turns<S> {
    async fn read(&mut self) -> Result<usize, StoreError> {
        Ok(self.take_facts().await?.all())
    }

    async fn is_behind(&self) -> Result<bool, StoreError> {
        Turns::is_behind(self).await
    }
}

/// All services in one process, in either setting, for whoever decides what happens when: a replay, a test.
#[derive(Clone)]
pub struct Office {
    /// As it was at the start.
    pub pack: Arc<Pack>,
    pub clock: Clock,
    pub discover: At<Discover>,
    pub route: At<Route>,
    pub handle: At<Handle>,
    pub supervise: At<Supervise>,
    /// Where the office has partner organisations.
    pub partner: Option<At<PartnerDesk>>,
}

impl Office {
    fn readers(&self) -> Vec<Reader> {
        let always = [self.route.reader(), self.handle.reader(), self.supervise.reader()];
        always.into_iter().chain(self.partner.as_ref().map(At::reader)).collect()
    }

    /// Runs turns until no fact waits anywhere; answers how many were read.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn settle(&self) -> anyhow::Result<usize> {
        let mut all = 0;
        loop {
            match meanwhile(self.on_the_log(), self.readers()).await? {
                ((), 0) if !self.is_behind().await? => return Ok(all),
                ((), some) => all += some,
            }
        }
    }

    /// Waits until what was published is on the log.
    async fn on_the_log(&self) -> anyhow::Result<()> {
        let always = [&self.discover.stream, &self.route.stream, &self.handle.stream, &self.supervise.stream];
        for stream in always.into_iter().chain(self.partner.as_ref().map(|partner| &partner.stream)) {
            stream.settled().await?;
        }
        Ok(())
    }

    /// In a file what is published is there to be read at once, and whoever read nothing has read all of it.
    async fn is_behind(&self) -> anyhow::Result<bool> {
        if !self.discover.store.is_shared() {
            return Ok(false);
        }
        for reader in self.readers() {
            if reader.turns.lock().await.is_behind().await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sweeps and settles until nothing is due; answers how many steps were told of.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn sweep(&self) -> anyhow::Result<usize> {
        let mut all = 0;
        loop {
            let sweep = async {
                let mut supervise = self.supervise.turns.lock().await;
                let mut told = 0;
                loop {
                    match supervise.sweep().await? {
                        0 => break,
                        some => told += some,
                    }
                }
                drop(supervise);
                let Some(partner) = &self.partner else { return Ok(told) };
                let mut partner = partner.turns.lock().await;
                loop {
                    match partner.sweep().await? {
                        0 => return Ok(told),
                        some => told += some,
                    }
                }
            };
            let (told, _) = meanwhile(sweep, vec![self.route.reader(), self.handle.reader()]).await?;
            self.settle().await?;
            if told == 0 {
                return Ok(all);
            }
            all += told;
        }
    }

    /// Closes every database.
    ///
    /// # Errors
    /// When one cannot be closed.
    pub async fn close(&self) -> anyhow::Result<()> {
        let always = [&self.discover.store, &self.route.store, &self.handle.store, &self.supervise.store];
        for store in always.into_iter().chain(self.partner.as_ref().map(|partner| &partner.store)) {
            store.clone().close().await?;
        }
        Ok(())
    }
}

/// Does `work`, and meanwhile lets `readers` take what it publishes, each in a task of its own. Ends when the
/// work is done and each reader has found nothing more to read; answers how much was read. What readers
/// publish for each other may still wait then.
///
/// # Errors
/// When the work fails, or a reader.
pub async fn meanwhile<T>(
    work: impl Future<Output = anyhow::Result<T>>,
    readers: Vec<Reader>,
) -> anyhow::Result<(T, usize)> {
    let done = Arc::new(AtomicBool::new(false));
    let streams: Vec<_> = readers.iter().map(|reader| reader.stream.clone()).collect();
    let reading: Vec<_> =
        readers.into_iter().map(|reader| tokio::spawn(read_on(reader, done.clone()))).collect();
    let outcome = work.await;
    done.store(true, Ordering::SeqCst);
    streams.iter().for_each(|stream| stream.published());
    // Each is waited for, also when another failed: nothing of ours works on once we have answered.
    let mut read: anyhow::Result<usize> = Ok(0);
    for one in reading {
        let one = one.await.context("a service panicked").and_then(|one| one.map_err(anyhow::Error::from));
        read = read.and_then(|all| Ok(all + one?));
    }
    Ok((outcome?, read?))
}

async fn read_on(reader: Reader, done: Arc<AtomicBool>) -> Result<usize, StoreError> {
    let mut turns = reader.turns.lock().await;
    let mut arrivals = reader.stream.arrivals();
    let mut all = 0;
    loop {
        arrivals.mark_unchanged();
        let last = done.load(Ordering::SeqCst);
        match turns.read().await? {
            0 if last => return Ok(all),
            0 => {
                // The stream outlives its readers; were it gone, there would be nothing to wait for.
                let _ = arrivals.changed().await;
            }
            some => all += some,
        }
    }
}
