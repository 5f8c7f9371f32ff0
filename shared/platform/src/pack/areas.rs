//! `areas.csv`: the tree of areas, each line below its parent's.

use std::collections::BTreeSet;

use domain::area::{Area, AreaFault, Areas, CodeScheme, Level};
use domain::holder::{Holder, Post};
use domain::text::Text;

use super::fault::Fault;
use super::files::Source;
use super::table;

const COLUMNS: [&str; 5] = ["code", "level", "parent", "name_zh", "name_en"];

/// The areas read, and which codes stand on a line with a fault: a reference to one of those is not
/// reported again.
pub(super) struct AreaBook {
    pub areas: Areas,
    faulty: BTreeSet<String>,
    /// Whether every line could be read; if not, any code may have stood there.
    whole: bool,
}

/// What a code refers to.
pub(super) enum Found<'a> {
    Area(&'a Area),
    Unknown,
    /// Perhaps an area: its line, or the file, has a fault that is reported already.
    Reported,
}

impl AreaBook {
    /// The book of a file that could not be read.
    pub fn unread() -> Self {
        Self { areas: Areas::default(), faulty: BTreeSet::new(), whole: false }
    }

    pub fn read(source: &Source, scheme: CodeScheme, faults: &mut Vec<Fault>) -> Self {
        let table = table::read(source, COLUMNS, faults);
        let mut book = Self { whole: table.whole, ..Self::unread() };
        for row in table.rows {
            let [code, level, parent, zh, en] = &row.fields;
            let known = faults.len();
            let name = table::name(&source.name, row.line, zh, en, faults);
            if let Err(reason) = book.add(scheme, code, level, parent, name) {
                faults.extend(reason.map(|reason| Fault::at_line(&source.name, row.line, reason)));
                book.faulty.insert(code.clone());
            } else if faults.len() > known {
                book.faulty.insert(code.clone());
            }
        }
        if book.whole && book.areas.is_empty() && book.faulty.is_empty() {
            let reason =
                Text::new("没有任何区域；至少要有一个街道", "there is no area: list at least one street");
            faults.push(Fault::of_file(&source.name, reason));
        }
        book
    }

    /// The error is empty where the fault lies on another line, which says so itself.
    fn add(
        &mut self,
        scheme: CodeScheme,
        code: &str,
        level: &str,
        parent: &str,
        name: Option<Text>,
    ) -> Result<(), Option<Text>> {
        let level = level.parse().map_err(|_| Some(not_a_level(level)))?;
        if matches!(self.find(parent), Found::Reported) && !parent.is_empty() {
            return Err(None);
        }
        let parent = Some(parent).filter(|parent| !parent.is_empty());
        self.check_parent_of_grid(code, level, parent).map_err(Some)?;
        let Some(name) = name else { return Err(None) };
        self.areas
            .add(scheme, code, level, parent, name)
            .map_err(|fault| Some(Text::new(zh(&fault), fault.to_string())))
    }

    fn check_parent_of_grid(&self, code: &str, level: Level, parent: Option<&str>) -> Result<(), Text> {
        if level != Level::Grid {
            return Ok(());
        }
        let above = parent.map(|parent| self.areas.by_code(parent).map(|area| area.level));
        match above {
            // An unknown parent has a fault of its own, which says more.
            Some(None | Some(Level::Community)) => Ok(()),
            Some(Some(_)) | None => Err(Text::new(
                format!("网格 {code} 的上级不是社区；网格必须属于一个社区"),
                format!("the parent of grid `{code}` is not a community: every grid belongs to a community"),
            )),
        }
    }

    pub fn find(&self, code: &str) -> Found<'_> {
        match self.areas.by_code(code) {
            Some(area) => Found::Area(area),
            None if !self.whole || self.faulty.contains(code) => Found::Reported,
            None => Found::Unknown,
        }
    }

    /// Whether any area may stand at this level.
    pub fn has_level(&self, level: Level) -> bool {
        !self.whole || !self.faulty.is_empty() || self.areas.iter().any(|area| area.level == level)
    }
}

/// The post at that area, if it stands on the area's level.
pub(super) fn holder_at(post: Post, area: &Area) -> Result<Holder, Text> {
    if area.level == post.level() {
        return Ok(Holder { post, area: area.path.clone() });
    }
    Err(Text::new(
        format!("{} 属于{}一级，而 {} 是{}", post.zh(), post.level().zh(), area.path.code(), area.level.zh()),
        format!(
            "the post {} stands at a {}, but area `{}` is a {}",
            post.as_str(),
            post.level(),
            area.path.code(),
            area.level
        ),
    ))
}

pub(super) fn unknown_area(code: &str) -> Text {
    Text::new(format!("区域 {code} 不在区域表中"), format!("area `{code}` is not in the list of areas"))
}

pub(super) fn not_a_level(text: &str) -> Text {
    Text::new(
        format!("“{text}”不是层级；请写 grid（网格）、community（社区）、street（街道）或 county（区县）"),
        format!("`{text}` is not a level: write grid, community, street or county"),
    )
}

pub(super) fn no_area_at(level: Level) -> Text {
    Text::new(format!("区域表中没有{}一级的区域", level.zh()), format!("no area of the list is a {level}"))
}

fn zh(fault: &AreaFault) -> String {
    match fault {
        AreaFault::Code(code) => format!("区域代码“{code}”无效：只能用 1 到 32 个字母、数字、- 和 _"),
        AreaFault::Twice { code } => format!("区域 {code} 出现两次；请删去一行"),
        AreaFault::NoParent { code, parent } => {
            format!("区域 {code} 的上级 {parent} 不在它上面的各行中")
        }
        AreaFault::Upside { code, level, parent, parent_level } => format!(
            "区域 {code} 是{}，而上级 {parent} 是{}；上级的层级必须更高",
            level.zh(),
            parent_level.zh()
        ),
        AreaFault::Reserved(code) => format!("根区域不能用代码 {code}：社会组织的路径以它开头"),
        AreaFault::Chinese { code, .. } => format!(
            "区域代码 {code} 不合规则：只用数字，区县 6 位、街道 9 位（末三位 001–599）、社区 12 位（末三位 001–599）、\
             网格 15 位（末三位从 001 起），并以上级代码开头"
        ),
    }
}
