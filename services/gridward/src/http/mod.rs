//! All services' endpoints on one listener.

mod demo_page;
mod watching;

use axum::routing::get;
use discover::{Discover, Surveyed};
use handle::Handle;
use partner::PartnerDesk;
use platform::http::{Gate, Probes, dress, probes, say_goodbye};
use platform::lifecycle::Lifecycle;
use platform::pack::InForce;
use platform::token::Tokens;
use platform::turn::{Desk, Health, Surroundings};
use utoipa::OpenApi;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

pub use axum::Router;
pub use demo_page::demo_page;
pub use watching::watching;

use crate::running::Accounts;

/// The desks of the running services.
#[derive(Clone, Debug)]
pub struct Desks {
    pub discover: Desk<Discover>,
    pub handle: Desk<Handle>,
    /// Where the office has partner organisations.
    pub partner: Option<Desk<PartnerDesk>>,
}

/// What the endpoints of a process stand on.
pub struct Front<'a> {
    pub around: &'a Surroundings,
    pub pack: &'a InForce,
    pub tokens: &'a Tokens,
    pub health: Vec<(&'static str, Health)>,
    /// Loops that serve nobody who asks: a relay.
    pub beside: Vec<(&'static str, Health)>,
    pub lifecycle: &'a Lifecycle,
}

impl Front<'_> {
    fn gate(&self) -> Gate {
        Gate { tokens: self.tokens.clone() }
    }
}

/// The endpoints of one service, or of several.
#[derive(Default)]
pub struct Routes(Router);

impl Routes {
    /// Of a service that nobody asks anything.
    pub fn none() -> Self {
        Self::default()
    }

    pub fn discover(front: &Front<'_>, desk: Desk<Discover>) -> Self {
        let around = front.around;
        Self(discover::http::routes(discover::http::Front {
            desk,
            store: around.store.clone(),
            clock: around.clock.clone(),
            gate: front.gate(),
            surveyed: Surveyed::in_force(front.pack),
        }))
    }

    pub fn handle(front: &Front<'_>, desk: Desk<Handle>) -> Self {
        let around = front.around;
        Self(handle::http::routes(handle::http::Front {
            desk,
            store: around.store.clone(),
            clock: around.clock.clone(),
            gate: front.gate(),
            pack: front.pack.clone(),
            arrivals: around.stream.arrivals(),
        }))
    }

    pub fn supervise(front: &Front<'_>) -> Self {
        let around = front.around;
        Self(supervise::http::routes(supervise::http::Front {
            store: around.store.clone(),
            clock: around.clock.clone(),
            gate: front.gate(),
            pack: front.pack.clone(),
        }))
    }

    pub fn partner(front: &Front<'_>, desk: Desk<PartnerDesk>) -> Self {
        let around = front.around;
        Self(partner::http::routes(partner::http::Front {
            desk,
            store: around.store.clone(),
            clock: around.clock.clone(),
            gate: front.gate(),
            pack: front.pack.clone(),
            arrivals: around.stream.arrivals(),
        }))
    }

    pub fn console(accounts: Accounts, pack: &InForce, tokens: &Tokens) -> Self {
        Self(console::http::routes(console::http::Front {
            sign_in: console::SignIn::new(accounts.store, pack),
            gate: Gate { tokens: tokens.clone() },
            proxies: accounts.proxies,
        }))
    }

    /// Both on one listener.
    pub fn and(self, other: Self) -> Self {
        Self(self.0.merge(other.0))
    }

    /// With health, metrics and the description of the whole API.
    pub fn with_probes(self, front: &Front<'_>) -> Router {
        let probed = Probes {
            metrics: front.around.metrics.clone(),
            services: front.health.clone(),
            beside: front.beside.clone(),
            pack: front.pack.clone(),
            lifecycle: front.lifecycle.clone(),
        };
        self.probed(probed)
    }

    /// The same, of a process whose probes are told apart from what it stands on.
    pub fn probed(self, probed: Probes) -> Router {
        let lifecycle = probed.lifecycle.clone();
        let router = self
            .0
            .merge(probes(probed))
            .route("/api/v1/openapi.json", get(|| async { axum::Json(document()) }));
        say_goodbye(router, lifecycle)
    }
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
    document.merge(partner::http::Api::openapi());
    document.merge(console::http::Api::openapi());
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
