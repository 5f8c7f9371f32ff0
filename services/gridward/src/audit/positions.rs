//! Readers stand on this log or these topics, where there is a record of what they read, and not beyond the end.

use domain::facts::Topic;

use super::ledger::{Ledger, Name};
use super::snapshot::{Setting, Snapshot};
use super::whole::{Between, Log, OnKafka, PositionRow, SERVICES, Whole};

pub(super) async fn check(snapshot: &Snapshot, whole: &Whole, ledger: &mut Ledger) -> anyhow::Result<()> {
    ledger.looked(Name::Positions, whole.positions.len());
    if let Between::Log(Log { identities, .. }) = &whole.between
        && identities.len() != 1
    {
        let what = format!("it has {} rows, not 1", identities.len());
        ledger.fault(Name::Positions, "log_identity", what);
    }
    for row in &whole.positions {
        if let Some(why) = misplaced(snapshot, whole, row).await? {
            let name = match whole.setting() {
                Setting::File => format!("{} on {}", row.service, row.topic),
                Setting::Servers => format!("{} on {}/{}", row.service, row.topic, row.partition),
            };
            ledger.fault(Name::Positions, name, why);
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
    match &whole.between {
        Between::Log(log) => off_the_log(snapshot, log, topic, row).await,
        Between::Topics(topics) => Ok(off_the_topic(topics, topic, row)),
    }
}

async fn off_the_log(
    snapshot: &Snapshot,
    log: &Log,
    topic: Topic,
    row: &PositionRow,
) -> anyhow::Result<Option<String>> {
    let end = log.ends.get(&topic).copied().unwrap_or(0);
    if row.partition != 0 {
        return Ok(Some(format!("partition {} of a topic that has one", row.partition)));
    }
    if log.identities.iter().all(|identity| *identity != row.topic_id) {
        let here = log.identities.join(", ");
        return Ok(Some(format!("it is on log {}, the log here is {here}", row.topic_id)));
    }
    if row.position > end {
        return Ok(Some(format!("it is at {}, but the topic ends at {end}", row.position)));
    }
    if row.position == 0 {
        return Ok(None);
    }
    let sql = "SELECT id FROM log WHERE id = $1 AND topic = $2";
    let there: Option<i64> = snapshot.one("", sql, vec![row.position.into(), topic.as_str().into()]).await?;
    Ok(there.is_none().then(|| format!("it is at {}, where no fact of the topic lies", row.position)))
}

fn off_the_topic(topics: &OnKafka, topic: Topic, row: &PositionRow) -> Option<String> {
    let id = topics.ids.get(&topic).map_or("", String::as_str);
    if row.topic_id != id {
        return Some(format!("it is on a topic of id {}, the one here is {id}", row.topic_id));
    }
    let place = (topic, i32::try_from(row.partition).unwrap_or(-1));
    let Some(extent) = topics.after.get(&place) else {
        return Some("the topic has no such partition".to_owned());
    };
    let (first, last) = (extent.first, extent.last);
    if row.position > last {
        Some(format!("it is at {}, but the partition ends at {last}", row.position))
    } else if row.position < first - 1 {
        Some(format!("it is at {}, but nothing before {first} is kept", row.position))
    } else {
        None
    }
}

/// Asked only of a reader without a position, so looking through the table costs nothing as a rule.
async fn has_read(snapshot: &Snapshot, service: &str, topic: Topic) -> anyhow::Result<bool> {
    let sql = format!("SELECT last FROM {service}_sequence WHERE topic = $1 AND last > 0 LIMIT 1");
    let last: Option<i64> = snapshot.one(service, &sql, vec![topic.as_str().into()]).await?;
    Ok(last.is_some())
}
