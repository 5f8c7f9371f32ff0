//! The program's own reads and writes beside the services': progress of a replay, what was decided, and what a bench
//! measures.

pub mod bare;
pub mod copies;
pub mod decided;
pub mod progress;
pub mod seed;
pub mod seen;
