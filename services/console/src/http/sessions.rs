//! 登录: `POST /api/v1/sessions`, and another token before the first expires.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use chrono::{DateTime, Utc};
use platform::clock::host_now;
use platform::http::{Body, InSession, Problem};
use platform::token::{Session, Tokens};
use serde::{Deserialize, Serialize};

use super::{AskedFrom, Front, known, problem};
use crate::Password;

/// A name and a password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The person's id, as the register lists it; at most 64 bytes.
    pub name: String,
    /// At most 128 characters; compared after NFC, other spaces being ordinary ones (RFC 8265).
    #[schema(value_type = String, format = Password)]
    pub password: Password,
}

/// A token, and until when it holds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignedIn {
    /// For the header `Authorization: Bearer …`.
    pub token: String,
    pub expires_at: DateTime<Utc>,
}

type Created = (StatusCode, [(HeaderName, HeaderValue); 1], Json<SignedIn>);

/// 登录: a name and a password for a token.
///
/// A wrong name, a wrong password, a disabled account and one whose person has left the register are answered alike. A
/// cookie comes with the token, by which a browser's device is known: it signs nobody in, and what others try does not
/// hold up whoever brings it.
#[utoipa::path(post, path = "/api/v1/sessions", request_body = NewSession, security(()), responses(
    (status = 201, description = "a token with the roles the register gives this person now", body = SignedIn),
    (status = 401, description = "the name or the password is wrong"),
    (status = 422, description = "a field is wrong; the answer names it"),
    (status = 429, description = "too many tries; Retry-After says when to try again"),
))]
pub async fn sign_in(
    State(front): State<Front>,
    AskedFrom(from): AskedFrom,
    headers: HeaderMap,
    Body(new): Body<NewSession>,
) -> Result<Created, Problem> {
    let signed = front.sign_in.sign_in(&new.name, &new.password, &from, host_now()).await.map_err(problem)?;
    let cookie = [(header::SET_COOKIE, known(&headers, &signed.device))];
    Ok((StatusCode::CREATED, cookie, Json(signed_in(&front.gate.tokens, &signed.session)?)))
}

/// 续期: another token for the bearer of one that still holds, up to twelve hours after the password was typed. The
/// register is asked again.
#[utoipa::path(post, path = "/api/v1/sessions/renewal", responses(
    (status = 201, description = "another token", body = SignedIn),
))]
pub async fn renew(
    State(front): State<Front>,
    InSession(session): InSession,
) -> Result<(StatusCode, Json<SignedIn>), Problem> {
    let renewed = front.sign_in.renew(&session, host_now()).await;
    let renewed = renewed.map_err(|refused| match refused {
        crate::Refused::Store(error) => Problem::from(error),
        _ => Problem::unauthorized(),
    })?;
    Ok((StatusCode::CREATED, Json(signed_in(&front.gate.tokens, &renewed)?)))
}

fn signed_in(tokens: &Tokens, session: &Session) -> Result<SignedIn, Problem> {
    let token = tokens.issue_session(session).map_err(|error| Problem::internal(&error))?;
    Ok(SignedIn { token, expires_at: session.expires_at })
}
