//! `GET /api/v1/escalations`: what was escalated last, in the areas whose figures the asker may see: what happened there,
//! and what happened elsewhere to the cases that lie there now.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::rights::{Action, areas_for};
use domain::text::Text;
use platform::http::{Asking, Problem, Query};
use serde::{Deserialize, Serialize};

use super::Front;
use crate::store::figures::{self, Escalated};

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
    /// Where the case lay then, by path: it was late here, wherever it has been taken since.
    pub area: String,
    /// Where it lies now, by path, if that is elsewhere, and among the asker's areas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lies_in: Option<String>,
    pub category: String,
    /// Who holds it now, as post:area; absent once it lies in none of the asker's areas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// How it stands now; absent once it lies in none of the asker's areas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// An escalation as somebody sees it who oversees `scope`. What has become since of a case that lies elsewhere is not
/// theirs to know, as the case itself is not.
fn shown(row: Escalated, scope: &[AreaPath]) -> Escalation {
    let theirs = scope.iter().any(|area| area.contains(&row.lies_in));
    let moved = row.lies_in != row.area;
    Escalation {
        incident: row.incident.to_string(),
        deadline: row.kind,
        to: row.to,
        due_at: row.due_at,
        done_at: row.done_at,
        area: row.area.to_string(),
        lies_in: (theirs && moved).then(|| row.lies_in.to_string()),
        category: row.category,
        holder: theirs.then_some(row.holder),
        state: theirs.then_some(row.state),
    }
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
    Ok(Json(latest.into_iter().map(|row| shown(row, &scope)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(area: &str, lies_in: &str) -> Escalated {
        let at: DateTime<Utc> = "2026-03-02T01:10:00Z".parse().unwrap();
        Escalated {
            incident: domain::id::IncidentId::new(at, [7; 10]),
            kind: "sign".to_owned(),
            to: "community".to_owned(),
            due_at: at,
            done_at: at,
            area: area.parse().unwrap(),
            lies_in: lies_in.parse().unwrap(),
            category: "rubbish".to_owned(),
            holder: format!("grid_leader:{lies_in}"),
            state: "HANDLING".to_owned(),
        }
    }

    fn seen(
        area: &str,
        lies_in: &str,
        scope: &str,
    ) -> (String, Option<String>, Option<String>, Option<String>) {
        let Escalation { area, lies_in, holder, state, .. } =
            shown(row(area, lies_in), &[scope.parse().unwrap()]);
        (area, lies_in, holder, state)
    }

    #[test]
    fn an_escalation_is_told_where_it_happened_with_the_place_that_the_case_lies_in_now() {
        let (holder, state) = (Some("grid_leader:s/d/h".to_owned()), Some("HANDLING".to_owned()));
        for over_both in ["s", "s/d"] {
            let told = seen("s/c/g", "s/d/h", over_both);
            assert_eq!(told, ("s/c/g".to_owned(), Some("s/d/h".to_owned()), holder.clone(), state.clone()));
        }
        let stayed = seen("s/d/h", "s/d/h", "s/d");
        assert_eq!(stayed, ("s/d/h".to_owned(), None, holder, state));
    }

    #[test]
    fn who_oversees_only_where_it_was_late_hears_nothing_of_what_became_of_it_elsewhere() {
        assert_eq!(seen("s/c/g", "s/d/h", "s/c"), ("s/c/g".to_owned(), None, None, None));
    }
}
