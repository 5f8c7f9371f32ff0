//! `GET /api/v1/cases/{incident}`: one case with its deadlines, its history, and why it is here; and
//! `GET /api/v1/cases/{incident}/words`, for whoever works on it and may see no more of it.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::case::{Case, Happened};
use domain::deadline::{Deadline, Step, Verdict};
use domain::id::IncidentId;
use domain::rights::{Action, may};
use domain::text::Text;
use platform::http::{Asking, Problem, Query};
use platform::pack::Pack;
use platform::token::Principal;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::Front;
use super::queue::{Listed, listed};
use crate::just_reported;
use crate::may::{may_now, may_see};
use crate::store::history;
use crate::store::whole::{self, Whole};
use crate::why::why_here;

/// How long a reader may wait for a case that is about to open.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Whether to wait for the case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// As in `2s`.
    wait: Option<String>,
}

/// A case as whoever may see it sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SeenCase {
    #[serde(flatten)]
    pub case: Listed,
    pub revision: u32,
    pub lon: f64,
    pub lat: f64,
    /// Path of the area that it lay in when it was opened, where it was handed on to another since: its point stays there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_in: Option<String>,
    pub attempt: u32,
    pub returns: u32,
    pub reworks: u32,
    /// What the reporter wrote. `null` where nothing was written, and of sensitive categories, whose words stay where
    /// they were taken.
    pub words: Option<String>,
    /// Why it is with this holder.
    #[schema(value_type = Option<Object>)]
    pub why: Option<Text>,
    /// 立案条件: when a matter of its category is taken up, where the pack says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub filing: Option<Text>,
    /// 结案标准: when it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub closing: Option<Text>,
    /// 片区: the communities of its street that are looked after together with its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub district: Option<Text>,
    /// What the asker may do to it now: `sign`, `stage`, `answer`, `return`, `pass`, `fail`, `close`, `transfer`, which is
    /// to give it to another post or take it over, or `order`, which is to have it offered to partner organisations.
    #[schema(value_type = Vec<String>)]
    pub may: Vec<&'static str>,
    pub deadlines: Vec<SeenDeadline>,
    pub history: Vec<Line>,
}

/// A deadline with how it stands now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SeenDeadline {
    pub kind: String,
    pub round: u32,
    pub start_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    /// 暂定: a year it counts through has no published calendar.
    pub provisional: bool,
    pub limit: Option<String>,
    pub met_at: Option<DateTime<Utc>>,
    /// `running`, `on_time` or `overdue`.
    pub verdict: &'static str,
    pub steps: Vec<SeenStep>,
    /// 怎么算的: how it comes to be due, line by line, and each of its steps. One line, which names the versions, where it
    /// was computed by another policy or calendar than those in force.
    #[schema(value_type = Vec<Object>)]
    pub explained: Vec<Text>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SeenStep {
    pub does: &'static str,
    pub due_at: DateTime<Utc>,
    pub done_at: Option<DateTime<Utc>>,
}

/// One line of history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Line {
    pub sequence: i64,
    pub what: &'static str,
    pub at: DateTime<Utc>,
    pub noticed_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// As in the fact.
    #[schema(value_type = Object)]
    pub happened: Happened,
}

/// How often somebody who waits for a case is looked for it, though nothing was heard.
const LOOK: Duration = Duration::from_millis(100);

/// One case, with its deadlines, its history, and why it is where it is.
///
/// 200 with the case; 404 for one that is not there or not the asker's to see, and 202 instead of it for an
/// incident of the last minute, whose case may be about to open. `?wait=2s` waits for it to open.
#[utoipa::path(get, path = "/api/v1/cases/{incident}", params(
    ("incident" = String, Path), ("wait" = Option<String>, Query, description = "wait for it to open, up to 10s, as in 2s"),
), responses((status = 200, body = SeenCase), (status = 202, description = "about to open"), (status = 404),
    (status = 422, description = "a parameter is wrong")))]
pub async fn see(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    Query(wait): Query<Wait>,
) -> Result<Response, Problem> {
    let incident: IncidentId = incident.parse().map_err(|_| Problem::not_found())?;
    let wait = wait.wait.as_deref().map_or(Ok(Duration::ZERO), read_wait)?;
    let found = appears(&front, incident, &who, wait).await?;
    let now = front.clock.now();
    let Some(whole) = found else {
        return if just_reported(incident, now) { Ok(not_yet()) } else { Err(Problem::not_found()) };
    };
    let pack = front.pack.now();
    let may = may_now(&whole.case, &who, now, &pack);
    let seen = SeenCase { may, ..seen(whole, now, &pack) };
    Ok(([(header::ETAG, format!("\"{}\"", seen.revision))], Json(seen)).into_response())
}

/// What the reporter of a case wrote.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SeenWords {
    pub incident: String,
    /// `null` where nothing was written, and of sensitive categories.
    pub words: Option<String>,
}

/// What the reporter wrote, for whoever may see the case and for the organisation that holds it, which sees no more of
/// it here. 404 for everybody else.
#[utoipa::path(get, path = "/api/v1/cases/{incident}/words", params(("incident" = String, Path)),
    responses((status = 200, body = SeenWords), (status = 404)))]
pub async fn words(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
) -> Result<Json<SeenWords>, Problem> {
    let incident: IncidentId = incident.parse().map_err(|_| Problem::not_found())?;
    let whole = whole::read(&front.store, incident).await?;
    let theirs = |case: &Case| sees(case, &who) || works_on(case, &who);
    let whole = whole.filter(|whole| theirs(&whole.case)).ok_or_else(Problem::not_found)?;
    let words = readable(&whole.case, whole.words, &front.pack.now());
    Ok(Json(SeenWords { incident: incident.to_string(), words }))
}

