//! Explanations as people read them, and that their numbers add up.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::Value;

use super::super::model::{calendar, cn, cn_here, limits, starts, us};
use super::super::{Calendar, Limit, WorkingDayRule};
use super::words::length;

fn start(calendar: &Calendar, local: &str) -> DateTime<Utc> {
    calendar.instant(format!("{}:00", local.replace(' ', "T")).parse().unwrap())
}

fn zh(calendar: &Calendar, from: &str, limit: &str) -> Vec<String> {
    let lines = calendar.explain(start(calendar, from), Limit::parse(limit).unwrap());
    lines.into_iter().map(|line| line.zh).collect()
}

fn en(calendar: &Calendar, from: &str, limit: &str) -> Vec<String> {
    let lines = calendar.explain(start(calendar, from), Limit::parse(limit).unwrap());
    lines.into_iter().map(|line| line.en).collect()
}

#[test]
fn working_hours_over_a_make_up_saturday() {
    let calendar = calendar(&cn());
    assert_eq!(
        zh(&calendar, "2026-02-13 16:30", "4wh"),
        [
            "2026-02-13（周五）16:30 起算，限 4 工作时",
            "当日 16:30–17:30 计 1 小时",
            "2026-02-14（周六，调休上班）08:30–11:30 计 3 小时",
            "到期 2026-02-14 11:30",
        ]
    );
    assert_eq!(
        en(&calendar, "2026-02-13 16:30", "4wh"),
        [
            "From 2026-02-13 (Fri) 16:30; limit: 4 working hours",
            "That day 16:30–17:30 counts 1 h",
            "2026-02-14 (Sat, make-up working day) 08:30–11:30 counts 3 h",
            "Due 2026-02-14 11:30",
        ]
    );
}

#[test]
fn working_hours_over_the_spring_festival() {
    let calendar = calendar(&cn());
    assert_eq!(
        zh(&calendar, "2026-02-14 17:00", "2wh"),
        [
            "2026-02-14（周六）17:00 起算，限 2 工作时",
            "当日（调休上班）17:00–17:30 计 30 分钟",
            "2-15 至 2-23 春节放假，不计",
            "2026-02-24（周二）08:30–10:00 计 1.5 小时",
            "到期 2026-02-24 10:00",
        ]
    );
    assert_eq!(en(&calendar, "2026-02-14 17:00", "2wh")[2], "Feb 15 to Feb 23: Spring Festival, not counted");
}

#[test]
fn a_day_with_a_noon_break_is_one_line() {
    assert_eq!(
        zh(&calendar(&cn()), "2026-09-30 16:00", "8wh")[1..],
        [
            "当日 16:00–17:30 计 1.5 小时",
            "10-1 至 10-7 国庆节放假，不计",
            "2026-10-08（周四）08:30–12:00、13:30–16:30 计 6.5 小时",
            "到期 2026-10-08 16:30",
        ]
    );
}

#[test]
fn working_days_are_counted_as_days() {
    let calendar = calendar(&cn());
    assert_eq!(
        zh(&calendar, "2026-02-13 10:00", "3wd"),
        [
            "2026-02-13（周五）10:00 起算，限 3 工作日",
            "工作日从次日起算，第 3 个工作日下班时到期",
            "2026-02-14（周六，调休上班）为第 1 个工作日",
            "2-15 至 2-23 春节放假，不计",
            "2026-02-24（周二）至 2-25（周三）为第 2 至 3 个工作日",
            "到期 2026-02-25 17:30",
        ]
    );
    assert_eq!(
        en(&calendar, "2026-03-05 10:00", "3wd")[2],
        "2026-03-06 (Fri) to Mar 10 (Tue) are working days 1 to 3; the 2 weekend days between do not"
    );
}

#[test]
fn weeks_of_whole_days_are_told_in_one_line() {
    assert_eq!(
        zh(&calendar(&cn()), "2026-03-02 16:30", "15wd-times")[1..],
        [
            "按工时：每个工作日计 7.5 小时，共 112.5 小时",
            "当日 16:30–17:30 计 1 小时",
            "2026-03-03（周二）至 3-20（周五）14 个工作日，每日 08:30–12:00、13:30–17:30，计 105 小时；其间周末 4 天不计",
            "3-21 至 3-22 周末，不计",
            "2026-03-23（周一）08:30–12:00、13:30–16:30 计 6.5 小时",
            "到期 2026-03-23 16:30",
        ]
    );
}

#[test]
fn a_limit_of_many_holidays_is_told_by_its_ends() {
    let lines = zh(&calendar(&cn()), "2024-01-02 10:00", "400wd");
    assert_eq!(lines.len(), 10, "{lines:#?}");
    assert!(lines[5].contains("其间周末和放假"), "{lines:#?}");
    assert_eq!(lines[0], "2024-01-02（周二）10:00 起算，限 400 工作日");
}

