//! Each way a shape can be wrong is named, with its point; sound shapes are left in peace.

use geo::{MultiPolygon, wkt};

use super::super::fault::BoundaryFault;
use super::super::file::BoundaryFile;
use super::super::find::Boundaries;
use super::super::flaws::flaws;
use super::super::report::{Accepted, Reason, check};
use super::{area, day, declared, layer, square};

fn reasons(shape: &MultiPolygon<f64>) -> Vec<(Reason, f64, f64)> {
    flaws(shape).into_iter().map(|flaw| (flaw.reason, flaw.lon, flaw.lat)).collect()
}

#[test]
fn sound_shapes_have_no_flaw() {
    for sound in [
        wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,0. 4.,0. 0.)))),
        // A hole may touch the outer ring in a point, parts may touch in a point, positions may repeat.
        wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,0. 4.,0. 0.),(0. 2.,2. 1.,2. 3.,0. 2.)))),
        wkt!(MULTIPOLYGON(((0. 0.,2. 0.,2. 2.,0. 2.,0. 0.)),((2. 2.,4. 2.,4. 4.,2. 4.,2. 2.)))),
        wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 0.,4. 4.,0. 4.,0. 0.,0. 0.)))),
        wkt!(MULTIPOLYGON(((0. 0.,4. 0.,2. 4.,0. 0.)))),
        // An island in a hole.
        wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,0. 4.,0. 0.),(1. 1.,3. 1.,3. 3.,1. 3.,1. 1.)),((1.5 1.5,2. 1.5,2. 2.,1.5 1.5)))),
    ] {
        assert_eq!(reasons(&sound), [], "{sound:?}");
    }
}

#[test]
fn rings_that_meet_themselves() {
    assert_eq!(
        reasons(&wkt!(MULTIPOLYGON(((0. 0.,4. 4.,4. 0.,0. 4.,0. 0.))))),
        [(Reason::CrossesItself, 2.0, 2.0)]
    );
    assert_eq!(
        reasons(&wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,2. 0.,0. 4.,0. 0.))))),
        [(Reason::TouchesItself, 2.0, 0.0)]
    );
    let spike = reasons(&wkt!(MULTIPOLYGON(((0. 0.,2. 0.,2. 2.,4. 2.,2. 2.,0. 2.,0. 0.)))));
    assert!(spike.contains(&(Reason::RunsBack, 2.0, 2.0)), "{spike:?}");
    let flat = reasons(&wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 0.,0. 0.)))));
    assert!(flat.contains(&(Reason::TooFewPoints, 0.0, 0.0)), "{flat:?}");
    let twice = reasons(&wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,0. 0.,4. 0.,4. 4.,0. 0.)))));
    assert!(twice.contains(&(Reason::NoGround, 0.0, 0.0)), "{twice:?}");
}

#[test]
fn rings_that_meet_each_other() {
    let has = |shape: &MultiPolygon<f64>, reason| reasons(shape).iter().any(|found| found.0 == reason);
    let crossing = wkt!(MULTIPOLYGON(((0. 0.,3. 0.,3. 4.,0. 4.,0. 0.),(1. 1.,4. 1.,4. 3.,1. 3.,1. 1.))));
    assert!(has(&crossing, Reason::CrossesRing) && has(&crossing, Reason::HoleOutside));
    let along = wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,0. 4.,0. 0.),(2. 1.,4. 1.,4. 3.,2. 3.,2. 1.))));
    assert!(has(&along, Reason::SharesEdge) && !has(&along, Reason::HoleOutside));
    let nested = wkt!(MULTIPOLYGON(((0. 0.,9. 0.,9. 9.,0. 9.,0. 0.),(1. 1.,8. 1.,8. 8.,1. 1.),(5. 3.,6. 3.,6. 4.,5. 3.))));
    assert_eq!(reasons(&nested), [(Reason::HoleInHole, 5.0, 3.0)]);
    let part_in_part = wkt!(MULTIPOLYGON(((0. 0.,4. 0.,4. 4.,0. 4.,0. 0.)),((1. 1.,2. 1.,2. 2.,1. 1.))));
    assert_eq!(reasons(&part_in_part), [(Reason::PartsOverlap, 1.0, 1.0)]);
}

