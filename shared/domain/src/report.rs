//! A report (上报): what somebody saw, where, and when it was filed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{CategoryCode, PersonId};
use crate::place::Place;

/// What decides how long the case may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// The limits of its category and the policy in force.
    Category,
    /// The due time that came with a recorded report, and no other deadline; `None` where the record
    /// promised nothing.
    Recorded(Option<DateTime<Utc>>),
}

/// A report as the stream carries it: no names, no phone, no free text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub reporter: PersonId,
    pub category: CategoryCode,
    pub place: Place,
    /// Code of the area in which the person it concerns is registered (户籍地、登记地), where the report says so. Looked
    /// at only where the category goes by registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_area: Option<String>,
    pub promise: Promise,
}
