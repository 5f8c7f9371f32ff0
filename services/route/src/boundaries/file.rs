//! What a pack declares about a boundary file, and what is in it once read.

use chrono::NaiveDate;
use domain::place::Datum;
use geo::{CoordsIter, MultiPolygon};
use serde::{Deserialize, Serialize};

use super::shape;

/// What the pack says about one boundary file: the file itself says none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryFile {
    /// The file's name inside the pack; names it in every message.
    pub file: String,
    /// The level of its areas: `grid`, `community`, …
    pub level: String,
    /// The property of each feature that holds the area's code.
    pub key: String,
    /// Codes shorter than this are padded with `0` on the left: `1` becomes `01`. Codes are text.
    #[serde(default)]
    pub pad: Option<usize>,
    /// The declared datum. A file without one is refused, because it cannot be guessed.
    #[serde(default)]
    pub datum: Option<Datum>,
    /// The first day in force.
    pub valid_from: NaiveDate,
    /// The first day **no longer** in force (the `valid_from` of the file that follows it).
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
    /// 专属网格: these areas win over ordinary ones of their level.
    #[serde(default)]
    pub exclusive: bool,
}

impl BoundaryFile {
    /// Whether the file is in force on `day`.
    pub fn in_force(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|end| day < end)
    }

    /// Whether there is a day on which both files are in force.
    pub fn meets(&self, other: &BoundaryFile) -> bool {
        let starts_before_end =
            |a: &BoundaryFile, b: &BoundaryFile| b.valid_to.is_none_or(|end| a.valid_from < end);
        starts_before_end(self, other) && starts_before_end(other, self)
    }
}

/// One area's outline, exactly as published.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Its place in the file, counted from 1.
    pub feature: usize,
    /// Its code, padded as the file's declaration says.
    pub code: String,
    /// Its rings, closed, in degrees; possibly invalid.
    pub shape: MultiPolygon<f64>,
}

impl Area {
    /// The distance in metres from a point to the nearest point of this area's own border, whether
    /// the point lies inside or outside. On a sphere, so good to half a per cent.
    pub fn border_distance_m(&self, lon: f64, lat: f64) -> f64 {
        shape::border_distance_m(&self.shape, geo::coord! { x: lon, y: lat })
    }

    /// The distance in metres between the borders of two areas of which none crosses the other: 0 where they touch.
    pub fn distance_m(&self, other: &Self) -> f64 {
        let from = |corners: &Self, to: &Self| {
            let corners = corners.shape.coords_iter();
            corners.map(|corner| to.border_distance_m(corner.x, corner.y)).fold(f64::INFINITY, f64::min)
        };
        from(self, other).min(from(other, self))
    }
}

/// A boundary file that was read: its declaration and its areas in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// What the pack declared.
    pub file: BoundaryFile,
    /// The datum it declared, now certain.
    pub datum: Datum,
    /// The areas, in the order of the file, each code once.
    pub areas: Vec<Area>,
}
