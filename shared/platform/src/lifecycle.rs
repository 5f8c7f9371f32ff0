//! The life of a process: asked to stop, everything finishes what it holds and ends.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Told to every loop and listener as an argument; no globals.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    stopping: watch::Receiver<bool>,
}

/// The other end: whoever holds it stops the process, by saying so or by going away.
#[derive(Debug)]
pub struct Stopper {
    stop: watch::Sender<bool>,
}

impl Lifecycle {
    pub fn new() -> (Stopper, Self) {
        let (stop, stopping) = watch::channel(false);
        (Stopper { stop }, Self { stopping })
    }

    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow() || self.stopping.has_changed().is_err()
    }

    /// Returns when the process has been asked to stop.
    pub async fn stopping(&mut self) {
        // An error means that the stopper is gone, which is a stop too.
        let _ = self.stopping.wait_for(|stop| *stop).await;
    }

    /// Waits, unless the process is asked to stop first.
    #[expect(clippy::disallowed_methods, reason = "a loop's own waiting, cut short by a stop")]
    pub async fn pause(&mut self, wait: Duration) {
        tokio::select! {
            () = self.stopping() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl Lifecycle {
    /// Waits for `wait`, also while the process is being stopped: it is a part of the stop.
    pub async fn wait_out(self, wait: Duration) {
        rest(wait).await;
    }
}

impl Stopper {
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

/// A loop's own waiting, beside whatever may cut it short.
#[expect(clippy::disallowed_methods, reason = "one of several things a loop waits for at once")]
pub(crate) async fn rest(wait: Duration) {
    tokio::time::sleep(wait).await;
}

/// Returns at the first SIGINT, SIGTERM or SIGHUP: a terminal that is closed is a stop too.
pub async fn asked_to_stop() -> std::io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = term.recv() => Ok(()),
        _ = hangup.recv() => Ok(()),
    }
}
