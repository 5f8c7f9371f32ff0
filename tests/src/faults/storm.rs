//! A rebalance storm: somebody joins the readers of a service, is given partitions, reads nothing, and leaves, again and
//! again.

use std::time::Duration;

use anyhow::Context;
use domain::facts::Topic;
use kafka::connection::Connection;
use kafka::reading::{Membership, Reading, Settings};

use super::work::Work;
use crate::instance::beat;

/// As the fleet's own.
const SESSION: Duration = Duration::from_secs(2);
/// How long it waits for partitions before it leaves without.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long it keeps what it was given.
const KEEPS: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(20);

/// Joins and leaves so many times; answers how many partitions it was given in all.
///
/// # Errors
/// When it cannot join.
pub async fn blow(
    work: &Work,
    broker: &str,
    service: &str,
    topics: &[Topic],
    times: usize,
) -> anyhow::Result<usize> {
    let names: Vec<String> = topics.iter().map(|topic| work.topic(*topic)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut given = 0;
    for _ in 0..times {
        let group = Membership::Group { id: format!("{}{service}", work.prefix()), session: SESSION };
        let reading = Reading::start(Settings::new(Connection::plain(broker), &names, group));
        let reading = reading.context("a stranger cannot join")?;
        let has = || names.iter().map(|name| reading.assigned(name).len()).sum::<usize>();
        let begun = std::time::Instant::now();
        while has() == 0 && begun.elapsed() < PATIENCE {
            beat(LOOK).await;
        }
        beat(KEEPS).await;
        given += has();
        // It leaves, which blocks.
        tokio::task::spawn_blocking(move || drop(reading)).await.context("leaving panicked")?;
    }
    Ok(given)
}
