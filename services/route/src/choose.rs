//! The choice itself: a place, a category, where somebody is registered and the rules in, a holder and the reason out. Pure.

use domain::area::{AreaPath, Areas, Level};
use domain::facts::Route;
use domain::holder::{Holder, Post};
use domain::id::CategoryCode;
use domain::routing::{By, Flag, Routing, Rule};
use domain::text::Text;

use crate::why::{Chosen, why};

/// Where the boundaries say a place lies, or the report itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Located {
    pub area: AreaPath,
    pub level: Level,
    /// Other areas of that level that hold the place too.
    pub others: Vec<String>,
    /// How far inside, to the area's own border, in metres; `None` where the report names the area and gives no point.
    pub border_m: Option<f64>,
    /// The table of borders gave the place to the area.
    pub by_border: Option<ByBorder>,
}

/// How a place came to an area by the table of borders.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ByBorder {
    /// What runs along the border.
    pub name: Text,
    /// The area on the other side, which holds the place.
    pub from: AreaPath,
    /// How far from the border, in metres.
    pub metres: f64,
}

/// What is to be routed.
pub(crate) struct Asking<'a> {
    /// On WGS-84, degrees.
    pub lon: f64,
    pub lat: f64,
    pub category: &'a CategoryCode,
    /// The category's name.
    pub matter: &'a Text,
    pub flags: Vec<Flag>,
    /// `None`: in no area, or a spot that says nothing about where it is.
    pub located: Option<Located>,
    /// Where the person it concerns is registered, if the report says so.
    pub registered_area: Option<&'a AreaPath>,
    /// Holders that gave it back.
    pub tried: &'a [Holder],
    /// Whether somebody works for a post at this moment, and is neither on leave nor off shift.
    pub staffed: &'a dyn Fn(&Holder) -> bool,
    pub boundaries: &'a str,
}

/// Whose a matter is: the area that rules look at, and that the case lies in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ground {
    pub by: By,
    pub area: AreaPath,
}

impl Ground {
    fn of_place(asking: &Asking<'_>, routing: &Routing) -> Self {
        let area = asking.located.as_ref().map_or(&routing.fallback.area, |located| &located.area);
        Self { by: By::Place, area: area.clone() }
    }

    /// Where the report does not say where somebody is registered, the community of the place finds out: no grid, for
    /// it is none's to begin with.
    fn of_registration(asking: &Asking<'_>, routing: &Routing, areas: &Areas) -> Self {
        let area = asking.registered_area.cloned().unwrap_or_else(|| {
            let place = Self::of_place(asking, routing).area;
            let community = areas.at_level(&place, Level::Community).map(|area| area.path.clone());
            community.unwrap_or(place)
        });
        Self { by: By::Registration, area }
    }
}

/// Chooses by the first rule that fits and whose post somebody works for; the fallback holds what none does, whoever
/// is there. A matter that a rule by registration fits is the registered area's from there on, for the rules behind it,
/// the fallback and the case: what its post does not take goes up there, and not to where somebody happens to live.
pub(crate) fn choose(asking: &Asking<'_>, routing: &Routing, areas: &Areas) -> Route {
    let mut ground = Ground::of_place(asking, routing);
    let mut vacant: Vec<Holder> = Vec::new();
    let mut chosen: Option<(&str, Holder)> = None;
    for rule in &routing.rules {
        let registered =
            (rule.by == By::Registration).then(|| Ground::of_registration(asking, routing, areas));
        if !fits(rule, asking, &registered.as_ref().unwrap_or(&ground).area) {
            continue;
        }
        ground = registered.unwrap_or(ground);
        let Some(holder) = holder_of(rule.to, &ground.area, areas) else { continue };
        if asking.tried.contains(&holder) || vacant.contains(&holder) {
            continue;
        }
        if (asking.staffed)(&holder) {
            chosen = Some((rule.name.as_str(), holder));
            break;
        }
        vacant.push(holder);
    }
    let (rule, holder) = chosen.unwrap_or_else(|| ("fallback", fallback(&ground.area, routing, areas)));
    let why = why(asking, &Chosen { rule, holder: &holder, ground: &ground, vacant: &vacant }, areas);
    let grid = asking.located.as_ref().filter(|located| located.level == Level::Grid);
    Route {
        lon: asking.lon,
        lat: asking.lat,
        // A place known no closer than the county is the pack's own desk's, and no case lies above its holder.
        area: if holder.area.contains(&ground.area) { ground.area } else { holder.area.clone() },
        grid: grid.map(|located| located.area.code().to_owned()),
        boundaries: asking.boundaries.to_owned(),
        rule: rule.to_owned(),
        why,
        holder,
        candidates: asking.located.as_ref().map(|located| located.others.clone()).unwrap_or_default(),
        flags: asking.flags.iter().map(|flag| flag.as_str().to_owned()).collect(),
    }
}

