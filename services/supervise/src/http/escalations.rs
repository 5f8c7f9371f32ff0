//! `GET /api/v1/escalations`: what was escalated last, in the areas whose figures the asker may see.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::rights::{Action, areas_for};
use domain::text::Text;
use platform::http::{Asking, Problem, Query};
use serde::{Deserialize, Serialize};

use super::Front;
use crate::store::figures;

const LATEST: u64 = 50;

/// It takes no parameters; whoever gives one is told so, not answered as if it had narrowed the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// One escalation: a level made answerable because a deadline passed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Escalation {
    pub incident: String,
    /// Which deadline: `sign`, `handle` or `check`.
    pub deadline: String,
    /// The level made answerable.
    pub to: String,
    pub due_at: DateTime<Utc>,
    pub done_at: DateTime<Utc>,
    pub area: String,
    pub category: String,
    pub holder: String,
    pub state: String,
}

/// 升级: what was escalated last, newest first.
#[utoipa::path(get, path = "/api/v1/escalations", responses(
    (status = 200, description = "the latest 50, newest first", body = Vec<Escalation>),
    (status = 403, description = "not for this role"),
    (status = 422, description = "it takes no parameters"),
))]
pub async fn escalations(
    State(front): State<Front>,
    Asking(who): Asking,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Vec<Escalation>>, Problem> {
    let scope: Vec<AreaPath> = areas_for(&who.grants, Action::SeeFigures).into_iter().cloned().collect();
    if scope.is_empty() {
        return Err(Problem::forbidden(Text::new("您没有查看督办情况的权限", "you may not see escalations")));
    }
    let latest = figures::escalated(front.store.readers(), &scope, LATEST).await?;
    let shown = latest.into_iter().map(|row| Escalation {
        incident: row.incident.to_string(),
        deadline: row.kind,
        to: row.to,
        due_at: row.due_at,
        done_at: row.done_at,
        area: row.area,
        category: row.category,
        holder: row.holder,
        state: row.state,
    });
    Ok(Json(shown.collect()))
}
