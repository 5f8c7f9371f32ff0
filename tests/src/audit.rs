//! The audit finds nothing in what the services did by themselves, and names every corruption that is
//! planted behind their backs, by id.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::TimeDelta;
use domain::case::{Action, ReturnReason};
use domain::id::IncidentId;
use gridward::audit::{Options, Report, audit};
use platform::store::Store;
use sea_orm::ConnectionTrait;
use tempfile::TempDir;

use crate::world::{IN_GRID_111, World};

/// A street after a few days: one case of each kind of life.
struct Street {
    world: World,
    lives: BTreeMap<&'static str, IncidentId>,
}

async fn street() -> Street {
    let mut world = World::start().await;
    let closed = world.case_of("rubbish").await;
    let escalated = world.case_of("gas").await;
    let returned = world.case_of("road").await;
    let reworked = world.case_of("gas").await;
    finish(&mut world, closed).await;
    for person in ["leader-111", "community-11"] {
        let back = Action::Return(ReturnReason::UnclearOwner);
        world.act(person, back, returned).await.unwrap();
        // A second tap of the same return is somebody else's case by now, and refused or unchanged.
        let _ = world.act(person, back, returned).await;
    }
    world.act("leader-111", Action::Sign, reworked).await.unwrap();
    world.act("leader-111", Action::Answer, reworked).await.unwrap();
    // Gas leaks are due within a minute: by now both are overdue, one of them answered in time.
    world.pass(TimeDelta::minutes(20)).await;
    world.act("checker-1", Action::Fail, reworked).await.unwrap();
    world.pass(TimeDelta::minutes(1)).await;
    world.act("leader-111", Action::Answer, reworked).await.unwrap();
    world.act("checker-1", Action::Pass, reworked).await.unwrap();
    world.act("checker-1", Action::Close, reworked).await.unwrap();
    let open = world.case_of("road").await;
    world.pass(TimeDelta::minutes(1)).await;
    let lives = BTreeMap::from([
        ("closed", closed),
        ("escalated", escalated),
        ("returned", returned),
        ("reworked", reworked),
        ("open", open),
    ]);
    Street { world, lives }
}

/// Signed, answered, checked and closed, every button pressed twice.
async fn finish(world: &mut World, incident: IncidentId) {
    for (person, action) in [
        ("leader-111", Action::Sign),
        ("leader-111", Action::Answer),
        ("checker-1", Action::Pass),
        ("checker-1", Action::Close),
    ] {
        world.act(person, action, incident).await.unwrap();
        world.act(person, action, incident).await.unwrap();
    }
}

async fn look(folder: &Path) -> Report {
    audit(folder, Options::default()).await.unwrap()
}

fn named(report: &Report, check: &str, id: &str) -> bool {
    report.check(check).unwrap().faults.iter().any(|fault| fault.id == id)
}

#[tokio::test]
async fn what_the_services_did_by_themselves_is_clean() {
    let Street { world, lives } = street().await;
    let report = look(world.folder.path()).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.check("once").unwrap().looked_at, lives.len() as u64);
    assert!(report.due_steps.effected >= 6, "{report}");
    assert_eq!((report.on_the_way, report.parked, report.dead_letters), (0, 0, 0));
    let told = world.history(lives["reworked"]).await;
    assert!(told.iter().any(|kind| kind == "case.escalated"), "{told:?}");
}

