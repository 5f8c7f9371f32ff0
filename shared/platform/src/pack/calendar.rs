//! The calendar file a pack names, and where in it a fault lies.

use domain::calendar::{Calendar, CalendarFault};
use domain::text::Text;

use super::fault::Fault;
use super::files::Source;
use super::locate::locate;

pub(super) fn read(source: &Source) -> Result<Calendar, Fault> {
    Calendar::from_json(&source.text).map_err(|fault| match fault {
        CalendarFault::Form { line, column, detail } => {
            let reason = Text::new(
                format!("{detail}；请按日历文件格式更正"),
                format!("{detail}; correct the file to the documented format"),
            );
            Fault::at_spot(&source.name, (line, column), reason)
        }
        fault => {
            let spot = locate(&source.text, &path(&fault));
            Fault::at_spot(&source.name, spot, Text::new(fault.zh(), fault.to_string()))
        }
    })
}

fn path(fault: &CalendarFault) -> String {
    match fault {
        CalendarFault::Form { .. } => String::new(),
        CalendarFault::Code { .. } => "code".to_owned(),
        CalendarFault::UnknownZone { .. } => "zone".to_owned(),
        CalendarFault::NoOffice
        | CalendarFault::OfficeTime { .. }
        | CalendarFault::OfficeSpan { .. }
        | CalendarFault::OfficeOrder { .. } => "office".to_owned(),
        CalendarFault::Year { text } => format!("years/{text}"),
        CalendarFault::YearTwice { year }
        | CalendarFault::ProvisionalDays { year }
        | CalendarFault::Date { year, .. }
        | CalendarFault::OtherYear { year, .. }
        | CalendarFault::DateTwice { year, .. }
        | CalendarFault::HolidayAndWorkday { year, .. }
        | CalendarFault::MakeupNotWeekend { year, .. } => format!("years/{year}"),
        CalendarFault::NameDate { n, .. }
        | CalendarFault::NameEnds { n, .. }
        | CalendarFault::NameEmpty { n, .. } => format!("names/{n}"),
    }
}
