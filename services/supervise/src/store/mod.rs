//! supervise's tables, one file each.

pub mod cases;
pub mod deadlines;
pub mod figures;
pub mod steps;
pub mod tallies;

use platform::store::StoreError;

/// A column that is not what we wrote.
fn wrong(table: &'static str, id: &impl std::fmt::Display, why: impl std::fmt::Display) -> StoreError {
    StoreError::Inconsistent { table, id: id.to_string(), why: why.to_string() }
}
