//! Routing rules (派单规则): which post should hold an incident. Ordered; the first that fits wins; a
//! holder that gave the case back is passed over; the street desk catches the rest (属地兜底).

use serde::{Deserialize, Serialize};

use crate::area::AreaPath;
use crate::holder::{Holder, Post};
use crate::id::CategoryCode;
use crate::place::Place;
use crate::text::Text;

/// A spot where failed geocodes are put: a report from there says nothing about where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Placeholder {
    pub lon: f64,
    pub lat: f64,
    pub name: Text,
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

/// Flags of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    Placeholder,
    Rounded,
    /// No point was given: the report names an area, and its point says nothing.
    StatedArea,
}

impl Flag {
    pub const ALL: [Self; 3] = [Self::Placeholder, Self::Rounded, Self::StatedArea];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placeholder => "placeholder",
            Self::Rounded => "rounded",
            Self::StatedArea => "stated_area",
        }
    }
}

/// Two coordinates are the same spot when they agree to this many degrees, about a decimetre.
const SAME_SPOT_DEGREES: f64 = 0.000_001;

impl Routing {
    /// What is odd about a place, as it was given.
    pub fn flags(&self, place: &Place) -> Vec<Flag> {
        if place.area.is_some() {
            return vec![Flag::StatedArea];
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
        routing().flags(&place(lon, lat))
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
        assert_eq!(routing().flags(&named), [Flag::StatedArea]);
    }

    #[test]
    fn rounded_means_both_coordinates_have_two_decimals_or_fewer() {
        assert_eq!(flags(-71.05, 42.3), [Flag::Rounded]);
        assert_eq!(flags(-71.05, 42.301), []);
        assert_eq!(flags(-71.0, 42.0), [Flag::Rounded]);
    }
}
