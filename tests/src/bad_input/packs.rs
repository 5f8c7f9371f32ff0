//! What can be wrong with a pack: it is refused with the place and the reason, before anything starts; and
//! what the pack cannot know yet is said with the case.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gridward::embedded::Embedded;
use platform::clock::Clock;
use platform::pack::Pack;
use serde_json::json;
use tempfile::TempDir;

use super::office::Office;
use crate::pack_copy::PackCopy as Spoilt;
use crate::world::{monday_morning, packs};

impl Spoilt {
    /// Gives grid 111 other rings.
    fn ring(&self, ring: &[[f64; 2]]) -> &Self {
        self.edit("grids.geojson", |grids| grids["features"][0]["geometry"]["coordinates"] = json!([ring]))
    }

    fn accept(&self, digest: &str) -> &Self {
        self.edit("pack.json", |pack| pack["accepted_boundary_report"] = json!(digest))
    }

    /// Why nothing starts on it.
    async fn refused(&self) -> String {
        refused(&self.folder()).await
    }
}

/// Why nothing starts on a pack: what loading it or opening the services says.
async fn refused(folder: &Path) -> String {
    let pack = match Pack::load(folder) {
        Ok(pack) => Arc::new(pack),
        Err(fault) => return format!("{fault}\n{}", fault.zh()),
    };
    let data = TempDir::new().unwrap();
    match Embedded::open(data.path(), pack, Clock::driven(monday_morning())).await {
        Ok(_) => panic!("it was taken"),
        Err(error) => format!("{error:#}"),
    }
}

fn assert_says(said: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(said.contains(wanted), "wanted {wanted:?} in {said}");
    }
}

/// The line to add, as the refusal ends with it.
fn digest_to_accept(said: &str) -> String {
    let (_, rest) = said.rsplit_once("\"accepted_boundary_report\": \"").expect("the line to add");
    rest.split('"').next().unwrap().to_owned()
}

/// Grid 111 reaching into grid 112 by half.
const OVERLAPPING: [[f64; 2]; 5] =
    [[121.8, 29.9], [121.81, 29.9], [121.81, 29.915], [121.8, 29.915], [121.8, 29.9]];

/// The same four corners as a bow tie.
const CROSSED: [[f64; 2]; 5] =
    [[121.8, 29.9], [121.81, 29.91], [121.81, 29.9], [121.8, 29.91], [121.8, 29.9]];

#[tokio::test]
async fn a_ring_that_is_none_names_the_file_the_feature_and_what_to_do() {
    for (ring, said) in [
        (&OVERLAPPING[..4], "part 1, ring 1 is not closed; its last position must equal its first"),
        (&OVERLAPPING[..2], "part 1, ring 1 has 2 positions; 4 are the least"),
        (&[[29.9, 121.8]; 4][..], "looks like latitude first; GeoJSON has longitude first, swap them"),
        (&[[500_000.0, 3_300_000.0]; 4][..], "is no longitude and latitude, perhaps projected"),
    ] {
        let refused = Spoilt::copy().ring(ring).refused().await;
        assert_says(&refused, &["grids.geojson:3: feature 1 (code 990001001001001)", said]);
        assert_says(&refused, &[" / 第 1 个要素（编码 990001001001001）"]);
    }
}

#[tokio::test]
async fn a_ring_that_crosses_itself_is_reported_with_the_point_and_the_line_to_accept_it() {
    let spoilt = Spoilt::copy();
    let said = spoilt.ring(&CROSSED).refused().await;
    assert_says(&said, &["#1 990001001001001", "[121.805, 29.905] ring crosses itself 环自相交"]);
    assert_says(
        &said,
        &[
            "pack.json: nobody has accepted these faults",
            "write \"accepted_boundary_report\": ",
            "尚未有人确认以上问题",
        ],
    );
    spoilt.accept(&digest_to_accept(&said));
    Office::of(&spoilt.folder(), monday_morning()).await.closes_clean().await;
}

