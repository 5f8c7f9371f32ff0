//! route's table.

pub mod incidents;
