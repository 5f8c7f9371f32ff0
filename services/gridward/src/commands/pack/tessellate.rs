//! Divides a rectangle into any number of cells without a gap and without an overlap, the same for the same seed.
//!
//! The rectangle is cut into rows, each row into cells. Where two rows meet there is one line of points, the cuts of
//! both rows together, and a cell takes its stretch of it; where two cells of a row meet there is one side with a bend
//! in it. So whatever borders on each other has the same points, to the last digit. A line rises and falls by a fifth
//! of a row at most, and over the width of a cell; a cut and a bend move to the left and right by a fifth of a cell.
//! So a side is always steeper than the lines it stands between, and meets them nowhere but at its ends.

/// West, south, east and north, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

impl Rectangle {
    /// How many times as wide as high it is on the ground.
    fn aspect(&self) -> f64 {
        let middle = f64::midpoint(self.south, self.north).to_radians();
        (self.east - self.west) * middle.cos() / (self.north - self.south)
    }
}

/// Longitude and latitude in millionths of a degree, about a decimetre: whole numbers are the same on both sides.
pub type Point = (i64, i64);

const MILLIONTHS: f64 = 1e6;

/// How far a point moves, of a row's height or a cell's width.
const MOVE: f64 = 0.2;

/// Cells as closed rings, anticlockwise; row by row from the north, each row beginning where the one before ended, so
/// that each cell borders on the next.
///
/// # Panics
/// Never for a rectangle of some size and fewer cells than it has square decimetres.
pub fn tessellate(rectangle: Rectangle, cells: usize, seed: u64) -> Vec<Vec<Point>> {
    let mut dice = Dice(seed);
    let rows = rows(rectangle, cells);
    let cuts: Vec<Vec<Cut>> = rows.iter().map(|cells| cuts(rectangle, *cells, &mut dice)).collect();
    let lines: Vec<Vec<Point>> = (0..=rows.len())
        .map(|n| {
            let above = n.checked_sub(1).and_then(|above| cuts.get(above));
            line(rectangle, n, rows.len(), [above, cuts.get(n)], &mut dice)
        })
        .collect();
    let mut rings = Vec::with_capacity(cells);
    for (n, cuts) in cuts.iter().enumerate() {
        let row = cuts.windows(2).map(|pair| ring(&lines[n], &lines[n + 1], &pair[0], &pair[1]));
        let row: Vec<_> = row.collect();
        if n % 2 == 0 {
            rings.extend(row);
        } else {
            rings.extend(row.into_iter().rev());
        }
    }
    rings
}

/// The number of cells of each row: as square as can be, and as even.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and degrees, far below what a double holds"
)]
fn rows(rectangle: Rectangle, cells: usize) -> Vec<usize> {
    let rows = ((cells as f64 / rectangle.aspect()).sqrt().round() as usize).clamp(1, cells.max(1));
    (0..rows).map(|n| cells * (n + 1) / rows - cells * n / rows).collect()
}

/// Where two cells of a row meet: on the lines above and below, and halfway between.
struct Cut {
    at: i64,
    bend: i64,
    is_border: bool,
}

#[expect(clippy::cast_precision_loss, reason = "counts and degrees, far below what a double holds")]
fn cuts(rectangle: Rectangle, cells: usize, dice: &mut Dice) -> Vec<Cut> {
    let width = (rectangle.east - rectangle.west) / cells as f64;
    (0..=cells)
        .map(|n| {
            let is_border = n == 0 || n == cells;
            let reach = if is_border { 0.0 } else { width * MOVE };
            let at = rectangle.west + width * n as f64 + dice.between(reach);
            Cut { at: millionths(at), bend: millionths(at + dice.between(reach)), is_border }
        })
        .collect()
}

/// The line number `n` from the north: the cuts of the row above and of the row below, from west to east.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and degrees, far below what a double holds"
)]
fn line(
    rectangle: Rectangle,
    n: usize,
    rows: usize,
    cuts: [Option<&Vec<Cut>>; 2],
    dice: &mut Dice,
) -> Vec<Point> {
    let height = (rectangle.north - rectangle.south) / rows as f64;
    let reach = if n == 0 || n == rows { 0.0 } else { height * MOVE };
    let base = rectangle.north - height * n as f64;
    // It bends once for each cell of the longer row, evenly: steps between cuts that lie close would be steep.
    let bends = cuts.into_iter().flatten().map(|cuts| cuts.len() - 1).max().unwrap_or(1);
    let moved: Vec<f64> = (0..=bends).map(|_| dice.between(reach)).collect();
    let mut at: Vec<i64> = cuts.into_iter().flatten().flatten().map(|cut| cut.at).collect();
    at.sort_unstable();
    at.dedup();
    let (west, east) = (millionths(rectangle.west), millionths(rectangle.east));
    let height_at = |lon: i64| {
        let along = (lon - west) as f64 / (east - west) as f64 * bends as f64;
        let before = (along.floor() as usize).min(bends - 1);
        let between = along - before as f64;
        moved[before] * (1.0 - between) + moved[before + 1] * between
    };
    at.into_iter().map(|lon| (lon, millionths(base + height_at(lon)))).collect()
}

