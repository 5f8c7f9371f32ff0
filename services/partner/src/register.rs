//! The register of organisations: filing (备案), and their standing. Pure.

use domain::area::{AreaPath, Level};
use domain::holder::ORGANISATIONS;
use domain::id::{IncidentId, PartnerId};
use domain::partner::{Partner, Standing, filing_faults};
use domain::rights::{Action, Grant, areas_for};
use domain::text::Text;
use platform::pack::Pack;
use platform::turn::{Asked, Turn};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::store::organisations::Organisation;
use crate::{Command, Done, Refused, Work};

/// Members or cases that an organisation can be said to have.
const MOST: u32 = 1_000_000;

/// Areas an organisation can be said to cover, and categories to take.
const LONGEST_LIST: usize = 500;

/// The command.
#[derive(Clone, Debug)]
pub enum Change {
    /// 备案 or 登记 of a new one, or a change of what is known of one; its standing stays.
    File(Filed),
    /// 暂停, 恢复, 清退.
    Standing { partner: PartnerId, standing: Standing, reason: String, grants: Vec<Grant> },
}

/// What is filed, by whom.
#[derive(Clone, Debug)]
pub struct Filed {
    pub partner: Partner,
    pub grants: Vec<Grant>,
}

impl Change {
    pub fn partner(&self) -> &PartnerId {
        match self {
            Self::File(filed) => &filed.partner.id,
            Self::Standing { partner, .. } => partner,
        }
    }
}

/// A change of the register is about no incident; a turn goes by one, so it has one of its own, of which no fact tells.
pub(crate) fn stands_for(partner: &PartnerId) -> IncidentId {
    let digest: [u8; 32] = Sha256::digest(format!("{ORGANISATIONS}/{partner}")).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    IncidentId(Uuid::from_bytes(bytes))
}

pub(crate) fn obey(
    work: &mut Work,
    change: &Change,
    asked: &Asked<Command>,
    turn: &Turn,
) -> Result<Done, Refused> {
    let at = turn.at(asked.recorded_at);
    let organisation = match change {
        Change::File(filed) => {
            allowed(&filed.grants, &filed.partner)?;
            check(&work.pack, &filed.partner)?;
            let known = work.organisations.get(&filed.partner.id);
            if let Some(known) = known {
                allowed(&filed.grants, &known.partner)?;
                if known.partner.standing == Standing::Removed {
                    return Err(removed());
                }
            }
            let standing = known.map_or(Standing::Active, |known| known.partner.standing);
            let reason = known.and_then(|known| known.reason.clone());
            let partner = Partner { standing, ..filed.partner.clone() };
            Organisation { partner, reason, changed_at: at, changed_by: asked.by.clone() }
        }
        Change::Standing { partner, standing, reason, grants } => {
            let known = work.organisations.get(partner).ok_or(Refused::Unknown)?;
            allowed(grants, &known.partner)?;
            if known.partner.standing == Standing::Removed && *standing != Standing::Removed {
                return Err(removed());
            }
            if known.partner.standing == *standing {
                return Ok(Done::Registered);
            }
            let partner = Partner { standing: *standing, ..known.partner.clone() };
            let reason = Some(reason.clone());
            Organisation { partner, reason, changed_at: at, changed_by: asked.by.clone() }
        }
    };
    let id = organisation.partner.id.clone();
    work.changed_organisations.insert(id.clone());
    work.organisations.insert(id, organisation);
    Ok(Done::Registered)
}

fn removed() -> Refused {
    Refused::Late(Text::new(
        "该组织已清退，不能恢复；请以新编号重新备案",
        "the organisation was removed for good: file it anew under another id",
    ))
}

/// The street an organisation is filed with, or the county it is registered in, keeps its entry.
fn allowed(grants: &[Grant], partner: &Partner) -> Result<(), Refused> {
    let mine = areas_for(grants, Action::ManagePartners);
    if mine.iter().any(|area| area.contains(&partner.office)) {
        return Ok(());
    }
    Err(Refused::NotYours(Text::new(
        "只有备案街道的指挥室可以管理该组织",
        "only the desk of the street it is filed with keeps its entry",
    )))
}

