//! `borders.csv`: which of two areas takes what lies on their shared border. Whether they have one is checked by route,
//! which knows their outlines.

use domain::area::{Area, AreaPath};
use domain::border::BorderRule;
use domain::id::CategoryCode;
use domain::text::Text;

use super::areas::{AreaBook, Found, unknown_area};
use super::fault::Fault;
use super::files::Source;
use super::routing::Lists;
use super::table;

const COLUMNS: [&str; 7] = ["area", "other", "taken_by", "within_m", "categories", "name_zh", "name_en"];

/// Farther from a border than this nothing lies on it any more: a river with both its banks.
const FARTHEST_M: u32 = 200;

pub(super) fn read(source: &Source, lists: &Lists, faults: &mut Vec<Fault>) -> Vec<BorderRule> {
    let mut rules: Vec<BorderRule> = Vec::new();
    for row in table::read(source, COLUMNS, faults).rows {
        let known = faults.len();
        let rule = rule(source, &row, lists, faults);
        let Some(rule) = rule.filter(|_| faults.len() == known) else { continue };
        match beside(&rule, &rules) {
            Ok(()) => rules.push(rule),
            Err(reason) => faults.push(Fault::at_line(&source.name, row.line, reason)),
        }
    }
    rules
}

fn rule(source: &Source, row: &table::Row<7>, lists: &Lists, faults: &mut Vec<Fault>) -> Option<BorderRule> {
    let [area, other, taken_by, within_m, categories, zh, en] = &row.fields;
    let name = table::name(&source.name, row.line, zh, en, faults);
    let mut fault = |reason| faults.push(Fault::at_line(&source.name, row.line, reason));
    let within_m = metres(within_m).map_err(&mut fault).ok();
    let mut codes: Vec<CategoryCode> = Vec::new();
    for code in categories.split_whitespace() {
        codes.extend(lists.categories.check(code).map_err(&mut fault).ok());
    }
    let one = known(area, lists.areas).map_err(&mut fault).ok().flatten();
    let other = known(other, lists.areas).map_err(&mut fault).ok().flatten();
    let (taken_by, taken_from) = sides(one?, other?, taken_by).map_err(&mut fault).ok()?;
    Some(BorderRule {
        stands_at: format!("{}:{}", source.name, row.line),
        name: name?,
        taken_by,
        taken_from,
        within_m: within_m?,
        categories: codes,
    })
}

/// Nothing where the area's own line is at fault and has said so.
fn known<'a>(code: &str, areas: &'a AreaBook) -> Result<Option<&'a Area>, Text> {
    match areas.find(code) {
        Found::Area(area) => Ok(Some(area)),
        Found::Reported => Ok(None),
        Found::Unknown => Err(unknown_area(code)),
    }
}

/// The side that takes it, and the one it is taken from.
fn sides(one: &Area, other: &Area, taken_by: &str) -> Result<(AreaPath, AreaPath), Text> {
    let (first, second) = (one.path.code(), other.path.code());
    if first == second {
        return Err(Text::new(
            format!("{first} 与自己没有界线；请写相邻的两个区域"),
            format!("area `{first}` has no border with itself: name two areas that lie side by side"),
        ));
    }
    if one.level != other.level {
        return Err(Text::new(
            format!("{first} 是{}，{second} 是{}；界线两侧须为同一层级", one.level.zh(), other.level.zh()),
            format!(
                "area `{first}` is a {}, `{second}` a {}: both sides of a border are of one level",
                one.level, other.level
            ),
        ));
    }
    match taken_by {
        code if code == first => Ok((one.path.clone(), other.path.clone())),
        code if code == second => Ok((other.path.clone(), one.path.clone())),
        code => Err(Text::new(
            format!("归属 {code} 不是界线两侧的 {first} 或 {second}"),
            format!("taken_by is `{code}`, which is neither `{first}` nor `{second}`"),
        )),
    }
}

fn metres(text: &str) -> Result<u32, Text> {
    text.parse().ok().filter(|metres| *metres <= FARTHEST_M).ok_or_else(|| {
        Text::new(
            format!("within_m 是“{text}”；请写 0（只含界线本身）到 {FARTHEST_M} 的整数米数"),
            format!("within_m is `{text}`: write whole metres from 0, the border itself, to {FARTHEST_M}"),
        )
    })
}

/// That no rule before it says otherwise, or leaves it nothing.
fn beside(rule: &BorderRule, earlier: &[BorderRule]) -> Result<(), Text> {
    if let Some(BorderRule { stands_at, .. }) = earlier.iter().find(|other| other.contradicts(rule)) {
        return Err(Text::new(
            format!("{stands_at} 已把这条界线归另一侧；请删去一行，或分清类别"),
            format!(
                "{stands_at} gives this border to the other side: take one of the two out, or name other categories"
            ),
        ));
    }
    if let Some(BorderRule { stands_at, .. }) = earlier.iter().find(|other| other.takes_all_of(rule)) {
        return Err(Text::new(
            format!("{stands_at} 已涵盖本行的全部情形，本行永远用不到；请删去"),
            format!("{stands_at} takes all that this line would: take it out"),
        ));
    }
    Ok(())
}
