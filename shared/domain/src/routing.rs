//! Routing rules (派单规则): which post should hold an incident. Ordered; the first that fits wins; a
//! holder that gave the case back is passed over; the street desk catches the rest (属地兜底).

use serde::{Deserialize, Serialize};

use crate::area::AreaPath;
use crate::holder::{Holder, Post};
use crate::id::CategoryCode;
use crate::place::{BY_HAND, Place};
use crate::report::Report;
use crate::text::Text;

/// A spot where failed geocodes are put: a report from there says nothing about where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Placeholder {
    pub lon: f64,
    pub lat: f64,
    pub name: Text,
}

/// Which of a matter's areas a rule looks at: people live in one place and are registered in another (户人分离).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// 属地: where it is.
    #[default]
    Place,
    /// 户籍地、登记地: where the person it concerns is registered.
    Registration,
}

impl By {
    pub const ALL: [Self; 2] = [Self::Place, Self::Registration];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Registration => "registration",
        }
    }
}

/// One rule of a pack.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Written down with every incident it routes.
    pub name: String,
    /// Fits only incidents with this flag.
    pub flag: Option<String>,
    /// Fits only these categories; empty: all.
    pub categories: Vec<CategoryCode>,
    /// Which area `within` and `to` are about. A matter that a rule by registration fits is that area's from there on:
    /// the rules behind it and the fallback look at it too.
    pub by: By,
    /// Fits only in this area and below it.
    pub within: Option<AreaPath>,
    /// The post that should hold it, in the incident's own grid, community or street.
    pub to: Post,
}

/// All rules of a jurisdiction.
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    pub rules: Vec<Rule>,
    /// Who holds what no rule fits.
    pub fallback: Holder,
    pub placeholders: Vec<Placeholder>,
    /// A place both of whose coordinates have at most this many decimals is flagged `rounded`.
    pub rounded_decimals: Option<u32>,
}

/// What is odd about a report: its place, or what it leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    Placeholder,
    Rounded,
    /// No point was given: the report names an area, and its point says nothing.
    StatedArea,
    /// Whoever reported had no position and chose a grid: the point is one well inside it.
    ChosenArea,
    /// Its category goes by registration, and it does not say where the person it concerns is registered.
    NoRegistration,
}

impl Flag {
    pub const ALL: [Self; 5] =
        [Self::Placeholder, Self::Rounded, Self::StatedArea, Self::ChosenArea, Self::NoRegistration];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placeholder => "placeholder",
            Self::Rounded => "rounded",
            Self::StatedArea => "stated_area",
            Self::ChosenArea => "chosen_area",
            Self::NoRegistration => "no_registration",
        }
    }
}

/// Two coordinates are the same spot when they agree to this many degrees, about a decimetre.
const SAME_SPOT_DEGREES: f64 = 0.000_001;

impl Routing {
    /// Whether a category goes by registration: a report in it should say where the person it concerns is registered.
    pub fn asks_for_registration(&self, category: &CategoryCode) -> bool {
        self.rules.iter().any(|rule| rule.by == By::Registration && rule.categories.contains(category))
    }

    /// What is odd about a report.
    pub fn flags(&self, report: &Report) -> Vec<Flag> {
        let missing = report.registered_area.is_none() && self.asks_for_registration(&report.category);
        let missing = missing.then_some(Flag::NoRegistration);
        self.flags_of_place(&report.place).into_iter().chain(missing).collect()
    }

