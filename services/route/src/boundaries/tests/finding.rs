//! `find` against a brute force of its own: another ray, in whole numbers, over every area.

use chrono::NaiveDate;
use geo::{LineString, MultiPolygon, Polygon};
use proptest::prelude::*;

use super::super::file::{Area, BoundaryFile};
use super::super::find::Boundaries;
use super::super::report::{Accepted, check};
use super::super::shape::rings;
use super::{area, day, declared, layer, square};

/// Builds whatever its faults are.
fn boundaries(layers: Vec<super::Layer>) -> Boundaries {
    let accepted = Accepted { digest: Some(check(&layers).digest()) };
    Boundaries::build(layers, &accepted).unwrap()
}

fn found(boundaries: &Boundaries, lon: f64, lat: f64) -> Vec<String> {
    let Some(found) = boundaries.find(lon, lat, day()) else { return Vec::new() };
    std::iter::once(found.code()).chain(found.other_codes()).map(str::to_owned).collect()
}

#[test]
fn a_border_belongs_to_both_and_goes_to_the_lowest_code_as_text() {
    let areas = vec![square("9", 0.0, 0.0, 1.0), square("10", 1.0, 0.0, 1.0), square("2", 0.0, 1.0, 2.0)];
    let all = boundaries(vec![layer(declared("f", "grid", "id"), areas)]);
    assert_eq!(found(&all, 1.0, 0.5), ["10", "9"]);
    assert_eq!(found(&all, 1.0, 1.0), ["10", "2", "9"]);
    assert_eq!(found(&all, 0.5, 0.5), ["9"]);
    assert_eq!(found(&all, 3.0, 0.5), [""; 0]);
    assert_eq!(found(&all, f64::NAN, 0.5), [""; 0]);
    let on_border = |lon| all.find(lon, 0.5, day()).unwrap().on_border;
    assert!(on_border(1.0) && !on_border(0.5));
}

#[test]
fn exclusive_areas_win_and_the_next_level_takes_what_is_left() {
    let exclusive = BoundaryFile { exclusive: true, ..declared("park", "grid", "id") };
    let all = boundaries(vec![
        layer(declared("grids", "grid", "id"), vec![square("1", 0.0, 0.0, 2.0)]),
        layer(exclusive, vec![square("9", 1.0, 1.0, 1.0)]),
        layer(declared("streets", "street", "id"), vec![square("s", 0.0, 0.0, 4.0)]),
    ]);
    assert_eq!(found(&all, 1.5, 1.5), ["9", "1"]);
    assert_eq!(found(&all, 0.5, 0.5), ["1"]);
    assert_eq!(found(&all, 3.0, 3.0), ["s"]);
    assert_eq!(all.find(3.0, 3.0, day()).unwrap().file.level, "street");
    assert!(all.find(1.5, 1.5, day()).unwrap().file.exclusive);
}

/// Near the equator a ten-thousandth of a degree is 11 m.
#[test]
fn what_is_near_a_point_is_told_with_how_far_it_is_for_its_level_and_day_only() {
    let ended = BoundaryFile { valid_to: Some(day()), ..declared("old", "grid", "id") };
    let all = boundaries(vec![
        layer(declared("f", "grid", "id"), vec![square("1", 0.0, 0.0, 1.0), square("2", 1.0, 0.0, 1.0)]),
        layer(ended, vec![square("3", 0.0, 0.0, 2.0)]),
        layer(declared("g", "street", "id"), vec![square("s", 0.0, 0.0, 2.0)]),
    ]);
    let near = |lon: f64, metres: f64| {
        let mut near: Vec<(String, f64)> = all
            .near("grid", (lon, 0.5), day(), metres)
            .into_iter()
            .map(|(area, away)| (area.code.clone(), away.round()))
            .collect();
        near.sort_by(|one, other| one.0.cmp(&other.0));
        near
    };
    let both = |away: f64| vec![("1".to_owned(), 0.0), ("2".to_owned(), away)];
    assert_eq!(near(0.9999, 12.0), both(11.0));
    assert_eq!(near(0.9999, 10.0), [("1".to_owned(), 0.0)]);
    assert_eq!(near(1.0, 0.0), both(0.0), "a border belongs to both");
    assert!(near(2.001, 10.0).is_empty());
}

