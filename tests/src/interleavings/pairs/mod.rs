//! The pairs: two turns that meet at one incident, one organisation, one position, one key.
//!
//! Each says what both are told when one comes after the other, and what is kept then. Every schedule must leave one of
//! these two: so whatever holds of one turn after the other holds of all.

mod console;
mod discover;
mod handle;
mod partner;
mod sending;
mod supervise;

use std::pin::Pin;

pub use self::console::SAME_ACCOUNT;
pub use self::discover::SENT_TWICE;
pub use self::handle::TWO_VERDICTS;
pub use self::partner::LAST_HANDS;
pub use self::sending::LATE_COMMIT;
pub use self::supervise::{OLD_OWNER, SWEEP_AND_FACT};

use super::does::Does;
use super::stage::{Part, Stage};

/// Brings an office to where two turns meet, and says what these are.
pub type SetUp = for<'a> fn(&'a mut Stage) -> Pin<Box<dyn Future<Output = [Does; 2]> + 'a>>;

/// Two turns that meet.
#[derive(Clone, Copy)]
pub struct Pair {
    pub name: &'static str,
    /// Whose tables they meet at.
    pub service: &'static str,
    pub set: SetUp,
    /// What A and B are told: where A comes first, and where B does.
    pub told: [[&'static str; 2]; 2],
    /// What is counted when both are done, whoever came first.
    pub holds: &'static [(&'static str, i64)],
    /// Whose facts are all on their topic when a relay has run once more.
    pub sends: Option<Part>,
}

impl Pair {
    /// Of two turns of one service; each is told the same whoever comes first, and nothing more is counted.
    const fn new(name: &'static str, service: &'static str, set: SetUp, told: [&'static str; 2]) -> Self {
        Self { name, service, set, told: [told, told], holds: &[], sends: None }
    }

    /// What they are told where B comes first.
    const fn or(self, told: [&'static str; 2]) -> Self {
        Self { told: [self.told[0], told], ..self }
    }

    const fn holds(self, holds: &'static [(&'static str, i64)]) -> Self {
        Self { holds, ..self }
    }

    const fn sends(self, part: Part) -> Self {
        Self { sends: Some(part), ..self }
    }
}

/// All there are, in the order of an incident's life.
pub fn all() -> Vec<Pair> {
    [
        discover::pairs(),
        handle::pairs(),
        supervise::pairs(),
        partner::pairs(),
        sending::pairs(),
        console::pairs(),
    ]
    .concat()
}

/// The pair of this name.
pub fn of(name: &str) -> Pair {
    all().into_iter().find(|pair| pair.name == name).unwrap()
}
