//! How every client of a broker begins: where it is, how it is spoken to, and where its log lines go.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Where the brokers are and what it takes to speak to them.
#[derive(Clone, Default)]
pub struct Connection {
    /// `host:port`, several with commas.
    pub bootstrap: String,
    /// Further properties of librdkafka, by its names: TLS, SASL. What reading and sending rest on (positions,
    /// acknowledgements, …) is set after these and wins.
    pub properties: BTreeMap<String, String>,
}

impl Connection {
    /// To brokers without TLS and SASL.
    pub fn plain(bootstrap: impl Into<String>) -> Self {
        Self { bootstrap: bootstrap.into(), properties: BTreeMap::new() }
    }

    /// The properties that all clients share.
    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            // Tried often while a broker is away: the default maximum is 10 s.
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "200")
            // A broker that says nothing for so long is given up and connected to again (default 60 s). It is
            // also how long leaving a group can wait for a commit that nobody answers.
            .set("socket.timeout.ms", "10000")
            .set("socket.keepalive.enable", "true");
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config.set("bootstrap.servers", &self.bootstrap);
        config
    }
}

impl fmt::Debug for Connection {
    /// Names the properties but not their values: passwords are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("bootstrap", &self.bootstrap)
            .field("properties", &self.properties.keys())
            .finish()
    }
}

/// Passes on what librdkafka says, for clients that need no more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken;

impl ClientContext for Spoken {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        pass_on(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        note(&error, reason);
    }
}

/// A line of librdkafka's own log.
pub(crate) fn pass_on(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        // A broker that is away is a warning here: whoever needed it says whether that is a failure.
        | RDKafkaLogLevel::Warning => tracing::warn!(facility, "librdkafka: {line}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(facility, "librdkafka: {line}"),
        RDKafkaLogLevel::Debug => tracing::debug!(facility, "librdkafka: {line}"),
    }
}

/// An error of the client as a whole. librdkafka goes on trying by itself after nearly all of them.
pub(crate) fn note(error: &KafkaError, reason: &str) {
    match error.rdkafka_error_code() {
        // Not an error: asked for, and handled where it belongs.
        Some(RDKafkaErrorCode::PartitionEOF) => {}
        // Said again with every attempt, many times a second while the broker is away; each of its brokers has said so.
        Some(RDKafkaErrorCode::AllBrokersDown) => {
            tracing::debug!("the broker's client says {error}: {reason}")
        }
        _ => tracing::warn!("the broker's client says {error}: {reason}"),
    }
}
