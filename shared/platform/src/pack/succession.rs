//! What a version of a pack may not change unsaid in the one that was published before it, though each is whole by
//! itself: what is written down in cases must go on to mean what it meant, and somebody must be there for them.

use domain::area::AreaPath;
use domain::text::Text;
use serde_json::Value;

use super::fault::{Fault, PackFault};
use super::files::PackFiles;
use super::locate::locate;
use super::{Pack, main_file};

/// So many codes are named one by one.
const NAMED: usize = 10;

impl Pack {
    /// Whether this version, read from `files`, may come into force after `before`. Areas and categories that it no
    /// longer lists must be named in `dropped`: cases of them may be open, or reports on their way.
    ///
    /// # Errors
    /// What stands against it, by file and line.
    pub fn follows(&self, before: &Self, files: &PackFiles, dropped: &[String]) -> Result<(), PackFault> {
        let main = files.read.get(main_file::NAME).map(|bytes| String::from_utf8_lossy(bytes));
        let main = main.as_deref().unwrap_or_default();
        let main = main.strip_prefix('\u{feff}').unwrap_or(main);
        let mut faults = Vec::new();
        faults.extend(self.same_policy(before, main));
        faults.extend(self.same_confidence(before, &file_of(main, "categories")));
        let is_dropped = |code: &str| dropped.iter().any(|dropped| dropped == code);
        let below_dropped = |area: &AreaPath| area.as_str().split('/').any(is_dropped);
        let areas = before.areas.iter().filter(|area| self.areas.by_path(&area.path).is_none());
        let areas = areas.filter(|area| !below_dropped(&area.path)).map(|area| area.path.code());
        faults.extend(gone(&file_of(main, "areas"), Text::new("区域", "areas"), areas.collect()));
        let categories = before.categories.keys().filter(|code| !self.categories.contains_key(code));
        let categories = categories.map(|code| code.0.as_str()).filter(|code| !is_dropped(code));
        faults.extend(gone(
            &file_of(main, "categories"),
            Text::new("事项类别", "categories"),
            categories.collect(),
        ));
        if faults.is_empty() { Ok(()) } else { Err(PackFault::new(faults, main_file::NAME)) }
    }

    /// What is sensitive is counted by itself and its words stay where they were written: a case that was opened as one
    /// thing and closed as the other would be in no figure, or give itself away there.
    fn same_confidence(&self, before: &Self, file: &str) -> Option<Fault> {
        let changed = self.categories.values().filter(|category| {
            before.categories.get(&category.code).is_some_and(|before| before.sensitive != category.sensitive)
        });
        let codes: Vec<&str> = changed.map(|category| category.code.0.as_str()).collect();
        if codes.is_empty() {
            return None;
        }
        let reason = Text::new(
            format!("事项类别 {} 的 sensitive 与已发布的不同；请保留原值，或另设新代码", codes.join("、")),
            format!(
                "sensitive is other than published for the categories {}: keep it, or list them anew under other codes",
                codes.join(", ")
            ),
        );
        Some(Fault::of_file(file, reason))
    }

    /// A policy's version is written on every deadline that was computed under it.
    fn same_policy(&self, before: &Self, main: &str) -> Option<Fault> {
        let version = &self.policy.version;
        if self.policy == before.policy || *version != before.policy.version {
            return None;
        }
        let reason = Text::new(
            format!(
                "policy.version：时限或升级规则与已发布的不同，版本却仍是“{version}”；每个时限都记着版本，请改用新的版本号"
            ),
            format!(
                "policy.version: limits or ladders are other than published, under the same version `{version}`, which is \
                 written on every deadline: give them another"
            ),
        );
        Some(Fault::at_spot(main_file::NAME, locate(main, "policy/version"), reason))
    }
}

/// The name of the file that `pack.json` names in `field`.
fn file_of(main: &str, field: &str) -> String {
    let main: Value = serde_json::from_str(main).unwrap_or_default();
    main[field].as_str().unwrap_or(field).to_owned()
}

fn gone(file: &str, what: Text, codes: Vec<&str>) -> Option<Fault> {
    if codes.is_empty() {
        return None;
    }
    let named = codes.iter().take(NAMED).copied().collect::<Vec<_>>();
    let more = codes.len() - named.len();
    let (zh, en) = match more {
        0 => (named.join("、"), named.join(", ")),
        more => {
            (format!("{} 等另 {more} 项", named.join("、")), format!("{} and {more} more", named.join(", ")))
        }
    };
    let reason = Text::new(
        format!(
            "已发布的{} {zh} 不再列出；可能还有其未结案件或在途上报，没有人承办。请保留，或用 --drop 代码 说明确要去掉",
            what.zh
        ),
        format!(
            "the published {} {en} are no longer listed, and cases of them may be open or reports on their way: keep \
             their lines, or say --drop CODE for each that is really to go",
            what.en
        ),
    );
    Some(Fault::of_file(file, reason))
}
