//! Before a service serves anybody on servers: does its store know every fact on its own topic? One restored from an
//! earlier time does not, and would draw sequences that are taken. handle takes its cases back from the topic; the
//! others say what to do, and do not start.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use domain::id::IncidentId;
use handle::Handle;
use platform::store::Store;
use platform::store::sequences::{self, Sequences};
use platform::stream::Record;
use platform::stream::kafka::{OwnTopic, Settings, unknown_among};
use platform::turn::Service;
use tracing::{info, warn};

/// # Errors
/// When the store is behind and cannot catch up, or one of the two cannot be asked.
pub async fn compare<S: Service>(store: &Store, settings: &Settings) -> anyhow::Result<()> {
    let own = OwnTopic::open(settings, S::WRITES).await?;
    let unknown = own.unknown(store, S::NAME).await?;
    let outcome = match unknown.first() {
        None => Ok(()),
        Some(_) if S::NAME == Handle::NAME => catch_up(store, &own).await,
        Some(first) => Err(anyhow::anyhow!(
            "{place} does not know {name}, which is on {service}'s own topic ({topic}, partition {partition}, position \
             {position}). If the database was restored from an earlier time, it would publish other facts under the same \
             names, so {service} does not start: restore it to the latest time (its write-ahead log up to the end), and \
             start again. If it was not, somebody else writes there: is it the right database, and is kafka.prefix that \
             of this installation alone? / \
             {place} 中没有本服务主题上的 {name}（{topic} 分区 {partition} 位置 {position}）。若数据库是从较早的时间点恢复的，\
             继续运行会以相同编号发布不同内容：请恢复到最新时间点后再启动；否则请确认数据库无误，且 kafka.prefix 未被其他系统使用",
            place = store.place(),
            name = first.name(),
            service = S::NAME,
            topic = own.name(),
            partition = first.source.partition,
            position = first.position,
        )),
    };
    tokio::task::spawn_blocking(move || own.close()).await.context("letting go of the own topic panicked")?;
    outcome
}

/// Reads the whole topic, and takes over what the store does not know.
async fn catch_up(store: &Store, own: &OwnTopic) -> anyhow::Result<()> {
    warn!(
        "{} was restored from before the end of its topic: catching up from it / 数据库早于主题，正在从主题追补",
        store.place()
    );
    let mut catching = CatchingUp::default();
    for (partition, beginning) in own.beginnings() {
        let mut after = beginning;
        while let Some(some) = own.some(partition, after).await? {
            after = some.last().map_or(after, |record| record.position);
            catching.take(store, some).await?;
        }
    }
    let taken = catching.end()?;
    info!("took {taken} facts over from the topic / 已从主题追补 {taken} 条");
    Ok(())
}

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
            bail!("{error}: restore the database to a later time / 请将数据库恢复到更晚的时间点");
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
                "{} does not follow on what is stored, and what comes before it is not on the topic: restore the database to \
                 a later time / {} 之前的事实不在主题上：请将数据库恢复到更晚的时间点",
                first.name(),
                first.name()
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
