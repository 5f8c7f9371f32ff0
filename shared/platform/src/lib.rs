//! Everything that touches the outside, once: the clock, the store, the stream, the turn, HTTP,
//! tokens, the life of a process. Knows no service and no rule of grid governance beyond `domain`.

pub mod clock;
pub mod entropy;
pub mod faults;
pub mod http;
pub mod lifecycle;
pub mod link;
pub mod metrics;
pub mod pack;
pub mod register;
pub mod store;
pub mod stream;
pub mod telemetry;
pub mod token;
pub mod turn;
