//! The fold: what happened, applied to the case fact by fact, gives the case each fact carries. Promise 9.
//!
//! The rules are those of the picture of states, written down a second time, on JSON, and stricter than
//! the services' own: what does not fit the state is a fault here.

use domain::area::Level;
use domain::deadline::DeadlineKind;
use serde_json::{Value, json};

use super::fold_offers::{accepted, flow_back, not_asked, offered, released, staged};
use super::ledger::{Ledger, Name};
use super::life::Life;
use super::seen::Seen;
use super::told::{Told, difference, stamp};

const MARKS: [&str; 4] = ["signed", "answered", "passed", "closed"];

pub(super) fn check(seen: &Seen<'_>, ledger: &mut Ledger) {
    let life = seen.life;
    ledger.looked(Name::Fold, seen.told.len());
    let mut folded: Option<Value> = None;
    for fact in &seen.told {
        let mut faults = envelope(life, fact);
        let next = match folded.take() {
            None => first(fact).map(|()| fact.case.clone()),
            Some(case) => apply(case, fact),
        };
        // A fact that does not follow is named once; what comes after it is held against what it says.
        folded = match next {
            Ok(case) => match difference(&case, &fact.case) {
                None => Some(case),
                Some(why) => {
                    faults.push(why);
                    Some(fact.case.clone())
                }
            },
            Err(why) => {
                faults.push(why);
                Some(fact.case.clone())
            }
        };
        for why in faults {
            ledger.fault(Name::Fold, life.id, format!("handled/{} {}: {why}", fact.sequence, fact.kind));
        }
    }
}

/// What is outside the body agrees with what is inside.
fn envelope(life: &Life, fact: &Told) -> Vec<String> {
    let mut faults = Vec::new();
    if fact.kind.strip_prefix("case.") != Some(fact.what()) {
        faults.push(format!("the body says `{}`", fact.what()));
    }
    if fact.case["incident"] != life.id.to_string() {
        faults.push(format!("the body is of incident {}", fact.case["incident"]));
    }
    faults
}

/// A case begins dispatched, untouched, at its holder's own level.
fn first(fact: &Told) -> Result<(), String> {
    if fact.what() != "opened" {
        return Err("it is the first fact, but the case was never opened".to_owned());
    }
    let begins = json!({
        "state": "DISPATCHED", "attempt": 1, "returns": 0, "reworks": 0, "handlers": [], "revision": 1,
        "opened_at": stamp(fact.at), "last_at": stamp(fact.at), "level": level_of(&fact.case["holder"]),
    });
    let untouched = fact.deadlines.iter().all(|deadline| {
        deadline.met_at.is_none() && deadline.steps.iter().all(|step| step.done_at.is_none())
    });
    let differs = begins.as_object().into_iter().flatten().find(|(name, value)| fact.case[*name] != **value);
    match differs {
        Some((name, value)) => Err(format!("it begins with {name} {}, not {value}", fact.case[name])),
        None if !untouched => Err("it begins with a deadline met or a step done".to_owned()),
        None => Ok(()),
    }
}

/// The case after `fact`.
fn apply(mut case: Value, fact: &Told) -> Result<Value, String> {
    let at = stamp(fact.at);
    let last_at = super::told::time(&case["last_at"])?;
    if fact.at < last_at {
        return Err(format!("it is put at {at}, before the case's last change at {}", stamp(last_at)));
    }
    let happened = &fact.happened;
    let state = case["state"].as_str().unwrap_or_default().to_owned();
    let passed = !case["passed"].is_null();
    match (fact.what(), state.as_str(), passed) {
        ("assigned", "DISPATCHED", _) => assigned(&mut case, happened),
        // 转派: only a person takes it from somebody at work on it.
        ("assigned", "HANDLING", _) if !happened["by"].is_null() => assigned(&mut case, happened),
        ("signed", "DISPATCHED" | "OFFERED", _) => signed(&mut case, happened, &at),
        ("offered", "DISPATCHED" | "HANDLING", _) => offered(&mut case, happened),
        ("accepted", "OFFERED", _) => accepted(&mut case, happened, &at)?,
        ("declined", "OFFERED", _) => not_asked(&mut case, happened)?,
        ("lapsed", "OFFERED", _) => {
            step_done(&mut case, happened, &at);
            flow_back(&mut case, happened, at.clone().into());
        }
        ("released", "OFFERED", _) => not_asked(&mut case, happened)?,
        ("released", "HANDLING" | "CHECKING", _) => released(&mut case, happened)?,
        ("staged", "HANDLING", _) => staged(&mut case, happened)?,
        ("returned", "DISPATCHED" | "HANDLING", _) => returned(&mut case, happened),
        ("answered", "HANDLING", _) => answered(&mut case, happened, &at),
        ("checked", "CHECKING", false) => checked(&mut case, happened, &at),
        ("reworked", "CHECKING", _) => reworked(&mut case, happened),
        ("closed", "CHECKING", true) => closed(&mut case, happened, &at),
        ("reminded", "DISPATCHED" | "OFFERED" | "HANDLING" | "CHECKING", _) => {
            step_done(&mut case, happened, &at)
        }
        ("escalated", "DISPATCHED" | "OFFERED" | "HANDLING" | "CHECKING", _) => {
            raise(&mut case, happened["to"].as_str());
            step_done(&mut case, happened, &at);
        }
        (what, ..) => return Err(format!("`{what}` cannot happen to a case that is {state}")),
    }
    case["last_at"] = at.into();
    Ok(case)
}

fn assigned(case: &mut Value, happened: &Value) {
    case["attempt"] = happened["attempt"].clone();
    case["area"] = happened["area"].clone();
    hand_to(case, happened);
    answers_for_it(case, happened);
}

