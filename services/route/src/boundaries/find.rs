//! The area of a point on a day.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use geo::{BoundingRect, coord};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::fault::{BoundaryFault, BoundaryFaults};
use super::file::{Area, BoundaryFile, Layer};
use super::report::{Accepted, BoundaryReport, check};
use super::shape::{Side, side};
use domain::place::Datum;

/// Places an area's box in the tree: index of its layer, index in that layer.
type Boxed = GeomWithData<Rectangle<[f64; 2]>, (usize, usize)>;

/// All boundaries of a pack, ready to be searched.
#[derive(Debug)]
pub struct Boundaries {
    layers: Vec<Layer>,
    /// One tree per level, in the order in which the files first name the levels.
    levels: Vec<RTree<Boxed>>,
    report: BoundaryReport,
}

/// Where a point was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<'a> {
    /// The declaration of the file the area is from: its level, version and whether it is exclusive.
    pub file: &'a BoundaryFile,
    /// The chosen area.
    pub area: &'a Area,
    /// Whether the point lies on the chosen area's border.
    pub on_border: bool,
    /// The areas of the same level that contain the point too, in the order they would be chosen.
    pub others: Vec<&'a Area>,
    lon: f64,
    lat: f64,
}

impl Found<'_> {
    /// The chosen area's code.
    pub fn code(&self) -> &str {
        &self.area.code
    }

    /// The codes of the other candidates.
    pub fn other_codes(&self) -> Vec<&str> {
        self.others.iter().map(|area| area.code.as_str()).collect()
    }

    /// Metres from the point to the chosen area's own border; good to half a per cent.
    pub fn border_distance_m(&self) -> f64 {
        self.area.border_distance_m(self.lon, self.lat)
    }
}

/// An area that contains the point.
struct Hit<'a> {
    file: &'a BoundaryFile,
    area: &'a Area,
    on_border: bool,
}

impl Boundaries {
    /// Makes `layers` searchable. List the finest level first: a point in none of its areas is looked
    /// up in the level named next, and so on.
    ///
    /// # Errors
    /// Every [`BoundaryFault::MixedDatums`] and [`BoundaryFault::CodeTwice`]; [`BoundaryFault::NotAccepted`]
    /// when the shapes have faults and `accepted` does not name exactly the report that lists them.
    pub fn build(layers: Vec<Layer>, accepted: &Accepted) -> Result<Boundaries, BoundaryFaults> {
        let faults = other_datums(&layers).chain(codes_twice(&layers)).collect();
        BoundaryFaults::none_or(faults)?;
        let report = check(&layers);
        if !report.is_clean() && !report.is_accepted(accepted) {
            let (report, accepted) = (Box::new(report), accepted.digest.clone());
            return Err(BoundaryFault::NotAccepted { report, accepted }.into());
        }
        let levels = trees(&layers);
        Ok(Boundaries { layers, levels, report })
    }

    /// The area in force on `at` that contains the point: of the finest level that has one, exclusive
    /// areas before ordinary ones, then the lowest code compared as text. A border belongs to every
    /// area it bounds. Exact for the given numbers, by the even-odd rule.
    ///
    /// `None` when no area contains it: the nearest one is never taken. The point must be in
    /// [`Boundaries::datum`]; WGS-84 and CGCS2000 do for each other.
    pub fn find(&self, lon: f64, lat: f64, at: NaiveDate) -> Option<Found<'_>> {
        let mut hits =
            self.levels.iter().map(|tree| self.hits(tree, lon, lat, at)).find(|hits| !hits.is_empty())?;
        hits.sort_by(|a, b| rank(a).cmp(&rank(b)));
        let mut hits = hits.into_iter();
        let Hit { file, area, on_border } = hits.next()?;
        let others = hits.map(|hit| hit.area).collect();
        Some(Found { file, area, on_border, others, lon, lat })
    }

    /// What the files hold, in the order given to [`Boundaries::build`].
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The datum in which [`Boundaries::find`] takes points; convert others before asking.
    pub fn datum(&self) -> Option<Datum> {
        self.layers.first().map(|layer| layer.datum)
    }

    /// What is wrong with the shapes: nothing, or what was accepted.
    pub fn report(&self) -> &BoundaryReport {
        &self.report
    }

    /// The areas of a level in force on `at` that a point lies in or within `metres` of, each with how far it is to it in
    /// metres: 0 for those that hold it. Good to half a per cent, as [`Area::border_distance_m`] is.
    pub fn near(&self, level: &str, (lon, lat): (f64, f64), at: NaiveDate, metres: f64) -> Vec<(&Area, f64)> {
        let around = around(lon, lat, metres);
        let boxes = self.levels.iter().flat_map(|tree| tree.locate_in_envelope_intersecting(&around));
        let reached = |boxed: &Boxed| {
            let (layer, area) = boxed.data;
            let file = &self.layers[layer].file;
            let area = &self.layers[layer].areas[area];
            let away = match side(&area.shape, coord! { x: lon, y: lat }) {
                Side::Outside => area.border_distance_m(lon, lat),
                Side::Inside | Side::Border => 0.0,
            };
            (file.level == level && file.in_force(at) && away <= metres).then_some((area, away))
        };
        boxes.filter_map(reached).collect()
    }

    fn hits(&self, tree: &RTree<Boxed>, lon: f64, lat: f64, at: NaiveDate) -> Vec<Hit<'_>> {
        tree.locate_all_at_point(&[lon, lat]).filter_map(|boxed| self.hit(boxed.data, lon, lat, at)).collect()
    }

    fn hit(&self, (layer, area): (usize, usize), lon: f64, lat: f64, at: NaiveDate) -> Option<Hit<'_>> {
        let layer = &self.layers[layer];
        if !layer.file.in_force(at) {
            return None;
        }
        let area = &layer.areas[area];
        match side(&area.shape, coord! { x: lon, y: lat }) {
            Side::Outside => None,
            side => Some(Hit { file: &layer.file, area, on_border: side == Side::Border }),
        }
    }
}

