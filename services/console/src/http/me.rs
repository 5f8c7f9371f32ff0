//! `GET /api/v1/me`, and a change of the own password.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use platform::clock::host_now;
use platform::http::{Body, InSession, Problem};
use serde::{Deserialize, Serialize};

use super::{AskedFrom, Front, problem};
use crate::{Password, Refused};

/// The bearer of a token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Me {
    pub person: String,
    pub name_zh: String,
    pub name_en: String,
    /// As the token carries them.
    pub roles: Vec<MyRole>,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

/// A role over an area and everything below it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MyRole {
    pub role: String,
    /// By path.
    pub area: String,
    pub area_zh: String,
    pub area_en: String,
}

/// Both passwords.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[schema(value_type = String, format = Password)]
    pub current: Password,
    /// 10 to 128 characters.
    #[schema(value_type = String, format = Password)]
    pub new: Password,
}

/// 我: who the bearer of the token is, and what they may do where.
#[utoipa::path(get, path = "/api/v1/me", responses((status = 200, body = Me)))]
pub async fn see(State(front): State<Front>, InSession(session): InSession) -> Result<Json<Me>, Problem> {
    // Who has left the register is nobody here, whatever a token still says.
    let register = front.sign_in.register();
    let person = register.people.get(&session.principal.person).ok_or_else(Problem::unauthorized)?;
    let areas = &register.areas;
    let roles = session.principal.grants.iter().map(|grant| {
        let name = areas.by_path(&grant.area).map(|area| area.name.clone());
        MyRole {
            role: grant.role.as_str().to_owned(),
            area: grant.area.to_string(),
            area_zh: name.as_ref().map_or_else(String::new, |name| name.zh.clone()),
            area_en: name.map_or_else(String::new, |name| name.en),
        }
    });
    Ok(Json(Me {
        person: person.id.to_string(),
        name_zh: person.name.zh.clone(),
        name_en: person.name.en.clone(),
        roles: roles.collect(),
        expires_at: session.expires_at,
    }))
}

/// 修改密码: changes the own password. Tokens made with the old one are not renewed any more.
#[utoipa::path(post, path = "/api/v1/me/password", request_body = NewPassword, responses(
    (status = 204, description = "changed"),
    (status = 422, description = "the current password is wrong, or the new one will not do; the answer names the field"),
    (status = 429, description = "too many tries; Retry-After says when to try again"),
))]
pub async fn change_password(
    State(front): State<Front>,
    AskedFrom(from): AskedFrom,
    InSession(session): InSession,
    Body(new): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let person = &session.principal.person;
    let changed = front.sign_in.change_password(person, &new.current, &new.new, &from, host_now()).await;
    changed.map_err(|refused| match refused {
        // Signed in they are: another sign-in would not help.
        Refused::Wrong => {
            let text = domain::text::Text::new("当前密码不正确", "the current password is wrong");
            Problem::field("wrong-password", "current", text)
        }
        Refused::Password(fault) => super::password("current", fault),
        other => problem(other),
    })?;
    Ok(StatusCode::NO_CONTENT)
}
