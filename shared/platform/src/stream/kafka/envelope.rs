//! A fact as a Kafka record: JSON in a CloudEvents 1.0 envelope, binary mode (Kafka protocol binding, 3.2). The
//! key is the incident's id, so its facts stay in one partition, in order.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::facts::Topic;
use domain::id::IncidentId;

use crate::stream::{Fact, Record, Source, UNREADABLE};

/// A record on its way out: its key, its headers in order, its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub key: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// Puts a fact in its envelope.
pub fn seal(fact: &Fact) -> Letter {
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("ce_specversion", "1.0".to_owned()),
        // The same however often it is sent: (topic, incident, sequence) is a fact's name.
        ("ce_id", format!("{}/{}/{}", fact.topic, fact.incident, fact.sequence)),
        ("ce_source", written_by(fact.topic)),
        ("ce_type", fact.kind.clone()),
        ("ce_time", written(fact.at)),
        ("ce_subject", fact.incident.to_string()),
        ("ce_sequence", fact.sequence.to_string()),
        ("ce_cause", fact.cause.clone()),
        ("ce_noticed", written(fact.noticed_at)),
    ];
    Letter { key: fact.incident.to_string(), headers, body: fact.body.clone() }
}

fn written_by(topic: Topic) -> String {
    format!("/gridward/{}", topic.written_by())
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Opens a record at `position` of `source`. One that cannot be read is no fault of the stream: it comes as a
/// record of type [`UNREADABLE`] that says why, which its reader sets aside as a dead letter, and goes on.
pub fn open(
    source: Source,
    position: i64,
    key: Option<&[u8]>,
    headers: &[(String, Vec<u8>)],
    body: Option<&[u8]>,
) -> Record {
    read(source, position, headers, body).unwrap_or_else(|why| {
        // Named by its place in the log, as nothing else about it is sure; below 0, as no sequence is.
        let place = -((position << 12) | i64::from(source.partition));
        let incident = key.and_then(|key| std::str::from_utf8(key).ok()).and_then(|key| key.parse().ok());
        Record {
            source,
            position,
            incident: incident.unwrap_or(IncidentId(uuid::Uuid::nil())),
            sequence: place,
            kind: UNREADABLE.to_owned(),
            at: DateTime::UNIX_EPOCH,
            noticed_at: DateTime::UNIX_EPOCH,
            cause: why,
            body: body.map(String::from_utf8_lossy).unwrap_or_default().into_owned(),
        }
    })
}

fn read(
    source: Source,
    position: i64,
    headers: &[(String, Vec<u8>)],
    body: Option<&[u8]>,
) -> Result<Record, String> {
    let body = body.ok_or("it has no value")?;
    let body = std::str::from_utf8(body).map_err(|error| format!("its value is not UTF-8: {error}"))?;
    let version = text(headers, "ce_specversion")?;
    if version != "1.0" {
        return Err(format!("it is CloudEvents {version}, and 1.0 is what is read here"));
    }
    // Whoever else may write to a topic of ours: what he says is no fact.
    let (from, writer) = (text(headers, "ce_source")?, written_by(source.topic));
    if from != writer {
        return Err(format!("its ce_source is {from}, and only {writer} writes {}", source.topic));
    }
    let sequence: i64 = parsed(headers, "ce_sequence")?;
    if sequence < 1 {
        return Err(format!("its ce_sequence is {sequence}; the first is 1"));
    }
    let incident: IncidentId = parsed(headers, "ce_subject")?;
    let named = format!("{}/{incident}/{sequence}", source.topic);
    if text(headers, "ce_id")? != named {
        return Err(format!("its ce_id is not {named}, as its topic, subject and sequence say"));
    }
    Ok(Record {
        source,
        position,
        incident,
        sequence,
        kind: text(headers, "ce_type")?.to_owned(),
        at: parsed(headers, "ce_time")?,
        noticed_at: parsed(headers, "ce_noticed")?,
        cause: text(headers, "ce_cause")?.to_owned(),
        body: body.to_owned(),
    })
}

fn text<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Result<&'a str, String> {
    let mut found = headers.iter().filter(|(has, _)| has == name);
    let (_, value) = found.next().ok_or_else(|| format!("its header {name} is missing"))?;
    if found.next().is_some() {
        return Err(format!("its header {name} is there twice"));
    }
    std::str::from_utf8(value).map_err(|_| format!("its header {name} is not UTF-8"))
}

