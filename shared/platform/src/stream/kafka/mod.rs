//! The stream on Kafka.

pub mod envelope;
