//! discover's table.

pub mod reports;
