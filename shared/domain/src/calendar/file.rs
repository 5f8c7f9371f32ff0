//! The calendar file, and the checks it passes before any due time is computed from it.
//!
//! ```json
//! {
//!   "code": "cn",
//!   "source": "State Council annual notices",
//!   "zone": "Asia/Shanghai",
//!   "office": [["08:30", "12:00"], ["13:30", "17:30"]],
//!   "years": {
//!     "2026": { "status": "published", "holidays": ["2026-01-01"], "makeup_workdays": ["2026-01-04"] },
//!     "2027": { "status": "provisional", "holidays": [], "makeup_workdays": [] }
//!   },
//!   "names": [{ "from": "2026-01-01", "to": "2026-01-03", "zh": "元旦", "en": "New Year" }]
//! }
//! ```
//!
//! Every field but `names` is required and no other is allowed. A provisional year lists no days and means the
//! same as a year left out: it says that somebody has looked. Names are for people who ask how a due time came about;
//! `to` may be left out for one day, and a holiday without a name is just a holiday.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{Datelike, NaiveDate, Weekday};
use chrono_tz::Tz;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::{Calendar, CalendarFault, HolidayName, OfficeSpan, Year};
use crate::text::Text;

const MINUTES_OF_A_DAY: u16 = 24 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarFile {
    code: String,
    source: String,
    zone: String,
    office: Vec<(String, String)>,
    #[serde(deserialize_with = "every_entry")]
    years: Vec<(String, YearFile)>,
    #[serde(default)]
    names: Vec<NameFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameFile {
    from: String,
    #[serde(default)]
    to: Option<String>,
    zh: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct YearFile {
    status: Status,
    holidays: Vec<String>,
    makeup_workdays: Vec<String>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Status {
    Published,
    Provisional,
}

impl Calendar {
    /// Reads and checks a calendar file.
    ///
    /// # Errors
    /// The first [`CalendarFault`] found: where it is, what it is, and what to do.
    pub fn from_json(text: &str) -> Result<Self, CalendarFault> {
        let file: CalendarFile = serde_json::from_str(text).map_err(form_fault)?;
        let mut calendar = Self {
            code: code(file.code)?,
            source: file.source,
            zone: zone(file.zone)?,
            office: office(&file.office)?,
            years: published_years(file.years)?,
            names: file
                .names
                .into_iter()
                .enumerate()
                .map(|(n, name)| named(n, name))
                .collect::<Result<_, _>>()?,
            overlays: Vec::new(),
            version: String::new(),
        };
        calendar.version = version(&calendar);
        Ok(calendar)
    }
}

fn form_fault(error: serde_json::Error) -> CalendarFault {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let place = format!(" at line {line} column {column}");
    CalendarFault::Form { line, column, detail: said.strip_suffix(&place).unwrap_or(&said).to_owned() }
}

fn code(code: String) -> Result<String, CalendarFault> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if code.is_empty() || !code.chars().all(allowed) {
        return Err(CalendarFault::Code { code });
    }
    Ok(code)
}

fn zone(zone: String) -> Result<Tz, CalendarFault> {
    zone.parse().map_err(|_| CalendarFault::UnknownZone { zone })
}

pub(super) fn office(listed: &[(String, String)]) -> Result<Vec<OfficeSpan>, CalendarFault> {
    let mut spans: Vec<OfficeSpan> = Vec::new();
    for (opens, closes) in listed {
        let span = OfficeSpan { opens: minute_of_day(opens)?, closes: minute_of_day(closes)? };
        if span.closes <= span.opens {
            return Err(CalendarFault::OfficeSpan { opens: opens.clone(), closes: closes.clone() });
        }
        if let Some(before) = spans.last()
            && span.opens < before.closes
        {
            return Err(CalendarFault::OfficeOrder { closes: clock(before.closes), opens: opens.clone() });
        }
        spans.push(span);
    }
    if spans.is_empty() { Err(CalendarFault::NoOffice) } else { Ok(spans) }
}

/// `"08:30"` as 510. `"24:00"` is allowed, so that an office can stay open over midnight.
fn minute_of_day(text: &str) -> Result<u16, CalendarFault> {
    two_digits_twice(text)
        .filter(|&(_, minutes)| minutes < 60)
        .map(|(hours, minutes)| hours * 60 + minutes)
        .filter(|&minute| minute <= MINUTES_OF_A_DAY)
        .ok_or_else(|| CalendarFault::OfficeTime { text: text.to_owned() })
}

fn two_digits_twice(text: &str) -> Option<(u16, u16)> {
    let (hours, minutes) = text.split_once(':')?;
    Some((digits(hours, 2)?, digits(minutes, 2)?))
}

/// Exactly `count` ASCII digits: `str::parse` alone would take a sign.
fn digits(text: &str, count: usize) -> Option<u16> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn published_years(listed: Vec<(String, YearFile)>) -> Result<BTreeMap<i32, Year>, CalendarFault> {
    let mut seen = BTreeSet::new();
    let mut published = BTreeMap::new();
    for (text, file) in listed {
        let year = i32::from(digits(&text, 4).ok_or(CalendarFault::Year { text })?);
        if !seen.insert(year) {
            return Err(CalendarFault::YearTwice { year });
        }
        if file.status == Status::Published {
            published.insert(year, checked_year(year, &file)?);
        } else if !file.holidays.is_empty() || !file.makeup_workdays.is_empty() {
            return Err(CalendarFault::ProvisionalDays { year });
        }
    }
    Ok(published)
}

fn checked_year(year: i32, file: &YearFile) -> Result<Year, CalendarFault> {
    let holidays = days(year, &file.holidays)?;
    let makeup_workdays = days(year, &file.makeup_workdays)?;
    if let Some(&date) = holidays.intersection(&makeup_workdays).next() {
        return Err(CalendarFault::HolidayAndWorkday { year, date });
    }
    let weekend = |day: &NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    if let Some(&date) = makeup_workdays.iter().find(|day| !weekend(day)) {
        return Err(CalendarFault::MakeupNotWeekend { year, date });
    }
    Ok(Year { holidays, makeup_workdays })
}

fn days(year: i32, listed: &[String]) -> Result<BTreeSet<NaiveDate>, CalendarFault> {
    let mut days = BTreeSet::new();
    for text in listed {
        let date = strict_date(text).ok_or_else(|| CalendarFault::Date { year, text: text.clone() })?;
        if date.year() != year {
            return Err(CalendarFault::OtherYear { year, date });
        }
        if !days.insert(date) {
            return Err(CalendarFault::DateTwice { year, date });
        }
    }
    Ok(days)
}

fn named(n: usize, file: NameFile) -> Result<HolidayName, CalendarFault> {
    let date = |text: String| strict_date(&text).ok_or(CalendarFault::NameDate { n, text });
    let first = date(file.from)?;
    let last = file.to.map_or(Ok(first), date)?;
    if last < first {
        return Err(CalendarFault::NameEnds { n, from: first, to: last });
    }
    let (zh, en) = (file.zh.trim(), file.en.trim());
    if zh.is_empty() || en.is_empty() {
        return Err(CalendarFault::NameEmpty { n, from: first });
    }
    Ok(HolidayName { first, last, name: Text::new(zh, en) })
}

/// chrono alone would also take `2026-1-4` and a sign.
pub(super) fn strict_date(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|date: &NaiveDate| date.to_string() == text)
}

/// Written from what was understood, not from the file's bytes: order and layout do not matter.
pub(super) fn version(calendar: &Calendar) -> String {
    let mut canon = format!("{}\n{}\n", calendar.code, calendar.zone.name());
    for span in &calendar.office {
        canon += &format!("{}-{}\n", clock(span.opens), clock(span.closes));
    }
    for (year, days) in &calendar.years {
        canon += &format!("{year}\n");
        days.holidays.iter().for_each(|day| canon += &format!("{day} off\n"));
        days.makeup_workdays.iter().for_each(|day| canon += &format!("{day} on\n"));
    }
    calendar.overlays.iter().for_each(|overlay| canon += &overlay.canon());
    let sum = Sha256::digest(canon.as_bytes());
    sum.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A JSON object as a list. A map would keep the last of two equal keys and lose the other
/// without a word.
fn every_entry<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, YearFile)>, D::Error> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(String, YearFile)>;

        fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
            out.write_str("an object with a key for each year")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    from.deserialize_map(Entries)
}
