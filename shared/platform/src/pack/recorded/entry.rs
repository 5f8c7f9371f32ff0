//! The `recorded` of `pack.json` as it is written, before its words are understood.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RecordedEntry {
    #[serde(default)]
    pub file: Option<String>,
    #[serde(default)]
    pub encoding: Option<String>,
    #[serde(default)]
    pub columns: ColumnsEntry,
    #[serde(default)]
    pub times: Option<TimesEntry>,
    #[serde(default)]
    pub open: Option<WordsEntry>,
    #[serde(default)]
    pub place: Option<PlaceEntry>,
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    #[serde(default)]
    pub categories: BTreeMap<String, String>,
    #[serde(default)]
    pub unlisted_category: Option<String>,
    #[serde(default)]
    pub usable: Option<WordsEntry>,
    #[serde(default)]
    pub verdict: Option<VerdictEntry>,
    #[serde(default)]
    pub truth: Vec<TruthEntry>,
    #[serde(default)]
    pub units: Option<UnitsEntry>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct ColumnsEntry {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub opened: Option<String>,
    #[serde(default)]
    pub closed: Option<String>,
    #[serde(default)]
    pub due: Option<String>,
    #[serde(default)]
    pub category: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct TimesEntry {
    #[serde(default)]
    pub format: Option<String>,
    #[serde(default)]
    pub time_of_day: Option<String>,
    #[serde(default)]
    pub zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct WordsEntry {
    pub column: String,
    pub values: Vec<String>,
}

/// Either columns of coordinates, or columns of names with the point that stands for "no point".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct PlaceEntry {
    #[serde(default)]
    pub lon: Option<String>,
    #[serde(default)]
    pub lat: Option<String>,
    #[serde(default)]
    pub datum: Option<String>,
    #[serde(default)]
    pub areas: Vec<AreaColumnEntry>,
    #[serde(default)]
    pub nothing: Vec<String>,
    #[serde(default)]
    pub point: Option<PointEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct AreaColumnEntry {
    pub column: String,
    pub level: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct PointEntry {
    pub lon: f64,
    pub lat: f64,
    pub datum: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct VerdictEntry {
    pub column: String,
    pub on_time: Vec<String>,
    pub overdue: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct TruthEntry {
    pub name: String,
    pub level: String,
    pub column: String,
    #[serde(default)]
    pub pad: Option<usize>,
    #[serde(default)]
    pub names: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct UnitsEntry {
    pub column: String,
    pub file: String,
}
