//! How much ground lies in a shape, or in two at once, by the even-odd rule.
//!
//! The overlay of `geo` answers, and reports that people have accepted are told in its figures. On some rings that
//! touch themselves it panics instead (iShape-Rust/iOverlay#78): then the ground is measured here, strip by strip.

use std::panic::{AssertUnwindSafe, catch_unwind};

use geo::{BooleanOps, BoundingRect, Coord, Line, LineString, MultiPolygon, Rect};

use super::edges::{Meet, box_pairs, meet};
use super::shape::{area_m2, m2_per_square_degree, rings};

/// Square metres in `shape`.
pub fn ground_m2(shape: &MultiPolygon<f64>) -> f64 {
    let whole = || area_m2(&shape.union(&MultiPolygon::new(Vec::new())));
    overlaid(whole).unwrap_or_else(|| in_strips_m2(shape, None))
}

/// Square metres that lie in both shapes.
pub fn shared_m2(first: &MultiPolygon<f64>, second: &MultiPolygon<f64>) -> f64 {
    let both = || area_m2(&first.intersection(second));
    overlaid(both).unwrap_or_else(|| in_strips_m2(first, Some(second)))
}

/// `None` when the overlay cannot cope with the rings.
fn overlaid(measure: impl FnOnce() -> f64) -> Option<f64> {
    catch_unwind(AssertUnwindSafe(measure)).ok().filter(|m2| m2.is_finite())
}

/// An edge that is not level, and whose it is.
struct Edge {
    line: Line<f64>,
    of_second: bool,
}

impl Edge {
    /// Where it is at a height it reaches.
    fn at(&self, y: f64) -> f64 {
        let step = self.line.delta();
        self.line.start.x + (y - self.line.start.y) * step.x / step.y
    }

    fn spans(&self, low: f64, high: f64) -> bool {
        let (start, end) = (self.line.start.y, self.line.end.y);
        start.min(end) <= low && high <= start.max(end)
    }
}

/// Square metres in `first`, and in `second` too where there is one: the plane is cut at every height at which an edge
/// ends or two cross, so that between two cuts the edges are in one order and all ground is trapezes.
pub(super) fn in_strips_m2(first: &MultiPolygon<f64>, second: Option<&MultiPolygon<f64>>) -> f64 {
    let Some(bounds) = first.bounding_rect() else { return 0.0 };
    // Near the shape's own corner, numbers keep their last digits for what is measured.
    let corner = bounds.min();
    let mut all = moved(first, corner);
    let of_first = all.len();
    all.extend(second.into_iter().flat_map(|second| moved(second, corner)));
    let cuts = cuts(&all);
    let edges = all.into_iter().enumerate().map(|(n, line)| Edge { line, of_second: n >= of_first });
    let edges: Vec<Edge> = edges.filter(|edge| edge.line.start.y != edge.line.end.y).collect();
    let strip = |cut: &[f64]| strip(&edges, cut[0], cut[1], second.is_some());
    let square_degrees: f64 = cuts.windows(2).map(strip).sum();
    // What is less than half a square millimetre is rounding, of the crossings among others.
    (square_degrees * m2_per_square_degree(&bounds) * 1e6).round() / 1e6
}

/// The edges of a shape that have a length, seen from `corner`.
fn moved(shape: &MultiPolygon<f64>, corner: Coord<f64>) -> Vec<Line<f64>> {
    let lines = rings(shape).flat_map(LineString::lines).filter(|line| line.start != line.end);
    lines.map(|line| Line::new(line.start - corner, line.end - corner)).collect()
}

fn cuts(lines: &[Line<f64>]) -> Vec<f64> {
    let mut cuts: Vec<f64> = lines.iter().flat_map(|line| [line.start.y, line.end.y]).collect();
    let boxes: Vec<Rect<f64>> = lines.iter().map(BoundingRect::bounding_rect).collect();
    for (one, other) in box_pairs(&boxes) {
        if let Meet::Cross(at) = meet(lines[one], lines[other]) {
            cuts.push(at.y);
        }
    }
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    cuts
}

/// Square degrees between two cuts.
fn strip(edges: &[Edge], low: f64, high: f64, in_both: bool) -> f64 {
    let middle = f64::midpoint(low, high);
    let spanning = edges.iter().filter(|edge| edge.spans(low, high));
    let mut crossed: Vec<(f64, bool)> = spanning.map(|edge| (edge.at(middle), edge.of_second)).collect();
    crossed.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut width, mut before) = (0.0, f64::NAN);
    let (mut in_first, mut in_second) = (false, !in_both);
    for (x, of_second) in crossed {
        if in_first && in_second {
            width += x - before;
        }
        if of_second {
            in_second = !in_second;
        } else {
            in_first = !in_first;
        }
        before = x;
    }
    width * (high - low)
}
