//! What a published pack consists of, and how its files become records. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::pack::{PackFiles, sha256};

/// The most bytes of a part: with key and envelope it stays below the 1 MB that a broker takes for a record.
const LONGEST_PART: usize = 900_000;

/// Before the keys of parts.
pub(super) const PART: &str = "part/";
/// Before the keys of manifests.
pub const MANIFEST: &str = "pack/";

/// One version of a pack, as it is published: the last record of it, written when all its parts are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub code: String,
    /// The digest of the pack.
    pub version: String,
    /// Later than that of every version of this code before it, whatever a host's clock says.
    pub published_at: DateTime<Utc>,
    pub by: String,
    pub files: Vec<Listed>,
}

/// A file of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// As `pack.json` names it.
    pub name: String,
    pub sha256: String,
    /// SHA-256 of each part, in order; `None` for what is noted and not brought along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<String>>,
}

/// The parts of a version, by their SHA-256.
pub type Parts = BTreeMap<String, Vec<u8>>;

impl Manifest {
    /// The manifest of `files`, and their parts.
    pub fn of(
        files: &PackFiles,
        code: &str,
        version: &str,
        published_at: DateTime<Utc>,
        by: &str,
    ) -> (Self, Parts) {
        let mut parts = Parts::new();
        let mut listed = Vec::new();
        for (name, bytes) in &files.read {
            let mut own = Vec::new();
            for part in bytes.chunks(LONGEST_PART) {
                let digest = sha256(part);
                parts.insert(digest.clone(), part.to_vec());
                own.push(digest);
            }
            listed.push(Listed { name: name.clone(), sha256: sha256(bytes), parts: Some(own) });
        }
        let noted = files.noted.iter();
        listed.extend(noted.map(|(name, sum)| Listed {
            name: name.clone(),
            sha256: sum.clone(),
            parts: None,
        }));
        let (code, version, by) = (code.to_owned(), version.to_owned(), by.to_owned());
        (Self { code, version, published_at, by, files: listed }, parts)
    }

    /// The key of its record. Two versions of a code have two, so that taking out old records never takes the newest.
    pub fn key(&self) -> String {
        format!("{MANIFEST}{}/{}", self.code, self.published_at.timestamp_millis())
    }

    pub fn record(&self) -> Record {
        let value = serde_json::to_vec(self).expect("a manifest is plain data with text keys");
        Record { key: self.key(), value }
    }

    /// The digests of all its parts.
    pub(super) fn parts(&self) -> impl Iterator<Item = &String> {
        self.files.iter().flat_map(|file| file.parts.iter().flatten())
    }
}

/// The record of a part.
pub(super) fn part_record(digest: &str, bytes: &[u8]) -> Record {
    Record { key: part_key(digest), value: bytes.to_vec() }
}

pub(super) fn part_key(digest: &str) -> String {
    format!("{PART}{digest}")
}
