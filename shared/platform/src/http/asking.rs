//! Who asks: the bearer of a signed token. Every endpoint takes [`Asking`]; without it there is no answer.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;

use super::problem::Problem;
use crate::clock::host_now;
use crate::token::{Principal, Session, Tokens};

/// Verifies tokens for a router.
#[derive(Clone, Debug)]
pub struct Gate {
    pub tokens: Tokens,
}

/// The person who asks.
pub struct Asking(pub Principal);

impl<S> FromRequestParts<S> for Asking
where
    Gate: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        session(parts, &Gate::from_ref(state)).map(|session| Self(session.principal))
    }
}

/// The person who asks, and how long they still may.
pub struct InSession(pub Session);

impl<S> FromRequestParts<S> for InSession
where
    Gate: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        session(parts, &Gate::from_ref(state)).map(Self)
    }
}

/// By the header alone: a cookie, which a browser sends whoever made it ask, opens pages only.
fn session(parts: &Parts, gate: &Gate) -> Result<Session, Problem> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(bearer).ok_or_else(Problem::unauthorized)?;
    // Tokens expire by the host's clock, whatever clock the cases run on.
    gate.tokens.session(token, host_now()).map_err(|_| Problem::unauthorized())
}

/// The token of an `Authorization` header; a scheme is the same in any case (RFC 9110, 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_the_same_in_any_case_and_no_other_will_do() {
        for header in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c "] {
            assert_eq!(bearer(header), Some("a.b.c"), "{header}");
        }
        for header in ["", "Bearer", "a.b.c", "Basic a.b.c", "Bearera.b.c"] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }
}
