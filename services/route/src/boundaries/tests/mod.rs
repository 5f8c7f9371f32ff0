//! Tests of the boundaries, and what they share.

mod beilun;
mod boston;
mod finding;
mod flaws;
mod ground;
mod reading;
mod repair;

use chrono::NaiveDate;
use geo::{Coord, LineString, MultiPolygon, Polygon};

use super::file::{Area, BoundaryFile, Layer};
use domain::place::Datum;

/// A day on which [`declared`] files are in force.
fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2011, 7, 1).unwrap()
}

fn declared(file: &str, level: &str, key: &str) -> BoundaryFile {
    BoundaryFile {
        file: file.to_owned(),
        level: level.to_owned(),
        key: key.to_owned(),
        pad: None,
        datum: Some(Datum::Wgs84),
        valid_from: NaiveDate::from_ymd_opt(2000, 1, 1).unwrap(),
        valid_to: None,
        exclusive: false,
    }
}

/// A ring through the corners, closed by itself.
fn ring(corners: &[(f64, f64)]) -> LineString<f64> {
    let mut coords: Vec<Coord<f64>> = corners.iter().map(|&corner| corner.into()).collect();
    coords.push(coords[0]);
    LineString(coords)
}

/// An area of one part: its outer ring, then its holes.
fn area(code: &str, rings: &[&[(f64, f64)]]) -> Area {
    let mut rings = rings.iter().map(|corners| ring(corners));
    let shell = rings.next().unwrap();
    Area {
        feature: 1,
        code: code.to_owned(),
        shape: MultiPolygon(vec![Polygon::new(shell, rings.collect())]),
    }
}

fn square(code: &str, west: f64, south: f64, size: f64) -> Area {
    let (east, north) = (west + size, south + size);
    area(code, &[&[(west, south), (east, south), (east, north), (west, north)]])
}

fn layer(file: BoundaryFile, areas: Vec<Area>) -> Layer {
    Layer { datum: file.datum.unwrap(), file, areas }
}
