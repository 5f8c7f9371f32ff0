//! The stream by itself: what is published in a turn is there if and only if it commits, and is read back
//! as it was, in order.

use std::time::Duration;

use domain::facts::Topic;
use platform::stream::{Fact, Opens, Source};

use super::*;

/// The partition on which incident 1 is.
async fn source(here: &Here, topic: Topic) -> Source {
    let first = here.all(topic).await.first().map(|record| record.source);
    first.unwrap_or(Source { topic, partition: here.stream.partitions(topic)[0] })
}

fn words(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.body().unwrap()).collect()
}

#[tokio::test]
async fn facts_of_a_turn_that_is_rolled_back_were_never_there() {
    for setting in settings() {
        let here = setting.start().await;
        let tx = here.store.begin().await.unwrap();
        here.stream.publish(&tx, &[said(1, 1, "never")]).await.unwrap();
        tx.rollback().await.unwrap();
        assert!(here.all(Topic::Reported).await.is_empty(), "{}", here.name());
        here.say(&[(1, 1, "instead")]).await;
        assert_eq!(words(&here.all(Topic::Reported).await), ["instead"], "{}", here.name());
    }
}

#[tokio::test]
async fn facts_of_a_turn_that_goes_away_were_never_there() {
    for setting in settings() {
        let here = setting.start().await;
        let tx = here.store.begin().await.unwrap();
        here.stream.publish(&tx, &[said(1, 1, "never")]).await.unwrap();
        drop(tx);
        here.say(&[(2, 1, "another")]).await;
        let here = here.restart().await;
        assert_eq!(words(&here.all(Topic::Reported).await), ["another"], "{}", here.name());
    }
}

#[tokio::test]
async fn facts_are_read_in_the_order_of_publishing_from_a_position_and_up_to_a_limit() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 2, "b")]).await;
        here.say(&[(1, 3, "c")]).await;
        here.say(&[(1, 4, "d"), (1, 5, "e")]).await;
        let all = here.all(Topic::Reported).await;
        assert_eq!(words(&all), ["a", "b", "c", "d", "e"], "{}", here.name());
        assert!(all.is_sorted_by(|one, next| one.position < next.position));
        let source = source(&here, Topic::Reported).await;
        let read =
            async |after, limit| words(&here.stream.read(source, after, limit, Opens::All).await.unwrap());
        assert_eq!(read(all[1].position, 2).await, ["c", "d"]);
        assert_eq!(read(all[1].position, 10).await, ["c", "d", "e"]);
        assert!(read(all[4].position, 10).await.is_empty());
        assert_eq!(read(0, 1).await, ["a"]);
    }
}

#[tokio::test]
async fn every_field_of_a_fact_survives_unchanged() {
    let odd = Fact {
        at: "2011-07-01T05:59:13.007Z".parse().unwrap(),
        noticed_at: "2038-01-19T03:14:08Z".parse().unwrap(),
        kind: "case.escalated".to_owned(),
        cause: "due/handle/1/0".to_owned(),
        body: "{\"why\":\"新碶街道 – “富春江路” \\u0000 ' \\\" \\n 🚧\"}".to_owned(),
        ..fact(Topic::Handled, 1, i64::from(i32::MAX) + 7, "")
    };
    let long = fact(Topic::Handled, 2, 1, &format!("\"{}\"", "长".repeat(100_000)));
    for setting in settings() {
        let here = setting.start().await;
        here.publish(&[odd.clone(), long.clone()]).await.unwrap();
        let here = here.restart().await;
        let mut read = here.all(Topic::Handled).await;
        read.sort_by_key(|record| record.incident);
        for (fact, record) in [&odd, &long].into_iter().zip(read) {
            let again = Fact {
                topic: record.source.topic,
                incident: record.incident,
                sequence: record.sequence,
                kind: record.kind,
                at: record.at,
                noticed_at: record.noticed_at,
                cause: record.cause,
                body: record.body,
            };
            assert!(&again == fact, "{}: {}", here.name(), again.kind);
        }
    }
}

