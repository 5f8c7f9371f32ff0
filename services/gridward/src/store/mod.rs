//! The program's own reads and writes beside the services': progress of a replay, and what was decided.

pub mod decided;
pub mod progress;
