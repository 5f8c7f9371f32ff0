//! 签收 sign, 阶段办结 stage, 办结反馈 answer, 退回 return, 转派 transfer, 核查 check, 结案 close.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use domain::case::{Action, Refusal, ReturnReason};
use domain::holder::{Holder, Post};
use domain::id::IncidentId;
use domain::text::Text;
use platform::http::{Asking, Body, Problem};
use platform::token::Principal;
use platform::turn::Asked;
use serde::{Deserialize, Serialize};

use super::Front;
use crate::Act;

/// The case after the action.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Acted {
    pub incident: String,
    pub state: String,
    pub revision: u32,
    /// After a transfer: who has it from now on, as post:area.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// After a transfer: the area that it lies in from now on, by path. That of its holder, where this is another grid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
}

/// A person's words with an action; at most 2,000 characters. They stay in the case's history.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    #[serde(default)]
    pub note: Option<String>,
}

/// Why the case is given back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveBack {
    /// `wrong_area` 属地不符, `unclear_owner` 权属不清 or `overlapping_duty` 职能交叉.
    #[schema(value_type = String)]
    pub reason: ReturnReason,
    /// The ground for it (依据).
    #[serde(default)]
    pub note: Option<String>,
}

/// Who has the case from now on.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOn {
    /// post:area, as in `grid_leader:boston/03/0305`; the own post takes it over.
    pub to: String,
    #[serde(default)]
    pub note: Option<String>,
}

/// What the check found.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// `true`: really done. `false`: back to the handler as rework (返工).
    pub passed: bool,
    #[serde(default)]
    pub note: Option<String>,
}

/// Nobody needs more of their own words back.
const SHOWN: usize = 60;

type Answer = Result<([(HeaderName, String); 1], Json<Acted>), Problem>;

/// 签收: the holder signs for the case. Doing it twice is answered like once.
#[utoipa::path(post, path = "/api/v1/cases/{incident}/sign", params(("incident" = String, Path)), request_body = Note,
    responses((status = 200, body = Acted), (status = 409, description = "not in a state for it"),
    (status = 403, description = "yours to see, not to do"), (status = 404, description = "no such case, or not yours to see"),
    (status = 412, description = "changed since it was seen"), (status = 422, description = "a field is wrong; the answer names it")))]
pub async fn sign(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    headers: HeaderMap,
    Body(body): Body<Note>,
) -> Answer {
    act(&front, who, &incident, &headers, Action::Sign, body.note).await
}

/// 阶段办结: the next stage of a category that has stages is done (停工, 处罚 …).
#[utoipa::path(post, path = "/api/v1/cases/{incident}/stage", params(("incident" = String, Path)), request_body = Note,
    responses((status = 200, body = Acted), (status = 409, description = "not in a state for it, or no stage is left"),
    (status = 403, description = "yours to see, not to do"), (status = 404, description = "no such case, or not yours to see"),
    (status = 412, description = "changed since it was seen"), (status = 422, description = "a field is wrong; the answer names it")))]
pub async fn stage(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    headers: HeaderMap,
    Body(body): Body<Note>,
) -> Answer {
    act(&front, who, &incident, &headers, Action::Stage, body.note).await
}

/// 办结反馈: the holder says that it is done; somebody else checks it.
#[utoipa::path(post, path = "/api/v1/cases/{incident}/answer", params(("incident" = String, Path)), request_body = Note,
    responses((status = 200, body = Acted), (status = 409, description = "not in a state for it"),
    (status = 403, description = "yours to see, not to do"), (status = 404, description = "no such case, or not yours to see"),
    (status = 412, description = "changed since it was seen"), (status = 422, description = "a field is wrong; the answer names it")))]
pub async fn answer(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    headers: HeaderMap,
    Body(body): Body<Note>,
) -> Answer {
    act(&front, who, &incident, &headers, Action::Answer, body.note).await
}

/// 退回: the holder gives it back, and another is proposed; after the third time the street decides.
#[utoipa::path(post, path = "/api/v1/cases/{incident}/return", params(("incident" = String, Path)), request_body = GiveBack,
    responses((status = 200, body = Acted), (status = 409, description = "not in a state for it"),
    (status = 403, description = "yours to see, not to do"), (status = 404, description = "no such case, or not yours to see"),
    (status = 412, description = "changed since it was seen"), (status = 422, description = "a field is wrong; the answer names it")))]
