//! Times as recorded files write them: a digit says which form of file it is in, and the time stands behind it.

use std::sync::LazyLock;

use chrono::Datelike as _;
use platform::pack::Times;
use serde_json::{Value, json};

use super::{Read, base, text};

/// How the `times` of a pack may say that a file writes them.
const FORMS: [fn() -> Value; 8] = [
    || json!(null),
    || json!({ "format": "%Y/%m/%d %H:%M" }),
    || json!({ "format": "%Y-%m-%d", "time_of_day": "09:00:00" }),
    || json!({ "format": "%Y-%m-%dT%H:%M:%S%:z" }),
    || json!({ "format": "%m/%d/%Y %I:%M:%S %p", "zone": "America/New_York" }),
    || json!({ "format": "%Y-%m-%d %H:%M:%S%.f", "zone": "Asia/Taipei" }),
    || json!({ "format": "%s" }),
    || json!({ "format": "%a %b %e %T %Y" }),
];

static TIMES: LazyLock<Vec<Times>> = LazyLock::new(|| FORMS.iter().map(|form| of(form())).collect());

fn of(times: Value) -> Times {
    let mut main: Value = serde_json::from_slice(&base::FILES.read["pack.json"]).expect("the base is JSON");
    match times {
        Value::Null => drop(main["recorded"].as_object_mut().map(|recorded| recorded.remove("times"))),
        times => main["recorded"]["times"] = times,
    }
    let pack = base::with([("pack.json".to_owned(), main.to_string().into_bytes())]);
    pack.unwrap_or_else(|fault| panic!("{fault}")).form_of_records().times
}

pub fn times(bytes: &[u8]) -> Read {
    let Some((form, time)) = text(bytes).and_then(|text| text.split_at_checked(1)) else {
        return Read::Refused;
    };
    let form = form.parse::<usize>().ok().and_then(|form| TIMES.get(form));
    let Some(form) = form else { return Read::Refused };
    let calendar = &base::PACK.calendar;
    let Some(at) = form.instant(time, calendar) else {
        assert!(!form.reads(time), "{time} is a time of no instant");
        return Read::Refused;
    };
    assert!(form.reads(time));
    // A day on either side of the years that are read, for the zones.
    assert!((1899..=9001).contains(&at.year()), "{time} is {at}");
    let local = calendar.local(at);
    let again = calendar.instant(local);
    assert!(again == at || calendar.local(again) == local, "{at} is {local} is {again}");
    // What databases keep of it is whole milliseconds.
    assert!(chrono::DateTime::from_timestamp_millis(at.timestamp_millis()).is_some(), "{at}");
    Read::Taken
}
