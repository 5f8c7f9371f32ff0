//! How facts leave an outbox, whoever carries them: what is not marked is read in id order, carried, then marked.
//!
//! Whoever does it owns nothing. Two at once, or one that repeats itself, carry copies, which readers drop by their
//! sequence. After any error the next one begins again at the first row that is not marked.

use crate::faults::Point;
use crate::store::outbox::{self, Waiting};
use crate::store::{Store, StoreError};

/// Whoever takes facts to where they are read.
#[async_trait::async_trait]
pub trait Carries: Send {
    /// Takes all of `rows` there, in order, and returns once they will not be lost.
    ///
    /// # Errors
    /// Some of them may be there all the same.
    async fn carry(&mut self, rows: &[Waiting]) -> Result<(), StoreError>;
}

/// Has the first rows of `service`'s outbox that are not marked carried, at most `limit`, and marks them; answers how
/// many.
///
/// # Errors
/// When the database fails, or whoever carries.
pub async fn send_waiting(
    store: &Store,
    service: &'static str,
    limit: u64,
    by: &mut dyn Carries,
) -> Result<usize, StoreError> {
    let waiting = outbox::waiting(store.readers(), service, limit).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    store.faults().at(Point::RelayRead).await?;
    by.carry(&waiting).await?;
    store.faults().at(Point::RelaySent).await?;
    let ids: Vec<i64> = waiting.iter().map(|row| row.id).collect();
    outbox::published(store.writer(), service, &ids).await?;
    store.faults().at(Point::RelayMarked).await?;
    Ok(ids.len())
}