#[test]
fn urgent_hours_and_calendar_days_are_told_simply() {
    let calendar = calendar(&cn());
    assert_eq!(
        zh(&calendar, "2026-02-13 16:30", "4h"),
        [
            "2026-02-13（周五）16:30 起算，限 4 紧急工作时",
            "紧急工作时昼夜连续计算，夜间、周末、节假日照计",
            "到期 2026-02-13 20:30",
        ]
    );
    assert_eq!(zh(&calendar, "2026-02-13 16:30", "7d")[1], "自然日：7 天后的同一时刻，周末、节假日照计");
    assert_eq!(
        zh(&calendar, "2026-02-13 16:30", "0h")[1..],
        ["时限为零，起算即到期", "到期 2026-02-13 16:30"]
    );
}

#[test]
fn summer_hours_and_days_a_typhoon_closes_are_named() {
    let calendar = calendar(&cn_here());
    assert_eq!(
        zh(&calendar, "2026-07-07 16:30", "4wh")[1..],
        [
            "当日 16:30–17:30 计 1 小时",
            "7-8 至 7-9 「台风」不办公，不计",
            "2026-07-10（周五）08:30–11:30 计 3 小时",
            "到期 2026-07-10 11:30",
        ]
    );
    assert_eq!(
        zh(&calendar, "2026-06-26 16:30", "4wh")[1..],
        [
            "当日（按「夏季」）16:30–17:30 计 1 小时",
            "6-27 至 6-28 周末，不计",
            "2026-06-29（周一，按「夏季」）08:30–11:30 计 3 小时",
            "到期 2026-06-29 11:30",
        ]
    );
}

#[test]
fn a_start_that_is_no_office_hour_says_what_is_waited_for() {
    let calendar = calendar(&cn());
    assert_eq!(zh(&calendar, "2026-03-02 18:00", "1wh")[1], "当日办公时间已过，不计");
    assert_eq!(zh(&calendar, "2026-03-01 10:00", "1wh")[1], "3-1 周末，不计");
    assert_eq!(zh(&calendar, "2026-03-02 06:00", "1wh")[1], "当日 08:30–09:30 计 1 小时");
}

#[test]
fn a_year_that_nobody_has_published_is_said_to_be_so() {
    let lines = zh(&calendar(&cn()), "2026-12-31 16:30", "2wh");
    assert_eq!(
        lines[1..],
        [
            "当日 16:30–17:30 计 1 小时",
            "2027-01-01（周五）08:30–09:30 计 1 小时",
            "到期 2027-01-01 09:30（暂定）",
            "暂定：2027 年的放假安排尚未公布，目前只按周末休息计；公布后重新计算，并留下记录",
        ]
    );
}

#[test]
fn seconds_are_told_only_where_minutes_would_tell_of_nothing() {
    let calendar = calendar(&cn());
    let late = start(&calendar, "2026-03-02 16:30") + TimeDelta::seconds(40);
    let lines = calendar.explain(late, Limit::parse("2wh").unwrap());
    assert_eq!(lines[1].zh, "当日 16:30–17:30 计 1 小时");
    let latest = start(&calendar, "2026-03-02 08:30") + TimeDelta::seconds(40);
    let lines = calendar.explain(latest, Limit::parse("3.5wh").unwrap());
    assert_eq!(lines[1].zh, "当日 08:30:40–12:00:00、13:30:00–13:30:40 计 3.5 小时");
}

#[test]
fn the_reminder_says_of_what_it_is_a_part() {
    let calendar = calendar(&cn());
    let part = |from: &str, limit: &str| {
        let (start, limit) = (start(&calendar, from), Limit::parse(limit).unwrap());
        calendar.explain_part(start, calendar.due(start, limit).at, Some(limit), 80).zh
    };
    assert_eq!(part("2026-02-13 16:30", "4wh"), "从起算到到期共办公时间 4 小时，其 80% 为 3 小时 12 分钟");
    assert_eq!(
        part("2026-02-13 10:00", "3wd"),
        "从起算到到期共办公时间 28.5 小时，其 80% 为 22 小时 48 分钟"
    );
    assert_eq!(part("2026-02-13 10:00", "1h"), "从起算到到期共 1 小时，其 80% 为 48 分钟");
}

