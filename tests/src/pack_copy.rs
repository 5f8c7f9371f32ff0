//! A copy of the two streets in a folder of its own, for a test to change.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::world::packs;

/// The pack, and the calendars beside it that it names.
pub struct PackCopy {
    all: TempDir,
}

impl PackCopy {
    pub fn copy() -> Self {
        let all = TempDir::new().unwrap();
        for folder in ["twostreets", "calendars"] {
            std::fs::create_dir(all.path().join(folder)).unwrap();
            for file in std::fs::read_dir(packs().join(folder)).unwrap() {
                let file = file.unwrap();
                std::fs::copy(file.path(), all.path().join(folder).join(file.file_name())).unwrap();
            }
        }
        Self { all }
    }

    pub fn folder(&self) -> PathBuf {
        self.all.path().join("twostreets")
    }

    /// Changes a file of JSON.
    pub fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) -> &Self {
        let path = self.folder().join(file);
        let mut value: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(path, serde_json::to_string_pretty(&value).unwrap()).unwrap();
        self
    }

    /// The same, with a file of JSON changed.
    pub fn edited(self, file: &str, change: impl FnOnce(&mut Value)) -> Self {
        self.edit(file, change);
        self
    }

    /// The same, with the first `old` in a file replaced.
    pub fn with(self, file: &str, old: &str, new: &str) -> Self {
        let path = self.folder().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} has no {old}");
        std::fs::write(path, text.replacen(old, new, 1)).unwrap();
        self
    }
}
