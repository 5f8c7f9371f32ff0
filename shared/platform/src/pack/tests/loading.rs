//! What a good pack gives.

use domain::area::{AreaPath, Level};
use domain::holder::Holder;
use domain::id::PersonId;
use domain::rights::Role;

use super::super::Person;
use super::{Copy, load};

#[test]
fn boston_loads_and_nobody_is_missing() {
    let pack = load("boston");
    assert_eq!((pack.code.as_str(), pack.calendar.zone_name()), ("boston", "America/New_York"));
    let count = |level| pack.areas.iter().filter(|area| area.level == level).count();
    assert_eq!([Level::Street, Level::Community, Level::Grid].map(count), [1, 22, 255]);
    assert_eq!(pack.areas.by_code("0101").unwrap().path.as_str(), "boston/01/0101");
    assert_eq!(pack.boundaries.iter().map(|file| file.pad).collect::<Vec<_>>(), [Some(4), Some(2)]);
    assert_eq!(pack.routing.fallback.to_string(), "street_desk:boston");
    assert_eq!(pack.warnings, []);
    let recorded = pack.recorded.unwrap();
    assert!(recorded.file.unwrap().is_file());
    assert_eq!(recorded.unlisted_category, Some("Other".into()));
    let truth =
        |n: usize| (recorded.truth[n].column.as_str(), recorded.truth[n].level, recorded.truth[n].pad);
    assert_eq!(truth(0), ("area_truth", Level::Community, Some(2)));
    assert_eq!(truth(1), ("area2_truth", Level::Grid, Some(4)));
}

#[test]
fn twostreets_loads_as_opaque_and_as_chinese_codes() {
    let pack = load("twostreets");
    assert_eq!(pack.areas.iter().count(), 15);
    assert_eq!(pack.warnings, []);
    assert_eq!(pack.categories[&"gas".into()].handle_limit.to_string(), "1m");
    assert!(pack.categories[&"dispute".into()].sensitive);
    let chinese = Copy::new().with("pack.json", "opaque", "chinese").load().unwrap();
    assert_eq!(chinese.areas.iter().count(), 15);
}

#[test]
fn people_are_found_by_the_post_they_work_for_and_by_what_they_are_over() {
    let people = load("twostreets").people;
    let ids = |found: Vec<&Person>| found.iter().map(|one| one.id.0.clone()).collect::<Vec<_>>();
    let desk: Holder = "street_desk:990001/990001002".parse().unwrap();
    assert_eq!(ids(people.working_for(&desk).collect()), ["desk-2a", "desk-2b"]);
    let grid: AreaPath = "990001/990001002/990001002001/990001002001002".parse().unwrap();
    let above = people.with_role_over(Role::Supervisor, &grid).collect();
    assert_eq!(ids(above), ["supervisor-2", "supervisor-county"]);
    assert_eq!(people.with_role_over(Role::Checker, &"990001".parse().unwrap()).count(), 0);
    let desk = people.get(&PersonId::from("desk-1a")).unwrap();
    assert_eq!(desk.grants[0].area.as_str(), "990001/990001001");
    assert_eq!(people.iter().count(), people.len());
}

#[test]
fn one_person_may_have_several_roles() {
    let checker = "checker-1,示意核查员 1,Checker 1";
    let desk = "desk-1a,示意指挥员 1a,Dispatcher 1a";
    let people = Copy::new().with("people.csv", checker, desk).load().unwrap().people;
    let grants = &people.get(&"desk-1a".into()).unwrap().grants;
    assert_eq!(grants.iter().map(|grant| grant.role).collect::<Vec<_>>(), [Role::StreetDesk, Role::Checker]);
}

#[test]
fn somebody_with_one_role_on_two_levels_is_found_once() {
    let county = "supervisor-county,示意区督查员,County supervisor";
    let street = "supervisor-1,示意督查员 1,Supervisor 1";
    let people = Copy::new().with("people.csv", county, street).load().unwrap().people;
    let street: AreaPath = "990001/990001001".parse().unwrap();
    assert_eq!(people.with_role_over(Role::Supervisor, &street).count(), 1);
}

#[test]
fn the_digest_follows_every_file_and_not_the_folder() {
    let digest = Copy::new().load().unwrap().digest;
    assert_eq!(digest, load("twostreets").digest);
    assert_eq!(digest.len(), 64);
    let changed = [
        Copy::new().with("people.csv", "Dispatcher 1a", "Dispatcher 1A"),
        Copy::new().with("grids.geojson", "121.81", "121.811"),
        Copy::new().with("../calendars/cn.json", "State Council", "The State Council"),
        Copy::new().with("pack.json", "Made up", "Invented"),
    ];
    for copy in changed {
        assert_ne!(copy.load().unwrap().digest, digest);
    }
}

#[test]
fn a_recorded_file_belongs_to_the_digest() {
    let recorded = "\"recorded\": { \"file\": \"past.csv\" },\n  \"policy\"";
    let with = |bytes| Copy::new().with("pack.json", "\"policy\"", recorded).with_bytes("past.csv", bytes);
    let (before, after) = (with(b"a").load().unwrap(), with(b"b").load().unwrap());
    assert_ne!(before.digest, after.digest);
    assert!(before.recorded.unwrap().truth.is_empty());
}

#[test]
fn spreadsheets_may_add_a_mark_blank_lines_and_carriage_returns() {
    let copy = Copy::new();
    let text = copy.text("people.csv").replace('\n', "\r\n\r\n");
    let text = format!("\u{feff}\r\n{text}\r\n,,,,\r\n   \r\n");
    let copy = copy.with_bytes("people.csv", text.as_bytes());
    assert_eq!(copy.load().unwrap().people.len(), load("twostreets").people.len());
    let line = text.lines().position(|line| line.starts_with("worker-111")).unwrap() + 1;
    let said = copy.with("people.csv", "worker-111,示意网格员 111", "worker-111,").fault().to_string();
    assert_eq!(said, format!("people.csv:{line}: name_zh is empty"));
}

#[test]
fn columns_may_stand_in_any_order() {
    let copy = Copy::new();
    let turn = |line: &str| line.split(',').rev().collect::<Vec<_>>().join(",");
    let turned: Vec<String> = copy.text("categories.csv").lines().map(turn).collect();
    let pack = copy.with_bytes("categories.csv", turned.join("\n").as_bytes()).load().unwrap();
    assert_eq!(pack.categories, load("twostreets").categories);
}

#[test]
fn a_placeholder_is_put_on_wgs84_like_the_places_it_is_compared_with() {
    let old = "\"datum\": \"CGCS2000\", \"name\"";
    let pack = Copy::new().with("pack.json", old, "\"datum\": \"GCJ-02\", \"name\"").load().unwrap();
    let spot = &pack.routing.placeholders[0];
    assert!((spot.lon - 121.8001).abs() > 0.003, "{spot:?}");
}

#[test]
fn a_post_without_anybody_is_a_warning_and_no_fault() {
    let line = "leader-111,示意网格长 111,Leader 111,grid_leader,990001001001001\n";
    let pack = Copy::new().with("people.csv", line, "").load().unwrap();
    let said: Vec<_> = pack.warnings.iter().map(|text| text.en.as_str()).collect();
    assert_eq!(said, ["nobody works as grid leader of Grid 111 (synthetic) (990001001001001)"]);
    assert_eq!(pack.warnings[0].zh, "示意网格 111（990001001001001）没有网格长人员");
}
