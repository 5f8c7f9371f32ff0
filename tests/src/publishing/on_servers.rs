//! Every service as processes of its own, and a command that publishes to all of them.

use std::time::Duration;

use chrono::TimeDelta;
use platform::pack::Pack;
use platform::register::{Manifest, NotPublished, Record, Register};
use platform::stream::kafka::PackTopic;
use serde_json::Value;
use tempfile::TempDir;

use super::{Edition, bad_ones, goes_by, in_force, publish, published, report, status};
use crate::fleet::{FILE, Fleet, STUCK, has_servers};
use crate::instance::{Instance, beat, free_port};
use crate::world::monday_morning;

/// console, which the fleet does not have.
fn console(folder: &TempDir, config: &str) -> Instance {
    let port = free_port().unwrap();
    let arguments = ["console", "--config", config, "--listen", &format!("127.0.0.1:{port}")];
    let arguments = arguments.iter().map(Into::into).collect();
    let http = crate::process::client().unwrap();
    Instance::new("console", arguments, &folder.path().join("console.log"), port, &http)
}

async fn case_of(fleet: &Fleet, client_id: &str) -> Value {
    let door = fleet.door();
    let token = door.token("worker-111").unwrap();
    let asked = door.client.post(door.url("/api/v1/reports", 0)).bearer_auth(&token).json(&report(client_id));
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    let receipt: Value = answer.json().await.unwrap();
    let case = format!("{}?wait=10s", receipt["case"].as_str().unwrap());
    let answer = door.client.get(door.url(&case, 1)).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_goes_by_what_is_published_and_a_bad_pack_changes_nothing() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut fleet = Fleet::new(folder.path(), "twostreets", 2, "").await.unwrap();
    fleet.start().await.unwrap();
    let config = folder.path().join(FILE);
    let place = ["--config", config.to_str().unwrap()];
    let mut console = console(&folder, place[1]);
    console.start().await.unwrap();
    let before = case_of(&fleet, "before").await;
    assert!(before["holder"].as_str().unwrap().starts_with("grid_leader:"), "{before}");

    published(&Edition::with_another_leader(), &place);
    let version = published(&Edition::without_a_leader(), &place);
    for instance in fleet.instances.values().flatten().chain([&console]) {
        goes_by(instance, &version).await;
    }
    let after = case_of(&fleet, "after").await;
    assert!(after["holder"].as_str().unwrap().starts_with("community:"), "{after}");

    for (edition, wanted) in bad_ones() {
        let said = publish(&edition, &place, &[]);
        assert!(!said.done && said.text.contains(wanted), "wanted {wanted} in {}", said.text);
    }
    let said = status(&place);
    assert_eq!(said["published"][0]["version"], *version);
    assert_eq!(said["published"].as_array().unwrap().len(), 1);
    // Noted a moment after it is in force.
    let all_note_it = async {
        loop {
            let said = status(&place);
            let services = said["services"].as_array().unwrap();
            let names: Vec<&str> = services.iter().map(|one| one["service"].as_str().unwrap()).collect();
            assert_eq!(names, ["discover", "route", "handle", "supervise", "console"]);
            if services.iter().all(|one| one["version"] == *version) {
                return;
            }
            beat(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(STUCK, all_note_it).await.unwrap();

    // Replaced, it goes by what is published before it says that it is ready.
    let route = &mut fleet.instances.get_mut("route").unwrap()[0];
    route.kill().unwrap();
    route.start().await.unwrap();
    let pack = in_force(route).await;
    assert!(version.starts_with(pack["version"].as_str().unwrap()), "{pack}");
    assert_ne!(pack["published_at"], Value::Null);

    fleet.stop().await.unwrap();
    console.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_keeps_what_is_published_also_when_two_publish_at_once() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let stream = crate::fleet::settings(folder.path(), "twostreets", "").await.unwrap().stream().unwrap();
    stream.ensure_topics().await.unwrap();
    let open = || Register::on_topic(PackTopic::open(&stream).unwrap());
    let version = |edition: &Edition, minutes: i64| {
        let (pack, files) = Pack::load_to_publish(&edition.folder(), None).unwrap();
        let at = monday_morning() + TimeDelta::minutes(minutes);
        Manifest::of(&files, &pack.code, &pack.digest, at, "anna")
    };
    let (mut one, mut other) = (open(), open());
    let (first, parts) = version(&Edition::copy(), 0);
    let empty = one.read().await.unwrap();
    one.publish(&empty, &first, &parts).await.unwrap();
    let seen = one.read().await.unwrap();
    assert_eq!(seen.newest("twostreets"), Some(&first));
    assert!(one.moved().await.unwrap().is_none());

    // The other's version takes out what only the first needed, which the third relies on.
    let (second, more) = version(&Edition::with_another_leader(), 1);
    let before = other.read().await.unwrap();
    other.publish(&before, &second, &more).await.unwrap();
    let arrives = async {
        loop {
            let moved = one.moved().await.unwrap();
            if let Some(moved) = moved.filter(|moved| moved.newest("twostreets") == Some(&second)) {
                return moved;
            }
            beat(Duration::from_millis(5)).await;
        }
    };
    let arrived = tokio::time::timeout(STUCK, arrives).await.unwrap();
    assert_eq!(arrived.load(&second).unwrap().digest, second.version, "also from what was read before it");
    let (third, parts) = version(&Edition::copy(), 2);
    let unseen = one.publish(&seen, &third, &parts).await.unwrap();
    assert_eq!(unseen.as_ref(), Some(&second), "whoever replaces what they have not seen hears of it");
    let after = other.read().await.unwrap();
    assert_eq!(after.newest("twostreets"), Some(&third));
    assert_eq!(after.load(&third).unwrap().digest, third.version);

    // Whoever comes with an earlier time has lost, and hears of it.
    let late = one.publish(&seen, &second, &more).await;
    let Err(NotPublished::SomebodyElse { newest: Some(won) }) = &late else { panic!("{late:?}") };
    assert_eq!(**won, third);
    assert_eq!(other.read().await.unwrap().newest("twostreets"), Some(&third));
    one.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_that_has_lost_what_a_service_ran_on_is_a_fault_and_not_a_way_back() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut fleet = Fleet::new(folder.path(), "twostreets", 1, "").await.unwrap();
    let config = folder.path().join(FILE);
    let place = ["--config", config.to_str().unwrap()];
    published(&Edition::with_another_leader(), &place);
    fleet.start().await.unwrap();
    fleet.stop().await.unwrap();

    // As if the topic had been made anew.
    let topic = PackTopic::open(&fleet.settings.stream().unwrap()).unwrap();
    let mut register = Register::on_topic(topic);
    let shelf = register.read().await.unwrap();
    let key = shelf.newest("twostreets").unwrap().key();
    register.close().await;
    let mut topic = PackTopic::open(&fleet.settings.stream().unwrap()).unwrap();
    topic.send(&[Record { key, value: Vec::new() }]).await.unwrap();
    topic.close().await;

    let handle = &mut fleet.instances.get_mut("handle").unwrap()[0];
    let refused = handle.start().await.unwrap_err().to_string();
    assert!(refused.contains("the register has no such version any more"), "{refused}");
    // Published again, it is in force again.
    let version = published(&Edition::with_another_leader(), &place);
    handle.start().await.unwrap();
    goes_by(handle, &version).await;
    handle.stop().await.unwrap();
}
