//! What is wrong with a pack: every fault of every file, each with its place and in two languages.

use std::fmt;

use domain::text::Text;

/// One fault of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file as `pack.json` names it.
    pub file: String,
    /// Counted from 1; `None` where the file as a whole is at fault.
    pub line: Option<usize>,
    /// Counted from 1; JSON files only.
    pub column: Option<usize>,
    pub reason: Text,
}

impl Fault {
    pub(super) fn of_file(file: &str, reason: Text) -> Self {
        Self { file: file.to_owned(), line: None, column: None, reason }
    }

    pub(super) fn at_line(file: &str, line: usize, reason: Text) -> Self {
        Self { file: file.to_owned(), line: Some(line), column: None, reason }
    }

    pub(super) fn at_spot(file: &str, (line, column): (usize, usize), reason: Text) -> Self {
        Self { file: file.to_owned(), line: Some(line), column: Some(column), reason }
    }

    /// `areas.csv:17` or `pack.json:12:7`.
    fn place(&self) -> String {
        let numbers = [self.line, self.column].into_iter().flatten();
        numbers.fold(self.file.clone(), |place, number| format!("{place}:{number}"))
    }

    /// The fault as one line of Chinese; `Display` gives the same in English.
    pub fn zh(&self) -> String {
        format!("{}：{}", self.place(), self.reason.zh)
    }

    /// The fault as one line for whoever reads either language: its place once, then English and Chinese.
    fn both(&self) -> String {
        format!("{}: {}", self.place(), self.reason)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.reason.en)
    }
}

/// Why a pack was refused: at least one [`Fault`], those of `pack.json` first, then by file and line.
/// `Display` prints one English line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFault {
    pub faults: Vec<Fault>,
}

impl PackFault {
    pub(super) fn new(mut faults: Vec<Fault>, first: &str) -> Self {
        faults.sort_by(|a, b| {
            let key = |fault: &Fault| (fault.file != first, fault.file.clone(), fault.line, fault.column);
            key(a).cmp(&key(b))
        });
        Self { faults }
    }

    /// One line for each fault, in both languages: for a terminal and the log, where nobody has said which one they read.
    pub fn both(&self) -> String {
        self.faults.iter().map(Fault::both).collect::<Vec<_>>().join("\n")
    }

    /// One Chinese line for each fault.
    pub fn zh(&self) -> String {
        self.faults.iter().map(Fault::zh).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for PackFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for PackFault {}
