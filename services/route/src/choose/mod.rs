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

impl Located {
    /// How far a point lies from a border is said of points that somebody measured.
    pub(crate) fn measured(self, flags: &[Flag]) -> Self {
        let chosen = flags.contains(&Flag::ChosenArea);
        Self { border_m: self.border_m.filter(|_| !chosen), ..self }
    }
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
/// Where boundaries overlap, as those of an exclusive grid (专属网格) and the ordinary one under it do, what one gave back
/// is the other's next, before it climbs; the case then lies there.
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
        if asking.tried.contains(&holder) {
            let Some((other, there)) = beside(rule, asking, &ground, areas) else { continue };
            ground.area = there;
            chosen = Some((rule.name.as_str(), other));
            break;
        }
        if vacant.contains(&holder) {
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
    let grid = grid.map(|located| if ground.by == By::Place { &ground.area } else { &located.area });
    let grid = grid.map(|area| area.code().to_owned());
    Route {
        lon: asking.lon,
        lat: asking.lat,
        // A place known no closer than the county is the pack's own desk's, and no case lies above its holder.
        area: if holder.area.contains(&ground.area) { ground.area } else { holder.area.clone() },
        grid,
        boundaries: asking.boundaries.to_owned(),
        rule: rule.to_owned(),
        why,
        holder,
        candidates: asking.located.as_ref().map(|located| located.others.clone()).unwrap_or_default(),
        flags: asking.flags.iter().map(|flag| flag.as_str().to_owned()).collect(),
    }
}

/// Who has the rule's post in another area that holds the place too, gave nothing back and is there; and that area.
fn beside(rule: &Rule, asking: &Asking<'_>, ground: &Ground, areas: &Areas) -> Option<(Holder, AreaPath)> {
    let located = asking.located.as_ref().filter(|_| ground.by == By::Place)?;
    located.others.iter().find_map(|code| {
        let there = &areas.by_code(code)?.path;
        let holder = fits(rule, asking, there).then(|| holder_of(rule.to, there, areas)).flatten()?;
        let free = !asking.tried.contains(&holder) && (asking.staffed)(&holder);
        free.then(|| (holder, there.clone()))
    })
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
mod tests;