fn parsed<T: FromStr>(headers: &[(String, Vec<u8>)], name: &str) -> Result<T, String>
where
    T::Err: Display,
{
    let text = text(headers, name)?;
    text.parse().map_err(|error| format!("its header {name} is `{text}`: {error}"))
}

/// The topic a fact of it goes to, under the name this installation has for it.
pub fn topic_name(prefix: &str, topic: Topic) -> String {
    format!("{prefix}{topic}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact() -> Fact {
        let at: DateTime<Utc> = "2026-03-02T04:00:00.250Z".parse().unwrap();
        Fact {
            topic: Topic::Handled,
            incident: IncidentId::new(at, [7; 10]),
            sequence: 3,
            kind: "case.signed".to_owned(),
            at,
            noticed_at: at + chrono::TimeDelta::milliseconds(5),
            cause: "act/sign".to_owned(),
            body: r#"{"said":"好"}"#.to_owned(),
        }
    }

    fn headers(letter: &Letter) -> Vec<(String, Vec<u8>)> {
        letter.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())).collect()
    }

    const SOURCE: Source = Source { topic: Topic::Handled, partition: 4 };

    fn opened(letter: &Letter, headers: &[(String, Vec<u8>)]) -> Record {
        open(SOURCE, 9, Some(letter.key.as_bytes()), headers, Some(letter.body.as_bytes()))
    }

    #[test]
    fn what_is_opened_is_what_was_sealed() {
        let fact = fact();
        let letter = seal(&fact);
        let record = opened(&letter, &headers(&letter));
        let Record { source, position, incident, sequence, kind, at, noticed_at, cause, body } = record;
        assert_eq!((source, position), (SOURCE, 9));
        let Fact { topic, .. } = fact;
        assert_eq!(Fact { topic, incident, sequence, kind, at, noticed_at, cause, body }, fact);
    }

    #[test]
    fn what_cannot_be_read_says_why_and_keeps_its_incident_and_its_words() {
        let letter = seal(&fact());
        let whole = headers(&letter);
        let changed = |name: &str, value: &str| {
            let mut headers = whole.clone();
            for (has, is) in &mut headers {
                if has == name {
                    *is = value.as_bytes().to_vec();
                }
            }
            headers
        };
        let without = |name: &str| whole.iter().filter(|(has, _)| has != name).cloned().collect::<Vec<_>>();
        for (headers, why) in [
            (without("ce_sequence"), "its header ce_sequence is missing"),
            (changed("ce_sequence", "two"), "its header ce_sequence is `two`"),
            (changed("ce_sequence", "0"), "the first is 1"),
            (changed("ce_sequence", "4"), "its ce_id is not handled/"),
            (changed("ce_source", "/gridward/route"), "only /gridward/handle writes handled"),
            (changed("ce_specversion", "0.3"), "CloudEvents 0.3"),
            (changed("ce_time", "noon"), "its header ce_time is `noon`"),
            ([whole.clone(), whole.clone()].concat(), "is there twice"),
            (Vec::new(), "is missing"),
        ] {
            let record = opened(&letter, &headers);
            assert_eq!(record.kind, UNREADABLE, "{why}");
            assert!(record.cause.contains(why), "{} / {why}", record.cause);
            assert_eq!((record.incident, record.body.as_str()), (fact().incident, letter.body.as_str()));
        }
        let nothing = open(SOURCE, 1, None, &whole, None);
        assert_eq!((nothing.kind.as_str(), nothing.cause.as_str()), (UNREADABLE, "it has no value"));
    }
}
