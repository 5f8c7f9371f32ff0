//! The audit finds nothing in what the services did by themselves, and names every corruption that is
//! planted behind their backs, by id.

mod planted;
mod servers;

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
use planted::PLANTED;

/// A street after a few days: one case of each kind of life.
struct Street {
    world: World,
    lives: BTreeMap<&'static str, IncidentId>,
}

async fn street() -> Street {
    let mut world = World::start().await;
    // What was told of first: where the oldest row of an outbox is gone, it may have been cleared by age.
    let oldest = world.case_of("gas").await;
    world.pass(TimeDelta::minutes(1)).await;
    let closed = world.case_of("rubbish").await;
    let escalated = world.case_of("gas").await;
    let returned = world.case_of("road").await;
    let reworked = world.case_of("gas").await;
    finish(&mut world, closed).await;
    for person in ["leader-111", "community-11"] {
        let back = Action::Return(ReturnReason::UnclearOwner);
        world.act(person, back.clone(), returned).await.unwrap();
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
        ("oldest", oldest),
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
        world.act(person, action.clone(), incident).await.unwrap();
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

#[tokio::test]
async fn whatever_people_do_in_whatever_order_is_clean() {
    let mut world = World::start().await;
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let mut incidents = Vec::new();
    for round in 0..500 {
        match chance.below(10) {
            0 | 1 => {
                let category = chance.one_of(&["gas", "rubbish", "road", "dispute"]);
                let report = world.new_report(category, chance.one_of(&SPOTS));
                incidents.push(world.submit("worker-111", report).await.unwrap().incident);
            }
            2 => {
                let most = chance.one_of(&[1_000, 60_000, 600_000, 3_600_000, 40_000_000]);
                let time = TimeDelta::milliseconds(chance.below(most).cast_signed());
                world.clock.drive(world.now() + time);
            }
            3 => world.settle().await,
            4 => world.pass(TimeDelta::zero()).await,
            _ => somebody_does_something(&mut world, &mut chance, &incidents).await,
        }
        if round % 100 == 99 {
            let report = look(world.folder.path()).await;
            assert!(report.is_clean(), "after {round} rounds:\n{report}");
        }
    }
    world.pass(TimeDelta::zero()).await;
    let report = look(world.folder.path()).await;
    assert!(report.is_clean() && report.on_the_way == 0, "{report}");
    assert_eq!(report.check("once").unwrap().looked_at, incidents.len() as u64);
    assert!(report.due_steps.effected > 50, "{report}");
}

/// Grids of both streets, the spot of failed geocodes, and a place in no grid.
const SPOTS: [(f64, f64); 8] = [
    IN_GRID_111,
    (121.825, 29.905),
    (121.835, 29.915),
    (121.805, 29.915),
    (121.815, 29.905),
    (121.815, 29.915),
    (121.8001, 29.9001),
    (120.0, 29.0),
];

/// Somebody tries a few times to do something to some case; most are refused.
async fn somebody_does_something(world: &mut World, chance: &mut Chance, incidents: &[IncidentId]) {
    if incidents.is_empty() {
        return;
    }
    let people = [
        "leader-111",
        "leader-112",
        "leader-121",
        "community-11",
        "desk-1a",
        "desk-1b",
        "checker-1",
        "checker-2",
        "leader-211",
        "leader-222",
        "community-21",
        "community-22",
    ];
    let back = Action::Return(ReturnReason::WrongArea);
    let actions = [Action::Sign, Action::Answer, back, Action::Pass, Action::Fail, Action::Close];
    let (incident, action) = (chance.one_of(incidents), chance.one_of(&actions));
    let asked: Vec<_> =
        (0..4).map(|_| world.asked(chance.one_of(&people), action.clone(), incident)).collect();
    for answer in world.all.handle.lock().await.obey(&asked).await {
        let _ = answer.unwrap();
    }
}

/// The same throws each time: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    fn one_of<T: Clone>(&mut self, those: &[T]) -> T {
        those[self.below(those.len() as u64) as usize].clone()
    }
}

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

    world.all.route.lock().await.take_facts().await.unwrap();
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

#[tokio::test]
async fn a_time_nobody_can_read_is_a_fault_and_does_not_end_the_audit() {
    let street = street().await;
    let id = street.lives["closed"];
    let sql = format!("UPDATE log SET at = 'soon' WHERE incident = x'{}' AND sequence = 2", id.0.simple());
    let folder = copy(&street, &sql).await;
    let report = look(folder.path()).await;
    assert!(named(&report, "readable", &id.to_string()), "{report}");
}

#[tokio::test]
async fn a_damaged_page_of_an_index_is_a_fault() {
    let street = street().await;
    let folder = copy(&street, "").await;
    let file = folder.path().join(platform::store::FILE);
    let store = Store::open(folder.path()).await.unwrap();
    let root = sea_orm::Statement::from_string(
        sea_orm::DbBackend::Sqlite,
        "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master \
         WHERE name = 'handle_case_by_area'",
    );
    let row = store.readers().query_one_raw(root).await.unwrap().unwrap();
    let (page, size): (i64, i64) = (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
    store.close().await.unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let begin = usize::try_from((page - 1) * size).unwrap();
    bytes[begin..begin + usize::try_from(size).unwrap()].fill(0);
    std::fs::write(&file, bytes).unwrap();
    let report = look(folder.path()).await;
    assert!(named(&report, "readable", platform::store::FILE), "{report}");
}
