//! 怎么算的: how a due time comes about, in lines for people.
//!
//! Times are told to the minute. What each line counts is then told from times that were cut to the minute as well,
//! so that the lines add up to the limit as they are read. Only where a stretch would be nothing that way are seconds
//! told.

mod groups;
#[cfg(test)]
mod tests;
mod words;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::due::{furthest, share};
use super::reckoned::Day;
use super::{Calendar, Due, Limit, WorkingDayRule};
use crate::text::Text;
use groups::{Group, groups};
use words::{Words, length};

/// More lines than these tell less: what lies between the first and the last days is then told in one.
const MOST_GROUPS: usize = 12;

impl Calendar {
    /// How `limit` from `start` comes to be due, line by line: what counts, what does not and why, and the end.
    pub fn explain(&self, start: DateTime<Utc>, limit: Limit) -> Vec<Text> {
        let due = self.due(start, limit);
        let days = self.reckoned(start, limit, due.at);
        let words = self.words(start, &days);
        let mut lines = vec![words.begins(start, limit)];
        if due.at == furthest(start) && !limit.is_zero() {
            lines.push(Text::new(
                "时限过长，按可计的最晚时间到期",
                "The limit reaches further than anything is counted",
            ));
        } else {
            lines.extend(self.rule(limit));
            lines.extend(self.lines(&words, limit, &days));
        }
        lines.push(words.ends(due));
        lines.extend(self.provisional(start, limit, due));
        lines
    }

    /// The same of a time that follows a due time, in one sentence; `None` where nothing is left to tell.
    pub fn explain_briefly(&self, start: DateTime<Utc>, limit: Limit) -> Option<Text> {
        let days = self.reckoned(start, limit, self.due(start, limit).at);
        let lines = self.lines(&self.words(start, &days), limit, &days);
        let joined = |of: fn(&Text) -> &str, between| lines.iter().map(of).collect::<Vec<_>>().join(between);
        (!lines.is_empty()).then(|| Text::new(joined(|line| &line.zh, "；"), joined(|line| &line.en, "; ")))
    }

    /// When `percent` % of the time between `start` and `due_at` has passed, and how long that is.
    /// Without a limit all time counts.
    pub fn explain_part(
        &self,
        start: DateTime<Utc>,
        due_at: DateTime<Utc>,
        limit: Option<Limit>,
        percent: u32,
    ) -> Text {
        let working = matches!(limit, Some(Limit::WorkingHours { .. } | Limit::WorkingDays { .. }));
        let all = limit.map_or(due_at - start, |limit| self.counted(start, due_at, limit));
        let told = |time: TimeDelta| length(time.num_minutes() * 60);
        let (whole, part) = (told(all), told(share(all, percent)));
        let (zh, en) = if working { ("办公时间", " of office time") } else { ("", "") };
        Text::new(
            format!("从起算到到期共{zh} {}，其 {percent}% 为 {}", whole.zh, part.zh),
            format!("{}{en} between start and due time; {percent} % of it is {}", whole.en, part.en),
        )
    }

    /// A time as the wall clock of this zone shows it: `2026-02-14 11:30`.
    pub fn written(&self, at: DateTime<Utc>) -> String {
        self.local(at).format("%Y-%m-%d %H:%M").to_string()
    }

    fn words(&self, start: DateTime<Utc>, days: &[Day<'_>]) -> Words<'_> {
        let mut stretches = days.iter().flat_map(|day| &day.counts);
        let minute = |at: &DateTime<Utc>| at.timestamp().div_euclid(60);
        let seconds = stretches.any(|(from, until)| minute(from) == minute(until));
        Words { calendar: self, first: self.local(start).date(), seconds }
    }

    /// What the unit means, where it is not plain.
    fn rule(&self, limit: Limit) -> Option<Text> {
        if limit.is_zero() {
            return Some(Text::new("时限为零，起算即到期", "No time is granted: due at its start"));
        }
        match limit {
            Limit::WorkingHours { .. } => None,
            Limit::UrgentHours { .. } => Some(Text::new(
                "紧急工作时昼夜连续计算，夜间、周末、节假日照计",
                "Counted around the clock: nights, weekends and holidays too",
            )),
            Limit::CalendarDays { days } => Some(Text::new(
                format!("自然日：{days} 天后的同一时刻，周末、节假日照计"),
                format!(
                    "Calendar days: the same time of day {days} {} later; weekends and holidays count",
                    if days == 1 { "day" } else { "days" }
                ),
            )),
            Limit::WorkingDays { days, rule: WorkingDayRule::EndOfDay } => Some(Text::new(
                format!("工作日从次日起算，第 {days} 个工作日下班时到期"),
                format!("Working days count from the next day; due at the close of working day {days}"),
            )),
            Limit::WorkingDays { days, rule: WorkingDayRule::Times } => {
                let daily = i64::from(self.office_minutes()) * 60;
                let (one, all) = (length(daily), length(daily * i64::from(days)));
                Some(Text::new(
                    format!("按工时：每个工作日计 {}，共 {}", one.zh, all.zh),
                    format!("By office hours: each working day is worth {}, {} in all", one.en, all.en),
                ))
            }
        }
    }

    fn lines(&self, words: &Words<'_>, limit: Limit, days: &[Day<'_>]) -> Vec<Text> {
        let by_day = matches!(limit, Limit::WorkingDays { rule: WorkingDayRule::EndOfDay, .. });
        let mut counted = 0;
        let tell = |group: &Group<'_>| {
            let first = counted + 1;
            counted += group.worked();
            words.group(group, by_day.then_some((first, counted)))
        };
        groups(self, days, MOST_GROUPS).iter().map(tell).collect()
    }

    fn provisional(&self, start: DateTime<Utc>, limit: Limit, due: Due) -> Option<Text> {
        if !due.provisional {
            return None;
        }
        let skip = u64::from(matches!(limit, Limit::WorkingDays { rule: WorkingDayRule::EndOfDay, .. }));
        let first = self.local(start).date().checked_add_days(chrono::Days::new(skip))?;
        let last: NaiveDate = self.local(due.at).date();
        let year = (first.year()..=last.year()).find(|year| self.is_provisional(*year))?;
        Some(Text::new(
            format!("暂定：{year} 年的放假安排尚未公布，目前只按周末休息计；公布后重新计算，并留下记录"),
            format!(
                "Provisional: the holidays of {year} are not published yet, so only weekends are taken off; it is computed again, on record, once they are"
            ),
        ))
    }
}
