//! The register: who there is, filing (备案), standing (暂停, 清退).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::id::{CategoryCode, PartnerId};
use domain::partner::{Class, Partner, Standing, Status};
use domain::rights::{Action, areas_for};
use domain::text::Text;
use platform::http::{Asking, Body, Problem};
use platform::pack::LONGEST_NAME;
use platform::turn::Asked;
use serde::{Deserialize, Serialize};

use super::offers::partners_of;
use super::{Front, problem};
use crate::store::organisations::Organisation;
use crate::store::{cases, organisations};
use crate::{Change, Command, Filed};

const LONGEST_REASON: usize = 2_000;

/// An organisation as the register has it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Entry {
    pub id: String,
    #[schema(value_type = Object)]
    pub name: Text,
    /// `service` 服务, `culture` 文体, `self_governance` 自治, `safety` 平安 or `other` 其他.
    pub class: String,
    /// `registered` 登记 or `filed` 备案.
    pub status: String,
    /// `active` 正常, `suspended` 暂停 or `removed` 清退.
    pub standing: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub office: String,
    pub members: u32,
    pub coverage: Vec<String>,
    pub categories: Vec<String>,
    pub capacity: u32,
    /// How many open cases it holds.
    pub busy: u32,
    pub changed_at: DateTime<Utc>,
}

/// All organisations.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Register {
    pub partners: Vec<Entry>,
}

/// An organisation to file, or all that is known of one anew.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPartner {
    /// 1 to 32 lower-case letters, digits and hyphens.
    pub id: String,
    pub name_zh: String,
    pub name_en: String,
    #[schema(value_type = String)]
    pub class: Class,
    #[schema(value_type = String)]
    pub status: Status,
    /// Path of the street it is filed with, or of the county it is registered in.
    pub office: String,
    pub members: u32,
    /// 负责人.
    pub in_charge: bool,
    /// 章程.
    pub charter: bool,
    /// 固定场所.
    pub fixed_place: bool,
    /// Paths of the areas it works in.
    pub coverage: Vec<String>,
    /// Codes of the categories it takes; all its class may be offered when empty.
    #[serde(default)]
    pub categories: Vec<String>,
    /// How many cases it can have at a time.
    pub capacity: u32,
}

/// 暂停, 恢复 or 清退.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStanding {
    #[schema(value_type = String)]
    pub standing: Standing,
    pub reason: String,
}

/// The register, for whoever sees cases or keeps it. An organisation's people see their own entry of it.
#[utoipa::path(get, path = "/api/v1/partners", responses((status = 200, body = Register), (status = 403, description = "not for this role")))]
pub async fn list(State(front): State<Front>, Asking(who): Asking) -> Result<Json<Register>, Problem> {
    let (all, own) = (!areas_for(&who.grants, Action::SeeCase).is_empty(), partners_of(&who.grants));
    if !all && own.is_empty() {
        return Err(Problem::forbidden(Text::new("您无权查看组织名录", "the register is not yours to see")));
    }
    let organisations = organisations::load(front.store.readers()).await?;
    let busy = cases::busy(front.store.readers()).await?;
    let entry = |organisation: Organisation| {
        let busy = busy.get(&organisation.partner.id).copied().unwrap_or(0);
        entry(organisation, busy)
    };
    let seen = |organisation: &Organisation| all || own.contains(&organisation.partner.id);
    Ok(Json(Register { partners: organisations.into_values().filter(seen).map(entry).collect() }))
}

fn entry(organisation: Organisation, busy: u32) -> Entry {
    let Organisation { partner, reason, changed_at, .. } = organisation;
    Entry {
        id: partner.id.to_string(),
        name: partner.name,
        class: partner.class.as_str().to_owned(),
        status: partner.status.as_str().to_owned(),
        standing: partner.standing.as_str().to_owned(),
        reason,
        office: partner.office.to_string(),
        members: partner.members,
        coverage: partner.coverage.iter().map(ToString::to_string).collect(),
        categories: partner.categories.iter().map(ToString::to_string).collect(),
        capacity: partner.capacity,
        busy,
        changed_at,
    }
}

/// 备案: files an organisation, or changes what is known of one. Its standing stays as it is.
#[utoipa::path(post, path = "/api/v1/partners", request_body = NewPartner,
    responses((status = 204, description = "it is in the register"), (status = 403, description = "not your street's"),
    (status = 409, description = "it was removed for good"),
    (status = 422, description = "a field is wrong, or it lacks what filing needs; the answer names it")))]
pub async fn file(
    State(front): State<Front>,
    Asking(who): Asking,
    Body(new): Body<NewPartner>,
) -> Result<StatusCode, Problem> {
    let filed = Filed { partner: read(new)?, grants: who.grants };
    let command = Command::Register(Change::File(filed));
    let asked = Asked { command, by: who.person, recorded_at: front.clock.now() };
    front.desk.ask(asked).await?.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

/// 暂停, 恢复, 清退: changes an organisation's standing. What it was offered or held flows back at once.
#[utoipa::path(post, path = "/api/v1/partners/{partner}/standing", params(("partner" = String, Path)), request_body = NewStanding,
    responses((status = 204, description = "done"), (status = 403, description = "not your street's"), (status = 404, description = "no such organisation"),
    (status = 409, description = "it was removed for good"), (status = 422, description = "a field is wrong; the answer names it")))]
pub async fn standing(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(partner): Path<String>,
    Body(new): Body<NewStanding>,
) -> Result<StatusCode, Problem> {
    let reason = new.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let text = Text::new(
            format!("请写明理由，最长 {LONGEST_REASON} 字"),
            format!("give the reason, in at most {LONGEST_REASON} characters"),
        );
        return Err(Problem::field("wrong-reason", "reason", text));
    }
    let partner = PartnerId(partner);
    let change = Change::Standing { partner, standing: new.standing, reason, grants: who.grants };
    let asked = Asked { command: Command::Register(change), by: who.person, recorded_at: front.clock.now() };
    front.desk.ask(asked).await?.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(new: NewPartner) -> Result<Partner, Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if new.id.is_empty() || new.id.len() > 32 || !new.id.chars().all(plain) {
        let text = Text::new(
            "组织编号只能用 1 到 32 个小写字母、数字和连字符",
            "the id of an organisation has 1 to 32 lower-case letters, digits and hyphens",
        );
        return Err(Problem::field("wrong-field", "id", text));
    }
    for (field, name) in [("name_zh", &new.name_zh), ("name_en", &new.name_en)] {
        if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
            let text = Text::new(
                format!("名称须为 1 到 {LONGEST_NAME} 字"),
                format!("a name has 1 to {LONGEST_NAME} characters"),
            );
            return Err(Problem::field("wrong-field", field, text));
        }
    }
    Ok(Partner {
        id: PartnerId(new.id),
        name: Text::new(new.name_zh.trim(), new.name_en.trim()),
        class: new.class,
        status: new.status,
        office: path("office", &new.office)?,
        members: new.members,
        in_charge: new.in_charge,
        charter: new.charter,
        fixed_place: new.fixed_place,
        coverage: new.coverage.iter().map(|area| path("coverage", area)).collect::<Result<_, _>>()?,
        categories: new.categories.into_iter().map(CategoryCode).collect(),
        capacity: new.capacity,
        standing: Standing::Active,
    })
}

fn path(field: &'static str, text: &str) -> Result<AreaPath, Problem> {
    text.parse().map_err(|_| {
        let text = Text::new(
            format!("“{text}”不是区域路径，应如 330206/330206002"),
            format!("`{text}` is no path of an area, as in 330206/330206002"),
        );
        Problem::field("wrong-field", field, text)
    })
}