#[test]
fn two_areas_are_as_far_apart_as_their_borders() {
    let one = square("1", 0.0, 0.0, 1.0);
    assert!(one.distance_m(&square("2", 1.0, 0.5, 0.1)) < 0.001, "they touch, with no corner in common");
    let apart = one.distance_m(&square("3", 1.0001, 0.0, 1.0));
    assert!((10.0..12.0).contains(&apart), "{apart}");
}

#[test]
fn the_version_in_force_on_the_day_is_used() {
    let cut = NaiveDate::from_ymd_opt(2017, 1, 1).unwrap();
    let old = BoundaryFile { valid_to: Some(cut), ..declared("old", "grid", "id") };
    let new = BoundaryFile { valid_from: cut, ..declared("new", "grid", "id") };
    let all = boundaries(vec![
        layer(old, vec![square("1", 0.0, 0.0, 2.0)]),
        layer(new, vec![square("1", 0.0, 0.0, 1.0), square("2", 1.0, 0.0, 1.0)]),
    ]);
    let code = |at: NaiveDate| all.find(1.5, 0.5, at).map(|found| found.code().to_owned());
    assert_eq!(code(cut.pred_opt().unwrap()).as_deref(), Some("1"));
    assert_eq!(code(cut).as_deref(), Some("2"));
    assert_eq!(code(NaiveDate::from_ymd_opt(1999, 12, 31).unwrap()), None);
}

#[test]
fn ground_that_nothing_covers_on_a_day_is_told_by_file_and_what_is_cut_in_two_that_day_is_none() {
    let cut = NaiveDate::from_ymd_opt(2017, 1, 1).unwrap();
    let old = || BoundaryFile { valid_to: Some(cut), ..declared("old", "grid", "id") };
    let new = || BoundaryFile { valid_from: cut, ..declared("new", "grid", "id") };
    let uncovered = |layers: Vec<super::Layer>, at: NaiveDate| -> Vec<String> {
        let all = boundaries(layers);
        let told = |(file, areas): (&BoundaryFile, Vec<&Area>)| {
            areas.iter().map(|area| format!("{} {}", file.file, area.code)).collect::<Vec<_>>()
        };
        all.uncovered(at).into_iter().flat_map(told).collect()
    };
    let half = |code: &str, west: f64| {
        area(code, &[&[(west, 0.0), (west + 1.0, 0.0), (west + 1.0, 2.0), (west, 2.0)]])
    };
    let halves = || vec![half("1a", 0.0), half("1b", 1.0)];
    let split = || vec![layer(old(), vec![square("1", 0.0, 0.0, 2.0)]), layer(new(), halves())];
    let before = cut.pred_opt().unwrap();
    assert_eq!(uncovered(split(), before), [""; 0]);
    assert_eq!(uncovered(split(), cut), [""; 0]);

    let elsewhere = vec![square("1a", 0.0, 0.0, 2.0), square("9", 5.0, 5.0, 1.0)];
    let early = || vec![layer(old(), vec![square("1", 0.0, 0.0, 2.0)]), layer(new(), elsewhere.clone())];
    assert_eq!(uncovered(early(), before), ["new 9"], "it is nobody's until then");
    assert_eq!(uncovered(early(), cut), [""; 0]);
    let alone = |file: BoundaryFile| vec![layer(file, vec![square("1", 0.0, 0.0, 2.0)])];
    assert_eq!(uncovered(alone(new()), before), ["new 1"]);
    assert_eq!(uncovered(alone(new()), cut), [""; 0]);
    assert_eq!(uncovered(alone(old()), cut), ["old 1"], "it has ended, and nothing follows");
    let street = layer(declared("streets", "street", "id"), vec![square("s", 0.0, 0.0, 4.0)]);
    assert_eq!(
        uncovered([alone(new()), vec![street]].concat(), before),
        [""; 0],
        "its street has it till then"
    );
}

