//! console's tables.

pub mod accounts;
pub mod attempts;
