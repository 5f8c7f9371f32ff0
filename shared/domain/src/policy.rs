//! The policy of a street office: which deadlines a case gets and who is made answerable when one
//! passes (催办 and 督办 ladder). Configuration, never code; versioned, and the version is kept on each deadline.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::area::Level;
use crate::calendar::{Calendar, Limit};
use crate::deadline::{Deadline, DeadlineKind, Does, Step};
use crate::text::Text;

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
    /// 接单: how long an offer to partner organisations stands before it flows back; without one none is made.
    #[serde(default)]
    pub offer_limit: Option<Limit>,
    pub sign: Ladder,
    pub handle: Ladder,
    pub check: Ladder,
    /// 紧急: what goes instead where handling is limited around the clock, since a night must not hold up what cannot
    /// wait for the office. Of the same version, and with none within; without one all matters go by the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgent: Option<Box<Policy>>,
}

impl Policy {
    /// What a matter goes by whose handling (处置) is limited so; `None` is a recorded promise, which says no limit.
    pub fn of(&self, handling: Option<Limit>) -> &Self {
        let urgent = handling.is_some_and(|limit| limit.is_urgent());
        self.urgent.as_deref().filter(|_| urgent).unwrap_or(self)
    }

    /// The ladder of `kind`. An offer has none: nobody answers for the silence of an organisation, it only lapses.
    pub(crate) fn ladder(&self, kind: DeadlineKind) -> Option<&Ladder> {
        match kind {
            DeadlineKind::Sign => Some(&self.sign),
            DeadlineKind::Offer => None,
            DeadlineKind::Stage1 | DeadlineKind::Stage2 | DeadlineKind::Stage3 | DeadlineKind::Handle => {
                Some(&self.handle)
            }
            DeadlineKind::Check => Some(&self.check),
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
        let remind = self.ladder(kind).and_then(|ladder| ladder.remind_percent);
        let remind_at = remind.map(|percent| calendar.part(start_at, due.at, limit, percent));
        deadline.steps = self.steps(calendar, kind, &deadline, remind_at);
        deadline
    }

    /// Why nobody is asked at `at` to take a case that has to be handled by `due_at`: an offer would stand until then or
    /// longer, and whoever took it at its end would be late already. `None`: there is time, or there are no offers.
    pub fn no_time_to_offer(
        &self,
        calendar: &Calendar,
        at: DateTime<Utc>,
        due_at: DateTime<Utc>,
    ) -> Option<Text> {
        let ends_at = calendar.due(at, self.offer_limit?).at;
        if ends_at < due_at {
            return None;
        }
        let written =
            |form: &str| [ends_at, due_at].map(|time| calendar.local(time).format(form).to_string());
        // As exactly as it takes to see which is later.
        let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.6f"].map(written);
        let [shortest, .., exact] = &forms;
        let differ = forms.iter().find(|[ends, due]| ends != due);
        let [ends, due] = differ.unwrap_or(if ends_at == due_at { shortest } else { exact });
        Some(Text::new(
            format!(
                "此类事项可由社会组织承接，但现在下单要到 {ends} 才截止接单，处置时限为 {due}，来不及，故不下单。"
            ),
            format!(
                "Organisations may take this category, but an offer made now would stand until {ends} and it is due \
                 at {due}: too late to offer it."
            ),
        ))
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
        // Whole milliseconds, rounded down, as everywhere.
        let elapsed = (due_at - start_at).num_milliseconds();
        let part = |percent: u32| {
            let percent = i64::from(percent);
            TimeDelta::milliseconds(elapsed / 100 * percent + elapsed % 100 * percent / 100)
        };
        let remind_at = self.handle.remind_percent.map(|percent| start_at + part(percent));
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
        let Some(ladder) = self.ladder(kind) else {
            return vec![Step { does: Does::Lapse, due_at: deadline.due_at, done_at: None }];
        };
        let rungs = ladder.escalate.iter().map(|rung| Step {
            does: Does::Escalate(rung.to),
            due_at: calendar.due(deadline.due_at, rung.after).at,
            done_at: None,
        });
        reminder.into_iter().chain(rungs).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::Verdict;

    fn limit(text: &str) -> Limit {
        Limit::parse(text).unwrap()
    }

    fn rung(to: Level, after: &str) -> Rung {
        Rung { to, after: limit(after) }
    }

    /// Office hours 08:30–12:00 and 13:30–17:30 in Shanghai.
    fn cn() -> Calendar {
        Calendar::from_json(include_str!("../../packs/calendars/cn.json")).unwrap()
    }

    fn policy() -> Policy {
        Policy {
            version: "test-7".to_owned(),
            sign_limit: None,
            check_limit: None,
            offer_limit: None,
            sign: Ladder { remind_percent: None, escalate: vec![rung(Level::Community, "0h")] },
            handle: Ladder {
                remind_percent: Some(80),
                escalate: vec![rung(Level::Community, "0h"), rung(Level::Street, "2wh")],
            },
            check: Ladder { remind_percent: Some(50), escalate: Vec::new() },
            urgent: None,
        }
    }

    /// A time as the office's wall clock shows it.
    fn shanghai(text: &str) -> DateTime<Utc> {
        cn().instant(text.parse().unwrap())
    }

    fn deadline(kind: DeadlineKind, start: &str, of: &str) -> Deadline {
        policy().deadline(&cn(), kind, 1, shanghai(start), limit(of))
    }

    fn steps(deadline: &Deadline) -> Vec<(&'static str, String)> {
        let local = |at| cn().local(at).format("%a %H:%M").to_string();
        deadline.steps.iter().map(|step| (step.does.as_str(), local(step.due_at))).collect()
    }

    #[test]
    fn the_reminder_and_the_rungs_count_the_time_the_limit_counts() {
        // Friday afternoon: 2 h of office are left, the other 2 h are Monday's.
        let friday = deadline(DeadlineKind::Handle, "2026-03-06T15:30:00", "4wh");
        assert_eq!(friday.due_at, shanghai("2026-03-09T10:30:00"));
        let expected = [("remind", "Mon 09:42"), ("community", "Mon 10:30"), ("street", "Mon 14:00")];
        assert_eq!(steps(&friday), expected.map(|(does, at)| (does, at.to_owned())));
    }

    #[test]
    fn each_kind_has_its_own_ladder() {
        let sign = deadline(DeadlineKind::Sign, "2026-03-06T09:00:00", "1h");
        assert_eq!(steps(&sign), [("community", "Fri 10:00".to_owned())]);
        let check = deadline(DeadlineKind::Check, "2026-03-06T09:00:00", "2h");
        assert_eq!(steps(&check), [("remind", "Fri 10:00".to_owned())]);
    }

    #[test]
    fn what_is_urgent_goes_by_its_own_ladder_and_all_else_by_the_ordinary_one() {
        let around = |to, after| Ladder { remind_percent: None, escalate: vec![rung(to, after)] };
        let mut both = policy();
        let urgent = Policy { sign: around(Level::Street, "30m"), ..policy() };
        both.urgent = Some(Box::new(urgent.clone()));
        assert_eq!(both.of(Some(limit("2h"))), &urgent);
        for other in [Some(limit("4wh")), Some(limit("3wd")), Some(limit("7d")), None] {
            assert_eq!(both.of(other), &both, "{other:?}");
        }
        assert_eq!(policy().of(Some(limit("2h"))), &policy(), "an office that makes no difference");
        // Friday, an hour before the office closes: the street hears of it the same evening.
        let start = shanghai("2026-03-06T17:00:00");
        let sign = both.of(Some(limit("2h"))).deadline(&cn(), DeadlineKind::Sign, 1, start, limit("15m"));
        assert_eq!(steps(&sign), [("street", "Fri 17:45".to_owned())]);
    }

    #[test]
    fn a_deadline_names_what_it_was_computed_from() {
        let made = deadline(DeadlineKind::Handle, "2026-03-06T15:30:00", "4wh");
        assert_eq!((made.policy.as_str(), made.calendar.as_str()), ("test-7", cn().version()));
        assert_eq!((made.limit, made.round, made.met_at), (Some(limit("4wh")), 1, None));
        assert!(made.steps.iter().all(|step| step.done_at.is_none()));
    }

    #[test]
    fn a_deadline_through_a_year_nobody_has_published_is_provisional() {
        assert!(!deadline(DeadlineKind::Handle, "2026-03-06T15:30:00", "4wh").provisional);
        assert!(deadline(DeadlineKind::Handle, "2090-03-06T15:30:00", "4wh").provisional);
    }

    #[test]
    fn a_limit_of_nothing_is_due_at_its_start_and_has_no_reminder() {
        let made = deadline(DeadlineKind::Handle, "2026-03-06T15:30:00", "0h");
        assert!(made.due_before_start());
        let expected = [("community", "Fri 15:30"), ("street", "Fri 17:30")];
        assert_eq!(steps(&made), expected.map(|(does, at)| (does, at.to_owned())));
    }

    #[test]
    fn a_recorded_promise_stands_as_it_was_made_and_is_reminded_of_by_elapsed_time() {
        let (start, due) = (shanghai("2026-03-06T15:30:00"), shanghai("2026-03-08T17:30:00"));
        let made = policy().recorded_deadline(&cn(), start, due);
        assert_eq!((made.due_at, made.limit, made.provisional), (due, None, false));
        let expected = [("remind", "Sun 07:30"), ("community", "Sun 17:30"), ("street", "Mon 10:30")];
        assert_eq!(steps(&made), expected.map(|(does, at)| (does, at.to_owned())));
        let late = policy().recorded_deadline(&cn(), due, start);
        assert!(late.due_before_start());
        assert_eq!(steps(&late)[0].0, "community");
    }

    #[test]
    fn on_time_is_met_at_or_before_the_due_time() {
        let made = deadline(DeadlineKind::Handle, "2026-03-06T09:00:00", "1h");
        let (due, second) = (made.due_at, chrono::TimeDelta::seconds(1));
        let met = |met_at| Deadline { met_at: Some(met_at), ..made.clone() };
        assert_eq!(met(due).verdict(due + second), Verdict::OnTime);
        assert_eq!(met(due + second).verdict(due), Verdict::Overdue);
        assert_eq!(made.verdict(due), Verdict::Running);
        assert_eq!(made.verdict(due + second), Verdict::Overdue);
    }
}
