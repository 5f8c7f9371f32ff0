//! partner's tables, one file each, and what is read from two of them.

pub mod cases;
pub mod hands;
pub mod offers;
pub mod organisations;

use platform::store::StoreError;
use uuid::Uuid;

fn wrong(table: &'static str, id: &impl ToString, why: impl ToString) -> StoreError {
    StoreError::Inconsistent { table, id: id.to_string(), why: why.to_string() }
}

fn wrong_case(table: &'static str, id: Uuid, why: impl ToString) -> StoreError {
    wrong(table, &id, why)
}
