//! Each due step once, none early, none passed over: promise 5.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::holder::contains;
use super::ledger::{Ledger, Name};
use super::life::Life;
use super::seen::Seen;
use super::told::{Deadline, Step, StepKey, Told, stamp};
use super::whole::Whole;

/// A step due this long before the latest time on the log and not done is late.
const GRACE: TimeDelta = TimeDelta::seconds(60);

pub(super) fn check(seen: &Seen<'_>, whole: &Whole, ledger: &mut Ledger) {
    let life = seen.life;
    let mut effects: BTreeMap<StepKey, Vec<DateTime<Utc>>> = BTreeMap::new();
    let mut missed = BTreeSet::new();
    let mut before: Option<&Told> = None;
    for fact in &seen.told {
        match fact.effect() {
            Some(key) => {
                effects.entry(key).or_default().push(fact.at);
                effect(life, before, fact, key, whole, ledger);
            }
            None => missed.extend(before.map(|before| due_before(before, fact.at)).unwrap_or_default()),
        }
        before = Some(fact);
    }
    for (key, times) in &effects {
        ledger.due_steps.effected += times.len() as u64;
        if times.len() > 1 {
            ledger.due_steps.doubled += 1;
            ledger.fault(Name::Steps, life.id, format!("step {key} took effect {} times", times.len()));
        }
    }
    standing(seen, &effects, &mut missed, whole, ledger);
    ledger.due_steps.missed += missed.len() as u64;
    for (key, due_at) in missed {
        let due_at = stamp(due_at);
        ledger.fault(
            Name::Steps,
            life.id,
            format!("step {key}, due {due_at}, was passed over by what came later"),
        );
    }
}

/// Steps of `case` that fall due before `at`: whatever happens at `at` comes after them.
fn due_before(case: &Told, at: DateTime<Utc>) -> Vec<(StepKey, DateTime<Utc>)> {
    case.waiting().filter(|(_, step)| step.due_at < at).map(|(key, step)| (key, step.due_at)).collect()
}

/// One step that took effect on the case as it was `before`.
fn effect(life: &Life, before: Option<&Told>, fact: &Told, key: StepKey, whole: &Whole, ledger: &mut Ledger) {
    let mut fault = |what: String| {
        ledger.fault(Name::Steps, life.id, format!("step {key} (handled/{}): {what}", fact.sequence));
    };
    let Some(before) = before else { return fault("it took effect before the case was opened".to_owned()) };
    let found = find(&before.deadlines, key);
    let Some((deadline, step)) = found else { return fault("the case had no such step".to_owned()) };
    if before.closed() {
        fault("it took effect after the case was closed".to_owned());
    }
    if let Some(met_at) = deadline.met_at {
        fault(format!("it took effect after its deadline was met at {}", stamp(met_at)));
    }
    if !does(fact, &step.does) {
        fault(format!("it does `{}`, but the fact says {}", step.does, fact.happened));
    }
    if let Some((earlier, _)) = due_earlier(before, key, step) {
        fault(format!("{earlier} fell due first"));
    }
    let early = fact.at < step.due_at || (!whole.replayed && fact.noticed_at < step.due_at);
    let counts = step.due_at.max(before.last_at);
    if !early && fact.at != counts {
        fault(format!("it counts as of {}, not of {}", stamp(fact.at), stamp(counts)));
    }
    if early {
        let (at, due_at) = (stamp(fact.at.min(fact.noticed_at)), stamp(step.due_at));
        fault(format!("it took effect early, at {at}; it was due {due_at}"));
        ledger.due_steps.early += 1;
    } else if !whole.replayed {
        ledger.lags.note(fact.noticed_at - fact.at);
    }
}

fn find(deadlines: &[Deadline], key: StepKey) -> Option<(&Deadline, &Step)> {
    let deadline =
        deadlines.iter().find(|deadline| deadline.kind == key.kind && deadline.round == key.round)?;
    let (_, step) = deadline.numbered().find(|(other, _)| *other == key)?;
    Some((deadline, step))
}

/// A step still waiting that goes before this one: by due time, then deadline, then place.
fn due_earlier<'a>(case: &'a Told, key: StepKey, step: &Step) -> Option<(StepKey, &'a Step)> {
    let order = |key: StepKey, due_at: DateTime<Utc>| (due_at, key.kind, key.step);
    case.waiting().find(|(other, waits)| order(*other, waits.due_at) < order(key, step.due_at))
}

/// Whether the fact says what the step does; an escalation goes to an area above the case's own.
fn does(fact: &Told, does: &str) -> bool {
    if fact.what() == "lapsed" {
        return does == "lapse";
    }
    if fact.what() == "reminded" {
        return does == "remind";
    }
    let area = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    fact.happened["to"] == does && contains(&area(&fact.happened["area"]), &area(&fact.case["area"]))
}

/// The steps as handle's row has them now, against the facts.
fn standing(
    seen: &Seen<'_>,
    effects: &BTreeMap<StepKey, Vec<DateTime<Utc>>>,
    missed: &mut BTreeSet<(StepKey, DateTime<Utc>)>,
    whole: &Whole,
    ledger: &mut Ledger,
) {
    let life = seen.life;
    let Some(row) = life.cases.first() else { return };
    for deadline in &seen.kept {
        let open = deadline.met_at.is_none() && row.state != "CLOSED";
        ledger.looked(Name::Steps, deadline.steps.len());
        for (key, step) in deadline.numbered() {
            let effected = effects.get(&key).map_or(&[][..], Vec::as_slice);
            if let Some(why) = disagree(step, effected) {
                ledger.fault(Name::Steps, life.id, format!("step {key}: {why}"));
            }
            if !open || step.done_at.is_some() {
                continue;
            }
            if step.due_at < row.last_at {
                missed.insert((key, step.due_at));
            } else if step.due_at < whole.now - GRACE {
                late(life, key, step, whole, ledger);
            }
        }
    }
}

fn disagree(step: &Step, effected: &[DateTime<Utc>]) -> Option<String> {
    match (step.done_at, effected) {
        (Some(done_at), []) => {
            Some(format!("handle_case has it done at {}, but no fact says so", stamp(done_at)))
        }
        (None, [at, ..]) => {
            Some(format!("it took effect at {}, but handle_case has it still to come", stamp(*at)))
        }
        (Some(done_at), [.., at]) if done_at != *at => {
            Some(format!("handle_case has it done at {}, the fact at {}", stamp(done_at), stamp(*at)))
        }
        _ => None,
    }
}

fn late(life: &Life, key: StepKey, step: &Step, whole: &Whole, ledger: &mut Ledger) {
    let what = format!("step {key}, due {}, is not done by {}", stamp(step.due_at), stamp(whole.now));
    if whole.strict {
        ledger.fault(Name::Steps, life.id, &what);
    }
    ledger.late(life.id, what);
}
