//! 怎么算的: how a deadline of a case and each of its steps come about, in lines for people.

use crate::calendar::Calendar;
use crate::deadline::{Deadline, DeadlineKind, Does, Step};
use crate::policy::{Policy, Rung};
use crate::text::Text;

impl Policy {
    /// How `deadline` was computed: from its start to its due time, then its reminder and each level of its ladder.
    ///
    /// It is told by the rungs of this policy: [`of`](Self::of) gives the one that its case goes by. And
    /// only by the very policy and calendar it names can that be told; under others it is one line, which says by
    /// which versions it was computed.
    pub fn explain(&self, calendar: &Calendar, deadline: &Deadline) -> Vec<Text> {
        if deadline.policy != self.version || deadline.calendar != calendar.version() {
            return vec![by_others(deadline, &self.version, calendar.version())];
        }
        let mut lines = match deadline.limit {
            None => vec![recorded(calendar, deadline)],
            Some(limit) if calendar.due(deadline.start_at, limit).at == deadline.due_at => {
                calendar.explain(deadline.start_at, limit)
            }
            Some(_) => vec![moved(calendar, deadline)],
        };
        lines.extend(self.explain_steps(calendar, deadline));
        lines
    }

    fn explain_steps(&self, calendar: &Calendar, deadline: &Deadline) -> Vec<Text> {
        let ladder = self.ladder(deadline.kind);
        let percent = ladder.and_then(|ladder| ladder.remind_percent);
        let mut rungs = ladder.map(|ladder| ladder.escalate.as_slice()).unwrap_or_default().iter();
        let explain = |step: &Step| match step.does {
            Does::Remind => reminder(calendar, deadline, step, percent.unwrap_or_default()),
            Does::Escalate(_) => escalation(calendar, deadline, step, rungs.next()),
            Does::Lapse => lapse(calendar, step),
        };
        deadline.steps.iter().map(explain).collect()
    }
}

fn by_others(deadline: &Deadline, policy: &str, calendar: &str) -> Text {
    let Deadline { policy: then, calendar: then_calendar, .. } = deadline;
    Text::new(
        format!(
            "按政策 {then}、日历 {then_calendar} 算得；现行为政策 {policy}、日历 {calendar}，故不逐步说明"
        ),
        format!(
            "Computed by policy {then} and calendar {then_calendar}; in force now are policy {policy} and calendar {calendar}, so it is not told step by step"
        ),
    )
}

fn recorded(calendar: &Calendar, deadline: &Deadline) -> Text {
    let due = calendar.written(deadline.due_at);
    Text::new(
        format!("到期 {due}：随历史记录而来，不是由本系统推算的"),
        format!("Due {due}: as it came with the recorded report, not computed here"),
    )
}

fn moved(calendar: &Calendar, deadline: &Deadline) -> Text {
    let due = calendar.written(deadline.due_at);
    Text::new(
        format!("到期 {due}：后来有过调整，见经过"),
        format!("Due {due}: moved since, as its history tells"),
    )
}

fn reminder(calendar: &Calendar, deadline: &Deadline, step: &Step, percent: u32) -> Text {
    let part = calendar.explain_part(deadline.start_at, deadline.due_at, deadline.limit, percent);
    let at = calendar.written(step.due_at);
    Text::new(format!("催办 {at}：{}", part.zh), format!("Reminder {at}: {}", part.en))
}

fn escalation(calendar: &Calendar, deadline: &Deadline, step: &Step, rung: Option<&Rung>) -> Text {
    let (undone_zh, undone_en) = undone(deadline.kind);
    let (level_zh, level_en) = match step.does {
        Does::Escalate(level) => (level.zh(), level.as_str()),
        Does::Remind | Does::Lapse => ("", ""),
    };
    let at = calendar.written(step.due_at);
    let after = rung.map(|rung| rung.after).filter(|after| !after.is_zero());
    let Some(after) = after else {
        return Text::new(
            format!("升级 {at}：到期仍{undone_zh}，由{level_zh}负责"),
            format!("Escalation {at}: if still {undone_en} at the due time, the {level_en} answers for it"),
        );
    };
    let between = calendar.explain_briefly(deadline.due_at, after);
    let (zh, en) =
        between.map_or_else(Default::default, |text| (format!("；{}", text.zh), format!(". {}", text.en)));
    Text::new(
        format!("升级 {at}：到期后 {}仍{undone_zh}，由{level_zh}负责{zh}", after.zh()),
        format!(
            "Escalation {at}: if still {undone_en} {} after the due time, the {level_en} answers for it{en}",
            after.en()
        ),
    )
}

fn lapse(calendar: &Calendar, step: &Step) -> Text {
    let at = calendar.written(step.due_at);
    Text::new(
        format!("回流 {at}：到期无人接单，由原承办继续"),
        format!("Back {at}: when nobody has accepted by then, whoever holds the case goes on with it"),
    )
}