/// Words are kept of plain categories alone, so those of one that is listed no more stay readable to the end of the
/// case. Of a category that the pack counts as sensitive since they were kept they are not shown any more.
fn readable(case: &Case, words: Option<String>, pack: &Pack) -> Option<String> {
    let sensitive = pack.categories.get(&case.category).is_some_and(|category| category.sensitive);
    words.filter(|_| !sensitive)
}

fn sees(case: &Case, who: &Principal) -> bool {
    case.reporter == who.person || may_see(&who.grants, case)
}

/// Whether it is theirs to answer: an organisation's people see nothing else of what they hold on these pages.
fn works_on(case: &Case, who: &Principal) -> bool {
    may(&who.grants, Action::Answer, &case.area, &case.holder)
}

/// The case, if it is there and `who` may see it. What they may not see is none to them from here on: it is
/// waited for and answered like an id nobody was given, so that no answer tells whether there is one.
async fn find(front: &Front, incident: IncidentId, who: &Principal) -> Result<Option<Whole>, Problem> {
    let found = whole::read(&front.store, incident).await?;
    Ok(found.filter(|whole| sees(&whole.case, who)))
}

/// Waits until the case is there, woken by commits; looks at least once.
async fn appears(
    front: &Front,
    incident: IncidentId,
    who: &Principal,
    wait: Duration,
) -> Result<Option<Whole>, Problem> {
    let until = Instant::now() + wait;
    let mut arrivals = front.arrivals.clone();
    loop {
        arrivals.mark_unchanged();
        let found = find(front, incident, who).await?;
        if found.is_some() || Instant::now() >= until {
            return Ok(found);
        }
        // Another instance may open it, of which nothing is heard here.
        let look = until.min(Instant::now() + LOOK);
        if let Ok(Err(_)) = timeout_at(look, arrivals.changed()).await {
            // Nothing will arrive any more.
            return Ok(None);
        }
    }
}

fn read_wait(text: &str) -> Result<Duration, Problem> {
    let seconds = text.strip_suffix('s').and_then(|number| number.parse::<u64>().ok());
    let wait = seconds.map(Duration::from_secs).filter(|wait| *wait <= LONGEST_WAIT);
    wait.ok_or_else(|| {
        let text = Text::new("wait 应为 0s 到 10s，如 2s", "wait must be 0s to 10s, as in 2s");
        Problem::field("wrong-parameter", "wait", text)
    })
}

fn not_yet() -> Response {
    let body = serde_json::json!({"state": "REPORTED", "detail": "the case is about to open 案件即将生成"});
    (StatusCode::ACCEPTED, [(header::RETRY_AFTER, "1")], Json(body)).into_response()
}

fn seen(whole: Whole, now: DateTime<Utc>, pack: &Pack) -> SeenCase {
    let Whole { case, history, words } = whole;
    let conditions = pack.categories.get(&case.category).and_then(|category| category.conditions.as_ref());
    let why = why_here(&case, &history, now, pack);
    SeenCase {
        case: listed(&case, now),
        revision: case.revision,
        words: readable(&case, words, pack),
        lon: case.lon,
        lat: case.lat,
        opened_in: opened_in(&case, &history).map(ToString::to_string),
        attempt: case.attempt,
        returns: case.returns,
        reworks: case.reworks,
        why,
        filing: conditions.map(|conditions| conditions.filing.clone()),
        closing: conditions.map(|conditions| conditions.closing.clone()),
        district: pack.districts.of(&case.area).map(|district| district.name.clone()),
        may: Vec::new(),
        deadlines: case.deadlines.iter().map(|deadline| seen_deadline(&case, deadline, now, pack)).collect(),
        history: history.into_iter().map(line).collect(),
    }
}

/// Where a case lay at first, if it lies elsewhere now.
fn opened_in<'a>(case: &Case, history: &'a [history::Entry]) -> Option<&'a AreaPath> {
    let left = |entry: &'a history::Entry| match &entry.happened {
        Happened::Assigned { left, .. } => left.as_ref(),
        _ => None,
    };
    history.iter().find_map(left).filter(|first| **first != case.area)
}

fn seen_deadline(case: &Case, deadline: &Deadline, now: DateTime<Utc>, pack: &Pack) -> SeenDeadline {
    let policy = pack.policy.of(case.handling_limit());
    let step =
        |step: &Step| SeenStep { does: step.does.as_str(), due_at: step.due_at, done_at: step.done_at };
    SeenDeadline {
        kind: deadline.kind.as_str().to_owned(),
        round: deadline.round,
        start_at: deadline.start_at,
        due_at: deadline.due_at,
        provisional: deadline.provisional,
        limit: deadline.limit.map(|limit| limit.to_string()),
        met_at: deadline.met_at,
        verdict: match deadline.verdict(now) {
            Verdict::Running => "running",
            Verdict::OnTime => "on_time",
            Verdict::Overdue => "overdue",
        },
        steps: deadline.steps.iter().map(step).collect(),
        explained: policy.explain(&pack.calendar, deadline),
    }
}

fn line(entry: history::Entry) -> Line {
    Line {
        sequence: entry.sequence,
        what: entry.happened.fact_type(),
        at: entry.at,
        noticed_at: entry.noticed_at,
        by: entry.happened.by().map(|person| person.0.clone()),
        note: entry.note,
        happened: entry.happened,
    }
}
