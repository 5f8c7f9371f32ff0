//! Every fault of a file is named with its place, and sound files are read as they are.

use chrono::NaiveDate;

use super::super::fault::{BoundaryFault, FeatureFault};
use super::super::file::BoundaryFile;
use super::super::read::read;
use super::declared;
use domain::place::Datum;

const SQUARE: &str = "[[[0,0],[1,0],[1,1],[0,0]]]";

fn polygon(id: &str, coordinates: &str) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"id":{id}}},"geometry":{{"type":"Polygon","coordinates":{coordinates}}}}}"#
    )
}

fn collection(features: &[String]) -> String {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}

fn file() -> BoundaryFile {
    declared("grids.geojson", "grid", "id")
}

/// The one fault of a file.
fn refused(text: &str, file: &BoundaryFile) -> BoundaryFault {
    let faults = read(text, file).unwrap_err();
    let [fault] = faults.all() else { panic!("{faults}") };
    fault.clone()
}

fn feature_fault(text: &str) -> (usize, Option<String>, FeatureFault) {
    match refused(text, &file()) {
        BoundaryFault::Feature { feature, code, fault, .. } => (feature, code, fault),
        other => panic!("{other}"),
    }
}

/// The fault of a second feature with this outline, after a sound first one.
fn second_fault(coordinates: &str) -> FeatureFault {
    let (feature, code, fault) =
        feature_fault(&collection(&[polygon("\"a\"", SQUARE), polygon("\"b\"", coordinates)]));
    assert_eq!((feature, code.as_deref()), (2, Some("b")));
    fault
}

#[test]
fn codes_are_text_and_padded_on_the_left() {
    let text = collection(&[polygon("\"1\"", SQUARE), polygon("12", SQUARE), polygon("\" 0502A \"", SQUARE)]);
    let layer = read(&text, &BoundaryFile { pad: Some(4), ..file() }).unwrap();
    let codes: Vec<_> = layer.areas.iter().map(|area| area.code.as_str()).collect();
    assert_eq!(codes, ["0001", "0012", "0502A"]);
}

#[test]
fn padding_can_make_two_codes_one() {
    let text = collection(&[polygon("\"1\"", SQUARE), polygon("\"01\"", SQUARE)]);
    let fault = refused(&text, &BoundaryFile { pad: Some(2), ..file() });
    let shown = fault.to_string();
    assert!(shown.contains("grids.geojson:1: feature 2 (code 01): same code as feature 1"), "{shown}");
    assert!(shown.contains("第 2 个要素（编码 01）：编码与第 1 个要素重复"), "{shown}");
}

#[test]
fn a_feature_is_named_by_the_line_it_begins_on() {
    let features = [polygon("\"a\"", SQUARE), polygon("null", SQUARE)].join(",\n\n");
    let text = format!("{{\"type\":\"FeatureCollection\",\n\"features\":[\n{features}]}}");
    let shown = refused(&text, &file()).to_string();
    assert!(shown.contains("grids.geojson:5: feature 2: no property"), "{shown}");
    assert!(shown.contains(" / 第 2 个要素：缺少属性"), "{shown}");
}

#[test]
fn every_feature_that_cannot_be_used_is_told_at_once_a_line_each_in_english_and_chinese() {
    let open = "[[[0,0],[1,0],[1,1],[0,1]]]";
    let features =
        [polygon("\"a\"", SQUARE), polygon("null", SQUARE), polygon("\"a\"", SQUARE), polygon("\"b\"", open)];
    let text = format!("{{\"type\":\"FeatureCollection\",\"features\":[\n{}]}}", features.join(",\n"));
    let shown = read(&text, &file()).unwrap_err().to_string();
    let lines: Vec<&str> = shown.lines().collect();
    let begins = [
        "grids.geojson:3: feature 2: no property \"id\"; add the code, or correct \"key\" in pack.json / 第 2 个要素：",
        "grids.geojson:4: feature 3 (code a): same code as feature 1; correct one, or join both / 第 3 个要素（编码 a）：",
        "grids.geojson:5: feature 4 (code b): part 1, ring 1 is not closed; its last position must equal its first / 第 4 ",
    ];
    assert_eq!(lines.len(), begins.len(), "{shown}");
    for (line, begins) in lines.iter().zip(begins) {
        assert!(line.starts_with(begins), "{line}");
    }
}

#[test]
fn of_many_faults_the_first_twenty_are_told_and_the_others_counted() {
    let text = collection(&vec![polygon("null", SQUARE); 23]);
    let shown = read(&text, &file()).unwrap_err().to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 21, "{shown}");
    assert!(lines[19].starts_with("grids.geojson:1: feature 20: "), "{shown}");
    assert_eq!(lines[20], "and 3 more / 另有 3 处");
}

#[test]
fn broken_json_is_named_by_line_and_column() {
    let fault = refused("{\"type\":\n  oops}", &file());
    let BoundaryFault::BrokenJson { line, column, .. } = fault else { panic!("{fault}") };
    assert_eq!((line, column), (2, 3));
    assert!(matches!(refused("[NaN]", &file()), BoundaryFault::BrokenJson { .. }));
}

