//! What can be wrong with boundaries, said so that the person who keeps the pack can mend it.

use std::fmt;

use chrono::NaiveDate;
use domain::area::Level;
use domain::text::Text;
use thiserror::Error;

use super::report::{ACCEPT_KEY, BoundaryReport};

/// Where a report is accepted.
const PACK_FILE: &str = "pack.json";

/// So many faults are told one by one; the rest are counted.
pub(crate) const LISTED: usize = 20;

/// All that is wrong with a pack's boundaries and can be told at once: one at least. `Display` gives a line for each, the
/// first twenty, and how many more there are.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{}", listed(.0))]
pub struct BoundaryFaults(Vec<BoundaryFault>);

impl BoundaryFaults {
    /// Nothing, where there are no faults.
    ///
    /// # Errors
    /// All of them.
    pub fn none_or(faults: Vec<BoundaryFault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }

    /// One at least.
    pub fn all(&self) -> &[BoundaryFault] {
        &self.0
    }
}

impl From<BoundaryFault> for BoundaryFaults {
    fn from(fault: BoundaryFault) -> Self {
        Self(vec![fault])
    }
}

fn listed(faults: &[BoundaryFault]) -> String {
    let mut lines: Vec<String> = faults.iter().take(LISTED).map(ToString::to_string).collect();
    if let more @ 1.. = faults.len().saturating_sub(LISTED) {
        lines.push(format!("and {more} more / 另有 {more} 处"));
    }
    lines.join("\n")
}

/// Why boundaries were refused. `Display` gives its place, then English and Chinese, as the other faults of a pack are
/// told.
#[derive(Debug, Clone, PartialEq)]
pub enum BoundaryFault {
    /// The text is not JSON at all.
    BrokenJson { file: String, line: usize, column: usize, detail: String },
    /// JSON, but not a list of features.
    NotACollection { file: String, found: String },
    /// A file that would leave every point unplaced.
    NoFeatures { file: String },
    /// The pack did not say which datum the coordinates are in.
    NoDatum { file: String },
    /// `valid_to` does not lie after `valid_from`.
    NeverInForce { file: String },
    /// One feature cannot be used. The line is looked for where it will be told.
    Feature { file: String, line: Option<usize>, feature: usize, code: Option<String>, fault: FeatureFault },
    /// Two files whose numbers may not be compared.
    MixedDatums { first: String, first_datum: &'static str, second: String, second_datum: &'static str },
    /// Two files in force on one day give the same area a shape each.
    CodeTwice { level: String, code: String, first: String, second: String },
    /// The table of borders names two areas that have none.
    NoSharedBorder { stands_at: String, area: String, other: String, apart: String },
    /// The table of borders names an area nobody has outlined.
    NoOutline { stands_at: String, area: String },
    /// A file that is not in force on a day on which nothing else has the ground of its areas.
    NothingCovers { stands_at: String, file: String, day: NaiveDate, areas: String },
    /// The shapes have faults that nobody has accepted.
    NotAccepted { report: Box<BoundaryReport>, accepted: Option<String> },
}

impl fmt::Display for BoundaryFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::NotAccepted { report, .. } = self {
            writeln!(out, "{report}")?;
        }
        write!(out, "{}: {}", self.place(), self.reason())
    }
}

impl BoundaryFault {
    /// The file, and where in it, as far as that is known.
    fn place(&self) -> String {
        match self {
            Self::BrokenJson { file, line, column, .. } => format!("{file}:{line}:{column}"),
            Self::Feature { file, line: Some(line), .. } => format!("{file}:{line}"),
            Self::NotACollection { file, .. }
            | Self::NoFeatures { file }
            | Self::NoDatum { file }
            | Self::NeverInForce { file }
            | Self::Feature { file, line: None, .. } => file.clone(),
            Self::MixedDatums { second, .. } | Self::CodeTwice { second, .. } => second.clone(),
            Self::NoSharedBorder { stands_at, .. }
            | Self::NoOutline { stands_at, .. }
            | Self::NothingCovers { stands_at, .. } => stands_at.clone(),
            Self::NotAccepted { .. } => PACK_FILE.to_owned(),
        }
    }

