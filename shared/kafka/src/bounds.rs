//! Where a partition begins and ends, as its leader says now.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

/// Between two attempts to find the leader.
const LOOK: Duration = Duration::from_millis(50);

/// The first position kept of a partition and the last one there is: `(n + 1, n)` if there is no record. It
/// blocks, up to three times `patience`.
///
/// A topic that was just made, and a broker that has just come back, have partitions without a leader for a moment.
/// librdkafka keeps that a partition has none as long as it keeps that it has one, minutes, and answers from that
/// without asking anybody: "unknown partition". So the broker is asked who leads it, until somebody does.
pub(crate) fn of<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    partition: i32,
    patience: Duration,
) -> KafkaResult<(i64, i64)> {
    let until = Instant::now() + patience;
    loop {
        match client.fetch_watermarks(topic, partition, patience) {
            Ok((low, high)) => return Ok((low + 1, high)),
            Err(KafkaError::MetadataFetch(code)) if is_without_leader(code) && Instant::now() < until => {
                client.fetch_metadata(Some(topic), patience)?;
                // Woken early it asks early.
                thread::park_timeout(LOOK);
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_without_leader(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::UnknownPartition
            | RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::LeaderNotAvailable
    )
}
