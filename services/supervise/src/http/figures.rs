//! `GET /api/v1/figures?area=…` or `?district=…`: how an area or a 片区 and the areas right below it stand.
//!
//! What is sensitive is in none of these figures: it is the street's own, and by a difference between two figures one
//! could tell a few cases from none. It is told by itself, for a street and above, and from five cases on.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::area::{AreaPath, Areas, Level};
use domain::district::District;
use domain::id::CategoryCode;
use domain::rights::{Action, areas_for};
use domain::text::Text;
use platform::http::{Asking, Problem, Query};
use platform::pack::Pack;
use serde::{Deserialize, Serialize};

use super::Front;
use crate::store::figures;

/// No figure tells of fewer sensitive cases.
const FEWEST: i64 = 5;
/// The measure that counts them.
const OPENED_IN_CONFIDENCE: &str = "sensitive_opened";

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
    /// What none of the numbers counts but `sensitive_opened`, in both languages, to be told beside them.
    #[schema(value_type = Object)]
    pub leaves_out: Text,
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
    /// Escalated to the county (区县), where a ladder reaches that far.
    pub escalated_county: i64,
    pub returned: i64,
    pub reworked: i64,
    /// Sensitive cases opened, which no other figure counts: of a street and above, and only where neither this number
    /// nor what is left of it beside those told below it is less than five.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitive_opened: Option<i64>,
}

/// 统计: how an area and the areas right below it stand.
#[utoipa::path(get, path = "/api/v1/figures", params(
    ("area" = Option<String>, Query, description = "path of an area; the asker's own when absent"),
    ("district" = Option<String>, Query, description = "code of a 片区, in the place of an area: its figures, and those of its communities"),
), responses((status = 200, body = Figures), (status = 403, description = "not for this role"), (status = 404, description = "no such area or district, or not the asker's"),
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
    let plain = pack.categories.values().filter(|category| !category.sensitive);
    let plain: Vec<&CategoryCode> = plain.map(|category| &category.code).collect();
    let now = front.clock.now();
    let overdue = figures::open_overdue(front.store.readers(), area, &plain, now).await?;
    if tallies.is_empty() && !of.is_listed(&pack) {
        return Err(Problem::not_found());
    }
    let counted = Counted { tallies, overdue };
    let mut all = of.named(&pack, counted.summed(|area| of.contains(area)));
    if let Whole::Area(area) = &of {
        all.sensitive_opened = counted.told(&pack.areas, area);
    }
    let below = of.below(&pack.areas, &counted).into_iter();
    let below = below.map(|child| AreaFigures {
        sensitive_opened: counted.told(&pack.areas, &child),
        ..named(&pack, &child, counted.summed(|area| child.contains(area)))
    });
    Ok(Json(Figures { leaves_out: leaves_out(), all, below: below.collect() }))
}

fn leaves_out() -> Text {
    Text::new(
        "敏感事项不计入这些数字，另行统计",
        "Sensitive cases are in none of these numbers; they are counted by themselves",
    )
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
            Self::District(district) => district.communities.clone(),
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
            open: sum("opened") + sum("moved_in") - sum("moved_out") - sum("closed"),
            open_overdue,
            closed_on_time: on_time,
            closed_overdue: late,
            on_time_rate: rate(on_time, late + open_overdue),
            reminders: sum("reminded"),
            escalated_community: sum("escalated_community"),
            escalated_street: sum("escalated_street"),
            escalated_county: sum("escalated_county"),
            returned: sum("returned"),
            reworked: sum("reworked"),
            ..AreaFigures::default()
        }
    }

    /// What is told of the sensitive cases of an area.
    fn told(&self, areas: &Areas, area: &AreaPath) -> Option<i64> {
        told(areas, area, &|area| {
            let inside = |path: &str| AreaPath::parse(path).is_ok_and(|path| area.contains(&path));
            let own = self.tallies.iter().filter(|(path, _)| inside(path));
            own.filter_map(|(_, counts)| counts.get(OPENED_IN_CONFIDENCE)).sum()
        })
    }
}

