//! What is wrong with the shapes of boundary files: found, counted, printed, and named by a digest.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::file::{Area, BoundaryFile, Layer};
use super::{flaws, overlaps};
use domain::place::Datum;

/// The key in pack.json whose value accepts a report.
pub const ACCEPT_KEY: &str = "accepted_boundary_report";

/// Everything that is wrong with a pack's shapes. Equal shapes and declarations give equal reports,
/// whatever the order of the files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundaryReport {
    /// One entry per file, by file name.
    pub files: Vec<FileReport>,
    /// Files of one level, in force on the same day, whose areas overlap. Exclusive areas lie on
    /// ordinary ones by design, so the two kinds are not compared.
    pub across: Vec<AcrossFiles>,
}

/// What is wrong in one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    pub file: String,
    pub level: String,
    pub datum: Datum,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub exclusive: bool,
    /// How many features it holds.
    pub features: usize,
    /// The features whose rings are invalid, in the order of the file.
    pub invalid: Vec<FlawedFeature>,
    /// The pairs of its areas that overlap.
    pub overlaps: Vec<Overlap>,
}

/// A feature with invalid rings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlawedFeature {
    /// Its place in the file, counted from 1.
    pub feature: usize,
    pub code: String,
    pub flaws: Vec<Flaw>,
}

/// One thing wrong with a ring. Part and ring are counted from 1; ring 1 is the outer one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flaw {
    pub part: usize,
    pub ring: usize,
    pub reason: Reason,
    /// Where, in degrees, to seven decimals.
    pub lon: f64,
    pub lat: f64,
}

/// Why a ring is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Fewer than three different positions.
    TooFewPoints,
    /// The ring comes back to a point it has passed.
    TouchesItself,
    /// Two of its edges cross.
    CrossesItself,
    /// The ring runs along its own way: a spike or a doubled edge.
    RunsBack,
    /// It crosses another ring of the area.
    CrossesRing,
    /// It shares a stretch with another ring of the area.
    SharesEdge,
    /// A hole reaches out of its outer ring.
    HoleOutside,
    /// A hole lies in another hole.
    HoleInHole,
    /// A part of the area lies in another part.
    PartsOverlap,
    /// By the even-odd rule nothing is inside: no point but those on the rings will be found.
    NoGround,
}

impl Reason {
    fn words(self) -> &'static str {
        match self {
            Reason::TooFewPoints => "fewer than three different points 不足三个不同的点",
            Reason::TouchesItself => "ring touches itself 环自相接触",
            Reason::CrossesItself => "ring crosses itself 环自相交",
            Reason::RunsBack => "ring runs back along itself 环沿原路折返",
            Reason::CrossesRing => "ring crosses another ring 与另一环相交",
            Reason::SharesEdge => "ring shares an edge with another ring 与另一环共边",
            Reason::HoleOutside => "hole reaches out of its outer ring 内环越出外环",
            Reason::HoleInHole => "hole inside another hole 内环套内环",
            Reason::PartsOverlap => "part inside another part 各部分重叠",
            Reason::NoGround => "encloses no ground 未围出任何面积",
        }
    }
}

/// Two areas that both claim some ground.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overlap {
    pub first: String,
    pub second: String,
    /// Roughly how much, in square metres, to a thousandth.
    pub area_m2: f64,
}

/// Overlaps between the areas of two files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AcrossFiles {
    pub first_file: String,
    pub second_file: String,
    pub overlaps: Vec<Overlap>,
}

/// What a person has accepted: the value of [`ACCEPT_KEY`] in pack.json, if it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The [`BoundaryReport::digest`] of the report that was accepted.
    pub digest: Option<String>,
}

/// Looks for everything that is wrong with the shapes of `layers`.
pub fn check(layers: &[Layer]) -> BoundaryReport {
    let mut layers: Vec<&Layer> = layers.iter().collect();
    layers.sort_by(|a, b| a.file.file.cmp(&b.file.file));
    BoundaryReport { files: layers.iter().map(|layer| file_report(layer)).collect(), across: across(&layers) }
}