pub async fn give_back(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    headers: HeaderMap,
    Body(body): Body<GiveBack>,
) -> Answer {
    act(&front, who, &incident, &headers, Action::Return(body.reason), body.note).await
}

/// 转派: whoever is answerable for the case by now, since a limit has passed or their level holds it, gives it to another
/// post of their area, or takes it over. No deadline moves.
#[utoipa::path(post, path = "/api/v1/cases/{incident}/transfer", params(("incident" = String, Path)), request_body = HandOn,
    responses((status = 200, body = Acted), (status = 409, description = "not in a state for it"),
    (status = 403, description = "yours to see, and not answerable for it"), (status = 404, description = "no such case, or not yours to see"),
    (status = 412, description = "changed since it was seen"),
    (status = 422, description = "a field is wrong, or that post cannot have it; the answer names it")))]
pub async fn transfer(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    headers: HeaderMap,
    Body(body): Body<HandOn>,
) -> Answer {
    let to = post(&body.to)?;
    act(&front, who, &incident, &headers, Action::Transfer(to), body.note).await
}

/// 核查: somebody who did not handle it says whether it is really done.
#[utoipa::path(post, path = "/api/v1/cases/{incident}/check", params(("incident" = String, Path)), request_body = CheckResult,
    responses((status = 200, body = Acted), (status = 409, description = "not in a state for it, or the own work"),
    (status = 403, description = "yours to see, not to do"), (status = 404, description = "no such case, or not yours to see"),
    (status = 412, description = "changed since it was seen"), (status = 422, description = "a field is wrong; the answer names it")))]
pub async fn check(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    headers: HeaderMap,
    Body(body): Body<CheckResult>,
) -> Answer {
    let action = if body.passed { Action::Pass } else { Action::Fail };
    act(&front, who, &incident, &headers, action, body.note).await
}

/// 结案: closes a case whose check has passed.
#[utoipa::path(post, path = "/api/v1/cases/{incident}/close", params(("incident" = String, Path)), request_body = Note,
    responses((status = 200, body = Acted), (status = 409, description = "not checked yet, or the own work"),
    (status = 403, description = "yours to see, not to do"), (status = 404, description = "no such case, or not yours to see"),
    (status = 412, description = "changed since it was seen"), (status = 422, description = "a field is wrong; the answer names it")))]
pub async fn close(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    headers: HeaderMap,
    Body(body): Body<Note>,
) -> Answer {
    act(&front, who, &incident, &headers, Action::Close, body.note).await
}

async fn act(
    front: &Front,
    who: Principal,
    incident: &str,
    headers: &HeaderMap,
    action: Action,
    note: Option<String>,
) -> Answer {
    let incident: IncidentId = incident.parse().map_err(|_| Problem::not_found())?;
    check_note(note.as_deref())?;
    // What else became of a case an organisation's people are not told.
    let is_transfer = matches!(action, Action::Transfer(_));
    let command = Act { incident, action, grants: who.grants, seen: seen(headers)?, note };
    let asked = Asked { command, by: who.person, recorded_at: front.clock.now() };
    let done = front.desk.ask(asked).await?.map_err(|refusal| problem(&refusal))?;
    let acted = Acted {
        incident: incident.to_string(),
        state: done.state.to_owned(),
        revision: done.revision,
        holder: is_transfer.then(|| done.holder.to_string()),
        area: is_transfer.then(|| done.area.to_string()),
    };
    Ok(([(header::ETAG, format!("\"{}\"", done.revision))], Json(acted)))
}

/// The post that somebody names; what an organisation holds is written like one, and is refused as a post later.
fn post(text: &str) -> Result<Holder, Problem> {
    text.parse().map_err(|_: String| {
        let mut given: String = text.chars().take(SHOWN).collect();
        if text.chars().nth(SHOWN).is_some() {
            given.push('…');
        }
        let example = "grid_leader:boston/03/0305";
        let forms = Post::OF_AREAS.map(|post| (format!("{}:区域路径", post.as_str()), format!("{}:PATH", post.as_str())));
        let (zh, en) = (forms.each_ref().map(|form| form.0.as_str()), forms.each_ref().map(|form| form.1.as_str()));
        let text = Text::new(
            format!(
                "字段 to 有误：「{given}」不是岗位；可写 {}，区域路径自顶层逐级写到该岗位的区域，如 {example}",
                zh.join("、")
            ),
            format!(
                "the field to is wrong: `{given}` is no post; write one of {}, with the path of its area from the top \
                 down, as in {example}",
                en.join(", ")
            ),
        );
        Problem::field("wrong-field", "to", text)
    })
}

