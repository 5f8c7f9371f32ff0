//! Takes back from the own topic what a store has forgotten that was restored from an earlier time. Its facts carry
//! the case after each thing that happened, and by their causes what had been taken until then. What a person wrote
//! beside it is in no fact: those words are lost with the store.

use std::collections::BTreeMap;

use domain::case::Case;
use domain::facts::{CaseFact, Topic};
use domain::id::IncidentId;
use platform::store::sequences::{self, Sequences};
use platform::store::{StoreError, Tx, outbox};
use platform::stream::{Fact, Record};
use platform::turn::Service;

use crate::Handle;
use crate::store::history::Entry;
use crate::store::{cases, history};

/// Writes down what `records` say, which follow in the order of their sequences on what is stored.
///
/// # Errors
/// When one does not follow, cannot be read, or the database fails.
pub async fn catch_up(tx: &Tx, records: &[Record]) -> Result<(), StoreError> {
    let mut incidents: Vec<IncidentId> = records.iter().map(|record| record.incident).collect();
    incidents.sort_unstable();
    incidents.dedup();
    let mut drawn = sequences::lock(tx, Handle::NAME, Topic::Handled, &incidents).await?;
    let mut taken = Taken::load(tx, &incidents).await?;
    let mut last: BTreeMap<IncidentId, Case> = BTreeMap::new();
    let mut lines = Vec::new();
    let mut facts = Vec::new();
    for record in records {
        let before = drawn.insert(record.incident, record.sequence).unwrap_or(0);
        if record.sequence != before + 1 {
            return Err(unfit(record, format!("it does not follow on {before}, the last one known")));
        }
        let body: CaseFact = record.body().map_err(|why| unfit(record, why))?;
        taken.note(record);
        lines.push(Entry {
            incident: record.incident,
            sequence: record.sequence,
            at: record.at,
            noticed_at: record.noticed_at,
            happened: body.happened,
            note: None,
        });
        last.insert(record.incident, body.case);
        facts.push(fact(record));
    }
    let changed: Vec<&Case> = last.values().collect();
    cases::save(tx, &changed).await?;
    history::save(tx, &lines).await?;
    sequences::save(tx, Handle::NAME, Topic::Handled, &drawn).await?;
    taken.save(tx).await?;
    outbox::append_published(tx, Handle::NAME, &facts).await
}

fn fact(record: &Record) -> Fact {
    Fact {
        topic: record.source.topic,
        incident: record.incident,
        sequence: record.sequence,
        kind: record.kind.clone(),
        at: record.at,
        noticed_at: record.noticed_at,
        cause: record.cause.clone(),
        body: record.body.clone(),
    }
}

fn unfit(record: &Record, why: String) -> StoreError {
    StoreError::Inconsistent { table: "handled", id: record.name(), why }
}

/// What was taken from each topic, as the causes tell.
struct Taken(BTreeMap<Topic, Sequences>);

impl Taken {
    async fn load(tx: &Tx, incidents: &[IncidentId]) -> Result<Self, StoreError> {
        let mut taken = BTreeMap::new();
        for topic in Handle::READS {
            taken.insert(*topic, sequences::load(tx, Handle::NAME, *topic, incidents).await?);
        }
        Ok(Self(taken))
    }

    /// A cause that names a fact, as `routed/2`, was taken before what it brought about.
    fn note(&mut self, record: &Record) {
        let named = record.cause.split_once('/').and_then(|(topic, sequence)| {
            Some((topic.parse::<Topic>().ok()?, sequence.parse::<i64>().ok()?))
        });
        if let Some((topic, sequence)) = named
            && let Some(taken) = self.0.get_mut(&topic)
        {
            let last = taken.entry(record.incident).or_insert(0);
            *last = sequence.max(*last);
        }
    }

    async fn save(self, tx: &Tx) -> Result<(), StoreError> {
        for (topic, taken) in &self.0 {
            sequences::save(tx, Handle::NAME, *topic, taken).await?;
        }
        Ok(())
    }
}
