//! Kafka itself: the broker that `tests/servers/with.sh` starts, and for tests that kill, freeze or cut one,
//! brokers of their own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod broker;
mod faults;
mod group;
mod reading;
mod sending;
mod topics;

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use kafka::connection::Connection;
use kafka::reading::{Membership, Message, Reading, Settings};
use kafka::sending::Outgoing;
use kafka::topics::{Topics, Wanted};

/// Ten seconds from now.
fn soon() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(10)
}

async fn topic(connection: &Connection, name: &str, partitions: usize) -> String {
    let name = broker::unique(name);
    let topics = Topics::start(connection, Duration::from_secs(10)).unwrap();
    topics.ensure(&[Wanted::new(&name, partitions)]).await.unwrap();
    name
}

/// When the first test began, in milliseconds since 1970. Not some day long ago: a broker that restarts takes a
/// producer whose last record is older than a day for gone, and then takes what it repeats for new.
#[expect(clippy::disallowed_methods, reason = "the broker compares it with its own clock")]
fn today() -> i64 {
    static TODAY: LazyLock<i64> = LazyLock::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap()
    });
    *TODAY
}

/// Record `number` of its key.
fn outgoing(topic: &str, key: &str, number: usize) -> Outgoing {
    Outgoing {
        topic: topic.to_owned(),
        key: key.as_bytes().to_vec(),
        payload: format!("{key}/{number}").into_bytes(),
        headers: vec![
            ("ce_sequence".to_owned(), number.to_string().into_bytes()),
            ("ce_type".to_owned(), b"case.signed".to_vec()),
        ],
        timestamp: today() + i64::try_from(number).unwrap(),
    }
}

fn number(message: &Message) -> usize {
    String::from_utf8_lossy(&message.headers[0].1).parse().unwrap()
}

fn alone(connection: &Connection, topic: &str) -> Settings {
    Settings::new(connection.clone(), &[topic], Membership::Alone)
}

async fn reading(connection: &Connection, topic: &str) -> Reading {
    let reading = Reading::start(alone(connection, topic)).unwrap();
    until("partitions are there", &reading, || !reading.assigned(topic).is_empty()).await;
    reading
}

/// Waits for the arrivals until it holds.
async fn until(what: &str, reading: &Reading, holds: impl Fn() -> bool) -> Duration {
    let limit = Duration::from_secs(20);
    let began = Instant::now();
    let mut arrivals = reading.arrivals();
    let last = tokio::time::Instant::now() + limit;
    while !holds() {
        match tokio::time::timeout_at(last, arrivals.changed()).await {
            Ok(changed) => changed.unwrap(),
            Err(_) => panic!("not within {limit:?}: {what}"),
        }
    }
    began.elapsed()
}

/// Reads from `after` until the end.
async fn read_all(
    reading: &Reading,
    topic: &str,
    partition: i32,
    mut after: i64,
    limit: usize,
) -> Vec<Message> {
    let mut all: Vec<Message> = Vec::new();
    loop {
        let some = reading.read(topic, partition, after, limit).await.unwrap();
        let Some(last) = some.last() else { return all };
        assert!(some.len() <= limit);
        after = last.position;
        all.extend(some);
    }
}
