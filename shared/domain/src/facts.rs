//! The facts (事实) that services tell one another: past tense, one writer per topic, never taken back.
//!
//! A fact is a JSON body in a CloudEvents 1.0 envelope; what is here is the body and its type. Facts
//! carry opaque person ids and no free text, but for the words of a report that is not sensitive.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::area::AreaPath;
use crate::case::{Case, Happened};
use crate::deadline::{DeadlineKind, Does};
use crate::holder::Holder;
use crate::id::{PartnerId, PersonId};
use crate::partner::{DeclineReason, ReleaseReason};
use crate::report::Report;
use crate::text::Text;

/// The streams, each with one writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Written by discover, read by route.
    Reported,
    /// Written by route, read by handle.
    Routed,
    /// Written by handle, read by route, supervise and partner.
    Handled,
    /// Written by supervise, read by handle.
    Supervised,
    /// Written by partner, read by handle.
    Partnered,
}

impl Topic {
    pub const ALL: [Self; 5] =
        [Self::Reported, Self::Routed, Self::Handled, Self::Supervised, Self::Partnered];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Routed => "routed",
            Self::Handled => "handled",
            Self::Supervised => "supervised",
            Self::Partnered => "partnered",
        }
    }

    /// The one service that writes it.
    pub fn written_by(self) -> &'static str {
        match self {
            Self::Reported => "discover",
            Self::Routed => "route",
            Self::Handled => "handle",
            Self::Supervised => "supervise",
            Self::Partnered => "partner",
        }
    }

    /// Whether a reader that knows nothing of an incident may begin at any sequence: a `handled` fact
    /// carries the whole case, so nothing before it is needed. Elsewhere the first is 1.
    pub fn may_begin_anywhere(self) -> bool {
        self == Self::Handled
    }
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Topic {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not a topic: use one of {known}")
        })
    }
}

/// `report.submitted`, on `reported`.
pub const REPORT_SUBMITTED: &str = "report.submitted";
/// `incident.routed`, on `routed`.
pub const INCIDENT_ROUTED: &str = "incident.routed";
/// `step.due`, on `supervised`.
pub const STEP_DUE: &str = "step.due";

/// `offer.placed`, `offer.accepted`, `offer.declined` and `offer.withdrawn`, on `partnered`.
pub const OFFERS: [&str; 4] = ["offer.placed", "offer.accepted", "offer.declined", "offer.withdrawn"];

/// Body of `report.submitted`: somebody reported something, and was answered 201.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportSubmitted {
    pub report: Report,
}

/// Body of `incident.routed`: who should hold it, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentRouted {
    /// 1 for the first; one more for every return.
    pub attempt: u32,
    pub route: Route,
    /// The report itself, with attempt 1 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// The outcome of routing one incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// On WGS-84, degrees.
    pub lon: f64,
    pub lat: f64,
    /// The smallest area known to hold the place.
    pub area: AreaPath,
    /// Code of the grid, when the place lies in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<String>,
    /// Version of the boundaries that were asked.
    pub boundaries: String,
    /// Name of the rule that chose.
    pub rule: String,
    pub holder: Holder,
    /// Other grids that hold the place too, when borders overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
    pub why: Text,
    /// What is odd about the place: `placeholder`, `rounded` …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// Body of every fact on `handled`: what happened to the case, and the case's row after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseFact {
    pub happened: Happened,
    pub case: Case,
}

/// Body of `step.due`: a step of a deadline fell due. A proposal; handle decides on its own row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepDue {
    pub deadline: DeadlineKind,
    pub round: u32,
    /// Position of the step in its deadline, from 0.
    pub step: u32,
    pub does: Does,
    pub due_at: DateTime<Utc>,
}

/// Body of every fact on `partnered`: what partner proposes; handle decides on its own row, and the first that is
/// valid wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum OfferProposed {
    /// 下单: these organisations fit, and the case should be offered to them.
    Placed {
        partners: Vec<PartnerId>,
        /// Who placed the order; none: the category is offered by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonId>,
        /// The revision of the case that was looked at: whatever people did since goes first.
        revision: u32,
        why: Text,
    },
    /// 接单.
    Accepted { partner: PartnerId, round: u32, by: PersonId },
    /// 婉拒.
    Declined { partner: PartnerId, round: u32, by: PersonId, reason: DeclineReason },
    /// The organisation was suspended or removed: it loses the offer, or the case it holds.
    Withdrawn { partner: PartnerId, reason: ReleaseReason },
}

impl OfferProposed {
    /// The fact's type on `partnered`.
    pub fn fact_type(&self) -> &'static str {
        match self {
            Self::Placed { .. } => "offer.placed",
            Self::Accepted { .. } => "offer.accepted",
            Self::Declined { .. } => "offer.declined",
            Self::Withdrawn { .. } => "offer.withdrawn",
        }
    }
}
