//! The names of things: incidents, people, categories. Ids come in as arguments, so that a test or a
//! replayed file gives the same ones twice.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An incident, from the report to the closed case. One id for its whole life, and the key of every
/// fact about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub Uuid);

impl IncidentId {
    /// A version 7 UUID (RFC 9562): its time sorts incidents as they came in, which keeps new rows
    /// together in an index; `entropy` fills the other 74 bits.
    pub fn new(at: DateTime<Utc>, entropy: [u8; 10]) -> Self {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid())
    }

    /// When the incident was reported, to the millisecond, if the id is one of ours.
    pub fn time(self) -> Option<DateTime<Utc>> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
    }
}

impl std::fmt::Display for IncidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for IncidentId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A person, by an opaque id. Names and phones stay in one store; facts carry only this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub String);

impl std::fmt::Display for PersonId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&str> for PersonId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A category (事项类别) of the pack, by its code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CategoryCode(pub String);

impl std::fmt::Display for CategoryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&str> for CategoryCode {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A partner organisation (社会组织), by its code in the register: letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartnerId(pub String);

impl std::fmt::Display for PartnerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&str> for PartnerId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_id_remembers_when_it_was_reported_and_sorts_by_it() {
        let at = DateTime::from_timestamp(1_309_498_353, 250_000_000).unwrap();
        let early = IncidentId::new(at, [0xff; 10]);
        let late = IncidentId::new(at + chrono::TimeDelta::milliseconds(1), [0; 10]);
        assert_eq!(early.time(), Some(at));
        assert!(early < late);
        assert_eq!(early, early.to_string().parse().unwrap());
    }
}
