//! The facts of `handled`, read: what happened, and the case each carries, with its deadlines.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::deadline::DeadlineKind;
use serde_json::Value;

use super::rows::Fact;

/// One fact of a case.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub sequence: i64,
    pub kind: String,
    pub at: DateTime<Utc>,
    pub noticed_at: DateTime<Utc>,
    pub happened: Value,
    pub case: Value,
    pub deadlines: Vec<Deadline>,
    pub last_at: DateTime<Utc>,
}

/// A deadline as a fact or a row carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deadline {
    pub kind: DeadlineKind,
    pub round: i64,
    pub start_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub provisional: bool,
    pub met_at: Option<DateTime<Utc>>,
    pub steps: Vec<Step>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub does: String,
    pub due_at: DateTime<Utc>,
    pub done_at: Option<DateTime<Utc>>,
}

/// Names one step: kind, round, place in its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StepKey {
    pub kind: DeadlineKind,
    pub round: i64,
    pub step: i64,
}

impl std::fmt::Display for StepKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.kind.as_str(), self.round, self.step)
    }
}

impl Told {
    pub fn read(fact: &Fact) -> Result<Self, String> {
        let mut body = json(&fact.body)?;
        let case = body["case"].take();
        Ok(Self {
            sequence: fact.sequence,
            kind: fact.kind.clone(),
            at: fact.at,
            noticed_at: fact.noticed_at,
            happened: body["happened"].take(),
            deadlines: deadlines(&case["deadlines"])?,
            last_at: time(&case["last_at"])?,
            case,
        })
    }

    pub fn what(&self) -> &str {
        self.happened["what"].as_str().unwrap_or_default()
    }

    /// The step that took effect, if this is the fact of one.
    pub fn effect(&self) -> Option<StepKey> {
        matches!(self.what(), "reminded" | "lapsed" | "escalated").then(|| step_key(&self.happened)).flatten()
    }

    pub fn closed(&self) -> bool {
        self.case["state"] == "CLOSED"
    }

    /// The steps that may still take effect, with their due times.
    pub fn waiting(&self) -> impl Iterator<Item = (StepKey, &Step)> {
        let open = !self.closed();
        let unmet = self.deadlines.iter().filter(move |deadline| open && deadline.met_at.is_none());
        unmet.flat_map(Deadline::numbered).filter(|(_, step)| step.done_at.is_none())
    }

    pub fn deadline(&self, kind: DeadlineKind) -> Option<&Deadline> {
        self.deadlines.iter().find(|deadline| deadline.kind == kind)
    }
}

impl Deadline {
    /// The steps with their names.
    pub fn numbered(&self) -> impl Iterator<Item = (StepKey, &Step)> {
        let (kind, round) = (self.kind, self.round);
        (0..).zip(&self.steps).map(move |(step, it)| (StepKey { kind, round, step }, it))
    }
}

/// `serde_json`'s own parser, built with its own crate.
pub(super) fn json(text: &str) -> Result<Value, String> {
    text.parse().map_err(|error| format!("no JSON: {error}"))
}

/// The step named by `{deadline, round, step}`.
pub(super) fn step_key(value: &Value) -> Option<StepKey> {
    Some(StepKey {
        kind: value["deadline"].as_str()?.parse().ok()?,
        round: value["round"].as_i64()?,
        step: value["step"].as_i64()?,
    })
}

pub(super) fn deadlines(list: &Value) -> Result<Vec<Deadline>, String> {
    list.as_array().ok_or("it has no list of deadlines")?.iter().map(deadline).collect()
}

fn deadline(value: &Value) -> Result<Deadline, String> {
    let steps = value["steps"].as_array().ok_or("a deadline has no list of steps")?;
    Ok(Deadline {
        kind: value["kind"].as_str().unwrap_or_default().parse()?,
        round: value["round"].as_i64().ok_or("a deadline has no round")?,
        start_at: time(&value["start_at"])?,
        due_at: time(&value["due_at"])?,
        provisional: value["provisional"].as_bool().unwrap_or_default(),
        met_at: maybe_time(&value["met_at"])?,
        steps: steps.iter().map(step).collect::<Result<_, _>>()?,
    })
}

fn step(value: &Value) -> Result<Step, String> {
    Ok(Step {
        does: value["does"].as_str().unwrap_or_default().to_owned(),
        due_at: time(&value["due_at"])?,
        done_at: maybe_time(&value["done_at"])?,
    })
}

pub(super) fn time(value: &Value) -> Result<DateTime<Utc>, String> {
    let text = value.as_str().unwrap_or_default();
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| format!("{value} is no time"))?;
    Ok(parsed.to_utc())
}

pub(super) fn maybe_time(value: &Value) -> Result<Option<DateTime<Utc>>, String> {
    if value.is_null() { Ok(None) } else { time(value).map(Some) }
}

/// A time as facts write it.
pub(super) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// What differs between two cases, in words; `None` when nothing does.
pub(super) fn difference(mine: &Value, theirs: &Value) -> Option<String> {
    if mine == theirs {
        return None;
    }
    let (Some(a), Some(b)) = (mine.as_object(), theirs.as_object()) else {
        return Some("it is no case at all".to_owned());
    };
    let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differing = keys.into_iter().filter(|key| a.get(*key) != b.get(*key));
    let words =
        differing.map(|key| format!("{key} {} where {} is due", short(&theirs[key]), short(&mine[key])));
    Some(words.collect::<Vec<_>>().join("; "))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 {
        text
    } else {
        format!("{}…", text.chars().take(79).collect::<String>())
    }
}
