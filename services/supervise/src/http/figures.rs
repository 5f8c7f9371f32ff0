//! `GET /api/v1/figures?area=…`: how an area and the areas right below it stand.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::area::{AreaPath, Areas};
use domain::rights::{Action, areas_for};
use domain::text::Text;
use platform::http::{Asking, Problem, Query};
use serde::{Deserialize, Serialize};

use super::Front;
use crate::store::figures;

/// Whose figures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Of {
    area: Option<String>,
}

/// The figures of an area, and of each area right below it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Figures {
    pub all: AreaFigures,
    pub below: Vec<AreaFigures>,
}

/// The figures of one area with everything below it.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct AreaFigures {
    pub area: String,
    pub name_zh: String,
    pub name_en: String,
    pub opened: i64,
    pub closed: i64,
    pub open: i64,
    /// Open, and past the handling deadline now.
    pub open_overdue: i64,
    pub closed_on_time: i64,
    pub closed_overdue: i64,
    /// On time ÷ (closed with a deadline + open overdue): a case left lying counts against it.
    pub on_time_rate: Option<f64>,
    pub reminders: i64,
    pub escalated_community: i64,
    pub escalated_street: i64,
    pub returned: i64,
    pub reworked: i64,
}

/// 统计: how an area and the areas right below it stand.
#[utoipa::path(get, path = "/api/v1/figures", params(
    ("area" = Option<String>, Query, description = "path of an area; the asker's own when absent"),
), responses((status = 200, body = Figures), (status = 404, description = "no such area, or not the asker's"),
    (status = 422, description = "a parameter is wrong")))]
pub async fn figures(
    State(front): State<Front>,
    Asking(who): Asking,
    Query(of): Query<Of>,
) -> Result<Json<Figures>, Problem> {
    let own = areas_for(&who.grants, Action::SeeFigures);
    let Some(first) = own.first() else {
        return Err(Problem::forbidden(Text::new("您没有查看统计的权限", "you may not see figures")));
    };
    let area = match of.area {
        Some(text) => text.parse::<AreaPath>().map_err(|_| no_path())?,
        None => (*first).clone(),
    };
    if !own.iter().any(|own| own.contains(&area)) {
        return Err(Problem::not_found());
    }
    let pack = front.pack.now();
    let areas = &pack.areas;
    let tallies = figures::tallies_below(front.store.readers(), &area).await?;
    if areas.by_path(&area).is_none() && tallies.is_empty() {
        return Err(Problem::not_found());
    }
    let overdue = figures::open_overdue(front.store.readers(), &area, front.clock.now()).await?;
    let mut all = summed(areas, &area, &tallies, &overdue);
    all.area = area.to_string();
    let below = children(areas, &area, &tallies);
    let below = below.iter().map(|child| summed(areas, child, &tallies, &overdue)).collect();
    Ok(Json(Figures { all, below }))
}

/// The areas right below one: those the pack lists, in its order, and behind them those of earlier versions that still
/// have cases, or the parts would not make the whole.
fn children(areas: &Areas, area: &AreaPath, tallies: &ByArea) -> Vec<AreaPath> {
    let listed = areas.iter().filter(|child| child.path.parent().as_ref() == Some(area));
    let mut children: Vec<AreaPath> = listed.map(|child| child.path.clone()).collect();
    let below = tallies.keys().filter_map(|path| {
        let own = path.strip_prefix(area.as_str())?.strip_prefix('/')?.split('/').next()?;
        area.child(own).ok()
    });
    for child in below {
        if !children.contains(&child) {
            children.push(child);
        }
    }
    children
}

fn no_path() -> Problem {
    let text = Text::new(
        "参数 area 有误，应为：区域路径，如 boston/03",
        "the parameter area is wrong; expected: a path, as in boston/03",
    );
    Problem::field("wrong-parameter", "area", text)
}

type ByArea = BTreeMap<String, BTreeMap<String, i64>>;

fn summed(areas: &Areas, area: &AreaPath, tallies: &ByArea, overdue: &BTreeMap<String, i64>) -> AreaFigures {
    let inside = |path: &str| AreaPath::parse(path).is_ok_and(|path| area.contains(&path));
    let own: Vec<_> = tallies.iter().filter(|(path, _)| inside(path)).map(|(_, counts)| counts).collect();
    let sum = |measure: &str| own.iter().filter_map(|counts| counts.get(measure)).sum::<i64>();
    let open_overdue = overdue.iter().filter(|(path, _)| inside(path)).map(|(_, count)| count).sum();
    let (on_time, late) = (sum("on_time"), sum("overdue"));
    let code = || Text::new(area.code(), area.code());
    let name = areas.by_path(area).map_or_else(code, |area| area.name.clone());
    AreaFigures {
        area: area.to_string(),
        name_zh: name.zh,
        name_en: name.en,
        opened: sum("opened"),
        closed: sum("closed"),
        open: sum("opened") - sum("closed"),
        open_overdue,
        closed_on_time: on_time,
        closed_overdue: late,
        on_time_rate: rate(on_time, late + open_overdue),
        reminders: sum("reminded"),
        escalated_community: sum("escalated_community"),
        escalated_street: sum("escalated_street"),
        returned: sum("returned"),
        reworked: sum("reworked"),
    }
}

fn rate(good: i64, bad: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of cases fit an f64")]
    (good + bad > 0).then(|| good as f64 / (good + bad) as f64)
}
