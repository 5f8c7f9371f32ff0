//! A fact nobody can read: it is set aside with the reason, its followers wait, people and other incidents
//! go on, and once the cause is mended a retry makes everything as if nothing had happened.

use chrono::TimeDelta;
use domain::case::Action;
use domain::facts::Topic;
use domain::id::IncidentId;
use platform::store::dead_letters::{self, DeadLetter};
use platform::store::{Store, log};
use platform::stream::{Record, Source};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::world::World;

async fn execute(world: &World, sql: &str, values: Vec<sea_orm::Value>) {
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    let result = world.all.around.store.writer().execute_raw(statement).await.unwrap();
    assert_eq!(result.rows_affected(), 1, "{sql}");
}

/// The fact as its writer left it in the log.
async fn fact(world: &World, topic: Topic, incident: IncidentId, sequence: i64) -> Record {
    let records = log::slice(world.all.around.store.readers(), 0, i64::MAX).await.unwrap();
    let named = |record: &Record| {
        (record.source.topic, record.incident, record.sequence) == (topic, incident, sequence)
    };
    records.into_iter().find(named).unwrap()
}

/// Spoils a fact that nobody has read yet.
async fn spoil(world: &World, record: &Record, kind: &str, body: &str) {
    let values = vec![kind.into(), body.into(), record.position.into()];
    execute(world, "UPDATE log SET kind = ?, body = ? WHERE id = ?", values).await;
}

/// Mends the dead letter of a fact: gives it back the type and the body it should have had.
async fn mend(world: &World, service: &str, record: &Record) {
    let sql = format!(
        "UPDATE {service}_dead_letter SET kind = ?, body = ? WHERE topic = ? AND incident = ? AND sequence = ?"
    );
    let values = vec![
        record.kind.as_str().into(),
        record.body.as_str().into(),
        record.source.topic.as_str().into(),
        record.incident.0.into(),
        record.sequence.into(),
    ];
    execute(world, &sql, values).await;
}

async fn letters(world: &World, service: &'static str) -> Vec<DeadLetter> {
    dead_letters::list(world.all.around.store.readers(), service).await.unwrap()
}

async fn ask_retry(world: &World, service: &'static str) {
    for letter in letters(world, service).await {
        assert!(dead_letters::ask_retry(world.all.around.store.writer(), &letter).await.unwrap());
    }
}

async fn count(world: &World, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Sqlite, sql.to_owned());
    let row = world.all.around.store.readers().query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Lets time pass and has supervise tell of what is due, with nobody reading it yet.
async fn due_after(world: &mut World, time: TimeDelta) {
    world.clock.drive(world.now() + time);
    assert!(world.all.supervise.lock().await.sweep().await.unwrap() > 0);
}

#[tokio::test]
async fn a_report_nobody_can_read_is_set_aside_and_the_next_one_becomes_a_case() {
    for (kind, body, reason) in [
        ("report.submitted", "{", "EOF while parsing"),
        ("report.submitted", "{\"report\": {}}", "missing field `reporter`"),
        ("report.guessed", "{}", "does not know facts of type `report.guessed`"),
    ] {
        let mut world = World::start().await;
        let report = world.new_report("rubbish", crate::world::IN_GRID_111);
        let spoilt = world.submit("worker-111", report).await.unwrap().incident;
        let whole = fact(&world, Topic::Reported, spoilt, 1).await;
        spoil(&world, &whole, kind, body).await;
        let fine = world.case_of("rubbish").await;
        assert_eq!(world.history(fine).await, ["case.opened"]);
        let letters = letters(&world, "route").await;
        assert_eq!(letters.len(), 1);
        assert!(letters[0].reason.contains(reason), "{}", letters[0].reason);
        assert!(world.history(spoilt).await.is_empty());

        mend(&world, "route", &whole).await;
        ask_retry(&world, "route").await;
        assert_eq!(world.all.route.lock().await.retry_asked().await.unwrap(), 1);
        world.settle().await;
        assert_eq!(world.history(spoilt).await, ["case.opened"]);
        assert_eq!(count(&world, "SELECT count(*) FROM route_dead_letter").await, 0);
        world.act("leader-111", Action::Sign, spoilt).await.unwrap();
    }
}

