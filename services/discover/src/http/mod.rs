//! What a person can do here: report, and look at the own report.

mod see;
mod submit;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use platform::clock::Clock;
use platform::http::Gate;
use platform::store::Store;
use platform::turn::Desk;

use crate::Discover;

pub use see::SeenReport;
pub use submit::Receipt;

/// What the endpoints stand on.
#[derive(Clone, Debug)]
pub struct Front {
    pub desk: Desk<Discover>,
    pub store: Store,
    pub clock: Clock,
    pub gate: Gate,
}

impl FromRef<Front> for Gate {
    fn from_ref(front: &Front) -> Self {
        front.gate.clone()
    }
}

/// `POST /api/v1/reports`, `GET /api/v1/reports/{incident}`.
pub fn routes(front: Front) -> Router {
    Router::new()
        .route("/api/v1/reports", post(submit::submit))
        .route("/api/v1/reports/{incident}", get(see::see))
        .with_state(front)
}

/// The endpoints for the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(submit::submit, see::see),
    components(schemas(crate::NewReport, crate::NewPlace, Receipt, SeenReport))
)]
pub struct Api;
