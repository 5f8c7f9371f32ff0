//! The first case of a bench, made by the services themselves: what all others are copies of.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::id::IncidentId;
use platform::store::Store;
use serde_json::Value;

use super::asking::Connection;
use super::site::Site;
use super::wait;
use crate::store::seen;

/// A report that takes longer is lost.
const LONGEST: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(50);

/// Reports once, and waits until all services know the case.
///
/// # Errors
/// When a process fails, or no case comes of it.
pub async fn first_case(site: &Site, supervise: &Store, handle: &Store) -> anyhow::Result<IncidentId> {
    let children = site.start(&["discover", "route", "handle", "supervise"]).await?;
    let discover = children.first().context("discover was started")?;
    let mut connection = Connection::open(discover.address, &site.token()?).await?;
    let answer = connection.ask("POST", "/api/v1/reports", &site.reports.body(0)).await?;
    ensure!(answer.status == 201, "a report was answered {}", answer.status);
    let receipt: Value = serde_json::from_slice(answer.body)?;
    let incident = receipt["incident"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .context("a receipt names its incident")?;
    let begun = Instant::now();
    // Asked of supervise's own rows: counts of facts say nothing where an earlier run left some.
    let known = async || -> anyhow::Result<bool> {
        let is_case = !seen::cases(handle, &[incident]).await?.is_empty();
        Ok(is_case && seen::open_deadlines(supervise, incident).await? > 0)
    };
    while !known().await? {
        ensure!(begun.elapsed() < LONGEST, "the first report became no case");
        wait(LOOK).await;
    }
    for child in children {
        child.stop().await?;
    }
    Ok(incident)
}
