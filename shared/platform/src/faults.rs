//! Where something may go wrong on purpose: named points of a turn and of a relay at which a simulator ends, freezes or
//! fails whoever is there, and rules it breaks to see that somebody notices. In production nobody is there, and each
//! costs one branch.

use std::sync::Arc;

use crate::store::StoreError;

/// A place between two things that can each happen without the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// Facts were read; nothing is locked yet.
    FactsRead,
    /// All is decided, in the turn's transaction, and nothing written.
    FactsDecided,
    /// All is written, and nothing committed.
    FactsSaved,
    /// It is committed, and nobody here knows yet.
    FactsCommitted,
    /// Somebody has asked; nothing is locked yet.
    CommandsAsked,
    CommandsDecided,
    CommandsSaved,
    /// It is committed, and nobody was answered.
    CommandsCommitted,
    /// What is due was found; nothing is locked yet.
    SweepFound,
    SweepDecided,
    SweepSaved,
    SweepCommitted,
    /// The relay has read what waits.
    RelayRead,
    /// A part of it is acknowledged.
    RelaySending,
    /// All of it is acknowledged, and nothing marked.
    RelaySent,
    /// It is marked, and the relay does not know yet.
    RelayMarked,
}

impl Point {
    pub const ALL: [Self; 16] = [
        Self::FactsRead,
        Self::FactsDecided,
        Self::FactsSaved,
        Self::FactsCommitted,
        Self::CommandsAsked,
        Self::CommandsDecided,
        Self::CommandsSaved,
        Self::CommandsCommitted,
        Self::SweepFound,
        Self::SweepDecided,
        Self::SweepSaved,
        Self::SweepCommitted,
        Self::RelayRead,
        Self::RelaySending,
        Self::RelaySent,
        Self::RelayMarked,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::FactsRead => "facts.read",
            Self::FactsDecided => "facts.decided",
            Self::FactsSaved => "facts.saved",
            Self::FactsCommitted => "facts.committed",
            Self::CommandsAsked => "commands.asked",
            Self::CommandsDecided => "commands.decided",
            Self::CommandsSaved => "commands.saved",
            Self::CommandsCommitted => "commands.committed",
            Self::SweepFound => "sweep.found",
            Self::SweepDecided => "sweep.decided",
            Self::SweepSaved => "sweep.saved",
            Self::SweepCommitted => "sweep.committed",
            Self::RelayRead => "relay.read",
            Self::RelaySending => "relay.sending",
            Self::RelaySent => "relay.sent",
            Self::RelayMarked => "relay.marked",
        }
    }

    /// Whether a transaction is open here. Whoever freezes then loses it: its database ends it.
    pub fn in_transaction(self) -> bool {
        matches!(
            self,
            Self::FactsDecided
                | Self::FactsSaved
                | Self::CommandsDecided
                | Self::CommandsSaved
                | Self::SweepDecided
                | Self::SweepSaved
        )
    }

    /// Whether a turn has just decided: what an earlier attempt was about to publish was rolled back.
    pub fn is_decided(self) -> bool {
        matches!(self, Self::FactsDecided | Self::CommandsDecided | Self::SweepDecided)
    }

    /// Whether a turn has just committed.
    pub fn is_committed(self) -> bool {
        matches!(self, Self::FactsCommitted | Self::CommandsCommitted | Self::SweepCommitted)
    }
}

/// A rule that a simulator can break on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A fact that was taken is dropped.
    DropTaken,
    /// A position is moved by compare-and-set.
    CompareAndSet,
    /// A position is not moved before what was read takes effect …
    PositionNotFirst,
    /// … nor after it, but in the same transaction.
    PositionNotLater,
    /// Nobody is answered before the commit.
    AnswerAfterCommit,
    /// What comes too soon is parked.
    ParkGap,
    /// A clock that somebody has set is not gone by.
    SteadyTime,
}

/// Who decides what goes wrong.
#[async_trait::async_trait]
pub trait Fate: Send + Sync + std::fmt::Debug {
    /// Somebody has come to `point`. It may never return, or only much later.
    ///
    /// # Errors
    /// What that one is to be told.
    async fn at(&self, point: Point) -> Result<(), StoreError>;

    /// Whether `rule` is broken.
    fn breaks(&self, rule: Rule) -> bool;
}

/// What goes wrong on purpose here: in production nothing.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    fate: Option<Arc<dyn Fate>>,
}

impl Faults {
    pub fn of(fate: Arc<dyn Fate>) -> Self {
        Self { fate: Some(fate) }
    }

    /// Says that `point` was reached.
    ///
    /// # Errors
    /// What goes wrong there.
    pub async fn at(&self, point: Point) -> Result<(), StoreError> {
        match &self.fate {
            None => Ok(()),
            Some(fate) => fate.at(point).await,
        }
    }

    /// Whether `rule` is broken on purpose.
    pub fn breaks(&self, rule: Rule) -> bool {
        self.fate.as_ref().is_some_and(|fate| fate.breaks(rule))
    }
}
