//! The outboxes against the topics: what was published lies there, what lies there was written, and one fact
//! says one thing. Only on servers; in a file writing is publishing.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::facts::Topic;

use super::index::{Entry, digest};
use super::ledger::{Ledger, Name};
use super::life::Life;
use super::partition;
use super::rows::Fact;
use super::told::stamp;
use super::whole::{OnKafka, Whole, writer};

/// A fact that was noticed this long ago and is not sent yet.
const STALLED: TimeDelta = TimeDelta::seconds(60);

pub(super) fn check(life: &Life, whole: &Whole, ledger: &mut Ledger) {
    let Some(topics) = whole.topics() else { return };
    ledger.looked(Name::Written, life.records.len());
    ledger.looked(Name::Placed, life.records.len());
    for topic in Topic::ALL {
        for fact in life.facts(topic) {
            sent(life, fact, topics, ledger);
            waits(life, fact, whole.now, ledger);
        }
    }
    for record in &life.records {
        written(life, record, topics, ledger);
        placed(life, record, topics, ledger);
    }
}

/// What the relay had acknowledged is there, and says what its writer wrote.
fn sent(life: &Life, fact: &Fact, topics: &OnKafka, ledger: &mut Ledger) {
    let (topic, sequence, service) = (fact.topic, fact.sequence, writer(fact.topic));
    let contents: BTreeSet<u64> = life.records_of(topic, sequence).map(|record| record.digest).collect();
    ledger.looked(Name::Same, contents.len());
    let name = || format!("{topic}/{sequence}, row {} of {service}_outbox,", fact.id);
    if !contents.is_empty() {
        let own = digest(&fact.kind, fact.at, &fact.cause, &fact.body);
        if !contents.contains(&own) {
            ledger.fault(Name::Same, life.id, format!("{} says something else on the topic", name()));
        } else if contents.len() > 1 {
            ledger.fault(
                Name::Same,
                life.id,
                format!("{} says {} things on the topic", name(), contents.len()),
            );
        }
    }
    let Some(published_at) = fact.published_at else { return };
    ledger.looked(Name::Sent, 1);
    if contents.is_empty() && is_kept(life, topic, published_at, topics) {
        let at = stamp(published_at);
        ledger.fault(
            Name::Sent,
            life.id,
            format!("{} was published at {at} and is not on the topic: a broker lost it", name()),
        );
        ledger.lose(service, fact.id);
    }
}

/// Whether what was published then would still be kept.
fn is_kept(life: &Life, topic: Topic, published_at: DateTime<Utc>, topics: &OnKafka) -> bool {
    let count = topics.counts.get(&topic).copied().unwrap_or(0);
    let partition = partition::of_incident(life.id, count).cast_signed();
    topics.since.get(&(topic, partition)).is_none_or(|since| *since <= published_at)
}

/// The relay is well.
fn waits(life: &Life, fact: &Fact, now: DateTime<Utc>, ledger: &mut Ledger) {
    ledger.looked(Name::Relay, 1);
    if fact.published_at.is_none() && fact.noticed_at < now - STALLED {
        let (topic, sequence, service) = (fact.topic, fact.sequence, writer(fact.topic));
        let since = stamp(fact.noticed_at);
        ledger.fault(
            Name::Relay,
            life.id,
            format!(
                "{topic}/{sequence}, row {} of {service}_outbox, waits to be sent since {since}",
                fact.id
            ),
        );
    }
}

fn written(life: &Life, record: &Entry, topics: &OnKafka, ledger: &mut Ledger) {
    let (topic, sequence) = (record.topic(), i64::from(record.sequence));
    if life.facts(topic).iter().any(|fact| fact.sequence == sequence) {
        return;
    }
    // What was sent later may have been written later.
    let before = topics.before.get(&(topic, record.partition())).map_or(0, |extent| extent.last);
    if record.position <= before {
        let service = writer(topic);
        ledger.fault(
            Name::Written,
            life.id,
            format!("{} was written by nobody: {service}_outbox has no {topic}/{sequence}", place(record)),
        );
    }
}

fn placed(life: &Life, record: &Entry, topics: &OnKafka, ledger: &mut Ledger) {
    let count = topics.counts.get(&record.topic()).copied().unwrap_or(0);
    let due = partition::of_incident(life.id, count);
    if record.partition() != due.cast_signed() {
        ledger.fault(Name::Placed, life.id, format!("{} should lie in partition {due}", place(record)));
    }
}

fn place(record: &Entry) -> String {
    let (topic, partition, position) = (record.topic(), record.partition(), record.position);
    format!("{topic}/{} at {position} of partition {partition}", record.sequence)
}
