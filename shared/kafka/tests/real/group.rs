//! Groups: sharing, handing over, and a member that freezes.

use std::io::BufRead;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kafka::connection::Connection;
use kafka::reading::{Membership, ReadError, Reading, Settings};
use kafka::sending::{self, Sending};

use crate::{broker, number, outgoing, read_all, soon, topic, until};

fn member(connection: &Connection, topics: &[&str], group: &str) -> Reading {
    let membership = Membership::Group { id: group.to_owned(), session: Duration::from_secs(2) };
    Reading::start(Settings::new(connection.clone(), topics, membership)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_share_and_hand_over() {
    if !broker::is_there() {
        return;
    }
    let connection = broker::shared();
    let (here, there) = (topic(&connection, "here", 6).await, topic(&connection, "there", 4).await);
    let mut sending = Sending::start(sending::Settings::new(connection.clone())).unwrap();
    let batch: Vec<_> =
        (1..=600).map(|number| outgoing(&here, &format!("k{}", number % 40), number)).collect();
    sending.send_all(&batch, soon()).await.unwrap();

    let group = broker::unique("group");
    let both = [here.as_str(), there.as_str()];
    let one = member(&connection, &both, &group);
    let took = until("all are the first one's", &one, || {
        one.assigned(&here).len() == 6 && one.assigned(&there).len() == 4
    })
    .await;
    eprintln!("measured: joined an empty group in {took:?}");
    let mut positions = [0_i64; 6];
    let mut seen = Vec::new();
    for partition in 0..6_i32 {
        let some = one.read(&here, partition, 0, 20).await.unwrap();
        positions[usize::try_from(partition).unwrap()] = some.last().map_or(0, |last| last.position);
        seen.extend(some.iter().map(number));
    }

    let two = member(&connection, &both, &group);
    let took = until("the second one has its half", &two, || {
        two.assigned(&here).len() + two.assigned(&there).len() == 5
    })
    .await;
    eprintln!("measured: the second one has its half after {took:?}");
    let (ones, twos) = (one.assigned(&here), two.assigned(&here));
    assert!(ones.iter().all(|partition| !twos.contains(partition)), "{ones:?} {twos:?}");
    assert_eq!(ones.len() + twos.len(), 6);
    let lost = twos[0];
    assert!(matches!(one.read(&here, lost, 0, 1).await, Err(ReadError::NotMine { .. })));

    // Each goes on where the one before was.
    for partition in 0..6_i32 {
        let reading = if ones.contains(&partition) { &one } else { &two };
        let from = positions[usize::try_from(partition).unwrap()];
        let rest = read_all(reading, &here, partition, from, 100).await;
        positions[usize::try_from(partition).unwrap()] = rest.last().map_or(from, |last| last.position);
        seen.extend(rest.iter().map(number));
    }
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(1..=600));

    // The copy for lag tools arrives at the broker; nothing is read from it.
    for partition in ones.iter().copied() {
        one.commit_copy(&here, partition, positions[usize::try_from(partition).unwrap()]);
    }
    let began = Instant::now();
    one.stop().unwrap();
    eprintln!("measured: left the group in {:?}", began.elapsed());
    assert!(one.assigned(&here).is_empty());
    let took = until("all are the second one's", &two, || {
        two.assigned(&here).len() == 6 && two.assigned(&there).len() == 4
    })
    .await;
    eprintln!("measured: the other one has all after {took:?}");
    assert_eq!(committed(&connection, &group, &here, ones[0]), positions[usize::try_from(ones[0]).unwrap()]);
    assert_eq!(read_all(&two, &here, ones[0], 0, 100).await.len() as i64, positions[ones[0] as usize]);
}

fn committed(connection: &Connection, group: &str, topic: &str, partition: i32) -> i64 {
    use rdkafka::consumer::{BaseConsumer, Consumer};
    let consumer: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &connection.bootstrap)
        .set("group.id", group)
        .create()
        .unwrap();
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition(topic, partition);
    let list = consumer.committed_offsets(list, Duration::from_secs(5)).unwrap();
    list.elements()[0].offset().to_raw().unwrap()
}

/// Ends its process, whatever becomes of the test.
struct Other(Child);

impl Other {
    fn signal(&self, signal: &str) {
        let done = Command::new("kill").arg(signal).arg(self.0.id().to_string()).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_partitions_of_a_frozen_member_go_to_the_other() {
    if !broker::is_there() {
        return;
    }
    let connection = broker::shared();
    let topic = topic(&connection, "frozen", 4).await;
    let group = broker::unique("group");
    let one = member(&connection, &[&topic], &group);
    until("all are mine", &one, || one.assigned(&topic).len() == 4).await;
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "group::another_member"])
        .env("GRIDWARD_MEMBER", format!("{} {topic} {group}", connection.bootstrap))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let other = Other(child);
    until("half are the other's", &one, || one.assigned(&topic).len() == 2).await;
    other.signal("-STOP");
    let took = until("all are mine again", &one, || one.assigned(&topic).len() == 4).await;
    eprintln!("measured: a frozen member's partitions are here after {took:?} with a session of 2 s");
    for partition in 0..4 {
        assert!(one.read(&topic, partition, 0, 1).await.unwrap().is_empty());
    }
    other.signal("-CONT");
    let took = until("half are the other's again", &one, || one.assigned(&topic).len() == 2).await;
    eprintln!("measured: it joins again within {took:?} of being thawed");
}

/// Not a test: the other member of the one above, in a process of its own, until its input ends.
// Started by the one above, which names what it reads; by itself it has nothing to do.
#[test]
fn another_member() {
    let Ok(words) = std::env::var("GRIDWARD_MEMBER") else { return };
    let words: Vec<&str> = words.split(' ').collect();
    let reading = member(&Connection::plain(words[0]), &[words[1]], words[2]);
    let _ = std::io::stdin().lock().read_line(&mut String::new());
    drop(reading);
}
