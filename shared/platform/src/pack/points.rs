//! For each grid of a pack a point well inside it: what is reported by the name of its grid lies there, to within the
//! grid's radius. The files' rings are read here once more and as they stand; whether they can be used is for route to
//! say, which refuses a pack whose boundaries it cannot.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::area::Level;
use domain::place::{Datum, Inside, Ring, well_inside};
use serde_json::Value;

use super::{BoundaryFile, Pack};

/// The rings of each area of a file, by code.
type Outlines = Vec<(String, Vec<Ring>)>;

/// A point of each grid, by code and by the days its boundary is in force.
#[derive(Clone, Debug, Default)]
pub struct GridPoints {
    by_code: BTreeMap<String, Vec<InForce>>,
}

#[derive(Clone, Debug)]
struct InForce {
    from: NaiveDate,
    to: Option<NaiveDate>,
    datum: Datum,
    inside: Inside,
}

impl GridPoints {
    /// Of every grid of `pack` that has a boundary.
    pub fn of(pack: &Pack) -> Self {
        let files: Vec<(&BoundaryFile, Outlines)> = pack
            .boundaries
            .iter()
            .filter(|file| file.level == Level::Grid)
            .map(|file| (file, areas(file)))
            .collect();
        let taken: Vec<(Datum, Vec<Ring>)> = files
            .iter()
            .filter(|(file, _)| file.exclusive)
            .flat_map(|(file, areas)| areas.iter().map(|(_, rings)| (file.datum, rings.clone())))
            .collect();
        let mut points = Self::default();
        for (file, areas) in &files {
            for (code, rings) in areas {
                points.add(file, code, rings, &taken);
            }
        }
        points
    }

    fn add(&mut self, file: &BoundaryFile, code: &str, rings: &[Ring], taken: &[(Datum, Vec<Ring>)]) {
        let around = around(rings);
        let others: Vec<Vec<Ring>> = taken
            .iter()
            .filter(|(datum, other)| {
                !file.exclusive && *datum == file.datum && meet(around, self::around(other))
            })
            .map(|(_, other)| other.clone())
            .collect();
        let Some(inside) = well_inside(rings, &others) else { return };
        let in_force = InForce { from: file.valid_from, to: file.valid_to, datum: file.datum, inside };
        self.by_code.entry(code.to_owned()).or_default().push(in_force);
    }

    /// The point of the grid of this code on `day`, with its datum.
    pub fn on(&self, code: &str, day: NaiveDate) -> Option<(Inside, Datum)> {
        let in_force = |one: &&InForce| one.from <= day && one.to.is_none_or(|end| day < end);
        self.by_code.get(code)?.iter().find(in_force).map(|one| (one.inside, one.datum))
    }
}

/// Code and rings of each feature that has both.
fn areas(file: &BoundaryFile) -> Outlines {
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    let Ok(whole) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let features = whole["features"].as_array().map(Vec::as_slice).unwrap_or_default();
    let area = |feature: &Value| Some((code(file, &feature["properties"])?, rings(&feature["geometry"])));
    features.iter().filter_map(area).collect()
}

fn code(file: &BoundaryFile, properties: &Value) -> Option<String> {
    let code = match &properties[file.key.as_str()] {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let missing = file.pad.unwrap_or(0).saturating_sub(code.chars().count());
    Some("0".repeat(missing) + &code)
}

fn rings(geometry: &Value) -> Vec<Ring> {
    let coordinates = geometry["coordinates"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rings: Vec<&Value> = match geometry["type"].as_str() {
        Some("Polygon") => coordinates.iter().collect(),
        Some("MultiPolygon") => coordinates.iter().filter_map(Value::as_array).flatten().collect(),
        _ => Vec::new(),
    };
    let point = |position: &Value| Some((position[0].as_f64()?, position[1].as_f64()?));
    rings.into_iter().map(|ring| ring.as_array().into_iter().flatten().filter_map(point).collect()).collect()
}

/// West, south, east, north.
fn around(rings: &[Ring]) -> [f64; 4] {
    let none = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    rings.iter().flatten().fold(none, |[west, south, east, north], (lon, lat)| {
        [west.min(*lon), south.min(*lat), east.max(*lon), north.max(*lat)]
    })
}

fn meet(one: [f64; 4], other: [f64; 4]) -> bool {
    one[0] <= other[2] && other[0] <= one[2] && one[1] <= other[3] && other[1] <= one[3]
}
