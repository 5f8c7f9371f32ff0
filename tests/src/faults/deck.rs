//! How faults are drawn: from a deck of all kinds, shuffled again when it is used up, so that a short run has most of
//! them too and a long one has as many of each.

use std::time::Duration;

use domain::facts::Topic;

use super::fault::{Fault, From, Poison, Touches};
use super::kind::Kind;
use super::proxy::Way;
use crate::kills::dice::Dice;

/// A deck where there is one broker. Instances are killed more often than anything else, of each service in its turn.
const ONE_BROKER: [Kind; 24] = [
    Kind::Killed,
    Kind::Killed,
    Kind::Killed,
    Kind::BrokerKilled,
    Kind::PostmasterKilled,
    Kind::BackendsEnded,
    Kind::Asleep,
    Kind::BrokerFrozen,
    Kind::CommitEaten,
    Kind::NoDatabase,
    Kind::NoBroker,
    Kind::SlowLink,
    Kind::HalfOpen,
    Kind::TableLocked,
    Kind::Refused,
    Kind::StoreFull,
    Kind::StoreUnsynced,
    Kind::BrokerFull,
    Kind::Storm,
    Kind::Replaced,
    Kind::Unreadable,
    Kind::Again,
    Kind::Gone,
    Kind::Twice,
];

/// A deck where there are three.
const THREE_BROKERS: [Kind; 10] = [
    Kind::OneKilled,
    Kind::OneReplaced,
    Kind::OneFrozen,
    Kind::TwoFrozen,
    Kind::AllKilled,
    Kind::LeadersMoved,
    Kind::Killed,
    Kind::Asleep,
    Kind::CommitEaten,
    Kind::Again,
];

/// SQLSTATEs with which a database refuses what would be well at another time: a serialisation failure, a deadlock, a
/// lock that was not to be had, a statement that took too long, no room, no memory.
const STATES: [&str; 6] = ["40001", "40P01", "55P03", "57014", "53100", "53200"];

/// A card that keeps a round from growing is put aside; so many at most.
const ASIDE: usize = 6;

/// What there is to draw.
#[derive(Debug)]
pub struct Deck {
    dice: Dice,
    kinds: &'static [Kind],
    /// Those that have a topic.
    services: Vec<&'static str>,
    /// Instances of each service.
    each: usize,
    brokers: usize,
    left: Vec<Kind>,
    /// Whose turn it is to be killed.
    killed: usize,
}