    fn reason(&self) -> Text {
        let (zh, en) = match self {
            Self::BrokenJson { detail, .. } => (
                format!("不是合法的 JSON（{detail}），请改正该处"),
                format!("not valid JSON ({detail}); correct it there"),
            ),
            Self::NotACollection { found, .. } => (
                format!("不是 GeoJSON FeatureCollection（{found}），请导出为 FeatureCollection"),
                format!("not a GeoJSON FeatureCollection ({found}); export it as one"),
            ),
            Self::NoFeatures { .. } => {
                ("没有任何要素，请检查导出".to_owned(), "holds no feature; check the export".to_owned())
            }
            Self::NoDatum { .. } => (
                "未声明坐标系，不予猜测；请在 pack.json 中写明 \"datum\"（WGS-84、CGCS2000、GCJ-02 或 BD-09）".to_owned(),
                "no datum is declared and none is guessed; state \"datum\" in pack.json (WGS-84, CGCS2000, GCJ-02 or BD-09)"
                    .to_owned(),
            ),
            Self::NeverInForce { .. } => (
                "失效日期不晚于生效日期，请改正 pack.json".to_owned(),
                "valid_to is not after valid_from; correct pack.json".to_owned(),
            ),
            Self::Feature { feature, code, fault, .. } => (
                format!("第 {feature} 个要素{}：{}", code_zh(code), fault.zh()),
                format!("feature {feature}{}: {}", code_en(code), fault.en()),
            ),
            Self::MixedDatums { first, first_datum, second, second_datum } => (
                format!("{first} 的坐标系为 {first_datum}，{second} 为 {second_datum}，不能混用；请先换算为同一坐标系"),
                format!(
                    "{first} is in {first_datum} and {second} in {second_datum}; they cannot be used together, convert one \
                     of them first"
                ),
            ),
            Self::CodeTwice { level, code, first, second } => (
                format!("{level} {code} 在 {first} 与 {second} 中同时有效；请用 valid_from/valid_to 分开，或删去其一"),
                format!(
                    "{level} {code} is in force in both {first} and {second}; separate them by valid_from/valid_to or remove one"
                ),
            ),
            Self::NoSharedBorder { area, other, apart, .. } => (
                format!("{area} 与 {other} 的边界相距 {apart}，没有共界；请改正区域，或删去此行"),
                format!(
                    "{area} and {other} share no border, their outlines are {apart} apart; correct the areas, or take the line out"
                ),
            ),
            Self::NoOutline { area, .. } => (
                format!("{area} 没有边界，无从判断界线；请补上边界，或删去此行"),
                format!(
                    "{area} has no outline, so nothing is known of its borders; add one, or take the line out"
                ),
            ),
            Self::NothingCovers { file, day, areas, .. } => (
                format!(
                    "{file} 在 {day} 不在有效期内，而 {areas} 所在之处没有其他有效的边界，那里的上报找不到任何区域；请更正 \
                     valid_from/valid_to，或到生效之日再发布"
                ),
                format!(
                    "{file} is not in force on {day}, and nothing else covers the ground of {areas} then: no place would be \
                     found there; correct valid_from or valid_to, or publish it on the day it comes into force"
                ),
            ),
            Self::NotAccepted { report, accepted } => refusal(report, accepted.as_deref()),
        };
        Text::new(zh, en)
    }
}

/// What is wrong with one feature of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureFault {
    /// Not a GeoJSON feature; what the parser said.
    Malformed { detail: String },
    /// The key property is absent.
    NoKey { key: String },
    /// The key property is there, and empty.
    BlankKey { key: String },
    /// The key property is neither text nor a whole number.
    KeyNotText { key: String },
    /// Another feature (counted from 1) has this code already.
    CodeTwice { first: usize },
    /// The pack has no area of this code at the level of the file.
    NotListed { level: Level, listed: Option<Level> },
    /// Not a Polygon or MultiPolygon.
    WrongType { found: String },
    /// A ring of fewer than four positions; part and ring counted from 1.
    TooFewPositions { part: usize, ring: usize, count: usize },
    /// A ring whose last position is not its first.
    Unclosed { part: usize, ring: usize },
    /// A position that is not at least two finite numbers.
    NotAPosition { part: usize, ring: usize },
    /// |lon| > 180 or |lat| > 90.
    OutOfRange { lon: f64, lat: f64 },
    /// Out of range as it stands, in range the other way round.
    Swapped { lon: f64, lat: f64 },
}

