//! HTTP as every service speaks it: who asks, what is wrong, and how a listener lives.

mod asking;
mod body;
pub mod browser;
mod fault;
pub mod html;
mod json;
mod listening;
mod peer;
mod problem;
mod query;
mod serving;

pub use asking::{Asking, Gate, InSession};
pub use body::Body;
pub use listening::{Patience, serve};
pub use peer::{Peer, Proxies};
pub use problem::Problem;
pub use query::Query;
pub use serving::{Probes, dress, probes, say_goodbye};

/// The largest body a request may have: 1 MB.
pub const BODY_LIMIT: usize = 1_000_000;
