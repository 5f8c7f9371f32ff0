//! The last fact of a case is its row, column by column. Promise 9.

use serde_json::{Map, Value, json};

use super::ledger::{Ledger, Name};
use super::life::Life;
use super::rows::CaseRow;
use super::said::close;
use super::seen::Seen;
use super::told::{self, Told, difference, stamp};

pub(super) fn check(seen: &Seen<'_>, ledger: &mut Ledger) {
    let life = seen.life;
    ledger.looked(Name::Row, life.cases.len());
    let (Some(row), Some(last)) = (life.cases.first(), seen.told.last()) else { return };
    if last.sequence != life.last(domain::facts::Topic::Handled) {
        // The last fact could not be read, and is told so.
        return;
    }
    let mut faults = Vec::new();
    match case(life, row, last) {
        Ok(case) => faults.extend(difference(&last.case, &case)),
        Err(why) => faults.push(why),
    }
    let due_at = last.deadlines.iter().filter(|it| it.met_at.is_none()).map(|it| it.due_at).min();
    if row.due_at != due_at {
        let words = |at: Option<_>| at.map_or_else(|| "nothing".to_owned(), stamp);
        faults.push(format!("due_at {} where {} is due", words(row.due_at), words(due_at)));
    }
    for why in faults {
        ledger.fault(
            Name::Row,
            life.id,
            format!("handle_case is not as in handled/{}: {why}", last.sequence),
        );
    }
}

/// The row in the form facts carry it.
fn case(life: &Life, row: &CaseRow, last: &Told) -> Result<Value, String> {
    let mut case = json!({
        "incident": life.id.to_string(),
        "reporter": row.reporter,
        "category": row.category,
        "lon": degrees(&last.case["lon"], row.lon),
        "lat": degrees(&last.case["lat"], row.lat),
        "area": row.area,
        "holder": row.holder,
        "state": row.state,
        "level": row.level,
        "attempt": row.attempt,
        "returns": row.returns,
        "reworks": row.reworks,
        "handlers": told::json(&row.handlers)?,
        "deadlines": told::json(&row.deadlines)?,
        "opened_at": stamp(row.opened_at),
        "last_at": stamp(row.last_at),
        "revision": row.revision,
    });
    let mut optional = Map::new();
    if let Some(home) = &row.home {
        optional.insert("home".to_owned(), home.clone().into());
    }
    if let Some(partners) = &row.offered_to {
        optional.insert("partners".to_owned(), told::json(partners)?);
    }
    for (name, (by, at)) in ["signed", "answered", "passed", "closed"].into_iter().zip(&row.marks) {
        if by.is_some() || at.is_some() {
            optional.insert(name.to_owned(), json!({ "by": by, "at": at.map(stamp) }));
        }
    }
    let flags = told::json(&row.flags)?;
    if flags != json!([]) {
        optional.insert("flags".to_owned(), flags);
    }
    if row.recorded {
        optional.insert("recorded".to_owned(), true.into());
    }
    if let Some(case) = case.as_object_mut() {
        case.append(&mut optional);
    }
    Ok(case)
}

/// The column's number, as the fact wrote it when it is the same.
fn degrees(told: &Value, kept: f64) -> Value {
    if close(told, kept) { told.clone() } else { kept.into() }
}
