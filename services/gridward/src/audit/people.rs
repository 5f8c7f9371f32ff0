//! Nobody checks or closes what they handled: promise 6.

use std::collections::BTreeSet;

use super::ledger::{Ledger, Name};
use super::seen::Seen;

pub(super) fn check(seen: &Seen<'_>, ledger: &mut Ledger) {
    let life = seen.life;
    ledger.looked(Name::People, life.cases.len());
    let mut handlers = BTreeSet::new();
    let mut faults = BTreeSet::new();
    for fact in &seen.told {
        let by = fact.happened["by"].as_str().unwrap_or_default();
        match fact.what() {
            "signed" | "accepted" | "staged" | "answered" => {
                handlers.insert(by);
            }
            what @ ("checked" | "reworked" | "closed") if handlers.contains(by) => {
                faults.insert(format!("handled/{}: {by} handled it, and {what} it", fact.sequence));
            }
            _ => {}
        }
    }
    if let Some(row) = life.cases.first() {
        let [(signed, _), (answered, _), (passed, _), (closed, _)] = &row.marks;
        handlers.extend([signed, answered].into_iter().flatten().map(String::as_str));
        for (did, by) in [("passed", passed), ("closed", closed)] {
            if let Some(by) = by.as_deref().filter(|by| handlers.contains(by)) {
                faults.insert(format!("handle_case: {by} handled it, and {did} it"));
            }
        }
    }
    for fault in faults {
        ledger.fault(Name::People, life.id, fault);
    }
}
