//! handle's tables, one file each, and the queues read from them.

pub mod cases;
pub mod history;
pub mod queue;
