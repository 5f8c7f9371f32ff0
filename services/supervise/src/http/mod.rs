//! What a supervisor can look at: figures by area and level, and what was escalated last.

mod escalations;
mod figures;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use platform::clock::Clock;
use platform::http::Gate;
use platform::pack::InForce;
use platform::store::Store;

/// What the endpoints stand on.
#[derive(Clone, Debug)]
pub struct Front {
    pub store: Store,
    pub clock: Clock,
    pub gate: Gate,
    pub pack: InForce,
}

impl FromRef<Front> for Gate {
    fn from_ref(front: &Front) -> Self {
        front.gate.clone()
    }
}

pub fn routes(front: Front) -> Router {
    Router::new()
        .route("/api/v1/figures", get(figures::figures))
        .route("/api/v1/escalations", get(escalations::escalations))
        .with_state(front)
}

/// The endpoints for the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(figures::figures, escalations::escalations),
    components(schemas(figures::Figures, figures::AreaFigures, escalations::Escalation))
)]
pub struct Api;
