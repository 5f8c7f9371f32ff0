//! A deadline never moves without record: whatever facts tell of one (kind, round) tells the same start,
//! due time and steps, and so does the row. Promise 4.

use std::collections::BTreeMap;

use domain::deadline::DeadlineKind;

use super::ledger::{Ledger, Name};
use super::seen::Seen;
use super::told::{Deadline, stamp};

/// What must stay as it is while a round lasts.
type Fixed<'a> = BTreeMap<(DeadlineKind, i64), &'a Deadline>;

pub(super) fn check(seen: &Seen<'_>, ledger: &mut Ledger) {
    let life = seen.life;
    let mut fixed = Fixed::new();
    let mut faults = Vec::new();
    for fact in &seen.told {
        compare(&mut fixed, &fact.deadlines, &format!("handled/{}", fact.sequence), &mut faults);
    }
    if !seen.told.is_empty() {
        compare(&mut fixed, &seen.kept, "handle_case", &mut faults);
    }
    ledger.looked(Name::Deadlines, fixed.len());
    for row in &life.deadlines {
        let known = row.kind.parse().ok().and_then(|kind| fixed.get(&(kind, row.round)));
        if let Some(known) = known.filter(|known| known.due_at != row.due_at) {
            let (kind, round) = (&row.kind, row.round);
            faults.push(moved(&format!("{kind}/{round}"), "supervise_deadline", known, row.due_at));
        }
    }
    for fault in faults {
        ledger.fault(Name::Deadlines, life.id, fault);
    }
}

/// Holds `these` against what was told before. A round never goes back, and handling has one for life.
fn compare<'a>(fixed: &mut Fixed<'a>, these: &'a [Deadline], place: &str, faults: &mut Vec<String>) {
    for this in these {
        let name = format!("{}/{}", this.kind.as_str(), this.round);
        let latest = fixed.range((this.kind, 0)..=(this.kind, i64::MAX)).next_back();
        match latest.map(|((_, round), before)| (*round, *before)) {
            Some((round, before)) if round == this.round => {
                if before.due_at != this.due_at {
                    faults.push(moved(&name, place, before, this.due_at));
                } else if before.start_at != this.start_at || steps(before) != steps(this) {
                    faults.push(format!("{name} has another start or other steps in {place}"));
                }
            }
            latest => {
                let due = latest.map_or(1, |(round, _)| round + 1);
                if this.round != due || (this.kind == DeadlineKind::Handle && this.round != 1) {
                    faults.push(format!("{name} in {place}, where round {due} is due"));
                }
                fixed.insert((this.kind, this.round), this);
            }
        }
    }
}

fn moved(name: &str, place: &str, before: &Deadline, due_at: chrono::DateTime<chrono::Utc>) -> String {
    format!("{name} was due {}, but {place} has it due {}", stamp(before.due_at), stamp(due_at))
}

fn steps(deadline: &Deadline) -> Vec<(&str, chrono::DateTime<chrono::Utc>)> {
    deadline.steps.iter().map(|step| (step.does.as_str(), step.due_at)).collect()
}
