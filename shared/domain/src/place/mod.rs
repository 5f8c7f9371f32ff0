//! Where something is: a point with its datum (坐标系), never a bare pair of numbers.
//!
//! Reading GCJ-02 as WGS-84 moves a point in Beilun by 488 m, into another grid for four reports out of
//! five; so a place without a datum is refused, and every place is put on WGS-84 before it is routed.

mod datum;
mod inside;

pub use datum::{Datum, to_wgs84};
pub use inside::{Inside, Ring, well_inside};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The source of a point that nobody measured: whoever reported chose an area by name, and it lies well inside that.
pub const BY_HAND: &str = "area chosen by hand";

/// A place as it was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees east, −180 to 180.
    pub lon: f64,
    /// Degrees north, −90 to 90.
    pub lat: f64,
    pub datum: Datum,
    /// Radius in metres the device vouches for, if it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<f64>,
    /// Where the point came from: `gps`, `map`, `address`, `recorded` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When the device took it. Kept beside the time of the report, never in place of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured_at: Option<DateTime<Utc>>,
    /// Code of the area the report names where it gives no point (只写社区或街道，未给坐标). The point is then one
    /// that the pack puts down for all such reports, and says nothing about where any of them is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
}

/// Why a place cannot be used. The field it names is the one to correct.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlaceFault {
    #[error("{0} is not a number of degrees")]
    NotANumber(&'static str),
    #[error("longitude {0} is not between -180 and 180")]
    Longitude(f64),
    #[error("latitude {lat} is not between -90 and 90; longitude and latitude look swapped")]
    Swapped { lon: f64, lat: f64 },
    #[error("latitude {0} is not between -90 and 90")]
    Latitude(f64),
    #[error("accuracy {0} m is negative or not a number")]
    Accuracy(f64),
}

impl PlaceFault {
    /// The field of [`Place`] at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NotANumber(field) => field,
            Self::Longitude(_) => "lon",
            Self::Swapped { .. } | Self::Latitude(_) => "lat",
            Self::Accuracy(_) => "accuracy_m",
        }
    }

    pub fn zh(&self) -> String {
        match self {
            Self::NotANumber(field) => format!("{field} 不是度数"),
            Self::Longitude(lon) => format!("经度 {lon} 不在 -180 到 180 之间"),
            Self::Swapped { lat, .. } => format!("纬度 {lat} 不在 -90 到 90 之间，经纬度可能填反了"),
            Self::Latitude(lat) => format!("纬度 {lat} 不在 -90 到 90 之间"),
            Self::Accuracy(metres) => format!("精度 {metres} 米无效"),
        }
    }
}

impl Place {
    /// # Errors
    /// Numbers that cannot be a point on the earth. A pair that only fits when swapped is said so.
    pub fn check(&self) -> Result<(), PlaceFault> {
        if !self.lon.is_finite() {
            return Err(PlaceFault::NotANumber("lon"));
        }
        if !self.lat.is_finite() {
            return Err(PlaceFault::NotANumber("lat"));
        }
        let (lon, lat) = (self.lon, self.lat);
        if lat.abs() > 90.0 {
            let swapped = lat.abs() <= 180.0 && lon.abs() <= 90.0;
            return Err(if swapped { PlaceFault::Swapped { lon, lat } } else { PlaceFault::Latitude(lat) });
        }
        if lon.abs() > 180.0 {
            return Err(PlaceFault::Longitude(lon));
        }
        match self.accuracy_m {
            Some(metres) if !metres.is_finite() || metres < 0.0 => Err(PlaceFault::Accuracy(metres)),
            _ => Ok(()),
        }
    }

    /// The same point on WGS-84, `(lon, lat)` in degrees.
    pub fn wgs84(&self) -> (f64, f64) {
        to_wgs84(self.datum, self.lon, self.lat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lon: f64, lat: f64) -> Place {
        Place { lon, lat, datum: Datum::Wgs84, accuracy_m: None, source: None, captured_at: None, area: None }
    }

    #[test]
    fn a_swapped_pair_is_named_as_swapped_and_an_impossible_one_as_impossible() {
        assert!(place(121.8, 29.9).check().is_ok());
        assert!(matches!(place(29.9, 121.8).check(), Err(PlaceFault::Swapped { .. })));
        assert!(matches!(place(0.0, 400.0).check(), Err(PlaceFault::Latitude(_))));
        assert!(matches!(place(200.0, 10.0).check(), Err(PlaceFault::Longitude(_))));
        assert!(matches!(place(f64::NAN, 10.0).check(), Err(PlaceFault::NotANumber("lon"))));
    }
}
