//! Sending, with a broker that is well.

use std::time::{Duration, Instant};

use kafka::sending::{SendError, Sending, Settings};

use crate::{broker, number, outgoing, read_all, reading, soon, topic};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_larger_than_the_queue_is_sent_in_order() {
    if !broker::is_there() {
        return;
    }
    let connection = broker::shared();
    let topic = topic(&connection, "full", 1).await;
    let mut narrow = connection.clone();
    narrow.properties.insert("queue.buffering.max.messages".to_owned(), "50".to_owned());
    let mut sending = Sending::start(Settings::new(narrow)).unwrap();
    let batch: Vec<_> = (1..=2_000).map(|number| outgoing(&topic, "one", number)).collect();
    let began = Instant::now();
    sending.send_all(&batch, soon()).await.unwrap();
    eprintln!("measured: 2,000 through a queue of 50 in {:?}", began.elapsed());
    let reading = reading(&connection, &topic).await;
    let read = read_all(&reading, &topic, 0, 0, 500).await;
    assert!(read.iter().map(number).eq(1..=2_000));
    sending.send_all(&[], soon()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_cannot_be_sent_is_named_and_nothing_behind_it_is_sent() {
    if !broker::is_there() {
        return;
    }
    let connection = broker::shared();
    let topic = topic(&connection, "large", 1).await;
    let mut sending = Sending::start(Settings::new(connection.clone())).unwrap();
    let mut batch: Vec<_> = (1..=5).map(|number| outgoing(&topic, "one", number)).collect();
    batch[2].payload = vec![b'x'; 2_000_000];
    match sending.send_all(&batch, soon()).await {
        Err(SendError::Refused { index: 2, topic: said, .. }) => assert_eq!(said, topic),
        other => panic!("{other:?}"),
    }
    batch.remove(2);
    sending.send_all(&batch, soon()).await.unwrap();
    let reading = reading(&connection, &topic).await;
    let read: Vec<_> = read_all(&reading, &topic, 0, 0, 500).await.iter().map(number).collect();
    // 1 and 2 may be there from the first attempt; nothing else may.
    assert!(read.ends_with(&[1, 2, 4, 5]), "{read:?}");
    assert!([1, 2].starts_with(&read[..read.len() - 4]), "{read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_waiting_leaves_nothing_on_its_way() {
    if !broker::is_there() {
        return;
    }
    let connection = broker::shared();
    let topic = topic(&connection, "dropped", 1).await;
    let mut sending = Sending::start(Settings::new(connection.clone())).unwrap();
    let batch: Vec<_> = (1..=3_000).map(|number| outgoing(&topic, "one", number)).collect();
    // So that it has its id and a connection, and gets somewhere in no time.
    sending.send_all(&[outgoing(&topic, "one", 1)], soon()).await.unwrap();
    for patience in [0, 1_000, 5_000, 10_000, 20_000] {
        let patience = Duration::from_micros(patience);
        let _ = tokio::time::timeout(patience, sending.send_all(&batch, soon())).await;
    }
    sending.send_all(&batch, soon()).await.unwrap();
    let reading = reading(&connection, &topic).await;
    let read: Vec<_> = read_all(&reading, &topic, 0, 0, 500).await.iter().map(number).collect();
    eprintln!("measured: {} records in the log for 6 attempts with 3,000", read.len());
    // Whatever was there before: dropping what is not next leaves each once, and the last batch is whole.
    let mut next = 1;
    read.iter().for_each(|number| next += usize::from(*number == next));
    assert_eq!(next, 3_001);
    assert!(read.ends_with(&(1..=3_000).collect::<Vec<_>>()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_said_at_the_deadline() {
    if !broker::is_there() {
        return;
    }
    let nobody = kafka::connection::Connection::plain("127.0.0.1:9");
    let mut sending = Sending::start(Settings::new(nobody)).unwrap();
    let began = Instant::now();
    let deadline = tokio::time::Instant::now() + Duration::from_millis(500);
    let batch = [outgoing("any", "one", 1)];
    let answer = sending.send_all(&batch, deadline).await;
    assert!(matches!(answer, Err(SendError::Late { open: 1, count: 1 })), "{answer:?}");
    eprintln!("measured: nobody there is said after {:?}", began.elapsed());
    let began = Instant::now();
    sending.stop().await;
    eprintln!("measured: a producer without a broker ends in {:?}", began.elapsed());
}
