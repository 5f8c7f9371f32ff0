//! Rows that cannot be used: where each is, what is wrong with it, and how many there are of each kind.

use std::collections::BTreeMap;
use std::fmt;

use domain::text::Text;

/// How many refusals are shown in words.
pub const EXAMPLES: usize = 10;

/// A row that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Line of the file, from 1.
    pub line: u64,
    /// Short and stable: `wrong_time`.
    pub reason: &'static str,
    /// Names the column, what is wrong there and what to do.
    pub text: Text,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, text, .. } = self;
        write!(f, "line {line}: {} / 第 {line} 行：{}", text.en, text.zh)
    }
}

/// Refused rows, counted: a file that is wrong from end to end must not fill the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    by_reason: BTreeMap<&'static str, u64>,
    examples: Vec<Refused>,
}

impl Refusals {
    pub fn add(&mut self, refused: Refused) {
        *self.by_reason.entry(refused.reason).or_default() += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(refused);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.by_reason.is_empty()
    }

    /// How many rows were refused.
    pub fn rows(&self) -> u64 {
        self.by_reason.values().sum()
    }

    pub fn by_reason(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_reason
    }

    /// The first few.
    pub fn examples(&self) -> &[Refused] {
        &self.examples
    }
}
