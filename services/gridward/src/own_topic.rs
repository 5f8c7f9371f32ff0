//! Before a service serves anybody on servers: does its store know every fact on its own topic? One restored from an
//! earlier time does not, and would draw sequences that are taken. handle takes its cases back from the topic; the
//! others say what to do, and do not start.

use anyhow::{Context, bail};
use handle::Handle;
use platform::store::Store;
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
    let mut taken = 0;
    for (partition, beginning) in own.beginnings() {
        let mut after = beginning;
        while let Some(some) = own.some(partition, after).await? {
            after = some.last().map_or(after, |record| record.position);
            let mut unknown = unknown_among(some, store, Handle::NAME, Handle::WRITES).await?;
            // A relay that repeats itself leaves copies.
            let mut seen = std::collections::BTreeSet::new();
            unknown.retain(|record| seen.insert((record.incident, record.sequence)));
            if unknown.is_empty() {
                continue;
            }
            let tx = store.begin().await?;
            if let Err(error) = handle::catch_up(&tx, &unknown).await {
                bail!("{error}: restore the database to a later time / 请将数据库恢复到更晚的时间点");
            }
            tx.commit().await.context("cannot write what the topic knows")?;
            taken += unknown.len();
        }
    }
    info!("took {taken} facts over from the topic / 已从主题追补 {taken} 条");
    Ok(())
}
