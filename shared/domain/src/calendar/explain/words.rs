//! How one line is put, in Chinese and in English.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::super::reckoned::{Day, Sort, Stretch};
use super::super::{Calendar, Due, Limit};
use super::groups::Group;
use crate::text::Text;

const WEEKDAYS: [(&str, &str); 7] = [
    ("周一", "Mon"),
    ("周二", "Tue"),
    ("周三", "Wed"),
    ("周四", "Thu"),
    ("周五", "Fri"),
    ("周六", "Sat"),
    ("周日", "Sun"),
];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How times are told in one explanation.
pub(super) struct Words<'a> {
    pub calendar: &'a Calendar,
    /// The local day of the start.
    pub first: NaiveDate,
    /// Times are told to the second.
    pub seconds: bool,
}

impl Words<'_> {
    pub(super) fn begins(&self, start: DateTime<Utc>, limit: Limit) -> Text {
        let (zh, en) = weekday(self.first);
        let time = self.time(start, self.first);
        Text::new(
            format!("{}（{zh}）{time} 起算，限 {}", self.first, limit.zh()),
            format!("From {} ({en}) {time}; limit: {}", self.first, limit.en()),
        )
    }

    pub(super) fn ends(&self, due: Due) -> Text {
        let date = self.calendar.local(due.at).date();
        let time = self.time(due.at, date);
        let (zh, en) = if due.provisional { ("（暂定）", " (provisional)") } else { ("", "") };
        Text::new(format!("到期 {date} {time}{zh}"), format!("Due {date} {time}{en}"))
    }

    /// `days`: which working days these are, where days are counted and not hours.
    pub(super) fn group(&self, group: &Group<'_>, days: Option<(u32, u32)>) -> Text {
        match group {
            Group::Day(day) => self.day(day, days),
            Group::Run { first, last, worked, weekend_days } => {
                self.run(first, *last, *worked, *weekend_days, days)
            }
            Group::Free { first, last, reasons, days } => self.free(*first, *last, reasons, *days),
            Group::Over(_) => Text::new("当日办公时间已过，不计", "Office hours of that day were over"),
            Group::Many(between) => self.many(between, group.worked(), days),
        }
    }

    /// Whether it counts as a day, or how much of it does.
    fn day(&self, day: &Day<'_>, days: Option<(u32, u32)>) -> Text {
        let name = self.name(day);
        if let Some((n, _)) = days {
            return Text::new(
                format!("{}为第 {n} 个工作日", name.zh),
                format!("{} is working day {n}", name.en),
            );
        }
        let (spans_zh, spans_en) = self.spans(day);
        let counted = length(self.counted(day));
        let verb = if day.counts.len() == 1 { "counts" } else { "count" };
        Text::new(
            format!("{}{spans_zh} 计 {}", name.zh, counted.zh),
            format!("{} {spans_en} {verb} {}", name.en, counted.en),
        )
    }

    fn run(
        &self,
        first: &Day<'_>,
        last: NaiveDate,
        worked: u32,
        weekend_days: u32,
        days: Option<(u32, u32)>,
    ) -> Text {
        let (name, until) = (self.name(first), self.short(last));
        let (weekday_zh, weekday_en) = weekday(last);
        let between = match weekend_days {
            0 => Text::new("", ""),
            days => Text::new(
                format!("；其间周末 {days} 天不计"),
                format!(
                    "; the {} not",
                    one_or_more(days, "weekend day between does", "weekend days between do")
                ),
            ),
        };
        if let Some((from, to)) = days {
            return Text::new(
                format!(
                    "{}至 {}（{weekday_zh}）为第 {from} 至 {to} 个工作日{}",
                    name.zh, until.zh, between.zh
                ),
                format!(
                    "{} to {} ({weekday_en}) are working days {from} to {to}{}",
                    name.en, until.en, between.en
                ),
            );
        }
        let (spans_zh, spans_en) = self.spans(first);
        let counted = length(self.counted(first) * i64::from(worked));
        Text::new(
            format!(
                "{}至 {}（{weekday_zh}）{worked} 个工作日，每日 {spans_zh}，计 {}{}",
                name.zh, until.zh, counted.zh, between.zh
            ),
            format!(
                "{} to {} ({weekday_en}): {worked} working days of {spans_en} count {}{}",
                name.en, until.en, counted.en, between.en
            ),
        )
    }

    fn free(&self, first: NaiveDate, last: NaiveDate, reasons: &[Sort<'_>], days: u32) -> Text {
        let why: Vec<Text> = reasons.iter().map(reason).collect();
        let joined = |of: fn(&Text) -> &str, between| why.iter().map(of).collect::<Vec<_>>().join(between);
        let (zh, en) = (joined(|one| &one.zh, "、"), joined(|one| &one.en, ", "));
        let (from, to) = (self.short(first), self.short(last));
        if days == 1 {
            return Text::new(format!("{} {zh}，不计", from.zh), format!("{}: {en}, not counted", from.en));
        }
        Text::new(
            format!("{} 至 {} {zh}，不计", from.zh, to.zh),
            format!("{} to {}: {en}, not counted", from.en, to.en),
        )
    }

    fn many(&self, between: &[&Day<'_>], worked: u32, days: Option<(u32, u32)>) -> Text {
        let (Some(first), Some(last)) = (between.first(), between.last()) else { return Text::new("", "") };
        let free = between.iter().filter(|day| day.counts.is_empty()).count() as u64;
        let sum = length(between.iter().map(|day| self.counted(day)).sum());
        let counts = match days {
            Some((from, to)) => {
                Text::new(format!("为第 {from} 至 {to} 个工作日"), format!("working days {from} to {to}"))
            }
            None => Text::new(
                format!("{worked} 个工作日，计 {}", sum.zh),
                format!("{} {}", one_or_more(worked, "working day counts", "working days count"), sum.en),
            ),
        };
        let (from, to) = (self.short(first.date), self.short(last.date));
        Text::new(
            format!("{} 至 {} {}；其间周末和放假 {free} 天不计", from.zh, to.zh, counts.zh),
            format!(
                "{} to {}: {}; {} not",
                from.en,
                to.en,
                counts.en,
                one_or_more(free, "day off between does", "days off between do")
            ),
        )
    }

    /// The day, with what is special about it.
    fn name(&self, day: &Day<'_>) -> Text {
        let (zh, en) = weekday(day.date);
        let special = special(day.sort);
        if day.date != self.first {
            let and = |text: &str, between| {
                if text.is_empty() { String::new() } else { format!("{between}{text}") }
            };
            return Text::new(
                format!("{}（{zh}{}）", day.date, and(&special.zh, "，")),
                format!("{} ({en}{})", day.date, and(&special.en, ", ")),
            );
        }
        if special.zh.is_empty() {
            return Text::new("当日 ", "That day");
        }
        Text::new(format!("当日（{}）", special.zh), format!("That day ({})", special.en))
    }

    fn spans(&self, day: &Day<'_>) -> (String, String) {
        let span = |(from, until): &Stretch| {
            format!("{}–{}", self.time(*from, day.date), self.time(*until, day.date))
        };
        let spans: Vec<String> = day.counts.iter().map(span).collect();
        (spans.join("、"), spans.join(", "))
    }

    /// What is told of a day, in seconds: from times as they are shown.
    pub(super) fn counted(&self, day: &Day<'_>) -> i64 {
        let unit = if self.seconds { 1 } else { 60 };
        let shown = |at: &DateTime<Utc>| at.timestamp().div_euclid(unit) * unit;
        day.counts.iter().map(|(from, until)| shown(until) - shown(from)).sum()
    }

    /// A time of `date`; the midnight that ends it is its 24:00.
    fn time(&self, at: DateTime<Utc>, date: NaiveDate) -> String {
        let local = self.calendar.local(at);
        let form = if self.seconds { "%H:%M:%S" } else { "%H:%M" };
        if local.date() > date { "24:00".to_owned() } else { local.format(form).to_string() }
    }

    /// A day without its year, unless that is another than the start's.
    fn short(&self, date: NaiveDate) -> Text {
        let month = usize::try_from(date.month0()).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"");
        if date.year() == self.first.year() {
            return Text::new(format!("{}-{}", date.month(), date.day()), format!("{month} {}", date.day()));
        }
        Text::new(
            format!("{}-{}-{}", date.year(), date.month(), date.day()),
            format!("{month} {}, {}", date.day(), date.year()),
        )
    }
}