#[tokio::test]
async fn the_reason_names_the_fact_and_what_in_it_is_not_as_agreed() {
    let mut world = World::start().await;
    let incident = world.case_of("rubbish").await;
    due_after(&mut world, TimeDelta::minutes(30)).await;
    let step = fact(&world, Topic::Supervised, incident, 1).await;
    spoil(&world, &step, "step.due", "{\"deadline\": \"sing\"}").await;
    world.settle().await;
    let letter = letters(&world, "handle").await.remove(0);
    let name = format!("step.due supervised/{incident}/1");
    assert!(
        letter.reason.contains(&name) && letter.reason.contains("unknown variant `sing`"),
        "{}",
        letter.reason
    );
    assert_eq!((letter.record.body.as_str(), letter.dead_at), ("{\"deadline\": \"sing\"}", world.now()));
}

#[tokio::test]
async fn followers_are_parked_people_go_on_other_incidents_go_on_and_a_retry_decides_all_of_it() {
    for kind in ["step.due", "step.guessed"] {
        let mut world = World::start().await;
        let (spoilt, fine) = (world.case_of("gas").await, world.case_of("gas").await);
        due_after(&mut world, TimeDelta::hours(1)).await;
        let first = fact(&world, Topic::Supervised, spoilt, 1).await;
        spoil(&world, &first, kind, "not JSON").await;
        world.settle().await;
        // Reminder, community, street; the sign deadline's own.
        let climbed = ["case.opened", "case.reminded", "case.escalated", "case.escalated", "case.escalated"];
        assert_eq!(world.history(fine).await, climbed);
        assert_eq!(world.history(spoilt).await, ["case.opened"]);
        let parked = "SELECT count(*) FROM handle_parked WHERE topic = 'supervised'";
        assert_eq!(count(&world, parked).await, 3);

        // The row is advanced by what people do, whoever noticed the time.
        world.act("leader-111", Action::Sign, spoilt).await.unwrap();
        let history = world.history(spoilt).await;
        assert_eq!(history[..5], climbed, "{kind}");
        assert_eq!(history[5], "case.signed");
        assert_eq!(count(&world, parked).await, 3, "they still wait");

        mend(&world, "handle", &first).await;
        ask_retry(&world, "handle").await;
        assert_eq!(world.all.handle.lock().await.retry_asked().await.unwrap(), 1);
        world.settle().await;
        assert_eq!(count(&world, parked).await, 0);
        assert_eq!(count(&world, "SELECT count(*) FROM handle_dead_letter").await, 0);
        assert_eq!(world.history(spoilt).await, history, "every step took effect once");
        world.act("leader-111", Action::Answer, spoilt).await.unwrap();
    }
}

#[tokio::test]
async fn steps_whose_proposals_wait_behind_a_dead_letter_take_effect_at_the_retry_as_of_their_own_time() {
    let mut world = World::start().await;
    let incident = world.case_of("gas").await;
    due_after(&mut world, TimeDelta::hours(1)).await;
    let first = fact(&world, Topic::Supervised, incident, 1).await;
    spoil(&world, &first, "step.due", "[]").await;
    world.settle().await;
    world.pass(TimeDelta::hours(5)).await;
    assert_eq!(world.history(incident).await, ["case.opened"]);
    mend(&world, "handle", &first).await;
    ask_retry(&world, "handle").await;
    world.all.handle.lock().await.retry_asked().await.unwrap();
    world.settle().await;
    let records = log::slice(world.all.around.store.readers(), 0, i64::MAX).await.unwrap();
    let handled: Vec<_> = records.iter().filter(|record| record.source.topic == Topic::Handled).collect();
    let seconds = |record: &&Record| (record.at - handled[0].at).num_seconds();
    assert_eq!(handled.iter().map(seconds).collect::<Vec<_>>(), [0, 48, 60, 120, 600]);
    assert!(handled[1..].iter().all(|record| record.noticed_at == world.now()), "and are marked late");
}

#[tokio::test]
async fn a_spoilt_proposal_after_a_return_leaves_the_case_with_the_desk_until_it_is_mended() {
    let mut world = World::start().await;
    let incident = world.case_of("rubbish").await;
    let give_back = Action::Return(domain::case::ReturnReason::WrongArea);
    let asked = world.asked("leader-111", give_back, incident);
    world.all.handle.lock().await.obey(&[asked]).await.remove(0).unwrap().unwrap();
    world.all.route.lock().await.take_facts().await.unwrap();
    let second = fact(&world, Topic::Routed, incident, 2).await;
    spoil(&world, &second, "incident.routed", "{}").await;
    world.settle().await;
    let holder = "SELECT count(*) FROM handle_case WHERE holder LIKE 'street_desk:%'";
    assert_eq!(count(&world, holder).await, 1, "exactly one holder all the while");
    mend(&world, "handle", &second).await;
    ask_retry(&world, "handle").await;
    assert_eq!(world.all.handle.lock().await.retry_asked().await.unwrap(), 1);
    world.settle().await;
    assert_eq!(world.history(incident).await, ["case.opened", "case.returned", "case.assigned"]);
    world.act("community-11", Action::Sign, incident).await.unwrap();
}

