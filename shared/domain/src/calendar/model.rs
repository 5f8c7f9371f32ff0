//! Due times against a model too slow and too simple to be wrong in the same way: it walks every
//! minute, asks the wall clock of each, and reads the holidays from the raw file.

use std::collections::BTreeMap;

use chrono::{
    DateTime, Datelike, DurationRound, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc, Weekday,
};
use chrono_tz::Tz;
use proptest::prelude::*;
use serde_json::Value;

use super::{Calendar, Due, Limit, OverlayFile, WorkingDayRule};

const MINUTE: TimeDelta = TimeDelta::minutes(1);

struct Model {
    file: Value,
    zone: Tz,
}

/// One minute of the real clock, the first of a walk cut short by its start.
struct Cell {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    day: NaiveDate,
    open: bool,
}

impl Model {
    fn new(file: Value) -> Self {
        let zone = file["zone"].as_str().unwrap().parse().unwrap();
        Self { file, zone }
    }

    fn wall(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }

    fn lists(&self, day: NaiveDate, list: &str) -> bool {
        let listed = &self.file["years"][day.year().to_string()][list];
        listed.as_array().is_some_and(|days| days.iter().any(|one| *one == day.to_string()))
    }

    /// The arrangement of a day, from a list that only the model reads from the calendar's own file.
    fn overlay(&self, day: NaiveDate) -> Option<&Value> {
        let day = day.to_string();
        let day = Some(day.as_str());
        let listed = self.file["overlays"].as_array()?;
        listed.iter().find(|one| one["from"].as_str() <= day && day <= one["to"].as_str())
    }

    fn works(&self, day: NaiveDate) -> bool {
        match self.overlay(day).and_then(|overlay| overlay["days"].as_str()) {
            Some("open") => return true,
            Some(_) => return false,
            None => {}
        }
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        self.lists(day, "makeup_workdays") || (!weekend && !self.lists(day, "holidays"))
    }

    fn unpublished(&self, day: NaiveDate) -> bool {
        self.file["years"].get(day.year().to_string()).is_none()
    }

    fn office(&self) -> Vec<(u32, u32)> {
        Self::spans(&self.file["office"])
    }

    fn office_on(&self, day: NaiveDate) -> Vec<(u32, u32)> {
        match self.overlay(day).map(|overlay| &overlay["office"]) {
            Some(hours) if hours.is_array() => Self::spans(hours),
            _ => self.office(),
        }
    }

    fn spans(listed: &Value) -> Vec<(u32, u32)> {
        let minute = |text: &Value| {
            let (hours, minutes) = text.as_str().unwrap().split_once(':').unwrap();
            hours.parse::<u32>().unwrap() * 60 + minutes.parse::<u32>().unwrap()
        };
        listed.as_array().unwrap().iter().map(|span| (minute(&span[0]), minute(&span[1]))).collect()
    }