/// Plants one corruption: the check that must name it, the life it is planted in (or the row that is
/// named), the SQL with `ID` for the life's id.
type Planted = (&'static str, &'static str, &'static str);

const PLANTED: &[Planted] = &[
    // a report without a case, and a case without a report
    ("once", "escalated", "DELETE FROM handle_case WHERE incident = ID"),
    ("once", "closed", "DELETE FROM discover_report WHERE incident = ID"),
    ("once", "closed", "DELETE FROM route_incident WHERE incident = ID"),
    ("once", "open", "DELETE FROM log WHERE incident = ID AND topic = 'handled'; DELETE FROM handle_case WHERE incident = ID"),
    ("once", "open", "DELETE FROM log WHERE incident = ID AND topic = 'routed'"),
    (
        "once",
        "open",
        "DELETE FROM discover_report WHERE incident = ID; DELETE FROM log WHERE incident = ID AND topic = 'reported'",
    ),
    (
        "once",
        "open",
        "INSERT INTO log (topic, incident, sequence, kind, at, noticed_at, cause, body) \
         SELECT topic, incident, (SELECT max(sequence) + 1 FROM log WHERE topic = 'handled' AND incident = ID), \
         kind, at, noticed_at, cause, body FROM log WHERE incident = ID AND kind = 'case.opened'",
    ),
    (
        "once",
        "open",
        "INSERT INTO log (topic, incident, sequence, kind, at, noticed_at, cause, body) \
         SELECT topic, incident, 2, kind, at, noticed_at, cause, body FROM log WHERE incident = ID AND topic = 'reported'",
    ),
    ("once", "returned", "UPDATE route_incident SET attempt = 2 WHERE incident = ID"),
    (
        "unique",
        "closed",
        "DROP INDEX discover_report_by_client_id; UPDATE discover_report SET client_id = 'same'",
    ),
    // one holder
    ("holder", "open", "UPDATE handle_case SET holder = '' WHERE incident = ID"),
    ("holder", "open", "UPDATE handle_case SET holder = 'mayor:990001' WHERE incident = ID"),
    ("holder", "open", "UPDATE handle_case SET holder = 'street_desk:990001/990001002' WHERE incident = ID"),
    ("mirror", "open", "UPDATE supervise_case SET holder = 'street_desk:990001' WHERE incident = ID"),
    ("mirror", "open", "DELETE FROM supervise_case WHERE incident = ID"),
    // steps
    (
        "steps",
        "escalated",
        "UPDATE handle_case SET deadlines = json_remove(deadlines, '$[1].steps[1].done_at') WHERE incident = ID",
    ),
    (
        "steps",
        "open",
        "UPDATE handle_case SET deadlines = json_set(deadlines, '$[0].steps[0].done_at', '2026-03-02T02:00:00Z') \
         WHERE incident = ID",
    ),
    (
        "steps",
        "escalated",
        "INSERT INTO log (topic, incident, sequence, kind, at, noticed_at, cause, body) \
         SELECT topic, incident, (SELECT max(sequence) + 1 FROM log WHERE topic = 'handled' AND incident = ID), \
         kind, at, noticed_at, cause, body FROM log WHERE incident = ID AND kind = 'case.escalated' LIMIT 1",
    ),
    (
        "steps",
        "escalated",
        "UPDATE log SET at = '2026-03-02T01:00:00.500+00:00' WHERE incident = ID AND kind = 'case.escalated'",
    ),
    (
        "steps",
        "escalated",
        "UPDATE log SET noticed_at = '2026-03-02T01:00:00.500+00:00' WHERE incident = ID AND kind = 'case.escalated'",
    ),
    ("steps", "open", "UPDATE handle_case SET last_at = '2027-01-01T00:00:00+00:00' WHERE incident = ID"),
    (
        "steps",
        "escalated",
        "DELETE FROM log WHERE incident = ID AND kind = 'case.reminded'; \
         DELETE FROM handle_history WHERE incident = ID AND kind = 'case.reminded'",
    ),
    (
        "steps",
        "closed",
        "INSERT INTO log (topic, incident, sequence, kind, at, noticed_at, cause, body) \
         SELECT topic, incident, sequence + 1, 'case.escalated', '2026-04-02T01:00:00+00:00', \
         '2026-04-02T01:00:00+00:00', cause, json_set(body, '$.happened', json('{\"what\":\"escalated\",\
         \"deadline\":\"handle\",\"round\":1,\"step\":1,\"to\":\"community\",\"area\":\"990001/990001001/990001001001\"}')) \
         FROM log WHERE incident = ID AND kind = 'case.closed'",
    ),
    (
        "steps",
        "escalated",
        "UPDATE log SET body = json_set(body, '$.happened.to', 'county') WHERE incident = ID AND kind = 'case.escalated'",
    ),
    ("mirror", "open", "DELETE FROM supervise_step WHERE incident = ID AND kind = 'handle' AND step = 0"),
    ("mirror", "open", "UPDATE supervise_step SET step = 9 WHERE incident = ID AND kind = 'handle' AND step = 0"),
    ("mirror", "open", "UPDATE supervise_step SET look_at = NULL WHERE incident = ID AND kind = 'handle' AND step = 0"),
    (
        "mirror",
        "open",
        "UPDATE supervise_step SET due_at = '2027-01-01T00:00:00+00:00' WHERE incident = ID AND kind = 'handle' AND step = 0",
    ),
    ("mirror", "escalated", "UPDATE supervise_step SET done_at = NULL WHERE incident = ID AND kind = 'handle' AND step = 0"),
    (
        "mirror",
        "escalated",
        "UPDATE supervise_step SET noticed_at = '2026-03-02T01:00:00+00:00' WHERE incident = ID AND kind = 'handle' AND step = 0",
    ),
    (
        "mirror",
        "escalated",
        "UPDATE log SET body = json_set(body, '$.step', 7) WHERE incident = ID AND topic = 'supervised'",
    ),
    (
        "mirror",
        "escalated",
        "UPDATE log SET noticed_at = '2026-03-02T01:00:00+00:00' WHERE incident = ID AND topic = 'supervised'",
    ),
    // deadlines and verdicts
    (
        "deadlines",
        "open",
        "UPDATE handle_case SET deadlines = json_set(deadlines, '$[1].due_at', '2027-01-01T00:00:00Z') WHERE incident = ID",
    ),
    (
        "deadlines",
        "closed",
        "UPDATE log SET body = json_set(body, '$.case.deadlines[1].due_at', '2027-01-01T00:00:00Z') \
         WHERE incident = ID AND kind = 'case.answered'",
    ),
    (
        "deadlines",
        "open",
        "UPDATE supervise_deadline SET due_at = '2027-01-01T00:00:00+00:00' WHERE incident = ID AND kind = 'handle'",
    ),
    (
        "deadlines",
        "open",
        "UPDATE handle_case SET deadlines = json_set(deadlines, '$[1].round', 2) WHERE incident = ID",
    ),
    ("verdicts", "closed", "UPDATE supervise_deadline SET verdict = 'overdue' WHERE incident = ID AND kind = 'handle'"),
    ("verdicts", "reworked", "UPDATE supervise_deadline SET verdict = 'on_time' WHERE incident = ID AND kind = 'handle'"),
    ("verdicts", "open", "UPDATE supervise_deadline SET \"open\" = 0 WHERE incident = ID AND kind = 'handle'"),
    ("verdicts", "open", "DELETE FROM supervise_deadline WHERE incident = ID AND kind = 'handle'"),
    // history
    ("history", "closed", "UPDATE handle_history SET happened = json_set(happened, '$.by', 'x') WHERE incident = ID AND sequence = 2"),
    ("history", "closed", "UPDATE handle_history SET kind = 'case.closed' WHERE incident = ID AND sequence = 2"),
    ("history", "closed", "UPDATE handle_history SET person = 'desk-1a' WHERE incident = ID AND sequence = 2"),
    ("history", "closed", "UPDATE handle_history SET at = '2026-03-02T00:00:00+00:00' WHERE incident = ID AND sequence = 2"),
    ("history", "closed", "DELETE FROM handle_history WHERE incident = ID AND sequence = 3"),
    (
        "history",
        "closed",
        "UPDATE handle_history SET sequence = -2 WHERE incident = ID AND sequence = 2; \
         UPDATE handle_history SET sequence = 2 WHERE incident = ID AND sequence = 3; \
         UPDATE handle_history SET sequence = 3 WHERE incident = ID AND sequence = -2",
    ),
    ("history", "open", "UPDATE handle_history SET sequence = 40 WHERE incident = ID AND sequence = 1"),
    // the fold and the row
    ("row", "open", "UPDATE handle_case SET state = 'HANDLING', signed_by = 'x', signed_at = opened_at WHERE incident = ID"),
    ("row", "closed", "UPDATE handle_case SET revision = revision + 1 WHERE incident = ID"),
    ("row", "closed", "UPDATE handle_case SET handlers = '[]' WHERE incident = ID"),
    ("row", "closed", "UPDATE handle_case SET lon = lon + 0.001 WHERE incident = ID"),
    ("row", "open", "UPDATE handle_case SET due_at = NULL WHERE incident = ID"),
    ("row", "returned", "UPDATE handle_case SET flags = '[\"rounded\"]' WHERE incident = ID"),
    ("row", "returned", "UPDATE handle_case SET level = 'grid' WHERE incident = ID"),
    ("fold", "closed", "UPDATE log SET body = json_set(body, '$.case.revision', 9) WHERE incident = ID AND kind = 'case.signed'"),
    ("fold", "closed", "UPDATE log SET body = json_set(body, '$.case.answered.by', 'x') WHERE incident = ID AND kind = 'case.checked'"),
    ("fold", "closed", "UPDATE log SET kind = 'case.checked' WHERE incident = ID AND kind = 'case.closed'"),
    (
        "fold",
        "reworked",
        "UPDATE log SET body = json_set(body, '$.happened.what', 'closed') WHERE incident = ID AND kind = 'case.reworked'",
    ),
    ("fold", "closed", "UPDATE log SET at = '2026-01-01T00:00:00+00:00' WHERE incident = ID AND kind = 'case.answered'"),
    ("readable", "closed", "UPDATE log SET body = substr(body, 3) WHERE incident = ID AND kind = 'case.answered'"),
    ("readable", "closed", "UPDATE handle_case SET opened_at = 'soon' WHERE incident = ID"),
    // what facts say
    ("said", "closed", "UPDATE log SET body = json_set(body, '$.report.category', 'road') WHERE incident = ID AND topic = 'reported'"),
    ("said", "closed", "UPDATE log SET body = json_set(body, '$.route.rule', 'x') WHERE incident = ID AND topic = 'routed'"),
    ("said", "closed", "UPDATE log SET body = json_set(body, '$.route.lon', 1.5) WHERE incident = ID AND topic = 'routed'"),
    ("said", "closed", "UPDATE discover_report SET reporter = 'x' WHERE incident = ID"),
    ("said", "returned", "UPDATE route_incident SET holder = 'x' WHERE incident = ID"),
    // the log and its readers
    ("sequences", "closed", "DELETE FROM log WHERE incident = ID AND topic = 'handled' AND sequence = 3"),
    ("sequences", "closed", "DELETE FROM log WHERE incident = ID AND kind = 'case.closed'"),
    ("sequences", "escalated", "DELETE FROM log WHERE incident = ID AND topic = 'supervised' AND sequence = 1"),
    ("sequences", "closed", "UPDATE handle_sequence SET last = last + 1 WHERE incident = ID AND topic = 'handled'"),
    ("sequences", "closed", "UPDATE supervise_sequence SET last = last - 1 WHERE incident = ID AND topic = 'handled'"),
    ("sequences", "closed", "DELETE FROM route_sequence WHERE incident = ID AND topic = 'reported'"),
    ("sequences", "open", "UPDATE supervise_position SET position = 1"),
    ("sequences", "closed", "UPDATE log SET id = 100000 WHERE incident = ID AND kind = 'case.signed'"),
    (
        "sequences",
        "closed",
        "INSERT INTO handle_parked SELECT topic, 0, id, incident, sequence, kind, at, noticed_at, cause, body FROM log \
         WHERE incident = ID AND topic = 'routed'",
    ),
    ("positions", "handle on routed", "UPDATE handle_position SET position = 100000 WHERE topic = 'routed'"),
    ("positions", "supervise on handled", "UPDATE supervise_position SET topic_id = 'another'"),
    ("positions", "route on reported", "DELETE FROM route_position WHERE topic = 'reported'"),
    ("positions", "log_identity", "INSERT INTO log_identity VALUES ('another')"),
    // figures and people
    (
        "tallies",
        "990001/990001001/990001001001/990001001001001 opened",
        "UPDATE supervise_tally SET count = count + 1 WHERE measure = 'opened'",
    ),
    (
        "tallies",
        "990001/990001001/990001001001/990001001001001 closed",
        "DELETE FROM supervise_tally WHERE measure = 'closed'",
    ),
    ("people", "closed", "UPDATE handle_case SET passed_by = 'leader-111' WHERE incident = ID"),
    (
        "people",
        "closed",
        "UPDATE log SET body = json_set(body, '$.happened.by', 'leader-111') WHERE incident = ID AND kind = 'case.checked'",
    ),
];

/// Puts a copy of the street's file into a folder of its own and runs `sql` on it.
async fn copy(street: &Street, sql: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(platform::store::FILE);
    let copy = format!("VACUUM INTO '{}'", file.display());
    street.world.all.around.store.writer().execute_unprepared(&copy).await.unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    if !sql.is_empty() {
        store.writer().execute_unprepared(sql).await.unwrap();
        let changed = store.writer().query_one_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            "SELECT total_changes()",
        ));
        let changed: i64 = changed.await.unwrap().unwrap().try_get_by_index(0).unwrap();
        assert!(changed > 0, "nothing was planted by: {sql}");
    }
    store.close().await.unwrap();
    folder
}

