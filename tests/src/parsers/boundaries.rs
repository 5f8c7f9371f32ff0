//! A file of boundaries: read, judged, made searchable, and searched; and once more as discover reads it.

use chrono::NaiveDate;
use domain::place::Datum;
use platform::pack::{GridPoints, Pack};
use route::boundaries::{Accepted, Boundaries, BoundaryFile, check, read};

use super::{Read, base, text};

/// More are not compared with each other, which takes the square of their number.
const MOST: usize = 60;

pub fn boundaries(bytes: &[u8]) -> Read {
    let Some(text) = text(bytes) else { return Read::Refused };
    let day = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day");
    surveyed(text, day);
    let file = BoundaryFile {
        file: "grids.geojson".to_owned(),
        level: "grid".to_owned(),
        key: "code".to_owned(),
        pad: Some(3),
        datum: Some(Datum::Cgcs2000),
        valid_from: NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day"),
        valid_to: None,
        exclusive: false,
    };
    let layer = match read(text, &file) {
        Ok(layer) => layer,
        Err(fault) => {
            assert!(!fault.to_string().is_empty());
            return Read::Refused;
        }
    };
    if layer.areas.len() > MOST {
        return Read::Refused;
    }
    let layers = [layer];
    let report = check(&layers);
    assert_eq!(report.digest(), check(&layers).digest(), "one file, one report");
    let accepted = Accepted { digest: Some(report.digest()) };
    let built = Boundaries::build(layers.to_vec(), &accepted);
    searched(&built.unwrap_or_else(|fault| panic!("its own report accepts it: {fault}")), day);
    Read::Taken
}

/// A corner of an area lies on its border, whoever else has it too.
fn searched(boundaries: &Boundaries, day: NaiveDate) {
    for area in boundaries.layers().iter().flat_map(|layer| &layer.areas) {
        let corner = area.shape.iter().flat_map(|part| part.exterior().coords()).next();
        let Some(corner) = corner else { continue };
        let found = boundaries.find(corner.x, corner.y, day).expect("a corner lies in its area");
        assert!(found.code() == area.code || found.other_codes().contains(&area.code.as_str()));
        assert!(found.code() <= area.code.as_str(), "a border is the lowest code's");
        let metres = found.border_distance_m();
        assert!(metres >= 0.0, "{metres} m");
        boundaries.near("grid", (corner.x, corner.y), day, 30.0);
    }
}

/// A point in each grid, from rings that nobody has judged yet.
fn surveyed(text: &str, day: NaiveDate) {
    let mut pack = Pack::clone(&base::PACK);
    for file in &mut pack.boundaries {
        text.clone_into(&mut file.text);
    }
    let points = GridPoints::of(&pack);
    for area in pack.areas.iter() {
        let Some((inside, _)) = points.on(area.path.code(), day) else { continue };
        assert!(inside.lon.is_finite() && inside.lat.is_finite() && inside.radius_m >= 0.0, "{inside:?}");
    }
}
