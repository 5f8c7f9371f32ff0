//! discover's tables.

pub mod links;
pub mod reports;