#[tokio::test]
async fn overlapping_grids_are_used_once_somebody_has_accepted_that_very_report() {
    let spoilt = Spoilt::copy();
    let said = spoilt.ring(&OVERLAPPING).refused().await;
    assert_says(
        &said,
        &["Overlapping features 重叠的要素: grids.geojson", "990001001001001 × 990001001001002"],
    );
    assert_says(&said, &["nobody has accepted these faults"]);
    let digest = digest_to_accept(&said);
    spoilt.accept(&digest);

    // Accepted: the lowest code has the place, and the other is written down with the case.
    let office = Office::of(&spoilt.folder(), monday_morning()).await;
    let mut report = office.new_report("road");
    report["place"]["lat"] = json!(29.912);
    let reported = office.post("/api/v1/reports", "worker-111", &report).await.with(201);
    let case = format!("{}?wait=10s", reported["case"].as_str().unwrap());
    let case = office.get(&case, "leader-111").await.with(200);
    let why = case["why"]["en"].as_str().unwrap();
    assert_says(why, &["990001001001002 holds it too, and the lowest code is taken"]);
    office.closes_clean().await;

    // Another overlap is another report, and nobody has accepted that one.
    let mut further = OVERLAPPING;
    (further[2][1], further[3][1]) = (29.916, 29.916);
    let stale = spoilt.ring(&further).refused().await;
    assert_says(&stale, &[&format!("another report was accepted ({digest})"), "已确认的是另一份报告"]);
    assert_ne!(digest_to_accept(&stale), digest);
}

#[tokio::test]
async fn an_outline_of_an_area_that_the_pack_does_not_list_is_refused_by_its_feature() {
    let spoilt = Spoilt::copy();
    spoilt
        .edit("grids.geojson", |grids| grids["features"][0]["properties"]["code"] = json!("990001001009009"));
    let said = spoilt.refused().await;
    assert_says(
        &said,
        &["grids.geojson:3: feature 1 (code 990001001009009): the list of areas has no such grid"],
    );
    assert_says(&said, &["/ 第 1 个要素（编码 990001001009009）：区域表中没有这个网格"]);
    let spoilt = Spoilt::copy();
    spoilt.edit("grids.geojson", |grids| grids["features"][0]["properties"]["code"] = json!("990001001002"));
    assert_says(
        &spoilt.refused().await,
        &["it is a community in the list of areas, but this file is of level grid"],
    );
}

#[tokio::test]
async fn every_boundary_fault_is_told_at_once_also_those_of_different_kinds() {
    let spoilt = Spoilt::copy();
    spoilt.edit("grids.geojson", |grids| {
        grids["features"][0]["properties"]["code"] = json!("990001001009009");
        grids["features"][1]["geometry"]["coordinates"][0][0] = json!([500_000.0, 3_000_000.0]);
        grids["features"][2]["properties"]["code"] = json!("");
    });
    let said = spoilt.refused().await;
    assert_says(
        &said,
        &[
            "feature 1 (code 990001001009009): the list of areas has no such grid",
            "feature 2 (code 990001001001002): [500000, 3000000] is no longitude and latitude",
            "feature 3: property \"code\" is blank; fill in the code / 第 3 个要素：属性 \"code\" 为空",
        ],
    );
}

#[tokio::test]
async fn a_border_rule_about_two_areas_that_share_none_is_refused_by_its_line() {
    let ruled = |areas: &str| {
        let spoilt = Spoilt::copy();
        spoilt.edit("pack.json", |pack| pack["borders"] = json!("borders.csv"));
        let table =
            format!("area,other,taken_by,within_m,categories,name_zh,name_en\n{areas},12,,示意路,Road\n");
        std::fs::write(spoilt.folder().join("borders.csv"), table).unwrap();
        spoilt
    };
    let apart = ruled("990001001001,990001002002,990001001001").refused().await;
    assert_says(
        &apart,
        &["borders.csv:2: 990001001001 and 990001002002 share no border", "are 19", "没有共界"],
    );
    let bare = ruled("990001001001001,990001001001002,990001001001001");
    bare.edit("grids.geojson", |grids| drop(grids["features"].as_array_mut().unwrap().remove(1)));
    assert_says(&bare.refused().await, &["borders.csv:2: 990001001001002 has no outline", "没有边界"]);
    let good = ruled("990001001001,990001001002,990001001001");
    Office::of(&good.folder(), monday_morning()).await.closes_clean().await;
}

