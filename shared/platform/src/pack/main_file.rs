//! `pack.json` itself: its form, and the words in it.
//!
//! Words such as levels, datums and limits are read as text first and understood later, so that one
//! wrong word does not hide the next, nor does a field that is unknown or missing; only what is not of this form at all
//! ends the reading.

use chrono::NaiveDate;
use domain::area::{CodeScheme, Level};
use domain::calendar::OverlayFile;
use domain::place::Datum;
use domain::text::Text;
use serde::Deserialize;

use super::areas::not_a_level;
use super::fault::Fault;
use super::files::Source;
use super::form;
use super::lengths::{LONGEST_NAME, within};
use super::locate::locate;
use super::recorded::RecordedEntry;

pub(super) const NAME: &str = "pack.json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackFile {
    pub code: String,
    pub name: TextFile,
    pub source: String,
    pub codes: CodeScheme,
    pub datum: Option<String>,
    pub zone: String,
    pub areas: String,
    /// 片区 of communities.
    #[serde(default)]
    pub districts: Option<String>,
    /// Who takes what lies on a shared border.
    #[serde(default)]
    pub borders: Option<String>,
    pub categories: String,
    /// When a category is taken up and when it is done.
    #[serde(default)]
    pub conditions: Option<String>,
    /// Limits of the stages of categories.
    #[serde(default)]
    pub stages: Option<String>,
    /// Which class of organisation is offered which category.
    #[serde(default)]
    pub offers: Option<String>,
    #[serde(default)]
    pub partners: Option<String>,
    pub people: String,
    #[serde(default)]
    pub leave: Option<String>,
    #[serde(default)]
    pub shifts: Option<String>,
    pub calendar: String,
    #[serde(default)]
    pub overlays: Vec<OverlayFile>,
    pub boundaries: Vec<BoundaryEntry>,
    #[serde(default)]
    pub accepted_boundary_report: Option<String>,
    pub policy: PolicyEntry,
    pub routing: RoutingEntry,
    #[serde(default)]
    pub recorded: Option<RecordedEntry>,
}

