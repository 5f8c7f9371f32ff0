//! What can be wrong with a calendar file: where, what, and what to do about it.

use chrono::NaiveDate;

/// Why a calendar file was refused. `Display` is one English line, [`zh`](Self::zh) one Chinese.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarFault {
    /// Not JSON, a field missing, misspelt or of another type.
    #[error("line {line}, column {column}: {detail}; correct the file to the documented format")]
    Form { line: usize, column: usize, detail: String },
    /// The code is empty, or not of lower-case letters, digits and hyphens.
    #[error("code {code:?}: use lower-case letters, digits and hyphens, such as \"cn\"")]
    Code { code: String },
    /// The zone is not in the tz database.
    #[error("zone {zone:?} is not known; use a tz database name such as \"Asia/Shanghai\"")]
    UnknownZone { zone: String },
    /// There are no office hours, so nothing would ever fall due.
    #[error("office: there are no office hours; give at least one [\"HH:MM\", \"HH:MM\"]")]
    NoOffice,
    /// An office time is not a time of day.
    #[error("office: {text:?} is not a time of day; write \"HH:MM\", from \"00:00\" to \"24:00\"")]
    OfficeTime { text: String },
    /// A stretch of office hours is empty or ends before it begins.
    #[error("office: {opens}-{closes} does not end after it begins; split a night shift at \"24:00\"")]
    OfficeSpan { opens: String, closes: String },
    /// A stretch of office hours begins before the one listed before it has ended.
    #[error("office: {opens} comes before {closes}, the end of the span before; sort or join the spans")]
    OfficeOrder { closes: String, opens: String },
    /// A key of `years` is not a year.
    #[error("years: {text:?} is not a year; write four digits, such as \"2026\"")]
    Year { text: String },
    /// A year is listed twice.
    #[error("years: {year} is listed twice; join the two")]
    YearTwice { year: i32 },
    /// A provisional year lists days, which would not be used.
    #[error("{year}: a provisional year lists days; publish the year or remove its days")]
    ProvisionalDays { year: i32 },
    /// A day is not a date.
    #[error("{year}: {text:?} is not a date; write \"YYYY-MM-DD\"")]
    Date { year: i32, text: String },
    /// A day lies in another year than the one that lists it.
    #[error("{year}: {date} is in another year; move it to that year")]
    OtherYear { year: i32, date: NaiveDate },
    /// A day is listed twice in one list.
    #[error("{year}: {date} is listed twice; remove one")]
    DateTwice { year: i32, date: NaiveDate },
    /// A day is both a holiday and a make-up working day.
    #[error("{year}: {date} is both a holiday and a make-up working day; keep one")]
    HolidayAndWorkday { year: i32, date: NaiveDate },
    /// A make-up working day is not on a weekend.
    #[error("{year}: make-up working day {date} is not a Saturday or Sunday; check it against the notice")]
    MakeupNotWeekend { year: i32, date: NaiveDate },
    /// A name's day is not a date; the number counts from 0.
    #[error("names: {text:?} is not a date; write \"YYYY-MM-DD\"")]
    NameDate { n: usize, text: String },
    /// A name ends before it begins.
    #[error("names: {to} comes before {from}, the day it begins")]
    NameEnds { n: usize, from: NaiveDate, to: NaiveDate },
    /// A name is empty in one language.
    #[error("names: the holiday from {from} has no name in one of the two languages; write both")]
    NameEmpty { n: usize, from: NaiveDate },
}

impl CalendarFault {
    /// The same in Chinese, for the console.
    pub fn zh(&self) -> String {
        match self {
            Self::Form { line, column, detail } => {
                format!("第 {line} 行第 {column} 列：{detail}；请按日历文件格式更正")
            }
            Self::Code { code } => format!("代码“{code}”：只能用小写字母、数字和连字符，如 cn"),
            Self::UnknownZone { zone } => format!("时区“{zone}”不存在；请用时区库名称，如 Asia/Shanghai"),
            Self::NoOffice => "办公时间：没有任何时段；请至少填写一段 [\"HH:MM\", \"HH:MM\"]".to_owned(),
            Self::OfficeTime { text } => {
                format!("办公时间：“{text}”不是时刻；请写 HH:MM，从 00:00 到 24:00")
            }
            Self::OfficeSpan { opens, closes } => {
                format!("办公时间：{opens}-{closes} 的结束不晚于开始；夜班请在 24:00 处拆成两段")
            }
            Self::OfficeOrder { closes, opens } => {
                format!("办公时间：{opens} 早于上一段的结束 {closes}；请按先后排列或合并")
            }
            Self::Year { text } => format!("年份：“{text}”不是年份；请写四位数字，如 2026"),
            Self::YearTwice { year } => format!("年份：{year} 年出现两次；请合并"),
            Self::ProvisionalDays { year } => {
                format!("{year} 年：暂定年份列出了日期；请改为已公布，或删去这些日期")
            }
            Self::Date { year, text } => format!("{year} 年：“{text}”不是日期；请写 YYYY-MM-DD"),
            Self::OtherYear { year, date } => format!("{year} 年：{date} 不在本年；请移到所属年份"),
            Self::DateTwice { year, date } => format!("{year} 年：{date} 重复；请删去一个"),
            Self::HolidayAndWorkday { year, date } => {
                format!("{year} 年：{date} 既是放假日又是调休上班日；请只留一个")
            }
            Self::MakeupNotWeekend { year, date } => {
                format!("{year} 年：调休上班日 {date} 不是周六或周日；请与放假通知核对")
            }
            Self::NameDate { text, .. } => format!("假日名称：“{text}”不是日期；请写 YYYY-MM-DD"),
            Self::NameEnds { from, to, .. } => format!("假日名称：{to} 早于开始日 {from}"),
            Self::NameEmpty { from, .. } => {
                format!("假日名称：{from} 起的假日缺少一种语言的名称；请两种都写")
            }
        }
    }
}
