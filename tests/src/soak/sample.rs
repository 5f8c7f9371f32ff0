//! What is seen of a fleet at one moment: memory, files and threads of each process, what tables and topics take on disk,
//! and what waits.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use domain::facts::Topic;
use platform::store::get;

use crate::faults::own_servers::{OwnServers, Which};
use crate::faults::work::Work;
use crate::fleet::Fleet;

/// The broker's name among the processes.
pub const BROKER: &str = "broker";

/// What one process takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Takes {
    pub memory_mb: f64,
    pub files: f64,
    pub threads: f64,
}

/// One moment.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Seconds since the first report.
    pub at: f64,
    /// By name: `handle 2`, and [`BROKER`].
    pub processes: BTreeMap<String, Takes>,
    /// Bytes of each table with its indexes, by name; the names begin with their service's.
    pub tables: BTreeMap<String, f64>,
    /// Bytes on disk, by topic.
    pub topics: BTreeMap<Topic, f64>,
    pub cases: f64,
    /// Facts that were unread, by all readers.
    pub lag: f64,
    /// Facts of all outboxes that waited, and those that waited at the sample before already.
    pub outbox: f64,
    pub outbox_old: f64,
    /// Steps that had fallen due, and those that had for longer than ten seconds.
    pub due: f64,
    pub overdue: f64,
    /// Facts that were parked or set aside.
    pub aside: f64,
}

/// The last row of each outbox when it was last looked at.
pub type Rows = BTreeMap<&'static str, i64>;

/// Steps that have been due for so long are late: ten seconds of the host's clock, which the one of the cases is 120
/// times as fast as.
const LATE: TimeDelta = TimeDelta::minutes(20);

/// Looks at everything; `rows` are those of the sample before, and then those of this one.
///
/// # Errors
/// When something cannot be read.
pub async fn take(
    fleet: &Fleet,
    servers: &OwnServers,
    work: &Work,
    now: DateTime<Utc>,
    rows: &mut Rows,
) -> anyhow::Result<Sample> {
    let mut sample = Sample::default();
    for instance in fleet.instances.values().flatten() {
        sample.processes.insert(instance.name().to_owned(), takes(instance.pid()?)?);
    }
    if let Some(broker) = servers.pid(Which::Kafka) {
        sample.processes.insert(BROKER.to_owned(), takes(broker)?);
    }
    for service in work.services() {
        let sizes = "SELECT relname::text AS name, pg_total_relation_size(oid)::bigint AS bytes FROM pg_class \
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        for row in work.rows(service, sizes, Vec::new()).await? {
            sample.tables.insert(get(&row, "name")?, float(get(&row, "bytes")?));
        }
        let count = async |sql: String| anyhow::Ok(float(work.count(service, &sql, Vec::new()).await?));
        let waits = format!("SELECT count(*) FROM {service}_outbox WHERE published_at IS NULL");
        let before = rows.get(service).copied().unwrap_or(0);
        sample.outbox_old += count(format!("{waits} AND id <= {before}")).await?;
        sample.outbox += count(waits).await?;
        let last = format!("SELECT coalesce(max(id), 0) FROM {service}_outbox");
        rows.insert(service, work.count(service, &last, Vec::new()).await?);
        for aside in ["parked", "dead_letter"] {
            sample.aside += count(format!("SELECT count(*) FROM {service}_{aside}")).await?;
        }
    }
    sample.cases = float(work.count("handle", "SELECT count(*) FROM handle_case", Vec::new()).await?);
    sample.lag = float(work.lag().await?);
    sample.due = float(work.due(now, now).await?);
    sample.overdue = float(work.due(now - LATE, now).await?);
    for topic in Topic::ALL {
        sample.topics.insert(topic, on_disk(&servers.path(Which::Kafka), &work.topic(topic))?);
    }
    Ok(sample)
}

/// What a process takes, as Linux tells it (proc(5)).
fn takes(pid: u32) -> anyhow::Result<Takes> {
    let of = format!("/proc/{pid}");
    let status = std::fs::read_to_string(format!("{of}/status")).context("a process has ended")?;
    let number = |name: &str| -> Option<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
    };
    let files = std::fs::read_dir(format!("{of}/fd")).context("the files of a process cannot be counted")?;
    Ok(Takes {
        memory_mb: number("VmRSS").context("no memory is told")? / 1_024.0,
        files: float(i64::try_from(files.count())?),
        threads: number("Threads").context("no threads are told")?,
    })
}

/// Bytes that the partitions of a topic take. Their indexes are made far larger than they are filled, so blocks count.
fn on_disk(broker: &Path, topic: &str) -> anyhow::Result<f64> {
    let mut blocks = 0;
    for partition in std::fs::read_dir(broker.join("data")).context("the broker has no data")? {
        let partition = partition?;
        let name = partition.file_name().to_string_lossy().into_owned();
        if name.rsplit_once('-').is_none_or(|(of, _)| of != topic) {
            continue;
        }
        for file in std::fs::read_dir(partition.path())? {
            // A segment may be rolled or removed just now.
            blocks += file?.metadata().map_or(0, |told| told.blocks());
        }
    }
    Ok(float(i64::try_from(blocks * 512)?))
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes fit an f64")]
fn float(many: i64) -> f64 {
    many as f64
}
