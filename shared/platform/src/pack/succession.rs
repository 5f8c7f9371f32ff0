//! What a version of a pack may not change unsaid in the one that was published before it, though each is whole by
//! itself: what is written down in cases must go on to mean what it meant, and somebody must be there for them.

use domain::area::{Area, AreaPath};
use domain::calendar::Limit;
use domain::category::Category;
use domain::text::Text;
use serde_json::Value;

use super::fault::{Fault, PackFault};
use super::files::PackFiles;
use super::gone::OpenCases;
use super::locate::locate;
use super::{Pack, main_file};

/// So many codes are named one by one.
const NAMED: usize = 10;

/// What is said and known of what a version lists no more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dropping<'a> {
    /// Codes of areas and categories that are really to go; of an area with all below it.
    pub codes: &'a [String],
    /// The cases that are open now; `None` where nobody could be asked.
    pub open: Option<&'a OpenCases>,
}

impl Dropping<'_> {
    fn names(&self, code: &str) -> bool {
        self.codes.iter().any(|dropped| dropped == code)
    }

    fn names_area(&self, path: &AreaPath) -> bool {
        path.as_str().split('/').any(|code| self.names(code))
    }
}

impl Pack {
    /// Whether this version, read from `files`, may come into force after `before`. Areas and categories that it no
    /// longer lists must be named: cases of them may be open, or reports on their way. And of an area that is to go
    /// nobody may be left with open cases that nobody could work on.
    ///
    /// # Errors
    /// What stands against it, by file and line.
    pub fn follows(&self, before: &Self, files: &PackFiles, dropping: Dropping<'_>) -> Result<(), PackFault> {
        let main = files.read.get(main_file::NAME).map(|bytes| String::from_utf8_lossy(bytes));
        let main = main.as_deref().unwrap_or_default();
        let main = main.strip_prefix('\u{feff}').unwrap_or(main);
        let mut faults = Vec::new();
        faults.extend(self.same_policy(before, main));
        faults.extend(self.same_limits(before, main));
        faults.extend(self.same_confidence(before, &file_of(main, "categories")));
        let (dropped, unsaid): (Vec<&Area>, Vec<&Area>) =
            self.areas_gone(before).partition(|area| dropping.names_area(&area.path));
        let file = file_of(main, "areas");
        faults.extend(gone(&file, Text::new("区域", "areas"), &of_areas(&unsaid)));
        let dropped = dropped.into_iter().filter(|area| self.deserts(area, dropping.open));
        faults.extend(deserted(&file, &dropped.collect::<Vec<_>>()));
        let categories = self.categories_gone(before).filter(|category| !dropping.names(&category.code.0));
        let categories = categories.map(of_category);
        faults.extend(gone(
            &file_of(main, "categories"),
            Text::new("事项类别", "categories"),
            &categories.collect::<Vec<_>>(),
        ));
        if faults.is_empty() { Ok(()) } else { Err(PackFault::new(faults, main_file::NAME)) }
    }

    /// What is sensitive is counted by itself and its words stay where they were written: a case that was opened as one
    /// thing and closed as the other would be in no figure, or give itself away there.
    fn same_confidence(&self, before: &Self, file: &str) -> Option<Fault> {
        let changed = self.categories.values().filter(|category| {
            before.categories.get(&category.code).is_some_and(|before| before.sensitive != category.sensitive)
        });
        let categories: Vec<Text> = changed.map(of_category).collect();
        if categories.is_empty() {
            return None;
        }
        let Text { zh, en } = listed(&categories);
        let reason = Text::new(
            format!("事项类别 {zh} 的 sensitive 与已发布的不同；请保留原值，或另设新代码"),
            format!(
                "sensitive is other than published for the categories {en}: keep it, or list them anew under other codes"
            ),
        );
        Some(Fault::of_file(file, reason))
    }

    /// The limits of categories are policy as well: the same version must not give the same matter two due times.
    fn same_limits(&self, before: &Self, main: &str) -> Option<Fault> {
        let version = &self.policy.version;
        if *version != before.policy.version {
            return None;
        }
        let changed = self.categories.values().filter(|category| {
            before.categories.get(&category.code).is_some_and(|before| limits(before) != limits(category))
        });
        let categories: Vec<Text> = changed.map(of_category).collect();
        if categories.is_empty() {
            return None;
        }
        let Text { zh, en } = listed(&categories);
        let reason = Text::new(
            format!(
                "policy.version：事项类别 {zh} 的时限或分段时限与已发布的不同，版本却仍是“{version}”；每个时限都记着版本，请改用新的版本号"
            ),
            format!(
                "policy.version: the limits of the categories {en}, or of their stages, are other than published, under \
                 the same version `{version}`, which is written on every deadline: give them another"
            ),
        );
        Some(Fault::at_spot(main_file::NAME, locate(main, "policy/version"), reason))
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

/// All that the deadlines of a case are computed from, beside policy and calendar: how long handling may take, and each
/// of its stages.
fn limits(category: &Category) -> (Limit, Vec<Limit>) {
    (category.handle_limit, category.stages.iter().map(|stage| stage.limit).collect())
}

/// The name of the file that `pack.json` names in `field`.
fn file_of(main: &str, field: &str) -> String {
    let main: Value = serde_json::from_str(main).unwrap_or_default();
    main[field].as_str().unwrap_or(field).to_owned()
}

fn of_areas(areas: &[&Area]) -> Vec<Text> {
    areas.iter().map(|area| with_code(&area.name, area.path.code())).collect()
}

pub(super) fn of_category(category: &Category) -> Text {
    with_code(&category.name, &category.code.0)
}

/// What it is called, and beside it the code that stands in the file.
pub(super) fn with_code(name: &Text, code: &str) -> Text {
    Text::new(format!("{}（{code}）", name.zh), format!("{} ({code})", name.en))
}

/// The first of them, in both languages.
fn listed(names: &[Text]) -> Text {
    let named = names.get(..NAMED).unwrap_or(names);
    let zh = named.iter().map(|name| name.zh.as_str()).collect::<Vec<_>>().join("、");
    let en = named.iter().map(|name| name.en.as_str()).collect::<Vec<_>>().join(", ");
    match names.len() - named.len() {
        0 => Text { zh, en },
        more => Text::new(format!("{zh} 等另 {more} 项"), format!("{en} and {more} more")),
    }
}

/// What lies in a grid that is gone is its community's to work on, and then the street's; above a street nobody works.
fn deserted(file: &str, areas: &[&Area]) -> Option<Fault> {
    if areas.is_empty() {
        return None;
    }
    let Text { zh, en } = listed(&of_areas(areas));
    let reason = Text::new(
        format!(
            "区域 {zh} 去掉后，其未结案件将无人承办，或无他人核查结案；请保留其行（上级须有岗位人员和核查人员），结案后再去掉"
        ),
        format!(
            "with the areas {en} gone, nobody would be left who can work on cases that are open there, or nobody else \
             who can end them: keep their lines until those are closed, or list people at the levels above who can"
        ),
    );
    Some(Fault::of_file(file, reason))
}

fn gone(file: &str, what: Text, names: &[Text]) -> Option<Fault> {
    if names.is_empty() {
        return None;
    }
    let Text { zh, en } = listed(names);
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
