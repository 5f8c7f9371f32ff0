//! What is buffered of each partition, and where it begins. No broker, no waiting: only the rules by which a
//! reader with its own position is never given a record twice in order, or one too far.
//!
//! ```text
//! Parked ──ask──▶ Seeking ──sought──▶ Flowing ◀──record──┐
//!                    ▲                   ├──end──▶ AtEnd ─┘
//!                    └──ask elsewhere────┴──error─▶ Broken ──ask──▶ Seeking
//! ```
//! "ask" is a reader's (`Lane::seek`); all others are the polling thread's.

use std::collections::{BTreeMap, VecDeque};

use super::Message;

/// Topic and partition.
pub(super) type Place = (String, i32);

/// All partitions this instance has now.
pub(super) type Lanes = BTreeMap<Place, Lane>;

/// What is known of what comes behind the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Nobody has asked: nothing is fetched.
    Parked,
    /// The fetcher is still to be moved behind this position.
    Seeking(i64),
    /// More may come.
    Flowing,
    /// Nothing is behind the buffer, as far as the broker has said.
    AtEnd,
    /// The fetcher has stopped, for this reason.
    Broken(String),
}

/// One partition's buffer.
#[derive(Debug)]
pub(super) struct Lane {
    /// All records behind this position, up to the last one buffered, are in the buffer.
    begin: i64,
    records: VecDeque<Message>,
    pub(super) flow: Flow,
    /// How often the fetcher could not be moved since it was last asked to.
    pub(super) refused: u32,
}

/// What a reader gets.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// At least one.
    Records(Vec<Message>),
    /// None, and there is none.
    End,
    /// None yet.
    NotYet,
    /// The buffer begins elsewhere, or nothing comes behind it any more.
    Elsewhere,
}

