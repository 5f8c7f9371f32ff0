//! `stages.csv` and `offers.csv`: what else a category has: limits of its stages (分段时限), and the classes of
//! organisation it is offered to.

use domain::category::{MOST_STAGES, Stage};
use domain::partner::Class;
use domain::text::Text;

use super::categories::{CategoryBook, granted};
use super::fault::Fault;
use super::files::Source;
use super::table;

const STAGE_COLUMNS: [&str; 4] = ["category", "name_zh", "name_en", "limit"];
const OFFER_COLUMNS: [&str; 2] = ["category", "class"];

/// Adds the stages, in the order of the file, to their categories.
pub(super) fn read_stages(source: &Source, book: &mut CategoryBook, faults: &mut Vec<Fault>) {
    for row in table::read(source, STAGE_COLUMNS, faults).rows {
        let [code, zh, en, limit] = &row.fields;
        let name = table::name(&source.name, row.line, zh, en, faults);
        let mut fault = |reason| faults.push(Fault::at_line(&source.name, row.line, reason));
        let limit = granted(limit).map_err(&mut fault).ok();
        let code = book.check(code).map_err(&mut fault).ok();
        let (Some(name), Some(limit), Some(code)) = (name, limit, code) else { continue };
        let Some(category) = book.categories.get_mut(&code) else { continue };
        if category.stages.len() == MOST_STAGES {
            fault(Text::new(
                format!("类别 {}（{code}）的分段时限多于 {MOST_STAGES} 个", category.name.zh),
                format!(
                    "category {} ({code}) has more than {MOST_STAGES} stages before the whole",
                    category.name.en
                ),
            ));
        } else {
            category.stages.push(Stage { name, limit });
        }
    }
}

/// Adds the classes of organisation to the categories they are offered.
pub(super) fn read_offers(source: &Source, book: &mut CategoryBook, faults: &mut Vec<Fault>) {
    for row in table::read(source, OFFER_COLUMNS, faults).rows {
        let [code, class] = &row.fields;
        let mut fault = |reason| faults.push(Fault::at_line(&source.name, row.line, reason));
        let class = not_a_class(class).map_err(&mut fault).ok();
        let code = book.check(code).map_err(&mut fault).ok();
        let (Some(class), Some(code)) = (class, code) else { continue };
        let Some(category) = book.categories.get_mut(&code) else { continue };
        if category.sensitive {
            fault(Text::new(
                format!("类别 {}（{code}）是敏感事项，不能交社会组织；请删去此行", category.name.zh),
                format!(
                    "category {} ({code}) is sensitive and is never offered to an organisation: remove this line",
                    category.name.en
                ),
            ));
        } else if category.offer_to.contains(&class) {
            fault(Text::new("此行重复；请删去一行", "this line is there twice: keep one of the two"));
        } else {
            category.offer_to.push(class);
        }
    }
}

pub(super) fn not_a_class(text: &str) -> Result<Class, Text> {
    text.parse().map_err(|english: String| {
        let known = Class::ALL.map(|class| format!("{}（{}）", class.as_str(), class.zh())).join("、");
        Text::new(format!("“{text}”不是组织类别；请用 {known} 之一"), english)
    })
}
