//! A jurisdiction's working calendar, and the due times it gives.
//!
//! A calendar is data (`shared/packs/calendars/*.json`): a time zone, office hours, and for each
//! published year its holidays and the weekend days worked instead (调休). A year that nobody has
//! published is never guessed in silence: weekends alone count as free, and every due time that
//! looked at such a year is marked provisional (暂定).
//!
//! Nothing here reads a clock; the same start, limit and calendar [`version`](Calendar::version)
//! give the same due time.
//!
//! - `file`: the file format, and what is checked when one is loaded
//! - `fault`: what can be wrong with a file, in two languages
//! - `limit`: how much time is granted (紧急工作时, 工作时, 工作日, 自然日) and its notation
//! - `overlay`: what one place does otherwise, such as summer hours
//! - `due`: when a limit ends, and when a part of it has passed
//! - `reckoned`: the days a due time is counted through, and why each of them counts or not
//! - `explain`: the same in words (怎么算的)

mod due;
mod explain;
mod fault;
mod file;
mod limit;
mod overlay;
mod reckoned;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{
    DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
    Weekday,
};
use chrono_tz::{GapInfo, Tz};

pub use due::{Due, LONGEST_DAYS};
pub use fault::CalendarFault;
pub use limit::{Limit, LimitFault, WorkingDayRule};
pub use overlay::{Days, OverlayFault, OverlayFile};

use crate::text::Text;
use overlay::Overlay;

/// The working calendar of one jurisdiction. Made by [`Calendar::from_json`] only, so it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    code: String,
    source: String,
    zone: Tz,
    /// In order, none empty, none overlapping, at least one.
    office: Vec<OfficeSpan>,
    /// Published years only: a provisional year is the same as one nobody knows.
    years: BTreeMap<i32, Year>,
    /// What holidays are called, for people only.
    names: Vec<HolidayName>,
    /// What this place does otherwise; no day is in two.
    overlays: Vec<Overlay>,
    version: String,
}

/// One stretch of office hours, in minutes after local midnight: `opens < closes <= 1440`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OfficeSpan {
    opens: u16,
    closes: u16,
}

/// How one published year differs from plain weekends.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Year {
    holidays: BTreeSet<NaiveDate>,
    makeup_workdays: BTreeSet<NaiveDate>,
}

/// What the holidays from `first` to `last` are called.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HolidayName {
    first: NaiveDate,
    last: NaiveDate,
    name: Text,
}

impl Calendar {
    /// The calendar's own short name, such as `cn`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Where the dates come from, in words.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The time zone in which days begin and offices open.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The zone's name in the tz database, such as `Asia/Shanghai`.
    pub fn zone_name(&self) -> &'static str {
        self.zone.name()
    }

    /// 16 hex digits that change when, and only when, the content that decides due times changes:
    /// code, zone, office hours, published days and overlays. Layout, order, `source` and names do not count.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether offices open on this local day.
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        match self.overlay_on(day).and_then(|overlay| overlay.days) {
            Some(Days::Open) => return true,
            Some(Days::Closed) => return false,
            None => {}
        }
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let Some(year) = self.years.get(&day.year()) else { return !weekend };
        if weekend { year.makeup_workdays.contains(&day) } else { !year.holidays.contains(&day) }
    }

    fn overlay_on(&self, day: NaiveDate) -> Option<&Overlay> {
        self.overlays.iter().find(|overlay| overlay.holds_on(day))
    }

    /// The office hours of a day, if it is worked; never empty.
    fn office_on(&self, day: NaiveDate) -> &[OfficeSpan] {
        self.overlay_on(day).and_then(|overlay| overlay.office.as_deref()).unwrap_or(&self.office)
    }

    /// Whether this year is not published, so that its working days are a guess (weekends only).
    pub fn is_provisional(&self, year: i32) -> bool {
        !self.years.contains_key(&year)
    }

    /// Office minutes of an ordinary working day, without overlays: "N days' worth of hours" is the same all year.
    pub fn office_minutes(&self) -> u32 {
        self.office.iter().map(|span| u32::from(span.closes - span.opens)).sum()
    }

    /// The instant at which the wall clock of this zone shows `local`; see [`instant_in`].
    pub fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        instant_in(self.zone, local)
    }

    /// What the wall clock of this zone shows at `instant`.
    pub fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        let utc = instant.naive_utc();
        let offset = self.zone.offset_from_utc_datetime(&utc).fix();
        // `DateTime::naive_local` panics at the edge of what chrono can hold; time from outside
        // must not be able to do that.
        utc.checked_add_offset(offset).unwrap_or(utc)
    }

    /// The instant `minute` minutes of wall clock after midnight of `day`.
    fn at_minute(&self, day: NaiveDate, minute: u16) -> DateTime<Utc> {
        let midnight = day.and_time(NaiveTime::MIN);
        let local = midnight.checked_add_signed(TimeDelta::minutes(minute.into()));
        self.instant(local.unwrap_or(midnight))
    }
}

/// The instant at which the wall clock of `zone` shows `local`.
///
/// A time that occurs twice (clocks set back) is the earlier one; a time that does not occur
/// (clocks set forward) is the first instant after the gap.
pub fn instant_in(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(only) => only.to_utc(),
        LocalResult::Ambiguous(earlier, _) => earlier.to_utc(),
        // The end is unknown only at the edge of what chrono can hold, outside every use.
        LocalResult::None => {
            GapInfo::new(&local, &zone).and_then(|gap| gap.end).map_or(local.and_utc(), |end| end.to_utc())
        }
    }
}
