//! A working calendar, and behind a line `---` what a pack arranges otherwise.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::calendar::{Calendar, Limit, OverlayFile};

use super::{Read, text};

const LIMITS: [&str; 5] = ["36h", "20wh", "3wd", "2wd-times", "7d"];

pub fn calendars(bytes: &[u8]) -> Read {
    let Some(text) = text(bytes) else { return Read::Refused };
    let (file, overlays) = text.split_once("\n---\n").unwrap_or((text, ""));
    let calendar = match Calendar::from_json(file) {
        Ok(calendar) => calendar,
        Err(fault) => {
            assert!(!fault.to_string().is_empty() && !fault.zh().is_empty());
            return Read::Refused;
        }
    };
    let again = Calendar::from_json(file).expect("what was taken is taken again");
    assert_eq!(again.version(), calendar.version());
    counts(&calendar);
    let Ok(overlays) = serde_json::from_str::<Vec<OverlayFile>>(overlays) else { return Read::Taken };
    if let Ok(here) = calendar.with_overlays(&overlays) {
        counts(&here);
    }
    Read::Taken
}

/// Every limit ends, from wherever it is counted.
fn counts(calendar: &Calendar) {
    let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
    for day in [day("2026-02-27"), day("2026-10-31"), day("1999-12-31")] {
        calendar.is_working_day(day);
        let start: DateTime<Utc> =
            calendar.instant(day.and_time(chrono::NaiveTime::MIN) + TimeDelta::hours(10));
        let local = calendar.instant(calendar.local(start));
        assert!(local == start || calendar.local(local) == calendar.local(start), "{start} is {local}");
        for limit in LIMITS {
            let limit = Limit::parse(limit).expect("a limit");
            let due = calendar.due(start, limit);
            assert!(start <= due.at, "{limit} from {start}: {due:?}");
            let part = calendar.part(start, due.at, limit, 80);
            assert!(start <= part && part <= due.at, "{limit} from {start}: {part}");
        }
    }
}
