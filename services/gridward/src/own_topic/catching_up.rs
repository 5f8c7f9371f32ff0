//! handle's cases taken back from its topic, in the order of their sequences, whatever order the topic has them in.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use domain::id::IncidentId;
use handle::Handle;
use platform::store::Store;
use platform::store::sequences::{self, Sequences};
use platform::stream::Record;
use platform::stream::kafka::unknown_among;
use platform::turn::Service;

use super::{STRAYS, STRAYS_ZH};

/// Takes over what handle's store does not know, in the order of the sequences. The topic may have it in another one:
/// what a broker lost and was sent again lies behind what came after it.
#[derive(Debug, Default)]
pub(crate) struct CatchingUp {
    /// Before these something is still to come.
    waiting: BTreeMap<(IncidentId, i64), Record>,
    taken: usize,
}

impl CatchingUp {
    /// Takes over of `records`, the next ones on the topic, those that follow on what is stored.
    ///
    /// # Errors
    /// When one cannot be read, or the database fails.
    pub async fn take(&mut self, store: &Store, records: Vec<Record>) -> anyhow::Result<()> {
        let unknown = unknown_among(records, store, Handle::NAME, Handle::WRITES).await?;
        if unknown.is_empty() {
            return Ok(());
        }
        for record in unknown {
            // A relay that repeats itself leaves copies.
            self.waiting.entry((record.incident, record.sequence)).or_insert(record);
        }
        let mut incidents: Vec<IncidentId> = self.waiting.keys().map(|(incident, _)| *incident).collect();
        incidents.dedup();
        let tx = store.begin().await?;
        let drawn = sequences::load(&tx, Handle::NAME, Handle::WRITES, &incidents).await?;
        let following = self.following(drawn);
        if following.is_empty() {
            return Ok(());
        }
        if let Err(error) = handle::catch_up(&tx, &following).await {
            bail!(
                "{error}: restore the database to a later time; where there is none, {STRAYS} / \
                 请将数据库恢复到更晚的时间点；若无法恢复，{STRAYS_ZH}"
            );
        }
        tx.commit().await.context("cannot write what the topic knows")?;
        self.taken += following.len();
        Ok(())
    }

    /// Those that follow on what was drawn, incident by incident.
    fn following(&mut self, mut drawn: Sequences) -> Vec<Record> {
        let mut following = Vec::new();
        self.waiting.retain(|(incident, sequence), record| {
            let last = drawn.entry(*incident).or_insert(0);
            if *sequence == *last + 1 {
                *last = *sequence;
                following.push(record.clone());
            }
            *sequence > *last
        });
        following
    }

    /// Answers how many were taken over.
    ///
    /// # Errors
    /// Names the first of those before which something is on the topic no more.
    pub fn end(self) -> anyhow::Result<usize> {
        if let Some(first) = self.waiting.values().next() {
            bail!(
                "{name} does not follow on what is stored, and what comes before it is not on the topic: restore the \
                 database to a later time; where there is none, {STRAYS} / \
                 {name} 之前的事实不在主题上：请将数据库恢复到更晚的时间点；若无法恢复，{STRAYS_ZH}",
                name = first.name()
            );
        }
        Ok(self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use domain::facts::Topic;
    use platform::stream::Source;

    fn incident(n: u8) -> IncidentId {
        IncidentId::new(DateTime::UNIX_EPOCH, [n; 10])
    }

    fn waiting(of: u8, sequence: i64) -> ((IncidentId, i64), Record) {
        let record = Record {
            source: Source::only(Topic::Handled),
            position: 1,
            incident: incident(of),
            sequence,
            kind: "case.signed".to_owned(),
            at: DateTime::UNIX_EPOCH,
            noticed_at: DateTime::UNIX_EPOCH,
            cause: String::new(),
            body: "{}".to_owned(),
        };
        ((record.incident, sequence), record)
    }

    fn names(records: &[Record]) -> Vec<(IncidentId, i64)> {
        records.iter().map(|record| (record.incident, record.sequence)).collect()
    }

    #[test]
    fn what_was_sent_again_behind_what_came_after_it_is_waited_for() {
        let waiting = [waiting(1, 5), waiting(1, 6), waiting(2, 1), waiting(3, 2)].into();
        let mut catching = CatchingUp { waiting, taken: 0 };
        let drawn = Sequences::from([(incident(1), 3), (incident(3), 2)]);
        assert_eq!(names(&catching.following(drawn.clone())), [(incident(2), 1)]);
        catching.waiting.extend([self::waiting(1, 4)]);
        let following = [4, 5, 6].map(|sequence| (incident(1), sequence));
        assert_eq!(names(&catching.following(drawn)), following);
        assert!(catching.end().is_ok(), "and what is known meanwhile is waited for no more");
    }

    #[test]
    fn what_never_follows_is_named() {
        let catching = CatchingUp { waiting: [waiting(1, 5)].into(), taken: 2 };
        let said = catching.end().unwrap_err().to_string();
        assert!(said.contains("case.signed handled/") && said.contains("later time"), "{said}");
    }
}
