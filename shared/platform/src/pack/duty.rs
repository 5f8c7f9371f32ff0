//! `leave.csv` and `shifts.csv`: who of a post's people is there when (AB 岗, 请假, 值班). The first of a post in
//! `people.csv` is its A, the others stand in for them in the order of the file.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use domain::id::PersonId;
use domain::text::Text;

use super::fault::Fault;
use super::files::Source;
use super::table;

const LEAVE_COLUMNS: [&str; 3] = ["person", "from", "to"];
const SHIFT_COLUMNS: [&str; 4] = ["person", "days", "from", "to"];
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

/// When people are there, in the pack's local time.
#[derive(Clone, Debug, Default)]
pub(super) struct Duty {
    leave: BTreeMap<PersonId, Vec<(NaiveDateTime, NaiveDateTime)>>,
    shifts: BTreeMap<PersonId, Vec<Shift>>,
}

/// Some days of the week from one time to another; over midnight where that is not later.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shift {
    days: Vec<Weekday>,
    from: NaiveTime,
    to: NaiveTime,
}

impl Shift {
    fn covers(&self, local: NaiveDateTime) -> bool {
        let (day, time) = (local.date(), local.time());
        let on = |day: NaiveDate| self.days.contains(&day.weekday());
        if self.from < self.to {
            return on(day) && (self.from..self.to).contains(&time);
        }
        (on(day) && time >= self.from)
            || (day.checked_sub_days(Days::new(1)).is_some_and(on) && time < self.to)
    }
}

impl Duty {
    /// Whether a person is there: not on leave, and on shift where shifts are laid down for them.
    pub fn has(&self, person: &PersonId, local: NaiveDateTime) -> bool {
        let away = |(from, to): &(NaiveDateTime, NaiveDateTime)| (*from..*to).contains(&local);
        let on_leave = self.leave.get(person).is_some_and(|leave| leave.iter().any(away));
        let shifts = self.shifts.get(person);
        !on_leave && shifts.is_none_or(|shifts| shifts.iter().any(|shift| shift.covers(local)))
    }

    pub fn read_leave(
        &mut self,
        source: &Source,
        knows: &dyn Fn(&PersonId) -> bool,
        faults: &mut Vec<Fault>,
    ) {
        for row in table::read(source, LEAVE_COLUMNS, faults).rows {
            let [person, from, to] = &row.fields;
            let mut fault = |reason| faults.push(Fault::at_line(&source.name, row.line, reason));
            let person = known(person, knows).map_err(&mut fault).ok();
            let from = moment(from).map_err(&mut fault).ok();
            let to = moment(to).map_err(&mut fault).ok();
            let (Some(person), Some(from), Some(to)) = (person, from, to) else { continue };
            if to <= from {
                fault(Text::new(
                    "结束不晚于开始；to 是回岗的时间",
                    "it ends no later than it begins: `to` is when the person is back",
                ));
                continue;
            }
            self.leave.entry(person).or_default().push((from, to));
        }
    }

    pub fn read_shifts(
        &mut self,
        source: &Source,
        knows: &dyn Fn(&PersonId) -> bool,
        faults: &mut Vec<Fault>,
    ) {
        for row in table::read(source, SHIFT_COLUMNS, faults).rows {
            let [person, on, from, to] = &row.fields;
            let mut fault = |reason| faults.push(Fault::at_line(&source.name, row.line, reason));
            let person = known(person, knows).map_err(&mut fault).ok();
            let days = days(on).map_err(&mut fault).ok();
            let from = time(from).map_err(&mut fault).ok();
            let to = time(to).map_err(&mut fault).ok();
            let (Some(person), Some(days), Some(from), Some(to)) = (person, days, from, to) else { continue };
            self.shifts.entry(person).or_default().push(Shift { days, from, to });
        }
    }
}

fn known(text: &str, knows: &dyn Fn(&PersonId) -> bool) -> Result<PersonId, Text> {
    let person = PersonId(text.to_owned());
    if knows(&person) {
        return Ok(person);
    }
    Err(Text::new(
        format!("人员 {text} 不在人员表中"),
        format!("person `{text}` is not in the list of people"),
    ))
}

