//! What a place does otherwise than the calendar it shares with others: summer hours, a desk that is manned at
//! weekends, offices that a typhoon closes (当地安排).

use chrono::NaiveDate;
use serde::Deserialize;

use super::file::{office, strict_date, version};
use super::{Calendar, CalendarFault, OfficeSpan};
use crate::text::Text;

/// One arrangement as a pack writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlayFile {
    /// The first day it holds, `YYYY-MM-DD`.
    pub from: String,
    /// The last day it holds.
    pub to: String,
    /// Office hours on those days, in place of the calendar's own.
    #[serde(default)]
    pub office: Option<Vec<(String, String)>>,
    /// Whether those days are worked at all; as the calendar says when left out.
    #[serde(default)]
    pub days: Option<Days>,
    /// Why, in words; in Chinese where there are English ones beside them.
    pub why: String,
    /// The same in English.
    #[serde(default)]
    pub why_en: Option<String>,
}

/// Whether offices open on the days of an arrangement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Days {
    /// On every day, weekends and holidays too.
    Open,
    /// On none.
    Closed,
}

/// What is wrong with an arrangement; the number counts from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverlayFault {
    #[error("`{text}` is not a date: write YYYY-MM-DD")]
    Date { n: usize, field: &'static str, text: String },
    #[error("{to} comes before {from}, the day it begins")]
    Ends { n: usize, from: NaiveDate, to: NaiveDate },
    #[error("it changes nothing: give office hours, or say that days are open or closed")]
    Nothing { n: usize },
    #[error("days that are closed have no office hours: take one of the two out")]
    ClosedHours { n: usize },
    #[error("{0}", .fault)]
    Office { n: usize, fault: CalendarFault },
    #[error("{date} is in an earlier one too: let each day be in one only")]
    Twice { n: usize, date: NaiveDate },
}

impl OverlayFault {
    /// Which arrangement, and which field of it.
    pub fn place(&self) -> (usize, &'static str) {
        match self {
            Self::Date { n, field, .. } => (*n, field),
            Self::Ends { n, .. } => (*n, "to"),
            Self::Nothing { n } => (*n, ""),
            Self::ClosedHours { n } | Self::Office { n, .. } => (*n, "office"),
            Self::Twice { n, .. } => (*n, "from"),
        }
    }

    pub fn zh(&self) -> String {
        match self {
            Self::Date { text, .. } => format!("“{text}”不是日期；请写 YYYY-MM-DD"),
            Self::Ends { from, to, .. } => format!("{to} 早于开始日 {from}"),
            Self::Nothing { .. } => "没有改变任何内容；请给出办公时间，或写明开放或关闭".to_owned(),
            Self::ClosedHours { .. } => "关闭的日子没有办公时间；两者只能写一个".to_owned(),
            Self::Office { fault, .. } => fault.zh(),
            Self::Twice { date, .. } => format!("{date} 已在前面的安排中；每一天只能属于一项安排"),
        }
    }
}

/// An arrangement that holds from `first` to `last`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Overlay {
    first: NaiveDate,
    last: NaiveDate,
    pub office: Option<Vec<OfficeSpan>>,
    pub days: Option<Days>,
    pub why: Text,
}

impl Overlay {
    fn read(n: usize, file: &OverlayFile) -> Result<Self, OverlayFault> {
        let date = |field, text: &str| {
            strict_date(text).ok_or_else(|| OverlayFault::Date { n, field, text: text.to_owned() })
        };
        let (first, last) = (date("from", &file.from)?, date("to", &file.to)?);
        if last < first {
            return Err(OverlayFault::Ends { n, from: first, to: last });
        }
        let hours = file.office.as_deref().map(office).transpose();
        let hours = hours.map_err(|fault| OverlayFault::Office { n, fault })?;
        match (&hours, file.days) {
            (None, None) => Err(OverlayFault::Nothing { n }),
            (Some(_), Some(Days::Closed)) => Err(OverlayFault::ClosedHours { n }),
            _ => {
                let why_en = file.why_en.as_ref().unwrap_or(&file.why);
                let why = Text::new(file.why.trim(), why_en.trim());
                Ok(Self { first, last, office: hours, days: file.days, why })
            }
        }
    }

    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.first <= day && day <= self.last
    }

    /// What of it decides due times, in words that change when it does.
    pub fn canon(&self) -> String {
        format!("{}..{} {:?} {:?}\n", self.first, self.last, self.days, self.office)
    }
}