#[test]
fn what_follows_a_due_time_is_one_sentence() {
    let calendar = calendar(&cn());
    let brief = |from: &str, limit: &str| {
        calendar.explain_briefly(start(&calendar, from), Limit::parse(limit).unwrap()).map(|text| text.zh)
    };
    assert_eq!(
        brief("2026-02-14 11:30", "2wh").unwrap(),
        "当日（调休上班）11:30–12:00、13:30–15:00 计 2 小时"
    );
    assert_eq!(brief("2026-02-14 11:30", "0h"), None);
    assert_eq!(brief("2026-02-14 11:30", "2h"), None);
}

#[test]
fn a_length_is_told_in_the_units_that_are_there() {
    for (seconds, zh, en) in [
        (0, "0 分钟", "0 min"),
        (1_800, "30 分钟", "30 min"),
        (5_400, "1.5 小时", "1.5 h"),
        (11_520, "3 小时 12 分钟", "3 h 12 min"),
        (3_588, "59 分钟 48 秒", "59 min 48 s"),
    ] {
        let told = length(seconds);
        assert_eq!((told.zh.as_str(), told.en.as_str()), (zh, en));
    }
}

/// What the lines tell adds up to the limit, and the last of them is when it is due.
fn agree(file: &Value, start: DateTime<Utc>, limit: Limit) -> Result<(), TestCaseError> {
    let calendar = calendar(file);
    let due = calendar.due(start, limit);
    let days = calendar.reckoned(start, limit, due.at);
    let words = calendar.words(start, &days);
    let told: i64 = days.iter().map(|day| words.counted(day)).sum();
    let granted = match limit {
        Limit::WorkingHours { minutes } => Some(i64::from(minutes) * 60),
        Limit::WorkingDays { days, rule: WorkingDayRule::Times } => {
            Some(i64::from(days) * i64::from(calendar.office_minutes()) * 60)
        }
        _ => None,
    };
    if let Some(granted) = granted {
        prop_assert_eq!(told, granted, "{} told", calendar.written(start));
    }
    let lines = calendar.explain(start, limit);
    prop_assert!(lines[0].zh.starts_with(&calendar.written(start)[..10]));
    let end = if due.provisional { lines.len() - 2 } else { lines.len() - 1 };
    let mark = calendar.written(due.at);
    prop_assert!(lines[end].zh.contains(&mark), "{} at {mark}", lines[end].zh);
    prop_assert!(lines[end].en.contains(&mark), "{} at {mark}", lines[end].en);
    prop_assert!(lines.len() <= super::MOST_GROUPS + 4);
    prop_assert!(lines.iter().all(|line| !line.zh.is_empty() && !line.en.is_empty()));
    Ok(())
}

proptest! {
    #[test]
    fn what_chinese_lines_tell_adds_up_to_the_limit(
        start in starts("2025-12-20T00:00:00Z", 390), limit in limits(),
    ) {
        agree(&cn(), start, limit)?;
    }

    #[test]
    fn what_lines_tell_under_local_arrangements_adds_up_too(
        start in starts("2026-05-20T00:00:00Z", 120), limit in limits(),
    ) {
        agree(&cn_here(), start, limit)?;
    }

    #[test]
    fn what_lines_of_boston_tell_adds_up_too(start in starts("2011-10-01T00:00:00Z", 180), limit in limits()) {
        agree(&us(), start, limit)?;
    }
}

/// The deadlines a dispatcher would reckon by hand: each explained, the lines add up, and the end is the one expected.
#[test]
fn deadlines_reckoned_by_hand_are_explained_to_the_same_end() {
    for (from, limit, due) in [
        ("2026-02-13 16:30", "4wh", "2026-02-14 11:30"),
        ("2026-02-14 17:00", "2wh", "2026-02-24 10:00"),
        ("2026-09-24 17:00", "4wh", "2026-09-28 12:00"),
        ("2026-09-30 16:00", "8wh", "2026-10-08 16:30"),
        ("2026-05-08 17:00", "2wh", "2026-05-09 10:00"),
        ("2026-02-13 10:00", "3wd", "2026-02-25 17:30"),
        ("2026-02-13 10:00", "3wd-times", "2026-02-25 10:00"),
        ("2026-09-30 10:00", "5wd", "2026-10-13 17:30"),
        ("2026-12-31 10:00", "1wd", "2027-01-01 17:30"),
        ("2026-02-13 16:30", "4h", "2026-02-13 20:30"),
        ("2026-09-30 16:00", "8h", "2026-10-01 00:00"),
    ] {
        let file = cn();
        let calendar = calendar(&file);
        let start = start(&calendar, from);
        let lines = calendar.explain(start, Limit::parse(limit).unwrap());
        let end = format!("到期 {due}");
        assert!(lines.iter().any(|line| line.zh.starts_with(&end)), "{from} {limit}: {lines:#?}");
        agree(&file, start, Limit::parse(limit).unwrap()).unwrap();
    }
}
