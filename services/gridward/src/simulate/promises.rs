//! What is promised, and what is found when a promise was not kept.

/// What can be found broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// A report that was answered is a case.
    Kept,
    /// The same client id is the same incident.
    SameReport,
    /// A case has exactly one holder; what is sensitive stays in the office.
    Holder,
    /// An organisation has no more cases than hands.
    Hands,
    /// Deadlines do not move.
    DeadlinesStay,
    /// A step takes effect once, in order, and is marked.
    DueOnce,
    NeverEarly,
    /// Each that is due has taken effect.
    AllDue,
    /// Nobody judges the own work.
    OwnWork,
    /// The third return is decided by the street.
    ThirdReturn,
    /// What happened, one by one, gives the case.
    Fold,
    /// One sequence has one content.
    Sequences,
    /// Outboxes, topics, positions and what was taken agree.
    Agree,
    /// A log that is not the one a reader has read, or ends before it, is told of.
    LogsToldOf,
    /// Readers know the case as it is.
    Mirrors,
    /// It comes to rest when nothing goes wrong any more.
    Settles,
    /// Nothing stops that should go on.
    GoesOn,
}

impl Promise {
    /// What is promised, in words.
    pub fn says(self) -> &'static str {
        match self {
            Self::Kept => "a report that was answered is a case",
            Self::SameReport => "the same client id is the same incident",
            Self::Holder => "a case has exactly one holder, and what is sensitive stays in the office",
            Self::Hands => "an organisation has no more cases than it has hands for",
            Self::DeadlinesStay => "deadlines do not move",
            Self::DueOnce => "a step takes effect once, in order, and is marked",
            Self::NeverEarly => "nothing takes effect early",
            Self::AllDue => "every step that is due takes effect",
            Self::OwnWork => "nobody judges the own work",
            Self::ThirdReturn => "the third return is decided by the street, and that is final",
            Self::Fold => "what happened, one by one, gives the case",
            Self::Sequences => "one sequence has one content",
            Self::Agree => "outboxes, topics, positions and what was taken agree",
            Self::LogsToldOf => "a reader says aloud that its topic was made anew or cut short, and stops",
            Self::Mirrors => "whoever reads of a case knows it as it is",
            Self::Settles => "it comes to rest when nothing goes wrong any more",
            Self::GoesOn => "nothing stops that should go on",
        }
    }
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub promise: Promise,
    pub what: String,
}
