//! What a person can do here: list a queue, open a case, and act on it.

mod act;
mod queue;
mod see;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use platform::clock::Clock;
use platform::http::Gate;
use platform::pack::InForce;
use platform::store::Store;
use platform::turn::Desk;
use tokio::sync::watch;

use crate::Handle;

/// What the endpoints stand on.
#[derive(Clone, Debug)]
pub struct Front {
    pub desk: Desk<Handle>,
    pub store: Store,
    pub clock: Clock,
    pub gate: Gate,
    /// How a due time came about, and what may be done, is told by its rules.
    pub pack: InForce,
    /// Changes whenever a turn has published; wakes who waits for a case to open.
    pub arrivals: watch::Receiver<u64>,
}

impl FromRef<Front> for Gate {
    fn from_ref(front: &Front) -> Self {
        front.gate.clone()
    }
}

pub fn routes(front: Front) -> Router {
    Router::new()
        .route("/api/v1/cases", get(queue::list))
        .route("/api/v1/cases/{incident}", get(see::see))
        .route("/api/v1/cases/{incident}/words", get(see::words))
        .route("/api/v1/cases/{incident}/sign", post(act::sign))
        .route("/api/v1/cases/{incident}/stage", post(act::stage))
        .route("/api/v1/cases/{incident}/answer", post(act::answer))
        .route("/api/v1/cases/{incident}/return", post(act::give_back))
        .route("/api/v1/cases/{incident}/transfer", post(act::transfer))
        .route("/api/v1/cases/{incident}/check", post(act::check))
        .route("/api/v1/cases/{incident}/close", post(act::close))
        .with_state(front)
}

/// The endpoints for the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(
        queue::list,
        see::see,
        see::words,
        act::sign,
        act::stage,
        act::answer,
        act::give_back,
        act::transfer,
        act::check,
        act::close
    ),
    components(schemas(
        queue::Page,
        queue::Listed,
        see::SeenCase,
        see::SeenWords,
        see::Line,
        act::Acted,
        act::Note,
        act::GiveBack,
        act::HandOn,
        act::CheckResult
    ))
)]
pub struct Api;
