//! `conditions.csv`: when a category is taken up (立案条件), and when it is done (结案标准).

use domain::category::Conditions;
use domain::text::Text;

use super::categories::CategoryBook;
use super::fault::Fault;
use super::files::Source;
use super::lengths::{LONGEST_SENTENCE, column_within};
use super::table;

const COLUMNS: [&str; 5] = ["category", "filing_zh", "filing_en", "closing_zh", "closing_en"];

/// Adds the conditions to their categories.
pub(super) fn read(source: &Source, book: &mut CategoryBook, faults: &mut Vec<Fault>) {
    for row in table::read(source, COLUMNS, faults).rows {
        let known = faults.len();
        let mut fault = |reason| faults.push(Fault::at_line(&source.name, row.line, reason));
        for (column, text) in COLUMNS.iter().zip(&row.fields).skip(1) {
            if text.is_empty() {
                fault(Text::new(format!("{column} 是空的"), format!("{column} is empty")));
            } else if let Err(reason) = column_within(LONGEST_SENTENCE, column, text) {
                fault(reason);
            }
        }
        let [code, filing_zh, filing_en, closing_zh, closing_en] = &row.fields;
        let code = book.check(code).map_err(&mut fault).ok();
        let Some(category) = code.as_ref().and_then(|code| book.categories.get_mut(code)) else { continue };
        if category.conditions.is_some() {
            fault(Text::new(
                format!("类别 {} 的立案条件出现两次；请删去一行", category.code),
                format!(
                    "the conditions of category `{}` are there twice: keep one of the two lines",
                    category.code
                ),
            ));
        }
        if faults.len() == known {
            category.conditions = Some(Conditions {
                filing: Text::new(filing_zh, filing_en),
                closing: Text::new(closing_zh, closing_en),
            });
        }
    }
}
