//! Interleavings: SQLite takes one turn after the other, PostgreSQL does not. For each pair of turns that meet at
//! something, every order of their statements over two sessions of a real PostgreSQL leaves what one turn after the
//! other leaves, and tells both what they would be told then.
//!
//! Between each session and the server stands a gate ([`gate`]) that holds every statement until it is told to let it
//! through; who waits for a lock is seen by a third session. [`search`] walks through the orders, [`pairs`] says what
//! meets, [`room`] judges. `cargo test -p scenarios interleavings -- --nocapture` shows the table; a schedule that breaks
//! a promise is told statement by statement.
//!
//! Rules are broken on purpose too, by changing the words of a statement on its way: that is noticed, or it is said which
//! other rule holds instead.

mod does;
mod gate;
mod pairs;
mod room;
mod rows;
mod search;
mod session;
mod stage;
mod statement;
mod topics;
mod toy;
mod wire;

use std::sync::{Mutex, PoisonError};
use std::thread;

use pairs::Pair;
use room::{Figures, Room, server, table};
use tokio::runtime::Builder;
use wire::Rewrite;

/// All pairs together have no more schedules than these: whoever makes it more knows that it takes longer.
const MOST_IN_ALL: usize = 2_000;

/// Has pairs meet in a room of its own, on one thread: the next that `next` has, until there is none.
fn meet_all(server: &str, next: impl Fn() -> Option<Pair>) -> Vec<Figures> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let room = Room::open(server, str::to_owned, "").await.unwrap();
        let mut all = Vec::new();
        while let Some(pair) = next() {
            all.push(room.meet(&pair).await.unwrap());
        }
        all
    })
}

#[test]
fn in_every_order_of_their_statements_two_turns_leave_what_one_after_the_other_leaves() {
    let Some(server) = server() else { return };
    let pairs = pairs::all();
    let left = Mutex::new(pairs.clone());
    let meet = || meet_all(&server, || left.lock().unwrap_or_else(PoisonError::into_inner).pop());
    let mut figures = thread::scope(|scope| {
        let other = scope.spawn(meet);
        [meet(), other.join().unwrap()].concat()
    });
    figures.sort_by_key(|one| pairs.iter().position(|pair| pair.name == one.name));
    let table = table(&figures);
    println!("{table}");
    let faults: Vec<String> = figures
        .iter()
        .filter(|one| !one.is_clean())
        .map(|one| {
            format!("{}: {} of {} schedules\n{}", one.name, one.wrong, one.schedules, one.faults.join("\n"))
        })
        .collect();
    assert!(faults.is_empty(), "\n{}\n{table}", faults.join("\n\n"));
    let schedules: usize = figures.iter().map(|one| one.schedules).sum();
    assert!(
        schedules <= MOST_IN_ALL,
        "{schedules} schedules, and {MOST_IN_ALL} were meant to be the most\n{table}"
    );
}

/// Some in which one waits, is told of a fault or is run again.
const AGAIN: [&str; 4] = [pairs::SENT_TWICE, pairs::SWEEP_AND_FACT, pairs::OLD_OWNER, pairs::SAME_ACCOUNT];

#[test]
fn a_walk_is_the_same_each_time_whatever_was_walked_before_it() {
    let Some(server) = server() else { return };
    let walk = |names: Vec<&str>| {
        let left = Mutex::new(names.into_iter().map(pairs::of).collect::<Vec<_>>());
        let mut all = meet_all(&server, || left.lock().unwrap_or_else(PoisonError::into_inner).pop());
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    };
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| walk(AGAIN.into_iter().rev().collect()));
        (walk(AGAIN.to_vec()), other.join().unwrap())
    });
    assert_eq!(one, other, "step by step");
    assert!(one.iter().any(|pair| pair.waited > 0) && one.iter().any(|pair| pair.again > 0), "{one:#?}");
}

/// What becomes of `pair` where the words of statements are changed, and after `before` was done to its tables.
async fn broken(pair: &str, rewrite: Rewrite, before: &str) -> Option<Figures> {
    let room = Room::open(&server()?, rewrite, before).await.unwrap();
    Some(room.meet(&pairs::of(pair)).await.unwrap())
}

fn nobody_locks(words: &str) -> String {
    words.replace(" FOR UPDATE", "").replace(" FOR SHARE", "")
}

#[tokio::test]
async fn without_the_lock_a_sweep_and_a_fact_write_over_each_other_and_it_is_found() {
    let Some(found) = broken(pairs::SWEEP_AND_FACT, nobody_locks, "").await else { return };
    println!("{}{}", table(std::slice::from_ref(&found)), found.faults[0]);
    assert!(found.wrong > 0, "{found:#?}");
    let told = &found.faults[0];
    for words in ["A reads", "B commits", "A was told", "with A first", "supervise_step"] {
        assert!(told.contains(words), "{words} is not in {told}");
    }
}

fn nobody_is_alone(words: &str) -> String {
    words.replace("pg_advisory_xact_lock(", "pg_advisory_xact_lock_shared(")
}

#[tokio::test]
async fn where_nobody_is_alone_with_the_register_the_last_hand_is_taken_twice_and_it_is_found() {
    let Some(found) = broken(pairs::LAST_HANDS, nobody_is_alone, "").await else { return };
    println!("{}", table(std::slice::from_ref(&found)));
    assert!(found.wrong > 0 && found.faults[0].contains("partner_offer"), "{found:#?}");
}

/// One sequence never has two contents: no two lines of a history, no two facts.
const TWO_CONTENTS: &str = "ALTER TABLE handle_history DROP CONSTRAINT handle_history_pkey; \
                            DROP INDEX handle_outbox_by_sequence";

#[tokio::test]
async fn without_the_lock_no_sequence_is_drawn_twice_and_without_that_rule_too_it_is_found() {
    let Some(caught) = broken(pairs::TWO_VERDICTS, nobody_locks, "").await else { return };
    assert!(caught.is_clean() && caught.again > 0, "whoever comes second is run again: {caught:#?}");
    let found = broken(pairs::TWO_VERDICTS, nobody_locks, TWO_CONTENTS).await.unwrap();
    println!("{}", table(&[caught, found.clone()]));
    assert!(found.wrong > 0 && found.faults[0].contains("handle_outbox"), "{found:#?}");
}

/// Of the one outbox: with the mark of another the walk would never come to where it begins.
fn from_a_mark_on(words: &str) -> String {
    if !words.contains("\"handle_outbox\"") {
        return words.to_owned();
    }
    let mark = "\"id\" > (SELECT coalesce(max(id), 0) FROM handle_outbox WHERE published_at IS NOT NULL)";
    words.replace("\"published_at\" IS NULL", mark)
}

#[tokio::test]
async fn a_relay_that_keeps_a_mark_leaves_out_what_is_committed_late_and_it_is_found() {
    let Some(found) = broken(pairs::LATE_COMMIT, from_a_mark_on, "").await else { return };
    println!("{}", table(std::slice::from_ref(&found)));
    assert!(found.wrong > 0 && found.faults[0].contains("(topics)"), "{found:#?}");
}

fn wherever_it_was(words: &str) -> String {
    words.replace("AND \"position\" = $5", "AND \"position\" >= 0 * $5")
}

#[tokio::test]
async fn an_old_owner_that_does_not_compare_puts_the_position_back_and_it_is_found() {
    let Some(found) = broken(pairs::OLD_OWNER, wherever_it_was, "").await else { return };
    println!("{}", table(std::slice::from_ref(&found)));
    assert!(found.faults.iter().any(|fault| fault.contains("supervise_position")), "{found:#?}");
}
