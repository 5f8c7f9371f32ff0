//! Stays awake through the short waits for the database.
//!
//! A replay asks, waits some microseconds for each row and goes on. Going to sleep and being woken each
//! time costs more than the work itself.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Longer waits, as for the disk, are slept through.
const SHORT: Duration = Duration::from_micros(150);

/// `work`, asked again and again through a short wait before it is left to sleep. Where there is one
/// processor only, it never stays awake: what it waits for could not run.
pub async fn awake<F: Future>(work: F) -> F::Output {
    let alone = std::thread::available_parallelism().is_ok_and(|processors| processors.get() < 2);
    let mut work = pin!(work);
    poll_fn(|context| {
        let mut since: Option<Instant> = None;
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            if alone || since.get_or_insert_with(Instant::now).elapsed() > SHORT {
                return Poll::Pending;
            }
            std::hint::spin_loop();
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_work_is_done_after_short_waits_and_after_long_ones() {
        let (ask, asked) = tokio::sync::oneshot::channel();
        let long = tokio::task::spawn_blocking(move || asked.blocking_recv().unwrap_or(0) + 3);
        let done = awake(async {
            tokio::task::yield_now().await;
            let _ = ask.send(4);
            long.await
        });
        assert_eq!(done.await.unwrap(), 7);
    }
}
