//! The register of organisations: filing (备案), and their standing. Pure.

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
    let lacks = filing_faults(partner);
    if !lacks.is_empty() {
        let joined = |of: fn(&Text) -> &str, between| lacks.iter().map(of).collect::<Vec<_>>().join(between);
        let text = Text::new(joined(|text| &text.zh, "；"), joined(|text| &text.en, "; "));
        return Err(Refused::Field("partner", text));
    }
    let unknown = |field, code: &str| {
        let text = Text::new(format!("{code} 不在本辖区的表中"), format!("`{code}` is not in the pack"));
        Err(Refused::Field(field, text))
    };
    for (field, many) in [("coverage", partner.coverage.len()), ("categories", partner.categories.len())] {
        if many > LONGEST_LIST {
            let text = Text::new(
                format!("{field} 最多 {LONGEST_LIST} 项"),
                format!("{field} has at most {LONGEST_LIST} entries"),
            );
            return Err(Refused::Field(field, text));
        }
    }
    if partner.coverage.is_empty() {
        let text = Text::new("服务范围不能为空", "name at least one area it works in");
        return Err(Refused::Field("coverage", text));
    }
    let areas = partner.coverage.iter().chain([&partner.office]);
    if let Some(area) = areas.into_iter().find(|area| pack.areas.by_path(area).is_none()) {
        return unknown("coverage", area.as_str());
    }
    if let Some(area) = partner.coverage.iter().find(|area| !partner.office.contains(area)) {
        let text = Text::new(
            format!("{area} 不在备案（登记）机关的辖区内"),
            format!("`{area}` does not lie in the area of the office it is filed with"),
        );
        return Err(Refused::Field("coverage", text));
    }
    if let Some(code) = partner.categories.iter().find(|code| !pack.categories.contains_key(code)) {
        return unknown("categories", &code.0);
    }
    for (field, number) in [("members", partner.members), ("capacity", partner.capacity)] {
        if !(1..=MOST).contains(&number) {
            let text = Text::new(format!("{field} 须为 1 到 {MOST}"), format!("{field} is from 1 to {MOST}"));
            return Err(Refused::Field(field, text));
        }
    }
    Ok(())
}
