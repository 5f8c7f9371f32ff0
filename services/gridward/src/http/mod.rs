//! All services' endpoints on one listener.

use std::collections::BTreeMap;

use axum::routing::get;
use domain::text::Text;
use platform::http::{Gate, Probes, dress, probes};
use platform::lifecycle::Lifecycle;
use platform::pack::Pack;
use platform::token::Tokens;
use platform::turn::Desk;
use serde::Serialize;
use utoipa::OpenApi;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

pub use axum::Router;

use crate::demo::Line;
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
pub fn demo_page(token: &str, speed: f64, pack: &Pack, lines: &[Line]) -> Router {
    let page = include_str!("../demo/page.html")
        .replace("{{TOKEN}}", token)
        .replace("{{SPEED}}", &speed.to_string())
        .replace("{{ZONE}}", pack.calendar.zone_name())
        .replace("{{CATEGORIES}}", &category_names(pack))
        .replace("{{LINES}}", &inside_script(lines));
    Router::new().route("/", get(move || async move { axum::response::Html(page) }))
}

/// Names of the categories by code.
fn category_names(pack: &Pack) -> String {
    let names: BTreeMap<&str, &Text> =
        pack.categories.values().map(|category| (category.code.0.as_str(), &category.name)).collect();
    inside_script(&names)
}

/// JSON that is safe inside a script.
fn inside_script(data: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(data).expect("plain text with text keys").replace('<', "\\u003c")
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
        "发现 discover → 流转 route → 处置 handle → 督办 supervise. Every call carries a bearer token; every refusal is \
         a problem (RFC 9457) in the language of Accept-Language, zh or en."
            .to_owned(),
    );
    guard(&mut document);
    document
}

/// Says of every operation that it wants a token, and what it answers without one.
fn guard(document: &mut utoipa::openapi::OpenApi) {
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme("token", bearer);
    document.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    for path in document.paths.paths.values_mut() {
        for operation in [&mut path.get, &mut path.post].into_iter().flatten() {
            let refused = ResponseBuilder::new().description("no token, or one that is invalid or expired");
            operation.responses.responses.insert("401".to_owned(), refused.build().into());
        }
    }
}
