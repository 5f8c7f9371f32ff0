//! When a limit ends, and when a part of it has passed.
//!
//! What the texts leave open is decided here:
//!
//! - A start outside office hours counts from the next opening.
//! - Working time that runs out at closing is due at that closing, not at the next opening.
//! - Seconds and fractions of the start are kept; nothing is rounded.
//! - A limit of zero grants no time: due at its start, in every unit, office open or not.
//! - "End of day" counts from the day after the start, even if the start is before opening.
//! - Around-the-clock hours and calendar days never ask which days are worked, so they are never
//!   provisional. Working units are provisional when any day they looked at lies in a year not
//!   published: from the day of the start (end of day: the day after it) to the day it is due.
//! - Office time is real time: an office open while clocks change is open an hour less or more.
//! - No due time lies more than [`LONGEST_DAYS`] after its start, nor after the year 9999. A limit
//!   that would reach further is due there, marked provisional. [`Limit::parse`] refuses such
//!   limits long before.
//!
//! The walk goes day by day and looks at office openings only; a limit of a few days costs
//! microseconds, the longest possible one some milliseconds.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Calendar, Limit, WorkingDayRule};

/// The furthest a due time lies from its start, in days: a hundred years.
pub const LONGEST_DAYS: u16 = 36_525;

/// 9999-12-31T23:59:59Z, the last second that every store and RFC 3339 can write.
const END_OF_TIME: DateTime<Utc> =
    DateTime::from_timestamp(253_402_300_799, 0).expect("a second of the year 9999 is a valid time");

/// When something must be done by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    pub at: DateTime<Utc>,
    /// 暂定: it rests on a year that is not published, and is computed again when it is.
    pub provisional: bool,
}

/// One stretch of office time that is still to come.
pub(super) struct Opening {
    pub day: NaiveDate,
    pub opens: DateTime<Utc>,
    pub closes: DateTime<Utc>,
}

impl Calendar {
    /// When a limit that starts at `start` is due. Never before `start`.
    pub fn due(&self, start: DateTime<Utc>, limit: Limit) -> Due {
        if limit.is_zero() {
            return Due { at: start, provisional: false };
        }
        let due = match limit {
            Limit::UrgentHours { minutes } => after(start, TimeDelta::minutes(minutes.into())),
            Limit::WorkingHours { minutes } => self.after_office_minutes(start, minutes.into()),
            Limit::WorkingDays { days, rule: WorkingDayRule::EndOfDay } => self.at_close(start, days),
            Limit::WorkingDays { days, rule: WorkingDayRule::Times } => {
                self.after_office_minutes(start, i64::from(days) * i64::from(self.office_minutes()))
            }
            Limit::CalendarDays { days } => self.same_time_later(start, days),
        };
        let furthest = furthest(start);
        due.filter(|due| due.at <= furthest).unwrap_or(Due { at: furthest, provisional: true })
    }

    /// When `percent` % of the time that `limit` counts between `start` and `due_at` has passed:
    /// office time for working units, all time for the others. In whole milliseconds, rounded
    /// down.
    ///
    /// The first such instant: a part that ends at closing ends at that closing, and a part of
    /// nothing (0 %, or no office time left) has passed at `start`. From 100 % on it is `due_at`.
    /// Never before `start` and never after `due_at`, unless that is before `start`: then `start`.
    pub fn part(
        &self,
        start: DateTime<Utc>,
        due_at: DateTime<Utc>,
        limit: Limit,
        percent: u32,
    ) -> DateTime<Utc> {
        if due_at <= start {
            return start;
        }
        if percent >= 100 {
            return due_at;
        }
        match limit {
            Limit::UrgentHours { .. } | Limit::CalendarDays { .. } => start + share(due_at - start, percent),
            Limit::WorkingHours { .. } | Limit::WorkingDays { .. } => {
                let passed = share(self.office_time(start, due_at), percent);
                if passed.is_zero() {
                    return start;
                }
                // The walk that counted the time finds the part of it again.
                self.after_office_time(start, passed).map_or(due_at, |due| due.at)
            }
        }
    }

