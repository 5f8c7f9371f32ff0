//! The tallies are what the facts that supervise has taken add up to; and what is sensitive is counted by itself, as it
//! was decided for each case.

use std::collections::BTreeMap;

use domain::deadline::DeadlineKind;
use domain::facts::Topic;

use super::ledger::{Ledger, Name};
use super::seen::Seen;
use super::snapshot::{Cells, Snapshot};
use super::told::Told;

/// Counts by area and measure. One for each area and measure there is, however many cases.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies(BTreeMap<String, BTreeMap<String, Count>>);

/// How often something was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    all: i64,
    /// Of those, what belongs under the measures that count sensitive cases.
    sensitive: i64,
    /// And of cases of which supervise had not kept yet what they are: under either.
    either: i64,
}

impl Count {
    fn add(&mut self, sensitive: Option<bool>) {
        self.all += 1;
        self.sensitive += i64::from(sensitive == Some(true));
        self.either += i64::from(sensitive.is_none());
    }
}

impl Tallies {
    pub fn add(&mut self, seen: &Seen<'_>) {
        let taken = seen.life.said("supervise", Topic::Handled);
        let sensitive = seen.life.mirrors.first().and_then(|row| row.sensitive);
        let mut before = None;
        for fact in seen.told.iter().filter(|fact| fact.sequence <= taken) {
            let area = fact.case["area"].as_str().unwrap_or_default();
            if let Some(before) = before.replace(area).filter(|before| *before != area) {
                self.count(before, "moved_out".to_owned(), sensitive);
                self.count(area, "moved_in".to_owned(), sensitive);
            }
            for measure in measures(fact) {
                self.count(area, measure, sensitive);
            }
        }
    }

    fn count(&mut self, area: &str, measure: String, sensitive: Option<bool>) {
        if !self.0.contains_key(area) {
            self.0.insert(area.to_owned(), BTreeMap::new());
        }
        if let Some(counts) = self.0.get_mut(area) {
            counts.entry(measure).or_default().add(sensitive);
        }
    }

    fn of(&self, area: &str, measure: &str) -> Count {
        self.0.get(area).and_then(|counts| counts.get(measure)).copied().unwrap_or_default()
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
    // In all, and of those under the measures that count sensitive cases.
    let mut kept: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
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
        let sensitive = if plain(&measure) == measure { 0 } else { count };
        let kept = kept.entry((area, plain(&measure).to_owned())).or_default();
        *kept = (kept.0 + count, kept.1 + sensitive);
    }
    let mut missing = tallies.0.clone();
    for ((area, measure), (all, sensitive)) in kept {
        if let Some(why) = differs(all, sensitive, tallies.of(&area, &measure)) {
            ledger.fault(Name::Tallies, format!("{area} {measure}"), why);
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
                format!("it is missing, the facts say {}", due.all),
            );
        }
    }
    Ok(())
}

/// Why a tally is not what the facts say, if it is not.
fn differs(all: i64, sensitive: i64, due: Count) -> Option<String> {
    if all != due.all {
        return Some(format!("it is {all}, the facts say {}", due.all));
    }
    let may_be = due.sensitive..=due.sensitive + due.either;
    (!may_be.contains(&sensitive)).then(|| {
        format!("{sensitive} of it are counted as sensitive, and by the cases it is {}", due.sensitive)
    })
}

/// What is sensitive is counted by itself; together they are what the facts say.
pub(super) fn plain(measure: &str) -> &str {
    measure.strip_prefix("sensitive_").unwrap_or(measure)
}

fn tally(cells: &mut Cells<'_>) -> Result<(String, String, i64), String> {
    Ok((cells.take()?, cells.take()?, cells.whole()?))
}
