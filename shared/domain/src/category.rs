//! Categories (事项类别): what can be reported, and how long it may take.

use std::collections::BTreeMap;

use crate::calendar::Limit;
use crate::id::CategoryCode;
use crate::text::Text;

/// One category of the pack.
#[derive(Clone, Debug, PartialEq)]
pub struct Category {
    pub code: CategoryCode,
    pub name: Text,
    /// How long handling (处置) may take, from dispatch.
    pub handle_limit: Limit,
    /// Never leaves the street office: no partner, no group chat, no public page.
    pub sensitive: bool,
}

/// All categories of a jurisdiction, by code.
pub type Categories = BTreeMap<CategoryCode, Category>;
