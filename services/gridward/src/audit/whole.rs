//! What concerns all incidents: who reads what, how far each reader is, and where the log or the topics end.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::facts::Topic;

use super::ledger::{Ledger, Name, Noted};
use super::snapshot::{Cells, Setting, Snapshot};
use super::told::stamp;
use super::topics::{Extent, Place};

/// A service, as the design lays it down.
pub(super) struct Service {
    pub name: &'static str,
    pub writes: Topic,
    pub reads: &'static [Topic],
}

/// Written down here again: the audit does not ask the services what they are.
pub(super) const SERVICES: [Service; 5] = [
    Service { name: "discover", writes: Topic::Reported, reads: &[] },
    Service { name: "route", writes: Topic::Routed, reads: &[Topic::Reported, Topic::Handled] },
    Service {
        name: "handle",
        writes: Topic::Handled,
        reads: &[Topic::Routed, Topic::Supervised, Topic::Partnered],
    },
    Service { name: "supervise", writes: Topic::Supervised, reads: &[Topic::Handled] },
    // Only an office with partner organisations has one.
    Service { name: "partner", writes: Topic::Partnered, reads: &[Topic::Handled] },
];

/// The service that writes `topic`.
pub(super) fn writer(topic: Topic) -> &'static str {
    SERVICES.iter().find(|service| service.writes == topic).map_or("", |service| service.name)
}

/// Where a reader stands.
#[derive(Clone, Debug)]
pub(super) struct PositionRow {
    pub service: &'static str,
    pub topic: String,
    pub partition: i64,
    pub topic_id: String,
    pub position: i64,
}

/// The log of a file.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub identities: Vec<String>,
    pub ends: BTreeMap<Topic, i64>,
}

/// The topics, as they were when the databases were looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct OnKafka {
    pub ids: BTreeMap<Topic, String>,
    /// How many partitions each topic has.
    pub counts: BTreeMap<Topic, u32>,
    /// Up to where each partition went before the databases were looked at: what lies there was committed.
    pub before: BTreeMap<Place, Extent>,
    /// And after: what a database calls published lies there.
    pub after: BTreeMap<Place, Extent>,
    /// When the first record that is kept was sent, where earlier ones are not kept.
    pub since: BTreeMap<Place, DateTime<Utc>>,
}

/// Where facts lie between services.
#[derive(Clone, Debug)]
pub(super) enum Between {
    Log(Log),
    Topics(OnKafka),
}

/// All that concerns all incidents.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub between: Between,
    pub positions: Vec<PositionRow>,
    /// The latest time on the log or by the server, or the one asked for.
    pub now: DateTime<Utc>,
    pub strict: bool,
    /// A file was replayed here: its clock was driven, so when something was noticed says nothing.
    pub replayed: bool,
    /// Incidents with facts that nobody wrote, and what was noted of them.
    pub noted: Arc<Noted>,
    read_to: BTreeMap<(&'static str, Topic, i32), i64>,
}

impl Whole {
    pub async fn of_file(
        snapshot: &Snapshot,
        options: super::Options,
        ledger: &mut Ledger,
    ) -> anyhow::Result<Self> {
        let now = match options.now {
            Some(now) => now,
            None => latest(snapshot, ledger).await?,
        };
        let sql = "SELECT count(*) FROM gridward_replay";
        let replayed: Option<i64> = snapshot.one("", sql, Vec::new()).await?;
        let log = Log { identities: identities(snapshot).await?, ends: ends(snapshot).await? };
        let between = Between::Log(log);
        let replayed = replayed.is_some_and(|files| files > 0);
        Self::load(snapshot, options, between, now, replayed, ledger).await
    }

    pub async fn of_servers(
        snapshot: &Snapshot,
        options: super::Options,
        topics: OnKafka,
        ledger: &mut Ledger,
    ) -> anyhow::Result<Self> {
        let now = match options.now {
            Some(now) => now,
            None => snapshot.now("handle").await?,
        };
        Self::load(snapshot, options, Between::Topics(topics), now, false, ledger).await
    }

    async fn load(
        snapshot: &Snapshot,
        options: super::Options,
        between: Between,
        now: DateTime<Utc>,
        replayed: bool,
        ledger: &mut Ledger,
    ) -> anyhow::Result<Self> {
        let positions = positions(snapshot, ledger).await?;
        let place = |row: &PositionRow| {
            Some((row.service, row.topic.parse().ok()?, i32::try_from(row.partition).ok()?))
        };
        let read_to = positions.iter().filter_map(|row| Some((place(row)?, row.position))).collect();
        let noted = Arc::new(noted(snapshot, ledger).await?);
        ledger.noted = noted.clone();
        Ok(Self { between, positions, now, strict: options.strict, replayed, noted, read_to })
    }

