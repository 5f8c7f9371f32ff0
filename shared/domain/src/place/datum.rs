//! Datums in use in China and the way from each to WGS-84.
//!
//! GCJ-02 is WGS-84 shifted by a published series on the Krasovsky ellipsoid (a = 6,378,245 m); the
//! inverse is iterated, two rounds reach 6 mm over Ningbo. BD-09 is GCJ-02 turned and stretched once
//! more; its closed inverse is within 0.13 m. CGCS2000 agrees with WGS-84 to decimetres and is taken
//! as equal.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The datum a pair of degrees is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Datum {
    #[serde(rename = "WGS-84")]
    Wgs84,
    #[serde(rename = "CGCS2000")]
    Cgcs2000,
    /// 高德, 腾讯 and other maps published in China.
    #[serde(rename = "GCJ-02")]
    Gcj02,
    /// 百度.
    #[serde(rename = "BD-09")]
    Bd09,
}

impl Datum {
    pub const ALL: [Self; 4] = [Self::Wgs84, Self::Cgcs2000, Self::Gcj02, Self::Bd09];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wgs84 => "WGS-84",
            Self::Cgcs2000 => "CGCS2000",
            Self::Gcj02 => "GCJ-02",
            Self::Bd09 => "BD-09",
        }
    }

    /// Whether numbers on both may be compared with each other as they stand.
    pub fn agrees_with(self, other: Self) -> bool {
        let earth = |datum| matches!(datum, Self::Wgs84 | Self::Cgcs2000);
        self == other || (earth(self) && earth(other))
    }
}

impl std::str::FromStr for Datum {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|datum| datum.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a datum: use WGS-84, CGCS2000, GCJ-02 or BD-09"))
    }
}

const KRASOVSKY_AXIS_M: f64 = 6_378_245.0;
const KRASOVSKY_ECCENTRICITY_SQUARED: f64 = 0.006_693_421_622_965_943;

/// Puts a point on WGS-84; degrees in, degrees out, `(lon, lat)`.
pub fn to_wgs84(datum: Datum, lon: f64, lat: f64) -> (f64, f64) {
    match datum {
        Datum::Wgs84 | Datum::Cgcs2000 => (lon, lat),
        Datum::Gcj02 => gcj_to_wgs(lon, lat),
        Datum::Bd09 => {
            let (lon, lat) = bd_to_gcj(lon, lat);
            gcj_to_wgs(lon, lat)
        }
    }
}

/// The series is defined for China only; elsewhere the two datums are the same.
fn outside_china(lon: f64, lat: f64) -> bool {
    !(72.004..=137.8347).contains(&lon) || !(0.8293..=55.8271).contains(&lat)
}

fn wgs_to_gcj(lon: f64, lat: f64) -> (f64, f64) {
    if outside_china(lon, lat) {
        return (lon, lat);
    }
    let (x, y) = (lon - 105.0, lat - 35.0);
    let radians = lat * PI / 180.0;
    let magic = 1.0 - KRASOVSKY_ECCENTRICITY_SQUARED * radians.sin().powi(2);
    let root = magic.sqrt();
    let meridian = KRASOVSKY_AXIS_M * (1.0 - KRASOVSKY_ECCENTRICITY_SQUARED) / (magic * root);
    let parallel = KRASOVSKY_AXIS_M / root * radians.cos();
    (lon + shift_east_m(x, y) * 180.0 / (parallel * PI), lat + shift_north_m(x, y) * 180.0 / (meridian * PI))
}

fn gcj_to_wgs(lon: f64, lat: f64) -> (f64, f64) {
    let (mut guess_lon, mut guess_lat) = (lon, lat);
    for _ in 0..3 {
        let (there_lon, there_lat) = wgs_to_gcj(guess_lon, guess_lat);
        guess_lon -= there_lon - lon;
        guess_lat -= there_lat - lat;
    }
    (guess_lon, guess_lat)
}

fn short_waves(x: f64) -> f64 {
    (20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin()) * 2.0 / 3.0
}

fn shift_north_m(x: f64, y: f64) -> f64 {
    let flat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * x.abs().sqrt();
    let waves = (20.0 * (y * PI).sin() + 40.0 * (y / 3.0 * PI).sin()) * 2.0 / 3.0;
    let long_waves = (160.0 * (y / 12.0 * PI).sin() + 320.0 * (y * PI / 30.0).sin()) * 2.0 / 3.0;
    flat + short_waves(x) + waves + long_waves
}

fn shift_east_m(x: f64, y: f64) -> f64 {
    let flat = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * x.abs().sqrt();
    let waves = (20.0 * (x * PI).sin() + 40.0 * (x / 3.0 * PI).sin()) * 2.0 / 3.0;
    let long_waves = (150.0 * (x / 12.0 * PI).sin() + 300.0 * (x / 30.0 * PI).sin()) * 2.0 / 3.0;
    flat + short_waves(x) + waves + long_waves
}

const BD_ANGLE: f64 = PI * 3000.0 / 180.0;

fn bd_to_gcj(lon: f64, lat: f64) -> (f64, f64) {
    let (x, y) = (lon - 0.0065, lat - 0.006);
    let radius = x.hypot(y) - 0.000_02 * (y * BD_ANGLE).sin();
    let angle = y.atan2(x) - 0.000_003 * (x * BD_ANGLE).cos();
    (radius * angle.cos(), radius * angle.sin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metres_apart(a: (f64, f64), b: (f64, f64)) -> f64 {
        let north = (a.1 - b.1) * 111_320.0;
        let east = (a.0 - b.0) * 111_320.0 * a.1.to_radians().cos();
        north.hypot(east)
    }

    /// Published vectors (googollee/eviltransform), `lat, lon` in the source, turned round here.
    const WGS_GCJ: [((f64, f64), (f64, f64)); 3] = [
        ((121.527_210_6, 31.177_427_6), (121.531_541_859_215, 31.175_303_983_645_97)),
        ((113.912_316, 22.543_847), (113.917_176_480_836_3, 22.540_796_131_694_766)),
        ((116.377_817, 39.911_954), (116.384_047_224_554_57, 39.913_345_455_366_91)),
    ];

    #[test]
    fn the_published_vectors_hold_both_ways() {
        for (wgs, gcj) in WGS_GCJ {
            assert!(metres_apart(wgs_to_gcj(wgs.0, wgs.1), gcj) < 0.01, "{wgs:?}");
            assert!(metres_apart(to_wgs84(Datum::Gcj02, gcj.0, gcj.1), wgs) < 0.01, "{gcj:?}");
        }
    }

    #[test]
    fn baidu_comes_back_within_half_a_metre() {
        let back = to_wgs84(Datum::Bd09, 116.416_627_2, 39.922_699_6);
        assert!(metres_apart(back, (116.404, 39.915)) < 0.5, "{back:?}");
    }

    #[test]
    fn beilun_is_moved_by_about_488_metres() {
        let moved = metres_apart(wgs_to_gcj(121.84, 29.90), (121.84, 29.90));
        assert!((480.0..=500.0).contains(&moved), "{moved}");
    }

    #[test]
    fn outside_china_nothing_is_shifted() {
        assert_eq!(to_wgs84(Datum::Gcj02, -71.0587, 42.3594), (-71.0587, 42.3594));
    }
}
