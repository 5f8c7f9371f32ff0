//! Rules that are broken on purpose, to see that the promises notice. A layer behind another one may catch what the
//! first lets through; then both are broken together.

use platform::faults::Rule;

/// One rule, broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    // Readers.
    TakeAgain,
    NoCompareAndSet,
    PositionFirst,
    PositionLater,
    GapTaken,
    OtherTopic,
    OutsideTopic,
    // Whoever asks and is answered.
    AnswerBeforeCommit,
    NewIdOnRetry,
    ClientIdPerInstance,
    OtherBodyTaken,
    // Relays.
    MarkBeforeSend,
    MarkUnsent,
    RelayByMark,
    PublishBeforeCommit,
    // Sweeps.
    EarlySweep,
    ProposedOnce,
    SweepMark,
    // Clocks and stores.
    HostClock,
    SetClock,
    NoCatchUp,
    // What handle keeps.
    TwoHolders,
    SecondAcceptance,
    FourthReturn,
    EscalateTwice,
    StepNotMarked,
    CountsEarly,
    DeadlineReset,
    HandlersForgotten,
    LevelNotRaised,
    HistoryLeftOut,
    // What others keep of a case.
    CloseUnheard,
    LapseUnheard,
    OverCapacity,
}

impl Switch {
    pub const ALL: [Self; 34] = [
        Self::TakeAgain,
        Self::NoCompareAndSet,
        Self::PositionFirst,
        Self::PositionLater,
        Self::GapTaken,
        Self::OtherTopic,
        Self::OutsideTopic,
        Self::AnswerBeforeCommit,
        Self::NewIdOnRetry,
        Self::ClientIdPerInstance,
        Self::OtherBodyTaken,
        Self::MarkBeforeSend,
        Self::MarkUnsent,
        Self::RelayByMark,
        Self::PublishBeforeCommit,
        Self::EarlySweep,
        Self::ProposedOnce,
        Self::SweepMark,
        Self::HostClock,
        Self::SetClock,
        Self::NoCatchUp,
        Self::TwoHolders,
        Self::SecondAcceptance,
        Self::FourthReturn,
        Self::EscalateTwice,
        Self::StepNotMarked,
        Self::CountsEarly,
        Self::DeadlineReset,
        Self::HandlersForgotten,
        Self::LevelNotRaised,
        Self::HistoryLeftOut,
        Self::CloseUnheard,
        Self::LapseUnheard,
        Self::OverCapacity,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::TakeAgain => "take-again",
            Self::NoCompareAndSet => "no-compare-and-set",
            Self::PositionFirst => "position-first",
            Self::PositionLater => "position-later",
            Self::GapTaken => "gap-taken",
            Self::OtherTopic => "other-topic",
            Self::OutsideTopic => "outside-topic",
            Self::AnswerBeforeCommit => "answer-before-commit",
            Self::NewIdOnRetry => "new-id-on-retry",
            Self::ClientIdPerInstance => "client-id-per-instance",
            Self::OtherBodyTaken => "other-body-taken",
            Self::MarkBeforeSend => "mark-before-send",
            Self::MarkUnsent => "mark-unsent",
            Self::RelayByMark => "relay-by-mark",
            Self::PublishBeforeCommit => "publish-before-commit",
            Self::EarlySweep => "early-sweep",
            Self::ProposedOnce => "proposed-once",
            Self::SweepMark => "sweep-mark",
            Self::HostClock => "host-clock",
            Self::SetClock => "set-clock",
            Self::NoCatchUp => "no-catch-up",
            Self::TwoHolders => "two-holders",
            Self::SecondAcceptance => "second-acceptance",
            Self::FourthReturn => "fourth-return",
            Self::EscalateTwice => "escalate-twice",
            Self::StepNotMarked => "step-not-marked",
            Self::CountsEarly => "counts-early",
            Self::DeadlineReset => "deadline-reset",
            Self::HandlersForgotten => "handlers-forgotten",
            Self::LevelNotRaised => "level-not-raised",
            Self::HistoryLeftOut => "history-left-out",
            Self::CloseUnheard => "close-unheard",
            Self::LapseUnheard => "lapse-unheard",
            Self::OverCapacity => "over-capacity",
        }
    }

    /// What is wrong then.
    pub fn says(self) -> &'static str {
        match self {
            Self::TakeAgain => "a reader takes what it has taken before",
            Self::NoCompareAndSet => "a reader moves on, whether or not another one has moved its position",
            Self::PositionFirst => "a reader's position is committed before what it read takes effect",
            Self::PositionLater => "a reader's position is committed after what it read took effect",
            Self::GapTaken => "a reader takes a fact before the one that comes before it",
            Self::OtherTopic => "a reader reads on from where it was on a topic that was made anew",
            Self::OutsideTopic => {
                "a reader that stands behind the end of its topic waits there until there is more"
            }
            Self::AnswerBeforeCommit => "a person is answered, and then the commit fails",
            Self::NewIdOnRetry => "a device that heard nothing sends its report under a new client id",
            Self::ClientIdPerInstance => "a client id counts only at the instance that heard it",
            Self::OtherBodyTaken => "what is sent under a known client id is answered whatever it says",
            Self::MarkBeforeSend => "a relay marks a row before it sends it",
            Self::MarkUnsent => "a relay marks whatever waits once it has sent what it had read",
            Self::RelayByMark => "a relay sends only rows above the last one it sent",
            Self::PublishBeforeCommit => "facts are sent before the turn that makes them commits",
            Self::EarlySweep => "supervise's clock is a minute ahead where it looks for what is due",
            Self::ProposedOnce => "a sweep remembers what it has proposed, and never proposes it again",
            Self::SweepMark => "a sweep looks only at what fell due since it last looked",
            Self::HostClock => "handle goes by a host's clock, which is a minute ahead",
            Self::SetClock => "turns go by a clock that somebody has set",
            Self::NoCatchUp => {
                "a service serves from a store that was restored from before the end of its topic"
            }
            Self::TwoHolders => "a case that an organisation has accepted is still offered",
            Self::SecondAcceptance => "the second organisation that accepts has the case too",
            Self::FourthReturn => "a case is given back once more after the third time",
            Self::EscalateTwice => "a step that escalates takes effect twice",
            Self::StepNotMarked => "a step that took effect is not marked as done",
            Self::CountsEarly => "a step counts from a minute before it is due",
            Self::DeadlineReset => "whoever a case is handed to has all the time again",
            Self::HandlersForgotten => "a case forgets who handled it",
            Self::LevelNotRaised => "an escalation makes nobody answerable",
            Self::HistoryLeftOut => "what comes about by time is not written into the history",
            Self::CloseUnheard => "supervise does not hear that a case is closed",
            Self::LapseUnheard => "partner does not hear that an offer lapsed",
            Self::OverCapacity => "partner counts nobody's hands",
        }
    }

    /// What may catch what it lets through: then it is noticed only beside another one.
    pub fn caught_by(self) -> Option<&'static str> {
        match self {
            Self::NoCompareAndSet => Some("the sequences: what another instance has taken is dropped"),
            Self::PositionLater => Some("the sequences: what was taken and is read again is dropped"),
            _ => None,
        }
    }

    fn bit(self) -> u64 {
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
pub struct Broken(u64);

impl Broken {
    pub fn of(switches: &[Switch]) -> Self {
        Self(switches.iter().fold(0, |all, switch| all | switch.bit()))
    }

    pub fn has(self, switch: Switch) -> bool {
        self.0 & switch.bit() != 0
    }

    /// Whether everything is as it should be.
    pub fn is_nothing(self) -> bool {
        self.0 == 0
    }

    /// Whether `rule` is broken.
    pub fn breaks(self, rule: Rule) -> bool {
        self.has(match rule {
            Rule::DropTaken => Switch::TakeAgain,
            Rule::CompareAndSet => Switch::NoCompareAndSet,
            Rule::PositionNotFirst => Switch::PositionFirst,
            Rule::PositionNotLater => Switch::PositionLater,
            Rule::AnswerAfterCommit => Switch::AnswerBeforeCommit,
            Rule::ParkGap => Switch::GapTaken,
            Rule::SteadyTime => Switch::SetClock,
        })
    }

    pub fn switches(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.into_iter().filter(move |switch| self.has(*switch))
    }

    pub fn names(self) -> Vec<&'static str> {
        self.switches().map(Switch::name).collect()
    }
}

/// What is broken in one run after the other: each switch by itself, then those together that catch each other's.
pub fn all() -> Vec<Vec<Switch>> {
    let alone = Switch::ALL.into_iter().map(|switch| vec![switch]);
    let caught = Switch::ALL.into_iter().filter(|switch| switch.caught_by().is_some());
    alone.chain(caught.map(|switch| vec![switch, Switch::TakeAgain])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_switch_has_a_name_and_a_place_of_its_own() {
        for (n, switch) in Switch::ALL.into_iter().enumerate() {
            assert_eq!(switch.name().parse(), Ok(switch));
            assert_eq!(switch as usize, n, "{}", switch.name());
            assert_eq!(Broken::of(&[switch]).names(), [switch.name()]);
        }
        assert!("no-such".parse::<Switch>().is_err());
    }
}
