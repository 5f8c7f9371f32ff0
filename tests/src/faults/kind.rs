//! The kinds of what can go wrong, as they are told and counted.

use std::fmt;

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Killed,
    BrokerKilled,
    PostmasterKilled,
    BackendsEnded,
    Asleep,
    BrokerFrozen,
    CommitEaten,
    NoDatabase,
    NoBroker,
    SlowLink,
    HalfOpen,
    TableLocked,
    Refused,
    StoreFull,
    StoreUnsynced,
    BrokerFull,
    Storm,
    Replaced,
    Unreadable,
    Unknown,
    Again,
    Gone,
    Twice,
    OneKilled,
    OneReplaced,
    OneFrozen,
    TwoFrozen,
    AllKilled,
    LeadersMoved,
}

impl Kind {
    /// All, in the order they are told.
    pub const ALL: [Self; 29] = [
        Self::Killed,
        Self::BrokerKilled,
        Self::PostmasterKilled,
        Self::BackendsEnded,
        Self::Asleep,
        Self::BrokerFrozen,
        Self::CommitEaten,
        Self::NoDatabase,
        Self::NoBroker,
        Self::SlowLink,
        Self::HalfOpen,
        Self::TableLocked,
        Self::Refused,
        Self::StoreFull,
        Self::StoreUnsynced,
        Self::BrokerFull,
        Self::Storm,
        Self::Replaced,
        Self::Unreadable,
        Self::Unknown,
        Self::Again,
        Self::Gone,
        Self::Twice,
        Self::OneKilled,
        Self::OneReplaced,
        Self::OneFrozen,
        Self::TwoFrozen,
        Self::AllKilled,
        Self::LeadersMoved,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Killed => "an instance killed",
            Self::BrokerKilled => "the broker killed",
            Self::PostmasterKilled => "the postmaster killed",
            Self::BackendsEnded => "backends terminated",
            Self::Asleep => "an instance asleep past its session",
            Self::BrokerFrozen => "the broker frozen",
            Self::CommitEaten => "the answer to a COMMIT eaten",
            Self::NoDatabase => "an instance cut off from its database",
            Self::NoBroker => "an instance cut off from the broker",
            Self::SlowLink => "an instance on a slow link",
            Self::HalfOpen => "connections half open",
            Self::TableLocked => "a table locked by somebody else",
            Self::Refused => "statements refused by the database",
            Self::StoreFull => "the database's disk full",
            Self::StoreUnsynced => "the database's disk failing to sync",
            Self::BrokerFull => "the broker's disk full",
            Self::Storm => "a rebalance storm",
            Self::Replaced => "an instance replaced in order",
            Self::Unreadable => "a record nobody can read",
            Self::Unknown => "a fact of a type nobody knows",
            Self::Again => "facts sent again",
            Self::Gone => "clients gone in mid-request",
            Self::Twice => "reports sent twice at once, and changed",
            Self::OneKilled => "one of three brokers killed",
            Self::OneReplaced => "one of three brokers replaced in order",
            Self::OneFrozen => "one of three brokers frozen",
            Self::TwoFrozen => "two of three brokers frozen",
            Self::AllKilled => "all three brokers killed",
            Self::LeadersMoved => "leaders moved between brokers",
        }
    }

    /// Whether it is a SIGKILL.
    pub fn kills(self) -> bool {
        matches!(
            self,
            Self::Killed | Self::BrokerKilled | Self::PostmasterKilled | Self::OneKilled | Self::AllKilled
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
