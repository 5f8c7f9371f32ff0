//! Records that no reader can take.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use domain::facts::Topic;
use domain::id::IncidentId;
use kafka::connection::Connection;
use kafka::sending::{Outgoing, Sending, Settings};
use platform::clock::host_now;
use platform::entropy;
use platform::stream::Fact;
use platform::stream::kafka::envelope::seal;

use super::fault::Poison;

/// What was sent: the audit has to name each, and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Records that cannot be opened.
    pub closed: u64,
    /// Incidents of whole facts that nobody wrote.
    pub strangers: BTreeSet<String>,
}

impl Sent {
    pub fn count(&self) -> u64 {
        self.closed + self.strangers.len() as u64
    }
}

/// A fact as its writer would send it, to the topic of this name.
pub fn letter(name: String, fact: &Fact) -> Outgoing {
    let letter = seal(fact);
    let headers = letter.headers.into_iter();
    Outgoing {
        topic: name,
        key: letter.key.into_bytes(),
        payload: letter.body.into_bytes(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).collect(),
        timestamp: 0,
    }
}

/// Sends records, in order, as nobody of the services.
///
/// # Errors
/// When the broker does not take them.
pub async fn send_all(broker: &str, records: &[Outgoing]) -> anyhow::Result<()> {
    let mut sending = Sending::start(Settings::new(Connection::plain(broker)))?;
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    let sent = sending.send_all(records, until).await;
    sending.stop().await;
    sent.context("the broker does not take a record")
}

/// Sends one to the topic of this name, and notes it in `all`.
///
/// # Errors
/// When the broker does not take it.
pub async fn send(
    broker: &str,
    topic: Topic,
    name: String,
    how: Poison,
    all: &mut Sent,
) -> anyhow::Result<()> {
    let incident = IncidentId::new(host_now(), entropy::draw());
    let record = match how {
        Poison::Undecodable => Outgoing {
            topic: name,
            key: incident.to_string().into_bytes(),
            payload: vec![0xff, 0xfe, b'?'],
            headers: Vec::new(),
            timestamp: 0,
        },
        Poison::Unknown => {
            let fact = Fact {
                topic,
                incident,
                sequence: 1,
                kind: "case.dreamt".to_owned(),
                at: host_now(),
                noticed_at: host_now(),
                cause: "act/dream".to_owned(),
                body: "{}".to_owned(),
            };
            // In the name of who writes this topic: otherwise it would not even be opened.
            letter(name, &fact)
        }
    };
    send_all(broker, &[record]).await?;
    match how {
        Poison::Undecodable => all.closed += 1,
        Poison::Unknown => {
            all.strangers.insert(incident.to_string());
        }
    }
    Ok(())
}
