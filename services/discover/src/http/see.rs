//! `GET /api/v1/reports/{incident}`: for the reporter, who sees it the moment it was answered 201.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use platform::http::{Asking, Problem};
use serde::Serialize;

use super::Front;
use crate::store::reports;

/// A report as its reporter sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SeenReport {
    pub incident: String,
    pub client_id: String,
    pub category: String,
    /// Code of the area in which the person it concerns is registered, where the report says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered_area: Option<String>,
    pub description: String,
    pub lon: f64,
    pub lat: f64,
    pub datum: String,
    pub filed_at: DateTime<Utc>,
    /// The case it became or is about to become.
    pub case: String,
}

/// What became of a report: whether it is on its way, or which case it is.
#[utoipa::path(get, path = "/api/v1/reports/{incident}", params(("incident" = String, Path)), responses(
    (status = 200, description = "the own report", body = SeenReport),
    (status = 404, description = "no such report, or somebody else's"),
))]
pub async fn see(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
) -> Result<Json<SeenReport>, Problem> {
    let incident = incident.parse().map_err(|_| Problem::not_found())?;
    let report = reports::find(front.store.readers(), incident).await?;
    let report = report.filter(|report| report.reporter == who.person.0).ok_or_else(Problem::not_found)?;
    Ok(Json(SeenReport {
        incident: incident.to_string(),
        client_id: report.client_id,
        category: report.category,
        registered_area: report.registered_area,
        description: report.description,
        lon: report.lon,
        lat: report.lat,
        datum: report.datum,
        filed_at: report.filed_at,
        case: format!("/api/v1/cases/{incident}"),
    }))
}
