//! Who is busy around a fleet: clients who report, people who act, organisations that take and give back.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::task::JoinSet;

use crate::door::Door;
use crate::kills::clients::{Answer, Client, LINES, Reports};
use crate::kills::organisations::{MEMBERS, Member};
use crate::kills::people::{Acted, Actor};
use crate::kills::progress::Progress;
use crate::kills::{ACTORS, all};

/// A report is under way at each of so many clients, [`LINES`] times.
const CLIENTS: usize = 8;

/// All of them, at work.
pub struct Load {
    reporting: JoinSet<anyhow::Result<Vec<Answer>>>,
    acting: JoinSet<anyhow::Result<Vec<Acted>>>,
    progress: Arc<Progress>,
}

/// So many reports a second, until it is enough.
///
/// # Errors
/// When there would be more than a clock can count.
pub fn steady(rate: usize, seed: u64) -> anyhow::Result<Reports> {
    let pace = Duration::from_secs(1) * u32::try_from(CLIENTS * LINES)? / u32::try_from(rate.max(1))?;
    Ok(Reports { clients: CLIENTS, posts: None, pace, seed })
}

impl Load {
    /// # Errors
    /// When the pack has not the people for it.
    pub fn begin(door: &Door, reports: Reports, progress: &Arc<Progress>) -> anyhow::Result<Self> {
        let mut reporting = JoinSet::new();
        for n in 0..CLIENTS * LINES {
            reporting.spawn(Client::new(door, reports, n, progress)?.report_all());
        }
        let mut acting = JoinSet::new();
        for n in 0..ACTORS {
            acting.spawn(Actor::new(door, reports.seed, n, progress)?.act_until_told());
        }
        for n in 0..MEMBERS {
            acting.spawn(Member::new(door, reports.seed, n, progress)?.act_until_told());
        }
        Ok(Self { reporting, acting, progress: progress.clone() })
    }

    /// Waits for something; whoever had an answer that nobody may have ends it at once.
    ///
    /// # Errors
    /// Of what is waited for, or what one of them was answered.
    pub async fn until<T>(&mut self, comes: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::select! {
            came = comes => came,
            reported = all(&mut self.reporting) => { reported?; bail!("the clients have stopped by themselves") }
            acted = all(&mut self.acting) => { acted?; bail!("the people have stopped by themselves") }
        }
    }

    /// Tells them that it is enough, and what they were answered.
    ///
    /// # Errors
    /// When one had an answer that nobody may have.
    pub async fn end(mut self) -> anyhow::Result<(Vec<Answer>, Vec<Acted>)> {
        self.progress.stop_acting();
        Ok((all(&mut self.reporting).await?, all(&mut self.acting).await?))
    }
}
