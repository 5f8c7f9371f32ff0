//! The same on servers: a database for each service, and topics between them. What is planted in a file is
//! planted there too, and what only an outbox and a topic can have.

mod copied;
mod portable;
mod quick;

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use gridward::audit::{Auditor, Options, Patience, Places, Report, Watch, watch};
use kafka::sending::Outgoing;
use platform::lifecycle::Lifecycle;
use sea_orm::DbBackend;
use tokio::net::TcpListener;

use super::planted::PLANTED;
use super::{Street, street};
use crate::world::World;
use copied::{Copied, SERVICES, number};
use portable::{FUNCTIONS, IN_A_FILE_ONLY, statements};

const AT_ONCE: Patience = Patience { looks: 1, pause: Duration::ZERO };

/// What only servers can have.
const PLANTED_ON_SERVERS: [(&str, &str, &str); 12] = [
    ("sequences", "closed", "DELETE FROM handle_outbox WHERE incident = ID AND sequence = 2"),
    ("written", "closed", "DELETE FROM handle_outbox WHERE incident = ID AND sequence = 2"),
    ("written", "open", "DELETE FROM discover_outbox WHERE incident = ID"),
    ("same", "closed", "UPDATE handle_outbox SET cause = 'x' WHERE incident = ID AND sequence = 2"),
    ("same", "returned", "UPDATE route_outbox SET body = body || ' ' WHERE incident = ID AND sequence = 1"),
    ("sent", "closed", "UPDATE handle_outbox SET sequence = 90 WHERE incident = ID AND sequence = 2"),
    ("relay", "closed", "UPDATE handle_outbox SET published_at = NULL WHERE incident = ID AND sequence = 3"),
    ("readable", "closed", "UPDATE handle_outbox SET topic = 'routed' WHERE incident = ID AND sequence = 3"),
    (
        "sequences",
        "closed",
        "INSERT INTO handle_parked VALUES ('routed', 0, 1, ID, 1, 'incident.routed', now(), now(), 'x', '')",
    ),
    (
        "positions",
        "supervise on handled",
        "UPDATE supervise_position SET position = position + 1 WHERE partition = 0",
    ),
    (
        "positions",
        "route on handled",
        "UPDATE route_position SET partition = 7 WHERE topic = 'handled' AND partition = 0",
    ),
    ("sequences", "closed", "UPDATE route_position SET position = 0 WHERE topic = 'reported'"),
];

async fn look(auditor: &mut Auditor, now: DateTime<Utc>) -> Report {
    auditor.audit(Options { now: Some(now), strict: false }).await.unwrap()
}

/// On servers a position is named with its partition.
fn named(report: &Report, check: &str, id: &str) -> bool {
    let of_it = |named: &str| named == id || named.strip_prefix(id).is_some_and(|rest| rest.starts_with('/'));
    report.check(check).unwrap().faults.iter().any(|fault| of_it(&fault.id))
}

async fn copied(world: &World) -> Copied {
    Copied::of(&world.all.around.store).await
}

