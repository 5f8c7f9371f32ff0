//! What a person can do here: answer an offer, place an order, keep the register.

mod offers;
mod orders;
mod register;

use axum::Router;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::routing::{get, post};
use platform::clock::Clock;
use platform::http::{Gate, Problem};
use platform::pack::InForce;
use platform::store::Store;
use platform::turn::Desk;
use tokio::sync::watch;

use crate::{PartnerDesk, Refused};

/// What the endpoints stand on.
#[derive(Clone, Debug)]
pub struct Front {
    pub desk: Desk<PartnerDesk>,
    pub store: Store,
    pub clock: Clock,
    pub gate: Gate,
    pub pack: InForce,
    /// Changes whenever a turn has published; wakes who waits for what came of an answer.
    pub arrivals: watch::Receiver<u64>,
}

impl FromRef<Front> for Gate {
    fn from_ref(front: &Front) -> Self {
        front.gate.clone()
    }
}

pub fn routes(front: Front) -> Router {
    Router::new()
        .route("/api/v1/offers", get(offers::list))
        .route("/api/v1/offers/{incident}/accept", post(offers::accept))
        .route("/api/v1/offers/{incident}/decline", post(offers::decline))
        .route("/api/v1/orders", post(orders::place))
        .route("/api/v1/partners", get(register::list).post(register::file))
        .route("/api/v1/partners/{partner}/standing", post(register::standing))
        .with_state(front)
}

/// The endpoints for the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(
        offers::list,
        offers::accept,
        offers::decline,
        orders::place,
        register::list,
        register::file,
        register::standing
    ),
    components(schemas(
        offers::Offered,
        offers::OfferList,
        offers::Answered,
        offers::Acceptance,
        offers::Refusal,
        orders::NewOrder,
        orders::Ordered,
        register::Entry,
        register::Register,
        register::NewPartner,
        register::NewStanding
    ))
)]
pub struct Api;

fn problem(refused: Refused) -> Problem {
    match refused {
        Refused::Unknown => Problem::not_found(),
        Refused::NotYours(text) => Problem::new(StatusCode::FORBIDDEN, "not-yours", text),
        Refused::Late(text) => Problem::new(StatusCode::CONFLICT, "too-late", text),
        Refused::Field(field, text) => Problem::field("wrong-field", field, text),
    }
}
