//! What `gridward audit --watch` answers: whether it lives, whether it can look, and its gauges.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use platform::http::Problem;
use platform::lifecycle::Lifecycle;
use platform::metrics::Metrics;
use tokio::sync::watch::Receiver;

#[derive(Clone, Debug)]
struct Watching {
    metrics: Metrics,
    /// Why it is not ready.
    seen: Receiver<Option<String>>,
    lifecycle: Lifecycle,
}

/// `/health/live`, `/health/ready` and `/metrics`. It is ready while the last audit could look, whatever it found.
pub fn watching(metrics: Metrics, seen: Receiver<Option<String>>, lifecycle: Lifecycle) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "ok" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(shown))
        .with_state(Watching { metrics, seen, lifecycle })
}

async fn ready(State(watching): State<Watching>) -> impl IntoResponse {
    let why = if watching.lifecycle.is_stopping() {
        Some("stopping / 正在停止".to_owned())
    } else {
        watching.seen.borrow().clone()
    };
    match why {
        None => (StatusCode::OK, Json(serde_json::json!({"ready": true}))),
        Some(why) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(serde_json::json!({"ready": false, "why": [why]})))
        }
    }
}

async fn shown(State(watching): State<Watching>) -> Response {
    match watching.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}
