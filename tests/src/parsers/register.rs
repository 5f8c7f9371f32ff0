//! Records of the register of packs: `key`, a line break, its value, and a line `---` before the next. The parts and the
//! manifest of a pack that is whole lie there already; `@version` stands for its version and `@key` for its key.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use platform::register::{Manifest, Parts, Shelf};

use super::{Read, base, head};

/// The base as it was published.
static PUBLISHED: LazyLock<(Manifest, Parts)> = LazyLock::new(|| {
    let at: DateTime<Utc> = "2026-03-02T01:00:00Z".parse().expect("a time");
    Manifest::of(&base::FILES, &base::PACK.code, &base::PACK.digest, at, "anna")
});

pub fn register(bytes: &[u8]) -> Read {
    let (manifest, parts) = &*PUBLISHED;
    let mut shelf = Shelf::default();
    for (digest, part) in parts {
        shelf.take(&format!("part/{digest}"), part);
    }
    shelf.take(&manifest.record().key, &manifest.record().value);
    let before = newest(&shelf).expect("the base is there");
    let whole = meant(bytes);
    for record in split(&whole) {
        let (key, value) = head(record);
        // As a reader of the topic has it.
        shelf.take(&String::from_utf8_lossy(key), value);
    }
    for (key, why) in shelf.odd() {
        assert!(!why.is_empty(), "{key} is odd, and nobody says why");
    }
    for code in shelf.codes() {
        let Some(newest) = shelf.newest(code) else { continue };
        assert!(newest.code == code, "{code}");
        assert!(!newest.key().is_empty());
        if let Err(unusable) = shelf.files(newest) {
            assert!(!unusable.to_string().is_empty());
        }
    }
    let after = newest(&shelf);
    // A version is what its files make, or it is not used; who looked can be sure of it.
    if let Some(manifest) = after.as_ref().filter(|after| **after != before)
        && let Ok(pack) = shelf.load(manifest)
    {
        assert_eq!((&pack.digest, &pack.code), (&manifest.version, &manifest.code));
    }
    (after.as_ref() != Some(&before)).into()
}

fn newest(shelf: &Shelf) -> Option<Manifest> {
    shelf.newest(&base::PACK.code).cloned()
}

/// With the words that stand for what nobody can guess.
fn meant(bytes: &[u8]) -> Vec<u8> {
    let (manifest, _) = &*PUBLISHED;
    let text = String::from_utf8_lossy(bytes);
    let files = || serde_json::to_string(&manifest.files).expect("a manifest is plain data");
    let text = text.replace("@version", &manifest.version).replace("@key", &manifest.key());
    let text = if text.contains("@files") { text.replacen("@files", &files(), 1) } else { text };
    text.into_bytes()
}

fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let all = rest?;
        let between = all.windows(5).position(|five| five == b"\n---\n");
        rest = between.map(|at| &all[at + 5..]);
        Some(between.map_or(all, |at| &all[..at]))
    })
}
