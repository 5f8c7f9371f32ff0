//! What every router has: health, metrics, limits, and an answer to whatever goes wrong.

use std::any::Any;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use super::problem::{Problem, render};
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::turn::{Health, panic_text};

/// A request that takes longer is given up, and the asker told so.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// What the health and metrics endpoints look at.
#[derive(Clone, Debug)]
pub struct Probes {
    pub metrics: Metrics,
    pub services: Vec<(&'static str, Health)>,
    pub lifecycle: Lifecycle,
}

/// `/health/live`, `/health/ready` and `/metrics`.
pub fn probes(probes: Probes) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "ok" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(probes)
}

/// 503 from the moment a stop is asked for, when a reader has stopped the line, or while nothing can be saved.
async fn ready(State(probes): State<Probes>) -> impl IntoResponse {
    let why = |(_, health): &(&str, Health)| health.stopped().or_else(|| health.failing());
    let stopped: Vec<String> = probes.services.iter().filter_map(why).collect();
    if probes.lifecycle.is_stopping() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(serde_json::json!({"ready": false, "why": ["stopping"]})),
        );
    }
    if stopped.is_empty() {
        return (StatusCode::OK, Json(serde_json::json!({"ready": true})));
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(serde_json::json!({"ready": false, "why": stopped})))
}

async fn metrics(State(probes): State<Probes>) -> impl IntoResponse {
    match probes.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// Puts on a router what every answer has: problems in the reader's language, limits, and headers that
/// keep browsers from guessing or keeping.
pub fn dress(router: Router) -> Router {
    router
        .layer(DefaultBodyLimit::max(super::BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_REQUEST))
        .layer(CatchPanicLayer::custom(panicked))
        // Around what may refuse a request, so that a refusal by a layer is put in words as well.
        .layer(middleware::from_fn(render))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .layer(SetResponseHeaderLayer::overriding(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::overriding(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")))
}

/// Whoever asked hears that it was us, and the connection goes on.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    Problem::internal(&format!("answering it panicked: {}", panic_text(&*panic))).into_response()
}
