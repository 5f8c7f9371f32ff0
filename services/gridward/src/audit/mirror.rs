//! What supervise watches is what handle keeps: its rows follow from the facts it has taken, both ways.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::deadline::DeadlineKind;
use domain::facts::Topic;

use super::ledger::{Ledger, Name};
use super::life::Life;
use super::rows::{DeadlineRow, MirrorRow, StepRow};
use super::seen::{Body, Seen};
use super::told::{Step, StepKey, Told, maybe_time, stamp, step_key, time};

pub(super) fn check(seen: &Seen<'_>, ledger: &mut Ledger) {
    let life = seen.life;
    let at = life.said("supervise", Topic::Handled);
    let taken: Vec<&Told> = seen.told.iter().filter(|fact| fact.sequence <= at).collect();
    let watched = watched(&taken);
    let noticed = proposals(seen, &watched, ledger);
    ledger.looked(Name::Mirror, life.mirrors.len() + life.steps.len());
    ledger.looked(Name::Verdicts, life.deadlines.len());
    case(life, taken.last().copied(), ledger);
    deadlines(life, &watched, ledger);
    for (key, step) in &watched.steps {
        let row = life.steps.iter().find(|row| row_key(row) == Some(*key));
        let why = match row {
            None => Some("supervise does not watch it".to_owned()),
            Some(row) => step_differs(step, watched.open(*key), noticed.get(key).copied(), row)
                .or_else(|| done_elsewhere(watched.done_in.get(key).copied(), row)),
        };
        if let Some(why) = why {
            ledger.fault(Name::Mirror, life.id, format!("step {key}: {why}"));
        }
    }
    for row in &life.steps {
        if row_key(row).is_none_or(|key| !watched.steps.contains_key(&key)) {
            let (kind, round, step) = (&row.kind, row.round, row.step);
            ledger.fault(
                Name::Mirror,
                life.id,
                format!("supervise watches step {kind}/{round}/{step}, which is not there"),
            );
        }
    }
}

/// What supervise should know after the facts it has taken.
#[derive(Debug, Default)]
struct Watched<'a> {
    deadlines: BTreeMap<(DeadlineKind, i64), Expected<'a>>,
    steps: BTreeMap<StepKey, &'a Step>,
    /// Where the case lay when a step took effect.
    done_in: BTreeMap<StepKey, &'a str>,
}

#[derive(Debug)]
struct Expected<'a> {
    area: &'a str,
    start_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    provisional: bool,
    met_at: Option<DateTime<Utc>>,
    open: bool,
}

impl Watched<'_> {
    fn open(&self, key: StepKey) -> bool {
        self.deadlines.get(&(key.kind, key.round)).is_some_and(|deadline| deadline.open)
    }
}

/// A round that is replaced ends with the fact that replaces it.
fn watched<'a>(taken: &[&'a Told]) -> Watched<'a> {
    let mut watched = Watched::default();
    for fact in taken {
        for ((kind, round), other) in &mut watched.deadlines {
            let stands = fact.deadlines.iter().any(|it| it.kind == *kind && it.round == *round);
            if other.open && !stands {
                other.open = false;
                other.met_at = Some(fact.at);
            }
        }
        for deadline in &fact.deadlines {
            let expected = Expected {
                area: fact.case["area"].as_str().unwrap_or_default(),
                start_at: deadline.start_at,
                due_at: deadline.due_at,
                provisional: deadline.provisional,
                met_at: deadline.met_at,
                open: deadline.met_at.is_none() && !fact.closed(),
            };
            watched.deadlines.insert((deadline.kind, deadline.round), expected);
            watched.steps.extend(deadline.numbered());
            for (key, _) in deadline.numbered().filter(|(_, step)| step.done_at.is_some()) {
                watched.done_in.entry(key).or_insert(fact.case["area"].as_str().unwrap_or_default());
            }
        }
    }
    watched
}

fn case(life: &Life, seen: Option<&Told>, ledger: &mut Ledger) {
    let why = match (seen, life.mirrors.first()) {
        (None, None) => return,
        (None, Some(_)) => "supervise knows a case it has taken no fact of".to_owned(),
        (Some(_), None) => "supervise does not know the case".to_owned(),
        (Some(fact), Some(row)) => match case_differs(fact, row) {
            Some(column) => format!("{column} in supervise_case is not as in handled/{}", fact.sequence),
            None => return,
        },
    };
    ledger.fault(Name::Mirror, life.id, why);
}

fn case_differs(fact: &Told, row: &MirrorRow) -> Option<&'static str> {
    let texts = [
        ("area", &row.area),
        ("category", &row.category),
        ("holder", &row.holder),
        ("state", &row.state),
        ("level", &row.level),
    ];
    let text = texts.into_iter().find(|(name, kept)| fact.case[*name] != kept.as_str());
    let closed_at = maybe_time(&fact.case["closed"]["at"]).ok().flatten();
    text.map(|(name, _)| name)
        .or((time(&fact.case["opened_at"]).ok() != Some(row.opened_at)).then_some("opened_at"))
        .or((closed_at != row.closed_at).then_some("closed_at"))
}

