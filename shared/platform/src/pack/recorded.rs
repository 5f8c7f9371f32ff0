//! The `recorded` of `pack.json`: a file of past reports of this jurisdiction, how it is read and what
//! it is compared with.

use std::path::{Path, PathBuf};

use domain::area::Level;
use domain::id::CategoryCode;
use domain::text::Text;

use super::areas::AreaBook;
use super::boundaries::level_in_use;
use super::fault::Fault;
use super::files::Files;
use super::main_file::{MainFile, TruthEntry, filled, pad};
use super::routing::Lists;

/// A recorded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Where it lies, with the pack's folder.
    pub file: PathBuf,
    pub truth: Vec<Truth>,
    /// What a record with a category the pack does not list is taken as.
    pub unlisted_category: Option<CategoryCode>,
}

/// A column that says in which area each record really lay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// What the jurisdiction calls such an area: `ward`.
    pub name: String,
    pub level: Level,
    pub column: String,
    /// Digits to fill the column up to with zeros.
    pub pad: Option<usize>,
}

pub(super) fn read(
    main: &MainFile,
    folder: &Path,
    files: &mut Files,
    lists: &Lists,
    faults: &mut Vec<Fault>,
) -> Option<Recorded> {
    let entry = main.file.recorded.as_ref()?;
    let read = files.bytes(&entry.file, |reason| main.fault("recorded/file", reason));
    faults.extend(read.err());
    let unlisted = entry.unlisted_category.as_deref().map(|code| lists.categories.check(code)).transpose();
    let unlisted_category = main.keep("recorded/unlisted_category", unlisted, faults).flatten();
    let truth = entry.truth.iter().enumerate();
    let truth = truth.filter_map(|(n, one)| truth_column(main, n, one, lists.areas, faults)).collect();
    Some(Recorded { file: folder.join(&entry.file), truth, unlisted_category })
}

fn truth_column(
    main: &MainFile,
    n: usize,
    entry: &TruthEntry,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) -> Option<Truth> {
    let at = |field: &str| format!("recorded/truth/{n}/{field}");
    main.check(&at("name"), new_name(main, n, &entry.name), faults);
    main.check(&at("column"), filled(&entry.column), faults);
    main.check(&at("pad"), pad(entry.pad), faults);
    let level = main.keep(&at("level"), level_in_use(&entry.level, areas), faults)?;
    Some(Truth { name: entry.name.clone(), level, column: entry.column.clone(), pad: entry.pad })
}

fn new_name(main: &MainFile, n: usize, name: &str) -> Result<(), Text> {
    filled(name)?;
    let mut earlier = main.file.recorded.iter().flat_map(|recorded| recorded.truth.iter().take(n));
    if earlier.any(|truth| truth.name == name) {
        return Err(Text::new(format!("“{name}”出现两次"), format!("`{name}` is listed twice")));
    }
    Ok(())
}
