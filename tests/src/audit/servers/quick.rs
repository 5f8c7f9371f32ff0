//! The quick audit: what is planted and shows in sets is named, by id; what does not is listed here.

use std::process::Command;
use std::time::Duration;

use domain::case::{Action, ReturnReason};
use gridward::audit::{Options, Patience, Places, Report, audit_quickly};
use sea_orm::DbBackend;
use tempfile::TempDir;

use super::super::planted::PLANTED;
use super::super::{Street, street};
use super::copied::{SERVICES, number};
use super::portable::{FUNCTIONS, IN_A_FILE_ONLY, statements};
use super::{AT_ONCE, PLANTED_ON_SERVERS, copied, named};
use crate::instance::binary;
use crate::world::World;

/// What does not show in sets, by how the SQL that plants it begins: what only bodies of facts, records of topics or
/// the deadlines within a case's row tell. Everything else that is planted has to be named.
const UNSEEN: &[&str] = &[
    // the deadlines within a case's row
    "UPDATE handle_case SET deadlines",
    "UPDATE handle_case SET last_at",
    "UPDATE handle_case SET lon",
    "UPDATE handle_case SET flags",
    // which steps and deadlines a case should have
    "DELETE FROM supervise_step",
    "UPDATE supervise_step SET step",
    // where one was done, as the counts over all areas agree
    "UPDATE supervise_step SET done_in",
    "DELETE FROM supervise_deadline",
    "UPDATE supervise_deadline SET due_at",
    // what a line of history says, and which of them comes first
    "UPDATE handle_history SET happened",
    "UPDATE handle_history SET person",
    "UPDATE handle_history SET at",
    "UPDATE handle_history SET sequence = -2",
    // whether a reader has read what it has taken
    "UPDATE supervise_position SET position = 0",
    "UPDATE route_position SET position = 0",
    "INSERT INTO handle_parked",
    // what facts say
    "UPDATE log SET at",
    "UPDATE log SET noticed_at",
    "UPDATE log SET body",
    "UPDATE log SET kind",
    "UPDATE log SET id",
    "UPDATE handle_outbox SET cause",
    "UPDATE route_outbox SET body",
];

async fn look(office: &Places, world: &World) -> Report {
    audit_quickly(office, Options { now: Some(world.now()), strict: false }, AT_ONCE).await.unwrap()
}

