//! What somebody can choose on the form: categories by how soon they are dealt with, and the grids of their own areas.

use chrono::NaiveDate;
use domain::area::{Area, Areas, Level};
use domain::calendar::Limit;
use domain::category::{Categories, Category};
use domain::place::{Datum, Inside};
use domain::rights::{Action, Grant, areas_for};
use platform::pack::GridPoints;

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

/// All there is to choose for one person on one day.
#[derive(Clone, Debug)]
pub(crate) struct Choices<'a> {
    pub groups: Vec<Group<'a>>,
    pub grids: Vec<GridChoice<'a>>,
}

impl<'a> Choices<'a> {
    pub fn of(
        grants: &[Grant],
        categories: &'a Categories,
        areas: &'a Areas,
        points: &GridPoints,
        day: NaiveDate,
    ) -> Self {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for category in categories.values() {
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
        Self { groups, grids }
    }

    /// The grid of this code, if it is one of theirs.
    pub fn grid(&self, code: &str) -> Option<&GridChoice<'a>> {
        self.grids.iter().find(|choice| choice.grid.path.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::text::Text;

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
