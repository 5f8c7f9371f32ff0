//! The published Boston files: what is wrong with them, and how well they place a year's reports.

use std::io::Read;

use flate2::read::GzDecoder;

use super::super::file::{BoundaryFile, Layer};
use super::super::find::Boundaries;
use super::super::read::read;
use super::super::report::{Accepted, FileReport, check};
use super::super::shape::rings;
use super::{day, declared};

const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/packs/boston");

fn published(file: BoundaryFile) -> Layer {
    let text = std::fs::read_to_string(format!("{PACK}/{}", file.file)).unwrap();
    read(&text, &file).unwrap()
}

fn precincts() -> Layer {
    published(declared("boston_precincts_2017.geojson", "grid", "id"))
}

fn wards() -> Layer {
    published(BoundaryFile { pad: Some(2), ..declared("boston_wards_2017.geojson", "community", "id") })
}

fn accepted(layers: Vec<Layer>) -> Boundaries {
    let accepted = Accepted { digest: Some(check(&layers).digest()) };
    Boundaries::build(layers, &accepted).unwrap()
}

fn invalid(file: &FileReport) -> Vec<&str> {
    let mut codes: Vec<_> = file.invalid.iter().map(|feature| feature.code.as_str()).collect();
    codes.sort_unstable();
    codes
}

/// The counts were made with GEOS: `is_valid`, then `make_valid` and intersections of positive area.
#[test]
fn the_report_lists_what_is_wrong_as_published() {
    let report = check(&[precincts(), wards()]);
    let [precincts, wards] = &report.files[..] else { panic!("two files") };
    assert_eq!((precincts.features, wards.features), (255, 22));
    assert_eq!(invalid(precincts), ["0511", "1713"]);
    assert_eq!(invalid(wards), ["05", "16", "17"]);
    assert_eq!((precincts.overlaps.len(), wards.overlaps.len()), (57, 12));
    let shown = report.to_string();
    assert!(shown.contains("[-71.074077, 42.357671] ring touches itself 环自相接触"), "{shown}");
    assert!(shown.contains("0502 × 2101  0.003 m²"), "{shown}");
}

/// Whoever accepts this report in a pack must not be asked again because a release was built.
#[test]
fn the_digest_is_stable() {
    assert_eq!(
        check(&[precincts(), wards()]).digest(),
        "sha256:c23930c480391dbae8d86c6c16ee9ca0d1535b5a2eb190644d2f60bff1a8f904"
    );
}

#[test]
fn every_corner_belongs_to_its_area() {
    let all = accepted(vec![precincts()]);
    for area in &all.layers()[0].areas {
        for corner in rings(&area.shape).flat_map(|ring| ring.0.iter()) {
            let found = all.find(corner.x, corner.y, day()).unwrap();
            assert!(found.code() == area.code || found.other_codes().contains(&area.code.as_str()));
            assert!(found.code() <= area.code.as_str());
        }
    }
}

/// One recorded report that has a real place.
struct Recorded {
    lon: f64,
    lat: f64,
    ward: String,
    precinct: String,
}

fn recorded() -> Vec<Recorded> {
    let mut text = String::new();
    let file = std::fs::File::open(format!("{PACK}/boston311_2011H2.csv.gz")).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    // No value of this file is quoted, so a line is its columns.
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name| names.iter().position(|found| *found == name).unwrap();
    let (lon, lat, flag) = (column("lon"), column("lat"), column("coord_flag"));
    let (ward, precinct) = (column("area_truth"), column("area2_truth"));
    let rows = lines.map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter(|row| row[flag] == "ok")
        .map(|row| Recorded {
            lon: row[lon].parse().unwrap(),
            lat: row[lat].parse().unwrap(),
            ward: row[ward].to_owned(),
            precinct: row[precinct].to_owned(),
        })
        .collect()
}

/// Agreement cannot be complete: places have four decimals (11 m), the truth comes from the address,
/// and precincts were re-cut after these reports.
#[test]
fn places_a_half_year_of_reports_as_the_city_did() {
    let all = accepted(vec![precincts()]);
    let (mut nowhere, mut precincts, mut wards) = (0, (0, 0), (0, 0));
    for Recorded { lon, lat, ward, precinct } in recorded() {
        let found = all.find(lon, lat, day());
        let code = found.as_ref().map_or("", |found| found.code());
        nowhere += usize::from(code.is_empty());
        if !precinct.is_empty() {
            precincts = (precincts.0 + usize::from(code == precinct), precincts.1 + 1);
        }
        if !ward.is_empty() {
            let agrees = code.get(..2) == Some(format!("{ward:0>2}").as_str());
            wards = (wards.0 + usize::from(agrees), wards.1 + 1);
        }
    }
    assert_eq!(nowhere, 17);
    assert_eq!(precincts, (50_903, 53_365));
    assert_eq!(wards, (53_056, 53_442));
}
