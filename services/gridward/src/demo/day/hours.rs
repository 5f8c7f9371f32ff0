//! The hours the demo shows: those of one working day after the other, from its first day to the end of the calendar
//! that is published. What lies between them is left out. Pure.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use domain::calendar::Calendar;

/// The most days one demo goes on for: a long night at a speed at which anybody can follow it.
const MOST: usize = 400;

/// One day's hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub date: NaiveDate,
    pub begins: DateTime<Utc>,
    pub ends: DateTime<Utc>,
}

/// All of them, at least one, in order.
#[derive(Clone, Debug)]
pub struct Hours {
    days: Vec<Shown>,
}

impl Hours {
    /// From `first` on; none if it is not a working day of a published year.
    pub(super) fn of(
        calendar: &Calendar,
        first: NaiveDate,
        from: NaiveTime,
        until: NaiveTime,
    ) -> Option<Self> {
        let on = |date: NaiveDate| Shown {
            date,
            begins: calendar.instant(date.and_time(from)),
            ends: calendar.instant(date.and_time(until)),
        };
        let dates = std::iter::successors(Some(first), |day| day.checked_add_days(Days::new(1)));
        let published = dates.take_while(|day| !calendar.is_provisional(day.year()));
        let days: Vec<Shown> =
            published.filter(|day| calendar.is_working_day(*day)).take(MOST).map(on).collect();
        let begins = days.first().is_some_and(|day| day.date == first && day.begins < day.ends);
        begins.then_some(Self { days })
    }

    pub fn first(&self) -> Shown {
        self.days[0]
    }

    /// The day of that number, from 0; none after the last.
    pub fn day(&self, number: usize) -> Option<Shown> {
        self.days.get(number).copied()
    }

    /// What is left out: from the end of each day to the beginning of the next.
    pub fn gaps(&self) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        self.days.windows(2).map(|pair| (pair[0].ends, pair[1].begins)).collect()
    }

    /// The instant `shown` after `from`, counting what is shown alone; after the last day, plainly.
    pub(super) fn after(&self, from: DateTime<Utc>, shown: TimeDelta) -> DateTime<Utc> {
        let (mut at, mut left) = (from, shown);
        for day in self.days.iter().filter(|day| from < day.ends) {
            at = at.max(day.begins);
            if at + left < day.ends {
                return at + left;
            }
            left -= day.ends - at;
            at = day.ends;
        }
        at + left
    }
}