/// 属地兜底: the desk of the street the matter belongs to; the pack's own where that is not known.
fn fallback(area: &AreaPath, routing: &Routing, areas: &Areas) -> Holder {
    holder_of(Post::StreetDesk, area, areas).unwrap_or_else(|| routing.fallback.clone())
}

fn fits(rule: &Rule, asking: &Asking<'_>, area: &AreaPath) -> bool {
    let flag = rule.flag.as_ref().is_none_or(|flag| asking.flags.iter().any(|has| has.as_str() == flag));
    let category = rule.categories.is_empty() || rule.categories.contains(asking.category);
    let within = rule.within.as_ref().is_none_or(|within| within.contains(area));
    flag && category && within
}

/// The post in the matter's own area of the post's level; none when the area is not known that closely.
fn holder_of(post: Post, area: &AreaPath, areas: &Areas) -> Option<Holder> {
    let own = areas.at_level(area, post.level()).filter(|own| own.level == post.level())?;
    Some(Holder { post, area: own.path.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::area::CodeScheme;

    /// The category's name, of which nothing is said where it goes by place.
    static LITTER: Text = Text { zh: String::new(), en: String::new() };

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
            by_border: None,
        });
        let category = "litter".into();
        let asking = Asking {
            lon: 1.0,
            lat: 2.0,
            category: &category,
            flags,
            located,
            matter: &LITTER,
            registered_area: None,
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
            route.why.zh.contains(" g 网格长无人在岗，由上一级承办；按规则「community」"),
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
            located: Some(stated(county, Level::County)),
            matter: &LITTER,
            registered_area: None,
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
            by_border: None,
        };
        let asking = Asking {
            lon: 1.0,
            lat: 2.0,
            category: &category,
            flags: vec![],
            located: Some(located),
            matter: &LITTER,
            registered_area: None,
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
        let located = stated("s/c".parse().unwrap(), Level::Community);
        let asking = Asking {
            lon: 1.0,
            lat: 2.0,
            category: &category,
            flags: vec![Flag::StatedArea],
            located: Some(located),
            matter: &LITTER,
            registered_area: None,
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

    /// Village shares go by registration, everything else by place.
    fn by_registration() -> Routing {
        let share = Rule {
            categories: vec!["share".into()],
            by: By::Registration,
            ..rule("share", None, Post::Community)
        };
        Routing { rules: [vec![share], routing().rules].concat(), ..routing() }
    }

    /// A matter of village shares, reported from where somebody lives.
    fn share(
        lives_in: Option<&str>,
        registered: Option<&str>,
        tried: &[Holder],
        staffed: &dyn Fn(&Holder) -> bool,
    ) -> Route {
        let (category, matter) = ("share".into(), Text::new("股权核定", "Village shareholding"));
        let registered: Option<AreaPath> = registered.map(|path| path.parse().unwrap());
        let located = lives_in
            .map(|path| Located { border_m: Some(12.0), ..stated(path.parse().unwrap(), Level::Grid) });
        let asking = Asking {
            lon: 1.0,
            lat: 2.0,
            category: &category,
            matter: &matter,
            flags: if registered.is_none() { vec![Flag::NoRegistration] } else { Vec::new() },
            located,
            registered_area: registered.as_ref(),
            tried,
            staffed,
            boundaries: "v1",
        };
        choose(&asking, &by_registration(), &areas())
    }

    fn held(route: &Route) -> (String, String) {
        (route.holder.to_string(), route.area.to_string())
    }

    fn pair(holder: &str, area: &str) -> (String, String) {
        (holder.to_owned(), area.to_owned())
    }

    #[test]
    fn a_matter_by_registration_is_the_registered_area_s_and_the_case_lies_there() {
        let route = share(Some("s/c/g"), Some("s/v"), &[], &|_| true);
        assert_eq!(held(&route), pair("community:s/v", "s/v"));
        assert_eq!(
            (route.rule.as_str(), route.grid.as_deref()),
            ("share", Some("g")),
            "the place is what it is"
        );
        assert_eq!(
            route.why.zh,
            "地点在 g 内，距其边界 12 米；「股权核定」按户籍地派单，不按事发地，登记在 v；按规则「share」由 v 社区承办。"
        );
        assert_eq!(
            route.why.en,
            "The place lies in g, 12 m inside its border. “Village shareholding” goes by where the person it concerns is \
             registered and not by the place: in v. Rule “share” gives it to the community of v."
        );
    }

    #[test]
    fn what_the_registered_area_gives_back_or_has_nobody_for_goes_up_there_and_not_to_where_somebody_lives() {
        let village: Holder = "community:t/w".parse().unwrap();
        let returned = share(Some("s/c/g"), Some("t/w"), std::slice::from_ref(&village), &|_| true);
        assert_eq!(held(&returned), pair("street_desk:t", "t/w"));
        let vacant = share(Some("s/c/g"), Some("t/w"), &[], &|holder| *holder != village);
        assert_eq!(held(&vacant), pair("street_desk:t", "t/w"));
        assert!(vacant.why.zh.contains(" w 社区无人在岗"), "{}", vacant.why.zh);
        let by_street = share(Some("s/c/g"), Some("t"), &[], &|_| true);
        assert_eq!(held(&by_street), pair("street_desk:t", "t"), "known only to the street");
    }

    #[test]
    fn without_a_registered_area_the_community_of_the_place_looks_into_it_and_the_report_is_flagged() {
        let route = share(Some("s/c/g"), None, &[], &|_| true);
        assert_eq!(held(&route), pair("community:s/c", "s/c"));
        assert_eq!(route.flags, ["no_registration"]);
        assert!(
            route.why.zh.contains("「股权核定」按户籍地派单，而上报未写明户籍地，先由事发地核实；"),
            "{}",
            route.why.zh
        );
        assert!(
            route.why.en.contains("which the report does not say, so it is looked into where"),
            "{}",
            route.why.en
        );
        let nowhere = share(None, None, &[], &|_| true);
        assert_eq!(held(&nowhere), pair("street_desk:s", "s"));
    }

    #[test]
    fn a_pack_may_send_what_names_no_registered_area_elsewhere() {
        let no_registration = rule("unregistered", Some("no_registration"), Post::StreetDesk);
        let rules = [vec![no_registration], by_registration().rules].concat();
        let (category, matter) = ("share".into(), Text::new("股权核定", "Village shareholding"));
        let asking = Asking {
            lon: 1.0,
            lat: 2.0,
            category: &category,
            matter: &matter,
            flags: vec![Flag::NoRegistration],
            located: Some(stated("s/c/g".parse().unwrap(), Level::Grid)),
            registered_area: None,
            tried: &[],
            staffed: &|_| true,
            boundaries: "v1",
        };
        let route = choose(&asking, &Routing { rules, ..routing() }, &areas());
        assert_eq!((route.rule.as_str(), held(&route)), ("unregistered", pair("street_desk:s", "s/c/g")));
    }

    #[test]
    fn the_reason_says_which_border_gave_a_place_to_the_other_side() {
        let by_border = |metres: f64| {
            let name = Text::new("富春江路", "Fuchunjiang Road");
            let by_border = Some(ByBorder { name, from: "t/tc/tg".parse().unwrap(), metres });
            let located = Located {
                by_border,
                border_m: Some(metres),
                ..stated("s/c/g".parse().unwrap(), Level::Grid)
            };
            let category = "litter".into();
            let asking = Asking {
                lon: 1.0,
                lat: 2.0,
                category: &category,
                matter: &LITTER,
                flags: vec![],
                located: Some(located),
                registered_area: None,
                tried: &[],
                staffed: &|_| true,
                boundaries: "v1",
            };
            choose(&asking, &routing(), &areas())
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
        assert!(
            on_it.zh.starts_with("地点在 tg 与 g 的界线（富春江路）上，按界线归属表归 g；"),
            "{}",
            on_it.zh
        );
        assert!(on_it.en.contains("lies on the border of tg and g (Fuchunjiang Road)"), "{}", on_it.en);
    }
}
