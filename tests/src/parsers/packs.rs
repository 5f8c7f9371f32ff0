//! A pack's files, each beside the others of a pack that is whole: `pack.json` by itself, and a CSV file behind a line with
//! its name.

use chrono::{DateTime, NaiveDate, Utc};
use domain::holder::{Holder, Post};
use platform::pack::{GridPoints, Pack, PackFault};

use super::{Read, base, head, text};

pub fn main(bytes: &[u8]) -> Read {
    looked_at(base::with([("pack.json".to_owned(), bytes.to_vec())]))
}

pub fn tables(bytes: &[u8]) -> Read {
    let (name, file) = head(bytes);
    let name = text(name).and_then(base::file_called).filter(|name| name.ends_with(".csv"));
    let Some(name) = name else { return Read::Refused };
    looked_at(base::with([(name.to_owned(), file.to_vec())]))
}

/// A pack that is refused says why, in both languages; one that is taken can be used.
fn looked_at(pack: Result<Pack, PackFault>) -> Read {
    match pack {
        Err(fault) => {
            assert!(!fault.to_string().is_empty() && !fault.zh().is_empty());
            Read::Refused
        }
        Ok(pack) => {
            used(&pack);
            Read::Taken
        }
    }
}

fn used(pack: &Pack) {
    let at: DateTime<Utc> = "2026-03-02T01:00:00Z".parse().expect("a time");
    let (local, day) = (pack.calendar.local(at), NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day"));
    let points = GridPoints::of(pack);
    for area in pack.areas.iter() {
        for post in Post::OF_AREAS {
            let on_duty = pack.people.on_duty(&Holder { post, area: area.path.clone() }, local);
            assert!(on_duty.is_none_or(|on_duty| pack.people.get(&on_duty.person.id).is_some()));
        }
        let point = points.on(area.path.code(), day);
        assert!(point.is_none_or(|(inside, _)| inside.lon.is_finite() && inside.lat.is_finite()));
    }
    for category in pack.categories.values() {
        assert!(!category.handle_limit.is_zero(), "{} is overdue as it opens", category.code);
        let due = pack.calendar.due(at, category.handle_limit);
        assert!(due.at > at, "{}", category.code);
    }
    for warning in &pack.warnings {
        assert!(!warning.zh.is_empty() && !warning.en.is_empty());
    }
    let form = pack.form_of_records();
    let example = form.times.example();
    assert!(form.times.reads(&example), "{example} is no time of its own form");
    // What it is drawn from is looked at by whoever finds places in it.
    if let Err(fault) = route::published::boundaries(pack) {
        assert!(!fault.to_string().is_empty());
    }
}
