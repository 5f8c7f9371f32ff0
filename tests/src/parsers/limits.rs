//! Limits in their notation, and what comes of them from a moment on: `4wh|2026-03-06T07:30:00Z`.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use domain::calendar::{Calendar, LONGEST_DAYS, Limit};

use super::{Read, text};

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
    let file = include_str!("../../../shared/packs/calendars/us.json");
    Calendar::from_json(file).expect("a calendar of ours can be read")
});

pub fn limits(bytes: &[u8]) -> Read {
    let Some(text) = text(bytes) else { return Read::Refused };
    let (text, start) = text.split_once('|').unwrap_or((text, "2026-03-06T20:30:00Z"));
    let Ok(limit) = Limit::parse(text) else { return Read::Refused };
    for written in [limit.to_string(), limit.zh()] {
        assert_eq!(Limit::parse(&written), Ok(limit), "{written}");
    }
    let json = serde_json::to_string(&limit).expect("a limit is plain data");
    assert_eq!(serde_json::from_str::<Limit>(&json).ok(), Some(limit), "{json}");
    if let Ok(start) = start.parse::<DateTime<Utc>>() {
        ends(limit, start);
    }
    Read::Taken
}

/// It ends, after its start and not for ever, and can be told.
fn ends(limit: Limit, start: DateTime<Utc>) {
    let due = CALENDAR.due(start, limit);
    let latest = start.checked_add_signed(TimeDelta::days(i64::from(LONGEST_DAYS) + 1));
    assert!(start <= due.at && latest.is_none_or(|latest| due.at <= latest), "{limit} from {start}: {due:?}");
    let part = CALENDAR.part(start, due.at, limit, 80);
    assert!(start <= part && part <= due.at, "{limit} from {start}: {part}");
    assert!(!CALENDAR.explain(start, limit).is_empty(), "{limit} from {start}");
}
