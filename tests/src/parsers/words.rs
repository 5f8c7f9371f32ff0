//! Single words. What is taken is written again as it was read, or read again as the same.

use std::fmt::Debug;
use std::str::FromStr;

use domain::area::{AreaPath, Level};
use domain::deadline::{DeadlineKind, Does};
use domain::facts::Topic;
use domain::holder::Holder;
use domain::id::IncidentId;
use domain::partner::{Class, Standing, Status};
use domain::place::Datum;
use domain::rights::Role;

use super::{Read, text};

pub fn words(bytes: &[u8]) -> Read {
    let Some(text) = text(bytes) else { return Read::Refused };
    let taken = [
        word(text, |level: &Level| level.to_string()),
        word(text, |path: &AreaPath| path.to_string()),
        word(text, |holder: &Holder| holder.to_string()),
        word(text, |role: &Role| role.as_str().to_owned()),
        word(text, |kind: &DeadlineKind| kind.as_str().to_owned()),
        word(text, |does: &Does| does.as_str().to_owned()),
        word(text, |topic: &Topic| topic.to_string()),
        word(text, |class: &Class| class.as_str().to_owned()),
        word(text, |status: &Status| status.as_str().to_owned()),
        word(text, |standing: &Standing| standing.as_str().to_owned()),
        incident(text),
        datum(text),
    ];
    taken.contains(&true).into()
}

/// Whether the text is such a word; it is then the only way to write it.
fn word<T: FromStr + PartialEq + Debug>(text: &str, written: impl Fn(&T) -> String) -> bool {
    let Ok(word) = text.parse::<T>() else { return false };
    assert_eq!(written(&word), text, "{word:?} is written otherwise");
    true
}

/// An id may be written in several ways; all mean the same, and have a time or none.
fn incident(text: &str) -> bool {
    let Ok(incident) = text.parse::<IncidentId>() else { return false };
    assert_eq!(incident.to_string().parse::<IncidentId>().ok(), Some(incident));
    if let Some(at) = incident.time() {
        assert!(at.timestamp_millis() >= 0, "{incident} is of {at}");
    }
    true
}

fn datum(text: &str) -> bool {
    let Ok(datum) = text.parse::<Datum>() else { return false };
    let json = serde_json::to_string(&datum).expect("a datum is one word");
    assert_eq!(serde_json::from_str::<Datum>(&json).ok(), Some(datum));
    true
}