#[test]
fn overlaps_are_measured_and_shared_borders_are_none() {
    let areas = vec![square("b", 0.0, 0.0, 1.0), square("a", 1.0, 0.0, 1.0), square("c", 1.999, 0.0, 1.0)];
    let report = check(&[layer(declared("f", "grid", "id"), areas)]);
    let overlaps = &report.files[0].overlaps;
    assert_eq!(overlaps.len(), 1);
    assert_eq!((overlaps[0].first.as_str(), overlaps[0].second.as_str()), ("a", "c"));
    // A strip of 0.001° × 1° at the equator.
    assert!((overlaps[0].area_m2 / 12.364e6 - 1.0).abs() < 0.001, "{}", overlaps[0].area_m2);
}

#[test]
fn files_of_one_level_are_compared_too_unless_one_is_exclusive() {
    let ordinary = || layer(declared("a", "grid", "id"), vec![square("1", 0.0, 0.0, 1.0)]);
    let rival = |exclusive| {
        let file = BoundaryFile { exclusive, ..declared("b", "grid", "id") };
        layer(file, vec![square("2", 0.5, 0.5, 1.0)])
    };
    assert_eq!(check(&[ordinary(), rival(false)]).across.len(), 1);
    assert!(check(&[ordinary(), rival(true)]).is_clean());
    assert_eq!(check(&[ordinary(), rival(false)]).digest(), check(&[rival(false), ordinary()]).digest());
}

#[test]
fn faults_are_refused_until_this_very_report_is_accepted() {
    let flawed = || {
        layer(
            declared("f", "grid", "id"),
            vec![area("a", &[&[(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0)]])],
        )
    };
    let other = || {
        layer(
            declared("f", "grid", "id"),
            vec![area("a", &[&[(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 3.0)]])],
        )
    };
    let digest = check(&[flawed()]).digest();
    let line = format!("\"accepted_boundary_report\": \"{digest}\"");
    let accepted = Accepted { digest: Some(digest) };

    let refused = Boundaries::build(vec![flawed()], &Accepted::default()).unwrap_err();
    assert!(matches!(refused.all(), [BoundaryFault::NotAccepted { .. }]));
    assert!(refused.to_string().contains(&line), "{refused}");
    let stale = Boundaries::build(vec![other()], &accepted).unwrap_err();
    assert!(stale.to_string().contains("another report was accepted"), "{stale}");
    let built = Boundaries::build(vec![flawed()], &accepted).unwrap();
    assert_eq!(built.find(0.5, 2.0, day()).map(|found| found.code().to_owned()).as_deref(), Some("a"));
}

#[test]
fn mixed_datums_and_codes_given_twice_are_refused() {
    use domain::place::Datum;
    let grids = |name: &str, datum| {
        let file = BoundaryFile { datum: Some(datum), ..declared(name, "grid", "id") };
        layer(file, vec![square("1", 0.0, 0.0, 1.0)])
    };
    let build = |layers| Boundaries::build(layers, &Accepted::default());
    let mixed = build(vec![grids("a", Datum::Wgs84), grids("b", Datum::Gcj02)]).unwrap_err();
    let [BoundaryFault::MixedDatums { .. }, BoundaryFault::CodeTwice { .. }] = mixed.all() else {
        panic!("both are told: {mixed}")
    };
    let twice = build(vec![grids("a", Datum::Wgs84), grids("b", Datum::Cgcs2000)]).unwrap_err();
    assert!(matches!(twice.all(), [BoundaryFault::CodeTwice { .. }]), "{twice}");
}
