//! Where a partition begins and ends, as its leader says now.

use std::time::Duration;

use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

/// The first position kept of a partition and the last one there is: `(n + 1, n)` if there is no record. It
/// blocks, up to three times `patience`.
///
/// librdkafka keeps it that a partition has no leader (one just made, or whose broker has just come back) as long
/// as it keeps that it has one, minutes, and answers from that without asking anybody: "unknown partition". So
/// then the broker is asked who leads it.
pub(crate) fn of<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    partition: i32,
    patience: Duration,
) -> KafkaResult<(i64, i64)> {
    let asked = match client.fetch_watermarks(topic, partition, patience) {
        Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownPartition)) => {
            client.fetch_metadata(Some(topic), patience)?;
            client.fetch_watermarks(topic, partition, patience)
        }
        asked => asked,
    };
    let (low, high) = asked?;
    Ok((low + 1, high))
}