fn undone(kind: DeadlineKind) -> (&'static str, &'static str) {
    match kind {
        DeadlineKind::Sign => ("未签收", "not signed for"),
        DeadlineKind::Offer => ("无人接单", "not accepted"),
        DeadlineKind::Stage1 | DeadlineKind::Stage2 | DeadlineKind::Stage3 => {
            ("未办结本阶段", "not through this stage")
        }
        DeadlineKind::Handle => ("未办结", "not handled"),
        DeadlineKind::Check => ("未核查", "not checked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::area::Level;
    use crate::calendar::Limit;
    use crate::policy::Ladder;

    fn limit(text: &str) -> Limit {
        Limit::parse(text).unwrap()
    }

    fn cn() -> Calendar {
        Calendar::from_json(include_str!("../../packs/calendars/cn.json")).unwrap()
    }

    fn policy() -> Policy {
        let rung = |to, after| Rung { to, after: limit(after) };
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
            check: Ladder { remind_percent: None, escalate: Vec::new() },
            urgent: None,
        }
    }

    fn deadline(kind: DeadlineKind, of: &str) -> Deadline {
        let start = cn().instant("2026-02-13T16:30:00".parse().unwrap());
        policy().deadline(&cn(), kind, 1, start, limit(of))
    }

    fn zh(deadline: &Deadline) -> Vec<String> {
        policy().explain(&cn(), deadline).into_iter().map(|line| line.zh).collect()
    }

    #[test]
    fn after_the_due_time_come_the_reminder_and_each_level_with_the_time_between() {
        assert_eq!(
            zh(&deadline(DeadlineKind::Handle, "4wh")),
            [
                "2026-02-13（周五）16:30 起算，限 4 工作时",
                "当日 16:30–17:30 计 1 小时",
                "2026-02-14（周六，调休上班）08:30–11:30 计 3 小时",
                "到期 2026-02-14 11:30",
                "催办 2026-02-14 10:42：从起算到到期共办公时间 4 小时，其 80% 为 3 小时 12 分钟",
                "升级 2026-02-14 11:30：到期仍未办结，由社区负责",
                "升级 2026-02-14 15:00：到期后 2 工作时仍未办结，由街道负责；当日（调休上班）11:30–12:00、13:30–15:00 计 2 小时",
            ]
        );
        let en = policy().explain(&cn(), &deadline(DeadlineKind::Handle, "4wh")).pop().unwrap().en;
        assert_eq!(
            en,
            "Escalation 2026-02-14 15:00: if still not handled 2 working hours after the due time, the street answers for \
             it. That day (make-up working day) 11:30–12:00, 13:30–15:00 count 2 h"
        );
    }

    #[test]
    fn an_offer_that_nobody_takes_goes_back() {
        let lines = zh(&deadline(DeadlineKind::Offer, "24h"));
        assert_eq!(lines.last().unwrap(), "回流 2026-02-14 16:30：到期无人接单，由原承办继续");
    }

    #[test]
    fn a_deadline_computed_by_another_version_says_by_which() {
        let then = Deadline { policy: "test-6".to_owned(), ..deadline(DeadlineKind::Handle, "4wh") };
        let version = cn().version().to_owned();
        let expected =
            format!("按政策 test-6、日历 {version} 算得；现行为政策 test-7、日历 {version}，故不逐步说明");
        assert_eq!(zh(&then), [expected]);
        let then = Deadline { calendar: "0".repeat(16), ..deadline(DeadlineKind::Handle, "4wh") };
        assert_eq!(zh(&then).len(), 1);
    }

    #[test]
    fn what_came_with_a_recorded_report_is_not_explained_away() {
        let start = cn().instant("2026-03-06T15:30:00".parse().unwrap());
        let due = cn().instant("2026-03-08T17:30:00".parse().unwrap());
        let lines = zh(&policy().recorded_deadline(&cn(), start, due));
        assert_eq!(
            lines[..2],
            [
                "到期 2026-03-08 17:30：随历史记录而来，不是由本系统推算的",
                "催办 2026-03-08 07:30：从起算到到期共 50 小时，其 80% 为 40 小时",
            ]
        );
    }

    #[test]
    fn a_due_time_that_was_moved_is_not_claimed_to_follow_from_its_limit() {
        let made = deadline(DeadlineKind::Handle, "4wh");
        let moved = Deadline { due_at: made.due_at + chrono::TimeDelta::hours(1), ..made };
        assert_eq!(zh(&moved)[0], "到期 2026-02-14 12:30：后来有过调整，见经过");
    }

    #[test]
    fn each_step_is_explained_at_its_own_time() {
        for (kind, of) in [
            (DeadlineKind::Sign, "30m"),
            (DeadlineKind::Offer, "24h"),
            (DeadlineKind::Stage1, "7wd"),
            (DeadlineKind::Handle, "20wd"),
            (DeadlineKind::Check, "1wd"),
        ] {
            let deadline = deadline(kind, of);
            let lines = zh(&deadline);
            let steps = &lines[lines.len() - deadline.steps.len()..];
            for (line, step) in steps.iter().zip(&deadline.steps) {
                assert!(line.contains(&cn().written(step.due_at)), "{line}");
            }
        }
    }
}
