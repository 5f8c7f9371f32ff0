//! How a recorded file writes its times. Pure.

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use domain::calendar::{Calendar, instant_in};
use domain::text::Text;

/// What is read where the pack says nothing: a local wall-clock time, as in `2011-07-01T08:30:00`.
const FORMATS: [&str; 4] =
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];

/// The times of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// As chrono writes it: `%Y-%m-%d %H:%M:%S`.
    format: Option<String>,
    /// The time that stands for a whole day, where the file has days only.
    time_of_day: Option<NaiveTime>,
    /// Another zone than the calendar's.
    zone: Option<Tz>,
}

/// A time as it was read.
enum Moment {
    /// What a wall clock showed.
    Local(NaiveDateTime),
    /// A time with its offset.
    Absolute(DateTime<Utc>),
}

impl Times {
    /// # Errors
    /// A format that is none, or that does not say a whole date and time.
    pub(super) fn new(
        format: Option<String>,
        time_of_day: Option<NaiveTime>,
        zone: Option<Tz>,
    ) -> Result<Self, Text> {
        let times = Self { format, time_of_day, zone };
        let Some(format) = &times.format else { return Ok(times) };
        let whole = !StrftimeItems::new(format).any(|item| matches!(item, Item::Error));
        if whole && times.read(&times.example()).is_some() {
            return Ok(times);
        }
        Err(Text::new(
            format!(
                "格式“{format}”不能读出完整的日期和时间；请按 chrono 的写法，如 %Y-%m-%d %H:%M:%S；只有日期时另写 time_of_day"
            ),
            format!(
                "the format `{format}` gives no whole date and time: write it as in %Y-%m-%d %H:%M:%S, and say time_of_day \
                 beside it where the file has days only"
            ),
        ))
    }

    /// The instant a text means.
    pub fn instant(&self, text: &str, calendar: &Calendar) -> Option<DateTime<Utc>> {
        Some(match (self.read(text)?, self.zone) {
            (Moment::Absolute(at), _) => at,
            (Moment::Local(local), Some(zone)) => instant_in(zone, local),
            (Moment::Local(local), None) => calendar.instant(local),
        })
    }

    /// Whether a text is a time of this file.
    pub fn reads(&self, text: &str) -> bool {
        self.read(text).is_some()
    }

    /// A time as the file would write it.
    pub fn example(&self) -> String {
        let morning = NaiveDate::from_ymd_opt(2011, 7, 1).and_then(|day| day.and_hms_opt(8, 30, 0));
        let format = self.format.as_deref().unwrap_or("%Y-%m-%dT%H:%M:%S");
        // A format with an error in it cannot be written.
        let fine = !StrftimeItems::new(format).any(|item| matches!(item, Item::Error));
        morning.filter(|_| fine).map(|at| at.and_utc().format(format).to_string()).unwrap_or_default()
    }

    fn read(&self, text: &str) -> Option<Moment> {
        let moment = match &self.format {
            None => FORMATS.iter().find_map(|format| local(text, format)),
            Some(format) => local_or_absolute(text, format).or_else(|| {
                let day = NaiveDate::parse_from_str(text, format).ok()?;
                Some(Moment::Local(day.and_time(self.time_of_day?)))
            }),
        };
        let year = match &moment {
            Some(Moment::Local(local)) => local.year(),
            Some(Moment::Absolute(at)) => at.year(),
            None => return None,
        };
        // Databases and calendars agree on these years.
        moment.filter(|_| (1900..=9000).contains(&year))
    }
}

fn local(text: &str, format: &str) -> Option<Moment> {
    NaiveDateTime::parse_from_str(text, format).ok().map(Moment::Local)
}

/// A format without an offset gives no absolute time, and one with an offset no other.
fn local_or_absolute(text: &str, format: &str) -> Option<Moment> {
    let absolute = DateTime::parse_from_str(text, format).ok().map(|at| Moment::Absolute(at.to_utc()));
    absolute.or_else(|| local(text, format))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar::from_json(include_str!("../../../../packs/calendars/cn.json")).unwrap()
    }

    fn at(times: &Times, text: &str) -> Option<String> {
        times.instant(text, &calendar()).map(|at| at.format("%Y-%m-%dT%H:%M").to_string())
    }

    fn times(format: &str, time_of_day: Option<&str>, zone: Option<&str>) -> Result<Times, Text> {
        let time_of_day = time_of_day.map(|text| text.parse().unwrap());
        Times::new(Some(format.to_owned()), time_of_day, zone.map(|zone| zone.parse().unwrap()))
    }

    #[test]
    fn without_a_format_wall_clock_times_are_read_in_the_calendar_s_zone() {
        for text in ["2018-02-08T08:30:00", "2018-02-08 08:30", "2018-02-08T08:30:00.000"] {
            assert_eq!(at(&Times::default(), text).as_deref(), Some("2018-02-08T00:30"), "{text}");
        }
        for text in ["2018-02-08", "08/02/2018 08:30", "1066-10-14T09:00:00", "2018-02-30T09:00:00"] {
            assert_eq!(at(&Times::default(), text), None, "{text}");
        }
    }

    #[test]
    fn days_without_a_time_are_read_with_the_one_the_pack_names() {
        let days = times("%Y/%m/%d", Some("09:00:00"), None).unwrap();
        assert_eq!(at(&days, "2018/2/8").as_deref(), Some("2018-02-08T01:00"));
        assert_eq!(days.example(), "2011/07/01");
    }

    #[test]
    fn another_zone_and_an_offset_are_what_they_say() {
        let taipei = times("%Y-%m-%d %H:%M:%S", None, Some("America/New_York")).unwrap();
        assert_eq!(at(&taipei, "2018-02-08 08:30:00").as_deref(), Some("2018-02-08T13:30"));
        let offset = times("%Y-%m-%dT%H:%M:%S%:z", None, None).unwrap();
        assert_eq!(at(&offset, "2018-02-08T08:30:00+02:00").as_deref(), Some("2018-02-08T06:30"));
    }

    #[test]
    fn a_format_that_gives_no_whole_time_is_refused() {
        for format in ["%Y-%m-%d", "%H:%M", "%Q", "soon", "%Y-%m-%d %H"] {
            let said = times(format, None, None).unwrap_err();
            assert!(
                said.en.contains("say time_of_day") && said.zh.contains("time_of_day"),
                "{format}: {said}"
            );
        }
    }
}
