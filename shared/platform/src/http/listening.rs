//! Connections: how many at once, how long one may take to say what it wants, and a stop that lets each
//! finish what it has begun.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::peer::Peer;
use crate::lifecycle::Lifecycle;

/// How much a listener puts up with.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Connections at once; more wait in the kernel's queue until one of these ends.
    pub connections: usize,
    /// For a request's headers, and for the next request on a connection that is kept.
    pub headers: Duration,
    /// How long a stop waits for what was begun.
    pub stop: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // Beside the files of a database, within the 1,024 a process usually may have open.
            connections: 900,
            headers: Duration::from_secs(30),
            stop: Duration::from_secs(10),
        }
    }
}

/// After the system refused a connection, as when no more files may be open.
const AFTER_REFUSAL: Duration = Duration::from_millis(200);

/// For what was on its way when the stop came: so long a connection that says nothing is kept.
const LAST_WORD: Duration = Duration::from_millis(250);

/// Serves `router` until the process is asked to stop, and finishes what was begun; whoever has begun to ask and
/// says no more does not keep the process from ending.
///
/// # Errors
/// When the listener cannot be looked at a last time.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    lifecycle: Lifecycle,
    patience: Patience,
) -> std::io::Result<()> {
    let seats = Arc::new(Semaphore::new(patience.connections));
    let mut open = Open { router, lifecycle: lifecycle.clone(), patience, connections: JoinSet::new() };
    let mut stop = lifecycle;
    while let Some((stream, seat)) = next(&listener, &seats, &mut stop).await {
        open.attend(stream, Some(seat));
    }
    // Whoever has connected by now is still answered; whoever comes later finds nobody.
    let listener = listener.into_std()?;
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true)?;
        open.attend(TcpStream::from_std(stream)?, None);
    }
    drop(listener);
    open.finished().await;
    Ok(())
}

/// The next connection and its seat; `None` when the process has been asked to stop.
async fn next(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
    stop: &mut Lifecycle,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let mut waiting = stop.clone();
    let accepted = async {
        let seat = seats.clone().acquire_owned().await.expect("seats are never taken away");
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return (stream, seat),
                Err(error) => {
                    warn!("could not accept a connection: {error}");
                    waiting.pause(AFTER_REFUSAL).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.stopping() => None,
        accepted = accepted => Some(accepted),
    }
}

/// The connections that are open.
struct Open {
    router: Router,
    lifecycle: Lifecycle,
    patience: Patience,
    connections: JoinSet<()>,
}

impl Open {
    fn attend(&mut self, stream: TcpStream, seat: Option<OwnedSemaphorePermit>) {
        // Those that have ended are forgotten.
        while self.connections.try_join_next().is_some() {}
        let attended = attend(stream, self.router.clone(), self.lifecycle.clone(), self.patience.headers);
        self.connections.spawn(async move {
            attended.await;
            drop(seat);
        });
    }

    async fn finished(mut self) {
        let all = async { while self.connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.patience.stop, all).await.is_err() {
            let left = self.connections.len();
            warn!("closed {left} connections that had not finished {:?} after the stop", self.patience.stop);
        }
    }
}

/// One connection, until it ends; soon after a stop it finishes the request it is at, and takes no other.
async fn attend(stream: TcpStream, router: Router, mut stop: Lifecycle, headers: Duration) {
    // Answers are small, and somebody waits for each.
    let _ = stream.set_nodelay(true);
    // Nothing on a connection that is broken already, on which nobody asks.
    let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(headers)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let last_word = async {
        stop.stopping().await;
        let _ = tokio::time::timeout(LAST_WORD, std::future::pending::<()>()).await;
    };
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = last_word => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // A phone that loses its signal is no fault of anybody's.
    if let Err(error) = ended {
        debug!("a connection ended early: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::dress;
    use super::*;
    use crate::lifecycle::Stopper;

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    /// What a listener answers that serves `router`, and what stops it.
    struct Serving {
        address: std::net::SocketAddr,
        stopper: Stopper,
        ended: tokio::task::JoinHandle<std::io::Result<()>>,
    }

    impl Serving {
        async fn start(router: Router, patience: Patience) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (stopper, lifecycle) = Lifecycle::new();
            let ended = tokio::spawn(serve(listener, dress(router), lifecycle, patience));
            Self { address, stopper, ended }
        }

        async fn sent(&self, bytes: &[u8]) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream
        }
    }

    async fn whole(mut stream: TcpStream) -> String {
        let mut text = String::new();
        // A connection that was cut is answered with nothing.
        let _ = stream.read_to_string(&mut text).await;
        text
    }

    fn ok() -> Router {
        Router::new().route("/", get(|| async { "ok" }))
    }

    fn patience() -> Patience {
        Patience { connections: 8, headers: LONG, stop: LONG }
    }

    #[tokio::test]
    async fn whoever_does_not_finish_the_headers_loses_the_connection() {
        let serving = Serving::start(ok(), Patience { headers: SHORT, ..patience() }).await;
        let stalled = serving.sent(b"GET / HTTP/1.1\r\nhost:").await;
        assert_eq!(whole(stalled).await, "");
        assert!(whole(serving.sent(ASK).await).await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn a_stop_ends_in_bounded_time_also_when_somebody_says_no_more() {
        let serving = Serving::start(ok(), Patience { stop: SHORT, ..patience() }).await;
        let stalled = serving.sent(b"GET / HTTP/1.1\r\nhost:").await;
        // The stalled one was there first.
        assert!(whole(serving.sent(ASK).await).await.starts_with("HTTP/1.1 200"));
        serving.stopper.stop();
        serving.ended.await.unwrap().unwrap();
        assert_eq!(whole(stalled).await, "");
    }

    #[tokio::test]
    async fn whoever_has_connected_when_the_stop_comes_is_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        stream.write_all(ASK).await.unwrap();
        let (stopper, lifecycle) = Lifecycle::new();
        stopper.stop();
        serve(listener, ok(), lifecycle, patience()).await.unwrap();
        assert!(whole(stream).await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn no_more_connections_than_allowed_are_attended_at_once() {
        static INSIDE: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        async fn slow() -> &'static str {
            MOST.fetch_max(INSIDE.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            INSIDE.fetch_sub(1, Ordering::SeqCst);
            "ok"
        }
        let router = Router::new().route("/", get(slow));
        let serving = Serving::start(router, Patience { connections: 2, ..patience() }).await;
        let mut asked = Vec::new();
        for _ in 0..6 {
            asked.push(serving.sent(ASK).await);
        }
        for stream in asked {
            assert!(whole(stream).await.starts_with("HTTP/1.1 200"));
        }
        assert_eq!(MOST.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn an_answer_that_panics_is_a_500_in_words() {
        async fn panics() {
            panic!("as if by mistake");
        }
        let serving = Serving::start(Router::new().route("/", get(panics)), patience()).await;
        let answer = whole(serving.sent(ASK).await).await;
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(answer.contains("urn:gridward:problem:internal") && !answer.contains("mistake"), "{answer}");
    }
}