    fn cells(&self, start: DateTime<Utc>) -> impl Iterator<Item = Cell> + '_ {
        let mut office = BTreeMap::new();
        let mut working_days = BTreeMap::new();
        let first = start.duration_trunc(MINUTE).unwrap();
        (0..).map(move |n| {
            let from = first + MINUTE * n;
            let wall = self.wall(from);
            let minute = wall.hour() * 60 + wall.minute();
            let works = *working_days.entry(wall.date()).or_insert_with(|| self.works(wall.date()));
            let office = office.entry(wall.date()).or_insert_with(|| self.office_on(wall.date()));
            let open = works && office.iter().any(|&(opens, closes)| opens <= minute && minute < closes);
            Cell { from: from.max(start), until: from + MINUTE, day: wall.date(), open }
        })
    }

    fn due(&self, start: DateTime<Utc>, limit: Limit) -> Due {
        match limit {
            Limit::UrgentHours { minutes } => {
                Due { at: start + MINUTE * minutes.try_into().unwrap(), provisional: false }
            }
            Limit::WorkingHours { minutes } => self.after_open_time(start, minutes),
            Limit::WorkingDays { days, rule: WorkingDayRule::Times } => {
                let daily: u32 = self.office().iter().map(|(opens, closes)| closes - opens).sum();
                self.after_open_time(start, days * daily)
            }
            Limit::WorkingDays { days, rule: WorkingDayRule::EndOfDay } => self.last_closing(start, days),
            Limit::CalendarDays { days } => Due { at: self.same_wall_clock(start, days), provisional: false },
        }
    }

    fn after_open_time(&self, start: DateTime<Utc>, minutes: u32) -> Due {
        let mut left = MINUTE * minutes.try_into().unwrap();
        let mut provisional = false;
        if left.is_zero() {
            return Due { at: start, provisional };
        }
        for cell in self.cells(start) {
            provisional |= self.unpublished(cell.day);
            if !cell.open {
                continue;
            }
            if left <= cell.until - cell.from {
                return Due { at: cell.from + left, provisional };
            }
            left -= cell.until - cell.from;
        }
        unreachable!("cells never end")
    }

    fn last_closing(&self, start: DateTime<Utc>, days: u32) -> Due {
        let mut due = Due { at: start, provisional: false };
        let mut today = self.wall(start).date();
        let mut counted = 0;
        for cell in self.cells(start) {
            if cell.day > today {
                if counted == days {
                    break;
                }
                today = cell.day;
                due.provisional |= self.unpublished(today);
                counted += u32::from(self.works(today));
            }
            if cell.open && counted == days && days > 0 {
                due.at = cell.until;
            }
        }
        due
    }

    fn same_wall_clock(&self, start: DateTime<Utc>, days: u32) -> DateTime<Utc> {
        if days == 0 {
            return start;
        }
        let wanted = self.wall(start) + TimeDelta::days(days.into());
        let reached = self.cells(start).find(|cell| self.wall(cell.from) + (cell.until - cell.from) > wanted);
        let cell = reached.expect("cells never end");
        cell.from + (wanted - self.wall(cell.from)).max(TimeDelta::zero())
    }

    fn part(&self, start: DateTime<Utc>, due: DateTime<Utc>, limit: Limit, percent: u32) -> DateTime<Utc> {
        if percent >= 100 {
            return due;
        }
        let all = matches!(limit, Limit::UrgentHours { .. } | Limit::CalendarDays { .. });
        let counted = || {
            let cells = self.cells(start).take_while(|cell| cell.from < due);
            cells.filter(|cell| all || cell.open).map(|cell| (cell.from, cell.until.min(due)))
        };
        let total: i64 = counted().map(|(from, until)| (until - from).num_milliseconds()).sum();
        let mut left = TimeDelta::milliseconds(total * i64::from(percent) / 100);
        if left.is_zero() {
            return start;
        }
        for (from, until) in counted() {
            if left <= until - from {
                return from + left;
            }
            left -= until - from;
        }
        unreachable!("a part is not longer than the whole")
    }
}

pub(super) fn cn() -> Value {
    serde_json::from_str(include_str!("../../../packs/calendars/cn.json")).unwrap()
}

pub(super) fn us() -> Value {
    serde_json::from_str(include_str!("../../../packs/calendars/us.json")).unwrap()
}

/// Offices open while the clocks of New York change, on weekends worked instead.
pub(super) fn us_nights() -> Value {
    let mut file = us();
    file["office"] = serde_json::json!([["00:00", "05:30"], ["12:00", "12:20"], ["22:15", "24:00"]]);
    file["years"]["2011"]["makeup_workdays"] = serde_json::json!(["2011-03-13", "2011-11-05", "2011-11-06"]);
    file["years"]["2012"]["makeup_workdays"] = serde_json::json!(["2012-03-10", "2012-03-11"]);
    file
}

