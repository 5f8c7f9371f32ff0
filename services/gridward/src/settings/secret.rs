//! What must not be seen: passwords, and the URL that may hold one.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize, Serializer};

/// A text that neither a log line nor `gridward config` shows.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for whoever it is meant for.
    pub fn shown(&self) -> &str {
        &self.0
    }

    /// This, or the first line of `file`; `setting` names the file in an error.
    ///
    /// # Errors
    /// When there is a file and it cannot be read.
    pub fn or_in(&self, file: &Path, setting: &str) -> anyhow::Result<String> {
        if !self.0.is_empty() || file.as_os_str().is_empty() {
            return Ok(self.0.clone());
        }
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {setting} {0} / 无法读取 {setting} {0}", file.display()))?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }

    /// Without what stands between `:` and `@`.
    fn masked(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let url = || -> Option<String> {
            let (scheme, rest) = self.0.split_once("://")?;
            let Some((user, place)) = rest.rsplit_once('@') else { return Some(self.0.clone()) };
            // An unescaped password may reach anywhere.
            let odd = !matches!(scheme, "postgres" | "postgresql") || user.contains(['@', '/', '?', '#']);
            if odd {
                return None;
            }
            let user = user.split(':').next().unwrap_or_default();
            Some(format!("{scheme}://{user}@{place}"))
        };
        url().unwrap_or_else(|| "(hidden 已隐藏)".to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}