fn deadlines(life: &Life, watched: &Watched<'_>, ledger: &mut Ledger) {
    for row in &life.deadlines {
        let (kind, round) = (&row.kind, row.round);
        let verdict = row.met_at.map(|met_at| if met_at <= row.due_at { "on_time" } else { "overdue" });
        if row.verdict.as_deref() != verdict {
            let what =
                format!("deadline {kind}/{round} is held {:?}, but is {verdict:?}", row.verdict.as_deref());
            ledger.fault(Name::Verdicts, life.id, what);
        }
        let expected = kind.parse().ok().and_then(|kind| watched.deadlines.get(&(kind, round)));
        let why = match expected {
            None => Some("which is not there"),
            Some(expected) => deadline_differs(expected, row),
        };
        if let Some(why) = why {
            ledger.fault(Name::Verdicts, life.id, format!("supervise has deadline {kind}/{round}, {why}"));
        }
    }
    for (kind, round) in watched.deadlines.keys() {
        if !life.deadlines.iter().any(|row| row.kind == kind.as_str() && row.round == *round) {
            let what = format!("supervise does not have deadline {}/{round}", kind.as_str());
            ledger.fault(Name::Verdicts, life.id, what);
        }
    }
}

fn deadline_differs(expected: &Expected<'_>, row: &DeadlineRow) -> Option<&'static str> {
    let differs = [
        (expected.area != row.area, "of another area"),
        (expected.start_at != row.start_at, "started at another time"),
        (expected.due_at != row.due_at, "due at another time"),
        (expected.provisional != row.provisional, "provisional otherwise"),
        (expected.met_at != row.met_at, "met at another time"),
        (expected.open != row.open, "open otherwise"),
    ];
    differs.into_iter().find(|(differs, _)| *differs).map(|(_, why)| why)
}

fn row_key(row: &StepRow) -> Option<StepKey> {
    Some(StepKey { kind: row.kind.parse().ok()?, round: row.round, step: row.step })
}

/// The row of a step: as the facts have it, told of when it was first told of, and looked at again as long
/// as there is something to do.
fn step_differs(step: &Step, open: bool, noticed_at: Option<DateTime<Utc>>, row: &StepRow) -> Option<String> {
    if (&row.does, row.due_at, row.done_at) != (&step.does, step.due_at, step.done_at) {
        let done = |at: Option<DateTime<Utc>>| at.map_or_else(|| "not done".to_owned(), stamp);
        return Some(format!(
            "supervise has {} due {} done {}, the facts {} due {} done {}",
            row.does,
            stamp(row.due_at),
            done(row.done_at),
            step.does,
            stamp(step.due_at),
            done(step.done_at)
        ));
    }
    if row.noticed_at != noticed_at {
        return Some("supervise_step and the first step.due do not agree on when it was noticed".to_owned());
    }
    let waits = match step.done_at {
        Some(_) => row.noticed_at.is_none(),
        None => open,
    };
    (waits && row.look_at.is_none()).then(|| "the sweep will never look at it again".to_owned())
}

/// Why a step is not held to have taken effect where it did. Of one that did before that was kept, nothing is said.
fn done_elsewhere(done_in: Option<&str>, row: &StepRow) -> Option<String> {
    let kept = row.done_in.as_deref()?;
    (done_in != Some(kept)).then(|| {
        format!(
            "supervise has it done in {kept}, the facts in {}",
            done_in.unwrap_or("no area, as it is not done")
        )
    })
}

/// Every `step.due` names a step that is there, as it is, and not before its time. Answers when each step
/// was told of first.
fn proposals(
    seen: &Seen<'_>,
    watched: &Watched<'_>,
    ledger: &mut Ledger,
) -> BTreeMap<StepKey, DateTime<Utc>> {
    let mut noticed = BTreeMap::new();
    ledger.looked(Name::Mirror, seen.proposed.len());
    for Body { fact, body } in &seen.proposed {
        let key = step_key(body);
        if let Some(key) = key {
            noticed.entry(key).or_insert(fact.noticed_at);
        }
        let step = key.and_then(|key| watched.steps.get(&key));
        let agrees = step.is_some_and(|step| {
            body["does"] == step.does.as_str()
                && time(&body["due_at"]) == Ok(step.due_at)
                && fact.at == step.due_at
        });
        let why = if !agrees || fact.kind != "step.due" {
            "names no step of the case"
        } else if fact.noticed_at < fact.at {
            "was told before the step was due"
        } else {
            continue;
        };
        ledger.fault(Name::Mirror, seen.life.id, format!("supervised/{} {why}", fact.sequence));
    }
    noticed
}