impl FeatureFault {
    fn zh(&self) -> String {
        match self {
            Self::Malformed { detail } => format!("不是合法的 GeoJSON 要素（{detail}），请改正"),
            Self::NoKey { key } => format!("缺少属性 \"{key}\"，请补上编码，或改正 pack.json 中的 \"key\""),
            Self::BlankKey { key } => format!("属性 \"{key}\" 为空，请填写编码"),
            Self::KeyNotText { key } => format!("属性 \"{key}\" 既不是文本也不是整数，请改为文本编码"),
            Self::CodeTwice { first } => format!("编码与第 {first} 个要素重复，请改正其一或合并为一个要素"),
            Self::NotListed { level, listed: None } => {
                format!("区域表中没有这个{}；请在区域表中补上，或删去该要素", level.zh())
            }
            Self::NotListed { level, listed: Some(listed) } => {
                format!("区域表中它是{}，而本文件的层级是{}；请改正其一", listed.zh(), level.zh())
            }
            Self::WrongType { found } => format!("几何类型为 {found}，应为 Polygon 或 MultiPolygon"),
            Self::TooFewPositions { part, ring, count } => {
                format!("第 {part} 部分第 {ring} 环只有 {count} 个点，至少应有 4 个（首尾相同）")
            }
            Self::Unclosed { part, ring } => format!("第 {part} 部分第 {ring} 环未闭合，末点应与首点相同"),
            Self::NotAPosition { part, ring } => {
                format!("第 {part} 部分第 {ring} 环有一个点不是 [经度, 纬度] 两个有限数值，请改正")
            }
            Self::OutOfRange { lon, lat } => {
                format!("坐标 [{lon}, {lat}] 超出经纬度范围，可能是投影坐标；请换算为经纬度")
            }
            Self::Swapped { lon, lat } => {
                format!("坐标 [{lon}, {lat}] 疑似经纬度颠倒；GeoJSON 规定经度在前，请对调")
            }
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Malformed { detail } => format!("not a valid GeoJSON feature ({detail}); correct it"),
            Self::NoKey { key } => {
                format!("no property \"{key}\"; add the code, or correct \"key\" in pack.json")
            }
            Self::BlankKey { key } => format!("property \"{key}\" is blank; fill in the code"),
            Self::KeyNotText { key } => {
                format!("property \"{key}\" is neither text nor a whole number; make it the code as text")
            }
            Self::CodeTwice { first } => format!("same code as feature {first}; correct one, or join both"),
            Self::NotListed { level, listed: None } => {
                format!("the list of areas has no such {level}; add it there, or take the feature out")
            }
            Self::NotListed { level, listed: Some(listed) } => {
                format!(
                    "it is a {listed} in the list of areas, but this file is of level {level}; correct one"
                )
            }
            Self::WrongType { found } => {
                format!("its geometry is {found}; a Polygon or MultiPolygon is needed")
            }
            Self::TooFewPositions { part, ring, count } => {
                format!("part {part}, ring {ring} has {count} positions; 4 are the least (first = last)")
            }
            Self::Unclosed { part, ring } => {
                format!("part {part}, ring {ring} is not closed; its last position must equal its first")
            }
            Self::NotAPosition { part, ring } => {
                format!(
                    "part {part}, ring {ring} has a position that is not two finite numbers [lon, lat]; correct it"
                )
            }
            Self::OutOfRange { lon, lat } => {
                format!(
                    "[{lon}, {lat}] is no longitude and latitude, perhaps projected; convert it to degrees"
                )
            }
            Self::Swapped { lon, lat } => {
                format!("[{lon}, {lat}] looks like latitude first; GeoJSON has longitude first, swap them")
            }
        }
    }
}

fn code_zh(code: &Option<String>) -> String {
    code.as_ref().map_or_else(String::new, |code| format!("（编码 {code}）"))
}

fn code_en(code: &Option<String>) -> String {
    code.as_ref().map_or_else(String::new, |code| format!(" (code {code})"))
}

/// What keeps the boundaries from being used, and what to write once somebody has looked at them.
fn refusal(report: &BoundaryReport, accepted: Option<&str>) -> (String, String) {
    let line = format!("\"{ACCEPT_KEY}\": \"{}\"", report.digest());
    let (was_zh, was_en) = match accepted {
        None => ("尚未有人确认以上问题".to_owned(), "nobody has accepted these faults".to_owned()),
        Some(old) => {
            (format!("已确认的是另一份报告（{old}）"), format!("another report was accepted ({old})"))
        }
    };
    (
        format!("{was_zh}，边界不予启用；核对后在此写入 {line}，即按奇偶规则原样使用"),
        format!(
            "{was_en}, so the boundaries are not used: once you have looked at them, write {line} here to use them as \
             published, by the even-odd rule"
        ),
    )
}
