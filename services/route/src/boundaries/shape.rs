//! Membership, distance and size of one shape, straight from its published rings.

use geo::kernels::{Kernel, RobustKernel};
use geo::{Area as _, BoundingRect, Coord, Line, LineString, MultiPolygon, Orientation, Rect};

/// Metres in one degree of latitude on a sphere of the Earth's mean radius, 6 371 008.8 m (IUGG).
const METRES_PER_DEGREE: f64 = 6_371_008.8 * std::f64::consts::PI / 180.0;

/// Where a point lies with regard to a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Inside,
    Border,
    Outside,
}

/// How a ray from a point towards larger x meets an edge.
enum Meeting {
    Misses,
    Crosses,
    StartsOnIt,
}

/// Every ring of a shape, the outer one of each part first.
pub fn rings(shape: &MultiPolygon<f64>) -> impl Iterator<Item = &LineString<f64>> {
    shape.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()))
}

/// Where `point` lies by the even-odd rule over all rings of `shape`; exact for the given numbers.
pub fn side(shape: &MultiPolygon<f64>, point: Coord<f64>) -> Side {
    side_of(rings(shape).flat_map(LineString::lines), point)
}

/// Where `point` lies with regard to one closed ring.
pub fn ring_side(ring: &LineString<f64>, point: Coord<f64>) -> Side {
    side_of(ring.lines(), point)
}

fn side_of(edges: impl Iterator<Item = Line<f64>>, point: Coord<f64>) -> Side {
    let mut odd = false;
    for edge in edges {
        match meeting(edge, point) {
            Meeting::Misses => {}
            Meeting::Crosses => odd = !odd,
            Meeting::StartsOnIt => return Side::Border,
        }
    }
    if odd { Side::Inside } else { Side::Outside }
}

fn meeting(edge: Line<f64>, point: Coord<f64>) -> Meeting {
    let Line { start, end } = edge;
    if point.y < start.y.min(end.y) || point.y > start.y.max(end.y) || point.x > start.x.max(end.x) {
        return Meeting::Misses;
    }
    // Half-open, so that a ray through a vertex counts it for exactly one of its two edges.
    let straddles = (start.y > point.y) != (end.y > point.y);
    if point.x < start.x.min(end.x) {
        return if straddles { Meeting::Crosses } else { Meeting::Misses };
    }
    let turn = RobustKernel::orient2d(start, end, point);
    if turn == Orientation::Collinear {
        return Meeting::StartsOnIt;
    }
    let edge_goes_up = end.y > start.y;
    let point_is_left = turn == Orientation::CounterClockwise;
    if straddles && edge_goes_up == point_is_left { Meeting::Crosses } else { Meeting::Misses }
}

/// Metres from `point` to the nearest point of any ring; good to half a per cent, because the plane
/// touches the sphere at `point` and borders that matter are near.
pub fn border_distance_m(shape: &MultiPolygon<f64>, point: Coord<f64>) -> f64 {
    let along = METRES_PER_DEGREE * point.y.to_radians().cos();
    let flat = |coord: Coord<f64>| Coord {
        x: (coord.x - point.x) * along,
        y: (coord.y - point.y) * METRES_PER_DEGREE,
    };
    rings(shape)
        .flat_map(LineString::lines)
        .map(|edge| distance_to_origin(flat(edge.start), flat(edge.end)))
        .fold(f64::INFINITY, f64::min)
}

fn distance_to_origin(start: Coord<f64>, end: Coord<f64>) -> f64 {
    let step = end - start;
    let length_squared = step.x * step.x + step.y * step.y;
    if length_squared == 0.0 {
        return start.x.hypot(start.y);
    }
    let share = (-(start.x * step.x + start.y * step.y) / length_squared).clamp(0.0, 1.0);
    (start.x + share * step.x).hypot(start.y + share * step.y)
}

/// The approximate size of a valid shape in square metres, on a plane through its middle.
pub fn area_m2(shape: &MultiPolygon<f64>) -> f64 {
    let Some(bounds) = shape.bounding_rect() else {
        return 0.0;
    };
    shape.unsigned_area() * m2_per_square_degree(&bounds)
}

/// On a plane through the middle of `bounds`.
pub fn m2_per_square_degree(bounds: &Rect<f64>) -> f64 {
    METRES_PER_DEGREE * METRES_PER_DEGREE * bounds.center().y.to_radians().cos()
}
