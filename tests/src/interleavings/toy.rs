//! What the textbooks say two transactions at READ COMMITTED can do to each other: it is found, and nothing else is.
//! Here it is known beforehand, so this is how the walk through the schedules is itself tried.

use platform::store::{Store, commit, get};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::room::{Room, server};
use super::search::{Search, Side};
use super::session::{Order, Said, Turn, in_time};

const TABLE: &str = "CREATE TABLE handle_toy (name text PRIMARY KEY, n bigint NOT NULL)";
const FIRST: &str =
    "DELETE FROM handle_toy; INSERT INTO handle_toy VALUES ('till', 100), ('anna', 1), ('ben', 1)";

fn sql(text: String) -> Statement {
    Statement::from_string(DbBackend::Postgres, text)
}

/// Reads how much is in the till, adds to it, and writes that back.
fn adds(store: Store, amount: i64, lock: &'static str) -> Turn {
    Box::pin(async move {
        let tx = store.begin().await.unwrap();
        let row = tx.query_one_raw(sql(format!("SELECT n FROM handle_toy WHERE name = 'till' {lock}"))).await;
        let n: i64 = get(&row.unwrap().unwrap(), "n").unwrap();
        let update = format!("UPDATE handle_toy SET n = {} WHERE name = 'till'", n + amount);
        tx.execute_raw(sql(update)).await.unwrap();
        commit(tx, "adding").await.unwrap();
        Said { text: "added".to_owned(), again: 0 }
    })
}

/// Goes off duty, if somebody else is on.
fn leaves(store: Store, name: &'static str, lock: &'static str) -> Turn {
    Box::pin(async move {
        let tx = store.begin().await.unwrap();
        let on_duty =
            format!("SELECT name FROM handle_toy WHERE name <> 'till' AND n = 1 ORDER BY name {lock}");
        let may = tx.query_all_raw(sql(on_duty)).await.unwrap().len() > 1;
        if may {
            let update = format!("UPDATE handle_toy SET n = 0 WHERE name = '{name}'");
            tx.execute_raw(sql(update)).await.unwrap();
        }
        commit(tx, "leaving").await.unwrap();
        Said { text: if may { "left" } else { "stays" }.to_owned(), again: 0 }
    })
}

/// Waits for the two in the wrong order.
fn crosses(store: Store, [one, two]: [&'static str; 2]) -> Turn {
    Box::pin(async move {
        let tx = store.begin().await.unwrap();
        for name in [one, two] {
            let update = format!("UPDATE handle_toy SET n = n + 1 WHERE name = '{name}'");
            if tx.execute_raw(sql(update)).await.is_err() {
                return Said { text: "ended".to_owned(), again: 1 };
            }
        }
        commit(tx, "crossing").await.unwrap();
        Said { text: "crossed".to_owned(), again: 0 }
    })
}

/// What is in the table, and what both were told, after every schedule; how many schedules there were, and in how many
/// of them somebody waited.
async fn outcomes(
    room: &Room,
    whole: bool,
    turn: impl Fn(Side, Store) -> Turn,
) -> (Vec<String>, usize, usize) {
    let watcher = room.sessions.watcher.writer();
    let mut search = Search::new(whole);
    let (mut all, mut schedules, mut waited) = (Vec::new(), 0, 0);
    loop {
        let ran = in_time(async || {
            search.again();
            watcher.execute_unprepared(FIRST).await?;
            let turns = Side::BOTH.map(|side| turn(side, room.sessions.of(side).store.clone()));
            room.sessions.run(turns, Order::Search(&mut search)).await
        });
        let ran = ran.await.unwrap();
        if !search.is_redundant() {
            schedules += 1;
            waited += usize::from(ran.waited > 0);
            let rows = watcher.query_all_raw(sql("SELECT n FROM handle_toy ORDER BY name".to_owned())).await;
            let numbers: Vec<i64> = rows.unwrap().iter().map(|row| get(row, "n").unwrap()).collect();
            all.push(format!("{numbers:?} {} {}", ran.said[0].text, ran.said[1].text));
        }
        if !search.another() {
            all.sort();
            all.dedup();
            return (all, schedules, waited);
        }
    }
}

#[tokio::test]
async fn every_schedule_of_two_is_walked_and_what_the_textbooks_say_is_found() {
    let Some(server) = server() else { return };
    let room = Room::open(&server, str::to_owned, TABLE).await.unwrap();
    for whole in [true, false] {
        let add = |lock| move |side, store| adds(store, if side == Side::A { 1 } else { 10 }, lock);
        let (found, schedules, waited) = outcomes(&room, whole, add("")).await;
        let lost = ["[1, 1, 101] added added", "[1, 1, 110] added added", "[1, 1, 111] added added"];
        assert_eq!(found, lost, "an update is lost, or none");
        assert!(waited > 0 && waited < schedules, "{waited} of {schedules}");
        let (found, schedules, waited) = outcomes(&room, whole, add("FOR UPDATE")).await;
        assert_eq!(found, ["[1, 1, 111] added added"], "not where it was locked when it was read");
        assert!(waited > 0 && waited < schedules, "{waited} of {schedules}");

        let leave =
            |lock| move |side, store| leaves(store, if side == Side::A { "anna" } else { "ben" }, lock);
        let (found, ..) = outcomes(&room, whole, leave("")).await;
        let skewed = ["[0, 0, 100] left left", "[0, 1, 100] left stays", "[1, 0, 100] stays left"];
        assert_eq!(found, skewed, "nobody is left on duty, though each of them looked");
        let (found, ..) = outcomes(&room, whole, leave("FOR UPDATE")).await;
        assert_eq!(found, skewed[1..]);
    }
}

#[tokio::test]
async fn two_that_wait_for_each_other_are_parted_and_the_schedule_goes_on() {
    let Some(server) = server() else { return };
    let room = Room::open(&server, str::to_owned, TABLE).await.unwrap();
    let names = |side| if side == Side::A { ["anna", "ben"] } else { ["ben", "anna"] };
    let (found, ..) = outcomes(&room, false, |side, store| crosses(store, names(side))).await;
    let parted = ["[2, 2, 100] crossed ended", "[2, 2, 100] ended crossed", "[3, 3, 100] crossed crossed"];
    assert_eq!(found, parted, "each is ended once, and neither where one comes after the other");
}