/// What is told of the sensitive cases `of` an area: nothing below the street, nothing under [`FEWEST`], and nothing from
/// which, with what is told of the areas right below it, a number under that could be worked out.
fn told(areas: &Areas, area: &AreaPath, of: &dyn Fn(&AreaPath) -> i64) -> Option<i64> {
    let known = areas.by_path(area).filter(|known| known.level >= Level::Street)?;
    let all = of(&known.path);
    let children = areas.iter().filter(|child| child.path.parent().as_ref() == Some(area));
    let below: i64 = children.filter_map(|child| told(areas, &child.path, of)).sum();
    let left = all - below;
    (all >= FEWEST && (left == 0 || left >= FEWEST)).then_some(all)
}

fn rate(good: i64, bad: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of cases fit an f64")]
    (good + bad > 0).then(|| good as f64 / (good + bad) as f64)
}

#[cfg(test)]
mod tests {
    use domain::area::CodeScheme;

    use super::*;
    use crate::store::tallies::SENSITIVE;

    /// A county of three streets, with two communities each.
    fn county() -> Areas {
        let mut areas = Areas::default();
        let mut add = |code: &str, level, parent: Option<&str>| {
            areas.add(CodeScheme::Opaque, code, level, parent, Text::new(code, code)).unwrap();
        };
        add("x", Level::County, None);
        for street in ["s1", "s2", "s3"] {
            add(street, Level::Street, Some("x"));
            for community in ["a", "b"] {
                add(&format!("{street}{community}"), Level::Community, Some(street));
            }
        }
        areas
    }

    fn path(text: &str) -> AreaPath {
        text.parse().unwrap()
    }

    /// So many of each street, and of the county's own beside them.
    fn told_of(areas: &Areas, streets: [i64; 3], own: i64) -> (Option<i64>, [Option<i64>; 3]) {
        let of = |area: &AreaPath| match area.as_str() {
            "x" => streets.iter().sum::<i64>() + own,
            "x/s1" => streets[0],
            "x/s2" => streets[1],
            "x/s3" => streets[2],
            other => panic!("nobody asks for a community: {other}"),
        };
        let street = |code: &str| told(areas, &path(&format!("x/{code}")), &of);
        (told(areas, &path("x"), &of), [street("s1"), street("s2"), street("s3")])
    }

    #[test]
    fn what_is_sensitive_is_told_from_five_cases_on_and_never_below_the_street() {
        let areas = county();
        assert_eq!(OPENED_IN_CONFIDENCE, format!("{SENSITIVE}opened"));
        assert_eq!(told(&areas, &path("x/s1/s1a"), &|_| 1_000), None);
        assert_eq!(told(&areas, &path("elsewhere"), &|_| 1_000), None);
        assert_eq!(told_of(&areas, [5, 0, 0], 0), (Some(5), [Some(5), None, None]));
        assert_eq!(told_of(&areas, [4, 0, 0], 0), (None, [None; 3]));
        // Two of another street could be told from eight and six.
        assert_eq!(told_of(&areas, [6, 2, 0], 0), (None, [Some(6), None, None]));
        assert_eq!(told_of(&areas, [6, 2, 3], 0), (Some(11), [Some(6), None, None]));
        assert_eq!(told_of(&areas, [2, 2, 2], 0), (Some(6), [None; 3]));
        assert_eq!(told_of(&areas, [6, 0, 0], 1), (None, [Some(6), None, None]));
    }

    #[test]
    fn no_number_under_five_can_be_worked_out_of_those_that_are_told() {
        let areas = county();
        for counts in 0..8_i64.pow(4) {
            let [one, two, three, own] = [0, 1, 2, 3].map(|place| counts / 8_i64.pow(place) % 8);
            let (all, streets) = told_of(&areas, [one, two, three], own);
            let known: i64 = streets.iter().flatten().sum();
            let told = streets.iter().flatten().copied().chain(all);
            assert!(told.into_iter().all(|number| number >= FEWEST));
            let left = all.map(|all| all - known);
            assert!(
                left.is_none_or(|left| left == 0 || left >= FEWEST),
                "{one} {two} {three} {own}: {left:?}"
            );
        }
    }
}