fn weekday(date: NaiveDate) -> (&'static str, &'static str) {
    let day = usize::try_from(date.weekday().num_days_from_monday()).ok();
    day.and_then(|day| WEEKDAYS.get(day)).copied().unwrap_or(("", ""))
}

/// Why a day counts that one might not expect to, or otherwise.
fn special(sort: Sort<'_>) -> Text {
    match sort {
        Sort::MakeUp => Text::new("调休上班", "make-up working day"),
        Sort::Arranged { why: Text { zh, en }, make_up: false } => {
            Text::new(format!("按「{zh}」"), format!("by “{en}”"))
        }
        Sort::Arranged { why: Text { zh, en }, make_up: true } => {
            Text::new(format!("调休上班，按「{zh}」"), format!("make-up working day, by “{en}”"))
        }
        Sort::Working | Sort::Weekend | Sort::Holiday(_) | Sort::Closed(_) => Text::new("", ""),
    }
}

/// Why a day does not count.
fn reason(sort: &Sort<'_>) -> Text {
    match sort {
        Sort::Holiday(Some(name)) => Text::new(format!("{}放假", name.zh), name.en.clone()),
        Sort::Holiday(None) => Text::new("放假", "public holiday"),
        Sort::Closed(Text { zh, en }) => Text::new(format!("「{zh}」不办公"), format!("closed by “{en}”")),
        Sort::Weekend | Sort::Working | Sort::MakeUp | Sort::Arranged { .. } => Text::new("周末", "weekend"),
    }
}

/// `1 day off`, `2 days off`.
fn one_or_more(count: impl Copy + Into<u64>, one: &str, more: &str) -> String {
    let count = count.into();
    format!("{count} {}", if count == 1 { one } else { more })
}

/// A length of time, such as `3 小时 12 分`.
pub(super) fn length(seconds: i64) -> Text {
    let (hours, minutes, rest) = (seconds / 3_600, seconds % 3_600 / 60, seconds % 60);
    let parts = |hour: &str, minute: &str, second: &str| {
        if rest == 0 && minutes == 30 && hours > 0 {
            return format!("{hours}.5 {hour}");
        }
        let parts = [(hours, hour), (minutes, minute), (rest, second)];
        let told: Vec<String> = parts
            .iter()
            .filter(|(amount, _)| *amount > 0)
            .map(|(amount, unit)| format!("{amount} {unit}"))
            .collect();
        if told.is_empty() { format!("0 {minute}") } else { told.join(" ") }
    };
    Text::new(parts("小时", "分钟", "秒"), parts("h", "min", "s"))
}
