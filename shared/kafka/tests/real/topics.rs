//! Topics: made once, compared ever after, and told from their successors.

use std::time::{Duration, Instant};

use kafka::connection::Connection;
use kafka::topics::{EnsureError, Topics, Wanted};
use kafka_topics::TopicError;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::mocking::MockCluster;

use crate::{broker, reading};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_are_made_once_and_their_partitions_compared() {
    if !broker::is_there() {
        return;
    }
    let topics = Topics::start(&broker::shared(), Duration::from_secs(10)).unwrap();
    let (one, two) = (broker::unique("one"), broker::unique("two"));
    let mut wanted = vec![Wanted::new(&one, 6)];
    wanted[0].settings.insert("retention.ms".to_owned(), "-1".to_owned());
    assert_eq!(topics.ensure(&wanted).await.unwrap(), std::slice::from_ref(&one));
    assert!(topics.ensure(&wanted).await.unwrap().is_empty());

    wanted.push(Wanted::new(&two, 2));
    assert_eq!(topics.ensure(&wanted).await.unwrap(), std::slice::from_ref(&two));
    wanted[1].partitions = 3;
    match topics.ensure(&wanted).await {
        Err(EnsureError::Partitions { topic, found, wanted }) => {
            assert_eq!((topic, found, wanted), (two, 2, 3));
        }
        other => panic!("{other:?}"),
    }
    let mut odd = Wanted::new(broker::unique("odd"), 1);
    odd.settings.insert("retention.ms".to_owned(), "long".to_owned());
    assert!(matches!(topics.ensure(&[odd]).await, Err(EnsureError::Refused { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_services_may_make_the_same_topics_at_once() {
    if !broker::is_there() {
        return;
    }
    let wanted: Vec<_> = (0..4).map(|_| Wanted::new(broker::unique("same"), 3)).collect();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let wanted = wanted.clone();
            tokio::spawn(async move {
                Topics::start(&broker::shared(), Duration::from_secs(10))
                    .unwrap()
                    .ensure(&wanted)
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut made = Vec::new();
    for task in tasks {
        made.extend(task.await.unwrap());
    }
    made.sort();
    let mut names: Vec<_> = wanted.into_iter().map(|one| one.name).collect();
    names.sort();
    assert_eq!(made, names);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_made_anew_has_another_id() {
    if !broker::is_there() {
        return;
    }
    let connection = broker::shared();
    let topics = Topics::start(&connection, Duration::from_secs(10)).unwrap();
    let names = [broker::unique("anew"), broker::unique("stays")];
    let wanted: Vec<_> = names.iter().map(|name| Wanted::new(name, 1)).collect();
    topics.ensure(&wanted).await.unwrap();
    let both = [names[0].as_str(), names[1].as_str()];
    let began = Instant::now();
    let first = topics.ids(&both).await.unwrap();
    eprintln!("measured: ids of two topics in {:?}: {first:?}", began.elapsed());
    assert_eq!(topics.ids(&both).await.unwrap(), first);
    assert_ne!(first[both[0]], first[both[1]]);
    // Also by way of a consumer that is being polled, and asked twice for the same.
    let reading = reading(&connection, both[0]).await;
    assert_eq!(reading.topic_ids().await.unwrap(), [(names[0].clone(), first[both[0]].clone())]);
    assert_eq!(topics.ids(&[both[0], both[0]]).await.unwrap().len(), 1);
    assert!(topics.ids(&[]).await.unwrap().is_empty());
    assert!(matches!(topics.ids(&["nul\0"]).await, Err(TopicError::Name(_))));

    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &connection.bootstrap).create().unwrap();
    for deleted in admin.delete_topics(&both[..1], &AdminOptions::new()).await.unwrap() {
        deleted.unwrap();
    }
    // The broker answers for what it knows; of the deletion it learns from the controller a moment later.
    let last = Instant::now() + Duration::from_secs(5);
    let missing = loop {
        match topics.ids(&both).await {
            Err(TopicError::Missing(name)) => break name,
            other => assert!(other.is_ok() && Instant::now() < last, "{other:?}"),
        }
    };
    assert_eq!(missing, names[0]);
    assert_eq!(topics.ensure(&wanted).await.unwrap(), names[..1]);
    let second = topics.ids(&both).await.unwrap();
    assert_ne!(second[both[0]], first[both[0]]);
    assert_eq!(second[both[1]], first[both[1]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_said_in_time() {
    if !broker::is_there() {
        return;
    }
    // Port 9 of this machine: nothing listens.
    let nobody = kafka::connection::Connection::plain("127.0.0.1:9");
    let topics = Topics::start(&nobody, Duration::from_secs(1)).unwrap();
    let began = Instant::now();
    assert!(matches!(topics.ids(&["any"]).await, Err(TopicError::Failed { .. })));
    assert!(matches!(topics.ensure(&[Wanted::new("any", 1)]).await, Err(EnsureError::Broker { .. })));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_had_no_leader_is_asked_for_again_when_it_has_one() {
    // A cluster without a disk, in this process: of it one can say who leads.
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("led", 1, 1).unwrap();
    cluster.partition_leader("led", 0, None).unwrap();
    let connection = Connection::plain(cluster.bootstrap_servers());
    let impatient = Topics::start(&connection, Duration::from_millis(300)).unwrap();
    impatient.bounds("led", 0).await.unwrap_err();
    let patient = Topics::start(&connection, Duration::from_secs(10)).unwrap();
    let (led, ()) = tokio::join!(patient.bounds("led", 0), async {
        // While it asks.
        tokio::task::yield_now().await;
        cluster.partition_leader("led", 0, Some(1)).unwrap();
    });
    assert_eq!(led.unwrap(), (1, 0));
    assert_eq!(impatient.bounds("led", 0).await.unwrap(), (1, 0));
}