    /// What is odd about a place, as it was given.
    fn flags_of_place(&self, place: &Place) -> Vec<Flag> {
        if place.area.is_some() {
            return vec![Flag::StatedArea];
        }
        // Nobody wrote these numbers down, so how they look says nothing.
        if place.source.as_deref() == Some(BY_HAND) {
            return vec![Flag::ChosenArea];
        }
        let (lon, lat) = place.wgs84();
        let at = |spot: &&Placeholder| {
            (spot.lon - lon).abs() < SAME_SPOT_DEGREES && (spot.lat - lat).abs() < SAME_SPOT_DEGREES
        };
        let placeholder = self.placeholders.iter().find(at).map(|_| Flag::Placeholder);
        let rounded = self
            .rounded_decimals
            .filter(|decimals| has_at_most(place.lon, *decimals) && has_at_most(place.lat, *decimals))
            .map(|_| Flag::Rounded);
        placeholder.into_iter().chain(rounded).collect()
    }
}

/// Whether a number of degrees was written with at most `decimals` decimals.
fn has_at_most(degrees: f64, decimals: u32) -> bool {
    let scaled = degrees * 10_f64.powi(decimals.cast_signed());
    (scaled - scaled.round()).abs() < 1e-7
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Datum;
    use crate::report::Promise;

    fn routing() -> Routing {
        Routing {
            rules: Vec::new(),
            fallback: "street_desk:boston".parse().unwrap(),
            placeholders: vec![Placeholder {
                lon: -71.0587,
                lat: 42.3594,
                name: Text::new("市政厅", "City Hall"),
            }],
            rounded_decimals: Some(2),
        }
    }

    fn flags(lon: f64, lat: f64) -> Vec<Flag> {
        routing().flags_of_place(&place(lon, lat))
    }

    fn place(lon: f64, lat: f64) -> Place {
        let datum = Datum::Wgs84;
        Place { lon, lat, datum, accuracy_m: None, source: None, captured_at: None, area: None }
    }

    #[test]
    fn the_spot_of_failed_geocodes_is_known_and_its_neighbours_are_not() {
        assert_eq!(flags(-71.0587, 42.3594), [Flag::Placeholder]);
        assert_eq!(flags(-71.0588, 42.3594), []);
    }

    #[test]
    fn the_point_beside_a_named_area_is_not_looked_at() {
        let named = Place { area: Some("03".to_owned()), ..place(-71.0587, 42.3594) };
        assert_eq!(routing().flags_of_place(&named), [Flag::StatedArea]);
    }

    #[test]
    fn a_grid_that_was_chosen_by_hand_is_known_and_the_numbers_of_its_point_are_not_looked_at() {
        let chosen = Place { source: Some(BY_HAND.to_owned()), ..place(-71.06, 42.36) };
        assert_eq!(routing().flags_of_place(&chosen), [Flag::ChosenArea]);
        assert_eq!(flags(-71.06, 42.36), [Flag::Rounded]);
    }

    #[test]
    fn a_report_says_where_somebody_is_registered_only_where_its_category_goes_by_that() {
        let share = Rule {
            name: "share".to_owned(),
            flag: None,
            categories: vec!["share".into()],
            by: By::Registration,
            within: None,
            to: Post::Community,
        };
        let grid = Rule {
            name: "grid".to_owned(),
            categories: vec!["litter".into()],
            by: By::Place,
            to: Post::GridLeader,
            ..share.clone()
        };
        let routing = Routing { rules: vec![share, grid], ..routing() };
        let flags = |category: &str, registered_area: Option<&str>| {
            let report = Report {
                reporter: "worker".into(),
                category: category.into(),
                place: place(-71.0581, 42.3591),
                registered_area: registered_area.map(str::to_owned),
                promise: Promise::Category,
                words: None,
            };
            routing.flags(&report)
        };
        assert_eq!(flags("share", None), [Flag::NoRegistration]);
        assert_eq!(flags("share", Some("03")), []);
        assert_eq!(flags("litter", None), []);
    }

    #[test]
    fn rounded_means_both_coordinates_have_two_decimals_or_fewer() {
        assert_eq!(flags(-71.05, 42.3), [Flag::Rounded]);
        assert_eq!(flags(-71.05, 42.301), []);
        assert_eq!(flags(-71.0, 42.0), [Flag::Rounded]);
    }
}
