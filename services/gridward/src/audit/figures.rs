//! The tallies are what the facts that supervise has taken add up to.

use std::collections::BTreeMap;

use domain::deadline::DeadlineKind;
use domain::facts::Topic;

use super::ledger::{Ledger, Name};
use super::seen::Seen;
use super::snapshot::{Cells, Snapshot};
use super::told::Told;

/// Counts by area and measure. One for each area and measure there is, however many cases.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies(BTreeMap<String, BTreeMap<String, i64>>);

impl Tallies {
    pub fn add(&mut self, seen: &Seen<'_>) {
        let taken = seen.life.said("supervise", Topic::Handled);
        for fact in seen.told.iter().filter(|fact| fact.sequence <= taken) {
            let area = fact.case["area"].as_str().unwrap_or_default();
            for measure in measures(fact) {
                self.count(area, measure);
            }
        }
    }

    fn count(&mut self, area: &str, measure: String) {
        if !self.0.contains_key(area) {
            self.0.insert(area.to_owned(), BTreeMap::new());
        }
        if let Some(counts) = self.0.get_mut(area) {
            *counts.entry(measure).or_default() += 1;
        }
    }

    fn of(&self, area: &str, measure: &str) -> i64 {
        self.0.get(area).and_then(|counts| counts.get(measure)).copied().unwrap_or(0)
    }
}

/// What a fact adds one to.
fn measures(fact: &Told) -> Vec<String> {
    let handling = fact.deadline(DeadlineKind::Handle);
    let own = |measure: &str| Some(measure.to_owned());
    let (first, second) = match fact.what() {
        "opened" => (own("opened"), handling.is_none().then(|| "opened_without_due".to_owned())),
        "reminded" | "returned" | "reworked" | "offered" | "accepted" | "lapsed" => (own(fact.what()), None),
        "escalated" => {
            (Some(format!("escalated_{}", fact.happened["to"].as_str().unwrap_or_default())), None)
        }
        "closed" => {
            // Met late or never met is overdue; not met and not yet due is neither.
            let verdict = handling.and_then(|deadline| match deadline.met_at {
                Some(met_at) if met_at <= deadline.due_at => own("on_time"),
                None if fact.last_at <= deadline.due_at => None,
                _ => own("overdue"),
            });
            (own("closed"), verdict)
        }
        _ => (None, None),
    };
    first.into_iter().chain(second).collect()
}

pub(super) async fn check(snapshot: &Snapshot, tallies: &Tallies, ledger: &mut Ledger) -> anyhow::Result<()> {
    let mut kept: BTreeMap<(String, String), i64> = BTreeMap::new();
    let sql = "SELECT area, measure, count FROM supervise_tally";
    let rows = snapshot.rows("supervise", sql, Vec::new()).await?;
    ledger.looked(Name::Tallies, rows.len());
    for row in rows {
        let (area, measure, count) = match tally(&mut Cells::new(&row)) {
            Ok(tally) => tally,
            Err(why) => {
                ledger.fault(Name::Readable, "supervise_tally", why);
                continue;
            }
        };
        let measure = plain(&measure).to_owned();
        *kept.entry((area, measure)).or_default() += count;
    }
    let mut missing = tallies.0.clone();
    for ((area, measure), count) in kept {
        let due = tallies.of(&area, &measure);
        if count != due {
            ledger.fault(
                Name::Tallies,
                format!("{area} {measure}"),
                format!("it is {count}, the facts say {due}"),
            );
        }
        if let Some(counts) = missing.get_mut(&area) {
            counts.remove(&measure);
        }
    }
    for (area, counts) in missing {
        for (measure, due) in counts {
            ledger.fault(
                Name::Tallies,
                format!("{area} {measure}"),
                format!("it is missing, the facts say {due}"),
            );
        }
    }
    Ok(())
}

/// What is sensitive is counted by itself; together they are what the facts say.
pub(super) fn plain(measure: &str) -> &str {
    measure.strip_prefix("sensitive_").unwrap_or(measure)
}

fn tally(cells: &mut Cells<'_>) -> Result<(String, String, i64), String> {
    Ok((cells.take()?, cells.take()?, cells.whole()?))
}
