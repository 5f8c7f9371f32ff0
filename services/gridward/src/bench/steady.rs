//! Reports at a steady rate, however slow the answers come, and how soon each is a case.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::id::IncidentId;
use platform::store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::asking::Connection;
use super::reports::Reports;
use super::wait;
use crate::store::seen;

/// What to send, and where.
#[derive(Clone, Debug)]
pub struct Steady {
    pub address: SocketAddr,
    pub token: String,
    pub reports: Reports,
    /// The number of the first.
    pub first: usize,
    pub a_second: u32,
    pub seconds: u16,
}

/// Each takes its turn, so that one slow answer keeps no other report waiting.
const CONNECTIONS: usize = 32;
/// How often it is looked whether a report is a case; no figure is finer.
const LOOK: Duration = Duration::from_millis(2);
/// A report that is no case by then is lost.
const LONGEST: Duration = Duration::from_secs(60);

/// Reports, and answers how many milliseconds passed from each 201 until the case was there.
///
/// # Errors
/// When a report is not answered 201, or becomes no case.
pub async fn run(steady: Steady, handle: &Store) -> anyhow::Result<Vec<f64>> {
    let steady = Arc::new(steady);
    let (answered, mut taken) = mpsc::unbounded_channel();
    let mut reporting = JoinSet::new();
    let begun = tokio::time::Instant::now() + Duration::from_millis(200);
    for number in 0..CONNECTIONS {
        reporting.spawn(report(steady.clone(), number, begun, answered.clone()));
    }
    drop(answered);
    let mut waiting: BTreeMap<IncidentId, Instant> = BTreeMap::new();
    let mut waited = Vec::new();
    let mut more = true;
    while more || !waiting.is_empty() {
        loop {
            match taken.try_recv() {
                Ok((incident, at)) => waiting.insert(incident, at),
                Err(error) => {
                    more = error == mpsc::error::TryRecvError::Empty;
                    break;
                }
            };
        }
        let asked: Vec<IncidentId> = waiting.keys().copied().collect();
        let cases = if asked.is_empty() { Default::default() } else { seen::cases(handle, &asked).await? };
        for incident in cases {
            if let Some(at) = waiting.remove(&incident) {
                waited.push(at.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        let late = waiting.values().any(|at| at.elapsed() > LONGEST);
        ensure!(!late, "{} reports were no cases after {LONGEST:?}", waiting.len());
        wait(LOOK).await;
    }
    while let Some(one) = reporting.join_next().await {
        one.context("a connection panicked")??;
    }
    Ok(waited)
}

/// The reports of one of the connections, each at its time.
async fn report(
    steady: Arc<Steady>,
    number: usize,
    begun: tokio::time::Instant,
    answered: mpsc::UnboundedSender<(IncidentId, Instant)>,
) -> anyhow::Result<()> {
    let mut connection = Connection::open(steady.address, &steady.token).await?;
    let all = steady.a_second as usize * usize::from(steady.seconds);
    let apart = Duration::from_secs(1) / steady.a_second;
    for n in (number..all).step_by(CONNECTIONS) {
        let body = steady.reports.body(steady.first + n);
        let due = begun + apart * u32::try_from(n).unwrap_or(u32::MAX);
        tokio::time::sleep_until(due).await;
        let answer = connection.ask("POST", "/api/v1/reports", &body).await?;
        ensure!(
            answer.status == 201,
            "a report was answered {}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
        let receipt: serde_json::Value = serde_json::from_slice(answer.body)?;
        let incident = receipt["incident"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .context("a receipt names its incident")?;
        // Nobody listens any more when the bench has failed.
        let _ = answered.send((incident, Instant::now()));
    }
    Ok(())
}
