//! Areas that claim the same ground.

use geo::{BoundingRect, Rect};

use super::edges::box_pairs;
use super::file::Area;
use super::ground::shared_m2;
use super::report::Overlap;

/// Sizes are kept to this share of a square metre; a smaller overlap is the noise of the
/// intersection itself.
const PER_M2: f64 = 1000.0;

/// The overlapping pairs among `areas`, lower code first, in the order of the codes.
pub fn within(areas: &[Area]) -> Vec<Overlap> {
    let areas: Vec<&Area> = areas.iter().collect();
    let found = box_pairs(&boxes(&areas)).into_iter().filter_map(|(i, j)| {
        let (first, second) = if areas[i].code <= areas[j].code { (i, j) } else { (j, i) };
        overlap(areas[first], areas[second])
    });
    sorted(found.collect())
}

/// The pairs of one of `firsts` and one of `seconds` that overlap, in the order of the codes.
pub fn between(firsts: &[Area], seconds: &[Area]) -> Vec<Overlap> {
    let areas: Vec<&Area> = firsts.iter().chain(seconds).collect();
    let found = box_pairs(&boxes(&areas))
        .into_iter()
        .filter(|&(i, j)| i < firsts.len() && j >= firsts.len())
        .filter_map(|(i, j)| overlap(areas[i], areas[j]));
    sorted(found.collect())
}

fn boxes(areas: &[&Area]) -> Vec<Rect<f64>> {
    let bounds =
        |area: &&Area| area.shape.bounding_rect().expect("read() refuses a shape without a position");
    areas.iter().map(bounds).collect()
}

/// Both shapes are taken by the even-odd rule, so invalid rings need no repair here either.
fn overlap(first: &Area, second: &Area) -> Option<Overlap> {
    let area_m2 = (shared_m2(&first.shape, &second.shape) * PER_M2).round() / PER_M2;
    (area_m2 > 0.0).then(|| Overlap { first: first.code.clone(), second: second.code.clone(), area_m2 })
}

fn sorted(mut overlaps: Vec<Overlap>) -> Vec<Overlap> {
    overlaps.sort_by(|a, b| (&a.first, &a.second).cmp(&(&b.first, &b.second)));
    overlaps
}