fn signed(case: &mut Value, happened: &Value, at: &str) {
    meet(case, "sign", happened);
    // Whoever holds it may take it although it is offered.
    meet(case, "offer", happened);
    handled_by(case, happened);
    one_more(case, "revision");
    turn_into(case, "HANDLING", 0);
    mark(case, "signed", happened, at);
}

fn returned(case: &mut Value, happened: &Value) {
    meet(case, "sign", happened);
    one_more(case, "returns");
    hand_to(case, happened);
    // Before the third the desk only keeps it; with the third the street has decided.
    if case["returns"] == 3 {
        answers_for_it(case, happened);
    }
}

fn answered(case: &mut Value, happened: &Value, at: &str) {
    for kind in ["stage1", "stage2", "stage3", "handle"] {
        meet(case, kind, happened);
    }
    handled_by(case, happened);
    one_more(case, "revision");
    put(case, &happened["check"]);
    turn_into(case, "CHECKING", 1);
    mark(case, "answered", happened, at);
}

fn checked(case: &mut Value, happened: &Value, at: &str) {
    meet(case, "check", happened);
    one_more(case, "revision");
    mark(case, "passed", happened, at);
}

/// The handling deadline is un-met, its due time as before.
fn reworked(case: &mut Value, happened: &Value) {
    meet(case, "check", happened);
    one_more(case, "reworks");
    one_more(case, "revision");
    for deadline in list(case, "deadlines").iter_mut().filter(|deadline| deadline["kind"] == "handle") {
        remove(deadline, "met_at");
    }
    turn_into(case, "HANDLING", 1);
}

fn closed(case: &mut Value, happened: &Value, at: &str) {
    one_more(case, "revision");
    turn_into(case, "CLOSED", 3);
    mark(case, "closed", happened, at);
}

/// Another holder: it waits to be signed for again, under a limit of its own if there is one.
fn hand_to(case: &mut Value, happened: &Value) {
    case["holder"] = happened["holder"].clone();
    remove(case, "home");
    turn_into(case, "DISPATCHED", 0);
    one_more(case, "revision");
    put(case, &happened["sign"]);
}

/// A holder above the grid is answerable from the start.
fn answers_for_it(case: &mut Value, happened: &Value) {
    if let Some(level @ ("community" | "street")) = level_of(&happened["holder"]) {
        raise(case, Some(level));
    }
}

/// The state, with the first `kept` marks; the later ones are over.
pub(super) fn turn_into(case: &mut Value, state: &str, kept: usize) {
    case["state"] = state.into();
    remove(case, "partners");
    for name in &MARKS[kept..] {
        remove(case, name);
    }
}

pub(super) fn mark(case: &mut Value, name: &str, happened: &Value, at: &str) {
    case[name] = json!({ "by": happened["by"], "at": at });
}

/// The deadline of this kind that is not met yet, if there is one, is met.
pub(super) fn meet(case: &mut Value, kind: &str, happened: &Value) {
    let unmet = |deadline: &&mut Value| deadline["kind"] == kind && deadline["met_at"].is_null();
    if let Some(deadline) = list(case, "deadlines").iter_mut().find(unmet) {
        deadline["met_at"] = happened["met_at"].clone();
    }
}

/// A new round takes the place of the earlier one of its kind; the order is sign, handle, check.
pub(super) fn put(case: &mut Value, deadline: &Value) {
    if deadline.is_null() {
        return;
    }
    let deadlines = list(case, "deadlines");
    deadlines.retain(|other| other["kind"] != deadline["kind"]);
    deadlines.push(deadline.clone());
    deadlines
        .sort_by_key(|deadline| deadline["kind"].as_str().and_then(|kind| kind.parse::<DeadlineKind>().ok()));
}

fn step_done(case: &mut Value, happened: &Value, at: &str) {
    let this = |deadline: &&mut Value| {
        deadline["kind"] == happened["deadline"] && deadline["round"] == happened["round"]
    };
    let place = happened["step"].as_u64().and_then(|step| usize::try_from(step).ok());
    let deadline = list(case, "deadlines").iter_mut().find(this);
    if let (Some(deadline), Some(place)) = (deadline, place)
        && let Some(step) = list(deadline, "steps").get_mut(place)
    {
        step["done_at"] = at.into();
    }
}

pub(super) fn handled_by(case: &mut Value, happened: &Value) {
    let handlers = list(case, "handlers");
    if !handlers.contains(&happened["by"]) {
        handlers.push(happened["by"].clone());
    }
}

/// The answerable level only rises.
fn raise(case: &mut Value, to: Option<&str>) {
    let parse = |text: Option<&str>| text.and_then(|text| text.parse::<Level>().ok());
    if let Some(level) = parse(to).max(parse(case["level"].as_str())) {
        case["level"] = level.as_str().into();
    }
}

fn level_of(holder: &Value) -> Option<&'static str> {
    match holder.as_str()?.split_once(':')?.0 {
        "grid_leader" => Some("grid"),
        "community" => Some("community"),
        "street_desk" => Some("street"),
        "partner" => Some("grid"),
        _ => None,
    }
}

pub(super) fn one_more(case: &mut Value, name: &str) {
    case[name] = (case[name].as_u64().unwrap_or(0) + 1).into();
}

pub(super) fn remove(object: &mut Value, name: &str) {
    if let Some(object) = object.as_object_mut() {
        object.remove(name);
    }
}

/// The list of this name, made if it is not there.
pub(super) fn list<'a>(object: &'a mut Value, name: &str) -> &'a mut Vec<Value> {
    let value = &mut object[name];
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut().expect("it was made a list above")
}
