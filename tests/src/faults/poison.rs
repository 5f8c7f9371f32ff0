//! Records that no reader can take.

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

/// Sends one to the topic of this name.
///
/// # Errors
/// When the broker does not take it.
pub async fn send(broker: &str, topic: Topic, name: String, how: Poison) -> anyhow::Result<()> {
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
            let letter = seal("nobody", &fact);
            let headers = letter.headers.into_iter();
            Outgoing {
                topic: name,
                key: letter.key.into_bytes(),
                payload: letter.body.into_bytes(),
                headers: headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).collect(),
                timestamp: 0,
            }
        }
    };
    let mut sending = Sending::start(Settings::new(Connection::plain(broker)))?;
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    let sent = sending.send_all(&[record], until).await;
    sending.stop().await;
    sent.context("the broker does not take a record")
}
