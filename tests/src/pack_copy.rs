//! A copy of a pack in a folder of its own, to be changed.

use std::path::{Path, PathBuf};

#[cfg(test)]
use serde_json::Value;
#[cfg(test)]
use tempfile::TempDir;

use crate::process::pack;

/// Copies a pack into `folder`, and the calendars that it names beside it; answers where it lies.
///
/// # Errors
/// When there is no such pack, or it cannot be written.
pub fn copy(name: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    for part in [name, "calendars"] {
        let to = folder.join(part);
        std::fs::create_dir_all(&to)?;
        for file in std::fs::read_dir(pack(name).join("..").join(part))? {
            let file = file?;
            std::fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(folder.join(name))
}

/// The two streets, for a test to change.
#[cfg(test)]
pub struct PackCopy {
    all: TempDir,
}

#[cfg(test)]
impl PackCopy {
    pub fn copy() -> Self {
        let all = TempDir::new().unwrap();
        copy("twostreets", all.path()).unwrap();
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