fn is_unseen(sql: &str) -> bool {
    UNSEEN.iter().any(|begins| sql.starts_with(begins))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_shows_in_sets_is_named_by_the_quick_audit() {
    if !copied::are_there() {
        return;
    }
    let Street { world, lives } = street().await;
    let copied = copied(&world).await;
    for (service, ..) in SERVICES {
        copied.execute(service, FUNCTIONS).await;
    }
    let office = copied.lay(|_| {}).await;
    let clean = look(&office, &world).await;
    assert!(clean.is_clean(), "{clean}");
    assert_eq!(clean.check("once").unwrap().looked_at, lives.len() as u64);
    assert!(clean.due_steps.effected >= 6 && clean.due_steps.early == 0, "{clean}");
    assert_eq!((clean.on_the_way, clean.parked, clean.dead_letters), (0, 0, 0));
    let quick = clean.quick.as_ref().unwrap();
    assert!(quick.queries.len() > 20 && quick.unseen.contains(&"fold") && clean.check("fold").is_none());
    let mut wrong = Vec::new();
    let everywhere = PLANTED.iter().filter(|(.., sql)| IN_A_FILE_ONLY.iter().all(|only| !sql.contains(only)));
    for (check, life, sql) in everywhere.chain(&PLANTED_ON_SERVERS) {
        let id = lives.get(life).map_or_else(|| (*life).to_owned(), ToString::to_string);
        let planted = statements(sql, &id);
        for (service, sql) in &planted {
            copied.execute(service, sql).await;
        }
        let report = look(&office, &world).await;
        let names = report.checks.iter().map(|check| check.name);
        let by: Vec<&str> = names.filter(|name| named(&report, name, &id)).collect();
        if by.is_empty() != is_unseen(sql) {
            wrong.push(format!("{check} {life}, named by {by:?}: {sql}"));
        }
        for (service, _) in planted {
            copied.restore(service).await;
        }
    }
    assert!(wrong.is_empty(), "{} otherwise than listed:\n{}", wrong.len(), wrong.join("\n"));
    let clean = look(&office, &world).await;
    assert!(clean.is_clean(), "{clean}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_still_on_its_way_is_no_fault_of_the_quick_audit() {
    if !copied::are_there() {
        return;
    }
    let mut world = World::start().await;
    world.case_of("rubbish").await;
    let report = world.new_report("road", crate::world::IN_GRID_111);
    let submitted = world.submit("worker-111", report).await.unwrap().incident;
    let copied = copied(&world).await;
    let office = copied.lay(|_| {}).await;
    let unread = look(&office, &world).await;
    assert!(unread.is_clean(), "{unread}");
    assert_eq!((unread.on_the_way, unread.waiting[0].id.as_str()), (1, submitted.to_string().as_str()));

    // Not sent yet, though its reader has read all that was.
    let read = "UPDATE route_position SET position = position + 1 WHERE topic = 'reported'";
    copied.execute("route", read).await;
    let unsent = format!("UPDATE discover_outbox SET published_at = NULL WHERE incident = '{submitted}'");
    copied.execute("discover", &unsent).await;
    let unsent = look(&office, &world).await;
    assert!(!named(&unsent, "sequences", &submitted.to_string()) && unsent.on_the_way == 1, "{unsent}");
    // Read, and nothing came of it.
    copied.restore("discover").await;
    let lost = look(&office, &world).await;
    assert!(named(&lost, "sequences", &submitted.to_string()), "{lost}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_handed_on_lies_elsewhere_than_route_said_and_is_no_fault() {
    if !copied::are_there() {
        return;
    }
    let mut world = World::start().await;
    let case = world.case_of("rubbish").await;
    world.act("leader-111", Action::Return(ReturnReason::WrongArea), case).await.unwrap();
    let next = "grid_leader:990001/990001001/990001001001/990001001001002".parse().unwrap();
    world.act("community-11", Action::Transfer(next), case).await.unwrap();
    let copied = copied(&world).await;
    let office = copied.lay(|_| {}).await;
    let handed_on = look(&office, &world).await;
    assert!(handed_on.is_clean(), "{handed_on}");

    let nobody = format!(
        "UPDATE handle_history SET happened = '{{}}' WHERE incident = '{case}' AND kind = 'case.assigned'"
    );
    assert!(copied.execute("handle", &nobody).await > 0);
    let moved = look(&office, &world).await;
    assert!(named(&moved, "said", &case.to_string()), "by nobody: {moved}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_difference_that_passes_while_it_is_looked_at_again_does_not_count() {
    if !copied::are_there() {
        return;
    }
    let Street { world, lives } = street().await;
    let copied = copied(&world).await;
    let office = copied.lay(|_| {}).await;
    let patience = Patience { looks: u32::MAX, pause: Duration::from_millis(1) };
    let other = format!("UPDATE supervise_case SET category = 'other' WHERE incident = '{}'", lives["open"]);
    copied.execute("supervise", &other).await;
    let supervise = &copied.databases["supervise"];
    // Each look ends with a rollback.
    let looks = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    let before = number(supervise, DbBackend::Postgres, looks).await;
    let mend = async {
        while number(supervise, DbBackend::Postgres, looks).await == before {}
        copied.restore("supervise").await;
    };
    let options = Options { now: Some(world.now()), strict: false };
    let (report, ()) = tokio::join!(audit_quickly(&office, options, patience), mend);
    let report = report.unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_folder_is_not_audited_quickly() {
    let folder = TempDir::new().unwrap();
    let run =
        Command::new(binary().unwrap()).args(["audit", "--quick", "--data"]).arg(folder.path()).output();
    let run = run.unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!run.status.success() && said.contains("--config") && said.contains("快速核查"), "{said}");
}
