//! A deadline (时限): what must be done by when, and the steps taken on the way and after it.
//!
//! It starts at dispatch, not at sign-off, so that not signing gains nothing. It moves only on record;
//! escalation adds an answerable level, never a new deadline.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::area::Level;
use crate::calendar::Limit;
use crate::category::MOST_STAGES;

/// What must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineKind {
    /// 签收: the holder says it is theirs.
    Sign,
    /// 接单: a partner organisation answers the offer.
    Offer,
    /// The first stage of a category that has stages (停工); the next two follow.
    Stage1,
    Stage2,
    Stage3,
    /// 处置: it is handled and answered.
    Handle,
    /// 核查: somebody else has looked.
    Check,
}

impl DeadlineKind {
    pub const ALL: [Self; 7] =
        [Self::Sign, Self::Offer, Self::Stage1, Self::Stage2, Self::Stage3, Self::Handle, Self::Check];

    /// The stages, in order; see [`crate::category::Category::stages`].
    pub const STAGES: [Self; MOST_STAGES] = [Self::Stage1, Self::Stage2, Self::Stage3];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Offer => "offer",
            Self::Stage1 => "stage1",
            Self::Stage2 => "stage2",
            Self::Stage3 => "stage3",
            Self::Handle => "handle",
            Self::Check => "check",
        }
    }

    pub fn zh(self) -> &'static str {
        match self {
            Self::Sign => "签收",
            Self::Offer => "接单",
            Self::Stage1 => "第一阶段",
            Self::Stage2 => "第二阶段",
            Self::Stage3 => "第三阶段",
            Self::Handle => "处置",
            Self::Check => "核查",
        }
    }
}

impl std::str::FromStr for DeadlineKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not a kind of deadline: use one of {known}")
        })
    }
}

/// What a step does; one word on the wire: `remind`, `community`, `street` …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Does {
    /// 催办: time runs out for whoever it waits for; of a check that is those who may check, and not the holder.
    Remind,
    /// 升级: this level is made answerable too.
    Escalate(Level),
    /// 超时回流: nobody took the offer, so it flows back to whoever holds the case.
    Lapse,
}

impl Does {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Remind => "remind",
            Self::Escalate(level) => level.as_str(),
            Self::Lapse => "lapse",
        }
    }
}

impl From<Does> for String {
    fn from(does: Does) -> Self {
        does.as_str().to_owned()
    }
}

impl TryFrom<String> for Does {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for Does {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "remind" => Ok(Self::Remind),
            "lapse" => Ok(Self::Lapse),
            level => level.parse().map(Self::Escalate),
        }
    }
}

/// One step of a deadline, with its own due time. It takes effect once, at `done_at`, never before
/// `due_at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub does: Does,
    pub due_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<DateTime<Utc>>,
}

/// One deadline of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    pub kind: DeadlineKind,
    /// 1, 2 … A new holder signs anew, a new answer is checked anew; handling has one round for life.
    pub round: u32,
    pub start_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    /// What `due_at` was computed from; `None` for a due time that came with a recorded report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Version of the policy.
    pub policy: String,
    /// Version of the calendar.
    pub calendar: String,
    /// 暂定: the calendar of a year it counts through is not published yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
    /// When it was met, as recorded; a verdict compares this with `due_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met_at: Option<DateTime<Utc>>,
    pub steps: Vec<Step>,
}

/// How a deadline stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not met, and not yet due.
    Running,
    /// Met at or before its due time.
    OnTime,
    /// Met late, or due and not met.
    Overdue,
}

impl Deadline {
    /// Due at or before it began: flagged, never reminded of, in breach from the start.
    pub fn due_before_start(&self) -> bool {
        self.due_at <= self.start_at
    }

    /// On time if and only if met at or before `due_at`.
    pub fn verdict(&self, now: DateTime<Utc>) -> Verdict {
        match self.met_at {
            Some(met_at) if met_at <= self.due_at => Verdict::OnTime,
            Some(_) => Verdict::Overdue,
            None if now <= self.due_at => Verdict::Running,
            None => Verdict::Overdue,
        }
    }
}
