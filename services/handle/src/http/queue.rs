//! `GET /api/v1/cases`: the cases the asker may see, most urgent first; with `reporter=me` those that they reported,
//! newest first.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Datelike as _, Utc};
use domain::area::Level;
use domain::case::{Case, State as CaseState};
use domain::rights::{Action, areas_for};
use domain::text::Text;
use platform::http::{Asking, Problem, Query};
use serde::{Deserialize, Serialize};

use super::Front;
use crate::store::queue::{self, Key, Of, Wanted};

const PAGE: u64 = 50;
const LARGEST_PAGE: u64 = 200;
/// The one reporter whose cases can be asked for.
const ME: &str = "me";

/// How to narrow the queue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrow {
    area: Option<String>,
    holder: Option<String>,
    state: Option<String>,
    level: Option<String>,
    reporter: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// A page of the queue.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page {
    pub cases: Vec<Listed>,
    /// Give it as `after` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A case in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Listed {
    pub incident: String,
    pub category: String,
    pub area: String,
    pub holder: String,
    pub state: String,
    /// The highest level answerable so far.
    pub level: String,
    pub opened_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Which deadline that is: `sign`, `offer`, `stage1` to `stage3`, `handle` or `check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_kind: Option<&'static str>,
    /// Whether it has passed.
    pub overdue: bool,
    /// 待结案: found done, so that in its state `CHECKING` only closing it is left.
    pub passed: bool,
    pub reporter: String,
    pub flags: Vec<String>,
}

/// 待办: the cases the asker may see, most urgent first.
///
/// With `reporter=me` instead the cases of their own reports (我的上报), wherever they lie: newest first, and in any state
/// unless one is asked for. Of each a reporter sees what `GET /api/v1/cases/{incident}` shows them, and no more.
#[utoipa::path(get, path = "/api/v1/cases", params(
    ("area" = Option<String>, Query, description = "only this area and below, by path"),
    ("holder" = Option<String>, Query, description = "post:area, as in grid_leader:boston/03/0305"),
    ("state" = Option<String>, Query, description = "DISPATCHED, OFFERED, HANDLING, CHECKING or CLOSED; open ones when absent, and any with `reporter`"),
    ("level" = Option<String>, Query, description = "grid, community, street or county: the highest level answerable"),
    ("reporter" = Option<String>, Query, description = "`me`: what the asker reported, in whatever area it lies"),
    ("after" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<u64>, Query, description = "1 to 200, 50 when absent"),
), responses((status = 200, body = Page), (status = 422, description = "a parameter is wrong")))]
pub async fn list(
    State(front): State<Front>,
    Asking(who): Asking,
    Query(narrow): Query<Narrow>,
) -> Result<Json<Page>, Problem> {
    let mut wanted = wanted(&narrow)?;
    wanted.of = if narrow.reporter.is_some() {
        Of::Reporter(who.person)
    } else {
        Of::Areas(areas_for(&who.grants, Action::SeeCase).into_iter().cloned().collect())
    };
    let limit = wanted.limit;
    wanted.limit += 1;
    let mut cases = queue::page(front.store.readers(), &wanted).await?;
    let more = cases.len() as u64 > limit;
    cases.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = cases.last().filter(|_| more).map(write_key);
    let now = front.clock.now();
    Ok(Json(Page { cases: cases.iter().map(|case| listed(case, now)).collect(), next }))
}

fn wanted(narrow: &Narrow) -> Result<Wanted, Problem> {
    let state = narrow.state.clone();
    if state.as_ref().is_some_and(|state| !CaseState::NAMES.contains(&state.as_str())) {
        return Err(wrong("state", &CaseState::NAMES.join("、"), &CaseState::NAMES.join(", ")));
    }
    // Who reported a case is on the case; nobody lists what somebody else reported.
    if narrow.reporter.as_ref().is_some_and(|reporter| reporter != ME) {
        return Err(wrong("reporter", ME, ME));
    }
    let (zh, en) = (format!("1 到 {LARGEST_PAGE}"), format!("1 to {LARGEST_PAGE}"));
    let limit = parsed(narrow.limit.as_ref(), "limit", &zh, &en)?.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(wrong("limit", &zh, &en));
    }
    Ok(Wanted {
        of: Of::default(),
        area: parsed(narrow.area.as_ref(), "area", "区域路径，如 boston/03", "a path, as in boston/03")?,
        holder: parsed(
            narrow.holder.as_ref(),
            "holder",
            "岗位:区域，如 grid_leader:boston/03/0305",
            "post:area, as in grid_leader:boston/03/0305",
        )?,
        state,
        level: parsed(narrow.level.as_ref(), "level", &known_levels("、"), &known_levels(", "))?,
        after: narrow.after.as_deref().map(read_key).transpose()?,
        limit,
    })
}

fn known_levels(between: &str) -> String {
    Level::ALL.map(Level::as_str).join(between)
}

fn parsed<T: std::str::FromStr>(
    text: Option<&String>,
    field: &'static str,
    zh: &str,
    en: &str,
) -> Result<Option<T>, Problem> {
    text.map(|text| text.parse().map_err(|_| wrong(field, zh, en))).transpose()
}

/// `zh` and `en` say what it should have been.
fn wrong(field: &'static str, zh: &str, en: &str) -> Problem {
    let text = Text::new(
        format!("参数 {field} 有误，应为：{zh}"),
        format!("the parameter {field} is wrong; expected: {en}"),
    );
    Problem::field("wrong-parameter", field, text)
}

/// A page's end as one word: milliseconds (or `-`), then the incident.
fn write_key(case: &Case) -> String {
    let due = case.due_at().map_or_else(|| "-".to_owned(), |due_at| due_at.timestamp_millis().to_string());
    format!("{due}_{}", case.incident)
}

fn read_key(text: &str) -> Result<Key, Problem> {
    let fault = || wrong("after", "上一页的 next", "`next` of the page before");
    let (due, incident) = text.split_once('_').ok_or_else(fault)?;
    let due_at = match due {
        "-" => None,
        millis => {
            let millis = millis.parse().map_err(|_| fault())?;
            let due_at = DateTime::from_timestamp_millis(millis).ok_or_else(fault)?;
            // What no page of ours ends with; PostgreSQL knows no year before 4713 BC.
            if !(1900..10_000).contains(&due_at.year()) {
                return Err(fault());
            }
            Some(due_at)
        }
    };
    Ok(Key { due_at, incident: incident.parse().map_err(|_| fault())? })
}

pub(super) fn listed(case: &Case, now: DateTime<Utc>) -> Listed {
    let due = case.next_due();
    let due_at = due.map(|due| due.due_at);
    Listed {
        incident: case.incident.to_string(),
        category: case.category.0.clone(),
        area: case.area.to_string(),
        holder: case.holder.to_string(),
        state: case.state.name().to_owned(),
        level: case.level.to_string(),
        opened_at: case.opened_at,
        due_at,
        due_kind: due.map(|due| due.kind.as_str()),
        overdue: due_at.is_some_and(|due_at| due_at < now),
        passed: case.state.is_passed(),
        reporter: case.reporter.0.clone(),
        flags: case.flags.clone(),
    }
}
