//! Readers stand on this log, on a record of the topic they read, and not beyond its end.

use domain::facts::Topic;

use super::ledger::{Ledger, Name};
use super::snapshot::Snapshot;
use super::whole::{PositionRow, SERVICES, Whole};

pub(super) async fn check(snapshot: &Snapshot, whole: &Whole, ledger: &mut Ledger) -> anyhow::Result<()> {
    ledger.looked(Name::Positions, whole.positions.len());
    if whole.identities.len() != 1 {
        ledger.fault(
            Name::Positions,
            "log_identity",
            format!("it has {} rows, not 1", whole.identities.len()),
        );
    }
    for row in &whole.positions {
        if let Some(why) = misplaced(snapshot, whole, row).await? {
            ledger.fault(Name::Positions, format!("{} on {}", row.service, row.topic), why);
        }
    }
    for service in &SERVICES {
        for topic in service.reads {
            let kept =
                whole.positions.iter().any(|row| row.service == service.name && row.topic == topic.as_str());
            if !kept && has_read(snapshot, service.name, *topic).await? {
                let what = "it has taken facts, but its position is missing";
                ledger.fault(Name::Positions, format!("{} on {topic}", service.name), what);
            }
        }
    }
    Ok(())
}

async fn misplaced(snapshot: &Snapshot, whole: &Whole, row: &PositionRow) -> anyhow::Result<Option<String>> {
    let service = SERVICES.iter().find(|service| service.name == row.service);
    let topic = row.topic.parse::<Topic>().ok();
    let Some(topic) = topic.filter(|topic| service.is_some_and(|service| service.reads.contains(topic)))
    else {
        return Ok(Some("it does not read this topic".to_owned()));
    };
    let end = whole.ends.get(&topic).copied().unwrap_or(0);
    if row.partition != 0 {
        return Ok(Some(format!("partition {} of a topic that has one", row.partition)));
    }
    if whole.identities.iter().all(|identity| *identity != row.topic_id) {
        return Ok(Some(format!(
            "it is on log {}, the log here is {}",
            row.topic_id,
            whole.identities.join(", ")
        )));
    }
    if row.position > end {
        return Ok(Some(format!("it is at {}, but the topic ends at {end}", row.position)));
    }
    if row.position == 0 {
        return Ok(None);
    }
    let sql = "SELECT id FROM log WHERE id = ?1 AND topic = ?2";
    let there: Option<i64> = snapshot.one(sql, vec![row.position.into(), topic.as_str().into()]).await?;
    Ok(there.is_none().then(|| format!("it is at {}, where no fact of the topic lies", row.position)))
}

/// Asked only of a reader without a position, so looking through the table costs nothing as a rule.
async fn has_read(snapshot: &Snapshot, service: &str, topic: Topic) -> anyhow::Result<bool> {
    let sql = format!("SELECT last FROM {service}_sequence WHERE topic = ?1 LIMIT 1");
    let last: Option<i64> = snapshot.one(&sql, vec![topic.as_str().into()]).await?;
    Ok(last.is_some())
}