#[tokio::test]
async fn bodies_that_are_left_shut_keep_their_place_and_those_opened_their_words() {
    for setting in settings() {
        let here = setting.start().await;
        let other = Fact { kind: "word.whispered".to_owned(), ..said(1, 2, "shut") };
        here.publish(&[said(1, 1, "open"), other, said(1, 3, "again")]).await.unwrap();
        let source = source(&here, Topic::Reported).await;
        let read = here.stream.read(source, 0, 10, Opens::Only(&["word.said"])).await.unwrap();
        assert_eq!(read.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!([read[0].body.as_str(), read[2].body.as_str()], ["\"open\"", "\"again\""]);
    }
}

#[tokio::test]
async fn the_bounds_hold_every_record_and_are_empty_on_an_empty_topic() {
    for setting in settings() {
        let here = setting.start().await;
        let empty = here.stream.bounds(source(&here, Topic::Reported).await).await.unwrap();
        assert!(empty.last < empty.first, "{}: {empty:?}", here.name());
        here.say(&[(1, 1, "a"), (1, 2, "b")]).await;
        let all = here.all(Topic::Reported).await;
        let bounds = here.stream.bounds(all[0].source).await.unwrap();
        assert!(bounds.first <= all[0].position, "{bounds:?}");
        assert_eq!(bounds.last, all[1].position);
        let other = here.stream.bounds(source(&here, Topic::Supervised).await).await.unwrap();
        assert!(other.last < other.first, "another topic is still empty: {other:?}");
    }
}

#[tokio::test]
async fn a_topic_keeps_its_id_and_one_made_anew_has_another() {
    for setting in settings() {
        let here = setting.start().await;
        let id = async |here: &Here| {
            here.stream.bounds(source(here, Topic::Handled).await).await.unwrap().topic_id
        };
        let before = id(&here).await;
        assert!(!before.is_empty());
        here.publish(&[fact(Topic::Handled, 1, 1, "{}")]).await.unwrap();
        let here = here.restart().await;
        assert_eq!(id(&here).await, before, "{}", here.name());
        assert_ne!(id(&setting.start().await).await, before, "{}", here.name());
    }
}

#[tokio::test]
async fn a_reader_is_woken_by_a_commit() {
    for setting in settings() {
        let here = setting.start().await;
        let mut arrivals = here.stream.arrivals();
        arrivals.mark_unchanged();
        here.say(&[(1, 1, "a")]).await;
        let woken = tokio::time::timeout(Duration::from_secs(30), arrivals.changed()).await;
        assert!(matches!(woken, Ok(Ok(()))), "{}", here.name());
        assert_eq!(here.all(Topic::Reported).await.len(), 1, "there is something to read by then");
    }
}

#[tokio::test]
async fn topics_do_not_mix() {
    for setting in settings() {
        let here = setting.start().await;
        let topics = Topic::ALL;
        for round in 1..=3 {
            let facts: Vec<Fact> =
                topics.iter().map(|topic| fact(*topic, 1, round, &format!("\"{topic} {round}\""))).collect();
            here.publish(&facts).await.unwrap();
        }
        for topic in topics {
            let read = here.all(topic).await;
            assert_eq!(words(&read), [1, 2, 3].map(|round| format!("{topic} {round}")), "{}", here.name());
            assert!(read.iter().all(|record| record.source.topic == topic));
        }
    }
}

#[tokio::test]
async fn one_sequence_never_has_two_contents() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "first")]).await;
        assert!(here.publish(&[said(1, 1, "second")]).await.is_err(), "{}", here.name());
        assert!(here.publish(&[said(1, 2, "a"), said(1, 2, "b")]).await.is_err(), "in one turn");
        assert_eq!(words(&here.all(Topic::Reported).await), ["first"], "nothing of what was refused");
        here.publish(&[said(2, 1, "another incident"), fact(Topic::Handled, 1, 1, "\"another topic\"")])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn facts_of_one_incident_are_on_one_partition_that_this_instance_reads() {
    for setting in settings() {
        let here = setting.start().await;
        for sequence in 1..=3 {
            let facts: Vec<Fact> = (1..=20).map(|n| said(n, sequence, "word")).collect();
            here.publish(&facts).await.unwrap();
        }
        let all = here.all(Topic::Reported).await;
        assert_eq!(all.len(), 60, "{}", here.name());
        for n in 1..=20 {
            let own: Vec<&Record> = all.iter().filter(|record| record.incident == incident(n)).collect();
            assert!(own.iter().all(|record| record.source == own[0].source));
            assert_eq!(own.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 2, 3]);
        }
    }
}
