//! What a person can do here: sign in, see who they are, change their password. For programs as JSON, for a browser
//! as a page.

mod me;
mod page;
mod sessions;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::routing::{get, post};
use platform::http::browser::{cookie, set_cookie};
use platform::http::{Gate, Peer, Problem, Proxies};

use crate::password::{LONGEST, PasswordFault, SHORTEST};
use crate::sign_in::Refused;
use crate::throttle::KNOWN_FOR;
use crate::{Origin, SignIn};
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

/// Holds the secret by which a device is known on which somebody has signed in, so that what others try does not hold
/// up its owner. It signs nobody in.
const KNOWN_COOKIE: &str = "gridward_known";
/// Of that secret, in hex.
const SECRET_DIGITS: usize = 64;

/// Where somebody asks from.
pub struct AskedFrom(pub Origin);

/// Has the browser keep the secret of its device.
fn known(headers: &HeaderMap, device: &str) -> HeaderValue {
    set_cookie(headers, KNOWN_COOKIE, device, "/", KNOWN_FOR.num_seconds())
}

impl FromRequestParts<Front> for AskedFrom {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>().copied();
        let peer =
            peer.ok_or_else(|| Problem::internal(&"a request came without the address it came from"))?;
        let is_one =
            |text: &&str| text.len() == SECRET_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let device = cookie(&parts.headers, KNOWN_COOKIE).filter(is_one).map(str::to_owned);
        Ok(Self(Origin { peer: front.proxies.origin(peer, &parts.headers), device }))
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
