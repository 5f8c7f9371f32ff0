//! The deciding of one turn of facts, in order of each incident's sequences: what is taken, what waits, and what nobody
//! can decide. Pure.

use chrono::TimeDelta;

use super::facts::Taken;
use super::order::{Order, Place};
use super::{Service, Turn, Undecided};
use crate::stream::{Record, UNREADABLE};

/// Dead letters in a row after which the reader stops the line: it is then we who are wrong.
pub const DEAD_IN_A_ROW: usize = 50;

/// How long after it was told a fact waits for what is not known here yet. Versions of a pack are in force everywhere
/// within a second; a process that was away reads the newest before it takes a fact.
const WAITS: TimeDelta = TimeDelta::minutes(10);

/// How a turn goes about its facts.
#[derive(Clone, Copy)]
pub(super) enum How<'a> {
    /// Each with whatever waits right behind it.
    Following,
    /// Without what waits behind them: to find out which of them is the culprit.
    Alone,
    /// The one fact is a dead letter, for this reason.
    Doomed(&'a str),
}

/// A fact that could not be decided.
pub(super) struct Letter {
    pub record: Record,
    pub reason: String,
    /// It is tried again by itself.
    pub waits: bool,
}

/// The deciding of one turn of facts.
pub(super) struct Deciding<'a, S: Service> {
    pub service: &'a S,
    pub how: How<'a>,
    /// Dead letters in a row so far; `None`: not counted, they were dead before.
    pub in_a_row: Option<usize>,
    pub letters: Vec<Letter>,
    pub resolved: Vec<Record>,
}

impl<S: Service> Deciding<'_, S> {
    /// What became of `records`, and how many were seen: none after too many dead letters in a row.
    pub fn all(
        &mut self,
        records: &[Record],
        order: &mut Order,
        work: &mut S::Work,
        turn: &mut Turn,
    ) -> (Taken, usize) {
        let mut taken = Taken::default();
        for (seen, record) in records.iter().enumerate() {
            if self.in_a_row.is_some_and(|dead| dead >= DEAD_IN_A_ROW) {
                return (taken, seen);
            }
            if record.kind == UNREADABLE {
                self.set_aside(record.clone(), Undecided::Unfit(record.cause.clone()), turn, &mut taken);
                continue;
            }
            match order.place(record.incident, record.sequence) {
                Place::Drop => taken.dropped += 1,
                Place::Park => {
                    order.park(record.clone());
                    taken.parked += 1;
                }
                Place::Take => self.take(record.clone(), order, work, turn, &mut taken),
            }
        }
        (taken, records.len())
    }

    /// Takes `record` and whatever was parked right behind it.
    fn take(
        &mut self,
        record: Record,
        order: &mut Order,
        work: &mut S::Work,
        turn: &mut Turn,
        taken: &mut Taken,
    ) {
        let mut next = Some(record);
        while let Some(record) = next {
            let verdict = match self.how {
                How::Doomed(reason) => Err(Undecided::Unfit(reason.to_owned())),
                How::Following | How::Alone => self.service.react(work, &record, turn),
            };
            match verdict {
                Ok(()) => {
                    taken.taken += 1;
                    self.in_a_row = self.in_a_row.map(|_| 0);
                    next = match self.how {
                        How::Alone => {
                            order.taken_alone(&record);
                            None
                        }
                        How::Following | How::Doomed(_) => order.taken(&record),
                    };
                    self.resolved.push(record);
                }
                Err(undecided) => {
                    order.stuck(&record);
                    self.set_aside(record, undecided, turn, taken);
                    next = None;
                }
            }
        }
    }

    /// Keeps what could not be decided, and counts it. What is not known here yet counts neither for nor against the
    /// line: the next fact may be decided.
    fn set_aside(&mut self, record: Record, undecided: Undecided, turn: &Turn, taken: &mut Taken) {
        let waits = matches!(undecided, Undecided::NotYet(_)) && turn.now() - record.noticed_at < WAITS;
        if waits {
            taken.parked += 1;
        } else {
            taken.dead += 1;
        }
        if let Undecided::Unfit(_) = undecided {
            self.in_a_row = self.in_a_row.map(|before| before + 1);
        }
        self.letters.push(Letter { record, reason: undecided.to_string(), waits });
    }
}
