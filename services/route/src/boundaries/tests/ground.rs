//! Ground measured strip by strip, where the overlay of `geo` does not answer: against areas known exactly, and against
//! counting.

use geo::{BoundingRect, LineString, MultiPolygon, Polygon, wkt};
use proptest::prelude::*;

use super::super::ground::{ground_m2, in_strips_m2, shared_m2};
use super::super::shape::m2_per_square_degree;

/// In square degrees, to a millionth.
fn measured(first: &MultiPolygon<f64>, second: Option<&MultiPolygon<f64>>) -> f64 {
    let bounds = first.bounding_rect().unwrap();
    (in_strips_m2(first, second) / m2_per_square_degree(&bounds) * 1e6).round() / 1e6
}

/// A ring that touches itself twice in one point, and a triangle that crosses it; their ground was worked out in
/// fractions.
#[test]
fn the_ground_of_rings_that_touch_and_cross_themselves_is_known() {
    let triangle = wkt!(MULTIPOLYGON(((2.5 3.5,2. 0.,0. 0.,2.5 3.5))));
    let touching = wkt!(MULTIPOLYGON(((2.5 3.5,2.5 0.,3. 0.,2.5 3.5,2. 0.5,1.5 0.5,2.5 3.5))));
    let both = MultiPolygon(vec![triangle.0[0].clone(), touching.0[0].clone()]);
    assert_eq!(measured(&triangle, None), 3.5);
    assert_eq!(measured(&touching, None), 1.625);
    assert_eq!(measured(&both, None), 3.625);
    assert_eq!(measured(&triangle, Some(&touching)), 0.75);
    assert!(ground_m2(&both) > 0.0 && shared_m2(&triangle, &touching) > 0.0);
}

#[test]
fn a_ring_walked_over_twice_holds_nothing_also_when_its_edges_are_cut_otherwise() {
    let twice = wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,0. 0.,1. 1.,4. 4.,4. 0.,3. 0.,0. 0.))));
    assert_eq!(in_strips_m2(&twice, None), 0.0);
    assert_eq!(in_strips_m2(&MultiPolygon::new(Vec::new()), None), 0.0);
}

/// West, south, width and height in whole degrees.
type Cut = (i32, i32, i32, i32);

fn cuts() -> impl Strategy<Value = Vec<Cut>> {
    prop::collection::vec((0..6, 0..6, 1..4, 1..4), 1..6)
}

fn shape(cuts: &[Cut]) -> MultiPolygon<f64> {
    let part = |(west, south, width, height): &Cut| {
        let (west, south) = (f64::from(*west), f64::from(*south));
        let (east, north) = (west + f64::from(*width), south + f64::from(*height));
        let ring = vec![(west, south), (east, south), (east, north), (west, north), (west, south)];
        Polygon::new(LineString::from(ring), Vec::new())
    };
    MultiPolygon(cuts.iter().map(part).collect())
}

/// Whether the square degree north-east of a corner lies in an odd number of them.
fn odd(cuts: &[Cut], x: i32, y: i32) -> bool {
    let covers = |(west, south, width, height): &&Cut| {
        (*west..west + width).contains(&x) && (*south..south + height).contains(&y)
    };
    cuts.iter().filter(covers).count() % 2 == 1
}

proptest! {
    #[test]
    fn squares_are_counted(first in cuts(), second in cuts()) {
        let squares = (0..9).flat_map(|x| (0..9).map(move |y| (x, y)));
        let own = squares.clone().filter(|(x, y)| odd(&first, *x, *y)).count();
        let both = squares.filter(|(x, y)| odd(&first, *x, *y) && odd(&second, *x, *y)).count();
        let (first, second) = (shape(&first), shape(&second));
        prop_assert_eq!(measured(&first, None), own as f64);
        prop_assert_eq!(measured(&first, Some(&second)), both as f64);
    }
}
