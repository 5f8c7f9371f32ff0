//! From the text of a GeoJSON file to a [`Layer`], or what is wrong and where.

use std::collections::BTreeMap;

use geo::{Coord, LineString, MultiPolygon, Polygon, coord};
use geojson::{Feature, GeometryValue, Position};
use serde_json::Value;

use super::fault::{BoundaryFault, BoundaryFaults, FeatureFault, LISTED};
use super::file::{Area, BoundaryFile, Layer};
use super::lines::line_of;

/// Reads a boundary file's text as its declaration says.
///
/// # Errors
/// Broken JSON with line and column, otherwise every feature (counted from 1) that cannot be used, with its line and
/// code. Shapes are not judged here, see [`super::check`].
pub fn read(text: &str, file: &BoundaryFile) -> Result<Layer, BoundaryFaults> {
    let (layer, faults) = read_what_can_be(text, file)?;
    BoundaryFaults::none_or(faults)?;
    Ok(layer)
}

/// The same, with the areas of the features that can be read and the faults of the others.
///
/// # Errors
/// Why the file as a whole cannot be read.
pub(crate) fn read_what_can_be(
    text: &str,
    file: &BoundaryFile,
) -> Result<(Layer, Vec<BoundaryFault>), BoundaryFault> {
    let name = || file.file.clone();
    let datum = file.datum.ok_or_else(|| BoundaryFault::NoDatum { file: name() })?;
    if file.valid_to.is_some_and(|end| end <= file.valid_from) {
        return Err(BoundaryFault::NeverInForce { file: name() });
    }
    let features = features(text, &file.file)?;
    if features.is_empty() {
        return Err(BoundaryFault::NoFeatures { file: name() });
    }
    let (areas, faults) = areas(features, text, file);
    Ok((Layer { file: file.clone(), datum, areas }, faults))
}

fn features(text: &str, file: &str) -> Result<Vec<Value>, BoundaryFault> {
    // Editors on Windows put a byte-order mark before the text; JSON has none.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = serde_json::from_str(text).map_err(|error| BoundaryFault::BrokenJson {
        file: file.to_owned(),
        line: error.line(),
        column: error.column(),
        detail: without_place(&error.to_string()),
    })?;
    let not_a_collection = |found: String| BoundaryFault::NotACollection { file: file.to_owned(), found };
    let Value::Object(mut members) = value else {
        return Err(not_a_collection("no object".to_owned()));
    };
    match members.get("type").and_then(Value::as_str) {
        Some("FeatureCollection") => {}
        other => return Err(not_a_collection(format!("type: {}", other.unwrap_or("-")))),
    }
    match members.remove("features") {
        Some(Value::Array(features)) => Ok(features),
        _ => Err(not_a_collection("no array \"features\"".to_owned())),
    }
}

/// The parser's words without the line and column, which the message gives itself.
fn without_place(words: &str) -> String {
    words.split(" at line ").next().unwrap_or(words).to_owned()
}

fn areas(features: Vec<Value>, text: &str, file: &BoundaryFile) -> (Vec<Area>, Vec<BoundaryFault>) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let (mut areas, mut faults) = (Vec::with_capacity(features.len()), Vec::new());
    for (index, value) in features.into_iter().enumerate() {
        let feature = index + 1;
        match area(feature, value, file, &mut seen) {
            Ok(area) => areas.push(area),
            Err((code, fault)) => {
                let line = line_told(text, feature, faults.len());
                faults.push(BoundaryFault::Feature { file: file.file.clone(), line, feature, code, fault });
            }
        }
    }
    (areas, faults)
}

/// Where a feature begins, for the fault that comes after so many: looking for it takes the whole text, and it is told of
/// the first alone.
pub(crate) fn line_told(text: &str, feature: usize, faults: usize) -> Option<usize> {
    if faults < LISTED { line_of(text, feature) } else { None }
}

