//! What a person can do here: sign in, see who they are, change their password. For programs as JSON, for a browser
//! as a page.

mod me;
mod page;
mod sessions;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::routing::{get, post};
use platform::http::{Gate, Peer, Problem, Proxies};
use std::net::IpAddr;

use crate::SignIn;
use crate::password::{LONGEST, PasswordFault, SHORTEST};
use crate::sign_in::Refused;
use axum::http::StatusCode;
use domain::text::Text;

/// What the endpoints stand on.
#[derive(Clone, Debug)]
pub struct Front {
    pub sign_in: SignIn,
    pub gate: Gate,
    /// Whose word is taken for where somebody asks from.
    pub proxies: Proxies,
}

impl FromRef<Front> for Gate {
    fn from_ref(front: &Front) -> Self {
        front.gate.clone()
    }
}

/// `/api/v1/sessions`, `/api/v1/me`, and the page `/sign-in`.
pub fn routes(front: Front) -> Router {
    Router::new()
        .route("/api/v1/sessions", post(sessions::sign_in))
        .route("/api/v1/sessions/renewal", post(sessions::renew))
        .route("/api/v1/me", get(me::see))
        .route("/api/v1/me/password", post(me::change_password))
        .route("/sign-in", get(page::show).post(page::sign_in))
        .route("/sign-out", post(page::sign_out))
        .with_state(front)
}

/// The endpoints for the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(sessions::sign_in, sessions::renew, me::see, me::change_password),
    components(schemas(sessions::NewSession, sessions::SignedIn, me::Me, me::MyRole, me::NewPassword))
)]
pub struct Api;

/// Where somebody asks from.
pub struct AskedFrom(pub IpAddr);

impl FromRequestParts<Front> for AskedFrom {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>().copied();
        let peer =
            peer.ok_or_else(|| Problem::internal(&"a request came without the address it came from"))?;
        Ok(Self(front.proxies.origin(peer, &parts.headers)))
    }
}

fn problem(refused: Refused) -> Problem {
    match refused {
        Refused::Wrong => {
            let text = Text::new("账号或密码不正确", "the name or the password is wrong");
            Problem::new(StatusCode::UNAUTHORIZED, "wrong-name-or-password", text)
        }
        Refused::Name => {
            let text = Text::new("请填写账号，最长 64 字节", "give a name, of 64 bytes at most");
            Problem::field("wrong-name", "name", text)
        }
        Refused::Password(fault) => password("password", fault),
        Refused::New(fault) => password("new", fault),
        Refused::Wait(wait) => {
            let seconds = u32::try_from(wait.num_seconds() + 1).unwrap_or(u32::MAX);
            let text = Text::new(
                format!("尝试次数过多，请 {seconds} 秒后再试"),
                format!("too many tries: try again in {seconds} seconds"),
            );
            Problem {
                retry_after: Some(seconds),
                ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", text)
            }
        }
        Refused::Store(error) => Problem::from(error),
    }
}

fn password(field: &str, fault: PasswordFault) -> Problem {
    let hint = Text::new(
        format!("；密码为 {SHORTEST} 到 {LONGEST} 个字符"),
        format!("; a password has {SHORTEST} to {LONGEST} characters"),
    );
    let text = Text::new(fault.zh() + &hint.zh, fault.en() + &hint.en);
    Problem::field("wrong-password", field.to_owned(), text)
}
