//! A slice of a topic sent once more, as by a relay that began again far too early, or by somebody who replays a log:
//! its readers have taken all of it, and drop it.

use domain::facts::Topic;
use platform::store::{get, get_incident, get_time};
use platform::stream::Fact;
use sea_orm::QueryResult;

use super::poison;
use super::work::Work;
use crate::kills::dice::Dice;

/// Sends up to `many` facts of `topic` again, from anywhere on it; answers how many.
///
/// # Errors
/// When a server does not answer.
pub async fn send(
    work: &Work,
    broker: &str,
    topic: Topic,
    many: usize,
    dice: &mut Dice,
) -> anyhow::Result<usize> {
    let service = topic.written_by();
    let last = format!("SELECT coalesce(max(id), 0) FROM {service}_outbox");
    let last = work.count(service, &last, Vec::new()).await?;
    let from = dice.below(usize::try_from(last)?);
    let slice = format!(
        "SELECT topic, incident, sequence, kind, at, noticed_at, cause, body FROM {service}_outbox \
         WHERE id >= $1 AND published_at IS NOT NULL ORDER BY id LIMIT $2"
    );
    let values = vec![i64::try_from(from)?.into(), i64::try_from(many)?.into()];
    let rows = work.rows(service, &slice, values).await?;
    let facts = rows.iter().map(|row| fact(topic, row)).collect::<anyhow::Result<Vec<Fact>>>()?;
    let records: Vec<_> = facts.iter().map(|fact| poison::letter(work.topic(topic), fact)).collect();
    if !records.is_empty() {
        poison::send_all(broker, &records).await?;
    }
    Ok(records.len())
}

fn fact(topic: Topic, row: &QueryResult) -> anyhow::Result<Fact> {
    Ok(Fact {
        topic,
        incident: get_incident(row, "incident")?,
        sequence: get(row, "sequence")?,
        kind: get(row, "kind")?,
        at: get_time(row, "at")?,
        noticed_at: get_time(row, "noticed_at")?,
        cause: get(row, "cause")?,
        body: get(row, "body")?,
    })
}
