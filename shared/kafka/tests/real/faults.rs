//! Brokers that are killed, frozen, or lose what they had not written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::connection::Connection;
use kafka::reading::{Membership, ReadError, Reading, Settings};
use kafka::sending::{self, SendError, Sending};
use tokio::task::spawn_blocking;

use crate::broker::{Own, unique};
use crate::{number, outgoing, read_all, reading, soon, topic, until};

fn sender(connection: &Connection) -> Sending {
    Sending::start(sending::Settings::new(connection.clone())).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_once_and_in_order_across_a_kill() {
    if !super::broker::is_there() {
        return;
    }
    let broker = Own::start("kill");
    let topic = topic(&broker.connection, "kill", 3).await;
    let keys: Vec<String> = (0..20).map(|n| format!("key-{n}")).collect();
    let (go, gone) = tokio::sync::oneshot::channel();
    let (connection, name, names) = (broker.connection.clone(), topic.clone(), keys.clone());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let sends = tokio::spawn(async move {
        let mut sending = sender(&connection);
        let (mut number, mut go, mut longest) = (0, Some(go), Duration::ZERO);
        while !*stopped.borrow() {
            let batch: Vec<_> = (0..50)
                .flat_map(|_| {
                    number += 1;
                    names.iter().map(move |key| (key, number))
                })
                .map(|(key, number)| outgoing(&name, key, number))
                .collect();
            let began = Instant::now();
            let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
            sending.send_all(&batch, deadline).await.unwrap();
            longest = longest.max(began.elapsed());
            if number >= 500 {
                go.take().map(|go| go.send(()));
            }
        }
        (number, longest)
    });
    gone.await.unwrap();
    // In the middle of sending.
    let broker = spawn_blocking(move || {
        broker.kill();
        broker.again();
        broker
    })
    .await
    .unwrap();
    let mut after = sender(&broker.connection);
    after.send_all(&[outgoing(&topic, "other", 1)], soon() + Duration::from_secs(30)).await.unwrap();
    stop.send(true).unwrap();
    let (last, longest) = sends.await.unwrap();
    eprintln!("measured: {} records; the longest batch, over the kill, took {longest:?}", last * keys.len());

    let reading = reading(&broker.connection, &topic).await;
    let mut all = Vec::new();
    for partition in 0..3 {
        all.extend(read_all(&reading, &topic, partition, 0, 1_000).await);
    }
    for key in &keys {
        let numbers = all.iter().filter(|one| one.key == key.as_bytes()).map(number);
        let numbers: Vec<_> = numbers.collect();
        let odd = numbers.windows(2).find(|two| two[0] + 1 != two[1]);
        assert!(odd.is_none(), "{key}: {odd:?}");
        assert_eq!((numbers.first(), numbers.last()), (Some(&1), Some(&last)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_broker_is_given_up_at_the_deadline_and_sent_to_again() {
    if !super::broker::is_there() {
        return;
    }
    let broker = Own::start("freeze");
    let topic = topic(&broker.connection, "freeze", 1).await;
    let mut sending = sender(&broker.connection);
    sending.send_all(&[outgoing(&topic, "one", 1)], soon()).await.unwrap();
    let batch: Vec<_> = (2..=500).map(|number| outgoing(&topic, "one", number)).collect();
    broker.freeze();
    for _ in 0..2 {
        let began = Instant::now();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(1);
        let answer = sending.send_all(&batch, deadline).await;
        assert!(matches!(answer, Err(SendError::Late { count: 499, .. })), "{answer:?}");
        eprintln!("measured: given up after {:?}: {}", began.elapsed(), answer.unwrap_err());
        assert!(began.elapsed() < Duration::from_secs(3));
    }
    broker.thaw();
    let began = Instant::now();
    sending.send_all(&batch, soon() + Duration::from_secs(20)).await.unwrap();
    eprintln!("measured: sent again {:?} after the thaw", began.elapsed());
    let reading = reading(&broker.connection, &topic).await;
    let read: Vec<_> = read_all(&reading, &topic, 0, 0, 1_000).await.iter().map(number).collect();
    eprintln!("measured: {} records in the log for 500", read.len());
    let mut next = 1;
    read.iter().for_each(|number| next += usize::from(*number == next));
    assert_eq!(next, 501);
    // Each attempt is in order and begins at the first: no reader ever sees a gap.
    let mut reached = 0;
    for number in read {
        assert!(number <= reached + 1, "{number} after {reached}");
        reached = reached.max(number);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_was_lost_is_said_to_the_reader_that_was_there() {
    if !super::broker::is_there() {
        return;
    }
    let broker = Own::start("lose");
    let topic = topic(&broker.connection, "lose", 1).await;
    let mut sending = sender(&broker.connection);
    for number in 1..=20 {
        sending.send_all(&[outgoing(&topic, "one", number)], soon()).await.unwrap();
    }
    // Longer than the broker is away, so that the group keeps the reader and its fetcher goes on.
    let membership = Membership::Group { id: unique("group"), session: Duration::from_secs(25) };
    let reading = Reading::start(Settings::new(broker.connection.clone(), &[&topic], membership)).unwrap();
    until("the partition", &reading, || !reading.assigned(&topic).is_empty()).await;
    let read = read_all(&reading, &topic, 0, 0, 100).await;
    assert_eq!(read.len(), 20);

    let _broker = spawn_blocking({
        let topic = topic.clone();
        move || {
            broker.kill();
            broker.lose(&topic, 0, 300);
            broker.again();
            broker
        }
    })
    .await
    .unwrap();
    let mut arrivals = reading.arrivals();
    let began = Instant::now();
    let said = loop {
        match reading.read(&topic, 0, 20, 10).await {
            Err(ReadError::Outside { after, first, last, .. }) => break (after, first, last),
            Ok(none) => assert!(none.is_empty(), "{none:?}"),
            Err(other) => eprintln!("meanwhile: {other}"),
        }
        tokio::time::timeout_at(soon(), arrivals.changed()).await.expect("it is said").unwrap();
    };
    eprintln!("measured: the lost tail is said {:?} after the broker is back: {said:?}", began.elapsed());
    let (after, first, last) = said;
    assert!(after == 20 && first == 1 && (1..20).contains(&last));
    // The fetcher had stopped by itself; it can be used again.
    let began = Instant::now();
    let again = read_all(&reading, &topic, 0, 0, 100).await;
    eprintln!("measured: read again {:?} after that", began.elapsed());
    assert!(again.iter().map(number).eq(1..=usize::try_from(last).unwrap()));
    // The producer that had been told otherwise cannot go on either; it is replaced by the next batch.
    let next = [outgoing(&topic, "one", 99)];
    let answer = sending.send_all(&next, soon()).await;
    eprintln!("measured: the producer whose tail was lost says {answer:?}");
    if answer.is_err() {
        let began = Instant::now();
        sending.send_all(&next, soon()).await.unwrap();
        eprintln!("measured: and sends {:?} later", began.elapsed());
    }
    let mut next = reading.read(&topic, 0, last, 10).await.unwrap();
    while next.is_empty() {
        tokio::time::timeout_at(soon(), arrivals.changed()).await.unwrap().unwrap();
        next = reading.read(&topic, 0, last, 10).await.unwrap();
    }
    assert_eq!(number(&next[0]), 99);
}

/// A reader that is in a group and at the end.
async fn busy(broker: &Own, topic: &str) -> Reading {
    let membership = Membership::Group { id: unique("group"), session: Duration::from_secs(6) };
    let mut settings = Settings::new(broker.connection.clone(), &[topic], membership);
    settings.patience = Duration::from_secs(1);
    let reading = Reading::start(settings).unwrap();
    until("the partitions", &reading, || reading.assigned(topic).len() == 2).await;
    let last = soon() + Duration::from_secs(10);
    // A broker that was just started may still be finding out what it is.
    loop {
        match reading.read(topic, 0, 0, 1).await {
            Ok(none) => break assert!(none.is_empty()),
            Err(error) => assert!(tokio::time::Instant::now() < last, "{error}"),
        }
    }
    reading
}

async fn stopped(reading: Reading, what: &str) {
    let began = Instant::now();
    let answer = spawn_blocking(move || reading.stop()).await.unwrap();
    eprintln!("measured: stop with a {what} took {:?}: {answer:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(12));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_is_bounded_also_without_a_broker() {
    if !super::broker::is_there() {
        return;
    }
    let broker = Arc::new(Own::start("stop"));
    let topic = topic(&broker.connection, "stop", 2).await;
    let reading = busy(&broker, &topic).await;
    stopped(reading, "broker").await;

    let reading = busy(&broker, &topic).await;
    broker.freeze();
    reading.commit_copy(&topic, 0, 0);
    let began = Instant::now();
    assert!(matches!(reading.read(&topic, 1, 0, 1).await, Err(ReadError::Broker { .. })));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(reading.since_last_poll() < Duration::from_secs(1));
    stopped(reading, "frozen broker and a commit open").await;

    replaced(&broker).await;
    let reading = busy(&broker, &topic).await;
    broker.freeze();
    stopped(reading, "frozen broker").await;

    replaced(&broker).await;
    let reading = busy(&broker, &topic).await;
    broker.kill();
    reading.commit_copy(&topic, 0, 0);
    stopped(reading, "killed broker and a commit open").await;

    replaced(&broker).await;
    let reading = busy(&broker, &topic).await;
    broker.kill();
    stopped(reading, "killed broker").await;
}

/// Killed, if it runs, and started: a process that was frozen for ten seconds does not always come back.
async fn replaced(broker: &Arc<Own>) {
    let broker = Arc::clone(broker);
    let started = spawn_blocking(move || {
        broker.kill();
        broker.again();
    });
    started.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_over_tls_with_a_password() {
    if !super::broker::is_there() {
        return;
    }
    let (broker, secure) = Own::start_with_tls("tls");
    let topic = topic(&secure, "tls", 1).await;
    let mut sending = sender(&secure);
    sending.send_all(&[outgoing(&topic, "one", 1)], soon()).await.unwrap();
    let reading = reading(&secure, &topic).await;
    assert_eq!(number(&reading.read(&topic, 0, 0, 1).await.unwrap()[0]), 1);
    assert_eq!(reading.topic_ids().await.unwrap().len(), 1);
    let password = &secure.properties["sasl.password"];
    assert!(!format!("{secure:?} {sending:?} {reading:?}").contains(password));

    let mut wrong = secure.clone();
    wrong.properties.insert("sasl.password".to_owned(), "guessed".to_owned());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(1);
    let answer = sender(&wrong).send_all(&[outgoing(&topic, "one", 2)], deadline).await;
    assert!(matches!(answer, Err(SendError::Late { .. })), "{answer:?}");
    drop(broker);
}
