//! A point well inside an area, for somebody who can name the area and has no coordinates. Pure.

/// A closed line of `(lon, lat)` in degrees; the last point may repeat the first.
pub type Ring = Vec<(f64, f64)>;

/// A point inside an area, and how far the area reaches from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inside {
    pub lon: f64,
    pub lat: f64,
    /// Metres to the farthest corner: whoever only knows the area knows the place to within this.
    pub radius_m: f64,
}

/// Metres in one degree of latitude on a sphere of the Earth's mean radius, 6 371 008.8 m (IUGG).
const METRES_PER_DEGREE: f64 = 6_371_008.8 * std::f64::consts::PI / 180.0;
/// How many lines are drawn through an area. More find a slightly better middle, none a wrong one.
const LINES: u32 = 16;

/// The point of `own` farthest from any border among the middles of lines drawn through it, in none of `taken`:
/// an exclusive grid (专属网格) within an ordinary one has what lies in it. Membership is by the even-odd rule, as
/// boundaries are read. `None` where there is no such point: no rings, or all of it taken.
pub fn well_inside(own: &[Ring], taken: &[Vec<Ring>]) -> Option<Inside> {
    let (south, north) = bounds(own.iter().flatten().map(|point| point.1))?;
    let squeeze = f64::midpoint(south, north).to_radians().cos().max(0.01);
    let mut best: Option<(f64, f64, f64)> = None;
    for line in 1..LINES {
        let lat = south + (north - south) * f64::from(line) / f64::from(LINES);
        for lon in middles(own, taken, lat) {
            let clear = clearance(own, taken, (lon, lat), squeeze);
            if best.is_none_or(|(most, ..)| clear > most) {
                best = Some((clear, lon, lat));
            }
        }
    }
    let (_, lon, lat) = best.filter(|(clear, ..)| *clear > 0.0)?;
    let reach = |point: &(f64, f64)| ((point.0 - lon) * squeeze).hypot(point.1 - lat) * METRES_PER_DEGREE;
    let radius_m = own.iter().flatten().map(reach).fold(0.0, f64::max);
    Some(Inside { lon, lat, radius_m })
}

fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (least, most) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    (least < most).then_some((least, most))
}

/// The middle of each stretch of the line at `lat` that lies in `own` and in none of `taken`.
fn middles(own: &[Ring], taken: &[Vec<Ring>], lat: f64) -> Vec<f64> {
    let mut cuts: Vec<f64> = crossings(own, lat);
    cuts.extend(taken.iter().flat_map(|rings| crossings(rings, lat)));
    cuts.sort_by(f64::total_cmp);
    let between = cuts.windows(2).map(|pair| f64::midpoint(pair[0], pair[1]));
    between
        .filter(|lon| holds(own, *lon, lat) && !taken.iter().any(|rings| holds(rings, *lon, lat)))
        .collect()
}

fn edges(rings: &[Ring]) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
    rings.iter().flat_map(|ring| {
        let next = ring.iter().cycle().skip(1);
        ring.iter().copied().zip(next.copied())
    })
}

/// Where edges meet the line at `lat`, half-open so that a corner counts for one of its two edges.
fn crossings(rings: &[Ring], lat: f64) -> Vec<f64> {
    let meets = |(from, to): &((f64, f64), (f64, f64))| (from.1 > lat) != (to.1 > lat);
    let at =
        |(from, to): ((f64, f64), (f64, f64))| from.0 + (lat - from.1) / (to.1 - from.1) * (to.0 - from.0);
    edges(rings).filter(meets).map(at).collect()
}

fn holds(rings: &[Ring], lon: f64, lat: f64) -> bool {
    crossings(rings, lat).into_iter().filter(|at| *at > lon).count() % 2 == 1
}

/// How far a point is from the nearest border, in degrees of latitude.
fn clearance(own: &[Ring], taken: &[Vec<Ring>], point: (f64, f64), squeeze: f64) -> f64 {
    let flat = |corner: (f64, f64)| ((corner.0 - point.0) * squeeze, corner.1 - point.1);
    let all = edges(own).chain(taken.iter().flat_map(|rings| edges(rings)));
    all.map(|(from, to)| to_edge(flat(from), flat(to))).fold(f64::INFINITY, f64::min)
}

/// From the origin to the nearest point of an edge.
fn to_edge(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length_squared = dx * dx + dy * dy;
    if length_squared == 0.0 {
        return from.0.hypot(from.1);
    }
    let share = (-(from.0 * dx + from.1 * dy) / length_squared).clamp(0.0, 1.0);
    (from.0 + share * dx).hypot(from.1 + share * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(west: f64, south: f64, side: f64) -> Ring {
        let (east, north) = (west + side, south + side);
        vec![(west, south), (east, south), (east, north), (west, north), (west, south)]
    }

    fn within(inside: Inside, (west, south, side): (f64, f64, f64)) -> bool {
        inside.lon > west && inside.lon < west + side && inside.lat > south && inside.lat < south + side
    }

    #[test]
    fn of_a_square_it_is_the_middle_and_reaches_to_the_corners() {
        let inside = well_inside(&[square(0.0, 0.0, 0.01)], &[]).unwrap();
        assert!((inside.lon - 0.005).abs() < 1e-9 && (inside.lat - 0.005).abs() < 1e-9, "{inside:?}");
        // Half a diagonal of 0.01 degrees: 1,112 m × √2 / 2.
        assert!((inside.radius_m - 786.0).abs() < 1.0, "{inside:?}");
    }

    #[test]
    fn of_a_horseshoe_it_lies_in_the_iron_and_not_in_the_gap() {
        let shoe = vec![
            (0.0, 0.0),
            (3.0, 0.0),
            (3.0, 3.0),
            (2.0, 3.0),
            (2.0, 1.0),
            (1.0, 1.0),
            (1.0, 3.0),
            (0.0, 3.0),
        ];
        let inside = well_inside(std::slice::from_ref(&shoe), &[]).unwrap();
        assert!(holds(&[shoe], inside.lon, inside.lat), "{inside:?}");
        assert!(!within(inside, (1.0, 1.0, 1.0)), "{inside:?}");
    }

    #[test]
    fn it_is_never_in_a_hole_nor_in_what_another_area_has_taken() {
        let around = [square(0.0, 0.0, 3.0), square(1.0, 1.0, 1.0)];
        assert!(!within(well_inside(&around, &[]).unwrap(), (1.0, 1.0, 1.0)));
        // One that reaches over the border, too.
        let taken = vec![square(0.5, -1.0, 3.0)];
        let inside = well_inside(&[square(0.0, 0.0, 3.0)], std::slice::from_ref(&taken)).unwrap();
        assert!(within(inside, (0.0, 0.0, 3.0)) && !within(inside, (0.5, -1.0, 3.0)), "{inside:?}");
    }

    #[test]
    fn what_has_no_inside_has_no_point() {
        assert_eq!(well_inside(&[], &[]), None);
        assert_eq!(well_inside(&[vec![(1.0, 1.0), (2.0, 1.0)]], &[]), None);
        let all = vec![square(-1.0, -1.0, 9.0)];
        assert_eq!(well_inside(&[square(0.0, 0.0, 1.0)], &[all]), None);
    }
}