    fn after_office_minutes(&self, start: DateTime<Utc>, minutes: i64) -> Option<Due> {
        self.after_office_time(start, TimeDelta::try_minutes(minutes)?)
    }

    fn after_office_time(&self, start: DateTime<Utc>, time: TimeDelta) -> Option<Due> {
        let first = self.local(start).date();
        let mut left = time;
        for opening in self.openings(start) {
            let open_for = opening.closes - opening.opens;
            if left <= open_for {
                let provisional = self.looked_at_provisional(first, opening.day);
                return Some(Due { at: opening.opens + left, provisional });
            }
            left -= open_for;
        }
        None
    }

    fn at_close(&self, start: DateTime<Utc>, days: u32) -> Option<Due> {
        let first = self.local(start).date().succ_opt()?;
        let nth = usize::try_from(days).ok()?.checked_sub(1)?;
        let day = days_from(first).filter(|&day| self.is_working_day(day)).nth(nth)?;
        let closes = self.office_on(day).last()?.closes;
        let provisional = self.looked_at_provisional(first, day);
        Some(Due { at: self.at_minute(day, closes), provisional })
    }

    fn same_time_later(&self, start: DateTime<Utc>, days: u32) -> Option<Due> {
        let later = self.local(start).checked_add_days(Days::new(days.into()))?;
        Some(Due { at: self.instant(later), provisional: false })
    }

    /// How much of what `limit` counts lies between the two: office time for working units, all time for the others.
    pub(super) fn counted(&self, start: DateTime<Utc>, end: DateTime<Utc>, limit: Limit) -> TimeDelta {
        match limit {
            Limit::UrgentHours { .. } | Limit::CalendarDays { .. } => end - start,
            Limit::WorkingHours { .. } | Limit::WorkingDays { .. } => self.office_time(start, end),
        }
    }

    /// How long the office is open between the two.
    fn office_time(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> TimeDelta {
        self.openings(start)
            .take_while(|opening| opening.opens < end)
            .fold(TimeDelta::zero(), |sum, opening| sum + (opening.closes.min(end) - opening.opens))
    }

    /// The office time from `start` on, in order; the first opening may begin at `start`.
    pub(super) fn openings(&self, start: DateTime<Utc>) -> impl Iterator<Item = Opening> + '_ {
        days_from(self.local(start).date())
            .filter(|&day| self.is_working_day(day))
            .flat_map(|day| self.office_on(day).iter().map(move |&span| (day, span)))
            .map(move |(day, span)| Opening {
                day,
                opens: self.at_minute(day, span.opens).max(start),
                closes: self.at_minute(day, span.closes),
            })
            .filter(|opening| opening.opens < opening.closes)
    }

    fn looked_at_provisional(&self, first: NaiveDate, last: NaiveDate) -> bool {
        (first.year()..=last.year()).any(|year| self.is_provisional(year))
    }
}

fn after(start: DateTime<Utc>, time: TimeDelta) -> Option<Due> {
    Some(Due { at: start.checked_add_signed(time)?, provisional: false })
}

pub(super) fn share(time: TimeDelta, percent: u32) -> TimeDelta {
    // All the time that chrono can hold, in milliseconds, times 100 still fits.
    TimeDelta::milliseconds(time.num_milliseconds() * i64::from(percent) / 100)
}

/// Bounded, so that no limit and no start can make a walk long.
pub(super) fn days_from(first: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take(usize::from(LONGEST_DAYS) + 1)
}

pub(super) fn furthest(start: DateTime<Utc>) -> DateTime<Utc> {
    let longest = start.checked_add_signed(TimeDelta::days(LONGEST_DAYS.into())).unwrap_or(END_OF_TIME);
    // A start after the end of time is its own due time: never before the start.
    longest.min(END_OF_TIME).max(start)
}
