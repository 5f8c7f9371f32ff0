//! A broker that acknowledged what it had not yet on its disk, and lost it: the audit names what is gone, and has it
//! sent again.

use std::process::Command;
use std::time::Duration;

use domain::facts::Topic;
use gridward::audit::{Auditor, Options, Patience, Places};
use gridward::servers::SERVICES;
use platform::clock::host_now;
use reqwest::StatusCode;

use super::Office;
use crate::faults::own_servers::{OwnServers, Which};
use crate::fleet::has_servers;
use crate::instance::binary;

const AT_ONCE: Patience = Patience { looks: 1, pause: Duration::ZERO };

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_lost_is_named_and_sent_again_and_everything_settles() {
    if !has_servers() {
        return;
    }
    let own = OwnServers::start(&SERVICES).await.unwrap();
    let mut office = Office::on(own.servers.clone(), "twostreets").await;
    office.fleet.start().await.unwrap();
    office.cases(12).await;
    office.settles_clean().await;
    let ends = office.work.ends().await.unwrap();
    let (partition, _) =
        (0..6).map(|n| (n, ends[&(Topic::Routed, n)])).max_by_key(|(_, last)| *last).unwrap();
    own.tell(Which::Kafka, "kill", &[]).await.unwrap();
    let (topic, number) = (office.work.topic(Topic::Routed), partition.to_string());
    own.tell(Which::Kafka, "lose", &[&topic, &number, "100"]).await.unwrap();
    own.tell(Which::Kafka, "start", &[]).await.unwrap();

    let mut auditor =
        Auditor::start(Places::open(&office.fleet.settings).await.unwrap(), AT_ONCE).await.unwrap();
    let options = || Options { now: Some(host_now()), strict: true };
    let report = auditor.audit(options()).await.unwrap();
    let lost = report.topics.unwrap().lost;
    assert!(lost > 0 && report.check("sent").unwrap().found > 0, "{report}");
    // Its reader stands behind the end, and rests until somebody has looked.
    let said = office.says("handle", |status, _| status == StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(said.contains(&format!("routed/{partition}")), "{said}");
    assert_eq!(auditor.resend().await.unwrap(), lost);
    auditor.stop().await;
    office.of("handle").kill().unwrap();
    // As the message says: it reads again from the beginning, and drops what it has taken.
    let config = office.settings();
    let run =
        Command::new(binary().unwrap()).args(["reread", "handle", "--config"]).arg(config).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    office.of("handle").start().await.unwrap();
    office.settles_clean().await;
    office.cases(12).await;
    office.settles_clean().await;
    office.fleet.stop().await.unwrap();
}
