//! Areas whose ground nothing covers on a day: their own outlines are not in force yet, or no more, and no other area
//! has it meanwhile.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::place::{Ring, well_inside};

use super::file::{Area, BoundaryFile};
use super::find::Boundaries;
use super::shape::rings;

impl Boundaries {
    /// Each file of such areas, with those areas in its order.
    pub fn uncovered(&self, day: NaiveDate) -> Vec<(&BoundaryFile, Vec<&Area>)> {
        let (in_force, out): (Vec<_>, Vec<_>) =
            self.layers().iter().partition(|layer| layer.file.in_force(day));
        if out.is_empty() {
            return Vec::new();
        }
        let outlined: BTreeSet<&str> =
            in_force.iter().flat_map(|layer| &layer.areas).map(|area| area.code.as_str()).collect();
        let is_bare = |area: &&Area| !outlined.contains(area.code.as_str()) && !self.has_ground_of(area, day);
        let files = out
            .into_iter()
            .map(|layer| (&layer.file, layer.areas.iter().filter(is_bare).collect::<Vec<_>>()));
        files.filter(|(_, areas)| !areas.is_empty()).collect()
    }

    /// Whether a point well inside an area lies in one that is in force: in the grid it is to be cut out of, the two it
    /// was cut into, or at least in its street. What has no ground leaves none without.
    fn has_ground_of(&self, area: &Area, day: NaiveDate) -> bool {
        let rings: Vec<Ring> =
            rings(&area.shape).map(|ring| ring.coords().map(|point| (point.x, point.y)).collect()).collect();
        let inside = well_inside(&rings, &[]);
        inside.is_none_or(|inside| self.find(inside.lon, inside.lat, day).is_some())
    }
}