#[tokio::test]
async fn every_planted_corruption_is_named() {
    let street = street().await;
    let untouched = copy(&street, "").await;
    assert!(look(untouched.path()).await.is_clean());
    let mut unnamed = Vec::new();
    for (check, life, sql) in PLANTED {
        let incident = street.lives.get(life);
        let id = incident.map_or_else(|| (*life).to_owned(), ToString::to_string);
        let hex = incident.map_or_else(String::new, |incident| format!("x'{}'", incident.0.simple()));
        let sql = sql.replace("ID", &hex);
        let folder = copy(&street, &sql).await;
        let report = look(folder.path()).await;
        if report.is_clean() || !named(&report, check, &id) {
            unnamed.push(format!("{check} does not name {id} after\n  {sql}\n{report}"));
        }
    }
    assert!(unnamed.is_empty(), "{} unnamed:\n{}", unnamed.len(), unnamed.join("\n"));
}

#[tokio::test]
async fn what_is_still_on_its_way_is_told_and_is_no_fault() {
    let mut world = World::start().await;
    world.case_of("rubbish").await;
    let report = world.new_report("road", IN_GRID_111);
    let submitted = world.submit("worker-111", report).await.unwrap();
    let unread = look(world.folder.path()).await;
    assert!(unread.is_clean(), "{unread}");
    assert_eq!(unread.on_the_way, 1);
    assert_eq!(unread.waiting[0].id, submitted.incident.to_string());

    world.all.route.take_facts().await.unwrap();
    let hex = submitted.incident.0.simple();
    let dead = format!(
        "INSERT INTO handle_dead_letter SELECT topic, 0, id, incident, sequence, kind, at, noticed_at, cause, body, \
         'the pack is wrong', at, 0 FROM log WHERE topic = 'routed' AND incident = x'{hex}'; \
         UPDATE handle_position SET position = (SELECT max(id) FROM log WHERE topic = 'routed') WHERE topic = 'routed'"
    );
    world.all.around.store.writer().execute_unprepared(&dead).await.unwrap();
    let dead = look(world.folder.path()).await;
    assert!(dead.is_clean(), "{dead}");
    assert_eq!((dead.on_the_way, dead.dead_letters), (1, 1));
    assert!(dead.waiting[0].what.contains("the pack is wrong"), "{dead}");
}

#[tokio::test]
async fn a_step_nobody_told_of_is_late_and_a_fault_only_when_asked() {
    let mut world = World::start().await;
    let incident = world.case_of("gas").await;
    let folder = world.folder.path();
    let now = Some(world.now() + TimeDelta::minutes(30));
    let report = audit(folder, Options { now, strict: false }).await.unwrap();
    assert!(report.is_clean() && report.due_steps.late > 0, "{report}");
    assert_eq!(report.late[0].id, incident.to_string());
    let strict = audit(folder, Options { now, strict: true }).await.unwrap();
    assert!(named(&strict, "steps", &incident.to_string()), "{strict}");
}

#[tokio::test]
async fn a_folder_without_a_database_cannot_be_looked_at() {
    let folder = TempDir::new().unwrap();
    assert!(audit(folder.path(), Options::default()).await.is_err());
}