/// The area of a feature; its code, as far as it is known, and what is wrong with it otherwise.
fn area(
    feature: usize,
    value: Value,
    file: &BoundaryFile,
    seen: &mut BTreeMap<String, usize>,
) -> Result<Area, (Option<String>, FeatureFault)> {
    let parsed: Feature = serde_json::from_value(value)
        .map_err(|error| (None, FeatureFault::Malformed { detail: error.to_string() }))?;
    let code = code(&parsed, file).map_err(|fault| (None, fault))?;
    if let Some(&first) = seen.get(&code) {
        return Err((Some(code), FeatureFault::CodeTwice { first }));
    }
    seen.insert(code.clone(), feature);
    match shape(parsed) {
        Ok(shape) => Ok(Area { feature, code, shape }),
        Err(fault) => Err((Some(code), fault)),
    }
}

fn code(feature: &Feature, file: &BoundaryFile) -> Result<String, FeatureFault> {
    let key = || file.key.clone();
    let code = match feature.property(&file.key) {
        None | Some(Value::Null) => return Err(FeatureFault::NoKey { key: key() }),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => return Err(FeatureFault::KeyNotText { key: key() }),
    };
    if code.is_empty() {
        return Err(FeatureFault::BlankKey { key: key() });
    }
    Ok(padded(code, file.pad))
}

fn padded(code: String, pad: Option<usize>) -> String {
    let missing = pad.unwrap_or(0).saturating_sub(code.chars().count());
    "0".repeat(missing) + &code
}

fn shape(feature: Feature) -> Result<MultiPolygon<f64>, FeatureFault> {
    let wrong_type = |found: &str| FeatureFault::WrongType { found: found.to_owned() };
    let parts = match feature.geometry.map(|geometry| geometry.value) {
        None => return Err(wrong_type("null")),
        Some(GeometryValue::Polygon { coordinates }) => vec![coordinates],
        Some(GeometryValue::MultiPolygon { coordinates }) => coordinates,
        Some(other) => return Err(wrong_type(other.type_name())),
    };
    if parts.is_empty() || parts.iter().any(Vec::is_empty) {
        return Err(FeatureFault::TooFewPositions { part: 1, ring: 1, count: 0 });
    }
    let polygons: Result<Vec<_>, _> = (1..).zip(&parts).map(|(part, rings)| polygon(part, rings)).collect();
    Ok(MultiPolygon(polygons?))
}

fn polygon(part: usize, rings: &[Vec<Position>]) -> Result<Polygon<f64>, FeatureFault> {
    let rings: Result<Vec<_>, _> =
        (1..).zip(rings).map(|(number, positions)| ring(part, number, positions)).collect();
    let mut rings = rings?.into_iter();
    let shell = rings.next().expect("shape() refuses a part without a ring");
    Ok(Polygon::new(shell, rings.collect()))
}

fn ring(part: usize, ring: usize, positions: &[Position]) -> Result<LineString<f64>, FeatureFault> {
    if positions.len() < 4 {
        return Err(FeatureFault::TooFewPositions { part, ring, count: positions.len() });
    }
    let coords: Result<Vec<_>, _> = positions.iter().map(|position| point(part, ring, position)).collect();
    let coords = coords?;
    if coords.first() != coords.last() {
        return Err(FeatureFault::Unclosed { part, ring });
    }
    Ok(LineString(coords))
}

fn point(part: usize, ring: usize, position: &Position) -> Result<Coord<f64>, FeatureFault> {
    let [lon, lat, ..] = *position.as_slice() else {
        return Err(FeatureFault::NotAPosition { part, ring });
    };
    if !lon.is_finite() || !lat.is_finite() {
        return Err(FeatureFault::NotAPosition { part, ring });
    }
    if on_earth(lon, lat) {
        return Ok(coord! { x: lon, y: lat });
    }
    if on_earth(lat, lon) {
        return Err(FeatureFault::Swapped { lon, lat });
    }
    Err(FeatureFault::OutOfRange { lon, lat })
}

fn on_earth(lon: f64, lat: f64) -> bool {
    lon.abs() <= 180.0 && lat.abs() <= 90.0
}
