//! What holds on a server beyond the contract: several instances at once, the outbox, the leases, the clock.

use std::time::Duration;

use platform::clock::host_now;
use platform::store::positions::{self, Move, Position};
use platform::store::{lease, outbox};

use super::notebook::asked;
use super::*;

const SERVICE: &str = "route";

/// The database of a service on a server, where no relay runs.
async fn without_relay() -> Option<Store> {
    std::env::var_os(SERVER)?;
    let store = Store::connect(&new_database().await, 4).await.unwrap();
    migrations::up_for(store.writer(), SERVICE).await.unwrap();
    Some(store)
}

/// A setting on a server, if the tests have one.
async fn on_a_server() -> Option<Here> {
    let setting = settings().into_iter().find(|setting| setting.server)?;
    Some(setting.start().await)
}

#[tokio::test]
async fn instances_that_decide_about_the_same_incidents_at_once_draw_each_sequence_once() {
    let Some(here) = on_a_server().await else { return };
    const TURNS: u8 = 12;
    let instance = |mut turns: Turns<Notebook>, turned: bool| {
        tokio::spawn(async move {
            let mut numbers: Vec<u8> = (1..=9).collect();
            for _ in 0..TURNS {
                numbers.rotate_left(1);
                if turned {
                    numbers.reverse();
                }
                let asked: Vec<_> = numbers.iter().map(|n| asked(*n, "at once")).collect();
                for answer in turns.obey(&asked).await {
                    answer.unwrap();
                }
            }
        })
    };
    let running =
        [instance(here.turns(), false), instance(here.turns(), true), instance(here.turns(), false)];
    for one in running {
        one.await.unwrap();
    }
    let mut by_incident = std::collections::BTreeMap::<_, Vec<i64>>::new();
    for record in here.all(Topic::Routed).await {
        by_incident.entry(record.incident).or_default().push(record.sequence);
    }
    let each: Vec<i64> = (1..=3 * i64::from(TURNS)).collect();
    assert_eq!(by_incident.len(), 9);
    for (incident, sequences) in by_incident {
        assert_eq!(sequences, each, "{incident}: in the order they were drawn, none twice, none missing");
    }
}

