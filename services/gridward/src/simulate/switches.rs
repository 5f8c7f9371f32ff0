//! Rules that are broken on purpose, to see that the promises notice. A layer behind another one may catch what the
//! first lets through; then both are broken together.

use platform::faults::Rule;

/// One rule, broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    /// A reader takes what it has taken before.
    TakeAgain,
    /// A reader moves on whether or not somebody else has moved its position.
    NoCompareAndSet,
    /// A person is answered, and then the commit fails.
    AnswerBeforeCommit,
    /// A relay marks a row before it sends it.
    MarkBeforeSend,
    /// A device that heard nothing sends its report under a new client id.
    NewIdOnRetry,
    /// supervise's clock is a minute ahead where it looks for what is due.
    EarlySweep,
}

impl Switch {
    pub const ALL: [Self; 6] = [
        Self::TakeAgain,
        Self::NoCompareAndSet,
        Self::AnswerBeforeCommit,
        Self::MarkBeforeSend,
        Self::NewIdOnRetry,
        Self::EarlySweep,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::TakeAgain => "take-again",
            Self::NoCompareAndSet => "no-compare-and-set",
            Self::AnswerBeforeCommit => "answer-before-commit",
            Self::MarkBeforeSend => "mark-before-send",
            Self::NewIdOnRetry => "new-id-on-retry",
            Self::EarlySweep => "early-sweep",
        }
    }

    /// What may catch what it lets through: then it is noticed only beside another one.
    pub fn caught_by(self) -> Option<&'static str> {
        match self {
            Self::NoCompareAndSet => Some("the sequences: what another instance has taken is dropped"),
            _ => None,
        }
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl std::str::FromStr for Switch {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|switch| switch.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("`{text}` is no switch: use one of {known}")
        })
    }
}

/// What is broken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Broken(u32);

impl Broken {
    pub fn of(switches: &[Switch]) -> Self {
        Self(switches.iter().fold(0, |all, switch| all | switch.bit()))
    }

    pub fn has(self, switch: Switch) -> bool {
        self.0 & switch.bit() != 0
    }

    /// Whether `rule` is broken.
    pub fn breaks(self, rule: Rule) -> bool {
        self.has(match rule {
            Rule::DropTaken => Switch::TakeAgain,
            Rule::CompareAndSet => Switch::NoCompareAndSet,
            Rule::AnswerAfterCommit => Switch::AnswerBeforeCommit,
        })
    }

    pub fn names(self) -> Vec<&'static str> {
        Switch::ALL.into_iter().filter(|switch| self.has(*switch)).map(Switch::name).collect()
    }
}

/// What is broken in one run after the other: each switch by itself, then those together that catch each other's.
pub fn all() -> Vec<Vec<Switch>> {
    let alone = Switch::ALL.into_iter().map(|switch| vec![switch]);
    alone.chain([vec![Switch::NoCompareAndSet, Switch::TakeAgain]]).collect()
}