/// Summer hours, a weekend that is worked, two days that are not, and one with other hours on which all work.
pub(super) fn cn_here() -> Value {
    let mut file = cn();
    file["overlays"] = serde_json::json!([
        { "from": "2026-06-15", "to": "2026-07-03", "office": [["08:30", "11:30"], ["14:30", "17:30"]], "why": "夏季" },
        { "from": "2026-07-04", "to": "2026-07-05", "office": [["09:00", "12:00"]], "days": "open", "why": "值班" },
        { "from": "2026-07-08", "to": "2026-07-09", "days": "closed", "why": "台风" },
        { "from": "2026-06-01", "to": "2026-06-01", "office": [["00:00", "24:00"]], "days": "open", "why": "应急" },
    ]);
    file
}

pub(super) fn limits() -> impl Strategy<Value = Limit> {
    let rule = prop_oneof![Just(WorkingDayRule::EndOfDay), Just(WorkingDayRule::Times)];
    prop_oneof![
        (0..6_000u32).prop_map(|minutes| Limit::UrgentHours { minutes }),
        (0..3_000u32).prop_map(|minutes| Limit::WorkingHours { minutes }),
        (0..50u32).prop_map(|halves| Limit::WorkingHours { minutes: halves * 30 }),
        (0..8u32, rule).prop_map(|(days, rule)| Limit::WorkingDays { days, rule }),
        (0..12u32).prop_map(|days| Limit::CalendarDays { days }),
    ]
}

/// Starts within `days` after `from`; every other on a whole half hour, where the edges are.
pub(super) fn starts(from: &str, days: i64) -> impl Strategy<Value = DateTime<Utc>> {
    let first: DateTime<Utc> = from.parse().unwrap();
    let at_all = (0..days * 86_400_000).prop_map(TimeDelta::milliseconds);
    let on_edges = (0..days * 48).prop_map(|halves| TimeDelta::minutes(halves * 30));
    prop_oneof![at_all, on_edges].prop_map(move |after| first + after)
}

/// The calendar of a file in which arrangements stand beside the years.
pub(super) fn calendar(file: &Value) -> Calendar {
    let mut shared = file.clone();
    let overlays = shared.as_object_mut().unwrap().remove("overlays");
    let overlays: Vec<OverlayFile> =
        overlays.map(|listed| serde_json::from_value(listed).unwrap()).unwrap_or_default();
    Calendar::from_json(&shared.to_string()).unwrap().with_overlays(&overlays).unwrap()
}

fn agree(file: Value, start: DateTime<Utc>, limit: Limit, percent: u32) -> Result<(), TestCaseError> {
    let calendar = calendar(&file);
    let model = Model::new(file);
    let due = calendar.due(start, limit);
    prop_assert_eq!(due, model.due(start, limit));
    let part = calendar.part(start, due.at, limit, percent);
    prop_assert_eq!(part, model.part(start, due.at, limit, percent));
    prop_assert!(start <= part && part <= due.at);
    Ok(())
}

proptest! {
    #[test]
    fn chinese_due_times_are_those_of_the_minute_by_minute_model(
        start in starts("2025-12-20T00:00:00Z", 390), limit in limits(), percent in 0..120u32,
    ) {
        agree(cn(), start, limit, percent)?;
    }

    #[test]
    fn due_times_under_local_arrangements_are_those_of_the_minute_by_minute_model(
        start in starts("2026-05-20T00:00:00Z", 120), limit in limits(), percent in 0..120u32,
    ) {
        agree(cn_here(), start, limit, percent)?;
    }

    #[test]
    fn boston_due_times_are_those_of_the_minute_by_minute_model(
        start in starts("2011-10-01T00:00:00Z", 180), limit in limits(), percent in 0..120u32,
    ) {
        agree(us(), start, limit, percent)?;
    }

    #[test]
    fn night_shifts_agree_with_the_model_while_clocks_are_set_forward(
        start in starts("2012-03-07T00:00:00Z", 6), limit in limits(), percent in 0..120u32,
    ) {
        agree(us_nights(), start, limit, percent)?;
    }

    #[test]
    fn night_shifts_agree_with_the_model_while_clocks_are_set_back(
        start in starts("2011-11-02T00:00:00Z", 6), limit in limits(), percent in 0..120u32,
    ) {
        agree(us_nights(), start, limit, percent)?;
    }
}
