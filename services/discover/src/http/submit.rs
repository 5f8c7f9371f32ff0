//! 上报: `POST /api/v1/reports`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use domain::id::IncidentId;
use domain::rights::{Action, areas_for};
use domain::text::Text;
use platform::entropy;
use platform::http::{Asking, Body, Problem};
use platform::turn::Asked;
use serde::Serialize;

use super::Front;
use crate::submit::{NewReport, ReportFault, Reported, Submit};

/// What the reporter is given: the incident, and where to look for it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    pub incident: String,
    /// The report itself.
    pub report: String,
    /// The case it becomes, a moment later.
    pub case: String,
}

type Created = (StatusCode, [(HeaderName, String); 1], Json<Receipt>);

/// 上报: sends a report.
///
/// 201 after it is committed; 200 with the same incident when the client id came before.
#[utoipa::path(post, path = "/api/v1/reports", request_body = NewReport, responses(
    (status = 201, description = "the report is committed", body = Receipt),
    (status = 200, description = "this client id came before; this is its incident", body = Receipt),
    (status = 403, description = "not for this role"),
    (status = 409, description = "this client id came before, with another report"),
    (status = 422, description = "a field is wrong; the answer names it"),
))]
pub async fn submit(
    State(front): State<Front>,
    Asking(who): Asking,
    Body(report): Body<NewReport>,
) -> Result<Created, Problem> {
    if areas_for(&who.grants, Action::Report).is_empty() {
        return Err(Problem::forbidden(Text::new("您没有上报权限", "you may not report")));
    }
    let now = front.clock.now();
    let incident = IncidentId::new(now, entropy::draw());
    let command = Submit { incident, report: Reported::Now(report) };
    let answer = front.desk.ask(Asked { command, by: who.person, recorded_at: now }).await?;
    let submitted = answer.map_err(problem)?;
    let status = if submitted.fresh { StatusCode::CREATED } else { StatusCode::OK };
    let receipt = Receipt {
        incident: submitted.incident.to_string(),
        report: format!("/api/v1/reports/{}", submitted.incident),
        case: format!("/api/v1/cases/{}", submitted.incident),
    };
    Ok((status, [(header::LOCATION, receipt.report.clone())], Json(receipt)))
}

fn problem(fault: ReportFault) -> Problem {
    let mut problem = Problem::field(fault.code, fault.field, fault.text);
    if fault.code == "client_id_taken" {
        problem.status = StatusCode::CONFLICT;
    }
    problem
}
