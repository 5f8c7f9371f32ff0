//! What can go wrong beside what goes wrong at a point of a step: to a broker, to a store, to a clock, to what is sent.

use std::collections::BTreeMap;

/// One kind of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// A broker loses the end of a partition, which it had acknowledged.
    TailLost,
    /// Somebody makes a topic anew.
    TopicAnew,
    /// handle's store is put back to an earlier moment, and the others go on: it takes its cases back from its topic.
    CaughtUp,
    /// Another service's store is: it does not start before it has the latest again, if anybody has read what it forgot.
    NotStarted,
    /// Nothing runs for a day, and times come.
    DayAway,
    /// The database's clock is set ahead …
    ClockAhead,
    /// … or back.
    ClockBack,
    /// A fact that its reader cannot decide.
    Poison,
    /// The same client id with another body.
    OtherBody,
}

impl Mishap {
    pub const ALL: [Self; 9] = [
        Self::TailLost,
        Self::TopicAnew,
        Self::CaughtUp,
        Self::NotStarted,
        Self::DayAway,
        Self::ClockAhead,
        Self::ClockBack,
        Self::Poison,
        Self::OtherBody,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::TailLost => "broker.tail lost",
            Self::TopicAnew => "broker.topic anew",
            Self::CaughtUp => "store.restored caught up",
            Self::NotStarted => "store.restored not started",
            Self::DayAway => "all.day away",
            Self::ClockAhead => "clock.set ahead",
            Self::ClockBack => "clock.set back",
            Self::Poison => "fact.poison",
            Self::OtherBody => "report.other body",
        }
    }
}

/// How often each hit something; what hit nothing is not counted.
pub type Hits = BTreeMap<Mishap, u64>;
