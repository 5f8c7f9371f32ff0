//! One line of history for each fact, under the same sequence, saying the same.

use std::collections::BTreeMap;

use domain::facts::Topic;

use super::ledger::{Ledger, Name};
use super::rows::{Fact, HistoryRow};
use super::seen::Seen;
use super::told::{Told, json};

pub(super) fn check(seen: &Seen<'_>, ledger: &mut Ledger) {
    let life = seen.life;
    ledger.looked(Name::History, life.history.len());
    let mut rows: BTreeMap<i64, Vec<&HistoryRow>> = BTreeMap::new();
    for row in &life.history {
        rows.entry(row.sequence).or_default().push(row);
    }
    let mut told = seen.told.iter();
    for fact in life.facts(Topic::Handled) {
        let body = told.next();
        let why = match rows.remove(&fact.sequence).as_deref() {
            None => Some("has no line in handle_history".to_owned()),
            Some([row]) => {
                differs(row, fact, body).map(|column| format!("has another {column} in handle_history"))
            }
            Some(rows) => Some(format!("has {} lines in handle_history", rows.len())),
        };
        if let Some(why) = why {
            ledger.fault(Name::History, life.id, format!("handled/{} {why}", fact.sequence));
        }
    }
    for sequence in rows.keys() {
        ledger.fault(
            Name::History,
            life.id,
            format!("handle_history has line {sequence}, but there is no such fact"),
        );
    }
}

fn differs(row: &HistoryRow, fact: &Fact, told: Option<&Told>) -> Option<&'static str> {
    if row.kind != fact.kind {
        return Some("type");
    }
    if (row.at, row.noticed_at) != (fact.at, fact.noticed_at) {
        return Some("time");
    }
    let told = told?;
    if told.happened["by"].as_str() != row.person.as_deref() {
        return Some("person");
    }
    if begins_with(&fact.body, &row.happened) || json(&row.happened).as_ref() == Ok(&told.happened) {
        return None;
    }
    Some("account of what happened")
}

/// Both were written from one value by one writer, so the text is the same as a rule, and nothing has to
/// be read.
fn begins_with(body: &str, happened: &str) -> bool {
    let rest = body.strip_prefix("{\"happened\":").and_then(|rest| rest.strip_prefix(happened));
    rest.is_some_and(|rest| rest.starts_with(",\"case\":"))
}
