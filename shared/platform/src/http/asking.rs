//! Who asks: the bearer of a signed token. Every endpoint takes [`Asking`]; without it there is no answer.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;

use super::problem::Problem;
use crate::clock::host_now;
use crate::token::{Principal, Tokens};

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
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token =
            header.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(Problem::unauthorized)?;
        // Tokens expire by the host's clock, whatever clock the cases run on.
        let principal = Gate::from_ref(state)
            .tokens
            .verify(token.trim(), host_now())
            .map_err(|_| Problem::unauthorized())?;
        Ok(Self(principal))
    }
}