#[tokio::test]
async fn a_case_fact_that_supervise_cannot_read_holds_back_its_mirror_and_nothing_else() {
    let mut world = World::start().await;
    let (spoilt, fine) = (world.case_of("rubbish").await, world.case_of("rubbish").await);
    let asked = [spoilt, fine].map(|incident| world.asked("leader-111", Action::Sign, incident));
    world.all.handle.lock().await.obey(&asked).await;
    let signed = fact(&world, Topic::Handled, spoilt, 2).await;
    spoil(&world, &signed, "case.signed", "{\"happened\": 1}").await;
    world.settle().await;
    for incident in [spoilt, fine] {
        world.act("leader-111", Action::Answer, incident).await.unwrap();
    }
    let mirrored = async |world: &World, incident: IncidentId| {
        let id = incident.0.simple().to_string().to_uppercase();
        let sql = format!("SELECT state FROM supervise_case WHERE hex(incident) = '{id}'");
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        let row = world.all.around.store.readers().query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index::<String>(0).unwrap()
    };
    assert_eq!(mirrored(&world, spoilt).await, "DISPATCHED");
    assert_eq!(mirrored(&world, fine).await, "CHECKING");
    assert_eq!(letters(&world, "supervise").await.len(), 1);
    assert!(letters(&world, "handle").await.is_empty() && letters(&world, "route").await.is_empty());
    mend(&world, "supervise", &signed).await;
    ask_retry(&world, "supervise").await;
    assert_eq!(world.all.supervise.lock().await.retry_asked().await.unwrap(), 1);
    assert_eq!(mirrored(&world, spoilt).await, "CHECKING");
    assert_eq!(count(&world, "SELECT count(*) FROM supervise_parked").await, 0);
}

#[tokio::test]
async fn a_step_of_supervise_that_fits_nothing_does_not_keep_others_from_being_told_of() {
    let mut world = World::start().await;
    let (spoilt, fine) = (world.case_of("gas").await, world.case_of("gas").await);
    let values = vec![spoilt.0.into()];
    let sql = "UPDATE supervise_step SET does = 'dance' WHERE incident = ? AND kind = 'handle' AND step = 0";
    execute(&world, sql, values).await;
    world.clock.drive(world.now() + TimeDelta::hours(1));
    world.all.sweep().await.expect("the others are told of");
    assert_eq!(world.history(fine).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_servers_too_they_are_listed_shown_and_asked_for_again() {
    if !crate::fleet::has_servers() {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let settings = crate::fleet::settings(folder.path(), "twostreets", "").await.unwrap();
    let gridward = |args: &[&str]| {
        let config = folder.path().join(crate::fleet::FILE);
        let run = std::process::Command::new(crate::instance::binary().unwrap())
            .args(args)
            .arg("--config")
            .arg(config)
            .output();
        let run = run.unwrap();
        assert!(run.status.success(), "{args:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    gridward(&["migrate"]);
    assert!(gridward(&["dead-letters", "list"]).contains("没有死信"));
    let handle = Store::connect(&settings.database_url("handle").unwrap(), 1).await.unwrap();
    let at = "2026-03-02T04:00:00Z".parse().unwrap();
    let record = Record {
        source: Source { topic: Topic::Routed, partition: 3 },
        position: 7,
        incident: IncidentId::new(at, [7; 10]),
        sequence: 1,
        kind: "incident.routed".to_owned(),
        at,
        noticed_at: at,
        cause: "reported/1".to_owned(),
        body: "{}".to_owned(),
    };
    let tx = handle.begin().await.unwrap();
    dead_letters::keep(&tx, "handle", &record, "no such holder", at, false).await.unwrap();
    tx.commit().await.unwrap();
    let name = format!("handle/routed/{}/1", record.incident);
    assert!(
        gridward(&["dead-letters", "list"]).contains(&format!("{name}  incident.routed  no such holder"))
    );
    assert!(gridward(&["dead-letters", "show", &name]).contains("reason    no such holder"));
    assert!(gridward(&["dead-letters", "retry", &name]).contains("已登记 1 条"));
    let letters = dead_letters::list(handle.readers(), "handle").await.unwrap();
    assert!(letters.len() == 1 && letters[0].retry_asked);
}
