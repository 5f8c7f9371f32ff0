//! A life as it is written down: what happens, one after the other. The same script gives the same life; leaving some
//! of it out gives a shorter one.

use chrono::{DateTime, Utc};
use domain::case::Action;
use domain::facts::Topic;
use domain::id::PersonId;
use domain::partner::Standing;
use partner::Said;
use platform::stream::Source;

use super::faults::Fault;
use super::parts::{Part, Who};
use super::switches::Broken;

/// What is so all life long.
#[derive(Clone, Debug)]
pub struct Setup {
    pub start: DateTime<Utc>,
    /// Of every topic.
    pub partitions: i32,
    /// The most records one read gives.
    pub most: u64,
    pub broken: Broken,
}

/// A life.
#[derive(Clone, Debug)]
pub struct Script {
    pub setup: Setup,
    pub events: Vec<Event>,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Event {
    /// So many milliseconds pass.
    Pass(i64),
    /// Reports reach an instance of discover together.
    Report { to: usize, sent: Vec<Sent>, fault: Option<Fault> },
    /// People act on cases together, at an instance of handle.
    Act { to: usize, acts: Vec<Acted>, fault: Option<Fault> },
    /// Somebody asks an instance of partner.
    Partner { to: usize, ask: PartnerAsk, fault: Option<Fault> },
    /// Somebody does a step of his own.
    Work { who: Who, work: Work, fault: Option<Fault> },
    /// Somebody frozen goes on.
    Thaw { who: Who, fault: Option<Fault> },
    /// Somebody dies, whatever he is at.
    Die(Who),
    /// Somebody dead is started again.
    Start(Who),
    /// The partitions are shared out anew; two may believe that one is theirs.
    Share { part: Part, shares: [Vec<i32>; 2] },
    /// The broker has a record once more, behind all others.
    Again { source: Source, position: usize },
    /// The broker loses the last records of a partition, which it had acknowledged.
    Lose { source: Source, records: usize },
    /// Somebody makes a topic anew: under another id, and with nothing on it.
    Anew(Topic),
    /// The store of a service is copied.
    BackUp(Part),
    /// A service is stopped, and its store put back to what was copied last.
    Restore(Part),
    /// Nothing runs for so many hours.
    Away(i64),
    /// Somebody sets the database's clock: from now on it is wrong by so many milliseconds, or right by none.
    SetClock(i64),
    /// A service cannot decide what it reads about a report …
    Puzzle { part: Part, report: u32 },
    /// … and everybody can again, and tries again what was set aside.
    Solve,
    /// Somebody looks: has sent again what a broker lost, and has readers begin again that stand outside their logs.
    Mend,
}

/// A step that nobody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Facts,
    Sweep,
    Relay,
    /// What a loop does every other second.
    LookUp,
}

/// A report on its way. Sent again it is the same, but for the incident it would become; or it says something else, and
/// its device does not know better than to send it under the same client id.
#[derive(Clone, Debug)]
pub struct Sent {
    pub report: u32,
    /// Which of the things it may say: 0 at first.
    pub body: u8,
    /// How often this device has sent it before.
    pub times: u32,
    pub category: &'static str,
    pub spot: usize,
    /// What its incident's id is made of.
    pub draw: u64,
}

/// Somebody acts on the case of a report.
#[derive(Clone, Debug)]
pub struct Acted {
    pub report: u32,
    pub person: PersonId,
    pub action: Action,
    pub seen: Option<u32>,
}

/// What is asked of partner.
#[derive(Clone, Debug)]
pub enum PartnerAsk {
    Answer { report: u32, organisation: &'static str, says: Said },
    Order { report: u32, person: PersonId, organisations: Vec<&'static str> },
    Standing { organisation: &'static str, standing: Standing },
}

impl Event {
    /// What goes wrong in it.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Report { fault, .. }
            | Self::Act { fault, .. }
            | Self::Partner { fault, .. }
            | Self::Work { fault, .. }
            | Self::Thaw { fault, .. } => *fault,
            _ => None,
        }
    }

    /// The same, and nothing goes wrong.
    pub fn without_fault(&self) -> Self {
        let mut event = self.clone();
        match &mut event {
            Self::Report { fault, .. }
            | Self::Act { fault, .. }
            | Self::Partner { fault, .. }
            | Self::Work { fault, .. }
            | Self::Thaw { fault, .. } => *fault = None,
            _ => {}
        }
        event
    }

    /// The report it is about, where it is about one.
    pub fn report(&self) -> Option<u32> {
        match self {
            Self::Report { sent, .. } => sent.first().map(|sent| sent.report),
            Self::Act { acts, .. } => acts.first().map(|acted| acted.report),
            Self::Partner {
                ask: PartnerAsk::Answer { report, .. } | PartnerAsk::Order { report, .. },
                ..
            }
            | Self::Puzzle { report, .. } => Some(*report),
            _ => None,
        }
    }
}