/// A day, which begins at midnight, or a time of one.
fn moment(text: &str) -> Result<NaiveDateTime, Text> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN));
    day.or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok()).ok_or_else(|| {
        Text::new(
            format!("“{text}”不是时间；请写 2026-03-02 或 2026-03-02 13:30"),
            format!("`{text}` is no time: write 2026-03-02 or 2026-03-02 13:30"),
        )
    })
}

fn time(text: &str) -> Result<NaiveTime, Text> {
    let midnight = (text == "24:00").then_some(NaiveTime::MIN);
    midnight.or_else(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).ok_or_else(|| {
        Text::new(format!("“{text}”不是时刻；请写 08:30"), format!("`{text}` is no time of day: write 08:30"))
    })
}

/// `mon-fri`, `sat sun`, `all`.
fn days(text: &str) -> Result<Vec<Weekday>, Text> {
    let fault = || {
        Text::new(
            format!("“{text}”不是星期；请写 all、mon-fri 或 sat sun"),
            format!("`{text}` are no days: write all, mon-fri, or sat sun"),
        )
    };
    if text == "all" {
        return Ok(DAYS.map(|(_, day)| day).to_vec());
    }
    let place = |name: &str| DAYS.iter().position(|(known, _)| *known == name).ok_or_else(fault);
    let mut found = Vec::new();
    for part in text.split_whitespace() {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (place(from)?, place(to)?);
        if to < from {
            return Err(fault());
        }
        found.extend(DAYS[from..=to].iter().map(|(_, day)| *day));
    }
    if found.is_empty() { Err(fault()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duty(leave: &str, shifts: &str) -> Duty {
        let source = |text: &str| Source { name: "test.csv".to_owned(), text: text.to_owned() };
        let (mut duty, mut faults) = (Duty::default(), Vec::new());
        duty.read_leave(&source(&format!("person,from,to\n{leave}")), &|_| true, &mut faults);
        duty.read_shifts(&source(&format!("person,days,from,to\n{shifts}")), &|_| true, &mut faults);
        assert!(faults.is_empty(), "{:?}", faults.iter().map(ToString::to_string).collect::<Vec<_>>());
        duty
    }

    fn there(duty: &Duty, at: &str) -> bool {
        duty.has(&"a".into(), NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M").unwrap())
    }

    #[test]
    fn who_is_on_leave_is_not_there_and_is_back_at_the_time_given() {
        let duty = duty("a,2026-03-02,2026-03-04 13:30\n", "");
        assert!(there(&duty, "2026-03-01 23:59"));
        assert!(!there(&duty, "2026-03-02 00:00"));
        assert!(!there(&duty, "2026-03-04 13:29"));
        assert!(there(&duty, "2026-03-04 13:30"));
        assert!(duty.has(&"b".into(), "2026-03-03T08:00:00".parse().unwrap()), "nobody else is away");
    }

    #[test]
    fn who_has_shifts_is_there_in_them_and_a_night_shift_ends_the_next_morning() {
        let duty = duty("", "a,mon-fri,08:30,17:30\na,sat,20:00,06:00\n");
        assert!(there(&duty, "2026-03-02 08:30"));
        assert!(!there(&duty, "2026-03-02 17:30"));
        assert!(there(&duty, "2026-03-07 23:00") && there(&duty, "2026-03-08 05:59"));
        assert!(!there(&duty, "2026-03-08 06:00") && !there(&duty, "2026-03-08 21:00"));
    }

    #[test]
    fn what_is_no_time_or_no_day_is_refused_with_its_line() {
        let source = Source {
            name: "shifts.csv".to_owned(),
            text: "person,days,from,to\na,mon-fri,8.30,17:30\na,funday,08:30,17:30\n".to_owned(),
        };
        let (mut duty, mut faults) = (Duty::default(), Vec::new());
        duty.read_shifts(&source, &|_| true, &mut faults);
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(said[0].starts_with("shifts.csv:2: `8.30` is no time of day"), "{said:?}");
        assert!(said[1].starts_with("shifts.csv:3: `funday` are no days"), "{said:?}");
    }
}