#[test]
fn other_json_is_no_collection() {
    for text in ["[]", "{}", r#"{"type":"Feature"}"#, r#"{"type":"FeatureCollection","features":{}}"#] {
        assert!(matches!(refused(text, &file()), BoundaryFault::NotACollection { .. }), "{text}");
    }
    assert!(matches!(refused(&collection(&[]), &file()), BoundaryFault::NoFeatures { .. }));
}

#[test]
fn a_file_without_a_datum_is_refused() {
    let fault = refused(&collection(&[polygon("1", SQUARE)]), &BoundaryFile { datum: None, ..file() });
    assert!(matches!(fault, BoundaryFault::NoDatum { .. }));
    assert!(fault.to_string().contains("\"datum\""));
}

#[test]
fn a_file_that_is_never_in_force_is_refused() {
    let same_day = BoundaryFile { valid_to: Some(file().valid_from), ..file() };
    let fault = refused(&collection(&[polygon("1", SQUARE)]), &same_day);
    assert!(matches!(fault, BoundaryFault::NeverInForce { .. }));
}

#[test]
fn the_key_must_be_there_and_say_something() {
    let fault_of = |id: &str| feature_fault(&collection(&[polygon(id, SQUARE)])).2;
    let key = || "id".to_owned();
    assert_eq!(fault_of("null"), FeatureFault::NoKey { key: key() });
    assert_eq!(fault_of("\"  \""), FeatureFault::BlankKey { key: key() });
    assert_eq!(fault_of("1.5"), FeatureFault::KeyNotText { key: key() });
    assert_eq!(fault_of("true"), FeatureFault::KeyNotText { key: key() });
    let other_key = polygon("1", SQUARE).replace("\"id\"", "\"name\"");
    assert_eq!(feature_fault(&collection(&[other_key])).2, FeatureFault::NoKey { key: key() });
}

#[test]
fn only_polygons_are_areas() {
    let point = polygon("1", "[0,0]").replace("Polygon", "Point");
    let (.., fault) = feature_fault(&collection(&[point]));
    assert_eq!(fault, FeatureFault::WrongType { found: "Point".to_owned() });
    let nothing = r#"{"type":"Feature","properties":{"id":1},"geometry":null}"#.to_owned();
    assert_eq!(
        feature_fault(&collection(&[nothing])).2,
        FeatureFault::WrongType { found: "null".to_owned() }
    );
    assert!(matches!(feature_fault(&collection(&["7".to_owned()])).2, FeatureFault::Malformed { .. }));
}

#[test]
fn rings_are_closed_and_have_four_positions() {
    assert_eq!(second_fault("[[[0,0],[1,0],[1,1],[0,1]]]"), FeatureFault::Unclosed { part: 1, ring: 1 });
    assert_eq!(
        second_fault("[[[0,0],[9,0],[9,9],[0,0]],[[1,1],[2,1],[1,1]]]"),
        FeatureFault::TooFewPositions { part: 1, ring: 2, count: 3 }
    );
    assert_eq!(second_fault("[]"), FeatureFault::TooFewPositions { part: 1, ring: 1, count: 0 });
    assert_eq!(second_fault("[[]]"), FeatureFault::TooFewPositions { part: 1, ring: 1, count: 0 });
    assert_eq!(second_fault("[[[0,0],[1],[1,1],[0,0]]]"), FeatureFault::NotAPosition { part: 1, ring: 1 });
}

#[test]
fn positions_lie_on_earth() {
    assert_eq!(
        second_fault("[[[29.9,121.8],[1,0],[1,1],[29.9,121.8]]]"),
        FeatureFault::Swapped { lon: 29.9, lat: 121.8 }
    );
    assert_eq!(
        second_fault("[[[500000,0],[1,0],[1,1],[500000,0]]]"),
        FeatureFault::OutOfRange { lon: 500_000.0, lat: 0.0 }
    );
    assert_eq!(
        second_fault("[[[170,-91],[1,0],[1,1],[170,-91]]]"),
        FeatureFault::OutOfRange { lon: 170.0, lat: -91.0 }
    );
}

#[test]
fn altitude_and_a_byte_order_mark_are_passed_over() {
    let text = format!("\u{feff}{}", collection(&[polygon("1", "[[[0,0,5],[1,0,5],[1,1,5],[0,0,5]]]")]));
    assert_eq!(read(&text, &file()).unwrap().areas[0].shape.0[0].exterior().0.len(), 4);
}

#[test]
fn a_declaration_is_read_from_the_pack() {
    let text = r#"{"file":"a.geojson","level":"grid","key":"id","pad":4,"datum":"CGCS2000","valid_from":"2000-01-01"}"#;
    let file: BoundaryFile = serde_json::from_str(text).unwrap();
    assert_eq!((file.datum, file.pad, file.exclusive), (Some(Datum::Cgcs2000), Some(4), false));
    assert!(serde_json::from_str::<BoundaryFile>(&text.replace("pad", "padd")).is_err());
}

#[test]
fn validity_is_half_open() {
    let date = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let old = BoundaryFile { valid_to: Some(date(2017)), ..file() };
    let new = BoundaryFile { valid_from: date(2017), ..file() };
    assert!(!old.in_force(date(2017)) && new.in_force(date(2017)));
    assert!(!old.meets(&new) && !new.meets(&old) && old.meets(&file()));
}
