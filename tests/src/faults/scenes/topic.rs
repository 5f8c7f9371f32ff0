//! A topic that somebody has made anew is another log: its readers stop, say so, and skip nothing.

use std::path::Path;
use std::process::Command;

use domain::facts::Topic;
use kafka::connection::Connection;
use kafka::topics::Topics;
use reqwest::StatusCode;

use super::Office;
use crate::fleet::{STUCK, has_servers};

/// One of Kafka's own tools, on the broker that the tests were given.
fn tool(folder: &Path, broker: &str, arguments: &[&str]) {
    std::fs::write(folder.join("bootstrap"), broker).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/kafka.sh");
    let ran =
        Command::new(script).arg("tool").arg(folder).arg("TopicCommand").args(arguments).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_anew_stops_its_readers_who_name_it_and_skip_nothing() {
    if !has_servers() {
        return;
    }
    let mut office = Office::open("twostreets").await;
    office.cases(3).await;
    office.settles_clean().await;
    let positions = async |office: &Office| {
        let sql = "SELECT coalesce(sum(position), 0)::bigint FROM supervise_position";
        office.work.count("supervise", sql, Vec::new()).await.unwrap()
    };
    let before = positions(&office).await;
    assert!(before > 0);
    let (name, broker) = (office.work.topic(Topic::Handled), office.servers.broker.clone());
    let topics = Topics::start(&Connection::plain(&broker), STUCK).unwrap();
    let old = topics.ids(&[&name]).await.unwrap()[&name].to_string();
    let folder = tempfile::TempDir::new().unwrap();
    tool(folder.path(), &broker, &["--delete", "--topic", &name]);
    tool(folder.path(), &broker, &["--create", "--topic", &name, "--partitions", "6"]);
    let new = topics.ids(&[&name]).await.unwrap()[&name].to_string();
    assert_ne!(old, new);
    for reader in ["supervise", "route"] {
        let said = office.says(reader, |status, _| status == StatusCode::SERVICE_UNAVAILABLE).await;
        // Whichever it sees first: that it is another log, or that this one ends before its position.
        let named =
            (said.contains(&old) && said.contains(&new)) || said.contains("so nothing can be read after");
        assert!(said.contains("handled") && named, "{said}");
    }
    // A report is taken all the same; what follows from it waits for somebody who looks.
    office.report("rubbish").await;
    assert_eq!(positions(&office).await, before);
    for instance in office.fleet.all() {
        instance.kill().unwrap();
    }
}
