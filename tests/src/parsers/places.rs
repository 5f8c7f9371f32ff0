//! A point as a device sends it: judged, put on WGS-84, and looked up in the boundaries of a pack.

use std::sync::LazyLock;

use chrono::NaiveDate;
use discover::NewPlace;
use domain::place::{Datum, Place, to_wgs84};
use route::boundaries::Boundaries;

use super::{Read, base};

static BOUNDARIES: LazyLock<Boundaries> =
    LazyLock::new(|| route::published::boundaries(&base::PACK).unwrap_or_else(|fault| panic!("{fault}")));

/// Degrees by which a published map may be off, and a little more (GCJ-02 and BD-09 within China).
const SHIFTED: f64 = 0.1;

pub fn places(bytes: &[u8]) -> Read {
    let Ok(sent) = serde_json::from_slice::<NewPlace>(bytes) else { return Read::Refused };
    let place = Place::from(sent);
    if let Err(fault) = place.check() {
        assert!(["lon", "lat", "accuracy_m"].contains(&fault.field()), "{fault}");
        assert!(!fault.to_string().is_empty() && !fault.zh().is_empty());
        return Read::Refused;
    }
    let json = serde_json::to_string(&place).expect("a place is plain data");
    assert_eq!(serde_json::from_str::<Place>(&json).ok().as_ref(), Some(&place), "{json}");
    let day = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day");
    for datum in Datum::ALL {
        let (lon, lat) = to_wgs84(datum, place.lon, place.lat);
        assert!(lon.is_finite() && lat.is_finite(), "{lon} {lat}");
        let near = (lon - place.lon).abs() < SHIFTED && (lat - place.lat).abs() < SHIFTED;
        assert!(near, "{place:?} on {datum:?} is {lon} {lat}");
        let found = BOUNDARIES.find(lon, lat, day);
        assert!(found.is_none_or(|found| found.border_distance_m() >= 0.0));
        BOUNDARIES.near("grid", (lon, lat), day, 200.0);
    }
    Read::Taken
}
