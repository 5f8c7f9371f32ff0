//! One place after another, and who should hold what was reported there.

mod registration;

use std::sync::LazyLock;

use super::*;
use domain::area::CodeScheme;

static LITTER: LazyLock<CategoryCode> = LazyLock::new(|| "litter".into());
/// The category's name, of which nothing is said where it goes by place.
static UNNAMED: Text = Text { zh: String::new(), en: String::new() };

fn areas() -> Areas {
    let mut areas = Areas::default();
    let two_streets = [
        ("s", Level::Street, None),
        ("c", Level::Community, Some("s")),
        ("g", Level::Grid, Some("c")),
        ("t", Level::Street, None),
        ("tc", Level::Community, Some("t")),
        ("tg", Level::Grid, Some("tc")),
        ("v", Level::Community, Some("s")),
        ("w", Level::Community, Some("t")),
    ];
    for (code, level, parent) in two_streets {
        areas.add(CodeScheme::Opaque, code, level, parent, Text::new(code, code)).unwrap();
    }
    areas
}

fn rule(name: &str, flag: Option<&str>, to: Post) -> Rule {
    Rule {
        name: name.to_owned(),
        flag: flag.map(str::to_owned),
        categories: Vec::new(),
        by: By::Place,
        within: None,
        to,
    }
}

fn routing() -> Routing {
    Routing {
        rules: vec![
            rule("placeholder", Some("placeholder"), Post::StreetDesk),
            rule("grid", None, Post::GridLeader),
            rule("community", None, Post::Community),
        ],
        fallback: "street_desk:s".parse().unwrap(),
        placeholders: Vec::new(),
        rounded_decimals: None,
    }
}

/// A place that the report names and gives no point of.
fn stated(area: AreaPath, level: Level) -> Located {
    Located { area, level, others: Vec::new(), border_m: None, by_border: None }
}

/// A point twelve metres inside an area.
fn inside(area: &str, level: Level) -> Located {
    Located { border_m: Some(12.0), ..stated(area.parse().unwrap(), level) }
}

/// Litter somewhere, that nobody has given back yet; everybody is on duty.
fn litter(located: Option<Located>) -> Asking<'static> {
    Asking {
        lon: 1.0,
        lat: 2.0,
        category: &LITTER,
        matter: &UNNAMED,
        flags: Vec::new(),
        located,
        registered_area: None,
        tried: &[],
        staffed: &|_| true,
        boundaries: "v1",
    }
}

fn routed(located: Option<&str>, flags: Vec<Flag>, tried: &[Holder]) -> (String, String, Option<String>) {
    let route = routed_when(located, flags, tried, &|_| true);
    (route.rule, route.holder.to_string(), route.grid)
}

fn routed_when(
    located: Option<&str>,
    flags: Vec<Flag>,
    tried: &[Holder],
    staffed: &dyn Fn(&Holder) -> bool,
) -> Route {
    let located =
        located.map(|path| inside(path, if path.ends_with('g') { Level::Grid } else { Level::Community }));
    let asking = Asking { flags, tried, staffed, ..litter(located) };
    choose(&asking, &routing(), &areas())
}

fn held(route: &Route) -> (String, String) {
    (route.holder.to_string(), route.area.to_string())
}

fn pair(holder: &str, area: &str) -> (String, String) {
    (holder.to_owned(), area.to_owned())
}

#[test]
fn a_vacancy_goes_to_the_next_level_at_once_and_says_so() {
    let leader_away = |holder: &Holder| holder.post != Post::GridLeader;
    let route = routed_when(Some("s/c/g"), vec![], &[], &leader_away);
    assert_eq!((route.rule.as_str(), route.holder.to_string().as_str()), ("community", "community:s/c"));
    assert!(route.why.zh.contains(" g 网格长无人在岗，由上一级承办；按规则「社区」"), "{}", route.why.zh);
    assert!(route.why.en.contains("Nobody is on duty at g (grid leader), so the next level has it."));
    let nobody = routed_when(Some("s/c/g"), vec![], &[], &|_| false);
    assert_eq!(nobody.holder.to_string(), "street_desk:s", "the desk holds it, whoever is there");
}

#[test]
fn a_place_in_a_grid_goes_to_its_leader() {
    let grid = Some("g".to_owned());
    assert_eq!(routed(Some("s/c/g"), vec![], &[]), ("grid".to_owned(), "grid_leader:s/c/g".to_owned(), grid));
}

#[test]
fn a_placeholder_and_a_place_in_no_area_go_to_the_street_desk() {
    let placeholder = routed(None, vec![Flag::Placeholder], &[]);
    assert_eq!(placeholder, ("placeholder".to_owned(), "street_desk:s".to_owned(), None));
    assert_eq!(routed(None, vec![], &[]), ("fallback".to_owned(), "street_desk:s".to_owned(), None));
}

#[test]
fn who_gave_it_back_is_passed_over_one_level_at_a_time() {
    let leader: Holder = "grid_leader:s/c/g".parse().unwrap();
    let community: Holder = "community:s/c".parse().unwrap();
    assert_eq!(routed(Some("s/c/g"), vec![], std::slice::from_ref(&leader)).1, "community:s/c");
    assert_eq!(routed(Some("s/c/g"), vec![], &[leader, community]).1, "street_desk:s");
}

