//! A listener's life: health, metrics, limits, and a stop that finishes what was begun.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router, middleware};
use tokio::net::TcpListener;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::warn;

use super::problem::render;
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::turn::Health;

/// A request that takes longer is given up, and the asker told so.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// So long a stop waits for what was begun.
const LONGEST_STOP: Duration = Duration::from_secs(10);

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

/// 503 from the moment a stop is asked for, or when a reader has stopped the line.
async fn ready(State(probes): State<Probes>) -> impl IntoResponse {
    let stopped: Vec<String> = probes.services.iter().filter_map(|(_, health)| health.stopped()).collect();
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
        Err(error) => super::Problem::internal(&error).into_response(),
    }
}

/// Puts on a router what every answer has: problems in the reader's language, limits, and headers that
/// keep browsers from guessing or keeping.
pub fn dress(router: Router) -> Router {
    router
        .layer(DefaultBodyLimit::max(super::BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_REQUEST))
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

/// Serves `router` until the process is asked to stop, and finishes what was begun; whoever has begun to ask and
/// says no more does not keep the process from ending.
pub async fn serve(listener: TcpListener, router: Router, lifecycle: Lifecycle) -> std::io::Result<()> {
    let (mut asked, mut waited) = (lifecycle.clone(), lifecycle);
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move { asked.stopping().await });
    let too_long = async move {
        waited.stopping().await;
        let _ = tokio::time::timeout(LONGEST_STOP, std::future::pending::<()>()).await;
    };
    tokio::select! {
        biased;
        served = serving => served,
        () = too_long => {
            warn!("left connections open that had said nothing for {LONGEST_STOP:?} after the stop");
            Ok(())
        }
    }
}
