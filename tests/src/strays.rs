//! Facts on the topics that nobody of ours wrote, though in the right form and in the name of who writes there: by a
//! restored copy that went on beside the original, or by hand. The audit names them; the service in whose name they are
//! does not start until somebody has taken note of them.

use std::process::{Command, Output};
use std::time::Duration;

use domain::facts::Topic;
use domain::id::IncidentId;
use gridward::audit::{Options, Places, Report, audit_places};
use gridward::servers::database_as_it_is;
use kafka::sending::{self, Outgoing, Sending};
use platform::clock::host_now;
use platform::entropy;
use platform::stream::Fact;
use platform::stream::kafka::envelope::{seal, topic_name};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::{FILE, Fleet, has_servers};
use crate::instance::binary;

const SUBMITTED: &str = "report.submitted";

/// A report that became a case; the path of that.
async fn case(fleet: &Fleet, client_id: &str) -> String {
    let door = fleet.door();
    let report = json!({
        "client_id": client_id, "category": "rubbish",
        "place": {"lon": 121.805, "lat": 29.905, "datum": "CGCS2000"},
    });
    let token = door.token("worker-111").unwrap();
    let sent = door.client.post(door.url("/api/v1/reports", 0)).bearer_auth(token).json(&report).send();
    let answer = sent.await.unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    let receipt: Value = answer.json().await.unwrap();
    let case = receipt["case"].as_str().unwrap().to_owned();
    opened(fleet, &case).await;
    case
}

async fn opened(fleet: &Fleet, case: &str) {
    let door = fleet.door();
    let url = format!("{}?wait=10s", door.url(case, 0));
    let answer = door.client.get(url).bearer_auth(door.token("leader-111").unwrap()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{case}");
}

/// Sends a fact in the name of its writer, as somebody may who can write to the broker.
async fn forge(fleet: &Fleet, fact: &Fact) {
    let stream = fleet.settings.stream().unwrap();
    let letter = seal(fact);
    let headers = letter.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes()));
    let record = Outgoing {
        topic: topic_name(&stream.prefix, fact.topic),
        key: letter.key.into_bytes(),
        payload: letter.body.into_bytes(),
        headers: headers.collect(),
        timestamp: 0,
    };
    let mut sending = Sending::start(sending::Settings::new(stream.connection)).unwrap();
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    sending.send_all(&[record], until).await.unwrap();
    sending.stop().await;
}

/// A first fact about an incident that nobody knows.
fn forged(topic: Topic, kind: &str, body: String) -> Fact {
    let at = host_now();
    Fact {
        topic,
        incident: IncidentId::new(at, entropy::draw()),
        sequence: 1,
        kind: kind.to_owned(),
        at,
        noticed_at: at,
        cause: "act/forge".to_owned(),
        body,
    }
}

/// The body of a fact that `service` wrote itself.
async fn body(fleet: &Fleet, service: &str, kind: &str) -> String {
    let store = database_as_it_is(service, &fleet.settings, 2).await.unwrap();
    let sql = format!("SELECT body FROM {service}_outbox WHERE kind = '{kind}' ORDER BY id LIMIT 1");
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = store.readers().query_one_raw(statement).await.unwrap().unwrap();
    let body = row.try_get_by_index(0).unwrap();
    store.close().await.unwrap();
    body
}

async fn audited(fleet: &Fleet) -> Report {
    let places = Places::open(&fleet.settings).await.unwrap();
    audit_places(&places, Options::default()).await.unwrap()
}

fn names(report: &Report, check: &str, incident: IncidentId) -> bool {
    report.check(check).unwrap().faults.iter().any(|fault| fault.id == incident.to_string())
}

/// `gridward strays discover`, and what it says.
fn strays(folder: &TempDir, more: &[&str]) -> String {
    let mut command = Command::new(binary().unwrap());
    command.args(["strays", "discover", "--config"]).arg(folder.path().join(FILE)).args(more);
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_in_whose_name_somebody_wrote_starts_once_somebody_takes_note_of_it() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut fleet = Fleet::new(folder.path(), "twostreets", 1, "").await.unwrap();
    fleet.start().await.unwrap();
    case(&fleet, "before").await;
    fleet.instances.get_mut("discover").unwrap()[0].stop().await.unwrap();
    let stray = forged(Topic::Reported, SUBMITTED, body(&fleet, "discover", SUBMITTED).await);
    forge(&fleet, &stray).await;
    let id = stray.incident.to_string();
    opened(&fleet, &format!("/api/v1/cases/{id}")).await;

    let refused = fleet.instances.get_mut("discover").unwrap()[0].start().await.unwrap_err().to_string();
    for part in ["does not know", &id, "gridward strays", "登记"] {
        assert!(refused.contains(part), "`{part}` is not in: {refused}");
    }
    let listed = strays(&folder, &[]);
    assert!(listed.contains(&id) && listed.contains("--note"), "{listed}");
    assert!(strays(&folder, &[]).contains(&id), "listing them notes nothing");
    let said = strays(&folder, &["--note", "--by", "Qian", "--why", "a copy ran on for an hour"]);
    assert!(said.contains("took note of 1 facts"), "{said}");
    assert!(strays(&folder, &[]).contains("knows all of its topic"));

    fleet.instances.get_mut("discover").unwrap()[0].start().await.unwrap();
    case(&fleet, "after").await;
    let report = audited(&fleet).await;
    assert!(report.is_clean() && report.noted == 1, "{report}");
    assert_eq!(report.known[0].id, id);
    assert!(report.known[0].what.contains("a copy ran on for an hour (Qian"), "{report}");
    assert!(report.known[0].what.contains("found: once"), "nobody reported what became a case: {report}");
    fleet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_somebody_forged_on_a_topic_is_handled_as_any_and_named_by_the_audit() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut fleet = Fleet::new(folder.path(), "twostreets", 1, "").await.unwrap();
    fleet.start().await.unwrap();
    case(&fleet, "true").await;
    let clean = audited(&fleet).await;
    assert!(clean.is_clean(), "{clean}");
    for (topic, service, kind) in
        [(Topic::Reported, "discover", SUBMITTED), (Topic::Routed, "route", "incident.routed")]
    {
        let fact = forged(topic, kind, body(&fleet, service, kind).await);
        forge(&fleet, &fact).await;
        opened(&fleet, &format!("/api/v1/cases/{}", fact.incident)).await;
        let report = audited(&fleet).await;
        for check in ["written", "once"] {
            assert!(names(&report, check, fact.incident), "{check} does not name {topic}\n{report}");
        }
    }
    fleet.stop().await.unwrap();
}
