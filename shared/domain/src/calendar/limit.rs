//! How much time is granted: the four units of urban-governance limits, and their notation.
//!
//! A limit is written as a number and a unit, with or without a space, in the short or the Chinese
//! form:
//!
//! | short | Chinese | meaning |
//! |---|---|---|
//! | `2h`, `1.5h` | `2 紧急工作时` | hours around the clock |
//! | `20m` | `20 分钟（紧急）` | minutes around the clock |
//! | `4wh`, `0.5wh` | `4 工作时` | hours inside office hours |
//! | `20wm` | `20 工作分钟` | minutes inside office hours |
//! | `3wd` | `3 工作日` | working days, due at close of business |
//! | `3wd-times` | `3 工作日（按工时）` | working days, each worth the office minutes of a day |
//! | `7d` | `7 自然日` | calendar days |
//!
//! Only hours may have a fraction, of one or two digits, that comes to whole minutes. A plain
//! "小时" or "天" is refused: it does not say which clock it means.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of time to do something in, in the unit the rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case", deny_unknown_fields)]
pub enum Limit {
    /// 紧急工作时: consecutive time, around the clock, seven days a week (GB/T 30428.8).
    UrgentHours { minutes: u32 },
    /// 工作时: time inside office hours.
    WorkingHours { minutes: u32 },
    /// 工作日: working days, read by one of two rules.
    WorkingDays { days: u32, rule: WorkingDayRule },
    /// 自然日: the same local time of day, so many days later.
    CalendarDays { days: u32 },
}

/// What "N working days" means; local rules differ, so each rule says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkingDayRule {
    /// Counted from the next working day; due at close of business of the Nth.
    EndOfDay,
    /// N × the office minutes of a day, counted like working hours.
    Times,
}

/// Why a text is not a limit. `Display` is one English line, [`zh`](Self::zh) one Chinese.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitFault {
    /// Not a number followed by a unit.
    #[error("limit {text:?} is not a number and a unit; write one such as 2h, 4wh, 3wd, 3wd-times or 7d")]
    Form { text: String },
    /// A fraction of a day, or of an hour that is not whole minutes.
    #[error("limit {text:?} is not whole: only hours take a fraction, of whole minutes, such as 1.5h or 20m")]
    Fraction { text: String },
    /// More than ten years, which is a slip of the pen.
    #[error("limit {text:?} is longer than ten years; check the number and the unit")]
    TooLong { text: String },
}

/// Ten years, leap days and all.
const LONGEST_LIMIT_DAYS: u32 = 3_653;
const LONGEST_LIMIT_MINUTES: u32 = LONGEST_LIMIT_DAYS * 24 * 60;

impl Limit {
    /// Reads a limit in the notation of this module.
    ///
    /// # Errors
    /// A [`LimitFault`] that repeats the text.
    pub fn parse(text: &str) -> Result<Self, LimitFault> {
        let form = || LimitFault::Form { text: text.to_owned() };
        let (hundredths, unit) = number_and_unit(text.trim()).ok_or_else(form)?;
        let minutes = |of_one: u64| whole(hundredths, of_one, LONGEST_LIMIT_MINUTES, text);
        let days = || whole(hundredths, 1, LONGEST_LIMIT_DAYS, text);
        match unit {
            "h" | "紧急工作时" => Ok(Self::UrgentHours { minutes: minutes(60)? }),
            "m" | "分钟（紧急）" | "分钟(紧急)" | "紧急工作分钟" => {
                Ok(Self::UrgentHours { minutes: minutes(1)? })
            }
            "wh" | "工作时" => Ok(Self::WorkingHours { minutes: minutes(60)? }),
            "wm" | "工作分钟" => Ok(Self::WorkingHours { minutes: minutes(1)? }),
            "wd" | "工作日" => Ok(Self::WorkingDays { days: days()?, rule: WorkingDayRule::EndOfDay }),
            "wd-times" | "工作日（按工时）" | "工作日(按工时)" => {
                Ok(Self::WorkingDays { days: days()?, rule: WorkingDayRule::Times })
            }
            "d" | "自然日" => Ok(Self::CalendarDays { days: days()? }),
            _ => Err(form()),
        }
    }

    /// Chinese text, such as `4 工作时`; [`parse`](Self::parse) reads it back.
    pub fn zh(&self) -> String {
        match *self {
            Self::UrgentHours { minutes } => match spoken_hours(minutes) {
                Some(hours) => format!("{hours} 紧急工作时"),
                None => format!("{minutes} 分钟（紧急）"),
            },
            Self::WorkingHours { minutes } => match spoken_hours(minutes) {
                Some(hours) => format!("{hours} 工作时"),
                None => format!("{minutes} 工作分钟"),
            },
            Self::WorkingDays { days, rule: WorkingDayRule::EndOfDay } => format!("{days} 工作日"),
            Self::WorkingDays { days, rule: WorkingDayRule::Times } => format!("{days} 工作日（按工时）"),
            Self::CalendarDays { days } => format!("{days} 自然日"),
        }
    }

