//! Who would dispose of what where (承办单位): a table of the pack, beside which a file's own disposing units are put.
//! No service reads it.

use domain::area::AreaPath;
use domain::id::CategoryCode;
use domain::text::Text;

use super::super::areas::{Found, unknown_area};
use super::super::fault::Fault;
use super::super::files::Source;
use super::super::routing::Lists;
use super::super::table;

const COLUMNS: [&str; 3] = ["category", "area", "unit"];

/// The table, and the column of the file it is put beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units {
    pub column: String,
    rules: Vec<UnitRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct UnitRule {
    /// `None`: any.
    category: Option<CategoryCode>,
    /// In this area and below it; `None`: anywhere.
    within: Option<AreaPath>,
    /// The unit by each name it goes by.
    units: Vec<String>,
}

impl Units {
    pub(super) fn read(column: &str, source: &Source, lists: &Lists, faults: &mut Vec<Fault>) -> Self {
        let table = table::read(source, COLUMNS, faults);
        let mut rules = Vec::new();
        for row in table.rows {
            let [category, area, unit] = &row.fields;
            match rule(category, area, unit, lists) {
                Ok(rule) => rules.extend(rule),
                Err(reason) => faults.push(Fault::at_line(&source.name, row.line, reason)),
            }
        }
        Self { column: column.to_owned(), rules }
    }

    /// The unit for a category in an area, by each of its names: that of the first line that fits.
    pub fn of(&self, category: &CategoryCode, area: &AreaPath) -> &[String] {
        let fits = |rule: &&UnitRule| {
            rule.category.as_ref().is_none_or(|own| own == category)
                && rule.within.as_ref().is_none_or(|within| within.contains(area))
        };
        self.rules.iter().find(fits).map(|rule| rule.units.as_slice()).unwrap_or_default()
    }
}

/// Nothing where the area's own line is at fault and has said so.
fn rule(category: &str, area: &str, unit: &str, lists: &Lists) -> Result<Option<UnitRule>, Text> {
    let category = Some(category)
        .filter(|code| !code.is_empty())
        .map(|code| lists.categories.check(code))
        .transpose()?;
    let within = match Some(area).filter(|code| !code.is_empty()).map(|code| (code, lists.areas.find(code))) {
        None => None,
        Some((_, Found::Area(area))) => Some(area.path.clone()),
        Some((_, Found::Reported)) => return Ok(None),
        Some((code, Found::Unknown)) => return Err(unknown_area(code)),
    };
    let units: Vec<String> = unit.split('|').map(|name| name.trim().to_owned()).collect();
    if units.iter().any(String::is_empty) {
        return Err(Text::new(
            "unit 是空的；多个名称用 | 分开，每个都不能为空",
            "unit is empty: give the unit's name, and others it goes by after a |",
        ));
    }
    Ok(Some(UnitRule { category, within, units }))
}