    pub fn setting(&self) -> Setting {
        match self.between {
            Between::Log(_) => Setting::File,
            Between::Topics(_) => Setting::Servers,
        }
    }

    /// The topics; `None` in a file.
    pub fn topics(&self) -> Option<&OnKafka> {
        match &self.between {
            Between::Log(_) => None,
            Between::Topics(topics) => Some(topics),
        }
    }

    /// How far `service` has read a partition of `topic`.
    pub fn read_to(&self, service: &'static str, topic: Topic, partition: i32) -> i64 {
        self.read_to.get(&(service, topic, partition)).copied().unwrap_or(0)
    }
}

async fn identities(snapshot: &Snapshot) -> anyhow::Result<Vec<String>> {
    let rows = snapshot.rows("", "SELECT topic_id FROM log_identity", Vec::new()).await?;
    rows.iter().map(|row| Cells::new(row).take().map_err(anyhow::Error::msg)).collect()
}

async fn positions(snapshot: &Snapshot, ledger: &mut Ledger) -> anyhow::Result<Vec<PositionRow>> {
    let mut positions = Vec::new();
    for service in SERVICES {
        let table = format!("{}_position", service.name);
        let sql = format!("SELECT topic, partition, topic_id, position FROM {table}");
        for row in snapshot.rows(service.name, &sql, Vec::new()).await? {
            match position(service.name, &mut Cells::new(&row)) {
                Ok(row) => positions.push(row),
                Err(why) => ledger.fault(Name::Readable, &table, why),
            }
        }
    }
    Ok(positions)
}

fn position(service: &'static str, cells: &mut Cells<'_>) -> Result<PositionRow, String> {
    Ok(PositionRow {
        service,
        topic: cells.take()?,
        partition: cells.whole()?,
        topic_id: cells.take()?,
        position: cells.whole()?,
    })
}

/// What somebody has noted of facts that nobody wrote; only on servers there can be any.
async fn noted(snapshot: &Snapshot, ledger: &mut Ledger) -> anyhow::Result<Noted> {
    let mut all = Noted::new();
    if snapshot.setting() == Setting::File {
        return Ok(all);
    }
    for service in &SERVICES {
        let table = format!("{}_stray", service.name);
        let sql = format!(
            "SELECT incident, sequence, noted_by, noted_at, why FROM {table} ORDER BY incident, sequence"
        );
        for row in snapshot.rows(service.name, &sql, Vec::new()).await? {
            match one_noted(service, &mut Cells::new(&row)) {
                Ok((id, said)) => {
                    let words = all.entry(id).or_default();
                    words.push_str(if words.is_empty() { "" } else { "; " });
                    words.push_str(&said);
                }
                Err(why) => ledger.fault(Name::Readable, &table, why),
            }
        }
    }
    Ok(all)
}

fn one_noted(service: &Service, cells: &mut Cells<'_>) -> Result<(String, String), String> {
    let (id, sequence) = (cells.incident()?.to_string(), cells.whole()?);
    let (by, at, why): (String, _, String) = (cells.take()?, cells.time()?, cells.take()?);
    let (name, topic, at) = (service.name, service.writes, stamp(at));
    Ok((id, format!("{topic}/{sequence} was not written by {name}: {why} ({by}, {at})")))
}

async fn ends(snapshot: &Snapshot) -> anyhow::Result<BTreeMap<Topic, i64>> {
    let mut ends = BTreeMap::new();
    for topic in Topic::ALL {
        let sql = "SELECT max(id) FROM log WHERE topic = $1";
        let end = snapshot.one("", sql, vec![topic.as_str().into()]).await?;
        ends.insert(topic, end.unwrap_or(0));
    }
    Ok(ends)
}

/// How many texts that are no times are passed over in search of the latest time.
const NO_TIMES: usize = 16;

/// Times are text of one form, so the greatest text is the latest time, or something that is none.
async fn latest(snapshot: &Snapshot, ledger: &mut Ledger) -> anyhow::Result<DateTime<Utc>> {
    let mut sql = "SELECT max(max(at, noticed_at)) FROM log".to_owned();
    let mut values = Vec::new();
    for _ in 0..NO_TIMES {
        let latest: Option<String> = snapshot.one("", &sql, values).await.unwrap_or(None);
        let Some(text) = latest else { break };
        match DateTime::parse_from_rfc3339(&text) {
            Ok(time) => return Ok(time.to_utc()),
            Err(why) => ledger.fault(Name::Readable, "log", format!("`{text}` is no time: {why}")),
        }
        sql = "SELECT max(max(at, noticed_at)) FROM log WHERE at < $1 AND noticed_at < $1".to_owned();
        values = vec![text.into()];
    }
    Ok(DateTime::UNIX_EPOCH)
}
