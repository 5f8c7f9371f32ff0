//! A record of a topic: headers `name: value` a line each, an empty line, and the body. What is read is sealed again and
//! read as the same; what is not says why, and is a dead letter with a place of its own.

use chrono::SubsecRound as _;
use domain::facts::Topic;
use platform::stream::kafka::envelope::{open, seal};
use platform::stream::{Fact, Record, Source, UNREADABLE};

use super::{Read, head, text};

const SOURCE: Source = Source { topic: Topic::Handled, partition: 4 };

pub fn records(bytes: &[u8]) -> Read {
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    let mut rest = bytes;
    loop {
        let (line, after) = head(rest);
        rest = after;
        let colon = line.iter().position(|byte| *byte == b':');
        let Some((name, value)) = colon.map(|at| (&line[..at], &line[at + 1..])) else { break };
        headers.push((String::from_utf8_lossy(name).into_owned(), value.trim_ascii().to_vec()));
    }
    let key = headers.iter().find(|(name, _)| name == "key").map(|(_, value)| value.clone());
    let body = (!rest.is_empty()).then_some(rest);
    let record = open(SOURCE, 9, key.as_deref(), &headers, body);
    assert_eq!((record.source, record.position), (SOURCE, 9));
    if record.kind == UNREADABLE && record.sequence < 0 {
        assert!(!record.cause.is_empty(), "nobody says why");
        return Read::Refused;
    }
    assert!(record.sequence >= 1 && text(rest) == Some(record.body.as_str()), "{record:?}");
    let again = sealed_again(&record);
    assert_eq!(again, sealed_again(&again), "what was sealed here is opened as it was");
    // Times are sealed to the millisecond, as they are kept everywhere.
    let (at, noticed_at) = (record.at.trunc_subsecs(3), record.noticed_at.trunc_subsecs(3));
    assert_eq!(again, Record { at, noticed_at, ..record });
    Read::Taken
}

fn sealed_again(record: &Record) -> Record {
    let letter = seal(&Fact {
        topic: record.source.topic,
        incident: record.incident,
        sequence: record.sequence,
        kind: record.kind.clone(),
        at: record.at,
        noticed_at: record.noticed_at,
        cause: record.cause.clone(),
        body: record.body.clone(),
    });
    let headers: Vec<(String, Vec<u8>)> =
        letter.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())).collect();
    open(record.source, record.position, Some(letter.key.as_bytes()), &headers, Some(letter.body.as_bytes()))
}
