//! Categories (事项类别): what can be reported, and how long it may take.

use std::collections::BTreeMap;

use crate::calendar::Limit;
use crate::id::CategoryCode;
use crate::partner::Class;
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
    /// 分段时限: what must be done before the whole is, each by a time of its own (停工, 处罚 and then 拆除); in order,
    /// at most [`MOST_STAGES`].
    pub stages: Vec<Stage>,
    /// The classes of partner organisations that are offered it; empty: none.
    pub offer_to: Vec<Class>,
    /// When it is taken up and when it is done, where the pack says so.
    pub conditions: Option<Conditions>,
}

/// What people judge a matter by (GB/T 30428.8, CJ/T 315: local tables, so always the pack's own words).
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions {
    /// 立案条件: what must be so for it to be taken up.
    pub filing: Text,
    /// 结案标准: what must be so for it to be done.
    pub closing: Text,
}

/// A part of the work that has its own limit, from dispatch as the whole has.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub name: Text,
    pub limit: Limit,
}

/// Stages a category can have before the whole is done.
pub const MOST_STAGES: usize = 3;

/// All categories of a jurisdiction, by code.
pub type Categories = BTreeMap<CategoryCode, Category>;
