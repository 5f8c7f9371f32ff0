//! One report, one route, one case: promises 1 and 2.

use domain::facts::Topic;

use super::ledger::{Ledger, Name};
use super::life::Life;
use super::seen::{Body, Seen};
use super::snapshot::{Cells, Snapshot};
use super::whole::Whole;

pub(super) fn check(seen: &Seen<'_>, whole: &Whole, ledger: &mut Ledger) {
    let life = seen.life;
    let mut faults = Vec::new();
    let submitted = of_kind(life, Topic::Reported, "report.submitted");
    ledger.looked(Name::Once, life.reports.len());
    match (life.reports.len(), submitted) {
        (0, 0) if life.cases.is_empty() && life.routes.is_empty() => {}
        (0, 0) => faults.push("it was never reported".to_owned()),
        (0, _) => faults.push("the row of its report is missing".to_owned()),
        (_, 1) => {}
        (_, facts) => faults.push(format!("its report has {facts} report.submitted facts, not 1")),
    }
    routed(seen, whole, &mut faults);
    opened(life, whole, &mut faults);
    if let (Some(why), false) = (waits(life, whole), life.reports.is_empty()) {
        ledger.waits(life.id, why);
    }
    for fault in faults {
        ledger.fault(Name::Once, life.id, fault);
    }
}

/// Once route has read the report: one row, and attempts 1, 2 … without gap, each after a return.
fn routed(seen: &Seen<'_>, whole: &Whole, faults: &mut Vec<String>) {
    let life = seen.life;
    let mut attempts = 0;
    for Body { fact, body } in &seen.routed {
        let attempt = body["attempt"].as_i64().unwrap_or(0);
        attempts += 1;
        if attempt != attempts || fact.kind != "incident.routed" {
            faults.push(format!(
                "routed/{} is {} of attempt {attempt}, not attempt {attempts}",
                fact.sequence, fact.kind
            ));
        }
    }
    if life.reach(whole, "route", Topic::Reported).least >= 1 {
        expect_one(life.routes.len(), "row in route_incident", faults);
        if life.facts(Topic::Routed).is_empty() {
            faults.push("it has no incident.routed fact".to_owned());
        }
    }
    let returned = of_kind(life, Topic::Handled, "case.returned");
    if seen.routed.len() > 1 + returned {
        faults.push(format!("it was routed {attempts} times after {returned} returns"));
    }
    if let Some(row) = life.routes.first().filter(|row| row.attempt != attempts) {
        faults.push(format!("route_incident says attempt {}, the facts say {attempts}", row.attempt));
    }
}

/// Once handle has read the route: one row, and one `case.opened`.
fn opened(life: &Life, whole: &Whole, faults: &mut Vec<String>) {
    let opened = of_kind(life, Topic::Handled, "case.opened");
    let due = life.reach(whole, "handle", Topic::Routed).least >= 1;
    let any = opened > 0 || !life.cases.is_empty() || !life.facts(Topic::Handled).is_empty();
    if !due && !any {
        return;
    }
    expect_one(opened, "case.opened fact", faults);
    expect_one(life.cases.len(), "row in handle_case", faults);
}

fn expect_one(count: usize, of: &str, faults: &mut Vec<String>) {
    if count != 1 {
        faults.push(format!("it has {count} {of}s, not 1"));
    }
}

fn of_kind(life: &Life, topic: Topic, kind: &str) -> usize {
    life.facts(topic).iter().filter(|fact| fact.kind == kind).count()
}

/// Why the report is not a case yet, if there is a reason.
fn waits(life: &Life, whole: &Whole) -> Option<String> {
    if !life.cases.is_empty() || of_kind(life, Topic::Handled, "case.opened") > 0 {
        return None;
    }
    [("route", Topic::Reported), ("handle", Topic::Routed)].into_iter().find_map(|(service, topic)| {
        let aside = life.aside_of(service, topic).next();
        let waits = life.last(topic) > life.reach(whole, service, topic).least;
        match aside.map(|row| &row.reason) {
            Some(Some(reason)) => Some(format!("dead letter of {service}: {reason}")),
            Some(None) => Some(format!("parked by {service}")),
            None => waits.then(|| format!("{service} has not read it yet")),
        }
    })
}

/// The same client id from the same person is the same incident.
pub(super) async fn unique(snapshot: &Snapshot, ledger: &mut Ledger) -> anyhow::Result<()> {
    let looked: Option<i64> =
        snapshot.one("discover", "SELECT count(*) FROM discover_report", Vec::new()).await?;
    ledger.looked(Name::Unique, usize::try_from(looked.unwrap_or(0))?);
    let sql = format!(
        "SELECT client_id, reporter, {} FROM discover_report GROUP BY client_id, reporter HAVING count(*) > 1",
        snapshot.setting().incidents()
    );
    for row in snapshot.rows("discover", &sql, Vec::new()).await? {
        let mut cells = Cells::new(&row);
        let read = |cells: &mut Cells<'_>| cells.take::<String>().map_err(anyhow::Error::msg);
        let (client_id, reporter, incidents) = (read(&mut cells)?, read(&mut cells)?, read(&mut cells)?);
        for incident in incidents.split(' ').filter_map(|id| id.parse::<uuid::Uuid>().ok()) {
            ledger.fault(
                Name::Unique,
                incident,
                format!("{reporter} sent client id {client_id} for others too"),
            );
        }
    }
    Ok(())
}
