//! One incident with every body read, once, for all checks.

use domain::facts::Topic;
use serde_json::Value;

use super::ledger::{Ledger, Name};
use super::life::Life;
use super::rows::Fact;
use super::told::{Deadline, Told, deadlines, json};

/// A fact and its body.
#[derive(Clone, Debug)]
pub(super) struct Body<'a> {
    pub fact: &'a Fact,
    pub body: Value,
}

/// Everything known of one incident. What could not be read is told in the ledger, and left out.
#[derive(Clone, Debug)]
pub(super) struct Seen<'a> {
    pub life: &'a Life,
    pub reported: Vec<Body<'a>>,
    pub routed: Vec<Body<'a>>,
    pub told: Vec<Told>,
    pub proposed: Vec<Body<'a>>,
    /// The deadlines of handle's row.
    pub kept: Vec<Deadline>,
}

impl<'a> Seen<'a> {
    pub fn read(life: &'a Life, ledger: &mut Ledger) -> Self {
        Self {
            life,
            reported: bodies(life, Topic::Reported, ledger),
            routed: bodies(life, Topic::Routed, ledger),
            told: told(life, ledger),
            proposed: bodies(life, Topic::Supervised, ledger),
            kept: kept(life, ledger),
        }
    }
}

fn bodies<'a>(life: &'a Life, topic: Topic, ledger: &mut Ledger) -> Vec<Body<'a>> {
    let facts = life.facts(topic);
    ledger.looked(Name::Readable, facts.len());
    let mut bodies = Vec::with_capacity(facts.len());
    for fact in facts {
        match json(&fact.body) {
            Ok(body) => bodies.push(Body { fact, body }),
            Err(why) => unreadable(life, fact, &why, ledger),
        }
    }
    bodies
}

/// The facts of the case up to the first that cannot be read: what follows it hangs in the air.
fn told(life: &Life, ledger: &mut Ledger) -> Vec<Told> {
    let facts = life.facts(Topic::Handled);
    ledger.looked(Name::Readable, facts.len());
    let mut told = Vec::with_capacity(facts.len());
    for fact in facts {
        match Told::read(fact) {
            Ok(fact) => told.push(fact),
            Err(why) => {
                unreadable(life, fact, &why, ledger);
                break;
            }
        }
    }
    told
}

fn kept(life: &Life, ledger: &mut Ledger) -> Vec<Deadline> {
    let Some(row) = life.cases.first() else { return Vec::new() };
    json(&row.deadlines).and_then(|list| deadlines(&list)).unwrap_or_else(|why| {
        ledger.fault(Name::Readable, life.id, format!("handle_case.deadlines: {why}"));
        Vec::new()
    })
}

fn unreadable(life: &Life, fact: &Fact, why: &str, ledger: &mut Ledger) {
    ledger.fault(Name::Readable, life.id, format!("the body of {}/{}: {why}", fact.topic, fact.sequence));
}
