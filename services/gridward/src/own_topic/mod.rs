//! Before a service serves anybody on servers: does its store know every fact on its own topic? One restored from an
//! earlier time does not, and would draw sequences that are taken. handle takes its cases back from the topic; the
//! others say what to do, and do not start. Nor does one on whose topic somebody else has written; where nothing is
//! left to restore, somebody takes [note](note) of such facts, and answers for it by name.

mod catching_up;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use domain::facts::Topic;
use domain::id::IncidentId;
use handle::Handle;
use platform::store::strays::{self, Note};
use platform::store::{Store, commit, outbox, sequences};
use platform::stream::kafka::{OwnTopic, Settings, unknown_among};
use platform::stream::{Fact, Record};
use platform::turn::Service;
use tracing::{info, warn};

pub(crate) use catching_up::CatchingUp;

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
             of this installation alone? Where neither can be mended, {STRAYS} / \
             {place} 中没有本服务主题上的 {name}（{topic} 分区 {partition} 位置 {position}）。若数据库是从较早的时间点恢复的，\
             继续运行会以相同编号发布不同内容：请恢复到最新时间点后再启动；否则请确认数据库无误，且 kafka.prefix 未被其他系统使用。\
             若均无法补救，{STRAYS_ZH}",
            place = store.place(),
            name = first.name(),
            service = S::NAME,
            topic = own.name(),
            partition = first.source.partition,
            position = first.position,
        )),
    };
    let_go(own).await?;
    outcome
}

/// The way on where nothing is left to restore.
const STRAYS: &str =
    "`gridward strays SERVICE --config FILE` lists all such facts, and with --note takes note of them";
const STRAYS_ZH: &str = "用 gridward strays 服务名 --config 文件 列出这些事实，加 --note 登记后即可启动";

async fn let_go(own: OwnTopic) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || own.close()).await.context("letting go of the own topic panicked")
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

/// All facts on the own topic of `service`, which writes `topic`, that its store does not know: by incident, in the order
/// of their sequences.
///
/// # Errors
/// When the broker or the database cannot be asked.
pub async fn strays(
    service: &'static str,
    topic: Topic,
    store: &Store,
    settings: &Settings,
) -> anyhow::Result<Vec<Record>> {
    let own = OwnTopic::open(settings, topic).await?;
    let found = all_unknown(service, store, &own).await;
    let_go(own).await?;
    found
}

async fn all_unknown(service: &'static str, store: &Store, own: &OwnTopic) -> anyhow::Result<Vec<Record>> {
    let mut found = BTreeMap::new();
    for (partition, beginning) in own.beginnings() {
        let mut after = beginning;
        while let Some(some) = own.some(partition, after).await? {
            after = some.last().map_or(after, |record| record.position);
            for record in unknown_among(some, store, service, own.topic()).await? {
                // Of several under one name the first: it is the one that readers take.
                found.entry((record.incident, record.sequence)).or_insert(record);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// What became of stray facts.
#[derive(Debug, Default)]
pub struct Noted {
    /// Facts of cases, which handle took over as it does at a start.
    pub taken_over: usize,
    /// Noted: their sequences count as drawn.
    pub noted: Vec<Record>,
    /// Incidents with a fact missing before a noted one: their readers park what follows.
    pub gaps: BTreeSet<IncidentId>,
}

/// Takes note of [`strays`]: their sequences are never drawn again, and the audit says who answers for them. Whatever
/// handle can take over it takes over. Beside a running service too: its incidents are locked as in a turn.
///
/// # Errors
/// When the database fails; nothing of what was to be noted is then.
pub async fn note(
    service: &'static str,
    topic: Topic,
    store: &Store,
    mut found: Vec<Record>,
    note: &Note,
) -> anyhow::Result<Noted> {
    let mut outcome = Noted::default();
    if service == Handle::NAME {
        let all = found.len();
        found = take_over(store, found).await?;
        outcome.taken_over = all - found.len();
    }
    let mut incidents: Vec<IncidentId> = found.iter().map(|record| record.incident).collect();
    incidents.dedup();
    let tx = store.begin().await?;
    let mut locked = sequences::lock(&tx, service, &[topic], &incidents).await?;
    let mut drawn = sequences::OfTopic::new(topic, locked.last.remove(&topic).unwrap_or_default());
    for record in found {
        let last = drawn.last(record.incident).unwrap_or(0);
        // Whoever runs beside us may have drawn it meanwhile: then it is a fact of its own.
        if record.sequence <= last {
            continue;
        }
        if record.sequence > last + 1 {
            outcome.gaps.insert(record.incident);
        }
        drawn.set(record.incident, record.sequence);
        outcome.noted.push(record);
    }
    let changes: Vec<sequences::Change> = drawn.changes().collect();
    sequences::save(&tx, service, &changes).await?;
    let facts: Vec<Fact> = outcome.noted.iter().map(Record::as_fact).collect();
    outbox::append_published(&tx, service, &facts).await?;
    strays::keep(&tx, service, &outcome.noted, note).await?;
    commit(tx, "taking note of stray facts").await?;
    Ok(outcome)
}

/// Takes over of each incident what follows on what is known, one fact after the other; answers the rest.
async fn take_over(store: &Store, found: Vec<Record>) -> anyhow::Result<Vec<Record>> {
    let (mut rest, mut broken) = (Vec::new(), None);
    for record in found {
        if broken == Some(record.incident) {
            rest.push(record);
            continue;
        }
        let tx = store.begin().await?;
        match handle::catch_up(&tx, std::slice::from_ref(&record)).await {
            Ok(()) => commit(tx, "taking over what the topic knows").await?,
            Err(error) if error.may_pass() => return Err(error.into()),
            Err(_) => {
                broken = Some(record.incident);
                rest.push(record);
            }
        }
    }
    Ok(rest)
}