/// A name; `Text` itself would let a misspelt language pass.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextFile {
    pub zh: String,
    pub en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BoundaryEntry {
    pub file: String,
    pub level: String,
    pub key: String,
    #[serde(default)]
    pub pad: Option<usize>,
    pub datum: Option<String>,
    pub valid_from: String,
    #[serde(default)]
    pub valid_to: Option<String>,
    #[serde(default)]
    pub exclusive: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyEntry {
    pub version: String,
    #[serde(default)]
    pub sign_limit: Option<String>,
    #[serde(default)]
    pub check_limit: Option<String>,
    #[serde(default)]
    pub offer_limit: Option<String>,
    pub sign: LadderEntry,
    pub handle: LadderEntry,
    pub check: LadderEntry,
    #[serde(default)]
    pub urgent: Option<UrgentEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UrgentEntry {
    #[serde(default)]
    pub sign_limit: Option<String>,
    #[serde(default)]
    pub check_limit: Option<String>,
    #[serde(default)]
    pub offer_limit: Option<String>,
    pub sign: LadderEntry,
    pub handle: LadderEntry,
    pub check: LadderEntry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LadderEntry {
    #[serde(default)]
    pub remind_percent: Option<u32>,
    pub escalate: Vec<RungEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RungEntry {
    pub to: String,
    pub after: String,
    /// Levels that are left out on purpose.
    #[serde(default)]
    pub skips: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoutingEntry {
    pub fallback: String,
    #[serde(default)]
    pub rounded_decimals: Option<u32>,
    #[serde(default)]
    pub placeholders: Vec<PlaceholderEntry>,
    pub rules: Vec<RuleEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceholderEntry {
    pub lon: f64,
    pub lat: f64,
    pub datum: Option<String>,
    pub name: TextFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    pub name: String,
    #[serde(default)]
    pub flag: Option<String>,
    /// `None`: all; an empty list is a slip.
    #[serde(default)]
    pub categories: Option<Vec<String>>,
    #[serde(default)]
    pub by: Option<String>,
    #[serde(default)]
    pub within: Option<String>,
    pub to: String,
}

/// `pack.json` as read, with its text, in which faults are placed.
pub(super) struct MainFile {
    text: String,
    pub file: PackFile,
    /// The paths of fields that are missing: what stands in for them says nothing.
    missing: Vec<String>,
}

impl MainFile {
    /// As far as it can be read; what is not of its form is among the faults.
    pub fn read(source: Source, faults: &mut Vec<Fault>) -> Option<Self> {
        let formed = form::read(&source.text);
        faults.extend(formed.faults);
        Some(Self { text: source.text, file: formed.file?, missing: formed.missing })
    }

    /// Whether something stands in for this field.
    pub fn is_missing(&self, path: &str) -> bool {
        self.missing.iter().any(|missing| missing == path)
    }

    /// Whether a fault was found in what stands in for a field, and not in what somebody wrote.
    pub fn of_stand_in(&self, fault: &Fault) -> bool {
        let found_in = |missing: &String| {
            let rest = fault.reason.en.strip_prefix(&dotted(missing));
            rest.is_some_and(|rest| rest.starts_with([':', '.', '[']))
        };
        fault.file == NAME && self.missing.iter().any(found_in)
    }

    /// A fault at the value of this path, such as `boundaries/0/datum`.
    pub fn fault(&self, path: &str, reason: Text) -> Fault {
        let field = dotted(path);
        let reason = Text::new(format!("{field}：{}", reason.zh), format!("{field}: {}", reason.en));
        Fault::at_spot(NAME, locate(&self.text, path), reason)
    }

    /// The place of a value, as faults name it.
    pub fn place(&self, path: &str) -> String {
        let (line, column) = locate(&self.text, path);
        format!("{NAME}:{line}:{column}: {}", dotted(path))
    }

    /// What a word was understood as, or nothing and a fault at its path.
    pub fn keep<T>(&self, path: &str, understood: Result<T, Text>, faults: &mut Vec<Fault>) -> Option<T> {
        understood.map_err(|reason| faults.push(self.fault(path, reason))).ok()
    }

    pub fn check(&self, path: &str, verdict: Result<(), Text>, faults: &mut Vec<Fault>) {
        let _ = self.keep(path, verdict, faults);
    }
}

/// What the parser says, at the `spot` where it was written.
pub(super) fn form_fault(error: &serde_json::Error, spot: (usize, usize)) -> Fault {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let detail = said.strip_suffix(&place).unwrap_or(&said);
    let reason = Text::new(
        format!("{detail}；请按 pack.json 的格式更正"),
        format!("{detail}; correct the file to the documented format"),
    );
    Fault::at_spot(NAME, spot, reason)
}

/// `boundaries/0/datum` as `boundaries[0].datum`.
fn dotted(path: &str) -> String {
    path.split('/').fold(String::new(), |dotted, step| match step.parse::<usize>() {
        Ok(index) => format!("{dotted}[{index}]"),
        Err(_) if dotted.is_empty() => step.to_owned(),
        Err(_) => format!("{dotted}.{step}"),
    })
}

pub(super) fn level(text: &str) -> Result<Level, Text> {
    text.parse().map_err(|_| not_a_level(text))
}

/// `of` is whose datum it is: a missing one is refused, never guessed.
pub(super) fn datum(text: Option<&str>, of: Text) -> Result<Datum, Text> {
    let known = "WGS-84, CGCS2000, GCJ-02 or BD-09";
    let Some(text) = text else {
        return Err(Text::new(
            format!("{}没有声明坐标系；坐标系绝不猜测，请写 WGS-84、CGCS2000、GCJ-02 或 BD-09", of.zh),
            format!("{} has no datum; a datum is never guessed: write {known}", of.en),
        ));
    };
    text.parse().map_err(|english| {
        Text::new(format!("“{text}”不是坐标系；请写 WGS-84、CGCS2000、GCJ-02 或 BD-09"), english)
    })
}

/// chrono alone would also take `2026-1-4` and a sign.
pub(super) fn date(text: &str) -> Result<NaiveDate, Text> {
    let date = text.parse().ok().filter(|date: &NaiveDate| date.to_string() == text);
    date.ok_or_else(|| {
        Text::new(
            format!("“{text}”不是日期；请写 YYYY-MM-DD"),
            format!("`{text}` is not a date: write YYYY-MM-DD"),
        )
    })
}

pub(super) fn filled(text: &str) -> Result<(), Text> {
    if text.trim().is_empty() { Err(Text::new("不能为空", "this must not be empty")) } else { Ok(()) }
}

/// A name: there, and not too long.
pub(super) fn named(text: &str) -> Result<(), Text> {
    filled(text)?;
    within(LONGEST_NAME, text)
}

/// Digits to fill a key up to: no code is longer than 32.
pub(super) fn pad(pad: Option<usize>) -> Result<(), Text> {
    match pad {
        Some(pad) if !(1..=32).contains(&pad) => Err(Text::new(
            format!("补零位数 {pad} 不在 1 到 32 之间"),
            format!("pad {pad} is not between 1 and 32"),
        )),
        _ => Ok(()),
    }
}
