//! The facts (事实) that services tell one another: past tense, one writer per topic, never taken back.
//!
//! A fact is a JSON body in a CloudEvents 1.0 envelope; what is here is the body and its type. Facts
//! carry opaque person ids and no free text.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::area::AreaPath;
use crate::case::{Case, Happened};
use crate::deadline::{DeadlineKind, Does};
use crate::holder::Holder;
use crate::report::Report;
use crate::text::Text;

/// The streams, each with one writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Written by discover, read by route.
    Reported,
    /// Written by route, read by handle.
    Routed,
    /// Written by handle, read by route and supervise.
    Handled,
    /// Written by supervise, read by handle.
    Supervised,
}

impl Topic {
    pub const ALL: [Self; 4] = [Self::Reported, Self::Routed, Self::Handled, Self::Supervised];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Routed => "routed",
            Self::Handled => "handled",
            Self::Supervised => "supervised",
        }
    }

    /// The one service that writes it.
    pub fn written_by(self) -> &'static str {
        match self {
            Self::Reported => "discover",
            Self::Routed => "route",
            Self::Handled => "handle",
            Self::Supervised => "supervise",
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
        Self::ALL
            .into_iter()
            .find(|topic| topic.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a topic: use reported, routed, handled or supervised"))
    }
}

/// `report.submitted`, on `reported`.
pub const REPORT_SUBMITTED: &str = "report.submitted";
/// `incident.routed`, on `routed`.
pub const INCIDENT_ROUTED: &str = "incident.routed";
/// `step.due`, on `supervised`.
pub const STEP_DUE: &str = "step.due";

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