/// A box that holds everything within `metres` of a point, and a little more.
fn around(lon: f64, lat: f64, metres: f64) -> AABB<[f64; 2]> {
    let north = metres / LEAST_METRES_PER_DEGREE;
    // Towards a pole a degree of longitude is next to nothing, and the whole circle is near.
    let east = (north / lat.to_radians().cos().max(1e-6)).min(360.0);
    AABB::from_corners([lon - east, lat - north], [lon + east, lat + north])
}

/// A degree of latitude is never shorter: 110,574 m at the equator.
const LEAST_METRES_PER_DEGREE: f64 = 110_000.0;

fn rank<'a>(hit: &Hit<'a>) -> (bool, &'a str) {
    (!hit.file.exclusive, &hit.area.code)
}

/// The files whose datum is not that of the first.
fn other_datums(layers: &[Layer]) -> impl Iterator<Item = BoundaryFault> {
    let of_first = layers.iter().take(1).flat_map(|first| layers.iter().map(move |layer| (first, layer)));
    let others = of_first.filter(|(first, layer)| !layer.datum.agrees_with(first.datum));
    others.map(|(first, second)| BoundaryFault::MixedDatums {
        first: first.file.file.clone(),
        first_datum: first.datum.as_str(),
        second: second.file.file.clone(),
        second_datum: second.datum.as_str(),
    })
}

/// The areas that two files of one level outline for the same day.
fn codes_twice(layers: &[Layer]) -> Vec<BoundaryFault> {
    let mut faults = Vec::new();
    for (place, first) in layers.iter().enumerate() {
        let codes: BTreeSet<&str> = first.areas.iter().map(|area| area.code.as_str()).collect();
        let rivals = layers[place + 1..]
            .iter()
            .filter(|second| second.file.level == first.file.level && second.file.meets(&first.file));
        for second in rivals {
            let both = second.areas.iter().filter(|area| codes.contains(area.code.as_str()));
            faults.extend(both.map(|area| BoundaryFault::CodeTwice {
                level: first.file.level.clone(),
                code: area.code.clone(),
                first: first.file.file.clone(),
                second: second.file.file.clone(),
            }));
        }
    }
    faults
}

fn trees(layers: &[Layer]) -> Vec<RTree<Boxed>> {
    let mut names: Vec<&str> = Vec::new();
    let mut boxes: Vec<Vec<Boxed>> = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let level = names.iter().position(|name| *name == layer.file.level).unwrap_or_else(|| {
            names.push(&layer.file.level);
            boxes.push(Vec::new());
            names.len() - 1
        });
        boxes[level].extend(layer.areas.iter().enumerate().map(|(area, shape)| boxed(shape, (index, area))));
    }
    boxes.into_iter().map(RTree::bulk_load).collect()
}

fn boxed(area: &Area, place: (usize, usize)) -> Boxed {
    let bounds = area.shape.bounding_rect().expect("read() refuses a shape without a position");
    let corners = AABB::from_corners(bounds.min().into(), bounds.max().into());
    GeomWithData::new(Rectangle::from_aabb(corners), place)
}
