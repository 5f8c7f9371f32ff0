//! Reading by the even-odd rule gives every point the membership it has after the usual repair.
//!
//! The repaired shapes below were made by GEOS (`make_valid`, method *linework*) from the rings
//! beside them, and are asked through `geo`'s own `Intersects`, which shares no code with ours.

use geo::{Intersects, MultiPolygon, Point, coord, wkt};

use super::super::shape::{Side, side};

/// Every quarter degree on and around the shapes, all exact: corners, edges and grounds.
fn points() -> impl Iterator<Item = (f64, f64)> {
    let steps = || (-2..=18).map(|step| f64::from(step) / 4.0);
    steps().flat_map(move |x| steps().map(move |y| (x, y)))
}

fn assert_same(published: &MultiPolygon<f64>, repaired: &impl Intersects<Point<f64>>) {
    for (x, y) in points() {
        let ours = side(published, coord! { x: x, y: y }) != Side::Outside;
        assert_eq!(ours, repaired.intersects(&Point::new(x, y)), "at {x} {y} of {published:?}");
    }
}

#[test]
fn crossing_rings() {
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,4. 4.,4. 0.,0. 4.,0. 0.)))),
        &wkt!(MULTIPOLYGON(((0. 4.,2. 2.,0. 0.,0. 4.)),((4. 0.,2. 2.,4. 4.,4. 0.)))),
    );
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,2. 4.,2. 1.,3. 1.,3. 3.,0. 3.,0. 0.)))),
        &wkt!(POLYGON((2. 4.,4. 4.,4. 0.,0. 0.,0. 3.,2. 3.,2. 4.),(2. 1.,3. 1.,3. 3.,2. 3.,2. 1.))),
    );
}

#[test]
fn touching_rings() {
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,2. 0.,0. 4.,0. 0.)))),
        &wkt!(MULTIPOLYGON(((0. 4.,2. 0.,0. 0.,0. 4.)),((4. 0.,2. 0.,4. 4.,4. 0.)))),
    );
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,2. 0.,1. 2.,3. 2.,2. 0.,4. 0.,4. 4.,0. 4.,0. 0.)))),
        &wkt!(POLYGON((0. 0.,0. 4.,4. 4.,4. 0.,2. 0.,0. 0.),(3. 2.,1. 2.,2. 0.,3. 2.))),
    );
}

#[test]
fn spikes() {
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,2. 0.,2. 2.,4. 2.,2. 2.,0. 2.,0. 0.)))),
        &wkt!(GEOMETRYCOLLECTION(POLYGON((2. 0.,0. 0.,0. 2.,2. 2.,2. 0.)),LINESTRING(2. 2.,4. 2.))),
    );
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 2.,2. 2.,4. 2.,4. 4.,0. 4.,0. 0.)))),
        &wkt!(POLYGON((4. 0.,0. 0.,0. 4.,4. 4.,4. 2.,4. 0.))),
    );
}

#[test]
fn rings_and_parts_that_cross() {
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,3. 0.,3. 4.,0. 4.,0. 0.),(1. 1.,4. 1.,4. 3.,1. 3.,1. 1.)))),
        &wkt!(MULTIPOLYGON(((0. 4.,3. 4.,3. 3.,1. 3.,1. 1.,3. 1.,3. 0.,0. 0.,0. 4.)),((4. 3.,4. 1.,3. 1.,3. 3.,4. 3.)))),
    );
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,3. 0.,3. 3.,0. 3.,0. 0.)),((1. 1.,4. 1.,4. 4.,1. 4.,1. 1.)))),
        &wkt!(MULTIPOLYGON(((0. 3.,1. 3.,1. 1.,3. 1.,3. 0.,0. 0.,0. 3.)),((1. 4.,4. 4.,4. 1.,3. 1.,3. 3.,1. 3.,1. 4.)))),
    );
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,0. 4.,0. 0.),(0.5 0.5,3.5 0.5,3.5 3.5,0.5 3.5,0.5 0.5),(1. 1.,2. 1.,2. 2.,1. 2.,1. 1.)))),
        &wkt!(MULTIPOLYGON(((2. 2.,2. 1.,1. 1.,1. 2.,2. 2.)),((4. 4.,4. 0.,0. 0.,0. 4.,4. 4.),(3.5 3.5,0.5 3.5,0.5 0.5,3.5 0.5,3.5 3.5)))),
    );
    assert_same(
        &wkt!(MULTIPOLYGON(((0. 0.,2. 0.,2. 4.,0. 4.,0. 0.)),((2. 0.,4. 0.,4. 4.,2. 4.,2. 0.)))),
        &wkt!(POLYGON((0. 4.,2. 4.,4. 4.,4. 0.,2. 0.,0. 0.,0. 4.))),
    );
}

/// The documented difference: *linework* fills this hole, we leave it out, as its publisher drew it.
#[test]
fn a_hole_along_the_outer_ring_stays_a_hole() {
    let published = wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,0. 4.,0. 0.),(2. 1.,4. 1.,4. 3.,2. 3.,2. 1.))));
    assert_eq!(side(&published, coord! { x: 3.0, y: 2.0 }), Side::Outside);
    assert_eq!(side(&published, coord! { x: 4.0, y: 2.0 }), Side::Border);
    assert_eq!(side(&published, coord! { x: 1.0, y: 2.0 }), Side::Inside);
}
