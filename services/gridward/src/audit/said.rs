//! What facts say is what their writers keep: a report, a route, and what handle took from them.

use serde_json::Value;

use super::ledger::{Ledger, Name};
use super::life::Life;
use super::rows::Fact;
use super::seen::{Body, Seen};
use super::told::{Told, stamp};

/// Degrees. The text of a number read back may be another one in its last bit.
const SAME_DEGREES: f64 = 1e-9;

pub(super) fn check(seen: &Seen<'_>, ledger: &mut Ledger) {
    let Seen { life, reported, routed, told, .. } = seen;
    ledger.looked(Name::Said, reported.len() + routed.len());
    let mut faults = Vec::new();
    if let Some(Body { fact, body }) = reported.first() {
        report(life, fact, &body["report"], &mut faults);
    }
    if let Some(Body { fact, body }) = routed.last() {
        route(life, fact, &body["route"], &mut faults);
    }
    let report = reported.first().map_or(&Value::Null, |first| &first.body["report"]);
    for Body { fact, body } in routed {
        let attempt = body["attempt"].as_i64().unwrap_or(0);
        let passed_on = if attempt == 1 { report } else { &Value::Null };
        expect(&body["report"] == passed_on, fact, "the report it passes on", &mut faults);
        if let Some(took) = told.iter().find(|took| took_up(took, attempt)) {
            taken(took, body, &mut faults);
        }
    }
    for fault in faults {
        ledger.fault(Name::Said, life.id, fault);
    }
}

fn report(life: &Life, fact: &Fact, body: &Value, faults: &mut Vec<String>) {
    let Some(row) = life.reports.first() else { return };
    let place = &body["place"];
    expect(body["reporter"] == row.reporter.as_str(), fact, "reporter", faults);
    expect(body["category"] == row.category.as_str(), fact, "category", faults);
    expect(close(&place["lon"], row.lon) && close(&place["lat"], row.lat), fact, "place", faults);
    expect(place["datum"] == row.datum.as_str(), fact, "datum", faults);
    expect(fact.at == row.filed_at, fact, "time", faults);
}

fn route(life: &Life, fact: &Fact, body: &Value, faults: &mut Vec<String>) {
    let Some(row) = life.routes.first() else { return };
    expect(close(&body["lon"], row.lon) && close(&body["lat"], row.lat), fact, "place", faults);
    for (name, kept) in
        [("area", &row.area), ("boundaries", &row.boundaries), ("rule", &row.rule), ("holder", &row.holder)]
    {
        expect(body[name] == kept.as_str(), fact, name, faults);
    }
    expect(fact.at == row.routed_at, fact, "time", faults);
}

fn took_up(told: &Told, attempt: i64) -> bool {
    match told.what() {
        "opened" => attempt == 1,
        // What somebody transferred, route did not propose.
        "assigned" => told.happened["attempt"] == attempt && told.happened["by"].is_null(),
        _ => false,
    }
}

/// What handle opened or handed on is what route proposed.
fn taken(took: &Told, body: &Value, faults: &mut Vec<String>) {
    let route = &body["route"];
    let mut same = |ours: &Value, name: &str| {
        if *ours != route[name] {
            faults.push(format!(
                "{name} of handled/{} is {ours}, but route proposed {}",
                took.sequence, route[name]
            ));
        }
    };
    same(&took.case["area"], "area");
    same(&took.case["holder"], "holder");
    same(&took.happened["rule"], "rule");
    same(&took.happened["why"], "why");
    if took.what() == "assigned" {
        return;
    }
    same(&took.happened["boundaries"], "boundaries");
    let report = &body["report"];
    let category = took.case["category"] == report["category"] && took.case["reporter"] == report["reporter"];
    let place =
        ["lon", "lat"].iter().all(|name| close(&route[name], took.case[name].as_f64().unwrap_or(f64::NAN)));
    if !category || !place {
        faults.push("the case is not of the report it was opened for".to_owned());
    }
}

fn expect(same: bool, fact: &Fact, name: &str, faults: &mut Vec<String>) {
    if !same {
        let (topic, sequence, at) = (fact.topic, fact.sequence, stamp(fact.at));
        faults.push(format!("{name} in {topic}/{sequence} of {at} is not what its writer keeps"));
    }
}

/// Whether two numbers of degrees are the same.
pub(super) fn close(one: &Value, other: f64) -> bool {
    one.as_f64().is_some_and(|one| (one - other).abs() < SAME_DEGREES)
}