#[test]
fn a_grid_that_nobody_outlined_is_said_and_no_reason_to_refuse() {
    let spoilt = Spoilt::copy();
    spoilt.edit("grids.geojson", |grids| drop(grids["features"].as_array_mut().unwrap().remove(0)));
    let said = route::published::without_outline(&Pack::load(&spoilt.folder()).unwrap()).unwrap();
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_says(&said[0], &["Grid 111 (synthetic) (990001001001001) has no outline", "没有边界"]);
    assert!(
        route::published::without_outline(&Pack::load(&packs().join("twostreets")).unwrap())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn an_empty_list_of_categories_is_refused_for_it_fits_nothing() {
    let spoilt = Spoilt::copy();
    spoilt.edit("pack.json", |pack| pack["routing"]["rules"][2]["categories"] = json!([]));
    let said = Pack::load(&spoilt.folder()).unwrap_err();
    let (en, zh) = (said.to_string(), said.zh());
    assert_says(
        &en,
        &["pack.json:", "routing.rules[2].categories: an empty list fits no category: leave it out"],
    );
    assert_says(&zh, &["空的类别清单不适用于任何事项"]);
}

#[test]
fn the_packs_that_come_along_have_boundaries_that_can_be_used() {
    for name in ["beilun", "boston", "pingshan", "tainan", "taipei", "tongxi", "twostreets"] {
        let pack = Pack::load(&packs().join(name)).unwrap();
        if let Err(fault) = route::published::boundaries(&pack) {
            panic!("{name}: {fault}");
        }
        assert!(route::published::without_outline(&pack).unwrap().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn boundaries_without_a_datum_are_refused_with_the_place_to_write_it() {
    let spoilt = Spoilt::copy();
    spoilt.edit("pack.json", |pack| drop(pack["boundaries"][0].as_object_mut().unwrap().remove("datum")));
    let said = spoilt.refused().await;
    assert_says(&said, &["pack.json:", "boundaries[0].datum: the boundary file grids.geojson has no datum"]);
    assert_says(&said, &["never guessed", "边界文件 grids.geojson没有声明坐标系"]);
}

#[tokio::test]
async fn boundaries_on_another_datum_than_they_are_said_to_be_are_put_where_they_belong() {
    let spoilt = Spoilt::copy();
    spoilt.edit("pack.json", |pack| pack["boundaries"][0]["datum"] = json!("GCJ-02"));
    let office = Office::of(&spoilt.folder(), monday_morning()).await;
    // 488 m away from where the same numbers on CGCS2000 are: near the border that is another grid.
    let case = office.case_of("road").await;
    let why = office.get(&case, "leader-111").await.with(200)["why"]["en"].as_str().unwrap().to_owned();
    assert_says(&why, &["inside its border"]);
    assert!(!why.contains("482 m"), "{why}");
    office.closes_clean().await;
}

#[tokio::test]
async fn every_fault_of_a_pack_is_told_at_once_with_file_and_line() {
    let spoilt = Spoilt::copy();
    spoilt.edit("pack.json", |pack| pack["policy"]["sign_limit"] = json!("10 minutes"));
    let people = spoilt.folder().join("people.csv");
    let text = std::fs::read_to_string(&people).unwrap();
    std::fs::write(
        people,
        text.replace("checker-1,示意核查员 1,Checker 1,checker", "checker-1,示意核查员 1,Checker 1,chequer"),
    )
    .unwrap();
    let said = spoilt.refused().await;
    assert_says(&said, &["pack.json:", "policy.sign_limit", "people.csv:14: `chequer` is not a role"]);
    let broken = Spoilt::copy();
    std::fs::write(broken.folder().join("grids.geojson"), "{\n\"type\": \"FeatureCollection\",\n").unwrap();
    assert_says(&broken.refused().await, &["grids.geojson:3:", ": not valid JSON ("]);
    std::fs::remove_file(broken.folder().join("areas.csv")).unwrap();
    assert_says(&broken.refused().await, &["the file areas.csv cannot be read"]);
}

#[tokio::test]
async fn a_deadline_that_counts_into_a_year_without_a_calendar_is_provisional() {
    let new_years_eve: DateTime<Utc> = "2026-12-31T01:00:00Z".parse().unwrap();
    let office = Office::open_at(new_years_eve).await;
    let case = office.case_of("road").await;
    let seen = office.get(&case, "leader-111").await.with(200);
    let deadlines: Vec<_> = seen["deadlines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|deadline| (deadline["kind"].as_str().unwrap(), deadline["provisional"].as_bool().unwrap()))
        .collect();
    assert_eq!(deadlines, [("sign", false), ("handle", true)]);
    let due: DateTime<Utc> = seen["deadlines"][1]["due_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        due,
        "2027-01-05T09:30:00Z".parse::<DateTime<Utc>>().unwrap(),
        "three weekdays, until better is known"
    );
    office.closes_clean().await;
}
