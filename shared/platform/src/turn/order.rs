//! Drop, take or park: what a reader does with a fact, by its sequence alone. Pure.

use domain::id::IncidentId;

use crate::store::parked::Parked;
use crate::store::sequences::OfTopic;
use crate::stream::Record;

/// What to do with a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It was taken before: a relay that repeats itself, a zombie, a replay.
    Drop,
    /// It is the next one.
    Take,
    /// One before it is missing; it waits.
    Park,
}

/// Where a reader stands with each incident of one topic.
#[derive(Debug)]
pub struct Order {
    pub last: OfTopic,
    parked: Parked,
    /// Parked in this turn.
    pub newly_parked: Vec<Record>,
    /// Freed in this turn.
    pub freed: Vec<Record>,
    /// False only where a simulator breaks this rule.
    pub drops_taken: bool,
    /// False only where a simulator breaks this rule.
    pub parks_gaps: bool,
}

impl Order {
    pub fn new(last: OfTopic, parked: Parked) -> Self {
        Self {
            last,
            parked,
            newly_parked: Vec::new(),
            freed: Vec::new(),
            drops_taken: true,
            parks_gaps: true,
        }
    }

    /// Where `sequence` of `incident` belongs.
    pub fn place(&self, incident: IncidentId, sequence: i64) -> Place {
        match self.last.last(incident) {
            None if sequence == 1 || self.last.topic().may_begin_anywhere() => Place::Take,
            Some(last) if sequence <= last && self.drops_taken => Place::Drop,
            Some(last) if sequence <= last + 1 => Place::Take,
            _ if self.parks_gaps => Place::Park,
            _ => Place::Take,
        }
    }

    /// Parks a record until the ones before it have come.
    pub fn park(&mut self, record: Record) {
        let waiting = self.parked.entry(record.incident).or_default();
        if waiting.insert(record.sequence, record.clone()).is_none() {
            self.newly_parked.push(record);
        }
    }

    /// The record was taken; answers the parked one that is next now, if it waits.
    pub fn taken(&mut self, record: &Record) -> Option<Record> {
        self.taken_alone(record);
        let next = self.parked.get_mut(&record.incident)?.remove(&(record.sequence + 1))?;
        self.freed.push(next.clone());
        Some(next)
    }

    /// The record was taken; what waits behind it goes on waiting.
    pub fn taken_alone(&mut self, record: &Record) {
        self.last.set(record.incident, record.sequence);
    }

    /// The record could not be decided. Its sequence is not taken, so that what follows is parked, also
    /// where a reader without a record could begin anywhere.
    pub fn stuck(&mut self, record: &Record) {
        if self.last.last(record.incident).is_none() {
            self.last.set(record.incident, record.sequence - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sequences::Sequences;
    use chrono::DateTime;
    use domain::facts::Topic;

    fn order(topic: Topic, last: Sequences) -> Order {
        Order::new(OfTopic::new(topic, last), Parked::new())
    }

    fn incident() -> IncidentId {
        IncidentId::new(DateTime::UNIX_EPOCH, [7; 10])
    }

    fn record(topic: Topic, sequence: i64) -> Record {
        Record {
            source: crate::stream::Source::only(topic),
            position: sequence,
            incident: incident(),
            sequence,
            kind: "case.signed".to_owned(),
            at: DateTime::UNIX_EPOCH,
            noticed_at: DateTime::UNIX_EPOCH,
            cause: String::new(),
            body: "{}".to_owned(),
        }
    }

    #[test]
    fn not_greater_is_dropped_next_is_taken_a_gap_is_parked() {
        let order = order(Topic::Routed, Sequences::from([(incident(), 4)]));
        let places = [3, 4, 5, 6].map(|sequence| order.place(incident(), sequence));
        assert_eq!(places, [Place::Drop, Place::Drop, Place::Take, Place::Park]);
    }

    #[test]
    fn a_reader_without_a_record_begins_at_one_but_anywhere_on_handled() {
        let routed = order(Topic::Routed, Sequences::new());
        assert_eq!(routed.place(incident(), 1), Place::Take);
        assert_eq!(routed.place(incident(), 2), Place::Park);
        let handled = order(Topic::Handled, Sequences::new());
        assert_eq!(handled.place(incident(), 7), Place::Take);
    }

    #[test]
    fn what_was_parked_follows_in_order_once_the_gap_is_filled() {
        let mut order = order(Topic::Routed, Sequences::from([(incident(), 1)]));
        order.park(record(Topic::Routed, 4));
        order.park(record(Topic::Routed, 3));
        let third = order.taken(&record(Topic::Routed, 2)).unwrap();
        let fourth = order.taken(&third).unwrap();
        assert_eq!((third.sequence, fourth.sequence), (3, 4));
        assert!(order.taken(&fourth).is_none());
        let changes: Vec<i64> = order.last.changes().map(|change| change.last).collect();
        assert_eq!(changes, [4]);
    }

    #[test]
    fn what_follows_a_fact_that_could_not_be_decided_is_parked_on_every_topic() {
        for topic in Topic::ALL {
            let mut order = order(topic, Sequences::new());
            order.stuck(&record(topic, 1));
            assert_eq!(order.place(incident(), 1), Place::Take, "{topic}");
            assert_eq!(order.place(incident(), 2), Place::Park, "{topic}");
        }
    }
}
