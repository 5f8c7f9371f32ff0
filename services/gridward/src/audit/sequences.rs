//! No fact missing, doubled, or taken out of turn.

use std::collections::BTreeSet;

use domain::facts::Topic;

use super::ledger::{Ledger, Name};
use super::life::{Life, Reach};
use super::rows::{AsideRow, Fact};
use super::snapshot::Setting;
use super::whole::{SERVICES, Service, Whole, writer};

pub(super) fn check(life: &Life, whole: &Whole, ledger: &mut Ledger) {
    let mut faults = Vec::new();
    for topic in Topic::ALL {
        ledger.looked(Name::Sequences, life.facts(topic).len());
        faults.extend(in_order(life, topic));
    }
    for service in &SERVICES {
        faults.extend(counted(life, whole, service, ledger));
        faults.extend(set_aside(life, whole, service));
    }
    for row in &life.sequences {
        let service = SERVICES.iter().find(|service| service.name == row.service);
        if service.is_none_or(|service| service.writes != row.topic && !service.reads.contains(&row.topic)) {
            faults.push(format!("{} counts on {}, which it has nothing to do with", row.service, row.topic));
        }
    }
    for fault in faults {
        ledger.fault(Name::Sequences, life.id, fault);
    }
}

/// 1, 2, 3 …, in the order of the log.
fn in_order(life: &Life, topic: Topic) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last = (0, 0);
    for fact in life.facts(topic) {
        let (sequence, id) = last;
        if fact.sequence == sequence {
            faults.push(format!("{topic}/{sequence} is there twice"));
        } else if fact.sequence != sequence + 1 {
            faults.push(format!("{topic}/{} follows {topic}/{sequence}: a fact is missing", fact.sequence));
        }
        if fact.id <= id {
            faults.push(format!("{topic}/{} lies before {topic}/{sequence} on the log", fact.sequence));
        }
        last = (fact.sequence, fact.id);
    }
    faults
}

/// What a service says it has drawn and taken.
fn counted(life: &Life, whole: &Whole, service: &Service, ledger: &mut Ledger) -> Vec<String> {
    let mut faults = Vec::new();
    let (name, drawn) = (service.name, life.said(service.name, service.writes));
    let last = life.last(service.writes);
    if drawn != last {
        faults.push(format!("{name} has drawn {drawn} on {}, but the log ends at {last}", service.writes));
    }
    for topic in service.reads {
        let (taken, Reach { least, most }) = (life.said(name, *topic), life.reach(whole, name, *topic));
        if taken < least || most < taken {
            let due = if least == most { least.to_string() } else { format!("{least} to {most}") };
            faults.push(format!("{name} has taken {topic} up to {taken}, where {due} is due"));
            if whole.setting() == Setting::Servers {
                let passed_over =
                    life.facts(*topic).iter().filter(|fact| (taken + 1..=least).contains(&fact.sequence));
                passed_over.for_each(|fact| ledger.pass_over(writer(*topic), fact.id));
            }
        }
    }
    faults
}

/// What is parked or dead is a fact of the log, once, and not taken.
fn set_aside(life: &Life, whole: &Whole, service: &Service) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for row in life.aside.iter().filter(|row| row.service == service.name) {
        let name = format!("{}/{} set aside by {}", row.topic, row.sequence, row.service);
        let fact = life.facts(row.topic).iter().find(|fact| fact.sequence == row.sequence);
        // A body its reader never opens is kept empty.
        let as_read = |body: &str| row.body.is_empty() || row.body == body;
        if fact.is_none_or(|fact| !lay_there(life, whole, fact, row) || !as_read(&fact.body)) {
            faults.push(format!("{name} is not on the log as it was read"));
        }
        if row.sequence <= life.said(row.service, row.topic) {
            faults.push(format!("{name} was taken too"));
        }
        if !seen.insert((row.topic, row.sequence)) {
            faults.push(format!("{name} is both parked and dead"));
        }
    }
    faults
}

/// Whether `fact` lay where `row` says it was read: of copies on a topic it may have been any.
fn lay_there(life: &Life, whole: &Whole, fact: &Fact, row: &AsideRow) -> bool {
    if whole.setting() == Setting::File {
        return fact.id == row.position;
    }
    let mut there = life.records_of(fact.topic, fact.sequence).peekable();
    there.peek().is_none()
        || there
            .any(|record| i64::from(record.partition()) == row.partition && record.position <= row.position)
}
