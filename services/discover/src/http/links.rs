//! 发上报链接: `POST /api/v1/form-links`, for the street desk and for the robot in a chat group.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::id::{CategoryCode, PersonId};
use domain::rights::{Action, areas_for, may_invite};
use domain::text::Text;
use platform::clock::host_now;
use platform::entropy;
use platform::http::{Asking, Body, Problem};
use platform::link::{LONGEST_MINUTES, Link, USUAL_MINUTES};
use platform::pack::Pack;
use serde::{Deserialize, Serialize};

use super::Front;

/// For whom, and for how long.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// The person's id; whoever asks, when left out.
    #[serde(default)]
    pub person: Option<String>,
    /// 1 to 1,440; 60 when left out.
    #[serde(default)]
    pub minutes: Option<i64>,
    /// Code of a category, chosen on the form beforehand.
    #[serde(default)]
    pub category: Option<String>,
}

/// A link that was made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MadeLink {
    /// The address of the form, from this server's root: `/r/…`.
    pub link: String,
    pub person: String,
    pub expires_at: DateTime<Utc>,
}

/// 发上报链接: a signed link to the report form, for one person. It is no credential: it opens on the device that opens it
/// first, and for whoever signs in as that person.
#[utoipa::path(post, path = "/api/v1/form-links", request_body = NewLink, responses(
    (status = 201, description = "the link", body = MadeLink),
    (status = 403, description = "for oneself, by whoever may not report"),
    (status = 404, description = "no such person, or one who reports where the asker may not invite"),
    (status = 422, description = "a field is wrong; the answer names it"),
))]
pub async fn make(
    State(front): State<Front>,
    Asking(who): Asking,
    Body(new): Body<NewLink>,
) -> Result<(StatusCode, Json<MadeLink>), Problem> {
    let minutes = minutes(new.minutes)?;
    let pack = front.surveyed.now().pack.clone();
    let category = new.category.map(|code| category(&pack, code)).transpose()?;
    let person = new.person.map_or_else(|| who.person.clone(), PersonId);
    let own = person == who.person;
    // The register's grants: they are what the form will go by.
    let invited = pack.people.get(&person).map(|person| person.grants.clone()).unwrap_or_default();
    if own && areas_for(&invited, Action::Report).is_empty() {
        return Err(Problem::forbidden(Text::new("您没有上报权限", "you may not report")));
    }
    if !own && !may_invite(&who.grants, &invited) {
        return Err(Problem::not_found());
    }
    let link = Link::new(entropy::draw(), person, category, host_now(), minutes);
    let text = front.gate.tokens.issue_link(&link).map_err(|error| Problem::internal(&error))?;
    let made = MadeLink { link: format!("/r/{text}"), person: link.person.0, expires_at: link.expires_at };
    Ok((StatusCode::CREATED, Json(made)))
}

fn minutes(asked: Option<i64>) -> Result<i64, Problem> {
    let minutes = asked.unwrap_or(USUAL_MINUTES);
    if (1..=LONGEST_MINUTES).contains(&minutes) {
        return Ok(minutes);
    }
    let text = Text::new(
        format!("有效分钟数须为 1 到 {LONGEST_MINUTES}"),
        format!("a link holds for 1 to {LONGEST_MINUTES} minutes"),
    );
    Err(Problem::field("wrong-minutes", "minutes", text))
}

fn category(pack: &Pack, code: String) -> Result<CategoryCode, Problem> {
    let code = CategoryCode(code);
    if pack.categories.contains_key(&code) {
        return Ok(code);
    }
    let text = Text::new("类别不在本辖区的清单中", "the category is not on this jurisdiction's list");
    Err(Problem::field("unknown-category", "category", text))
}
