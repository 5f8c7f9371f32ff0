//! A way through which one process reaches a server: it can be cut, fall silent, and eat the answer to a COMMIT.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Nothing comes through, and nobody is told: what was sent arrives when it is open again.
    Silent,
    /// Every connection is closed, and new ones are closed at once.
    Cut,
}

/// Forwards connections to a port of this machine.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    way: watch::Sender<Way>,
    counts: Arc<Counts>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    /// The next answer to a COMMIT is not passed on.
    hungry: AtomicBool,
    eaten: AtomicUsize,
    /// Connections that were closed, or pieces that were held up.
    hit: AtomicUsize,
}

/// What PostgreSQL answers when a transaction is committed: CommandComplete with the tag of the command.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";

impl Proxy {
    /// # Errors
    /// When no port can be had.
    pub async fn to(target: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (way, seen) = watch::channel(Way::Open);
        let counts = Arc::new(Counts::default());
        let of_all = counts.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(forward(near, target, seen.clone(), of_all.clone()));
            }
        });
        Ok(Self { port, way, counts, accepting })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, way: Way) {
        self.counts.hit.store(0, Ordering::SeqCst);
        self.way.send_replace(way);
    }

    /// How often somebody ran into it since the way was last set.
    pub fn hits(&self) -> usize {
        self.counts.hit.load(Ordering::SeqCst)
    }

    /// The next answer to a COMMIT is eaten, or, told otherwise, none.
    pub fn be_hungry(&self, hungry: bool) {
        self.counts.hungry.store(hungry, Ordering::SeqCst);
    }

    /// How many answers were eaten in all.
    pub fn eaten(&self) -> usize {
        self.counts.eaten.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn forward(near: TcpStream, target: u16, way: watch::Receiver<Way>, counts: Arc<Counts>) {
    let mut cut = way.clone();
    let through = async {
        let Ok(far) = TcpStream::connect(("127.0.0.1", target)).await else { return };
        // A request is one small piece: without this each would wait for the answer to the one before.
        if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
            return;
        }
        // Whichever ends first closes both.
        tokio::select! {
            _ = pass(&near, &far, way.clone(), &counts, false) => {}
            _ = pass(&far, &near, way, &counts, true) => {}
        }
    };
    tokio::select! {
        () = through => {}
        _ = cut.wait_for(|way| *way == Way::Cut) => { counts.hit.fetch_add(1, Ordering::SeqCst); }
    }
}

/// Passes on what `from` says, as long as the way is open.
async fn pass(
    from: &TcpStream,
    to: &TcpStream,
    mut way: watch::Receiver<Way>,
    counts: &Counts,
    answers: bool,
) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = read(from, &mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        if *way.borrow() != Way::Open {
            counts.hit.fetch_add(1, Ordering::SeqCst);
            // An error means that the proxy is gone.
            way.wait_for(|way| *way == Way::Open).await.map_err(io::Error::other)?;
        }
        let committed = answers && piece[..length].windows(COMMITTED.len()).any(|said| said == COMMITTED);
        if committed && counts.hungry.swap(false, Ordering::SeqCst) {
            counts.eaten.fetch_add(1, Ordering::SeqCst);
            return Ok(());
        }
        write(to, &piece[..length]).await?;
    }
}

async fn read(from: &TcpStream, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        from.readable().await?;
        match from.try_read(piece) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}

/// Writes all of `piece`.
///
/// # Errors
/// When the connection is closed.
pub async fn write(to: &TcpStream, mut piece: &[u8]) -> io::Result<()> {
    while !piece.is_empty() {
        to.writable().await?;
        match to.try_write(piece) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => piece = &piece[written?..],
        }
    }
    Ok(())
}
