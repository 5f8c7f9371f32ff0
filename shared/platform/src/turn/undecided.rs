//! Why a fact could not be decided, and whether that may be otherwise in a moment.

use std::fmt;

/// Why a fact could not be decided, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// Somebody has to mend the cause: it becomes a dead letter.
    Unfit(String),
    /// It names what is not known here yet: who told of it goes by a version of the pack that is not in force here. It is
    /// tried again by itself for a while, and only then is a dead letter like any other. It says nothing of what follows,
    /// so it does not stop the line. The words are the same for all that wait for the same.
    NotYet(String),
}

impl From<String> for Undecided {
    fn from(why: String) -> Self {
        Self::Unfit(why)
    }
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit(why) | Self::NotYet(why) => f.write_str(why),
        }
    }
}
