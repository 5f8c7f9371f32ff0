//! handle's tables, one file each, and what is read from them: queues, and whole cases.

pub mod cases;
pub mod history;
pub mod open;
pub mod queue;
pub mod whole;
pub mod words;
