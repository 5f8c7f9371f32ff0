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
use crate::pack::InForce;
use crate::turn::{Health, panic_text};

/// A request that takes longer is given up, and the asker told so.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// What the health and metrics endpoints look at.
#[derive(Clone, Debug)]
pub struct Probes {
    pub metrics: Metrics,
    /// The loops of this process by name. The first ones serve people; a relay does not.
    pub services: Vec<(&'static str, Health)>,
    pub beside: Vec<(&'static str, Health)>,
    pub pack: InForce,
    pub lifecycle: Lifecycle,
}

/// A loop that has not come around for so long hangs: no statement and no question to a broker may take as long.
const HANGS: Duration = Duration::from_secs(90);

/// `/health/live`, `/health/ready` and `/metrics`.
pub fn probes(probes: Probes) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(probes)
}

impl Probes {
    fn loops(&self) -> impl Iterator<Item = &(&'static str, Health)> {
        self.services.iter().chain(&self.beside)
    }
}

/// 503 when a loop hangs: only a restart helps then.
async fn live(State(probes): State<Probes>) -> Response {
    let hangs = |(_, health): &&(&str, Health)| health.since_round().is_some_and(|since| since > HANGS);
    let hanging: Vec<&str> = probes.loops().filter(hangs).map(|(name, _)| *name).collect();
    if hanging.is_empty() {
        return "ok".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(serde_json::json!({"live": false, "hangs": hanging})))
        .into_response()
}

/// 503 from the moment a stop is asked for, when a reader has stopped the line, or while nothing can be saved. What
/// is wrong though people are served is told beside a 200, and so is the pack in force.
async fn ready(State(probes): State<Probes>) -> Response {
    let not = |why: Vec<String>| {
        let told = serde_json::json!({"ready": false, "why": why});
        (StatusCode::SERVICE_UNAVAILABLE, Json(told)).into_response()
    };
    if probes.lifecycle.is_stopping() {
        return not(vec!["stopping: ask another instance / 正在停止，请访问其他实例".to_owned()]);
    }
    let why = |(_, health): &(&str, Health)| health.stopped().or_else(|| health.failing());
    let stopped: Vec<String> = probes.services.iter().filter_map(why).collect();
    if !stopped.is_empty() {
        return not(stopped);
    }
    let beside = probes.beside.iter().filter_map(|(_, health)| health.failing());
    let troubles: Vec<String> =
        probes.loops().flat_map(|(_, health)| health.troubles()).chain(beside).collect();
    let (pack, published_at) = (probes.pack.now(), probes.pack.published_at());
    let in_force =
        serde_json::json!({"code": pack.code, "version": pack.version(), "published_at": published_at});
    let mut told = serde_json::json!({"ready": true, "pack": in_force});
    if !troubles.is_empty() {
        told["troubles"] = troubles.into();
    }
    Json(told).into_response()
}

async fn metrics(State(probes): State<Probes>) -> Response {
    probes.metrics.show_pack(&probes.pack);
    for (name, health) in probes.loops() {
        if let Some(since) = health.since_round() {
            probes.metrics.round.with_label_values(&[*name]).set(since.as_secs_f64());
        }
    }
    match probes.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// Asks whoever is answered while the process is being stopped to connect anew for the next request, which then
/// finds another instance, or nobody, but never a connection that is closed under it.
pub fn say_goodbye(router: Router, draining: Lifecycle) -> Router {
    router.layer(middleware::map_response(move |mut response: Response| {
        if draining.is_stopping() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        std::future::ready(response)
    }))
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
