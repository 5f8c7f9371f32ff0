//! What to read, with whom, and what of librdkafka's many properties that takes.

use std::time::Duration;

use rdkafka::ClientConfig;

use crate::connection::Connection;

/// With whom the topics are shared.
#[derive(Clone, Debug)]
pub enum Membership {
    /// With the other members of the group `id`. One that is not heard of for `session` loses its partitions;
    /// brokers take 6 s to 30 min if not set up otherwise.
    Group { id: String, session: Duration },
    /// With nobody: all partitions, as they are when it starts. For tools and tests.
    Alone,
}

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    pub connection: Connection,
    pub topics: Vec<String>,
    pub membership: Membership,
    /// Records buffered of one partition; librdkafka keeps about as many again.
    pub buffered: usize,
    /// How long a read or a question may wait for the broker.
    pub patience: Duration,
    /// How long stopping may wait for the broker.
    pub farewell: Duration,
    /// How long the broker keeps a question for more until it answers that there is nothing. What arrives meanwhile
    /// is answered at once; a partition that was moved waits this long, twice over as measured.
    pub nothing_new: Duration,
}

impl Settings {
    /// 2,000 records, 5 s of patience, 10 s for stopping, 50 ms for nothing new.
    pub fn new(connection: Connection, topics: &[&str], membership: Membership) -> Self {
        Self {
            connection,
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            membership,
            buffered: 2_000,
            patience: Duration::from_secs(5),
            farewell: Duration::from_secs(10),
            nothing_new: Duration::from_millis(50),
        }
    }

    pub(super) fn config(&self) -> ClientConfig {
        let mut config = self.connection.config();
        config
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // A position outside the log must be seen, not skipped.
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "true")
            .set("queued.min.messages", self.buffered.to_string())
            .set("queued.max.messages.kbytes", "16384")
            // With a small queue the default of 1 s would be waited each time it had been full.
            .set("fetch.queue.backoff.ms", "5")
            .set("fetch.error.backoff.ms", "100")
            .set("fetch.wait.max.ms", self.nothing_new.as_millis().to_string());
        match &self.membership {
            Membership::Group { id, session } => {
                let session_ms = session.as_millis();
                config
                    .set("group.id", id)
                    .set("group.protocol", "classic")
                    .set("partition.assignment.strategy", "cooperative-sticky")
                    .set("session.timeout.ms", session_ms.to_string())
                    .set("heartbeat.interval.ms", (session_ms / 5).clamp(100, 1_000).to_string())
            }
            // librdkafka assigns nothing without the name of a group; nobody joins it.
            Membership::Alone => config.set("group.id", "gridward-alone"),
        };
        config
    }
}
