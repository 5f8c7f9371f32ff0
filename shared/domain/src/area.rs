//! Areas: administrative units as nodes of one tree. Scope is always a subtree.
//!
//! An area is named by its path from the root, `330206/330206002/330206002009/330206002009014`, so
//! that "is it inside" is a comparison of text, the same here and in SQL.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::holder::ORGANISATIONS;
use crate::naming::stem;
use crate::text::Text;

/// The ladder of grid governance, lowest first: 网格 → 社区/村 → 街道/镇 → 县/区.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 网格, a leaf with boundaries.
    Grid,
    /// 社区 or 村.
    Community,
    /// 街道 or 镇: the street office.
    Street,
    /// 县 or 区.
    County,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::Grid, Self::Community, Self::Street, Self::County];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Community => "community",
            Self::Street => "street",
            Self::County => "county",
        }
    }

    pub fn zh(self) -> &'static str {
        match self {
            Self::Grid => "网格",
            Self::Community => "社区",
            Self::Street => "街道",
            Self::County => "区县",
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Level {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a level: use grid, community, street or county"))
    }
}

/// An area by its path from the root of the tree: codes joined by `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AreaPath(String);

impl AreaPath {
    /// Takes a path as it is stored: one or more codes joined by `/`.
    ///
    /// # Errors
    /// Names the text when a code is empty or has a character other than a letter, a digit, `-`, `_`.
    pub fn parse(text: &str) -> Result<Self, AreaFault> {
        for code in text.split('/') {
            check_code(code)?;
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The area's own code, the last of the path.
    pub fn code(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// How many codes the path has; the root has 1.
    pub fn depth(&self) -> usize {
        self.0.split('/').count()
    }

    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    pub fn child(&self, code: &str) -> Result<Self, AreaFault> {
        check_code(code)?;
        Ok(Self(format!("{}/{code}", self.0)))
    }

    /// Whether `other` is this area or lies below it. The one predicate of scope in memory; its
    /// rendering in SQL is `path = p OR (path >= p/ AND path < p0)`, `0` being the character after `/`.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The half-open range of text that holds every path strictly below this one.
    pub fn below(&self) -> (String, String) {
        (format!("{}/", self.0), format!("{}0", self.0))
    }
}

impl std::fmt::Display for AreaPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for AreaPath {
    type Err = AreaFault;
    fn from_str(text: &str) -> Result<Self, AreaFault> {
        Self::parse(text)
    }
}

/// What is wrong with an area or a list of areas.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AreaFault {
    #[error("area code `{0}` is empty or has a character other than a letter, a digit, `-` or `_`")]
    Code(String),
    #[error("area `{code}` is listed twice: keep one of the two lines")]
    Twice { code: String },
    #[error("area `{code}` names the parent `{parent}`, which is not listed above it")]
    NoParent { code: String, parent: String },
    #[error(
        "area `{code}` is a {level}, but its parent `{parent}` is a {parent_level}: a parent must stand higher"
    )]
    Upside { code: String, level: Level, parent: String, parent_level: Level },
    #[error("`{0}` cannot be the code of a root: the paths of partner organisations begin with it")]
    Reserved(String),
    #[error("area code `{code}`: {why}")]
    Chinese { code: String, why: &'static str },
}

fn check_code(code: &str) -> Result<(), AreaFault> {
    let fine = !code.is_empty()
        && code.len() <= 32
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fine { Ok(()) } else { Err(AreaFault::Code(code.to_owned())) }
}

/// How the codes of a jurisdiction are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeScheme {
    /// 6 digits of county (GB/T 2260), 9 of street and 12 of community (GB/T 10114 with the
    /// Bureau of Statistics), 15 of grid (3 more digits, numbered inside the community).
    Chinese,
    /// Any letters and digits; compared as text.
    Opaque,
}

