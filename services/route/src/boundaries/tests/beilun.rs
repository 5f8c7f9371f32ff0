//! The illustrative Chinese street: made-up grids that leave no gap, and exclusive ones that go before them.

use std::path::Path;

use chrono::NaiveDate;
use platform::pack::Pack;
use proptest::prelude::*;

use super::super::find::Boundaries;
use crate::published::boundaries;

fn street() -> (Pack, Boundaries) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/packs/beilun");
    let pack = Pack::load(Path::new(folder)).unwrap();
    let boundaries = boundaries(&pack).unwrap();
    (pack, boundaries)
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

/// Millionths of a degree: the rectangle in which the grids are drawn.
const LON: std::ops::RangeInclusive<i32> = 121_800_000..=121_885_000;
const LAT: std::ops::RangeInclusive<i32> = 29_875_000..=29_933_000;

fn ordinary<'a>(found: &super::super::find::Found<'a>) -> Vec<&'a str> {
    let all = std::iter::once(found.area).chain(found.others.iter().copied());
    all.map(|area| area.code.as_str()).filter(|code| !code[12..].starts_with('9')).collect()
}

#[test]
fn there_are_143_grids_in_35_communities_and_two_exclusive_ones() {
    let (pack, boundaries) = street();
    let [grids, exclusive] = boundaries.layers() else { panic!("two files") };
    assert_eq!((grids.areas.len(), exclusive.areas.len()), (143, 2));
    let in_street = |code: &str| code.starts_with("330206002");
    assert!(grids.areas.iter().all(|grid| in_street(&grid.code) && pack.areas.by_code(&grid.code).is_some()));
    let mut communities: Vec<&str> = grids.areas.iter().map(|grid| &grid.code[..12]).collect();
    communities.dedup();
    assert_eq!(communities.len(), 35);
    assert!(pack.boundaries.iter().all(|file| file.text.contains("示意网格，非法定界线")));
}

#[test]
fn a_point_in_an_exclusive_grid_is_its_own_and_elsewhere_the_ordinary_grids() {
    let (_, boundaries) = street();
    let quarter = boundaries.find(121.839, 29.904, day()).unwrap();
    assert!(quarter.file.exclusive && quarter.code() == "330206002021901", "{}", quarter.code());
    assert_eq!(ordinary(&quarter).len(), 1);
    assert!(!boundaries.find(121.81, 29.88, day()).unwrap().file.exclusive);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// A point on a border is in every grid it bounds; all others are in one.
    #[test]
    fn every_point_of_the_street_lies_in_exactly_one_ordinary_grid(lon in LON, lat in LAT) {
        thread_local!(static STREET: Boundaries = street().1);
        STREET.with(|boundaries| {
            let (lon, lat) = (f64::from(lon) / 1e6, f64::from(lat) / 1e6);
            let found = boundaries.find(lon, lat, day());
            let found = found.ok_or_else(|| TestCaseError::fail("it is in no grid"))?;
            let grids = ordinary(&found);
            let on_border = boundaries.layers()[0].areas.iter().any(|grid| grid.border_distance_m(lon, lat) == 0.0);
            prop_assert!(grids.len() == 1 || (on_border && grids.len() > 1), "{:?}", grids);
            Ok(())
        })?;
    }
}