/// The revision in `If-Match`, if the asker said which one they saw; `*` is any there is (RFC 9110, 13.1.1).
fn seen(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().ok().map(str::trim);
    if text == Some("*") {
        return Ok(None);
    }
    let revision = text.and_then(revision);
    revision.map(Some).ok_or_else(|| {
        let text = Text::new(
            "If-Match 须为查看案件时得到的 ETag，如 \"3\"",
            "If-Match must be the ETag the case was seen with, as in \"3\"",
        );
        Problem::new(StatusCode::BAD_REQUEST, "wrong-if-match", text)
    })
}

/// As we write it, and in no other way: quoted digits without a sign or a leading zero.
fn revision(tag: &str) -> Option<u32> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    digits.parse().ok().filter(|revision: &u32| revision.to_string() == digits)
}

fn check_note(note: Option<&str>) -> Result<(), Problem> {
    if note.is_none_or(|note| note.chars().count() <= 2_000) {
        return Ok(());
    }
    let text = Text::new("说明最长 2000 字", "the note has at most 2,000 characters");
    Err(Problem::field("note-too-long", "note", text))
}

fn problem(refusal: &Refusal) -> Problem {
    let (status, code) = match refusal {
        Refusal::Unknown => return Problem::not_found(),
        Refusal::CannotHold { .. } | Refusal::InConfidence { .. } => {
            return Problem::field("wrong-field", "to", refusal.text());
        }
        Refusal::NotYours { .. } => (StatusCode::FORBIDDEN, "not-yours"),
        Refusal::OwnWork { .. } => (StatusCode::FORBIDDEN, "own-work"),
        Refusal::Changed { .. } => (StatusCode::PRECONDITION_FAILED, "changed"),
        Refusal::NotNow { .. } | Refusal::BeingRouted { .. } => (StatusCode::CONFLICT, "not-now"),
        Refusal::Final => (StatusCode::CONFLICT, "final"),
        Refusal::NotChecked => (StatusCode::CONFLICT, "not-checked"),
        Refusal::NoStage => (StatusCode::CONFLICT, "no-stage"),
    };
    let retry_after = matches!(refusal, Refusal::BeingRouted { .. }).then_some(1);
    Problem { retry_after, ..Problem::new(status, code, refusal.text()) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_post_that_is_none_is_answered_with_what_was_given_and_the_forms_there_are() {
        assert_eq!(post("community:s/c").unwrap().to_string(), "community:s/c");
        for wrong in ["", "mayor:s", "community", "grid_leader:", "street_desk:org/lark"] {
            let problem = post(wrong).unwrap_err();
            assert_eq!((problem.code, problem.field.as_deref()), ("wrong-field", Some("to")), "{wrong}");
            let Text { zh, en } = problem.text;
            assert!(zh.contains(&format!("「{wrong}」不是岗位")), "{zh}");
            assert!(en.contains(&format!("`{wrong}` is no post")), "{en}");
            for form in ["grid_leader:", "community:", "street_desk:"] {
                assert!(
                    zh.contains(&format!("{form}区域路径")) && en.contains(&format!("{form}PATH")),
                    "{form}"
                );
            }
        }
        assert!(post(&"网".repeat(70)).unwrap_err().text.zh.contains(&format!("「{}…」", "网".repeat(60))));
    }

    #[test]
    fn if_match_is_the_revision_that_was_seen_and_a_star_is_any() {
        let seen = |value: &'static str| {
            seen(&HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(value))]))
        };
        assert_eq!(super::seen(&HeaderMap::new()).unwrap(), None);
        assert_eq!(seen("*").unwrap(), None);
        assert_eq!(seen("\"3\"").unwrap(), Some(3));
        for other in ["\"*\"", "W/\"3\"", "3", "\"+3\"", "\"03\"", "\"\"3\"\"", "\"\"", ""] {
            assert_eq!(seen(other).unwrap_err().code, "wrong-if-match", "{other}");
        }
    }
}
