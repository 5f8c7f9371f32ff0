//! Reading: what comes, in which order, from where, and what is outside.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::reading::{Message, ReadError, Reading};
use kafka::sending::{self, Sending};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::{alone, broker, number, outgoing, read_all, reading, soon, topic, until};

/// As the Java client computes it.
fn murmur2_partition(key: &[u8], count: i32) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ u32::try_from(key.len()).unwrap();
    let mut words = key.chunks_exact(4);
    for word in words.by_ref() {
        let mut k = u32::from_le_bytes(word.try_into().unwrap()).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^= hash >> 15;
    (hash & 0x7fff_ffff).cast_signed() % count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_comes_whole_and_in_order_by_key() {
    if !broker::is_there() {
        return;
    }
    let connection = broker::shared();
    let topic = topic(&connection, "order", 6).await;
    let mut sending = Sending::start(sending::Settings::new(connection.clone())).unwrap();
    let keys: Vec<String> = (0..60).map(|n| format!("0197f3c2-7e1a-7c3b-9d4e-{n:012}")).collect();
    for first in [1, 26] {
        let batch: Vec<_> = (first..first + 25)
            .flat_map(|number| keys.iter().map(move |key| (key, number)))
            .map(|(key, number)| outgoing(&topic, key, number))
            .collect();
        let began = Instant::now();
        sending.send_all(&batch, soon()).await.unwrap();
        eprintln!("measured: batch of {} acknowledged after {:?}", batch.len(), began.elapsed());
    }

    let began = Instant::now();
    let reading = reading(&connection, &topic).await;
    assert_eq!(reading.assigned(&topic), [0, 1, 2, 3, 4, 5]);
    eprintln!("measured: assigned alone after {:?}", began.elapsed());
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for partition in 0..6 {
        let began = Instant::now();
        let all = read_all(&reading, &topic, partition, 0, 100).await;
        eprintln!("measured: partition {partition}: {} records in {:?}", all.len(), began.elapsed());
        assert_eq!(reading.bounds(&topic, partition).await.unwrap(), (1, all.last().unwrap().position));
        assert!(all.windows(2).all(|two| two[0].position + 1 == two[1].position));
        for message in &all {
            assert_eq!(murmur2_partition(&message.key, 6), partition);
            let key = String::from_utf8(message.key.clone()).unwrap();
            let number = number(message);
            let sent = outgoing(&topic, &key, number);
            assert_eq!((&message.payload, &message.headers), (&sent.payload, &sent.headers));
            assert_eq!(message.timestamp, Some(sent.timestamp));
            by_key.entry(key).or_default().push(number);
        }
    }
    assert_eq!(by_key.len(), keys.len());
    assert!(by_key.values().all(|numbers| numbers.iter().copied().eq(1..=50)));
    assert!(reading.since_last_poll() < Duration::from_secs(1));
    // All partitions at once, as a service does when it was just given them.
    let other = Arc::new(crate::reading(&connection, &topic).await);
    let began = Instant::now();
    let first: Vec<_> = (0..6)
        .map(|partition| {
            let (other, topic) = (Arc::clone(&other), topic.clone());
            tokio::spawn(async move { other.read(&topic, partition, 5, 10).await.unwrap()[0].position })
        })
        .collect();
    for position in first {
        assert_eq!(position.await.unwrap(), 6);
    }
    eprintln!("measured: six first reads at once in {:?}", began.elapsed());
    reading.stop().unwrap();
    assert!(matches!(reading.read(&topic, 0, 0, 1).await, Err(ReadError::Stopped)));
}

async fn filled(name: &str, count: usize) -> (kafka::connection::Connection, String) {
    let connection = broker::shared();
    let topic = topic(&connection, name, 1).await;
    let mut sending = Sending::start(sending::Settings::new(connection.clone())).unwrap();
    let batch: Vec<_> = (1..=count).map(|number| outgoing(&topic, "one", number)).collect();
    sending.send_all(&batch, soon()).await.unwrap();
    sending.stop().await;
    (connection, topic)
}

fn numbers(messages: &[Message]) -> Vec<usize> {
    messages.iter().map(number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_position_gives_the_same_records_wherever_the_reader_was() {
    if !broker::is_there() {
        return;
    }
    let (connection, topic) = filled("again", 500).await;
    let reading = reading(&connection, &topic).await;
    let first = reading.read(&topic, 0, 100, 50).await.unwrap();
    assert_eq!(numbers(&first)[0], 101);
    for _ in 0..3 {
        let began = Instant::now();
        let again = reading.read(&topic, 0, 100, 50).await.unwrap();
        eprintln!("measured: read again after {:?}", began.elapsed());
        let common = first.len().min(again.len());
        assert!(common > 0 && first[..common] == again[..common]);
    }
    // Back, ahead, to the end, and from there to the beginning.
    assert_eq!(numbers(&reading.read(&topic, 0, 0, 3).await.unwrap())[0], 1);
    assert_eq!(numbers(&reading.read(&topic, 0, 450, 3).await.unwrap())[0], 451);
    for _ in 0..2 {
        assert!(reading.read(&topic, 0, 500, 3).await.unwrap().is_empty());
    }
    assert_eq!(numbers(&read_all(&reading, &topic, 0, 0, 7).await), (1..=500).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_buffer_holds_nothing_up() {
    if !broker::is_there() {
        return;
    }
    let (connection, topic) = filled("small", 5_000).await;
    let mut settings = alone(&connection, &topic);
    settings.buffered = 10;
    let reading = Reading::start(settings).unwrap();
    until("the partition", &reading, || !reading.assigned(&topic).is_empty()).await;
    let began = Instant::now();
    assert_eq!(numbers(&read_all(&reading, &topic, 0, 0, 7).await), (1..=5_000).collect::<Vec<_>>());
    eprintln!("measured: 5,000 records through a buffer of 10 in {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_record_wakes_the_reader_at_the_end() {
    if !broker::is_there() {
        return;
    }
    let (connection, topic) = filled("wakes", 0).await;
    let reading = reading(&connection, &topic).await;
    assert_eq!(reading.bounds(&topic, 0).await.unwrap(), (1, 0));
    assert!(reading.read(&topic, 0, 0, 10).await.unwrap().is_empty());
    let mut sending = Sending::start(sending::Settings::new(connection.clone())).unwrap();
    let mut took = Vec::new();
    for number in 1..=50 {
        let mut arrivals = reading.arrivals();
        let after = i64::try_from(number).unwrap() - 1;
        let began = Instant::now();
        sending.send_all(&[outgoing(&topic, "one", number)], soon()).await.unwrap();
        let mut came = reading.read(&topic, 0, after, 10).await.unwrap();
        while came.is_empty() {
            tokio::time::timeout_at(soon(), arrivals.changed()).await.unwrap().unwrap();
            came = reading.read(&topic, 0, after, 10).await.unwrap();
        }
        took.push(began.elapsed());
        assert_eq!(numbers(&came), [number]);
        // At the end again.
        assert!(reading.read(&topic, 0, after + 1, 10).await.unwrap().is_empty());
    }
    took.sort();
    eprintln!(
        "measured: sent to read: median {:?}, worst {:?}, and the first {:?}",
        took[25], took[48], took[49]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_outside_the_log_is_said_and_never_skipped() {
    if !broker::is_there() {
        return;
    }
    let (connection, topic) = filled("outside", 40).await;
    let mut settings = alone(&connection, &topic);
    // So that the fetcher itself is overtaken below.
    settings.buffered = 5;
    let reading = Reading::start(settings).unwrap();
    until("the partition", &reading, || !reading.assigned(&topic).is_empty()).await;
    let outside = |read: Result<Vec<Message>, ReadError>| match read {
        Err(ReadError::Outside { after, first, last, .. }) => (after, first, last),
        other => panic!("not outside: {other:?}"),
    };
    assert_eq!(outside(reading.read(&topic, 0, 41, 10).await), (41, 1, 40));
    assert_eq!(numbers(&reading.read(&topic, 0, 0, 5).await.unwrap())[0], 1);

    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &connection.bootstrap).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Offset(20)).unwrap();
    admin.delete_records(&list, &AdminOptions::new()).await.unwrap();
    assert_eq!(reading.bounds(&topic, 0).await.unwrap(), (21, 40));
    assert_eq!(outside(reading.read(&topic, 0, 0, 10).await), (0, 21, 40));
    assert_eq!(outside(reading.read(&topic, 0, 19, 10).await), (19, 21, 40));
    // Nor does a reader that comes now stumble over what is gone: it is assigned before it knows from where.
    for _ in 0..5 {
        let began = Instant::now();
        let late = crate::reading(&connection, &topic).await;
        assert_eq!(numbers(&late.read(&topic, 0, 20, 1).await.unwrap()), [21]);
        eprintln!("measured: a new reader has its first record after {:?}", began.elapsed());
    }
    // Errors do not stick.
    assert_eq!(numbers(&read_all(&reading, &topic, 0, 20, 10).await), (21..=40).collect::<Vec<_>>());

    assert!(matches!(reading.read(&topic, 1, 0, 10).await, Err(ReadError::NotMine { partition: 1, .. })));
    assert!(matches!(reading.read("another", 0, 0, 10).await, Err(ReadError::NotMine { .. })));
}

/// What the producer of another program may do: the mark of each transaction takes the position behind its records.
async fn in_transactions(connection: &kafka::connection::Connection, topic: &str) {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", &connection.bootstrap)
        .set("transactional.id", broker::unique("transactions"))
        .create()
        .unwrap();
    let topic = topic.to_owned();
    let wait = Duration::from_secs(20);
    let sent = tokio::task::spawn_blocking(move || {
        let send = |number: usize| {
            let headers =
                OwnedHeaders::new().insert(Header { key: "ce_sequence", value: Some(&number.to_string()) });
            producer
                .send(BaseRecord::to(&topic).key("one").payload("fact").headers(headers))
                .map_err(|(why, _)| why)
                .unwrap();
        };
        producer.init_transactions(wait).unwrap();
        producer.begin_transaction().unwrap();
        (1..=3).for_each(send);
        producer.commit_transaction(wait).unwrap();
        producer.begin_transaction().unwrap();
        (8..=9).for_each(send);
        producer.flush(wait).unwrap();
        producer.abort_transaction(wait).unwrap();
    });
    sent.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_read_to_its_end_also_where_no_record_stands_there() {
    if !broker::is_there() {
        return;
    }
    let connection = broker::shared();
    let topic = topic(&connection, "marks", 1).await;
    in_transactions(&connection, &topic).await;
    let reading = reading(&connection, &topic).await;
    // Three records and their mark, two that were taken back and theirs; the broker writes marks in its own time.
    let limit = soon();
    while reading.bounds(&topic, 0).await.unwrap() != (1, 7) {
        assert!(tokio::time::Instant::now() < limit, "{:?}", reading.bounds(&topic, 0).await);
    }
    assert_eq!(numbers(&read_all(&reading, &topic, 0, 0, 2).await), [1, 2, 3]);
    for _ in 0..2 {
        assert!(
            reading.read(&topic, 0, 3, 10).await.unwrap().is_empty(),
            "the end, four positions before the last"
        );
    }
    // So for a reader that begins there, before it has been given the partition.
    let late = Reading::start(alone(&connection, &topic)).unwrap();
    assert!(late.read_soon(&topic, 0, 3, 10).await.unwrap().is_empty());
    let mut sending = Sending::start(sending::Settings::new(connection.clone())).unwrap();
    sending.send_all(&[outgoing(&topic, "one", 4)], soon()).await.unwrap();
    for reading in [&reading, &late] {
        let mut arrivals = reading.arrivals();
        let mut came = reading.read(&topic, 0, 3, 10).await.unwrap();
        while came.is_empty() {
            tokio::time::timeout_at(soon(), arrivals.changed()).await.unwrap().unwrap();
            came = reading.read(&topic, 0, 3, 10).await.unwrap();
        }
        assert_eq!((numbers(&came), came[0].position), (vec![4], 8));
        assert!(reading.read(&topic, 0, 8, 10).await.unwrap().is_empty());
    }
    sending.stop().await;
}