async fn auditor(office: &Places) -> Auditor {
    Auditor::start(office.clone(), AT_ONCE).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_corruption_planted_on_servers_is_named() {
    if !copied::are_there() {
        return;
    }
    let Street { world, lives } = street().await;
    let copied = copied(&world).await;
    for (service, ..) in SERVICES {
        copied.execute(service, FUNCTIONS).await;
    }
    let mut auditor = auditor(&copied.lay(|_| {}).await).await;
    let clean = look(&mut auditor, world.now()).await;
    assert!(clean.is_clean(), "{clean}");
    assert_eq!(clean.check("once").unwrap().looked_at, lives.len() as u64);
    assert!(clean.check("sent").unwrap().looked_at >= 30 && clean.due_steps.effected >= 6, "{clean}");
    assert_eq!((clean.on_the_way, clean.parked, clean.dead_letters), (0, 0, 0));
    let mut unnamed = Vec::new();
    let everywhere = PLANTED.iter().filter(|(.., sql)| IN_A_FILE_ONLY.iter().all(|only| !sql.contains(only)));
    for (check, life, sql) in everywhere.chain(&PLANTED_ON_SERVERS) {
        let id = lives.get(life).map_or_else(|| (*life).to_owned(), ToString::to_string);
        let planted = statements(sql, &id);
        for (service, sql) in &planted {
            let changed = copied.execute(service, sql).await;
            assert!(changed > 0 || sql.starts_with("DROP"), "nothing was planted by: {sql}");
        }
        let report = look(&mut auditor, world.now()).await;
        if !named(&report, check, &id) {
            unnamed.push(format!("{check} does not name {id} after\n  {planted:?}\n{report}"));
        }
        for (service, _) in planted {
            copied.restore(service).await;
        }
    }
    assert!(unnamed.is_empty(), "{} unnamed:\n{}", unnamed.len(), unnamed.join("\n"));
    let clean = look(&mut auditor, world.now()).await;
    assert!(clean.is_clean(), "{clean}");
    auditor.stop().await;
}

/// The letter of a fact of `topic` about an incident, by sequence.
fn letter<'a>(letters: &'a mut [Outgoing], topic: Topic, id: &str, sequence: u32) -> &'a mut Outgoing {
    let wanted = format!("{topic}/{id}/{sequence}");
    letters
        .iter_mut()
        .find(|letter| letter.headers.iter().any(|(_, value)| *value == wanted.as_bytes()))
        .unwrap()
}

