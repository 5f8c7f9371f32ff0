//! What makes one area's rings invalid (OGC Simple Features §6.1.11), each with the point where.
//!
//! Two rings of an area may touch in single points, as the standard lets them; that such touches cut
//! the inside in two is not looked for.

use geo::{BoundingRect, Coord, Line, LineString, MultiPolygon, Polygon, Rect};

use super::edges::{Meet, box_pairs, meet};
use super::ground::ground_m2;
use super::report::{Flaw, Reason};
use super::shape::{Side, ring_side, rings, side};

/// One edge of a ring, with its place.
struct Edge {
    part: usize,
    ring: usize,
    index: usize,
    edges_in_ring: usize,
    line: Line<f64>,
}

/// All flaws of `shape`, by part, ring, reason and point, each once.
pub fn flaws(shape: &MultiPolygon<f64>) -> Vec<Flaw> {
    let mut flaws = too_few_points(shape);
    flaws.extend(badly_met(&edges(shape)));
    flaws.extend(holes_outside(shape));
    flaws.extend(parts_inside(shape));
    flaws.extend(no_ground(shape));
    flaws.sort_by(|a, b| order(a).cmp(&order(b)).then(a.lon.total_cmp(&b.lon)).then(a.lat.total_cmp(&b.lat)));
    flaws.dedup();
    flaws
}

fn order(flaw: &Flaw) -> (usize, usize, Reason) {
    (flaw.part, flaw.ring, flaw.reason)
}

fn flaw(part: usize, ring: usize, reason: Reason, at: Coord<f64>) -> Flaw {
    // A centimetre: points that were computed shall not carry seventeen digits into the digest.
    let short = |degrees: f64| (degrees * 1e7).round() / 1e7;
    Flaw { part, ring, reason, lon: short(at.x), lat: short(at.y) }
}

/// Each ring with its part and place in it, both counted from 1.
fn placed_rings(shape: &MultiPolygon<f64>) -> impl Iterator<Item = (usize, usize, &LineString<f64>)> {
    (1..).zip(shape).flat_map(|(part, polygon)| {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        (1..).zip(rings).map(move |(ring, line)| (part, ring, line))
    })
}

/// The ring's edges without those of no length, which say nothing.
fn real_edges(ring: &LineString<f64>) -> Vec<Line<f64>> {
    ring.lines().filter(|line| line.start != line.end).collect()
}

fn edges(shape: &MultiPolygon<f64>) -> Vec<Edge> {
    let mut all = Vec::new();
    for (part, ring, line) in placed_rings(shape) {
        let lines = real_edges(line);
        let edges_in_ring = lines.len();
        let edge = |(index, line)| Edge { part, ring, index, edges_in_ring, line };
        all.extend(lines.into_iter().enumerate().map(edge));
    }
    all
}

fn too_few_points(shape: &MultiPolygon<f64>) -> Vec<Flaw> {
    placed_rings(shape)
        .filter(|(_, _, ring)| real_edges(ring).len() < 3)
        .map(|(part, ring, line)| flaw(part, ring, Reason::TooFewPoints, line.0[0]))
        .collect()
}

fn badly_met(edges: &[Edge]) -> Vec<Flaw> {
    let boxes: Vec<Rect<f64>> = edges.iter().map(|edge| edge.line.bounding_rect()).collect();
    box_pairs(&boxes).into_iter().filter_map(|(i, j)| bad_meeting(&edges[i], &edges[j])).collect()
}

fn bad_meeting(one: &Edge, other: &Edge) -> Option<Flaw> {
    let same_ring = (one.part, one.ring) == (other.part, other.ring);
    let (reason, at) = match meet(one.line, other.line) {
        Meet::Nowhere => return None,
        Meet::Touch(_) if !same_ring || neighbours(one, other) => return None,
        Meet::Touch(at) => (Reason::TouchesItself, at),
        Meet::Cross(at) if same_ring => (Reason::CrossesItself, at),
        Meet::Cross(at) => (Reason::CrossesRing, at),
        Meet::Along(at) if same_ring => (Reason::RunsBack, at),
        Meet::Along(at) => (Reason::SharesEdge, at),
    };
    Some(flaw(one.part, one.ring, reason, at))
}

fn neighbours(one: &Edge, other: &Edge) -> bool {
    let gap = one.index.abs_diff(other.index);
    gap == 1 || gap + 1 == one.edges_in_ring
}

fn holes_outside(shape: &MultiPolygon<f64>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (part, polygon) in (1..).zip(shape) {
        for (ring, hole) in (2..).zip(polygon.interiors()) {
            let stray = vertex_on(hole, |point| ring_side(polygon.exterior(), point) == Side::Outside);
            let nested = other_holes(polygon, hole)
                .find_map(|other| vertex_on(hole, |point| ring_side(other, point) == Side::Inside));
            flaws.extend(stray.map(|at| flaw(part, ring, Reason::HoleOutside, at)));
            flaws.extend(nested.map(|at| flaw(part, ring, Reason::HoleInHole, at)));
        }
    }
    flaws
}

fn other_holes<'a>(
    polygon: &'a Polygon<f64>,
    hole: &'a LineString<f64>,
) -> impl Iterator<Item = &'a LineString<f64>> {
    polygon.interiors().iter().filter(move |other| !std::ptr::eq(*other, hole))
}

fn parts_inside(shape: &MultiPolygon<f64>) -> Vec<Flaw> {
    let alone: Vec<MultiPolygon<f64>> = shape.iter().map(|part| MultiPolygon(vec![part.clone()])).collect();
    let boxes: Vec<Rect<f64>> = shape.iter().filter_map(BoundingRect::bounding_rect).collect();
    let ordered = box_pairs(&boxes).into_iter().flat_map(|(i, j)| [(i, j), (j, i)]);
    ordered
        .filter_map(|(part, other)| {
            let inside = |point| side(&alone[other], point) == Side::Inside;
            let at = rings(&alone[part]).find_map(|ring| vertex_on(ring, inside))?;
            Some(flaw(part + 1, 1, Reason::PartsOverlap, at))
        })
        .collect()
}

/// A ring walked over twice cancels itself out; accepted unseen, its area would never be found.
fn no_ground(shape: &MultiPolygon<f64>) -> Option<Flaw> {
    let start = shape.0.first()?.exterior().0.first()?;
    (ground_m2(shape) == 0.0).then(|| flaw(1, 1, Reason::NoGround, *start))
}

fn vertex_on(ring: &LineString<f64>, wanted: impl Fn(Coord<f64>) -> bool) -> Option<Coord<f64>> {
    ring.0.iter().copied().find(|&point| wanted(point))
}
