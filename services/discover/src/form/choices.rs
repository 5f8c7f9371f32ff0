//! What somebody can choose on the form: categories by how soon they are dealt with, the grids of their own areas, and
//! where a person is registered.

use chrono::NaiveDate;
use domain::area::{Area, Areas, Level};
use domain::calendar::Limit;
use domain::category::Category;
use domain::place::{Datum, Inside};
use domain::rights::{Action, Grant, areas_for};
use domain::text::Text;
use platform::pack::{GridPoints, Pack};

/// How soon something is dealt with, by the limit of its category: the order in which a form lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Within four hours around the clock: gas, a missing manhole cover.
    AtOnce,
    /// Within a working day.
    Today,
    /// Within about a week.
    Days,
    Longer,
    /// Seen by the street office alone: disputes, violence.
    InConfidence,
}

/// Around the clock.
const AT_ONCE_MINUTES: u32 = 4 * 60;
const DAYS: u32 = 7;
/// Seven days have five that are worked.
const WORKING_DAYS: u32 = 5;

impl Urgency {
    fn of(category: &Category) -> Self {
        if category.sensitive {
            return Self::InConfidence;
        }
        match category.handle_limit {
            Limit::UrgentHours { minutes } if minutes <= AT_ONCE_MINUTES => Self::AtOnce,
            Limit::UrgentHours { minutes } if minutes > 24 * 60 => Self::Days,
            Limit::UrgentHours { .. }
            | Limit::WorkingHours { .. }
            | Limit::WorkingDays { days: 0..=1, .. } => Self::Today,
            Limit::WorkingDays { days, .. } if days <= WORKING_DAYS => Self::Days,
            Limit::CalendarDays { days } if days <= DAYS => Self::Days,
            Limit::WorkingDays { .. } | Limit::CalendarDays { .. } => Self::Longer,
        }
    }
}

/// Categories that are dealt with equally soon.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    pub urgency: Urgency,
    pub categories: Vec<&'a Category>,
}

/// A grid somebody can say it is in, and the point that stands for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GridChoice<'a> {
    pub grid: &'a Area,
    pub community: Option<&'a Area>,
    pub inside: Inside,
    pub datum: Datum,
}

/// Where somebody can be registered: in any community of the pack, by the street it is in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registration<'a> {
    /// The categories that go by it; where there is none, nobody is asked.
    pub categories: Vec<&'a Category>,
    pub streets: Vec<(Option<&'a Area>, Vec<&'a Area>)>,
}

impl<'a> Registration<'a> {
    fn of(pack: &'a Pack) -> Self {
        let asks = |category: &&Category| pack.routing.asks_for_registration(&category.code);
        let categories: Vec<&Category> = pack.categories.values().filter(asks).collect();
        if categories.is_empty() {
            return Self::default();
        }
        let mut communities: Vec<&Area> =
            pack.areas.iter().filter(|area| area.level == Level::Community).collect();
        communities.sort_by(|one, other| one.path.cmp(&other.path));
        let of_street = communities.chunk_by(|one, next| one.path.parent() == next.path.parent());
        let streets = of_street.map(|communities| {
            let street = communities.first().and_then(|first| first.path.parent());
            (street.and_then(|street| pack.areas.by_path(&street)), communities.to_vec())
        });
        Self { streets: streets.collect(), categories }
    }

    /// Whether a report of this category says where somebody is registered.
    pub fn is_asked_for(&self, category: &str) -> bool {
        self.categories.iter().any(|asking| asking.code.0 == category)
    }
}

/// All there is to choose for one person on one day.
#[derive(Clone, Debug)]
pub(crate) struct Choices<'a> {
    pub groups: Vec<Group<'a>>,
    pub grids: Vec<GridChoice<'a>>,
    pub registration: Registration<'a>,
    pub areas: &'a Areas,
}

impl<'a> Choices<'a> {
    pub fn of(grants: &[Grant], pack: &'a Pack, points: &GridPoints, day: NaiveDate) -> Self {
        let areas = &pack.areas;
        let mut groups: Vec<Group<'a>> = Vec::new();
        for category in pack.categories.values() {
            let urgency = Urgency::of(category);
            match groups.iter_mut().find(|group| group.urgency == urgency) {
                Some(group) => group.categories.push(category),
                None => groups.push(Group { urgency, categories: vec![category] }),
            }
        }
        groups.sort_by_key(|group| group.urgency);
        let own = areas_for(grants, Action::Report);
        let grids = areas.iter().filter(|area| area.level == Level::Grid);
        let grids = grids.filter(|grid| own.iter().any(|above| above.contains(&grid.path)));
        let choice = |grid: &'a Area| {
            let (inside, datum) = points.on(grid.path.code(), day)?;
            let community = grid.path.parent().and_then(|above| areas.by_path(&above));
            Some(GridChoice { grid, community, inside, datum })
        };
        let mut grids: Vec<GridChoice<'a>> = grids.filter_map(choice).collect();
        grids.sort_by(|one, other| one.grid.path.cmp(&other.grid.path));
        Self { groups, grids, registration: Registration::of(pack), areas }
    }

    /// The name of an area, told apart from those called alike.
    pub fn named(&self, area: &Area) -> Text {
        self.areas.shown(&area.path)
    }

    /// The grid of this code, if it is one of theirs.
    pub fn grid(&self, code: &str) -> Option<&GridChoice<'a>> {
        self.grids.iter().find(|choice| choice.grid.path.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urgency(limit: &str, sensitive: bool) -> Urgency {
        let name = Text::new("", "");
        let handle_limit = Limit::parse(limit).unwrap();
        Urgency::of(&Category {
            code: "c".into(),
            name,
            handle_limit,
            sensitive,
            stages: Vec::new(),
            offer_to: Vec::new(),
            conditions: None,
        })
    }

    #[test]
    fn what_is_dealt_with_first_is_listed_first() {
        for (limit, wanted) in [
            ("30m", Urgency::AtOnce),
            ("4h", Urgency::AtOnce),
            ("5h", Urgency::Today),
            ("4wh", Urgency::Today),
            ("1wd", Urgency::Today),
            ("48h", Urgency::Days),
            ("3wd", Urgency::Days),
            ("7d", Urgency::Days),
            ("10wd", Urgency::Longer),
            ("8d", Urgency::Longer),
        ] {
            assert_eq!(urgency(limit, false), wanted, "{limit}");
        }
        assert_eq!(urgency("2h", true), Urgency::InConfidence);
        assert!(Urgency::AtOnce < Urgency::Today && Urgency::Longer < Urgency::InConfidence);
    }
}
