//! The choice itself: a place, a category and the rules in, a holder and the reason out. Pure.

use domain::area::{AreaPath, Areas, Level};
use domain::facts::Route;
use domain::holder::{Holder, Post};
use domain::id::CategoryCode;
use domain::routing::{Flag, Routing, Rule};
use domain::text::Text;

/// Where the boundaries say a place lies, or the report itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Located {
    pub area: AreaPath,
    pub level: Level,
    /// Other areas of that level that hold the place too.
    pub others: Vec<String>,
    /// How far inside, to the area's own border, in metres; `None` where the report names the area and gives no point.
    pub border_m: Option<f64>,
}

/// What is to be routed.
pub(crate) struct Asking<'a> {
    /// On WGS-84, degrees.
    pub lon: f64,
    pub lat: f64,
    pub category: &'a CategoryCode,
    pub flags: Vec<Flag>,
    /// `None`: in no area, or a spot that says nothing about where it is.
    pub located: Option<Located>,
    /// Holders that gave it back.
    pub tried: &'a [Holder],
    /// Whether somebody works for a post at this moment, and is neither on leave nor off shift.
    pub staffed: &'a dyn Fn(&Holder) -> bool,
    pub boundaries: &'a str,
}

/// Chooses by the first rule that fits and whose post somebody works for; the fallback holds what none does, whoever
/// is there. Where boundaries overlap, as those of an exclusive grid (专属网格) and the ordinary one under it do, what one
/// gave back is the other's next, before it climbs; the case then lies there.
pub(crate) fn choose(asking: &Asking<'_>, routing: &Routing, areas: &Areas) -> Route {
    let area = asking.located.as_ref().map_or(&routing.fallback.area, |located| &located.area);
    let mut vacant: Vec<Holder> = Vec::new();
    let fitting = routing.rules.iter().find_map(|rule| {
        let holder = fits(rule, asking, area).then(|| holder_of(rule.to, area, areas)).flatten()?;
        if asking.tried.contains(&holder) {
            return beside(rule, asking, areas).map(|(holder, there)| (rule.name.as_str(), holder, there));
        }
        if !(asking.staffed)(&holder) {
            if !vacant.contains(&holder) {
                vacant.push(holder);
            }
            return None;
        }
        Some((rule.name.as_str(), holder, area))
    });
    let (rule, holder, area) = fitting.unwrap_or_else(|| ("fallback", fallback(area, routing, areas), area));
    let grid = asking.located.as_ref().filter(|located| located.level == Level::Grid);
    let above = asking.located.as_ref().is_some_and(|located| located.level > holder.post.level());
    Route {
        lon: asking.lon,
        lat: asking.lat,
        // A place known no closer than the county is the pack's own desk's, and no case lies above its holder.
        area: if above { holder.area.clone() } else { area.clone() },
        grid: grid.map(|_| area.code().to_owned()),
        boundaries: asking.boundaries.to_owned(),
        rule: rule.to_owned(),
        why: why(asking, rule, &holder, &vacant, areas),
        holder,
        candidates: asking.located.as_ref().map(|located| located.others.clone()).unwrap_or_default(),
        flags: asking.flags.iter().map(|flag| flag.as_str().to_owned()).collect(),
    }
}

/// Who has the rule's post in another area that holds the place too, gave nothing back and is there; and that area.
fn beside<'a>(rule: &Rule, asking: &Asking<'_>, areas: &'a Areas) -> Option<(Holder, &'a AreaPath)> {
    let located = asking.located.as_ref()?;
    located.others.iter().find_map(|code| {
        let there = &areas.by_code(code)?.path;
        let holder = fits(rule, asking, there).then(|| holder_of(rule.to, there, areas)).flatten()?;
        let free = !asking.tried.contains(&holder) && (asking.staffed)(&holder);
        free.then_some((holder, there))
    })
}

/// 属地兜底: the desk of the street the place lies in; the pack's own where the place is not known.
fn fallback(area: &AreaPath, routing: &Routing, areas: &Areas) -> Holder {
    holder_of(Post::StreetDesk, area, areas).unwrap_or_else(|| routing.fallback.clone())
}

fn fits(rule: &Rule, asking: &Asking<'_>, area: &AreaPath) -> bool {
    let flag = rule.flag.as_ref().is_none_or(|flag| asking.flags.iter().any(|has| has.as_str() == flag));
    let category = rule.categories.is_empty() || rule.categories.contains(asking.category);
    let within = rule.within.as_ref().is_none_or(|within| within.contains(area));
    flag && category && within
}

/// The post in the incident's own area of the post's level; none when the place is not known that closely.
fn holder_of(post: Post, area: &AreaPath, areas: &Areas) -> Option<Holder> {
    let own = areas.at_level(area, post.level()).filter(|own| own.level == post.level())?;
    Some(Holder { post, area: own.path.clone() })
}