impl Deck {
    pub fn new(seed: u64, services: &[&'static str], each: usize, brokers: usize) -> Self {
        let kinds = if brokers == 1 { &ONE_BROKER[..] } else { &THREE_BROKERS };
        let (dice, services) = (Dice::new(seed, 2_000_000), services.to_vec());
        Self { dice, kinds, services, each, brokers, left: Vec::new(), killed: 0 }
    }

    /// For whoever carries out what was drawn.
    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// The next faults, at least one and at most so many, that may happen at the same time. A deck is used up before
    /// the next is begun.
    pub fn round(&mut self, many: usize) -> Vec<Fault> {
        if self.left.is_empty() {
            self.left = self.kinds.to_vec();
        }
        let (mut round, mut aside) = (Vec::<Fault>::new(), Vec::new());
        while round.len() < many.max(1) && aside.len() < ASIDE && !self.left.is_empty() {
            let kind = self.left.swap_remove(self.dice.below(self.left.len()));
            let fault = self.turn(kind);
            let alone = fault.touches() == Touches::Everything;
            if round.is_empty() && alone {
                round.push(fault);
                break;
            }
            if alone || round.iter().any(|other| other.touches() == fault.touches()) {
                aside.push(kind);
            } else {
                self.killed += usize::from(kind == Kind::Killed);
                round.push(fault);
            }
        }
        self.left.extend(aside);
        round
    }

    /// One of this kind hit nothing: another one is to be drawn.
    pub fn put_back(&mut self, kind: Kind) {
        self.left.push(kind);
    }

    fn seconds(&mut self, from: u64, below: u64) -> Duration {
        let room = usize::try_from((below - from) * 1_000).unwrap_or(usize::MAX);
        Duration::from_secs(from) + self.dice.millis(room)
    }

    fn topic(&mut self) -> Topic {
        Topic::ALL[self.dice.below(Topic::ALL.len())]
    }

    fn turn(&mut self, kind: Kind) -> Fault {
        let service = self.services[self.dice.below(self.services.len())];
        let number = self.dice.below(self.each);
        let broker = self.dice.below(self.brokers);
        let (down, some) = (self.seconds(0, 3), self.seconds(2, 6));
        match kind {
            Kind::Killed => {
                Fault::Kill { service: self.services[self.killed % self.services.len()], number, down }
            }
            Kind::BrokerKilled => Fault::Broker { down },
            Kind::PostmasterKilled => Fault::Postmaster { down },
            Kind::BackendsEnded => Fault::Backends { percent: 20 + self.dice.below(81) },
            Kind::Asleep => Fault::Zombie { service, number, asleep: Duration::from_secs(1) + some },
            Kind::BrokerFrozen => Fault::BrokerFrozen { asleep: self.seconds(2, 8) },
            Kind::CommitEaten => Fault::EatenCommit { service },
            Kind::NoDatabase | Kind::NoBroker => self.cut_off(kind, service, some),
            Kind::SlowLink | Kind::HalfOpen => self.strained(kind, service, some),
            Kind::TableLocked => {
                // Now and then past the time that a turn waits for a lock.
                let past = self.dice.one_in(4);
                Fault::Locked { service, lasts: if past { Duration::from_secs(12) } else { some } }
            }
            Kind::Refused => Fault::Refused {
                service,
                state: STATES[self.dice.below(STATES.len())],
                percent: 50 + self.dice.below(51),
                lasts: some,
            },
            Kind::StoreFull => Fault::StoreFull { lasts: some },
            Kind::StoreUnsynced => Fault::StoreUnsynced,
            Kind::BrokerFull => Fault::BrokerFull { down },
            Kind::Storm => {
                // discover reads nothing, and has no readers.
                let readers: Vec<_> =
                    self.services.iter().copied().filter(|name| *name != "discover").collect();
                let service = readers[self.dice.below(readers.len())];
                Fault::Storm { service, times: 3 + self.dice.below(4) }
            }
            Kind::Replaced => Fault::Replaced { service, number },
            Kind::Unreadable => Fault::Poison { topic: self.topic(), how: Poison::Undecodable },
            Kind::Unknown => Fault::Poison { topic: self.topic(), how: Poison::Unknown },
            Kind::Again => Fault::Again { topic: self.topic(), many: 20 + self.dice.below(181) },
            Kind::Gone => Fault::Gone { many: 8 + self.dice.below(9) },
            Kind::Twice => Fault::Twice { many: 8 + self.dice.below(9) },
            Kind::OneKilled => Fault::OneKilled { broker, down },
            Kind::OneReplaced => Fault::OneReplaced { broker },
            // Its session is 3 s.
            Kind::OneFrozen => Fault::OneFrozen { broker, asleep: Duration::from_secs(3) + some },
            // Past the 30 s after which a relay gives a batch up.
            Kind::TwoFrozen => Fault::TwoFrozen { spared: broker, asleep: self.seconds(32, 45) },
            Kind::AllKilled => Fault::AllKilled { down },
            Kind::LeadersMoved => Fault::LeadersMoved,
        }
    }

    fn cut_off(&mut self, kind: Kind, service: &'static str, lasts: Duration) -> Fault {
        let way = if self.dice.one_in(2) { Way::Silent } else { Way::Cut };
        let from = match kind {
            Kind::NoBroker => From::Broker,
            _ if self.dice.one_in(2) => From::Both,
            _ => From::Database,
        };
        Fault::CutOff { service, from, way, lasts }
    }

    fn strained(&mut self, kind: Kind, service: &'static str, lasts: Duration) -> Fault {
        let from = if self.dice.one_in(2) { From::Database } else { From::Broker };
        if kind == Kind::HalfOpen {
            return Fault::HalfOpen { service, from, lasts };
        }
        let from = if self.dice.one_in(3) { From::Both } else { from };
        Fault::Slow { service, from, each_way: Duration::from_millis(250), lasts }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SERVICES: [&str; 5] = ["discover", "route", "handle", "supervise", "partner"];

    fn drawn(seed: u64, faults: usize, together: usize, brokers: usize) -> Vec<Vec<Fault>> {
        let mut deck = Deck::new(seed, &SERVICES, 3, brokers);
        let (mut rounds, mut many) = (Vec::new(), 0);
        while many < faults {
            let round = deck.round(together.min(faults - many));
            many += round.len();
            rounds.push(round);
        }
        rounds
    }

    #[test]
    fn twenty_decks_have_twenty_of_each_kind_however_many_happen_at_once() {
        for (together, brokers, kinds) in [(1, 1, 22), (3, 1, 22), (3, 3, 10)] {
            let many = if brokers == 1 { 20 * ONE_BROKER.len() } else { 20 * THREE_BROKERS.len() };
            let mut counted: BTreeMap<Kind, usize> = BTreeMap::new();
            for fault in drawn(7, many, together, brokers).iter().flatten() {
                *counted.entry(fault.kind()).or_default() += 1;
            }
            assert_eq!(counted.len(), kinds, "{counted:?}");
            assert!(counted.values().all(|times| times % 20 == 0), "{counted:?}");
        }
    }

    #[test]
    fn what_happens_at_once_takes_hold_of_different_things() {
        let rounds = drawn(1, 480, 3, 1);
        let mut shared = 0;
        for round in &rounds {
            shared += usize::from(round.len() > 1);
            for (n, fault) in round.iter().enumerate() {
                let alone = fault.touches() == Touches::Everything;
                assert!(!alone || round.len() == 1, "{round:?}");
                let mut others = round[n + 1..].iter();
                assert!(others.all(|other| other.touches() != fault.touches()), "{round:?}");
            }
        }
        assert!(shared > 60, "{shared} of {} rounds have more than one fault", rounds.len());
    }

    #[test]
    fn the_same_seed_draws_the_same_faults_and_another_one_others() {
        let told = |seed| format!("{:?}", drawn(seed, 60, 2, 1));
        assert_eq!(told(5), told(5));
        assert_ne!(told(5), told(6));
    }

    #[test]
    fn each_service_is_killed_in_its_turn() {
        let mut killed: BTreeMap<&str, usize> = BTreeMap::new();
        for fault in drawn(3, 240, 1, 1).iter().flatten() {
            if let Fault::Kill { service, .. } = fault {
                *killed.entry(*service).or_default() += 1;
            }
        }
        assert_eq!(killed.values().copied().collect::<Vec<_>>(), [6; 5], "{killed:?}");
    }
}
