//! A grid named by hand is a point in that grid: discover reads the point from the pack's boundaries by itself, and
//! route, which knows them exactly, finds that very grid there.

use domain::area::Level;
use domain::place::to_wgs84;
use platform::pack::{GridPoints, Pack};

use crate::world::packs;

#[test]
fn every_grid_of_every_pack_has_a_point_that_route_finds_in_it() {
    for (name, day) in [
        ("twostreets", "2026-03-02"),
        ("tongxi", "2026-03-02"),
        ("beilun", "2026-03-02"),
        ("boston", "2011-08-01"),
    ] {
        let pack = Pack::load(&packs().join(name)).unwrap();
        let boundaries = route::published::boundaries(&pack).unwrap();
        let (points, day) = (GridPoints::of(&pack), day.parse().unwrap());
        let mut grids = 0;
        for grid in pack.areas.iter().filter(|area| area.level == Level::Grid) {
            let code = grid.path.code();
            let (inside, datum) =
                points.on(code, day).unwrap_or_else(|| panic!("{name}: {code} has no point"));
            let (lon, lat) = to_wgs84(datum, inside.lon, inside.lat);
            let found = boundaries.find(lon, lat, day);
            let found =
                found.unwrap_or_else(|| panic!("{name}: the point of {code} lies in no grid: {inside:?}"));
            assert_eq!(found.code(), code, "{name}: {inside:?}, beside {:?}", found.other_codes());
            assert!(!found.on_border, "{name}: {code} {inside:?}");
            assert!((1.0..50_000.0).contains(&inside.radius_m), "{name}: {code} {inside:?}");
            grids += 1;
        }
        assert!(grids >= 8, "{name}: {grids}");
    }
}