fn why(asking: &Asking<'_>, rule: &str, holder: &Holder, vacant: &[Holder], areas: &Areas) -> Text {
    let place = where_it_lies(asking, areas);
    let holder_name = name(&holder.area, areas);
    let again = match asking.tried.len() {
        0 => Text::new("", ""),
        times => Text::new(
            format!("已被退回 {times} 次，不再派给原承办；"),
            format!("It was given back before ({times}), so earlier holders are passed over. "),
        ),
    };
    let nobody = no_one_there(vacant, areas);
    Text::new(
        format!(
            "{}；{}{}按规则「{rule}」由{}{}承办。",
            place.zh,
            again.zh,
            nobody.zh,
            among_han(&holder_name.zh),
            holder.post.zh()
        ),
        format!(
            "{}. {}{}Rule “{rule}” gives it to the {} of {}.",
            place.en,
            again.en,
            nobody.en,
            holder.post.as_str().replace('_', " "),
            holder_name.en
        ),
    )
}

/// A vacancy goes to the next level at once, and says so.
fn no_one_there(vacant: &[Holder], areas: &Areas) -> Text {
    if vacant.is_empty() {
        return Text::new("", "");
    }
    let named = |of: fn(&Text) -> &str, post: fn(&Holder) -> String, between: &str| {
        let one = |holder: &Holder| format!("{}{}", of(&name(&holder.area, areas)), post(holder));
        vacant.iter().map(one).collect::<Vec<_>>().join(between)
    };
    let zh = named(|text| &text.zh, |holder| holder.post.zh().to_owned(), "、");
    let en =
        named(|text| &text.en, |holder| format!(" ({})", holder.post.as_str().replace('_', " ")), " and ");
    Text::new(
        format!("{}无人在岗，由上一级承办；", among_han(&zh)),
        format!("Nobody is on duty at {en}, so the next level has it. "),
    )
}

fn where_it_lies(asking: &Asking<'_>, areas: &Areas) -> Text {
    if asking.flags.contains(&Flag::Placeholder) {
        return Text::new(
            "坐标是定位失败时的占位点，不能说明地点",
            "The point is where failed geocodes are put, so it says nothing about the place",
        );
    }
    let Some(located) = &asking.located else {
        return Text::new("地点不在任何网格内", "The place lies in no known area");
    };
    let area = name(&located.area, areas);
    let Some(border_m) = located.border_m else {
        return Text::new(
            format!("上报写明在{}，未给坐标", among_han(&area.zh).trim_end()),
            format!("The report names {} and gives no point", area.en),
        );
    };
    let metres = border_m.round();
    let shared = match located.others.as_slice() {
        [] => Text::new("", ""),
        others => Text::new(
            format!("，同时也在 {} 内，取最小编码", others.join("、")),
            format!("; {} hold(s) it too, and the lowest code is taken", others.join(", ")),
        ),
    };
    Text::new(
        format!("地点在{}内，距其边界 {metres} 米{}", among_han(&area.zh), shared.zh),
        format!("The place lies in {}, {metres} m inside its border{}", area.en, shared.en),
    )
}

/// A name in a Chinese sentence: where a Latin letter or a digit meets a Han one, there is a space.
fn among_han(name: &str) -> String {
    let gap =
        |edge: Option<char>| if edge.is_some_and(|edge| edge.is_ascii_alphanumeric()) { " " } else { "" };
    format!("{}{name}{}", gap(name.chars().next()), gap(name.chars().last()))
}

