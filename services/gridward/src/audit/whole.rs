//! What concerns the file as a whole: who reads what, how far each reader is, and where the log ends.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::facts::Topic;

use super::snapshot::{Cells, Snapshot};

/// A service, as the design lays it down.
pub(super) struct Service {
    pub name: &'static str,
    pub writes: Topic,
    pub reads: &'static [Topic],
}

/// Written down here again: the audit does not ask the services what they are.
pub(super) const SERVICES: [Service; 4] = [
    Service { name: "discover", writes: Topic::Reported, reads: &[] },
    Service { name: "route", writes: Topic::Routed, reads: &[Topic::Reported, Topic::Handled] },
    Service { name: "handle", writes: Topic::Handled, reads: &[Topic::Routed, Topic::Supervised] },
    Service { name: "supervise", writes: Topic::Supervised, reads: &[Topic::Handled] },
];

/// Where a reader stands.
#[derive(Clone, Debug)]
pub(super) struct PositionRow {
    pub service: &'static str,
    pub topic: String,
    pub partition: i64,
    pub topic_id: String,
    pub position: i64,
}

/// The file as a whole.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub identities: Vec<String>,
    pub positions: Vec<PositionRow>,
    pub ends: BTreeMap<Topic, i64>,
    /// The latest time on the log, or the one asked for.
    pub now: DateTime<Utc>,
    pub strict: bool,
    /// A file was replayed here: its clock was driven, so when something was noticed says nothing.
    pub replayed: bool,
    read_to: BTreeMap<(&'static str, Topic), i64>,
}

impl Whole {
    pub async fn load(snapshot: &Snapshot, options: super::Options) -> anyhow::Result<Self> {
        let positions = positions(snapshot).await?;
        let read_to = positions
            .iter()
            .filter_map(|row| Some(((row.service, row.topic.parse().ok()?), row.position)))
            .collect();
        let now = match options.now {
            Some(now) => now,
            None => latest(snapshot).await?,
        };
        let replayed: Option<i64> = snapshot.one("SELECT count(*) FROM gridward_replay", Vec::new()).await?;
        Ok(Self {
            identities: identities(snapshot).await?,
            positions,
            ends: ends(snapshot).await?,
            now,
            strict: options.strict,
            replayed: replayed.is_some_and(|files| files > 0),
            read_to,
        })
    }

    /// How far `service` has read `topic`.
    pub fn read_to(&self, service: &'static str, topic: Topic) -> i64 {
        self.read_to.get(&(service, topic)).copied().unwrap_or(0)
    }
}

async fn identities(snapshot: &Snapshot) -> anyhow::Result<Vec<String>> {
    let rows = snapshot.rows("SELECT topic_id FROM log_identity", Vec::new()).await?;
    rows.iter().map(|row| Cells::new(row).take().map_err(anyhow::Error::msg)).collect()
}

async fn positions(snapshot: &Snapshot) -> anyhow::Result<Vec<PositionRow>> {
    let mut positions = Vec::new();
    for service in SERVICES {
        let sql = format!("SELECT topic, partition, topic_id, position FROM {}_position", service.name);
        for row in snapshot.rows(&sql, Vec::new()).await? {
            positions.push(position(service.name, &mut Cells::new(&row)).map_err(anyhow::Error::msg)?);
        }
    }
    Ok(positions)
}

fn position(service: &'static str, cells: &mut Cells<'_>) -> Result<PositionRow, String> {
    Ok(PositionRow {
        service,
        topic: cells.take()?,
        partition: cells.take()?,
        topic_id: cells.take()?,
        position: cells.take()?,
    })
}

async fn ends(snapshot: &Snapshot) -> anyhow::Result<BTreeMap<Topic, i64>> {
    let mut ends = BTreeMap::new();
    for topic in Topic::ALL {
        let end =
            snapshot.one("SELECT max(id) FROM log WHERE topic = ?1", vec![topic.as_str().into()]).await?;
        ends.insert(topic, end.unwrap_or(0));
    }
    Ok(ends)
}

/// Times are text of one form, so the greatest text is the latest time.
async fn latest(snapshot: &Snapshot) -> anyhow::Result<DateTime<Utc>> {
    let latest = snapshot.one("SELECT max(max(at, noticed_at)) FROM log", Vec::new()).await?;
    Ok(latest.unwrap_or(DateTime::UNIX_EPOCH))
}