/// Checks a Chinese code against its level and its parent.
/// 乡级 001–399 and 400–599 (政企合一) after the county; 村级 001–599 after the street: communities 001–199,
/// villages 200–399, and what is like a community (an industrial estate) or a village 400–499 and 500–599. Published
/// codes have communities from 400 on, such as 330206401403; none from 500 on was seen in the five counties looked at.
///
/// # Errors
/// Says which rule the code breaks.
pub fn check_chinese_code(code: &str, level: Level, parent: Option<&str>) -> Result<(), AreaFault> {
    let fault = |why| Err(AreaFault::Chinese { code: code.to_owned(), why });
    if !code.bytes().all(|b| b.is_ascii_digit()) {
        return fault("only digits are allowed");
    }
    let digits = match level {
        Level::County => 6,
        Level::Street => 9,
        Level::Community => 12,
        Level::Grid => 15,
    };
    if code.len() != digits {
        return fault("a county has 6 digits, a street 9, a community 12, a grid 15");
    }
    if parent.is_some_and(|parent| !code.starts_with(parent)) {
        return fault("it does not begin with its parent's code");
    }
    let last = code[digits - 3..].parse::<u16>().unwrap_or(0);
    match level {
        Level::Street if !(1..=599).contains(&last) => fault("a street's own digits run from 001 to 599"),
        Level::Community if !(1..=599).contains(&last) => fault(
            "a community's own digits run from 001 to 199, a village's from 200 to 399, and those of what is like \
             one of them to 599",
        ),
        Level::Grid if last == 0 => fault("grids are numbered from 001"),
        _ => Ok(()),
    }
}

/// One area as the pack lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    pub path: AreaPath,
    pub level: Level,
    pub name: Text,
}

/// All areas of a jurisdiction, by code.
#[derive(Clone, Debug, Default)]
pub struct Areas {
    by_code: BTreeMap<String, Area>,
    /// Codes of the areas of a level by what they are called for short.
    by_stem: BTreeMap<(Level, String), Vec<String>>,
}

impl Areas {
    /// Adds one area below a parent already added; a root has none.
    ///
    /// # Errors
    /// A code twice, an unknown parent, a parent that stands lower, or a code that breaks the scheme.
    pub fn add(
        &mut self,
        scheme: CodeScheme,
        code: &str,
        level: Level,
        parent: Option<&str>,
        name: Text,
    ) -> Result<(), AreaFault> {
        check_code(code)?;
        if self.by_code.contains_key(code) {
            return Err(AreaFault::Twice { code: code.to_owned() });
        }
        if scheme == CodeScheme::Chinese {
            check_chinese_code(code, level, parent)?;
        }
        let path = match parent {
            None if code == ORGANISATIONS => return Err(AreaFault::Reserved(code.to_owned())),
            None => AreaPath::parse(code)?,
            Some(parent) => self.below_parent(code, level, parent)?,
        };
        for name in [&name.zh, &name.en] {
            let codes = self.by_stem.entry((level, stem(level, name))).or_default();
            if codes.last().is_none_or(|last| last != code) {
                codes.push(code.to_owned());
            }
        }
        self.by_code.insert(code.to_owned(), Area { path, level, name });
        Ok(())
    }

    fn below_parent(&self, code: &str, level: Level, parent: &str) -> Result<AreaPath, AreaFault> {
        let Some(above) = self.by_code.get(parent) else {
            return Err(AreaFault::NoParent { code: code.to_owned(), parent: parent.to_owned() });
        };
        if above.level <= level {
            return Err(AreaFault::Upside {
                code: code.to_owned(),
                level,
                parent: parent.to_owned(),
                parent_level: above.level,
            });
        }
        above.path.child(code)
    }

    pub fn by_code(&self, code: &str) -> Option<&Area> {
        self.by_code.get(code)
    }

