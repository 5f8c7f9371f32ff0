//! `GET /api/v1/figures?area=…` or `?district=…`: how an area or a 片区 and the areas right below it stand.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::area::{AreaPath, Areas};
use domain::district::District;
use domain::rights::{Action, areas_for};
use domain::text::Text;
use platform::http::{Asking, Problem, Query};
use platform::pack::Pack;
use serde::{Deserialize, Serialize};

use super::Front;
use crate::store::figures;

/// Whose figures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Of {
    area: Option<String>,
    district: Option<String>,
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
    /// Its path; of a district, the code.
    pub area: String,
    pub name_zh: String,
    pub name_en: String,
    /// Code of the district (片区) it lies in, where its street has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
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
    ("district" = Option<String>, Query, description = "code of a 片区, in the place of an area: its figures, and those of its communities"),
), responses((status = 200, body = Figures), (status = 404, description = "no such area or district, or not the asker's"),
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
    let pack = front.pack.now();
    let may_see = |area: &AreaPath| own.iter().any(|own| own.contains(area));
    let of = match of {
        Of { area: Some(_), district: Some(_) } => return Err(one_of_two()),
        Of { area: None, district: Some(code) } => {
            let district = pack.districts.by_code(&code);
            Whole::District(
                district.filter(|district| may_see(&district.street)).ok_or_else(Problem::not_found)?,
            )
        }
        Of { area: Some(text), district: None } => {
            let area = text.parse::<AreaPath>().map_err(|_| no_path())?;
            Whole::Area(Some(area).filter(|area| may_see(area)).ok_or_else(Problem::not_found)?)
        }
        Of { area: None, district: None } => Whole::Area((*first).clone()),
    };
    let area = of.area();
    let tallies = figures::tallies_below(front.store.readers(), area).await?;
    let overdue = figures::open_overdue(front.store.readers(), area, front.clock.now()).await?;
    if tallies.is_empty() && !of.is_listed(&pack) {
        return Err(Problem::not_found());
    }
    let counted = Counted { tallies, overdue };
    let all = of.named(&pack, counted.summed(|area| of.contains(area)));
    let below = of.below(&pack.areas, &counted).into_iter();
    let below = below.map(|child| named(&pack, &child, counted.summed(|area| child.contains(area))));
    Ok(Json(Figures { all, below: below.collect() }))
}

/// Whose figures are asked for.
enum Whole<'a> {
    Area(AreaPath),
    District(&'a District),
}

impl Whole<'_> {
    /// The area in which all of it lies.
    fn area(&self) -> &AreaPath {
        match self {
            Self::Area(area) => area,
            Self::District(district) => &district.street,
        }
    }

    fn contains(&self, area: &AreaPath) -> bool {
        match self {
            Self::Area(own) => own.contains(area),
            Self::District(district) => district.contains(area),
        }
    }

    /// Whether the pack in force has it: an area of an earlier version may still have cases.
    fn is_listed(&self, pack: &Pack) -> bool {
        match self {
            Self::Area(area) => pack.areas.by_path(area).is_some(),
            Self::District(_) => true,
        }
    }

    /// The areas right below it.
    fn below(&self, areas: &Areas, counted: &Counted) -> Vec<AreaPath> {
        match self {
            Self::Area(area) => children(areas, area, counted),
            Self::District(district) => district.communities.iter().cloned().collect(),
        }
    }

    fn named(&self, pack: &Pack, figures: AreaFigures) -> AreaFigures {
        match self {
            Self::Area(area) => named(pack, area, figures),
            Self::District(District { code, name, .. }) => AreaFigures {
                area: code.clone(),
                name_zh: name.zh.clone(),
                name_en: name.en.clone(),
                district: Some(code.clone()),
                ..figures
            },
        }
    }
}

/// An area by its name; by its code, where the pack no longer lists it.
fn named(pack: &Pack, area: &AreaPath, figures: AreaFigures) -> AreaFigures {
    let listed = pack.areas.by_path(area).is_some();
    let name = if listed { pack.areas.shown(area) } else { Text::new(area.code(), area.code()) };
    let district = pack.districts.of(area).map(|district| district.code.clone());
    AreaFigures { area: area.to_string(), name_zh: name.zh, name_en: name.en, district, ..figures }
}

fn one_of_two() -> Problem {
    let text =
        Text::new("参数 area 与 district 只能写一个", "give the parameter area or district, and not both");
    Problem::field("wrong-parameter", "district", text)
}

/// The areas right below one: those the pack lists, in its order, and behind them those of earlier versions that still
/// have cases, or the parts would not make the whole.
fn children(areas: &Areas, area: &AreaPath, counted: &Counted) -> Vec<AreaPath> {
    let listed = areas.iter().filter(|child| child.path.parent().as_ref() == Some(area));
    let mut children: Vec<AreaPath> = listed.map(|child| child.path.clone()).collect();
    let below = counted.tallies.keys().filter_map(|path| {
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

/// What is counted in each area.
struct Counted {
    /// By area, counts by measure.
    tallies: BTreeMap<String, BTreeMap<String, i64>>,
    overdue: BTreeMap<String, i64>,
}

impl Counted {
    /// Over the areas that are among those wanted.
    fn summed(&self, wanted: impl Fn(&AreaPath) -> bool) -> AreaFigures {
        let inside = |path: &str| AreaPath::parse(path).is_ok_and(|path| wanted(&path));
        let own = self.tallies.iter().filter(|(path, _)| inside(path));
        let own: Vec<_> = own.map(|(_, counts)| counts).collect();
        let sum = |measure: &str| own.iter().filter_map(|counts| counts.get(measure)).sum::<i64>();
        let overdue = self.overdue.iter().filter(|(path, _)| inside(path));
        let open_overdue = overdue.map(|(_, count)| count).sum();
        let (on_time, late) = (sum("on_time"), sum("overdue"));
        AreaFigures {
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
            ..AreaFigures::default()
        }
    }
}

fn rate(good: i64, bad: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of cases fit an f64")]
    (good + bad > 0).then(|| good as f64 / (good + bad) as f64)
}