fn name(area: &AreaPath, areas: &Areas) -> Text {
    areas.by_path(area).map_or_else(|| Text::new(area.as_str(), area.as_str()), |area| area.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::area::CodeScheme;

    fn areas() -> Areas {
        let mut areas = Areas::default();
        let two_streets = [
            ("s", Level::Street, None),
            ("c", Level::Community, Some("s")),
            ("g", Level::Grid, Some("c")),
            ("t", Level::Street, None),
            ("tc", Level::Community, Some("t")),
            ("tg", Level::Grid, Some("tc")),
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
        let located = located.map(|path| Located {
            area: path.parse().unwrap(),
            level: if path.ends_with('g') { Level::Grid } else { Level::Community },
            others: Vec::new(),
            border_m: Some(12.0),
        });
        let category = "litter".into();
        let asking = Asking {
            lon: 1.0,
            lat: 2.0,
            category: &category,
            flags,
            located,
            tried,
            staffed,
            boundaries: "v1",
        };
        choose(&asking, &routing(), &areas())
    }

    #[test]
    fn a_vacancy_goes_to_the_next_level_at_once_and_says_so() {
        let leader_away = |holder: &Holder| holder.post != Post::GridLeader;
        let route = routed_when(Some("s/c/g"), vec![], &[], &leader_away);
        assert_eq!((route.rule.as_str(), route.holder.to_string().as_str()), ("community", "community:s/c"));
        assert!(
            route.why.zh.contains(" g网格长无人在岗，由上一级承办；按规则「community」"),
            "{}",
            route.why.zh
        );
        assert!(route.why.en.contains("Nobody is on duty at g (grid leader), so the next level has it."));
        let nobody = routed_when(Some("s/c/g"), vec![], &[], &|_| false);
        assert_eq!(nobody.holder.to_string(), "street_desk:s", "the desk holds it, whoever is there");
    }

    #[test]
    fn a_place_in_a_grid_goes_to_its_leader() {
        let grid = Some("g".to_owned());
        assert_eq!(
            routed(Some("s/c/g"), vec![], &[]),
            ("grid".to_owned(), "grid_leader:s/c/g".to_owned(), grid)
        );
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
        let category = "litter".into();
        let mut areas = areas();
        areas.add(CodeScheme::Opaque, "h", Level::Grid, Some("c"), Text::new("h", "h")).unwrap();
        let route = |tried: &[&str], away: &str| {
            let tried: Vec<Holder> = tried.iter().map(|holder| holder.parse().unwrap()).collect();
            let located = Located {
                area: "s/c/g".parse().unwrap(),
                level: Level::Grid,
                others: vec!["h".to_owned()],
                border_m: Some(12.0),
            };
            let asking = Asking {
                lon: 1.0,
                lat: 2.0,
                category: &category,
                flags: vec![],
                located: Some(located),
                tried: &tried,
                staffed: &|holder| holder.to_string() != away,
                boundaries: "v1",
            };
            let route = choose(&asking, &routing(), &areas);
            (route.holder.to_string(), route.area.as_str().to_owned(), route.grid.unwrap())
        };
        let held =
            |holder: &str, area: &str, grid: &str| (holder.to_owned(), area.to_owned(), grid.to_owned());
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
        let category = "litter".into();
        let county = "k".parse().unwrap();
        let asking = Asking {
            lon: 1.0,
            lat: 2.0,
            category: &category,
            flags: vec![Flag::StatedArea],
            located: Some(Located { area: county, level: Level::County, others: vec![], border_m: None }),
            tried: &[],
            staffed: &|_| true,
            boundaries: "v1",
        };
        let route = choose(&asking, &routing(), &areas());
        assert_eq!((route.area.as_str(), route.holder.to_string().as_str()), ("s", "street_desk:s"));
    }

    #[test]
    fn a_place_known_only_to_the_community_goes_to_the_community() {
        assert_eq!(routed(Some("s/c"), vec![], &[]).1, "community:s/c");
    }

    #[test]
    fn the_reason_names_the_place_the_rule_and_the_holder_in_both_languages() {
        let category = "litter".into();
        let located = Located {
            area: "s/c/g".parse().unwrap(),
            level: Level::Grid,
            others: vec!["h".to_owned()],
            border_m: Some(12.4),
        };
        let asking = Asking {
            lon: 1.0,
            lat: 2.0,
            category: &category,
            flags: vec![],
            located: Some(located),
            tried: &[],
            staffed: &|_| true,
            boundaries: "v1",
        };
        let why = choose(&asking, &routing(), &areas()).why;
        assert_eq!(
            why.en,
            "The place lies in g, 12 m inside its border; h hold(s) it too, and the lowest code is taken. Rule “grid” gives it to the grid leader of g."
        );
        assert_eq!(
            why.zh,
            "地点在 g 内，距其边界 12 米，同时也在 h 内，取最小编码；按规则「grid」由 g 网格长承办。"
        );
    }

    #[test]
    fn the_reason_says_that_the_report_names_the_area_where_it_gives_no_point() {
        let category = "litter".into();
        let located =
            Located { area: "s/c".parse().unwrap(), level: Level::Community, others: vec![], border_m: None };
        let asking = Asking {
            lon: 1.0,
            lat: 2.0,
            category: &category,
            flags: vec![Flag::StatedArea],
            located: Some(located),
            tried: &[],
            staffed: &|_| true,
            boundaries: "v1",
        };
        let route = choose(&asking, &routing(), &areas());
        assert_eq!(
            (route.area.as_str(), route.grid, route.flags),
            ("s/c", None, vec!["stated_area".to_owned()])
        );
        assert_eq!(
            route.why.en,
            "The report names c and gives no point. Rule “community” gives it to the community of c."
        );
        assert_eq!(route.why.zh, "上报写明在 c，未给坐标；按规则「community」由 c 社区承办。");
    }
}
