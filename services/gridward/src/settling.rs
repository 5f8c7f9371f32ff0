//! Lets services work beside each other until nothing is left to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use platform::store::StoreError;
use platform::stream::Stream;
use platform::turn::{Service, Turns};
use tokio::sync::Mutex;

/// A service that one thing after another asks something of.
pub type Shared<R> = Arc<Mutex<R>>;

/// A service as one that reads facts, whichever it is.
#[async_trait::async_trait]
pub trait Reads: Send + 'static {
    /// Takes what waits, up to a turn a partition; answers how many facts that were.
    ///
    /// # Errors
    /// When the database fails.
    async fn read(&mut self) -> Result<usize, StoreError>;
}

#[async_trait::async_trait]
impl<S: Service> Reads for Turns<S> {
    async fn read(&mut self) -> Result<usize, StoreError> {
        Ok(self.take_facts().await?.all())
    }
}

/// Does `work`, and meanwhile lets `readers` take what it publishes, each in a task of its own. Ends when the
/// work is done and each reader has found nothing more to read; answers how much was read. What readers
/// publish for each other may still wait then.
///
/// # Errors
/// When the work fails, or a reader.
pub async fn meanwhile<T>(
    stream: &Arc<dyn Stream>,
    work: impl Future<Output = anyhow::Result<T>>,
    readers: Vec<Shared<dyn Reads>>,
) -> anyhow::Result<(T, usize)> {
    let done = Arc::new(AtomicBool::new(false));
    let reading: Vec<_> = readers
        .into_iter()
        .map(|reader| tokio::spawn(read_on(reader, stream.clone(), done.clone())))
        .collect();
    let outcome = work.await;
    done.store(true, Ordering::SeqCst);
    stream.published();
    // Each is waited for, also when another failed: nothing of ours works on once we have answered.
    let mut read: anyhow::Result<usize> = Ok(0);
    for one in reading {
        let one = one.await.context("a service panicked").and_then(|one| one.map_err(anyhow::Error::from));
        read = read.and_then(|all| Ok(all + one?));
    }
    Ok((outcome?, read?))
}

async fn read_on(
    reader: Shared<dyn Reads>,
    stream: Arc<dyn Stream>,
    done: Arc<AtomicBool>,
) -> Result<usize, StoreError> {
    let mut reader = reader.lock().await;
    let mut arrivals = stream.arrivals();
    let mut all = 0;
    loop {
        arrivals.mark_unchanged();
        let last = done.load(Ordering::SeqCst);
        match reader.read().await? {
            0 if last => return Ok(all),
            0 => {
                // The stream outlives its readers; were it gone, there would be nothing to wait for.
                let _ = arrivals.changed().await;
            }
            some => all += some,
        }
    }
}
