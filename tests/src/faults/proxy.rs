//! A way through which one process reaches a server: it can be cut, fall silent, be slow, forget the connections that it
//! has, and eat the answer to a COMMIT.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::instance::beat;

/// How the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Nothing comes through, and nobody is told: what was sent arrives when it is open again.
    Silent,
    /// Every connection is closed, and new ones are closed at once.
    Cut,
    /// Each piece takes so long, either way, and holds up those behind it.
    Slow(Duration),
    /// Nothing comes through the connections that there are, and nobody is told; who ran into it is closed afterwards.
    /// New ones are as they should be.
    HalfOpen,
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
    /// How often connections became half open.
    half_opened: AtomicUsize,
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
        if way == Way::HalfOpen {
            self.counts.half_opened.fetch_add(1, Ordering::SeqCst);
        }
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
    let born = counts.half_opened.load(Ordering::SeqCst);
    let through = async {
        let Ok(far) = TcpStream::connect(("127.0.0.1", target)).await else { return };
        // A request is one small piece: without this each would wait for the answer to the one before.
        if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
            return;
        }
        // Whichever ends first closes both.
        tokio::select! {
            _ = pass(&near, &far, way.clone(), &counts, born, false) => {}
            _ = pass(&far, &near, way, &counts, born, true) => {}
        }
    };
    tokio::select! {
        () = through => {}
        _ = cut.wait_for(|way| *way == Way::Cut) => { counts.hit.fetch_add(1, Ordering::SeqCst); }
    }
}

/// Passes on what `from` says, as the way is; on a connection that was made when connections had become half open
/// `born` times.
async fn pass(
    from: &TcpStream,
    to: &TcpStream,
    mut way: watch::Receiver<Way>,
    counts: &Counts,
    born: usize,
    answers: bool,
) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    let hit = || counts.hit.fetch_add(1, Ordering::SeqCst);
    loop {
        let length = read(from, &mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        // An error of the way means that the proxy is gone.
        let now = *way.borrow();
        match now {
            Way::Silent | Way::Cut => {
                hit();
                way.wait_for(|way| !matches!(way, Way::Silent | Way::Cut)).await.map_err(io::Error::other)?;
            }
            Way::HalfOpen if counts.half_opened.load(Ordering::SeqCst) > born => {
                hit();
                way.wait_for(|way| *way != Way::HalfOpen).await.map_err(io::Error::other)?;
                return Ok(());
            }
            Way::Slow(each_way) => {
                hit();
                beat(each_way).await;
            }
            Way::Open | Way::HalfOpen => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that says back what it hears.
    async fn echo() -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((peer, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut piece = [0; 64];
                    while let Ok(length @ 1..) = read(&peer, &mut piece).await {
                        write(&peer, &piece[..length]).await.unwrap();
                    }
                });
            }
        });
        port
    }

    struct Talk(TcpStream);

    impl Talk {
        async fn through(proxy: &Proxy) -> Self {
            Self(TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap())
        }

        async fn say(&self) {
            write(&self.0, b"?").await.unwrap();
        }

        /// How many bytes come; 0 once it is closed.
        async fn hears(&self) -> usize {
            read(&self.0, &mut [0; 8]).await.unwrap_or(0)
        }
    }

    #[tokio::test]
    async fn half_open_connections_hear_nothing_and_are_closed_in_the_end_and_new_ones_are_well() {
        let proxy = Proxy::to(echo().await).await.unwrap();
        let old = Talk::through(&proxy).await;
        old.say().await;
        assert_eq!(old.hears().await, 1);
        for _ in 0..2 {
            let before = Talk::through(&proxy).await;
            before.say().await;
            assert_eq!(before.hears().await, 1);
            proxy.set(Way::HalfOpen);
            before.say().await;
            let new = Talk::through(&proxy).await;
            new.say().await;
            assert_eq!(new.hears().await, 1, "one that is made meanwhile is as it should be");
            while proxy.hits() == 0 {
                beat(Duration::from_millis(1)).await;
            }
            proxy.set(Way::Open);
            assert_eq!(before.hears().await, 0, "what was said is lost, and the connection with it");
        }
        old.say().await;
        assert_eq!(old.hears().await, 1, "one that said nothing meanwhile has not noticed");
    }

    #[tokio::test]
    async fn a_slow_way_takes_its_time_in_both_directions() {
        let proxy = Proxy::to(echo().await).await.unwrap();
        let talk = Talk::through(&proxy).await;
        let each_way = Duration::from_millis(30);
        proxy.set(Way::Slow(each_way));
        let begun = std::time::Instant::now();
        talk.say().await;
        assert_eq!((talk.hears().await, proxy.hits()), (1, 2));
        assert!(begun.elapsed() >= each_way * 2);
    }
}