    /// English text, such as `4 working hours`.
    pub fn en(&self) -> String {
        match *self {
            Self::UrgentHours { minutes } => format!("{} around the clock", english_hours(minutes, "")),
            Self::WorkingHours { minutes } => english_hours(minutes, "working "),
            Self::WorkingDays { days, rule: WorkingDayRule::EndOfDay } => english_days(days, "working"),
            Self::WorkingDays { days, rule: WorkingDayRule::Times } => {
                format!("{} of office hours", english_days(days, "working"))
            }
            Self::CalendarDays { days } => english_days(days, "calendar"),
        }
    }

    /// 紧急: whether it counts hours or minutes around the clock.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::UrgentHours { .. })
    }

    /// Whether it grants no time at all.
    pub fn is_zero(&self) -> bool {
        match *self {
            Self::UrgentHours { minutes } | Self::WorkingHours { minutes } => minutes == 0,
            Self::WorkingDays { days, .. } | Self::CalendarDays { days } => days == 0,
        }
    }
}

/// The short form, such as `4wh`; [`Limit::parse`] reads it back.
impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Self::UrgentHours { minutes } => match half_hours(minutes) {
                Some(hours) => write!(out, "{hours}h"),
                None => write!(out, "{minutes}m"),
            },
            Self::WorkingHours { minutes } => match half_hours(minutes) {
                Some(hours) => write!(out, "{hours}wh"),
                None => write!(out, "{minutes}wm"),
            },
            Self::WorkingDays { days, rule: WorkingDayRule::EndOfDay } => write!(out, "{days}wd"),
            Self::WorkingDays { days, rule: WorkingDayRule::Times } => write!(out, "{days}wd-times"),
            Self::CalendarDays { days } => write!(out, "{days}d"),
        }
    }
}

impl LimitFault {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Form { text } => format!(
                "时限“{text}”不是数字加单位；请写如 4 工作时、3 工作日、7 自然日、2 紧急工作时（或 4wh、3wd、7d、2h）"
            ),
            Self::Fraction { text } => {
                format!("时限“{text}”不是整数：只有小时可带小数，且须合整分钟，如 1.5 工作时或 20 工作分钟")
            }
            Self::TooLong { text } => format!("时限“{text}”超过十年；请核对数字和单位"),
        }
    }
}

/// `"1.5 wh"` as 150 hundredths and `"wh"`.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(end);
    Some((hundredths(number)?, unit.trim_start()))
}

fn hundredths(number: &str) -> Option<u64> {
    let (whole, fraction) = match number.split_once('.') {
        None => (number, 0),
        Some((whole, fraction)) => (whole, fraction_hundredths(fraction)?),
    };
    // Far above every limit, and refused as too long by whoever asked.
    let whole: u64 = if whole.len() > 12 { 1_000_000_000_000 } else { whole.parse().ok()? };
    Some(whole * 100 + fraction)
}

fn fraction_hundredths(fraction: &str) -> Option<u64> {
    let digits: u64 = fraction.parse().ok()?;
    match fraction.len() {
        1 => Some(digits * 10),
        2 => Some(digits),
        _ => None,
    }
}

fn whole(hundredths: u64, of_one: u64, longest: u32, text: &str) -> Result<u32, LimitFault> {
    let hundredths = hundredths * of_one;
    if !hundredths.is_multiple_of(100) {
        return Err(LimitFault::Fraction { text: text.to_owned() });
    }
    let amount = u32::try_from(hundredths / 100).ok().filter(|&amount| amount <= longest);
    amount.ok_or_else(|| LimitFault::TooLong { text: text.to_owned() })
}

/// 240 as `4`, 90 as `1.5`, and nothing for what is better said in minutes.
fn half_hours(minutes: u32) -> Option<String> {
    match minutes % 60 {
        0 => Some(format!("{}", minutes / 60)),
        30 => Some(format!("{}.5", minutes / 60)),
        _ => None,
    }
}

/// The same for a reader, to whom half an hour is 30 minutes.
fn spoken_hours(minutes: u32) -> Option<String> {
    half_hours(minutes).filter(|_| minutes == 0 || minutes >= 60)
}

fn english_hours(minutes: u32, kind: &str) -> String {
    match spoken_hours(minutes) {
        Some(hours) if hours == "1" => format!("1 {kind}hour"),
        Some(hours) => format!("{hours} {kind}hours"),
        None if minutes == 1 => format!("1 {kind}minute"),
        None => format!("{minutes} {kind}minutes"),
    }
}

fn english_days(days: u32, kind: &str) -> String {
    if days == 1 { format!("1 {kind} day") } else { format!("{days} {kind} days") }
}