fn file_report(layer: &Layer) -> FileReport {
    let file = &layer.file;
    FileReport {
        file: file.file.clone(),
        level: file.level.clone(),
        datum: layer.datum,
        valid_from: file.valid_from,
        valid_to: file.valid_to,
        exclusive: file.exclusive,
        features: layer.areas.len(),
        invalid: layer.areas.iter().filter_map(flawed).collect(),
        overlaps: overlaps::within(&layer.areas),
    }
}

fn flawed(area: &Area) -> Option<FlawedFeature> {
    let flaws = flaws::flaws(&area.shape);
    (!flaws.is_empty()).then(|| FlawedFeature { feature: area.feature, code: area.code.clone(), flaws })
}

fn across(layers: &[&Layer]) -> Vec<AcrossFiles> {
    let mut found = Vec::new();
    for (place, first) in layers.iter().enumerate() {
        for second in layers[place + 1..].iter().filter(|second| compete(&first.file, &second.file)) {
            let overlaps = overlaps::between(&first.areas, &second.areas);
            if !overlaps.is_empty() {
                let (first_file, second_file) = (first.file.file.clone(), second.file.file.clone());
                found.push(AcrossFiles { first_file, second_file, overlaps });
            }
        }
    }
    found
}

fn compete(a: &BoundaryFile, b: &BoundaryFile) -> bool {
    a.level == b.level && a.exclusive == b.exclusive && a.meets(b)
}

impl BoundaryReport {
    /// Whether nothing is wrong, so that nobody needs to accept anything.
    pub fn is_clean(&self) -> bool {
        self.across.is_empty()
            && self.files.iter().all(|file| file.invalid.is_empty() && file.overlaps.is_empty())
    }

    /// Whether `accepted` names this very report.
    pub fn is_accepted(&self, accepted: &Accepted) -> bool {
        accepted.digest.as_deref() == Some(self.digest().as_str())
    }

    /// The report's name: `sha256:` and the hash of its JSON, whose members and lists have one order.
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("a report has text keys only, so it is JSON");
        let hex: String = Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }
}

impl fmt::Display for BoundaryReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "Boundary report 边界检查报告  {}", self.digest())?;
        writeln!(out, "  features 要素 | invalid 无效 | overlapping pairs 重叠对 | file 文件")?;
        for file in &self.files {
            let (invalid, overlaps) = (file.invalid.len(), file.overlaps.len());
            let (level, datum) = (&file.level, file.datum.as_str());
            writeln!(
                out,
                "  {:>13} | {invalid:>12} | {overlaps:>24} | {} ({level}, {datum})",
                file.features, file.file
            )?;
        }
        self.files.iter().try_for_each(|file| details(out, file))?;
        for pair in &self.across {
            let (first, second) = (&pair.first_file, &pair.second_file);
            writeln!(out, "Overlaps between files 两个文件之间的重叠: {first} × {second}")?;
            pair.overlaps.iter().try_for_each(|overlap| overlap_line(out, overlap))?;
        }
        if self.is_clean() { writeln!(out, "nothing is wrong / 未发现问题") } else { Ok(()) }
    }
}

fn details(out: &mut fmt::Formatter<'_>, file: &FileReport) -> fmt::Result {
    if !file.invalid.is_empty() {
        writeln!(out, "Invalid features 无效的要素: {}", file.file)?;
    }
    for feature in &file.invalid {
        writeln!(out, "  #{} {}", feature.feature, feature.code)?;
        for Flaw { part, ring, reason, lon, lat } in &feature.flaws {
            writeln!(out, "    [{lon}, {lat}] {} (part 部分 {part}, ring 环 {ring})", reason.words())?;
        }
    }
    if !file.overlaps.is_empty() {
        writeln!(out, "Overlapping features 重叠的要素: {}", file.file)?;
    }
    file.overlaps.iter().try_for_each(|overlap| overlap_line(out, overlap))
}

fn overlap_line(out: &mut fmt::Formatter<'_>, overlap: &Overlap) -> fmt::Result {
    writeln!(out, "  {} × {}  {:.3} m²", overlap.first, overlap.second, overlap.area_m2)
}