#[test]
fn what_one_of_two_grids_that_hold_the_place_gave_back_is_the_other_s_before_it_climbs() {
    let mut areas = areas();
    areas.add(CodeScheme::Opaque, "h", Level::Grid, Some("c"), Text::new("h", "h")).unwrap();
    let route = |tried: &[&str], away: &str| {
        let tried: Vec<Holder> = tried.iter().map(|holder| holder.parse().unwrap()).collect();
        let located = Located { others: vec!["h".to_owned()], ..inside("s/c/g", Level::Grid) };
        let staffed = |holder: &Holder| holder.to_string() != away;
        let asking = Asking { tried: &tried, staffed: &staffed, ..litter(Some(located)) };
        let route = choose(&asking, &routing(), &areas);
        (route.holder.to_string(), route.area.to_string(), route.grid.unwrap())
    };
    let held = |holder: &str, area: &str, grid: &str| (holder.to_owned(), area.to_owned(), grid.to_owned());
    let (own, other) = ("grid_leader:s/c/g", "grid_leader:s/c/h");
    assert_eq!(route(&[], ""), held(own, "s/c/g", "g"));
    assert_eq!(route(&[], own), held("community:s/c", "s/c/g", "g"), "a vacancy is nobody's return");
    assert_eq!(route(&[own], ""), held(other, "s/c/h", "h"));
    assert_eq!(route(&[own], other), held("community:s/c", "s/c/g", "g"));
    assert_eq!(route(&[own, other], ""), held("community:s/c", "s/c/g", "g"));
    assert_eq!(route(&[own, other, "community:s/c"], "").0, "street_desk:s");
}

#[test]
fn what_nobody_in_the_next_street_will_hold_falls_to_that_street_and_not_to_the_pack_s_own_desk() {
    let tried: [Holder; 2] = ["grid_leader:t/tc/tg".parse().unwrap(), "community:t/tc".parse().unwrap()];
    assert_eq!(routed(Some("t/tc/tg"), vec![], &tried).1, "street_desk:t");
}

#[test]
fn a_place_known_only_to_the_county_is_the_pack_s_own_desk_s_and_the_case_lies_there_too() {
    let county = stated("k".parse().unwrap(), Level::County);
    let asking = Asking { flags: vec![Flag::StatedArea], ..litter(Some(county)) };
    let route = choose(&asking, &routing(), &areas());
    assert_eq!((route.area.as_str(), route.holder.to_string().as_str()), ("s", "street_desk:s"));
}

#[test]
fn a_place_known_only_to_the_community_goes_to_the_community() {
    assert_eq!(routed(Some("s/c"), vec![], &[]).1, "community:s/c");
}

#[test]
fn the_reason_names_the_place_the_rule_and_the_holder_in_both_languages() {
    let located =
        Located { others: vec!["h".to_owned()], border_m: Some(12.4), ..inside("s/c/g", Level::Grid) };
    let why = choose(&litter(Some(located)), &routing(), &areas()).why;
    assert_eq!(
        why.en,
        "The place lies in g, 12 m inside its border; h holds it too, and the lowest code is taken. Rule “grid” gives it to the grid leader of g."
    );
    assert_eq!(
        why.zh,
        "地点在 g 内，距其边界 12 米，同时也在 h 内，取最小编码；按规则「网格」由 g 网格长承办。"
    );
}

#[test]
fn the_reason_says_that_the_report_names_the_area_where_it_gives_no_point() {
    let located = stated("s/c".parse().unwrap(), Level::Community);
    let asking = Asking { flags: vec![Flag::StatedArea], ..litter(Some(located)) };
    let route = choose(&asking, &routing(), &areas());
    assert_eq!((route.area.as_str(), route.grid, route.flags), ("s/c", None, vec!["stated_area".to_owned()]));
    assert_eq!(
        route.why.en,
        "The report names c and gives no point. Rule “community” gives it to the community of c."
    );
    assert_eq!(route.why.zh, "上报写明在 c，未给坐标；按规则「社区」由 c 社区承办。");
}

#[test]
fn the_reason_says_which_border_gave_a_place_to_the_other_side() {
    let by_border = |metres: f64| {
        let name = Text::new("富春江路", "Fuchunjiang Road");
        let by_border = Some(ByBorder { name, from: "t/tc/tg".parse().unwrap(), metres });
        let located = Located { by_border, border_m: Some(metres), ..inside("s/c/g", Level::Grid) };
        choose(&litter(Some(located)), &routing(), &areas())
    };
    assert_eq!(held(&by_border(3.2)), pair("grid_leader:s/c/g", "s/c/g"));
    let why = by_border(3.2).why;
    assert!(
        why.zh.starts_with("地点在 tg 内，距其与 g 的界线（富春江路）3 米，按界线归属表归 g；"),
        "{}",
        why.zh
    );
    assert!(
        why.en.starts_with(
            "The place lies in tg, 3 m from its border with g (Fuchunjiang Road), which the table of borders gives to g. "
        ),
        "{}",
        why.en
    );
    let on_it = by_border(0.0).why;
    assert!(on_it.zh.starts_with("地点在 tg 与 g 的界线（富春江路）上，按界线归属表归 g；"), "{}", on_it.zh);
    assert!(on_it.en.contains("lies on the border of tg and g (Fuchunjiang Road)"), "{}", on_it.en);
}