#[tokio::test]
async fn two_readers_of_one_partition_take_each_fact_once_between_them() {
    let Some(here) = on_a_server().await else { return };
    for sequence in 1..=40 {
        here.say(&[(1, sequence, "a"), (2, sequence, "b")]).await;
    }
    let reader = |mut turns: Turns<Notebook>| {
        tokio::spawn(async move {
            loop {
                match turns.take_facts().await {
                    Ok(taken) if taken.all() == 0 => return,
                    Ok(_) | Err(StoreError::Overtaken { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        })
    };
    let running = [reader(here.turns()), reader(here.turns())];
    for one in running {
        one.await.unwrap();
    }
    assert_eq!(here.noted().await.len(), 80);
}

#[tokio::test]
async fn the_positions_of_several_partitions_move_together_or_not_at_all() {
    let Some(store) = without_relay().await else { return };
    let at = |after| Position { topic_id: "a".to_owned(), after };
    let source = |partition| Source { topic: Topic::Reported, partition };
    let kept = async || {
        let all = positions::all(store.readers(), SERVICE).await.unwrap();
        all.into_iter().map(|(_, position)| position.after).collect::<Vec<_>>()
    };
    let tx = store.begin().await.unwrap();
    for partition in 0..3 {
        positions::begin(&tx, SERVICE, source(partition), &at(0)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (first, later, other) = (at(0), at(4), Position { topic_id: "b".to_owned(), after: 4 });
    let to_four = (0..3).map(|partition| Move { partition, from: &first, to: 4 }).collect::<Vec<_>>();
    let tx = store.begin().await.unwrap();
    positions::move_on(&tx, SERVICE, Topic::Reported, &to_four).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(kept().await, [4, 4, 4]);
    // One was moved by somebody else, or is on another log.
    for odd in [&first, &other] {
        let moves: Vec<Move<'_>> = [&later, odd, &later]
            .into_iter()
            .zip(0..)
            .map(|(from, partition)| Move { partition, from, to: 9 })
            .collect();
        let tx = store.begin().await.unwrap();
        let moved = positions::move_on(&tx, SERVICE, Topic::Reported, &moves).await;
        assert!(matches!(moved, Err(StoreError::Overtaken { .. })), "{moved:?}");
        drop(tx);
        assert_eq!(kept().await, [4, 4, 4]);
    }
}

#[tokio::test]
async fn a_turn_counts_as_of_the_databases_clock() {
    let Some(here) = on_a_server().await else { return };
    let tx = here.store.begin().await.unwrap();
    let (before, driven) = (host_now() - TimeDelta::minutes(1), Clock::driven(noon()));
    let now = here.store.now(&tx, &Clock::Host).await.unwrap();
    assert!(now > before && now < host_now() + TimeDelta::minutes(1), "{now}");
    assert_eq!(now.timestamp_subsec_nanos() % 1_000_000, 0, "whole milliseconds");
    // Of the very moment, not of the beginning of the transaction.
    while here.store.now(&tx, &Clock::Host).await.unwrap() == now {}
    assert_eq!(here.store.now(&tx, &driven).await.unwrap(), noon());
}

#[tokio::test]
async fn the_outbox_gives_what_is_not_published_in_order_also_a_lower_id_that_commits_later() {
    let Some(store) = without_relay().await else { return };
    let waiting = async || {
        let rows = outbox::waiting(store.readers(), SERVICE, 100).await.unwrap();
        rows.iter().map(|row| (row.id, row.fact.sequence)).collect::<Vec<_>>()
    };
    let (slow, fast) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    outbox::append(&slow, SERVICE, &[fact(Topic::Routed, 1, 1, "{}")]).await.unwrap();
    outbox::append(&fast, SERVICE, &[fact(Topic::Routed, 2, 2, "{}"), fact(Topic::Routed, 2, 3, "{}")])
        .await
        .unwrap();
    fast.commit().await.unwrap();
    let first = waiting().await;
    assert_eq!(first.iter().map(|row| row.1).collect::<Vec<_>>(), [2, 3]);
    let ids: Vec<i64> = first.iter().map(|row| row.0).collect();
    outbox::published(store.writer(), SERVICE, &ids).await.unwrap();
    slow.commit().await.unwrap();
    let late = waiting().await;
    assert_eq!(late.iter().map(|row| row.1).collect::<Vec<_>>(), [1], "a lower id, and not passed over");
    assert!(late[0].0 < ids[0]);
    outbox::send_again(store.writer(), SERVICE, &ids[1..]).await.unwrap();
    assert_eq!(waiting().await.iter().map(|row| row.1).collect::<Vec<_>>(), [1, 3]);
    let long_ago = host_now() - TimeDelta::days(1);
    assert_eq!(outbox::forget(store.writer(), SERVICE, long_ago).await.unwrap(), 0);
    let later = host_now() + TimeDelta::days(1);
    assert_eq!(outbox::forget(store.writer(), SERVICE, later).await.unwrap(), 1, "never what still waits");
}

#[tokio::test]
async fn a_fact_waits_as_it_was_published_and_one_sequence_never_has_two_contents() {
    let Some(store) = without_relay().await else { return };
    let said = fact(Topic::Routed, 1, 1, r#"{"said":"好","lon":121.80500000000001}"#);
    let tx = store.begin().await.unwrap();
    outbox::append(&tx, SERVICE, std::slice::from_ref(&said)).await.unwrap();
    tx.commit().await.unwrap();
    let waiting = outbox::waiting(store.readers(), SERVICE, 10).await.unwrap();
    assert_eq!(waiting.into_iter().map(|row| row.fact).collect::<Vec<_>>(), [said]);
    let tx = store.begin().await.unwrap();
    assert!(outbox::append(&tx, SERVICE, &[fact(Topic::Routed, 1, 1, "{}")]).await.is_err());
}

#[tokio::test]
async fn a_lease_is_held_by_one_until_it_is_given_up_or_over() {
    let Some(here) = on_a_server().await else { return };
    let (long, over) = (Duration::from_secs(60), Duration::ZERO);
    let hold = async |holder: &str, term| {
        lease::hold(here.store.writer(), SERVICE, "relay", holder, term).await.unwrap()
    };
    assert!(hold("a", long).await && hold("a", long).await, "kept by who has it");
    assert!(!hold("b", long).await);
    lease::release(here.store.writer(), SERVICE, "relay", "b").await.unwrap();
    assert!(!hold("b", long).await, "nobody gives up what somebody else has");
    lease::release(here.store.writer(), SERVICE, "relay", "a").await.unwrap();
    assert!(hold("b", over).await);
    while !hold("a", long).await {}
    assert!(!hold("b", long).await);
}

#[tokio::test]
async fn a_database_whose_text_is_in_the_order_of_a_language_is_refused() {
    let Some(_) = on_a_server().await else { return };
    let server = std::env::var(SERVER).unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    let here = Store::connect(&server, 1).await.unwrap();
    let name: String = platform::entropy::draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    let sql = format!(
        "CREATE DATABASE t{name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'zh' LC_COLLATE 'C' LC_CTYPE 'C'"
    );
    here.writer().execute_unprepared(&sql).await.unwrap();
    let said = Store::connect(&format!("{host}/t{name}"), 1).await.unwrap_err();
    assert!(matches!(said, StoreError::Unfit { .. }) && !said.may_pass(), "{said}");
    assert!(said.to_string().contains("LC_COLLATE 'C'"), "{said}");
    let password = server.split(':').nth(2).and_then(|rest| rest.split('@').next()).unwrap();
    assert!(!said.to_string().contains(password), "a password is never shown");
    let unreachable = Store::connect("postgres://gridward:secret-word@127.0.0.1:1/x", 1).await.unwrap_err();
    assert!(unreachable.may_pass() && !unreachable.to_string().contains("secret-word"), "{unreachable}");
    let garbage = Store::connect("not a url with secret-word", 1).await.unwrap_err();
    assert!(!garbage.to_string().contains("secret-word"), "{garbage}");
}