    pub fn by_path(&self, path: &AreaPath) -> Option<&Area> {
        self.by_code.get(path.code()).filter(|area| area.path == *path)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Area> {
        self.by_code.values()
    }

    /// An area's name as people are shown it: with the names above it where another area of its level is called alike,
    /// 红联社区（小港街道）. The path itself where there is no such area.
    pub fn shown(&self, path: &AreaPath) -> Text {
        let Some(area) = self.by_path(path) else { return Text::new(path.as_str(), path.as_str()) };
        let mut zh = self.told_apart_by(area, |name| &name.zh);
        let en = self.told_apart_by(area, |name| &name.en);
        zh.reverse();
        let name = &area.name;
        Text {
            zh: if zh.is_empty() { name.zh.clone() } else { format!("{}（{}）", name.zh, zh.concat()) },
            en: if en.is_empty() { name.en.clone() } else { format!("{} ({})", name.en, en.join(", ")) },
        }
    }

    /// Where an area is, as people say it: the names from the street down to it, as far as they are listed. The path
    /// itself where none is.
    pub fn shown_from_street(&self, path: &AreaPath) -> Text {
        let above = std::iter::successors(Some(path.clone()), AreaPath::parent);
        let mut names: Vec<&Text> = above
            .filter_map(|path| self.by_path(&path))
            .filter(|area| area.level < Level::County)
            .map(|area| &area.name)
            .collect();
        if names.is_empty() {
            return self.shown(path);
        }
        names.reverse();
        let joined = |of: fn(&Text) -> &str| names.iter().copied().map(of).collect::<Vec<_>>().join(" · ");
        Text::new(joined(|name| &name.zh), joined(|name| &name.en))
    }

    /// What tells an area from those called alike, the nearest above it first; nothing where there is none. Neighbours
    /// with the very same name have only their codes.
    fn told_apart_by<'a>(&'a self, area: &'a Area, name: fn(&Text) -> &str) -> Vec<&'a str> {
        let called_alike = self.by_stem.get(&(area.level, stem(area.level, name(&area.name))));
        let called_alike = called_alike.into_iter().flatten().filter_map(|code| self.by_code.get(code));
        let others: Vec<&Area> = called_alike.filter(|other| other.path != area.path).collect();
        if others.is_empty() {
            return Vec::new();
        }
        let parent = area.path.parent();
        let twin = |other: &&Area| other.path.parent() == parent && name(&other.name) == name(&area.name);
        match parent.as_ref().and_then(|parent| self.by_path(parent)) {
            Some(above) if !others.iter().any(twin) => {
                [vec![name(&above.name)], self.told_apart_by(above, name)].concat()
            }
            _ => vec![area.path.code()],
        }
    }

    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }

