//! All services' endpoints on one listener.

use std::collections::BTreeMap;

use axum::routing::get;
use domain::text::Text;
use platform::http::{Gate, Probes, dress, probes};
use platform::lifecycle::Lifecycle;
use platform::pack::Pack;
use platform::token::Tokens;
use platform::turn::Desk;
use utoipa::OpenApi;

pub use axum::Router;

use crate::embedded::Front;

/// The desks of the running services.
#[derive(Clone, Debug)]
pub struct Desks {
    pub discover: Desk<discover::Discover>,
    pub handle: Desk<handle::Handle>,
}

/// The whole API, with health, metrics and its own description.
pub fn router(all: &Front<'_>, desks: Desks, tokens: &Tokens, lifecycle: &Lifecycle) -> Router {
    let gate = Gate { tokens: tokens.clone() };
    let around = all.around;
    let discover = discover::http::Front {
        desk: desks.discover,
        store: around.store.clone(),
        clock: around.clock.clone(),
        gate: gate.clone(),
    };
    let handle = handle::http::Front {
        desk: desks.handle,
        store: around.store.clone(),
        clock: around.clock.clone(),
        gate: gate.clone(),
        arrivals: around.stream.arrivals(),
    };
    let supervise = supervise::http::Front {
        store: around.store.clone(),
        clock: around.clock.clone(),
        gate,
        pack: all.pack.clone(),
    };
    let probed = Probes {
        metrics: around.metrics.clone(),
        services: all.health.clone(),
        lifecycle: lifecycle.clone(),
    };
    Router::new()
        .merge(discover::http::routes(discover))
        .merge(handle::http::routes(handle))
        .merge(supervise::http::routes(supervise))
        .merge(probes(probed))
        .route("/api/v1/openapi.json", get(|| async { axum::Json(document()) }))
}

/// The demo's page at `/`. It looks through the API like anybody else, with the viewer's token.
pub fn demo_page(token: &str, speed: f64, pack: &Pack) -> Router {
    let page = include_str!("../demo/page.html")
        .replace("{{TOKEN}}", token)
        .replace("{{SPEED}}", &speed.to_string())
        .replace("{{ZONE}}", pack.calendar.zone_name())
        .replace("{{CATEGORIES}}", &category_names(pack));
    Router::new().route("/", get(move || async move { axum::response::Html(page) }))
}

/// Names of the categories by code, as JSON that is safe inside a script.
fn category_names(pack: &Pack) -> String {
    let names: BTreeMap<&str, &Text> =
        pack.categories.values().map(|category| (category.code.0.as_str(), &category.name)).collect();
    serde_json::to_string(&names).expect("names are plain text").replace('<', "\\u003c")
}

/// Dresses a finished router for serving.
pub fn finished(router: Router) -> Router {
    dress(router)
}

/// The OpenAPI document, generated from the code.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = discover::http::Api::openapi();
    document.merge(handle::http::Api::openapi());
    document.merge(supervise::http::Api::openapi());
    document.info.title = "Gridward 格网".to_owned();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document.info.description = Some(
        "发现 discover → 流转 route → 处置 handle → 督办 supervise. Every call carries a bearer token."
            .to_owned(),
    );
    document
}
