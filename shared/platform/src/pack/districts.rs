//! `districts.csv`: the 片区 of a street, each with its communities. They are beside the tree of areas, and not in it.

use std::collections::BTreeMap;

use domain::area::{AreaPath, Level};
use domain::district::{District, Districts};
use domain::text::Text;

use super::areas::{AreaBook, Found, unknown_area};
use super::fault::Fault;
use super::files::Source;
use super::table;

const COLUMNS: [&str; 4] = ["district", "name_zh", "name_en", "communities"];

/// Which district each community read so far is in.
type Taken = BTreeMap<AreaPath, String>;

pub(super) fn read(source: &Source, areas: &AreaBook, faults: &mut Vec<Fault>) -> Districts {
    let mut districts: Vec<District> = Vec::new();
    let mut taken = Taken::new();
    for row in table::read(source, COLUMNS, faults).rows {
        let known = faults.len();
        let [code, zh, en, listed] = &row.fields;
        let name = table::name(&source.name, row.line, zh, en, faults);
        let mut fault = |reason| faults.push(Fault::at_line(&source.name, row.line, reason));
        let code = new_code(code, &districts).map_err(&mut fault).ok();
        let mut communities: Vec<AreaPath> = Vec::new();
        for listed in listed.split_whitespace() {
            let community = community(listed, &communities, areas, &taken).map_err(&mut fault).ok();
            communities.extend(community.flatten());
        }
        if listed.is_empty() {
            fault(Text::new("没有列出任何社区", "no community is listed"));
        }
        let street = communities.first().and_then(AreaPath::parent);
        let (Some(code), Some(name), Some(street)) = (code, name, street) else { continue };
        taken.extend(communities.iter().map(|community| (community.clone(), code.clone())));
        if faults.len() == known {
            districts.push(District { code, name, street, communities });
        }
    }
    Districts::new(districts)
}

fn new_code(text: &str, districts: &[District]) -> Result<String, Text> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 32 || !text.chars().all(plain) {
        return Err(Text::new(
            format!("片区代码“{text}”无效：只能用 1 到 32 个小写字母、数字和连字符"),
            format!("`{text}` is no code of a district: use 1 to 32 lower-case letters, digits and hyphens"),
        ));
    }
    if districts.iter().any(|district| district.code == text) {
        return Err(Text::new(
            format!("片区 {text} 出现两次；请删去一行"),
            format!("district `{text}` is listed twice: keep one of the two lines"),
        ));
    }
    Ok(text.to_owned())
}

/// Nothing where the area's own line is at fault and has said so.
fn community(
    code: &str,
    earlier: &[AreaPath],
    areas: &AreaBook,
    taken: &Taken,
) -> Result<Option<AreaPath>, Text> {
    let area = match areas.find(code) {
        Found::Area(area) => area,
        Found::Reported => return Ok(None),
        Found::Unknown => return Err(unknown_area(code)),
    };
    if area.level != Level::Community {
        return Err(Text::new(
            format!("{code} 是{}；片区由社区组成", area.level.zh()),
            format!("area `{code}` is a {}: a district is made of communities", area.level),
        ));
    }
    if let Some(other) = taken.get(&area.path) {
        return Err(Text::new(
            format!("社区 {code} 已在片区 {other} 中；一个社区只属于一个片区"),
            format!("community `{code}` is in district `{other}` already: it belongs to one only"),
        ));
    }
    if earlier.contains(&area.path) {
        return Err(Text::new(
            format!("社区 {code} 在本行出现两次"),
            format!("community `{code}` stands twice in this line"),
        ));
    }
    if earlier.first().is_some_and(|first| first.parent() != area.path.parent()) {
        return Err(Text::new(
            format!("社区 {code} 与本行前面的社区不在同一街道；片区在街道之内"),
            format!(
                "community `{code}` is not of the same street as the first of this line: a district lies within one"
            ),
        ));
    }
    Ok(Some(area.path.clone()))
}