impl Calendar {
    /// The same calendar with what is done otherwise in one place; its version is another one.
    ///
    /// # Errors
    /// The first arrangement that is wrong, or has a day in common with one before it.
    pub fn with_overlays(mut self, files: &[OverlayFile]) -> Result<Self, OverlayFault> {
        for (n, file) in files.iter().enumerate() {
            let overlay = Overlay::read(n, file)?;
            let common = |other: &Overlay| other.first <= overlay.last && overlay.first <= other.last;
            if let Some(other) = self.overlays.iter().find(|other| common(other)) {
                return Err(OverlayFault::Twice { n, date: overlay.first.max(other.first) });
            }
            self.overlays.push(overlay);
        }
        self.version = version(&self);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::super::{Calendar, Limit};
    use super::*;

    fn cn() -> Calendar {
        Calendar::from_json(include_str!("../../../packs/calendars/cn.json")).unwrap()
    }

    fn overlay(from: &str, to: &str, office: &[(&str, &str)], days: Option<Days>) -> OverlayFile {
        let office: Vec<_> = office.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        OverlayFile {
            from: from.to_owned(),
            to: to.to_owned(),
            office: (!office.is_empty()).then_some(office),
            days,
            why: "示意".to_owned(),
            why_en: None,
        }
    }

    fn due(calendar: &Calendar, start: &str, limit: &str) -> String {
        let start: DateTime<Utc> = calendar.instant(start.parse().unwrap());
        let due = calendar.due(start, Limit::parse(limit).unwrap());
        calendar.local(due.at).format("%m-%d %H:%M").to_string()
    }

    #[test]
    fn summer_hours_move_working_hours_and_the_close_of_business_and_nothing_else() {
        let summer = overlay("2026-06-15", "2026-09-15", &[("08:30", "11:30"), ("14:30", "17:30")], None);
        let calendar = cn().with_overlays(&[summer]).unwrap();
        assert_eq!(due(&calendar, "2026-07-01T10:30:00", "2wh"), "07-01 15:30");
        assert_eq!(due(&cn(), "2026-07-01T10:30:00", "2wh"), "07-01 14:00");
        assert_eq!(due(&calendar, "2026-07-01T10:30:00", "2h"), "07-01 12:30");
        assert_eq!(due(&calendar, "2026-06-12T16:30:00", "4wh"), "06-15 11:30", "into its first day");
        assert_eq!(due(&calendar, "2026-09-16T11:00:00", "1wh"), "09-16 12:00", "after its last");
        assert_ne!(calendar.version(), cn().version());
    }

    #[test]
    fn an_arrangement_is_told_of_by_its_name_in_the_language_of_the_line() {
        let hours = [("08:30", "11:30"), ("14:30", "17:30")];
        let summer = OverlayFile {
            why: "夏季作息".to_owned(),
            why_en: Some("summer hours".to_owned()),
            ..overlay("2026-06-15", "2026-09-15", &hours, None)
        };
        let told = |file: OverlayFile| {
            let calendar = cn().with_overlays(&[file]).unwrap();
            let start = calendar.instant("2026-07-01T10:30:00".parse().unwrap());
            let lines = calendar.explain(start, Limit::parse("2wh").unwrap());
            let joined = |of: fn(&Text) -> &str| lines.iter().map(of).collect::<String>();
            (joined(|line| &line.zh), joined(|line| &line.en))
        };
        let (zh, en) = told(summer.clone());
        assert!(zh.contains("按「夏季作息」") && en.contains("by “summer hours”"), "{zh}\n{en}");
        let (_, en) = told(OverlayFile { why_en: None, ..summer });
        assert!(en.contains("by “夏季作息”"), "a name in one language is better than none: {en}");
    }

    #[test]
    fn a_desk_manned_at_a_weekend_works_and_one_closed_by_a_typhoon_does_not() {
        let manned = overlay("2026-08-01", "2026-08-02", &[("09:00", "12:00")], Some(Days::Open));
        let typhoon = overlay("2026-08-05", "2026-08-06", &[], Some(Days::Closed));
        let calendar = cn().with_overlays(&[manned, typhoon]).unwrap();
        assert_eq!(due(&calendar, "2026-07-31T17:00:00", "1wh"), "08-01 09:30");
        assert_eq!(due(&calendar, "2026-07-31T17:00:00", "1wd"), "08-01 12:00");
        assert_eq!(due(&calendar, "2026-08-04T17:00:00", "1wh"), "08-07 09:00");
        assert_eq!(
            due(&calendar, "2026-08-04T17:00:00", "30m"),
            "08-04 17:30",
            "around the clock it counts on"
        );
        assert!(!calendar.is_working_day("2026-08-05".parse().unwrap()));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        let refused = |files: &[OverlayFile]| cn().with_overlays(files).unwrap_err();
        let hours = [("08:30", "11:30")];
        let at = |files: &[OverlayFile]| refused(files).place();
        assert_eq!(at(&[overlay("2026-6-15", "2026-09-15", &hours, None)]), (0, "from"));
        assert_eq!(at(&[overlay("2026-06-15", "2026-06-14", &hours, None)]), (0, "to"));
        assert_eq!(at(&[overlay("2026-06-15", "2026-06-15", &[], None)]), (0, ""));
        assert_eq!(at(&[overlay("2026-06-15", "2026-06-15", &hours, Some(Days::Closed))]), (0, "office"));
        assert_eq!(at(&[overlay("2026-06-15", "2026-06-15", &[("12:00", "08:00")], None)]), (0, "office"));
        let twice = refused(&[
            overlay("2026-06-15", "2026-09-15", &hours, None),
            overlay("2026-09-15", "2026-09-20", &[], Some(Days::Closed)),
        ]);
        assert_eq!(twice.place(), (1, "from"));
        assert!(twice.to_string().contains("2026-09-15") && twice.zh().contains("2026-09-15"));
    }
}
