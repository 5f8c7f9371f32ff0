//! The Kafka half of the stream, as far as it knows nothing of facts, turns and databases: reading from
//! positions of one's own, sending in order, and having topics.

mod bounds;
pub mod connection;
pub mod reading;
pub mod sending;
pub mod topics;

pub use kafka_topics::{TopicError, TopicId};
