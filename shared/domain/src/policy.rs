//! The policy of a street office: which deadlines a case gets and who is made answerable when one
//! passes (催办 and 督办 ladder). Configuration, never code; versioned, and the version is kept on each deadline.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::area::Level;
use crate::calendar::{Calendar, Limit};
use crate::deadline::{Deadline, DeadlineKind, Does, Step};

/// What happens on the way to one kind of deadline and after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// A reminder when this share of the time the limit counts has passed.
    #[serde(default)]
    pub remind_percent: Option<u32>,
    /// Levels made answerable, each some time after the deadline.
    pub escalate: Vec<Rung>,
}

/// One level of a ladder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    pub to: Level,
    /// How long after the deadline, on the same calendar.
    pub after: Limit,
}

/// Limits and ladders of a jurisdiction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Named on every deadline computed under it.
    pub version: String,
    /// 签收: how long a holder may leave a case unsigned.
    pub sign_limit: Option<Limit>,
    /// 核查: how long an answer may wait to be looked at.
    pub check_limit: Option<Limit>,
    pub sign: Ladder,
    pub handle: Ladder,
    pub check: Ladder,
}

impl Policy {
    fn ladder(&self, kind: DeadlineKind) -> &Ladder {
        match kind {
            DeadlineKind::Sign => &self.sign,
            DeadlineKind::Handle => &self.handle,
            DeadlineKind::Check => &self.check,
        }
    }

    /// A deadline of `kind` from a limit of the pack.
    pub fn deadline(
        &self,
        calendar: &Calendar,
        kind: DeadlineKind,
        round: u32,
        start_at: DateTime<Utc>,
        limit: Limit,
    ) -> Deadline {
        let due = calendar.due(start_at, limit);
        let mut deadline = Deadline {
            kind,
            round,
            start_at,
            due_at: due.at,
            limit: Some(limit),
            policy: self.version.clone(),
            calendar: calendar.version().to_owned(),
            provisional: due.provisional,
            met_at: None,
            steps: Vec::new(),
        };
        let remind = self.ladder(kind).remind_percent;
        let remind_at = remind.map(|percent| calendar.part(start_at, due.at, limit, percent));
        deadline.steps = self.steps(calendar, kind, &deadline, remind_at);
        deadline
    }

    /// The one deadline of a recorded report: its due time as it was promised then. The reminder
    /// counts elapsed time, since what the promise counted is not on record.
    pub fn recorded_deadline(
        &self,
        calendar: &Calendar,
        start_at: DateTime<Utc>,
        due_at: DateTime<Utc>,
    ) -> Deadline {
        let kind = DeadlineKind::Handle;
        let mut deadline = Deadline {
            kind,
            round: 1,
            start_at,
            due_at,
            limit: None,
            policy: self.version.clone(),
            calendar: calendar.version().to_owned(),
            provisional: false,
            met_at: None,
            steps: Vec::new(),
        };
        let remind_at = self
            .handle
            .remind_percent
            .map(|percent| start_at + (due_at - start_at) / 100 * percent.cast_signed());
        deadline.steps = self.steps(calendar, kind, &deadline, remind_at);
        deadline
    }

    /// Steps in order of their due times. A deadline due at or before its start has no reminder: there
    /// is nothing left to remind of.
    fn steps(
        &self,
        calendar: &Calendar,
        kind: DeadlineKind,
        deadline: &Deadline,
        remind_at: Option<DateTime<Utc>>,
    ) -> Vec<Step> {
        let reminder = remind_at.filter(|_| !deadline.due_before_start()).map(|due_at| Step {
            does: Does::Remind,
            due_at,
            done_at: None,
        });
        let rungs = self.ladder(kind).escalate.iter().map(|rung| Step {
            does: Does::Escalate(rung.to),
            due_at: calendar.due(deadline.due_at, rung.after).at,
            done_at: None,
        });
        reminder.into_iter().chain(rungs).collect()
    }
}
