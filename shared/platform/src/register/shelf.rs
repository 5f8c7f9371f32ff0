//! All records of a register, put together: which versions there are, and the files of one. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Record;
use super::manifest::{MANIFEST, Manifest, PART, Parts, part_key, part_record};
use crate::pack::{Pack, PackFault, PackFiles, sha256};

/// What stands in a register.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// By their keys.
    manifests: BTreeMap<String, Manifest>,
    parts: Parts,
    /// Why nothing could be made of a record, by its key.
    odd: BTreeMap<String, String>,
}

/// Why a version cannot be used as it stands in the register.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Somebody may still be publishing it, or was kept from it.
    #[error("a part of {file} is not there: publish the pack again / {file} 的一部分尚未发布，请重新发布")]
    Missing { file: String },
    #[error(
        "{file} is not what was published under this name: publish the pack again / {file} 与发布时不一致，请重新发布"
    )]
    Other { file: String },
    /// This program is older or newer than the one that published it.
    #[error("{}", .fault.both())]
    Faults { fault: PackFault },
    #[error("it says it is {said}, and its files make {made} / 版本号 {said} 与内容 {made} 不符")]
    Version { said: String, made: String },
}

impl Shelf {
    /// Takes a record in the place of an earlier one of its key. What cannot be understood is left out, and [odd](Self::odd).
    pub fn take(&mut self, key: &str, value: &[u8]) {
        self.manifests.remove(key);
        self.odd.remove(key);
        if let Some(digest) = key.strip_prefix(PART) {
            self.parts.remove(digest);
        }
        if value.is_empty() {
            return;
        }
        if let Err(why) = self.put(key, value) {
            self.odd.insert(key.to_owned(), why);
        }
    }

    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), String> {
        if let Some(digest) = key.strip_prefix(PART) {
            let made = sha256(value);
            if made != digest {
                return Err(format!("its digest is {made}"));
            }
            self.parts.insert(made, value.to_vec());
            return Ok(());
        }
        if !key.starts_with(MANIFEST) {
            return Err("it is neither a part nor a pack".to_owned());
        }
        let manifest: Manifest = serde_json::from_slice(value).map_err(|error| error.to_string())?;
        if manifest.key() != key {
            return Err(format!("by what it says, its key is {}", manifest.key()));
        }
        self.manifests.insert(manifest.key(), manifest);
        Ok(())
    }

    /// Records that nobody could make anything of: key and reason.
    pub fn odd(&self) -> impl Iterator<Item = (&String, &String)> {
        self.odd.iter()
    }

    /// The keys of all records.
    pub(super) fn keys(&self) -> BTreeSet<String> {
        let parts = self.parts.keys().map(|digest| part_key(digest));
        self.manifests.keys().cloned().chain(parts).chain(self.odd.keys().cloned()).collect()
    }

    /// The newest version of `code`, wherever it stands: one that was held up on its way and comes after a later one
    /// changes nothing.
    pub fn newest(&self, code: &str) -> Option<&Manifest> {
        self.manifests
            .values()
            .filter(|manifest| manifest.code == code)
            .max_by_key(|manifest| manifest.published_at)
    }

    /// The newest version of the same code beside `manifest` that `before` does not show.
    pub(super) fn beside(&self, manifest: &Manifest, before: &Self) -> Option<&Manifest> {
        let unseen = self.manifests.iter().filter(|(key, _)| !before.manifests.contains_key(*key));
        let others = unseen.map(|(_, other)| other).filter(|other| *other != manifest);
        others.filter(|other| other.code == manifest.code).max_by_key(|other| other.published_at)
    }

    /// The codes of which anything was published.
    pub fn codes(&self) -> BTreeSet<&str> {
        self.manifests.values().map(|manifest| manifest.code.as_str()).collect()
    }

    /// The files of a version.
    ///
    /// # Errors
    /// When one is not there as a whole, or not as it was published.
    pub fn files(&self, manifest: &Manifest) -> Result<PackFiles, Unusable> {
        let mut files = PackFiles::default();
        for file in &manifest.files {
            let Some(parts) = &file.parts else {
                files.noted.insert(file.name.clone(), file.sha256.clone());
                continue;
            };
            let mut bytes = Vec::new();
            for digest in parts {
                let part = self.parts.get(digest);
                let part = part.ok_or_else(|| Unusable::Missing { file: file.name.clone() })?;
                bytes.extend_from_slice(part);
            }
            if sha256(&bytes) != file.sha256 {
                return Err(Unusable::Other { file: file.name.clone() });
            }
            files.read.insert(file.name.clone(), bytes);
        }
        Ok(files)
    }

    /// The pack of a version, read and checked from its files. It takes its time: in a runtime it belongs in
    /// `spawn_blocking`.
    ///
    /// # Errors
    /// Why it cannot be used here.
    pub fn load(&self, manifest: &Manifest) -> Result<Arc<Pack>, Unusable> {
        let pack = Pack::of_published(self.files(manifest)?).map_err(|fault| Unusable::Faults { fault })?;
        if (&pack.digest, &pack.code) != (&manifest.version, &manifest.code) {
            let said = format!("{} {}", manifest.code, manifest.version);
            return Err(Unusable::Version { said, made: format!("{} {}", pack.code, pack.digest) });
        }
        Ok(Arc::new(pack))
    }

    /// Records of those of `parts` that do not stand here.
    pub(super) fn lacking(&self, parts: &Parts) -> Vec<Record> {
        let lacking = parts.iter().filter(|(digest, _)| !self.parts.contains_key(*digest));
        lacking.map(|(digest, bytes)| part_record(digest, bytes)).collect()
    }

    /// Records that take out what nobody needs: versions with a newer one, and parts of no other.
    pub(super) fn needless(&self) -> Vec<Record> {
        let newest: Vec<&Manifest> = self.codes().into_iter().filter_map(|code| self.newest(code)).collect();
        let needed: BTreeSet<&String> = newest.iter().flat_map(|manifest| manifest.parts()).collect();
        let is_newest = |key: &String| newest.iter().any(|manifest| manifest.key() == *key);
        let old = self.manifests.keys().filter(|key| !is_newest(key)).cloned();
        let loose = self.parts.keys().filter(|digest| !needed.contains(digest));
        let loose = loose.map(|digest| part_key(digest));
        old.chain(loose).map(|key| Record { key, value: Vec::new() }).collect()
    }
}
