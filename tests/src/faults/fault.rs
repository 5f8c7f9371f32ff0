//! What can go wrong, and how it is drawn.

use std::fmt;
use std::time::Duration;

use domain::facts::Topic;

use super::proxy::Way;
use crate::kills::dice::Dice;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// SIGKILL of an instance, which is started again after a while.
    Kill { service: &'static str, number: usize, down: Duration },
    /// SIGKILL of the broker.
    Broker { down: Duration },
    /// SIGKILL of the postmaster: its backends notice by themselves.
    Postmaster { down: Duration },
    /// Some of the services' connections are ended by PostgreSQL.
    Backends { percent: usize },
    /// SIGSTOP of an instance past its session, then SIGCONT: it goes on with what it held.
    Zombie { service: &'static str, number: usize, asleep: Duration },
    /// SIGSTOP of the broker.
    BrokerFrozen { asleep: Duration },
    /// A COMMIT reaches PostgreSQL, and its answer does not reach the instance.
    EatenCommit { service: &'static str },
    /// The first instance of a service does not reach the database, the broker, or both.
    CutOff { service: &'static str, from: From, way: Way, lasts: Duration },
    /// A record on a topic that nobody can take.
    Poison { topic: Topic, how: Poison },
    /// Clients that do not wait for their answers.
    Gone { many: usize },
}

/// What somebody is cut off from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Database,
    Broker,
    Both,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// It is no fact at all.
    Undecodable,
    /// A whole fact of a type that nobody knows.
    Unknown,
}

/// The kinds, in the order they are told.
pub const KINDS: [&str; 11] = [
    "an instance killed",
    "the broker killed",
    "the postmaster killed",
    "backends terminated",
    "an instance asleep past its session",
    "the broker frozen",
    "the answer to a COMMIT eaten",
    "an instance cut off from its database",
    "an instance cut off from the broker",
    "a record nobody can take",
    "clients gone in mid-request",
];

impl Fault {
    pub fn kind(&self) -> &'static str {
        let kind = match self {
            Self::Kill { .. } => 0,
            Self::Broker { .. } => 1,
            Self::Postmaster { .. } => 2,
            Self::Backends { .. } => 3,
            Self::Zombie { .. } => 4,
            Self::BrokerFrozen { .. } => 5,
            Self::EatenCommit { .. } => 6,
            Self::CutOff { from: From::Broker, .. } => 8,
            Self::CutOff { .. } => 7,
            Self::Poison { .. } => 9,
            Self::Gone { .. } => 10,
        };
        KINDS[kind]
    }

    /// Whether something was killed.
    pub fn kills(&self) -> bool {
        matches!(self, Self::Kill { .. } | Self::Broker { .. } | Self::Postmaster { .. })
    }

    /// How long it lasts, where it is not over at once.
    pub fn lasts(&self) -> Duration {
        match self {
            Self::Kill { down, .. } | Self::Broker { down } | Self::Postmaster { down } => *down,
            Self::Zombie { asleep, .. } | Self::BrokerFrozen { asleep } => *asleep,
            Self::CutOff { lasts, .. } => *lasts,
            _ => Duration::ZERO,
        }
    }

    /// Whether there is nobody else who could do the work meanwhile: it goes on when the fault is over.
    pub fn stops_all(&self) -> bool {
        matches!(self, Self::Broker { .. } | Self::Postmaster { .. } | Self::BrokerFrozen { .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill { service, number, down } => {
                write!(f, "{service} {number} killed, back after {down:.1?}")
            }
            Self::Broker { down } => write!(f, "broker killed, back after {down:.1?}"),
            Self::Postmaster { down } => write!(f, "postmaster killed, back after {down:.1?}"),
            Self::Backends { percent } => write!(f, "{percent} % of the backends terminated"),
            Self::Zombie { service, number, asleep } => {
                write!(f, "{service} {number} asleep for {asleep:.1?}")
            }
            Self::BrokerFrozen { asleep } => write!(f, "broker frozen for {asleep:.1?}"),
            Self::EatenCommit { service } => write!(f, "{service} 0 not told of a COMMIT"),
            Self::CutOff { service, from, way, lasts } => {
                write!(f, "{service} 0 cut off from {from:?} ({way:?}) for {lasts:.1?}")
            }
            Self::Poison { topic, how } => write!(f, "{how:?} record on {topic}"),
            Self::Gone { many } => write!(f, "{many} clients gone"),
        }
    }
}

/// A deck of all kinds, shuffled again when it is used up, so that a short run has most of them too.
#[derive(Debug)]
pub struct Deck {
    dice: Dice,
    /// Those that have a topic.
    services: Vec<&'static str>,
    /// Instances of each service.
    each: usize,
    left: Vec<usize>,
}

/// Cards of a deck beside a kill for each service.
const OTHER_KINDS: usize = 10;

impl Deck {
    pub fn new(seed: u64, services: &[&'static str], each: usize) -> Self {
        Self { dice: Dice::new(seed, 2_000_000), services: services.to_vec(), each, left: Vec::new() }
    }

    /// A number below `sides`, for whoever carries out what was drawn.
    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// The next fault.
    pub fn draw(&mut self) -> Fault {
        if self.left.is_empty() {
            self.left = (0..self.services.len() + OTHER_KINDS).collect();
        }
        let card = self.left.swap_remove(self.dice.below(self.left.len()));
        self.turn(card)
    }

    fn turn(&mut self, card: usize) -> Fault {
        let service = self.services[self.dice.below(self.services.len())];
        let number = self.dice.below(self.each);
        let way = if self.dice.one_in(2) { Way::Silent } else { Way::Cut };
        let (down, some) = (self.dice.millis(3_000), Duration::from_secs(2) + self.dice.millis(4_000));
        let cut_off = |from| Fault::CutOff { service, from, way, lasts: some };
        let Some(kind) = card.checked_sub(self.services.len()) else {
            return Fault::Kill { service: self.services[card], number, down };
        };
        match kind {
            0 => Fault::Broker { down },
            1 => Fault::Postmaster { down },
            2 => Fault::Backends { percent: 20 + self.dice.below(81) },
            3 => Fault::Zombie { service, number, asleep: Duration::from_secs(1) + some },
            4 => Fault::BrokerFrozen { asleep: Duration::from_secs(2) + self.dice.millis(6_000) },
            5 => Fault::EatenCommit { service },
            6 => cut_off(if self.dice.one_in(2) { From::Both } else { From::Database }),
            7 => cut_off(From::Broker),
            8 => Fault::Poison {
                topic: Topic::ALL[self.dice.below(Topic::ALL.len())],
                how: Poison::Undecodable,
            },
            _ => Fault::Gone { many: 8 + self.dice.below(9) },
        }
    }
}
