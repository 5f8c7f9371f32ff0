//! The case (案卷): one incident from dispatch to closing.
//!
//! ```text
//!                     sign            answer               check: passed, then close
//!   DISPATCHED ───────────▶ HANDLING ───────────▶ CHECKING ───────────────────────▶ CLOSED
//!   待签收        holder    处置中      holder     待核查      somebody else          已结案
//!      ▲                      │  ▲                   │
//!      │ return (holder)      │  └───────────────────┘ check: failed (rework, 返工)
//!      │ transfer (answerable)│
//!      ├──────────────────────┤
//!      │ nobody takes it      │ accept (a partner organisation)
//!      └────── OFFERED ───────┘
//!               待接单   offered from DISPATCHED or HANDLING; the office holds it meanwhile
//! ```
//!
//! `docs/states.md` draws the same from [`Action`] itself. A case is changed in one way: [`receive`]
//! first advances it to the time of the input, so that each step due by then takes effect, then decides.
//! What it decides is a list of [`Happened`]; [`Case::apply`] is the only code that changes a row, so the
//! facts folded one by one always give it.

mod advance;
mod apply;
mod offer;
mod receive;
mod refusal;
#[cfg(test)]
mod tests;
mod transfer;

pub use advance::{Effect, next_step_due};
pub use offer::{may_be_offered, too_late_to_offer};
pub use receive::{Action, FINAL_RETURN, Input, Outcome, ReturnReason, Terms, Undecidable, receive};
pub use refusal::Refusal;
pub use transfer::may_be_transferred;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::area::{AreaPath, Level};
use crate::calendar::Limit;
use crate::deadline::{Deadline, DeadlineKind};
use crate::holder::Holder;
use crate::id::{CategoryCode, IncidentId, PartnerId, PersonId};
use crate::partner::{DeclineReason, ReleaseReason};
use crate::text::Text;

/// Who did something, and when it counts as done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub by: PersonId,
    pub at: DateTime<Utc>,
}

/// Where a case stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// 待签收: its holder has not signed for it yet.
    Dispatched,
    /// 待接单: these partner organisations are asked to take it; its holder has it meanwhile.
    Offered { partners: Vec<PartnerId> },
    /// 处置中.
    Handling { signed: Mark },
    /// 待核查: answered; `passed` once somebody else has found it done, and from then on 待结案.
    Checking {
        signed: Mark,
        answered: Mark,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passed: Option<Mark>,
    },
    /// 已结案.
    Closed { signed: Mark, answered: Mark, passed: Mark, closed: Mark },
}

impl State {
    pub const NAMES: [&'static str; 5] = ["DISPATCHED", "OFFERED", "HANDLING", "CHECKING", "CLOSED"];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Dispatched => "DISPATCHED",
            Self::Offered { .. } => "OFFERED",
            Self::Handling { .. } => "HANDLING",
            Self::Checking { .. } => "CHECKING",
            Self::Closed { .. } => "CLOSED",
        }
    }

    /// Found done by somebody else, and not closed yet.
    pub fn is_passed(&self) -> bool {
        matches!(self, Self::Checking { passed: Some(_), .. })
    }

    /// Of a case that is …
    pub fn en(&self) -> &'static str {
        match self {
            Self::Dispatched => "waiting to be signed for",
            Self::Offered { .. } => "offered to partner organisations",
            Self::Handling { .. } => "being handled",
            Self::Checking { passed: None, .. } => "waiting to be checked",
            Self::Checking { passed: Some(_), .. } => "checked, and waiting to be closed",
            Self::Closed { .. } => "closed",
        }
    }

    pub fn zh(&self) -> &'static str {
        match self {
            Self::Dispatched => "待签收",
            Self::Offered { .. } => "待接单",
            Self::Handling { .. } => "处置中",
            Self::Checking { passed: None, .. } => "待核查",
            Self::Checking { passed: Some(_), .. } => "待结案",
            Self::Closed { .. } => "已结案",
        }
    }
}

/// The flag of a case whose category was sensitive when it opened: it stays in the office and is counted by itself to its
/// end, whatever a later version of the pack says of the category.
pub const SENSITIVE: &str = "sensitive";

/// One case: the row handle keeps and every `handled` fact carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub incident: IncidentId,
    pub reporter: PersonId,
    pub category: CategoryCode,
    /// On WGS-84, degrees.
    pub lon: f64,
    pub lat: f64,
    pub area: AreaPath,
    pub holder: Holder,
    /// While a partner organisation holds it: whose it is again when that gives it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Holder>,
    #[serde(flatten)]
    pub state: State,
    /// The highest level answerable so far.
    pub level: Level,
    /// Which attempt of route's stands.
    pub attempt: u32,
    pub returns: u32,
    pub reworks: u32,
    /// Everybody who ever signed for it or answered it: none of them may check or close it.
    pub handlers: Vec<PersonId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// The latest round of each kind, in the order of [`DeadlineKind`].
    pub deadlines: Vec<Deadline>,
    /// Its one deadline came with a recorded report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    pub opened_at: DateTime<Utc>,
    /// When it last changed; nothing is ever put before it.
    pub last_at: DateTime<Utc>,
    /// Moved by people and by a change of holder, never by a step taking effect; the `ETag`.
    pub revision: u32,
}

impl Case {
    /// Whether it was opened as a sensitive one.
    pub fn is_sensitive(&self) -> bool {
        self.flags.iter().any(|flag| flag == SENSITIVE)
    }

