//! The days between the start of a limit and its due time: which of them count, for how long, and why the others do
//! not. They are made from the same openings that give the due time, so that the two cannot differ.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};

use super::due::{Opening, days_from};
use super::{Calendar, Days, Limit, WorkingDayRule};
use crate::text::Text;

/// What sort of day it is, for whoever wonders why it counts or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort<'a> {
    Working,
    /// 调休上班: a weekend day worked in place of another.
    MakeUp,
    /// Worked as a local arrangement says.
    Arranged {
        why: &'a Text,
        make_up: bool,
    },
    Weekend,
    /// By its name, where the calendar knows it.
    Holiday(Option<&'a Text>),
    /// Offices are closed by a local arrangement.
    Closed(&'a Text),
}

/// From when until when.
pub(super) type Stretch = (DateTime<Utc>, DateTime<Utc>);

/// One local day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Day<'a> {
    pub date: NaiveDate,
    pub sort: Sort<'a>,
    /// What of its office time counts, in order; empty: nothing.
    pub counts: Vec<Stretch>,
    /// All of its office time counts.
    pub whole: bool,
}

impl Calendar {
    /// Each day that was looked at to find that `limit` is due at `due_at`, in order; none for limits that run around
    /// the clock or grant no time. With the rule "end of day" each day that counts is whole.
    pub(super) fn reckoned(&self, start: DateTime<Utc>, limit: Limit, due_at: DateTime<Utc>) -> Vec<Day<'_>> {
        if due_at <= start {
            return Vec::new();
        }
        match limit {
            Limit::UrgentHours { .. } | Limit::CalendarDays { .. } => Vec::new(),
            Limit::WorkingDays { days, rule: WorkingDayRule::EndOfDay } => self.working_days(start, days),
            Limit::WorkingHours { .. } | Limit::WorkingDays { rule: WorkingDayRule::Times, .. } => {
                self.office_days(start, due_at)
            }
        }
    }

    /// The days from that of the start to that of the due time, with the office time between the two.
    fn office_days(&self, start: DateTime<Utc>, due_at: DateTime<Utc>) -> Vec<Day<'_>> {
        let mut by_day: BTreeMap<NaiveDate, Vec<Stretch>> = BTreeMap::new();
        for Opening { day, opens, closes } in self.openings(start).take_while(|one| one.opens < due_at) {
            by_day.entry(day).or_default().push((opens, closes.min(due_at)));
        }
        let Some((&last, _)) = by_day.last_key_value() else { return Vec::new() };
        let days = days_from(self.local(start).date()).take_while(|date| *date <= last);
        days.map(|date| self.day(date, by_day.remove(&date).unwrap_or_default())).collect()
    }

    /// The days after that of the start, until so many of them were worked.
    fn working_days(&self, start: DateTime<Utc>, days: u32) -> Vec<Day<'_>> {
        let Some(first) = self.local(start).date().succ_opt() else { return Vec::new() };
        let mut reckoned = Vec::new();
        let mut left = days;
        for date in days_from(first) {
            if left == 0 {
                break;
            }
            let works = self.is_working_day(date);
            left -= u32::from(works);
            reckoned.push(self.day(date, if works { self.office_stretches(date) } else { Vec::new() }));
        }
        reckoned
    }

    fn day(&self, date: NaiveDate, counts: Vec<Stretch>) -> Day<'_> {
        let whole = !counts.is_empty() && counts == self.office_stretches(date);
        Day { date, sort: self.sort(date), counts, whole }
    }

    fn office_stretches(&self, date: NaiveDate) -> Vec<Stretch> {
        let office = self.office_on(date).iter();
        let stretches =
            office.map(|span| (self.at_minute(date, span.opens), self.at_minute(date, span.closes)));
        // An hour that the clocks leave out is none.
        stretches.filter(|(opens, closes)| opens < closes).collect()
    }

    fn sort(&self, date: NaiveDate) -> Sort<'_> {
        let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        let works = self.is_working_day(date);
        match self.overlay_on(date) {
            Some(overlay) if overlay.days == Some(Days::Closed) => Sort::Closed(&overlay.why),
            Some(overlay) if works => {
                Sort::Arranged { why: &overlay.why, make_up: weekend && overlay.days.is_none() }
            }
            _ if works && weekend => Sort::MakeUp,
            _ if works => Sort::Working,
            _ if self.is_holiday(date) => Sort::Holiday(self.name_of(date)),
            _ => Sort::Weekend,
        }
    }

    fn is_holiday(&self, date: NaiveDate) -> bool {
        self.years.get(&date.year()).is_some_and(|year| year.holidays.contains(&date))
    }

    fn name_of(&self, date: NaiveDate) -> Option<&Text> {
        let named = self.names.iter().find(|named| named.first <= date && date <= named.last);
        named.map(|named| &named.name)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::model::{calendar, cn, cn_here, limits, starts, us, us_nights};
    use super::*;

    /// The office time that a limit of working time grants.
    fn granted(calendar: &Calendar, limit: Limit) -> Option<TimeDelta> {
        match limit {
            Limit::WorkingHours { minutes } => Some(TimeDelta::minutes(minutes.into())),
            Limit::WorkingDays { days, rule: WorkingDayRule::Times } => {
                Some(TimeDelta::minutes(i64::from(days) * i64::from(calendar.office_minutes())))
            }
            _ => None,
        }
    }

    fn length((from, until): &Stretch) -> TimeDelta {
        *until - *from
    }

    /// Asks of the days what the due time promises, without walking the calendar once more.
    fn agree(file: &Value, start: DateTime<Utc>, limit: Limit) -> Result<(), TestCaseError> {
        let calendar = calendar(file);
        let due = calendar.due(start, limit);
        let days = calendar.reckoned(start, limit, due.at);
        let stretches: Vec<Stretch> = days.iter().flat_map(|day| day.counts.clone()).collect();
        if let Some(granted) = granted(&calendar, limit) {
            let sum = stretches.iter().map(length).sum::<TimeDelta>();
            prop_assert_eq!(sum, granted, "what counts is what is granted");
            prop_assert!(stretches.iter().all(|(from, _)| start <= *from));
        }
        if let Limit::WorkingDays { days: granted, rule: WorkingDayRule::EndOfDay } = limit {
            let counted = days.iter().filter(|day| day.whole).count();
            prop_assert_eq!(counted, granted as usize, "as many whole days as are granted");
            prop_assert_eq!(counted, days.iter().filter(|day| !day.counts.is_empty()).count());
        }
        let working = matches!(limit, Limit::WorkingHours { .. } | Limit::WorkingDays { .. });
        prop_assert_eq!(stretches.is_empty(), !working || limit.is_zero());
        if let Some(last) = stretches.last() {
            prop_assert_eq!(last.1, due.at, "the last of it ends when it is due");
        }
        prop_assert!(stretches.iter().all(|(from, until)| from < until));
        prop_assert!(stretches.windows(2).all(|two| two[0].1 <= two[1].0));
        prop_assert!(
            days.windows(2).all(|two| two[0].date.succ_opt() == Some(two[1].date)),
            "no day is left out"
        );
        for day in &days {
            prop_assert!(day.counts.is_empty() || calendar.is_working_day(day.date));
            let free = matches!(day.sort, Sort::Weekend | Sort::Holiday(_) | Sort::Closed(_));
            prop_assert_eq!(free, !calendar.is_working_day(day.date));
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn chinese_days_add_up_to_the_limit_and_end_when_it_is_due(
            start in starts("2025-12-20T00:00:00Z", 390), limit in limits(),
        ) {
            agree(&cn(), start, limit)?;
        }

        #[test]
        fn days_under_local_arrangements_add_up_too(
            start in starts("2026-05-20T00:00:00Z", 120), limit in limits(),
        ) {
            agree(&cn_here(), start, limit)?;
        }

        #[test]
        fn days_of_boston_add_up_too(start in starts("2011-10-01T00:00:00Z", 180), limit in limits()) {
            agree(&us(), start, limit)?;
        }

        #[test]
        fn nights_in_which_clocks_change_add_up_too(
            start in starts("2012-03-07T00:00:00Z", 6), limit in limits(),
        ) {
            agree(&us_nights(), start, limit)?;
        }
    }

    #[test]
    fn the_longest_limits_end_and_are_no_more_than_a_hundred_years_of_days() {
        let calendar = calendar(&cn());
        let start: DateTime<Utc> = "2026-01-05T01:00:00Z".parse().unwrap();
        for limit in [
            Limit::WorkingHours { minutes: u32::MAX },
            Limit::WorkingDays { days: u32::MAX, rule: WorkingDayRule::EndOfDay },
            Limit::WorkingDays { days: u32::MAX, rule: WorkingDayRule::Times },
        ] {
            let days = calendar.reckoned(start, limit, calendar.due(start, limit).at);
            assert!((36_000..=36_526).contains(&days.len()), "{limit}: {}", days.len());
        }
    }
}
