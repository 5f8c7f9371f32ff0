//! The calendar's promises, one sentence each.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::*;

const CN: &str = include_str!("../../../packs/calendars/cn.json");
const US: &str = include_str!("../../../packs/calendars/us.json");

fn cn() -> Calendar {
    Calendar::from_json(CN).unwrap()
}

fn us() -> Calendar {
    Calendar::from_json(US).unwrap()
}

fn wall(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// When a limit from a local time is due, as a local time; provisional ones say so.
fn due(calendar: &Calendar, from: &str, limit: &str) -> String {
    let due = calendar.due(calendar.instant(wall(from)), Limit::parse(limit).unwrap());
    let mark = if due.provisional { " 暂定" } else { "" };
    format!("{}{mark}", calendar.local(due.at).format("%Y-%m-%d %H:%M"))
}

fn part(calendar: &Calendar, from: &str, to: &str, limit: &str, percent: u32) -> String {
    let (start, end) = (calendar.instant(wall(from)), calendar.instant(wall(to)));
    let at = calendar.part(start, end, Limit::parse(limit).unwrap(), percent);
    calendar.local(at).format("%Y-%m-%d %H:%M:%S%.f").to_string()
}

fn fault(file: &str) -> CalendarFault {
    Calendar::from_json(file).unwrap_err()
}

fn file_with(office: &str, years: &str) -> String {
    format!(r#"{{"code":"x","source":"test","zone":"Asia/Shanghai","office":{office},"years":{{{years}}}}}"#)
}

fn year_2026(holidays: &str, makeup: &str) -> String {
    let days = format!(r#""status":"published","holidays":[{holidays}],"makeup_workdays":[{makeup}]"#);
    file_with(r#"[["08:30","17:30"]]"#, &format!(r#""2026":{{{days}}}"#))
}

/// A calendar with one name.
fn named(from: &str, to: &str, zh: &str) -> String {
    let name = format!(r#""names":[{{"from":"{from}","to":"{to}","zh":"{zh}","en":"New Year"}}],"#);
    year_2026("", "").replace("\"years\"", &format!("{name}\"years\""))
}

#[test]
fn working_hours_run_over_a_make_up_saturday() {
    assert_eq!(due(&cn(), "2026-02-13 16:30", "4wh"), "2026-02-14 11:30");
}

#[test]
fn working_hours_skip_the_spring_festival() {
    assert_eq!(due(&cn(), "2026-02-14 17:00", "2wh"), "2026-02-24 10:00");
}

#[test]
fn working_hours_skip_a_mid_autumn_friday_and_end_at_the_noon_closing() {
    assert_eq!(due(&cn(), "2026-09-24 17:00", "4wh"), "2026-09-28 12:00");
}

#[test]
fn working_hours_skip_the_national_day_week() {
    assert_eq!(due(&cn(), "2026-09-30 16:00", "8wh"), "2026-10-08 16:30");
}

#[test]
fn working_hours_use_the_make_up_saturday_after_labour_day() {
    assert_eq!(due(&cn(), "2026-05-08 17:00", "2wh"), "2026-05-09 10:00");
}

#[test]
fn urgent_hours_run_around_the_clock() {
    let calendar = cn();
    assert_eq!(due(&calendar, "2026-02-13 16:30", "4h"), "2026-02-13 20:30");
    assert_eq!(due(&calendar, "2026-02-14 17:00", "2h"), "2026-02-14 19:00");
    assert_eq!(due(&calendar, "2026-09-24 17:00", "4h"), "2026-09-24 21:00");
    assert_eq!(due(&calendar, "2026-09-30 16:00", "8h"), "2026-10-01 00:00");
    assert_eq!(due(&calendar, "2026-05-08 17:00", "2h"), "2026-05-08 19:00");
}

#[test]
fn working_days_end_at_close_of_business_of_the_nth() {
    assert_eq!(due(&cn(), "2026-02-13 10:00", "3wd"), "2026-02-25 17:30");
    assert_eq!(due(&cn(), "2026-09-30 10:00", "5wd"), "2026-10-13 17:30");
}

#[test]
fn working_days_by_times_end_at_the_time_of_day_they_began() {
    assert_eq!(due(&cn(), "2026-02-13 10:00", "3wd-times"), "2026-02-25 10:00");
}

#[test]
fn a_due_time_in_a_year_not_published_is_provisional() {
    assert_eq!(due(&cn(), "2026-12-31 10:00", "1wd"), "2027-01-01 17:30 暂定");
}

#[test]
fn a_due_time_that_never_looks_at_the_unpublished_year_is_certain() {
    assert_eq!(due(&cn(), "2026-12-31 15:30", "2wh"), "2026-12-31 17:30");
    assert_eq!(due(&cn(), "2026-12-31 16:30", "2wh"), "2027-01-01 09:30 暂定");
}

#[test]
fn urgent_hours_and_calendar_days_ask_no_calendar_and_are_certain() {
    assert_eq!(due(&cn(), "2026-12-31 16:30", "24h"), "2027-01-01 16:30");
    assert_eq!(due(&cn(), "2026-12-31 16:30", "7d"), "2027-01-07 16:30");
}

#[test]
fn a_start_in_an_unpublished_year_is_provisional_unless_only_later_days_are_looked_at() {
    assert_eq!(due(&cn(), "2022-12-30 17:00", "2wh"), "2023-01-03 10:00 暂定");
    assert_eq!(due(&cn(), "2022-12-30 17:00", "1wd"), "2023-01-03 17:30 暂定");
    assert_eq!(due(&cn(), "2022-12-31 17:00", "1wd"), "2023-01-03 17:30");
}

#[test]
fn a_year_marked_provisional_is_the_same_as_a_year_left_out() {
    let marked = r#""2027":{"status":"provisional","holidays":[],"makeup_workdays":[]}"#;
    let office = r#"[["08:30","17:30"]]"#;
    let (with, without) = (file_with(office, marked), file_with(office, ""));
    let (with, without) = (Calendar::from_json(&with).unwrap(), Calendar::from_json(&without).unwrap());
    assert_eq!(due(&with, "2027-01-01 10:00", "1wh"), "2027-01-01 11:00 暂定");
    assert_eq!(with.version(), without.version());
}

#[test]
fn publishing_the_year_makes_the_due_time_certain() {
    let mut file: serde_json::Value = serde_json::from_str(CN).unwrap();
    file["years"]["2027"] = serde_json::json!(
        {"status": "published", "holidays": ["2027-01-01"], "makeup_workdays": []});
    let calendar = Calendar::from_json(&file.to_string()).unwrap();
    assert_eq!(due(&calendar, "2026-12-31 10:00", "1wd"), "2027-01-04 17:30");
    assert_ne!(calendar.version(), cn().version());
}

#[test]
fn an_office_that_closes_at_midnight_of_new_years_eve_has_not_looked_at_the_new_year() {
    let days = r#""2026":{"status":"published","holidays":[],"makeup_workdays":[]}"#;
    let calendar = Calendar::from_json(&file_with(r#"[["00:00","24:00"]]"#, days)).unwrap();
    assert_eq!(due(&calendar, "2026-12-31 20:00", "4wh"), "2027-01-01 00:00");
    assert_eq!(due(&calendar, "2026-12-31 20:00", "5wh"), "2027-01-01 01:00 暂定");
}

#[test]
fn a_start_outside_office_hours_counts_from_the_next_opening() {
    assert_eq!(due(&cn(), "2026-03-02 06:00", "1wh"), "2026-03-02 09:30");
    assert_eq!(due(&cn(), "2026-03-02 12:30", "1wh"), "2026-03-02 14:30");
    assert_eq!(due(&cn(), "2026-03-02 17:30", "1wh"), "2026-03-03 09:30");
    assert_eq!(due(&cn(), "2026-03-01 10:00", "1wh"), "2026-03-02 09:30");
}

#[test]
fn hours_that_run_out_at_closing_are_due_at_that_closing() {
    assert_eq!(due(&cn(), "2026-03-02 11:00", "1wh"), "2026-03-02 12:00");
    assert_eq!(due(&cn(), "2026-03-02 08:30", "7.5wh"), "2026-03-02 17:30");
}

#[test]
fn a_working_day_by_times_from_opening_ends_at_closing_of_the_same_day() {
    assert_eq!(due(&cn(), "2026-03-02 08:30", "1wd-times"), "2026-03-02 17:30");
}

#[test]
fn end_of_day_counts_from_the_day_after_even_when_it_starts_before_opening() {
    assert_eq!(due(&cn(), "2026-03-02 06:00", "1wd"), "2026-03-03 17:30");
    assert_eq!(due(&cn(), "2026-02-28 23:00", "1wd"), "2026-03-02 17:30");
    assert_eq!(due(&cn(), "2026-02-20 10:00", "1wd"), "2026-02-24 17:30");
}

#[test]
fn seconds_of_the_start_are_kept() {
    let calendar = cn();
    let start = calendar.instant(wall("2026-02-13 16:30")) + TimeDelta::milliseconds(12_345);
    let due = calendar.due(start, Limit::parse("4wh").unwrap());
    assert_eq!(due.at, calendar.instant(wall("2026-02-14 11:30")) + TimeDelta::milliseconds(12_345));
}

#[test]
fn a_limit_of_zero_is_due_at_its_start_in_every_unit() {
    for limit in ["0h", "0wh", "0wd", "0wd-times", "0d"] {
        assert_eq!(due(&cn(), "2027-02-14 03:00", limit), "2027-02-14 03:00", "{limit}");
    }
}

#[test]
fn a_limit_beyond_a_hundred_years_is_due_after_a_hundred_years_and_provisional() {
    let calendar = cn();
    let start = utc("2026-01-05T01:00:00Z");
    let end = Due { at: start + TimeDelta::days(LONGEST_DAYS.into()), provisional: true };
    for limit in [
        Limit::UrgentHours { minutes: u32::MAX },
        Limit::WorkingHours { minutes: u32::MAX },
        Limit::WorkingDays { days: u32::MAX, rule: WorkingDayRule::EndOfDay },
        Limit::WorkingDays { days: u32::MAX, rule: WorkingDayRule::Times },
        Limit::CalendarDays { days: u32::MAX },
    ] {
        assert_eq!(calendar.due(start, limit), end, "{limit}");
    }
}

#[test]
fn nothing_is_due_after_the_year_9999_nor_before_its_start() {
    let last = utc("9999-12-31T23:59:59Z");
    let starts = [utc("9999-12-31T10:00:00Z"), last, DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC];
    for (calendar, start) in [cn(), us()].iter().flat_map(|one| starts.map(|start| (one, start))) {
        for limit in ["9000h", "9000wh", "300wd", "300wd-times", "300d"] {
            let due = calendar.due(start, Limit::parse(limit).unwrap());
            assert!(start <= due.at && due.at <= last.max(start), "{limit} from {start}: {due:?}");
            assert!(calendar.part(start, due.at, Limit::parse(limit).unwrap(), 80) <= due.at);
        }
    }
}

#[test]
fn the_reminder_counts_office_time_only() {
    assert_eq!(part(&cn(), "2026-02-13 16:30", "2026-02-14 11:30", "4wh", 80), "2026-02-14 10:42:00");
    assert_eq!(part(&cn(), "2026-02-13 16:30", "2026-02-13 20:30", "4h", 80), "2026-02-13 19:42:00");
    assert_eq!(part(&cn(), "2026-02-13 10:00", "2026-02-23 10:00", "10d", 80), "2026-02-21 10:00:00");
}

#[test]
fn the_reminder_of_working_days_counts_what_is_left_of_the_first_day() {
    // 6 h on the 13th, 7.5 h each on the 14th, 24th and 25th: 80 % of 28.5 h is 22.8 h.
    assert_eq!(part(&cn(), "2026-02-13 10:00", "2026-02-25 17:30", "3wd", 80), "2026-02-25 10:18:00");
}

#[test]
fn a_part_that_ends_at_closing_ends_at_that_closing() {
    assert_eq!(part(&cn(), "2026-03-02 11:00", "2026-03-02 14:30", "2wh", 50), "2026-03-02 12:00:00");
}

#[test]
fn no_percent_is_the_start_and_all_of_it_the_due_time() {
    let between = |percent| part(&cn(), "2026-02-13 19:00", "2026-02-24 10:00", "9wh", percent);
    assert_eq!(between(0), "2026-02-13 19:00:00");
    assert_eq!(between(100), "2026-02-24 10:00:00");
    assert_eq!(between(u32::MAX), "2026-02-24 10:00:00");
}

#[test]
fn a_due_time_not_after_the_start_gives_the_start() {
    assert_eq!(part(&cn(), "2026-03-02 10:00", "2026-03-02 10:00", "0wh", 80), "2026-03-02 10:00:00");
    assert_eq!(part(&cn(), "2026-03-02 10:00", "2026-03-01 10:00", "4wh", 80), "2026-03-02 10:00:00");
}

#[test]
fn without_office_time_between_them_the_part_has_passed_at_the_start() {
    assert_eq!(part(&cn(), "2026-03-07 10:00", "2026-03-08 10:00", "4wh", 80), "2026-03-07 10:00:00");
}

#[test]
fn a_local_time_that_occurs_twice_is_the_earlier_one() {
    assert_eq!(us().instant(wall("2011-11-06 01:30")), utc("2011-11-06T05:30:00Z"));
    assert_eq!(us().local(utc("2011-11-06T06:30:00Z")), wall("2011-11-06 01:30"));
}

#[test]
fn a_local_time_that_does_not_occur_is_the_first_instant_after_the_gap() {
    assert_eq!(us().instant(wall("2012-03-11 02:30")), utc("2012-03-11T07:00:00Z"));
    assert_eq!(us().local(utc("2012-03-11T07:00:00Z")), wall("2012-03-11 03:00"));
}

#[test]
fn urgent_hours_do_not_notice_that_clocks_change_but_calendar_days_keep_the_wall_clock() {
    assert_eq!(due(&us(), "2011-11-05 12:00", "24h"), "2011-11-06 11:00");
    assert_eq!(due(&us(), "2011-11-05 12:00", "1d"), "2011-11-06 12:00");
    assert_eq!(due(&us(), "2012-03-10 02:30", "1d"), "2012-03-11 03:00");
}

#[test]
fn a_night_shift_is_an_hour_longer_or_shorter_when_clocks_change() {
    let night = CN
        .replace("Asia/Shanghai", "America/New_York")
        .replace(r#"[["08:30", "12:00"], ["13:30", "17:30"]]"#, r#"[["00:00", "06:00"]]"#);
    let mut file: serde_json::Value = serde_json::from_str(&night).unwrap();
    file["years"]["2026"]["makeup_workdays"] = serde_json::json!(["2026-03-08", "2026-11-01"]);
    let calendar = Calendar::from_json(&file.to_string()).unwrap();
    assert_eq!(due(&calendar, "2026-03-08 00:00", "5wh"), "2026-03-08 06:00");
    assert_eq!(due(&calendar, "2026-11-01 00:00", "7wh"), "2026-11-01 06:00");
}

#[test]
fn federal_holidays_are_free_on_the_day_they_are_observed() {
    let calendar = us();
    let free = |day: &str| !calendar.is_working_day(day.parse().unwrap());
    assert!(free("2010-12-31"), "New Year 2011 is a Saturday");
    assert!(free("2011-12-26"), "Christmas 2011 is a Sunday");
    assert!(free("2012-11-22"), "Thanksgiving");
    assert!(!free("2020-06-19") && free("2021-06-18"), "Juneteenth is a holiday from 2021");
    for year in 2010..=2027 {
        assert!(!calendar.is_provisional(year), "{year}");
    }
    assert_eq!(calendar.office_minutes(), 510);
}

#[test]
fn a_boston_report_on_the_eve_of_thanksgiving_waits_for_friday() {
    assert_eq!(due(&us(), "2012-11-21 16:00", "1wh"), "2012-11-23 08:30");
}

#[test]
fn the_version_is_of_the_content_not_of_the_layout() {
    let calendar = cn();
    let compact: serde_json::Value = serde_json::from_str(CN).unwrap();
    let retold = compact.to_string().replace("State Council", "国务院").replace("Spring Festival", "春节");
    assert_eq!(Calendar::from_json(&retold).unwrap().version(), calendar.version());
    assert_eq!(calendar.version().len(), 16);

    let longer = CN.replace("17:30", "18:00");
    assert_ne!(Calendar::from_json(&longer).unwrap().version(), calendar.version());
}

#[test]
fn each_fault_says_where_it_is_what_it_is_and_what_to_do() {
    let office = |spans: &str| file_with(spans, "");
    let cases = [
        (CN.replace("makeup_workdays", "makeup"), "unknown field `makeup`"),
        (CN.replace("\"source\"", "\"sauce\""), "unknown field `sauce`"),
        (CN.replace("\"cn\"", "\"中国\""), "code \"中国\""),
        (CN.replace("Asia/Shanghai", "Asia/Ningbo"), "zone \"Asia/Ningbo\" is not known"),
        (office("[]"), "no office hours"),
        (office(r#"[["8:30","12:00"]]"#), "\"8:30\" is not a time of day"),
        (office(r#"[["08:30","24:01"]]"#), "\"24:01\" is not a time of day"),
        (office(r#"[["08:60","12:00"]]"#), "\"08:60\" is not a time of day"),
        (office(r#"[["22:00","06:00"]]"#), "22:00-06:00 does not end after it begins"),
        (office(r#"[["08:30","12:00"],["11:00","17:30"]]"#), "11:00 comes before 12:00"),
        (office(r#"[["13:30","17:30"],["08:30","12:00"]]"#), "08:30 comes before 17:30"),
        (CN.replace("\"2026\"", "\"+2026\""), "\"+2026\" is not a year"),
        (CN.replace("\"2025\"", "\"2026\""), "2025-01-01 is in another year"),
        (year_2026("\"2026-02-30\"", ""), "2026: \"2026-02-30\" is not a date"),
        (year_2026("\"2026-2-3\"", ""), "2026: \"2026-2-3\" is not a date"),
        (year_2026("\"2027-01-01\"", ""), "2026: 2027-01-01 is in another year"),
        (year_2026("\"2026-05-01\",\"2026-05-01\"", ""), "2026: 2026-05-01 is listed twice"),
        (year_2026("\"2026-02-14\"", "\"2026-02-14\""), "2026: 2026-02-14 is both"),
        (year_2026("", "\"2026-02-13\""), "2026-02-13 is not a Saturday or Sunday"),
        (year_2026("\"2026-01-01\"", "").replace("published", "provisional"), "2026: a provisional year"),
        (named("2026-1-1", "2026-01-03", "元旦"), "names: \"2026-1-1\" is not a date"),
        (named("2026-01-03", "2026-01-01", "元旦"), "names: 2026-01-01 comes before 2026-01-03"),
        (named("2026-01-01", "2026-01-03", " "), "names: the holiday from 2026-01-01 has no name"),
    ];
    for (file, expected) in cases {
        let fault = fault(&file);
        assert!(fault.to_string().contains(expected), "{expected:?} in {:?}", fault.to_string());
        assert!(!fault.to_string().contains('\n') && !fault.zh().is_empty());
    }
}

#[test]
fn a_year_listed_twice_is_refused_instead_of_losing_one() {
    let year = r#""2026":{"status":"provisional","holidays":[],"makeup_workdays":[]}"#;
    let twice = file_with(r#"[["08:30","17:30"]]"#, &format!("{year},{year}"));
    assert_eq!(fault(&twice), CalendarFault::YearTwice { year: 2026 });
}

#[test]
fn a_limit_is_read_from_its_short_and_its_chinese_form() {
    let end_of_day = WorkingDayRule::EndOfDay;
    let times = WorkingDayRule::Times;
    for (text, limit) in [
        ("2h", Limit::UrgentHours { minutes: 120 }),
        ("2 紧急工作时", Limit::UrgentHours { minutes: 120 }),
        ("30m", Limit::UrgentHours { minutes: 30 }),
        ("30 紧急工作分钟", Limit::UrgentHours { minutes: 30 }),
        ("4wh", Limit::WorkingHours { minutes: 240 }),
        (" 4 工作时 ", Limit::WorkingHours { minutes: 240 }),
        ("0.5 工作时", Limit::WorkingHours { minutes: 30 }),
        ("1.25wh", Limit::WorkingHours { minutes: 75 }),
        ("20wm", Limit::WorkingHours { minutes: 20 }),
        ("3wd", Limit::WorkingDays { days: 3, rule: end_of_day }),
        ("3工作日", Limit::WorkingDays { days: 3, rule: end_of_day }),
        ("3wd-times", Limit::WorkingDays { days: 3, rule: times }),
        ("3 工作日(按工时)", Limit::WorkingDays { days: 3, rule: times }),
        ("7d", Limit::CalendarDays { days: 7 }),
        ("7 自然日", Limit::CalendarDays { days: 7 }),
    ] {
        assert_eq!(Limit::parse(text), Ok(limit), "{text}");
        assert_eq!(Limit::parse(&limit.zh()), Ok(limit), "{}", limit.zh());
        assert_eq!(Limit::parse(&limit.to_string()), Ok(limit), "{limit}");
    }
}

#[test]
fn a_limit_reads_naturally_in_both_languages() {
    for (text, zh, en) in [
        ("1h", "1 紧急工作时", "1 hour around the clock"),
        ("20m", "20 分钟（紧急）", "20 minutes around the clock"),
        ("0.5h", "30 分钟（紧急）", "30 minutes around the clock"),
        ("0.5wh", "30 工作分钟", "30 working minutes"),
        ("4wh", "4 工作时", "4 working hours"),
        ("1.5wh", "1.5 工作时", "1.5 working hours"),
        ("1wd", "1 工作日", "1 working day"),
        ("3wd-times", "3 工作日（按工时）", "3 working days of office hours"),
        ("7d", "7 自然日", "7 calendar days"),
    ] {
        let limit = Limit::parse(text).unwrap();
        assert_eq!((limit.zh().as_str(), limit.en().as_str()), (zh, en));
    }
}

#[test]
fn a_limit_that_is_not_clear_is_refused_with_its_text() {
    for text in ["", "4", "h", "4 小时", "3天", "-4wh", "+4wh", "4 wh x", "1.wh", ".5wh", "1.2.3h", "1.333h"]
    {
        assert_eq!(Limit::parse(text), Err(LimitFault::Form { text: text.to_owned() }));
    }
    for text in ["1.5wd", "0.5d", "1.33wh", "0.5m"] {
        assert_eq!(Limit::parse(text), Err(LimitFault::Fraction { text: text.to_owned() }));
    }
    for text in ["3654d", "4294967297wh", "99999999999999999999999wd"] {
        let fault = Limit::parse(text).unwrap_err();
        assert_eq!(fault, LimitFault::TooLong { text: text.to_owned() });
        assert!(fault.to_string().contains(text) && fault.zh().contains(text));
    }
}

#[test]
fn a_limit_keeps_its_shape_in_json_and_refuses_strange_fields() {
    for (text, json) in [
        ("4wh", r#"{"unit":"working_hours","minutes":240}"#),
        ("3wd", r#"{"unit":"working_days","days":3,"rule":"end_of_day"}"#),
        ("3wd-times", r#"{"unit":"working_days","days":3,"rule":"times"}"#),
        ("2h", r#"{"unit":"urgent_hours","minutes":120}"#),
        ("7d", r#"{"unit":"calendar_days","days":7}"#),
    ] {
        let limit = Limit::parse(text).unwrap();
        assert_eq!(serde_json::to_string(&limit).unwrap(), json);
        assert_eq!(serde_json::from_str::<Limit>(json).unwrap(), limit);
    }
    assert!(serde_json::from_str::<Limit>(r#"{"unit":"calendar_days","days":7,"rule":"times"}"#).is_err());
}