    /// The area of `level` that `path` lies in, or the nearest one above where that level is missing
    /// (a case held at the street has no community).
    pub fn at_level(&self, path: &AreaPath, level: Level) -> Option<&Area> {
        let mut here = Some(path.clone());
        while let Some(candidate) = here {
            let area = self.by_path(&candidate);
            if area.is_some_and(|area| area.level >= level) {
                return area;
            }
            here = candidate.parent();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> AreaPath {
        AreaPath::parse(text).unwrap()
    }

    #[test]
    fn an_area_contains_itself_and_what_lies_below_but_not_a_neighbour_whose_code_begins_alike() {
        let street = path("330206/330206002");
        assert!(street.contains(&street));
        assert!(street.contains(&path("330206/330206002/330206002009")));
        assert!(!street.contains(&path("330206/3302060021")));
        assert!(!street.contains(&path("330206")));
    }

    #[test]
    fn the_range_of_text_below_an_area_agrees_with_contains() {
        let ward = path("boston/03");
        let (from, to) = ward.below();
        for other in ["boston/03/0305", "boston/03", "boston/030", "boston/03-a", "boston/04/0401"] {
            let in_sql = other == ward.as_str() || (other >= from.as_str() && other < to.as_str());
            assert_eq!(in_sql, ward.contains(&path(other)), "{other}");
        }
    }

    #[test]
    fn chinese_codes_are_checked_for_length_parent_and_range() {
        assert!(check_chinese_code("330206002009014", Level::Grid, Some("330206002009")).is_ok());
        assert!(check_chinese_code("330206401", Level::Street, Some("330206")).is_ok());
        assert!(check_chinese_code("33020600200901", Level::Grid, Some("330206002009")).is_err());
        assert!(check_chinese_code("330207002", Level::Street, Some("330206")).is_err());
        assert!(check_chinese_code("330206600", Level::Street, Some("330206")).is_err());
        assert!(check_chinese_code("330206401403", Level::Community, Some("330206401")).is_ok());
        assert!(check_chinese_code("330206002600", Level::Community, Some("330206002")).is_err());
        assert!(check_chinese_code("33020600200X", Level::Community, Some("330206002")).is_err());
    }

    #[test]
    fn a_level_that_is_missing_is_answered_by_the_next_one_above() {
        let mut areas = Areas::default();
        let name = || Text::new("", "");
        areas.add(CodeScheme::Opaque, "s", Level::Street, None, name()).unwrap();
        areas.add(CodeScheme::Opaque, "c", Level::Community, Some("s"), name()).unwrap();
        areas.add(CodeScheme::Opaque, "g", Level::Grid, Some("c"), name()).unwrap();
        let at = |from: &str, level| areas.at_level(&path(from), level).map(|a| a.path.as_str().to_owned());
        assert_eq!(at("s/c/g", Level::Community).as_deref(), Some("s/c"));
        assert_eq!(at("s", Level::Community).as_deref(), Some("s"));
        assert_eq!(at("s/c/g", Level::County), None);
    }

    #[test]
    fn areas_that_are_called_alike_are_shown_with_what_lies_above_them() {
        let mut areas = Areas::default();
        for (code, level, parent, zh, en) in [
            ("b", Level::County, None, "北仑区", "Beilun"),
            ("x", Level::Street, Some("b"), "小港街道", "Xiaogang Street"),
            ("n", Level::Street, Some("b"), "新碶街道", "Xinqi Street"),
            ("x1", Level::Community, Some("x"), "红联社区", "Honglian Community"),
            ("x2", Level::Community, Some("x"), "红联村委会", "Honglian Village"),
            ("x3", Level::Community, Some("x"), "陈山社区", "Chenshan Community"),
            ("n1", Level::Community, Some("n"), "贝碶村委会", "Beiqi Village"),
            ("n2", Level::Community, Some("n"), "备碶村委会", "Beiqi Village"),
            ("n3", Level::Community, Some("n"), "红联社区居委会", "Honglian Community"),
            ("xg", Level::Grid, Some("x1"), "第一网格", "Grid one"),
            ("ng", Level::Grid, Some("n3"), "第一网格", "Grid one"),
        ] {
            areas.add(CodeScheme::Opaque, code, level, parent, Text::new(zh, en)).unwrap();
        }
        let shown = |code: &str| areas.shown(&areas.by_code(code).unwrap().path);
        assert_eq!(shown("x1").zh, "红联社区（小港街道）");
        assert_eq!(
            shown("x2").zh,
            "红联村委会（小港街道）",
            "社区 and 村委会 are easily taken for one another"
        );
        assert_eq!(shown("n3").en, "Honglian Community (Xinqi Street)");
        assert_eq!(shown("x3"), Text::new("陈山社区", "Chenshan Community"));
        assert_eq!(shown("n1"), Text::new("贝碶村委会", "Beiqi Village (n1)"), "each language for itself");
        assert_eq!(
            shown("xg"),
            Text::new("第一网格（小港街道红联社区）", "Grid one (Honglian Community, Xiaogang Street)")
        );
        assert_eq!(areas.shown(&path("b/q")).zh, "b/q");
    }

    #[test]
    fn a_parent_must_be_known_and_stand_higher() {
        let mut areas = Areas::default();
        let name = || Text::new("", "");
        areas.add(CodeScheme::Opaque, "c", Level::Community, None, name()).unwrap();
        let upside = areas.add(CodeScheme::Opaque, "s", Level::Street, Some("c"), name());
        assert!(matches!(upside, Err(AreaFault::Upside { .. })));
        let orphan = areas.add(CodeScheme::Opaque, "g", Level::Grid, Some("x"), name());
        assert!(matches!(orphan, Err(AreaFault::NoParent { .. })));
        let twice = areas.add(CodeScheme::Opaque, "c", Level::Community, None, name());
        assert!(matches!(twice, Err(AreaFault::Twice { .. })));
    }
}
