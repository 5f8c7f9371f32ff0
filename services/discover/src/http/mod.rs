//! What a person can do here: see what can be reported, report, as a program or by the form behind a link, and look at
//! the own report.

mod categories;
mod form;
mod links;
mod see;
mod submit;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use platform::clock::Clock;
use platform::http::Gate;
use platform::pack::Made;
use platform::store::Store;
use platform::turn::Desk;

use crate::{Discover, Surveyed};

pub use see::SeenReport;
pub use submit::Receipt;

/// What the endpoints stand on.
#[derive(Clone, Debug)]
pub struct Front {
    pub desk: Desk<Discover>,
    pub store: Store,
    pub clock: Clock,
    pub gate: Gate,
    /// Asked once for each request, which goes by that to its end.
    pub surveyed: Made<Surveyed>,
}

impl FromRef<Front> for Gate {
    fn from_ref(front: &Front) -> Self {
        front.gate.clone()
    }
}

/// `GET /api/v1/categories`, `POST /api/v1/reports`, `GET /api/v1/reports/{incident}`, `POST /api/v1/form-links`, and the form: `/r/{link}`.
pub fn routes(front: Front) -> Router {
    Router::new()
        .route("/api/v1/categories", get(categories::list))
        .route("/api/v1/reports", post(submit::submit))
        .route("/api/v1/reports/{incident}", get(see::see))
        .route("/api/v1/form-links", post(links::make))
        .route("/r/{link}", get(form::open).post(form::send))
        .route("/r/{link}/open", post(form::open_by_hand))
        .route("/r/{link}/{incident}", get(form::receipt))
        .with_state(front)
}

/// The endpoints for the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(categories::list, submit::submit, see::see, links::make),
    components(schemas(
        crate::NewReport,
        crate::NewPlace,
        categories::ListOfCategories,
        categories::SeenCategory,
        Receipt,
        SeenReport,
        links::NewLink,
        links::MadeLink
    ))
)]
pub struct Api;
