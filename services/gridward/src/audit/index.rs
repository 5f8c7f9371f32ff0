//! What lies on the topics, as little of it as it takes to hold the outboxes against it: 40 bytes a fact.
//!
//! One sorted list, kept through all looks of a watch; copies of a record are counted and left out.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use uuid::Uuid;

/// A record of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    incident: [u8; 16],
    topic: Topic,
    partition: u16,
    pub sequence: u32,
    /// What it says, see [`digest`].
    pub digest: u64,
    /// Its offset plus 1. Last, so that of copies the first one stays.
    pub position: i64,
}

/// The digest of what a fact says: type, time, cause and body.
pub(super) fn digest(kind: &str, at: DateTime<Utc>, cause: &str, body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, at.timestamp_millis(), cause, body).hash(&mut hasher);
    hasher.finish()
}

impl Entry {
    /// Nothing when a number is beyond what any record of ours has.
    pub fn new(
        (topic, partition): (Topic, i32),
        position: i64,
        incident: Uuid,
        sequence: i64,
        digest: u64,
    ) -> Option<Self> {
        let (partition, sequence) = (partition.try_into().ok()?, sequence.try_into().ok()?);
        Some(Self { incident: *incident.as_bytes(), topic, partition, sequence, digest, position })
    }

    pub fn incident(&self) -> Uuid {
        Uuid::from_bytes(self.incident)
    }

    pub fn topic(&self) -> Topic {
        self.topic
    }

    pub fn partition(&self) -> i32 {
        self.partition.into()
    }

    pub fn is(&self, topic: Topic, sequence: i64) -> bool {
        self.topic == topic && i64::from(self.sequence) == sequence
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Sorted up to `settled`.
    entries: Vec<Entry>,
    settled: usize,
    /// Records that say the same as another one in the same place.
    pub copies: u64,
}

impl Index {
    /// Makes room for exactly so many more.
    pub fn expect(&mut self, more: usize) {
        self.entries.reserve_exact(more);
    }

    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Puts what was pushed where it belongs.
    pub fn settle(&mut self) {
        if self.settled == self.entries.len() {
            return;
        }
        if self.settled == 0 {
            // In place: the list may be most of what there is in memory.
            self.entries.sort_unstable();
        } else {
            self.entries[self.settled..].sort_unstable();
            // Two runs, merged.
            self.entries.sort();
        }
        let before = self.entries.len();
        self.entries.dedup_by(|next, first| {
            (next.incident, next.topic, next.partition, next.sequence, next.digest)
                == (first.incident, first.topic, first.partition, first.sequence, first.digest)
        });
        self.settled = self.entries.len();
        self.copies += (before - self.settled) as u64;
    }

    /// The records of incidents above `from` up to `to`, by incident.
    pub fn between(&self, from: &[u8], to: &[u8]) -> &[Entry] {
        let begin = self.entries.partition_point(|entry| !from.is_empty() && &entry.incident[..] <= from);
        let end = self.entries.partition_point(|entry| &entry.incident[..] <= to);
        &self.entries[begin..end.max(begin)]
    }

    /// The records of one incident.
    pub fn of(&self, incident: Uuid) -> &[Entry] {
        let id = incident.as_bytes();
        let begin = self.entries.partition_point(|entry| entry.incident < *id);
        let end = self.entries.partition_point(|entry| entry.incident <= *id);
        &self.entries[begin..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(incident: u128, sequence: i64, said: &str, position: i64) -> Entry {
        let digest = digest("case.signed", DateTime::UNIX_EPOCH, "act/sign", said);
        Entry::new((Topic::Handled, 1), position, Uuid::from_u128(incident), sequence, digest).unwrap()
    }

    #[test]
    fn a_record_takes_forty_bytes() {
        assert_eq!(size_of::<Entry>(), 40);
    }

    #[test]
    fn copies_are_counted_and_the_first_one_stays() {
        let mut index = Index::default();
        for one in [entry(2, 1, "a", 4), entry(1, 1, "a", 2), entry(2, 1, "a", 3)] {
            index.push(one);
        }
        index.settle();
        for one in [entry(2, 1, "a", 9), entry(2, 2, "b", 10), entry(2, 1, "other", 11)] {
            index.push(one);
        }
        index.settle();
        assert_eq!(index.copies, 2);
        let mut of_two: Vec<i64> = index.of(Uuid::from_u128(2)).iter().map(|one| one.position).collect();
        of_two.sort_unstable();
        assert_eq!(of_two, [3, 10, 11]);
    }

    #[test]
    fn a_range_of_incidents_begins_above_its_first_end() {
        let mut index = Index::default();
        (1..=5).for_each(|n| index.push(entry(n, 1, "a", 1)));
        index.settle();
        let ids = |from: &[u8], to: u128| {
            let range = index.between(from, Uuid::from_u128(to).as_bytes());
            range.iter().map(|one| one.incident().as_u128()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&[], 2), [1, 2]);
        assert_eq!(ids(Uuid::from_u128(2).as_bytes(), 9), [3, 4, 5]);
        assert_eq!(index.between(Uuid::from_u128(4).as_bytes(), &[0xff; 17]).len(), 1);
    }
}