fn check(pack: &Pack, partner: &Partner) -> Result<(), Refused> {
    for (field, name) in [("name_zh", &partner.name.zh), ("name_en", &partner.name.en)] {
        if name.chars().any(is_unseen) {
            let zh = format!("{field} 含有不可见的控制字符，请去掉");
            let en = format!("{field} holds a control character, which nobody sees: take it out");
            return refused(field, zh, en);
        }
    }
    let lacks = filing_faults(partner);
    if !lacks.is_empty() {
        let joined = |of: fn(&Text) -> &str, between| lacks.iter().map(of).collect::<Vec<_>>().join(between);
        return refused("partner", joined(|text| &text.zh, "；"), joined(|text| &text.en, "; "));
    }
    for (field, many) in [("coverage", partner.coverage.len()), ("categories", partner.categories.len())] {
        if many > LONGEST_LIST {
            let zh = format!("{field} 最多 {LONGEST_LIST} 项");
            return refused(field, zh, format!("{field} has at most {LONGEST_LIST} entries"));
        }
    }
    check_areas(pack, partner)?;
    check_categories(pack, partner)?;
    for (field, number) in [("members", partner.members), ("capacity", partner.capacity)] {
        if !(1..=MOST).contains(&number) {
            return refused(
                field,
                format!("{field} 须为 1 到 {MOST}"),
                format!("{field} is from 1 to {MOST}"),
            );
        }
    }
    Ok(())
}

fn refused(field: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Result<(), Refused> {
    Err(Refused::Field(field, Text::new(zh, en)))
}

fn unknown(field: &'static str, code: &str) -> Result<(), Refused> {
    refused(field, format!("{code} 不在本辖区的表中"), format!("`{code}` is not in the pack"))
}

/// What a screen does not show, or what turns the letters around it: a name with it looks like another one's.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn check_areas(pack: &Pack, partner: &Partner) -> Result<(), Refused> {
    match pack.areas.by_path(&partner.office) {
        None => return unknown("office", partner.office.as_str()),
        Some(office) if office.level < Level::Street => {
            let name = &office.name;
            return refused(
                "office",
                format!("{}不是街道或区县：社会组织在街道备案，或在区县登记", name.zh),
                format!(
                    "{} is neither a street nor a county: an organisation is filed with a street, or registered in a county",
                    name.en
                ),
            );
        }
        Some(_) => {}
    }
    if partner.coverage.is_empty() {
        return refused("coverage", "服务范围不能为空", "name at least one area it works in");
    }
    let is_unknown = |area: &&AreaPath| pack.areas.by_path(area).is_none();
    if let Some(area) = partner.coverage.iter().find(is_unknown) {
        return unknown("coverage", area.as_str());
    }
    let named = |path: &AreaPath| {
        let name = pack.areas.by_path(path).map(|area| area.name.clone());
        name.unwrap_or_else(|| Text::new(path.as_str(), path.as_str()))
    };
    match partner.coverage.iter().find(|area| !partner.office.contains(area)) {
        None => Ok(()),
        Some(area) => {
            let (name, office) = (named(area), named(&partner.office));
            refused(
                "coverage",
                format!("{}（{area}）不在备案（登记）机关{}的辖区内", name.zh, office.zh),
                format!(
                    "{} (`{area}`) does not lie in the area of {}, the office it is filed with",
                    name.en, office.en
                ),
            )
        }
    }
}

/// What is sensitive is offered to nobody, so nobody is filed for it either.
fn check_categories(pack: &Pack, partner: &Partner) -> Result<(), Refused> {
    for code in &partner.categories {
        match pack.categories.get(code) {
            None => return unknown("categories", &code.0),
            Some(category) if category.sensitive => {
                return refused(
                    "categories",
                    format!("{}（{code}）是敏感事项，不交社会组织；请删去", category.name.zh),
                    format!(
                        "{} (`{code}`) is sensitive and is never offered to an organisation: leave it out",
                        category.name.en
                    ),
                );
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_told_from_what_a_name_has() {
        for plain in "红领志愿之家（示意） Red Collar – №1 Café".chars() {
            assert!(!is_unseen(plain), "{plain:?}");
        }
        for unseen in ['\n', '\t', '\u{7f}', '\u{85}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}'] {
            assert!(is_unseen(unseen), "{unseen:?}");
        }
    }
}
