//! Takes back from the own topic what a store has forgotten that was restored from an earlier time. Its facts carry
//! the case after each thing that happened, and by their causes what had been taken until then. What a person wrote
//! beside it, the reporter too, is in no fact of ours: those words are lost with the store.

use std::collections::BTreeMap;

use domain::case::Case;
use domain::facts::{CaseFact, Topic};
use domain::id::IncidentId;
use platform::store::sequences::{self, Change, OfTopic};
use platform::store::{StoreError, Tx, outbox};
use platform::stream::Record;
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
    let topics: Vec<Topic> = Handle::READS.iter().copied().chain([Topic::Handled]).collect();
    let mut found = sequences::lock(tx, Handle::NAME, &topics, &incidents).await?.last;
    let mut of_topic = |topic: Topic| (topic, OfTopic::new(topic, found.remove(&topic).unwrap_or_default()));
    let (_, mut drawn) = of_topic(Topic::Handled);
    let mut taken = Taken(Handle::READS.iter().map(|topic| of_topic(*topic)).collect());
    let mut last: BTreeMap<IncidentId, Case> = BTreeMap::new();
    let mut lines = Vec::new();
    let mut facts = Vec::new();
    for record in records {
        let before = drawn.last(record.incident).unwrap_or(0);
        if record.sequence != before + 1 {
            return Err(unfit(record, format!("it does not follow on {before}, the last one known")));
        }
        drawn.set(record.incident, record.sequence);
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
        facts.push(record.as_fact());
    }
    let changed: Vec<&Case> = last.values().collect();
    cases::save(tx, &changed).await?;
    history::save(tx, &lines).await?;
    let changes: Vec<Change> = drawn.changes().chain(taken.0.values().flat_map(OfTopic::changes)).collect();
    sequences::save(tx, Handle::NAME, &changes).await?;
    outbox::append_published(tx, Handle::NAME, &facts).await
}

fn unfit(record: &Record, why: String) -> StoreError {
    StoreError::Inconsistent { table: "handled", id: record.name(), why }
}

/// What was taken from each topic, as the causes tell.
struct Taken(BTreeMap<Topic, OfTopic>);

impl Taken {
    /// A cause that names a fact, as `routed/2`, was taken before what it brought about.
    fn note(&mut self, record: &Record) {
        let named = record.cause.split_once('/').and_then(|(topic, sequence)| {
            Some((topic.parse::<Topic>().ok()?, sequence.parse::<i64>().ok()?))
        });
        if let Some((topic, sequence)) = named
            && let Some(taken) = self.0.get_mut(&topic)
            && taken.last(record.incident).is_none_or(|last| last < sequence)
        {
            taken.set(record.incident, sequence);
        }
    }
}
