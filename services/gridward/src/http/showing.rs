//! `GET /demo/now`: what the demo's clock shows, how fast it runs, and what there is to see.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use chrono::{DateTime, Utc};
use platform::clock::Clock;
use serde::Serialize;

use crate::demo::highlights::{Highlights, Showing};

/// What is going on now.
#[derive(Debug, Serialize)]
struct Now {
    clock: DateTime<Utc>,
    /// How many times faster than life.
    speed: f64,
    /// Newest first; what is later than `clock` is expected.
    showing: Vec<Showing>,
}

#[derive(Clone, Debug)]
struct Stage {
    highlights: Highlights,
    clock: Clock,
    speed: f64,
}

/// The demo's own endpoint, beside its page. It says nothing that is not on the page, and so asks for no token.
pub fn demo_now(highlights: Highlights, clock: Clock, speed: f64) -> Router {
    Router::new().route("/demo/now", get(now)).with_state(Stage { highlights, clock, speed })
}

async fn now(State(stage): State<Stage>) -> Json<Now> {
    let Stage { highlights, clock, speed } = stage;
    Json(Now { clock: clock.now(), speed, showing: highlights.newest_first() })
}