impl Lane {
    pub(super) fn parked() -> Self {
        Self { begin: 0, records: VecDeque::new(), flow: Flow::Parked, refused: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The position of the last record buffered, or that behind which the buffer begins.
    fn reach(&self) -> i64 {
        self.records.back().map_or(self.begin, |record| record.position)
    }

    /// Takes out up to `limit` records behind `after`.
    pub(super) fn take(&mut self, after: i64, limit: usize) -> Taken {
        if self.flow == Flow::Parked || after < self.begin || self.reach() < after {
            return Taken::Elsewhere;
        }
        // Somebody else has taken these already, and the reader knows.
        while self.records.front().is_some_and(|record| record.position <= after) {
            self.records.pop_front();
        }
        self.begin = after;
        if self.records.is_empty() {
            return match &self.flow {
                Flow::AtEnd => Taken::End,
                Flow::Seeking(_) | Flow::Flowing => Taken::NotYet,
                Flow::Broken(_) | Flow::Parked => Taken::Elsewhere,
            };
        }
        let count = limit.min(self.records.len());
        let taken: Vec<Message> = self.records.drain(..count).collect();
        if let Some(last) = taken.last() {
            self.begin = last.position;
        }
        Taken::Records(taken)
    }

    /// From now on the buffer begins behind `after`, and what was fetched before no longer counts.
    pub(super) fn seek(&mut self, after: i64) {
        self.records.clear();
        self.begin = after;
        self.refused = 0;
        // A broken fetcher cannot be moved: it is given up at once.
        if matches!(self.flow, Flow::Broken(_)) {
            self.refused = u32::MAX;
        }
        self.flow = Flow::Seeking(after);
    }

    /// The fetcher has been moved behind `after`. Another reader may have asked for elsewhere meanwhile.
    pub(super) fn sought(&mut self, after: i64) {
        if self.flow == Flow::Seeking(after) {
            self.flow = Flow::Flowing;
        }
    }

    pub(super) fn push(&mut self, record: Message) {
        if self.takes_in() && record.position > self.reach() {
            self.records.push_back(record);
            self.flow = Flow::Flowing;
        }
    }

    /// Nothing comes behind what was pushed. `end`, if known, is the position of the log's last record.
    pub(super) fn ended(&mut self, end: Option<i64>) {
        if self.takes_in() && end.is_none_or(|end| self.reach() >= end) {
            self.flow = Flow::AtEnd;
        }
    }

    pub(super) fn broken(&mut self, why: String) {
        if self.takes_in() {
            self.flow = Flow::Broken(why);
        }
    }

    /// Before it has been moved, what the fetcher says is about where it was.
    pub(super) fn takes_in(&self) -> bool {
        matches!(self.flow, Flow::Flowing | Flow::AtEnd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(position: i64) -> Message {
        Message { position, key: vec![], payload: vec![], headers: vec![], timestamp: None }
    }

    fn positions(taken: Taken) -> Vec<i64> {
        match taken {
            Taken::Records(records) => records.iter().map(|record| record.position).collect(),
            other => panic!("no records but {other:?}"),
        }
    }

    fn flowing(after: i64, records: &[i64]) -> Lane {
        let mut lane = Lane::parked();
        lane.seek(after);
        lane.sought(after);
        records.iter().for_each(|position| lane.push(record(*position)));
        lane
    }

    #[test]
    fn nothing_is_given_before_somebody_asks() {
        let mut lane = Lane::parked();
        lane.push(record(1));
        assert_eq!(lane.take(0, 10), Taken::Elsewhere);
    }

    #[test]
    fn records_come_once_and_in_order_up_to_the_limit() {
        let mut lane = flowing(0, &[1, 2, 3, 4]);
        assert_eq!(positions(lane.take(0, 3)), [1, 2, 3]);
        assert_eq!(positions(lane.take(3, 3)), [4]);
        assert_eq!(lane.take(4, 3), Taken::NotYet);
        lane.ended(None);
        assert_eq!(lane.take(4, 3), Taken::End);
        lane.push(record(5));
        assert_eq!(positions(lane.take(4, 3)), [5]);
    }

    #[test]
    fn a_failed_turn_that_reads_again_finds_the_buffer_elsewhere() {
        let mut lane = flowing(0, &[1, 2, 3]);
        assert_eq!(positions(lane.take(0, 2)), [1, 2]);
        assert_eq!(lane.take(0, 2), Taken::Elsewhere);
    }

    #[test]
    fn a_reader_may_have_moved_ahead_within_the_buffer_but_not_beyond() {
        let mut lane = flowing(0, &[1, 2, 3]);
        assert_eq!(positions(lane.take(2, 2)), [3]);
        assert_eq!(lane.take(7, 2), Taken::Elsewhere);
    }

    #[test]
    fn gaps_in_the_log_are_no_gaps_in_reading() {
        let mut lane = flowing(3, &[7, 9]);
        assert_eq!(positions(lane.take(3, 1)), [7]);
        assert_eq!(positions(lane.take(7, 1)), [9]);
    }

    #[test]
    fn what_was_fetched_before_a_seek_does_not_count_after_it() {
        let mut lane = flowing(0, &[1, 2]);
        lane.seek(5);
        lane.push(record(3));
        lane.push(record(8));
        lane.ended(None);
        lane.broken("late".to_owned());
        assert_eq!(lane.take(5, 9), Taken::NotYet);
        lane.sought(4);
        assert_eq!(lane.flow, Flow::Seeking(5));
        lane.sought(5);
        lane.push(record(4));
        lane.push(record(6));
        assert_eq!(positions(lane.take(5, 9)), [6]);
    }

    #[test]
    fn what_came_before_the_error_is_still_given() {
        let mut lane = flowing(0, &[1]);
        lane.broken("cut short".to_owned());
        assert_eq!(positions(lane.take(0, 9)), [1]);
        assert_eq!(lane.take(1, 9), Taken::Elsewhere);
    }

    #[test]
    fn a_known_end_counts_once_it_is_reached() {
        let mut lane = flowing(0, &[1, 2]);
        lane.ended(Some(3));
        assert_eq!(lane.flow, Flow::Flowing);
        lane.ended(Some(2));
        assert_eq!(lane.flow, Flow::AtEnd);
    }
}