#[test]
fn the_distance_is_to_the_chosen_areas_own_border() {
    let all = boundaries(vec![layer(declared("f", "grid", "id"), vec![square("1", 0.0, 60.0, 1.0)])]);
    let metres = |lon, lat| all.find(lon, lat, day()).unwrap().border_distance_m();
    // 0.001° is 111.2 m to the south; at 60° north, half of that to the west.
    assert!((metres(0.5, 60.001) - 111.195).abs() < 0.01);
    assert!((metres(0.001, 60.5) - 54.755).abs() < 0.01);
    assert_eq!(metres(0.5, 60.0), 0.0);
}

/// A corner in quarter degrees, so that products stay whole and `f64` holds them exactly.
type Corner = (i64, i64);

fn corners() -> impl Strategy<Value = Vec<Corner>> {
    prop::collection::vec((0..8i64, 0..8i64), 3..9)
}

fn rough_area(index: usize, outlines: &[Vec<Corner>]) -> Area {
    let degrees = |&(x, y): &Corner| (x as f64 / 2.0, y as f64 / 2.0);
    let closed =
        |outline: &Vec<Corner>| LineString::from_iter(outline.iter().chain(outline.first()).map(degrees));
    let parts = outlines.iter().map(|outline| Polygon::new(closed(outline), vec![]));
    Area { feature: index + 1, code: format!("{index}"), shape: MultiPolygon(parts.collect()) }
}

/// Even-odd with a ray to the north, in whole numbers.
fn holds(area: &Area, (x, y): Corner) -> bool {
    let whole = |value: f64| (value * 4.0) as i64;
    let mut odd = false;
    for edge in rings(&area.shape).flat_map(LineString::lines) {
        let (ax, ay, bx, by) =
            (whole(edge.start.x), whole(edge.start.y), whole(edge.end.x), whole(edge.end.y));
        let turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
        let in_box = ax.min(bx) <= x && x <= ax.max(bx) && ay.min(by) <= y && y <= ay.max(by);
        if turn == 0 && in_box {
            return true;
        }
        let edge_is_north = if bx > ax { turn < 0 } else { turn > 0 };
        odd ^= (ax <= x) != (bx <= x) && edge_is_north;
    }
    odd
}

/// Whether `find` answers as the brute force does, on corners, on edges, and between.
fn agrees(outlines: &[Vec<Vec<Corner>>]) -> Result<(), TestCaseError> {
    let areas: Vec<Area> =
        outlines.iter().enumerate().map(|(index, rings)| rough_area(index, rings)).collect();
    let all = boundaries(vec![layer(declared("f", "grid", "id"), areas.clone())]);
    for (x, y) in (-1..16).flat_map(|x| (-1..16).map(move |y| (x, y))) {
        let holding = areas.iter().filter(|area| holds(area, (x, y)));
        let expected: Vec<String> = holding.map(|area| area.code.clone()).collect();
        prop_assert_eq!(found(&all, x as f64 / 4.0, y as f64 / 4.0), expected, "at {} {} quarters", x, y);
    }
    Ok(())
}

#[test]
fn rings_on_which_the_overlay_of_geo_panics_are_checked_and_searched_like_any() {
    let triangle = vec![(5, 7), (4, 0), (0, 0)];
    let touches_itself = vec![(5, 7), (5, 0), (6, 0), (5, 7), (4, 1), (3, 1)];
    agrees(&[vec![triangle.clone(), touches_itself.clone()]]).unwrap();
    agrees(&[vec![triangle], vec![touches_itself]]).unwrap();
}

proptest! {
    /// Rings that cross, touch and cover themselves and each other in every way.
    #[test]
    fn agrees_with_brute_force(outlines in prop::collection::vec(prop::collection::vec(corners(), 1..3), 1..6)) {
        agrees(&outlines)?;
    }
}
