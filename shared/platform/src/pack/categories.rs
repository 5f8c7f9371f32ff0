//! `categories.csv`: what can be reported, and how long handling may take.

use std::collections::BTreeSet;

use domain::calendar::Limit;
use domain::category::{Categories, Category};
use domain::id::CategoryCode;
use domain::text::Text;

use super::fault::Fault;
use super::files::Source;
use super::lengths::{LONGEST_CODE, column_within};
use super::table;

const COLUMNS: [&str; 5] = ["code", "name_zh", "name_en", "handle_limit", "sensitive"];

/// The categories read, and which codes stand on a line with a fault.
pub(super) struct CategoryBook {
    pub categories: Categories,
    faulty: BTreeSet<CategoryCode>,
    /// Whether every line could be read; if not, any code may have stood there.
    whole: bool,
}

impl CategoryBook {
    /// The book of a file that could not be read.
    pub fn unread() -> Self {
        Self { categories: Categories::new(), faulty: BTreeSet::new(), whole: false }
    }

    pub fn read(source: &Source, faults: &mut Vec<Fault>) -> Self {
        let table = table::read(source, COLUMNS, faults);
        let mut book = Self { whole: table.whole, ..Self::unread() };
        for row in table.rows {
            let code = CategoryCode(row.fields[0].clone());
            match book.category(&source.name, &row, faults) {
                Some(category) => drop(book.categories.insert(code, category)),
                None => drop(book.faulty.insert(code)),
            }
        }
        if book.whole && book.categories.is_empty() && book.faulty.is_empty() {
            let reason = Text::new("没有任何事项类别", "there is no category: nothing could be reported");
            faults.push(Fault::of_file(&source.name, reason));
        }
        book
    }

    fn category(&self, file: &str, row: &table::Row<5>, faults: &mut Vec<Fault>) -> Option<Category> {
        let [code, zh, en, limit, sensitive] = &row.fields;
        let mut fault = |reason| faults.push(Fault::at_line(file, row.line, reason));
        let code = self.new_code(code).map_err(&mut fault).ok();
        let handle_limit = granted(limit).map_err(&mut fault).ok();
        let sensitive = yes_or_no(sensitive).map_err(&mut fault).ok();
        let name = table::name(file, row.line, zh, en, faults);
        Some(Category {
            code: code?,
            name: name?,
            handle_limit: handle_limit?,
            sensitive: sensitive?,
            stages: Vec::new(),
            offer_to: Vec::new(),
            conditions: None,
        })
    }

    fn new_code(&self, text: &str) -> Result<CategoryCode, Text> {
        if text.is_empty() {
            return Err(Text::new("类别代码是空的", "the code is empty"));
        }
        column_within(LONGEST_CODE, "code", text)?;
        let code = CategoryCode(text.to_owned());
        if self.categories.contains_key(&code) || self.faulty.contains(&code) {
            return Err(Text::new(
                format!("类别 {text} 出现两次；请删去一行"),
                format!("category `{text}` is listed twice: keep one of the two lines"),
            ));
        }
        Ok(code)
    }

    /// Whether a reference to this category can be right.
    pub fn check(&self, code: &str) -> Result<CategoryCode, Text> {
        let code = CategoryCode(code.to_owned());
        if !self.whole || self.categories.contains_key(&code) || self.faulty.contains(&code) {
            return Ok(code);
        }
        Err(Text::new(
            format!("类别 {code} 不在类别表中"),
            format!("category `{code}` is not in the list of categories"),
        ))
    }
}

/// A limit that grants some time: one of zero would breach every case as it opens.
pub(super) fn granted(text: &str) -> Result<Limit, Text> {
    let limit = limit(text)?;
    if limit.is_zero() {
        return Err(Text::new(
            format!("时限“{text}”没有给出任何时间"),
            format!("limit `{text}` grants no time at all"),
        ));
    }
    Ok(limit)
}

pub(super) fn limit(text: &str) -> Result<Limit, Text> {
    Limit::parse(text).map_err(|fault| Text::new(fault.zh(), fault.to_string()))
}

fn yes_or_no(text: &str) -> Result<bool, Text> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(Text::new(
            format!("sensitive 是“{text}”；请写 yes 或 no"),
            format!("sensitive is `{text}`: write yes or no"),
        )),
    }
}