fn header<'a>(letter: &'a mut Outgoing, name: &str) -> &'a mut Vec<u8> {
    &mut letter.headers.iter_mut().find(|(has, _)| has == name).unwrap().1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_corruption_of_a_topic_is_named() {
    type Tamper = fn(&mut Vec<Outgoing>, &str);
    let corruptions: [(&str, bool, Tamper); 7] = [
        ("sent", true, |letters, id| {
            let lost = letter(letters, Topic::Handled, id, 2).clone();
            letters.retain(|letter| *letter != lost);
        }),
        ("written", true, |letters, id| {
            let mut more = letter(letters, Topic::Handled, id, 5).clone();
            *header(&mut more, "ce_id") = format!("handled/{id}/6").into_bytes();
            *header(&mut more, "ce_sequence") = b"6".to_vec();
            letters.push(more);
        }),
        // In the right form and in route's name: handle would take it.
        ("written", true, |letters, id| {
            let mut forged = letter(letters, Topic::Routed, id, 1).clone();
            *header(&mut forged, "ce_id") = format!("routed/{id}/2").into_bytes();
            *header(&mut forged, "ce_sequence") = b"2".to_vec();
            letters.push(forged);
        }),
        ("same", true, |letters, id| {
            let mut other = letter(letters, Topic::Routed, id, 1).clone();
            *header(&mut other, "ce_cause") = b"another".to_vec();
            letters.push(other);
        }),
        ("placed", true, |letters, id| {
            let mut elsewhere = letter(letters, Topic::Handled, id, 1).clone();
            // One of these keys at least belongs to the other partition.
            for key in 0..16_u8 {
                elsewhere.key = vec![key];
                letters.push(elsewhere.clone());
            }
        }),
        ("written", false, |letters, id| {
            letter(letters, Topic::Handled, id, 5).headers.clear();
        }),
        // A copy is no corruption.
        ("", true, |letters, id| {
            let copy = letter(letters, Topic::Handled, id, 1).clone();
            letters.push(copy);
        }),
    ];
    if !copied::are_there() {
        return;
    }
    let Street { world, lives } = street().await;
    let copied = copied(&world).await;
    let id = lives["closed"].to_string();
    for (check, by_id, tamper) in corruptions {
        let office = copied.lay(|letters| tamper(letters, &id)).await;
        let patience = Patience { looks: 3, pause: Duration::ZERO };
        let mut auditor = Auditor::start(office, patience).await.unwrap();
        let report = look(&mut auditor, world.now()).await;
        if check.is_empty() {
            assert!(report.is_clean(), "{report}");
            assert_eq!(report.topics.unwrap().copies, 1);
        } else {
            let found = report.check(check).unwrap();
            assert!(found.found > 0 && (!by_id || named(&report, check, &id)), "{check}\n{report}");
        }
        auditor.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_still_on_its_way_on_servers_is_told_and_is_no_fault() {
    if !copied::are_there() {
        return;
    }
    let mut world = World::start().await;
    world.case_of("rubbish").await;
    let report = world.new_report("road", crate::world::IN_GRID_111);
    let submitted = world.submit("worker-111", report).await.unwrap().incident;
    let copied = copied(&world).await;
    let mut auditor = auditor(&copied.lay(|_| {}).await).await;
    let unread = look(&mut auditor, world.now()).await;
    assert!(unread.is_clean(), "{unread}");
    assert_eq!((unread.on_the_way, unread.waiting[0].id.as_str()), (1, submitted.to_string().as_str()));

    // Not sent yet: whether it was read cannot be told.
    let unsent = format!("UPDATE discover_outbox SET published_at = NULL WHERE incident = '{submitted}'");
    copied.execute("discover", &unsent).await;
    let unsent = look(&mut auditor, world.now()).await;
    assert!(unsent.is_clean(), "{unsent}");
    // Read, and nothing came of it.
    copied.restore("discover").await;
    copied
        .execute("route", "UPDATE route_position SET position = position + 1 WHERE topic = 'reported'")
        .await;
    let lost = look(&mut auditor, world.now()).await;
    assert!(named(&lost, "once", &submitted.to_string()), "{lost}");
    // A copy of it is sent: that lies before its reader, who has not taken it.
    assert_eq!(auditor.resend().await.unwrap(), 1);
    let waits = format!(
        "SELECT count(*) FROM discover_outbox WHERE published_at IS NULL AND incident = '{submitted}'"
    );
    assert_eq!(number(&copied.databases["discover"], DbBackend::Postgres, &waits).await, 1);
    auditor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_tells_what_a_broker_lost_and_has_it_sent_again() {
    if !copied::are_there() {
        return;
    }
    let Street { world, lives } = street().await;
    let copied = copied(&world).await;
    let id = lives["closed"].to_string();
    let office = copied
        .lay(|letters| {
            let lost = letter(letters, Topic::Handled, &id, 2).clone();
            letters.retain(|letter| *letter != lost);
        })
        .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stopper, lifecycle) = Lifecycle::new();
    let options = Options { now: Some(world.now()), strict: false };
    let how = Watch { every: Duration::from_millis(1), resend: true, options, patience: AT_ONCE };
    let watching = tokio::spawn(watch(office, how, listener, lifecycle));
    let asked = async |path: &str| reqwest::get(format!("http://{address}{path}")).await.unwrap();
    assert!(asked("/health/live").await.status().is_success());
    let resent = async {
        while !asked("/metrics").await.text().await.unwrap().contains("gridward_audit_resent_total 1") {}
    };
    tokio::time::timeout(Duration::from_secs(60), resent).await.unwrap();
    assert!(asked("/health/ready").await.status().is_success());
    let shown = asked("/metrics").await.text().await.unwrap();
    assert!(shown.contains("gridward_audit_faults{check=\"sent\"}"), "{shown}");
    let waits = "SELECT count(*) FROM handle_outbox WHERE published_at IS NULL AND sequence = 2";
    assert_eq!(number(&copied.databases["handle"], DbBackend::Postgres, waits).await, 1);
    stopper.stop();
    watching.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_passes_while_it_is_looked_at_again_does_not_count() {
    if !copied::are_there() {
        return;
    }
    let Street { world, lives } = street().await;
    let copied = copied(&world).await;
    let office = copied.lay(|_| {}).await;
    let patience = Patience { looks: u32::MAX, pause: Duration::from_millis(1) };
    let mut auditor = Auditor::start(office, patience).await.unwrap();
    copied
        .execute(
            "handle",
            &format!("UPDATE handle_case SET revision = 9 WHERE incident = '{}'", lives["open"]),
        )
        .await;
    let handle = &copied.databases["handle"];
    // Each look ends with a rollback.
    let looks = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    let before = number(handle, DbBackend::Postgres, looks).await;
    let mend = async {
        while number(handle, DbBackend::Postgres, looks).await == before {}
        copied.restore("handle").await;
    };
    let (report, ()) = tokio::join!(look(&mut auditor, world.now()), mend);
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.check("row").unwrap().looked_at, lives.len() as u64);
    auditor.stop().await;
}
