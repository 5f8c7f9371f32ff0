//! The form of a recorded file, once what the pack says of it is understood.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::area::Level;
use domain::id::CategoryCode;
use domain::place::Datum;

use super::{AreaNames, Times, Units};

/// How a recorded file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Where the pack's own file lies, with the pack's folder.
    pub file: Option<PathBuf>,
    /// `None`: UTF-8, and whoever finds another one is told what to write here.
    pub encoding: Option<Encoding>,
    pub columns: Columns,
    pub times: Times,
    pub placed: Placed,
    /// Areas by the names people write.
    pub names: AreaNames,
    /// Other words for categories.
    pub categories: BTreeMap<String, CategoryCode>,
    /// What a record with a category the pack does not list is taken as.
    pub unlisted_category: Option<CategoryCode>,
    /// Where the file says whether a row's place is any good.
    pub usable: Option<Words>,
    pub verdict: Option<Verdicts>,
    pub truth: Vec<Truth>,
    pub units: Option<Units>,
}

/// How a file's characters are written as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// 国标 of the mainland, which holds GBK and GB 2312.
    Gb18030,
    /// 大五碼 of Taiwan and Hong Kong.
    Big5,
}

impl Encoding {
    pub const ALL: [Self; 3] = [Self::Utf8, Self::Gb18030, Self::Big5];

    /// As `pack.json` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
            Self::Big5 => "Big5",
        }
    }
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// A file without it is refused. A pack that does not name it takes what there is.
    pub needed: bool,
}

/// What the file calls the columns that every file has, or may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    pub id: String,
    pub opened: String,
    pub category: String,
    pub closed: Column,
    pub due: Column,
    /// With these words a row is still open.
    pub open: Words,
}

/// A column, and words in it that mean something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub column: Column,
    pub(super) values: Vec<String>,
}

impl Words {
    /// Whether a text is one of the words; capitals make no difference.
    pub fn has(&self, text: &str) -> bool {
        has(&self.values, text)
    }
}

/// The words of a file for on time and overdue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    pub column: String,
    pub(super) on_time: Vec<String>,
    pub(super) overdue: Vec<String>,
}

impl Verdicts {
    /// The verdict in Gridward's word for it, if it is one.
    pub fn means(&self, text: &str) -> Option<&'static str> {
        if has(&self.on_time, text) {
            return Some("on_time");
        }
        has(&self.overdue, text).then_some("overdue")
    }
}

fn has(words: &[String], text: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// How the file says where something was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// Columns of degrees.
    Point { lon: String, lat: String, datum: Datum },
    /// Columns of names, the narrowest first.
    Named { columns: Vec<AreaColumn>, nothing: Vec<String>, point: NoPoint },
}

impl Placed {
    /// Whether a text is one of the words that mean nothing, such as `-`.
    pub fn is_nothing(&self, text: &str) -> bool {
        matches!(self, Self::Named { nothing, .. } if nothing.iter().any(|word| word == text))
    }
}

/// A column with the names of areas of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaColumn {
    pub column: String,
    pub level: Level,
}

/// The point that is put down where none was given: it stands for the whole jurisdiction, and says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoPoint {
    pub lon: f64,
    pub lat: f64,
    pub datum: Datum,
}

/// Read from a file, where there is no number that is not equal to itself.
impl Eq for NoPoint {}

/// A column that says in which area each record really lay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// What the jurisdiction calls such an area: `ward`.
    pub name: String,
    pub level: Level,
    pub column: String,
    /// Digits to fill the column up to with zeros.
    pub pad: Option<usize>,
    /// Whether the column has the area's name, and not its code.
    pub by_name: bool,
}

impl Recorded {
    /// The form that a file is taken to have where the pack says nothing of it: the columns `id`, `opened`,
    /// `category`, `lon` and `lat`, and `closed`, `due` and `status` where there are any.
    pub fn plain(datum: Datum) -> Self {
        let column = |name: &str| Column { name: name.to_owned(), needed: false };
        Self {
            file: None,
            encoding: None,
            columns: Columns {
                id: "id".to_owned(),
                opened: "opened".to_owned(),
                category: "category".to_owned(),
                closed: column("closed"),
                due: column("due"),
                open: Words { column: column("status"), values: vec!["open".to_owned()] },
            },
            times: Times::default(),
            placed: Placed::Point { lon: "lon".to_owned(), lat: "lat".to_owned(), datum },
            names: AreaNames::default(),
            categories: BTreeMap::new(),
            unlisted_category: None,
            usable: None,
            verdict: None,
            truth: Vec::new(),
            units: None,
        }
    }
}