    pub fn deadline(&self, kind: DeadlineKind) -> Option<&Deadline> {
        self.deadlines.iter().find(|deadline| deadline.kind == kind)
    }

    /// How long handling it may take, as it was given at its opening; none of a recorded report, or where none stands.
    pub fn handling_limit(&self) -> Option<Limit> {
        self.deadline(DeadlineKind::Handle)?.limit
    }

    /// The deadline by which something still has to be done first.
    pub fn next_due(&self) -> Option<&Deadline> {
        let open = self.deadlines.iter().filter(|deadline| deadline.met_at.is_none());
        open.min_by_key(|deadline| deadline.due_at)
    }

    /// The earliest time something still has to be done by; queues sort by it.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        self.next_due().map(|deadline| deadline.due_at)
    }
}

/// What can happen to a case; the body of a `handled` fact beside the case's row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happened {
    /// 立案派遣: the case in the fact is its first row.
    Opened { rule: String, boundaries: String, why: Text },
    /// 改派: another attempt of route's after a return; or 转派, by whoever is answerable for it.
    Assigned {
        attempt: u32,
        /// Where it lay until then, if that is elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<AreaPath>,
        area: AreaPath,
        holder: Holder,
        rule: String,
        why: Text,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sign: Option<Deadline>,
    },
    /// 签收.
    Signed { by: PersonId, met_at: DateTime<Utc> },
    /// 下单: partner organisations are asked to take it, by a person or because its category is offered by itself.
    Offered {
        partners: Vec<PartnerId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonId>,
        why: Text,
        met_at: DateTime<Utc>,
        offer: Deadline,
    },
    /// 接单: the first that accepted holds it.
    Accepted { partner: PartnerId, by: PersonId, met_at: DateTime<Utc> },
    /// 婉拒: without blame. With the last one it is its holder's to sign for again.
    Declined {
        partner: PartnerId,
        by: PersonId,
        reason: DeclineReason,
        met_at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sign: Option<Deadline>,
    },
    /// 超时回流: nobody answered in time.
    Lapsed {
        deadline: DeadlineKind,
        round: u32,
        step: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sign: Option<Deadline>,
    },
    /// 回流: a partner organisation gave it back, or was suspended or removed; `holder` has it now.
    Released {
        partner: PartnerId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonId>,
        reason: ReleaseReason,
        holder: Holder,
        met_at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sign: Option<Deadline>,
    },
    /// 阶段办结: a stage of the work is done.
    Staged { by: PersonId, stage: DeadlineKind, met_at: DateTime<Utc> },
    /// 退回: held by the street desk until route proposes again, or for good after the third.
    Returned {
        by: PersonId,
        reason: ReturnReason,
        /// Who had it: not always whom route chose, for it may have been transferred.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Holder>,
        holder: Holder,
        met_at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sign: Option<Deadline>,
    },
    /// 办结反馈. `met_at` is when it was done as recorded; verdicts compare that.
    Answered {
        by: PersonId,
        met_at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        check: Option<Deadline>,
    },
    /// 核查通过.
    Checked { by: PersonId, met_at: DateTime<Utc> },
    /// 返工: the check failed; the handling deadline is un-met, its due time as before.
    Reworked { by: PersonId, met_at: DateTime<Utc> },
    /// 催办.
    Reminded { deadline: DeadlineKind, round: u32, step: u32 },
    /// 升级: a level made answerable; the person is looked up when shown or told.
    Escalated { deadline: DeadlineKind, round: u32, step: u32, to: Level, area: AreaPath },
    /// 结案.
    Closed { by: PersonId },
}

impl Happened {
    /// The fact's type on `handled`.
    pub fn fact_type(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "case.opened",
            Self::Assigned { .. } => "case.assigned",
            Self::Signed { .. } => "case.signed",
            Self::Offered { .. } => "case.offered",
            Self::Accepted { .. } => "case.accepted",
            Self::Declined { .. } => "case.declined",
            Self::Lapsed { .. } => "case.lapsed",
            Self::Released { .. } => "case.released",
            Self::Staged { .. } => "case.staged",
            Self::Returned { .. } => "case.returned",
            Self::Answered { .. } => "case.answered",
            Self::Checked { .. } => "case.checked",
            Self::Reworked { .. } => "case.reworked",
            Self::Reminded { .. } => "case.reminded",
            Self::Escalated { .. } => "case.escalated",
            Self::Closed { .. } => "case.closed",
        }
    }

    pub const FACT_TYPES: [&'static str; 16] = [
        "case.opened",
        "case.assigned",
        "case.signed",
        "case.offered",
        "case.accepted",
        "case.declined",
        "case.lapsed",
        "case.released",
        "case.staged",
        "case.returned",
        "case.answered",
        "case.checked",
        "case.reworked",
        "case.reminded",
        "case.escalated",
        "case.closed",
    ];

    /// The person who did it, if a person did.
    pub fn by(&self) -> Option<&PersonId> {
        match self {
            Self::Signed { by, .. }
            | Self::Returned { by, .. }
            | Self::Answered { by, .. }
            | Self::Checked { by, .. }
            | Self::Reworked { by, .. }
            | Self::Accepted { by, .. }
            | Self::Declined { by, .. }
            | Self::Staged { by, .. }
            | Self::Closed { by } => Some(by),
            Self::Assigned { by, .. } | Self::Offered { by, .. } | Self::Released { by, .. } => by.as_ref(),
            Self::Opened { .. } | Self::Lapsed { .. } | Self::Reminded { .. } | Self::Escalated { .. } => {
                None
            }
        }
    }
}