fn ring(north: &[Point], south: &[Point], west: &Cut, east: &Cut) -> Vec<Point> {
    let stretch = |line: &[Point]| -> Vec<Point> {
        line.iter().copied().filter(|(lon, _)| (west.at..=east.at).contains(lon)).collect()
    };
    let (above, below) = (stretch(north), stretch(south));
    let bend = |cut: &Cut, above: Option<&Point>, below: Option<&Point>| {
        let halfway = above.zip(below).map(|(above, below)| i64::midpoint(above.1, below.1));
        halfway.filter(|_| !cut.is_border).map(|lat| (cut.bend, lat))
    };
    let mut ring = below.clone();
    ring.extend(bend(east, above.last(), below.last()));
    ring.extend(above.iter().rev());
    ring.extend(bend(west, above.first(), below.first()));
    ring.extend(below.first());
    ring
}

#[expect(clippy::cast_possible_truncation, reason = "counts and degrees, far below what a double holds")]
fn millionths(degrees: f64) -> i64 {
    (degrees * MILLIONTHS).round() as i64
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From −`reach` to `reach`.
    #[expect(clippy::cast_precision_loss, reason = "counts and degrees, far below what a double holds")]
    fn between(&mut self, reach: f64) -> f64 {
        let half = (self.next() >> 11) as f64 / (1_u64 << 52) as f64;
        (half - 1.0) * reach
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const BOX: Rectangle = Rectangle { west: 121.8, south: 29.875, east: 121.885, north: 29.933 };

    /// Twice the area, signed: positive when the ring runs anticlockwise.
    fn area(ring: &[Point]) -> i64 {
        ring.windows(2).map(|edge| edge[0].0 * edge[1].1 - edge[1].0 * edge[0].1).sum()
    }

    #[test]
    fn cells_of_any_number_fill_the_rectangle_and_no_point_of_it_twice() {
        for cells in [1, 2, 7, 97, 143] {
            for seed in 0..20 {
                let rings = tessellate(BOX, cells, seed);
                assert_eq!(rings.len(), cells);
                let mut edges: BTreeMap<(Point, Point), i32> = BTreeMap::new();
                for ring in &rings {
                    assert!(ring.first() == ring.last() && area(ring) > 0, "{cells} {seed}");
                    for edge in ring.windows(2) {
                        *edges.entry((edge[0], edge[1])).or_default() += 1;
                    }
                }
                // Each edge is walked once in each direction, but for the border, and once only: no gap, no overlap.
                let (west, east) = (121_800_000, 121_885_000);
                let (south, north) = (29_875_000, 29_933_000);
                for ((from, to), times) in &edges {
                    assert_eq!(*times, 1, "{cells} {seed}");
                    let along = |at: fn(&Point) -> i64, side: i64| at(from) == side && at(to) == side;
                    let is_border = along(|p| p.0, west)
                        || along(|p| p.0, east)
                        || along(|p| p.1, south)
                        || along(|p| p.1, north);
                    assert_ne!(
                        edges.contains_key(&(*to, *from)),
                        is_border,
                        "{cells} {seed}: {from:?} {to:?}"
                    );
                }
                let whole = 2 * (east - west) * (north - south);
                assert_eq!(rings.iter().map(|ring| area(ring)).sum::<i64>(), whole, "{cells} {seed}");
            }
        }
    }

    /// Whether two stretches cross in a point that is an end of neither.
    fn cross(a: (Point, Point), b: (Point, Point)) -> bool {
        let side = |(from, to): (Point, Point), p: Point| {
            ((to.0 - from.0) * (p.1 - from.1) - (to.1 - from.1) * (p.0 - from.0)).signum()
        };
        side(a, b.0) * side(a, b.1) < 0 && side(b, a.0) * side(b, a.1) < 0
    }

    #[test]
    fn no_two_borders_cross() {
        for seed in 0..40 {
            let rings = tessellate(BOX, 97, seed);
            let edges: Vec<_> = rings.iter().flat_map(|ring| ring.windows(2)).map(|e| (e[0], e[1])).collect();
            for (n, one) in edges.iter().enumerate() {
                for other in &edges[..n] {
                    assert!(!cross(*one, *other), "{seed}: {one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn each_cell_borders_on_the_next_and_the_seed_decides_all() {
        let rings = tessellate(BOX, 143, 7);
        for pair in rings.windows(2) {
            let common = pair[0].iter().filter(|point| pair[1].contains(point)).count();
            assert!(common >= 2, "{pair:?}");
        }
        assert_eq!(rings, tessellate(BOX, 143, 7));
        assert_ne!(rings, tessellate(BOX, 143, 8));
    }
}
