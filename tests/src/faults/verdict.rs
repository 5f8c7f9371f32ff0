//! What is stored when everything has settled, in plain SQL and by the audit.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use chrono::{DateTime, Utc};
use domain::id::IncidentId;
use platform::store::{get, get_incident, get_time};
use serde_json::Value;

use super::poison::Sent;
use super::work::Work;
use crate::instance::binary;
use crate::kills::Outcome;
use crate::kills::clients::Answer;
use crate::kills::people::Acted;
use crate::kills::verdict::{Kept, LINES, REPORTS, compare, offers};
use crate::offers::{HELD, MIRRORED, OF_HANDLE, OF_PARTNER, OFFERED, Tables};

/// Looks at what a fleet has left; `settled_at` is when nothing waited, on the clock of the cases. So many records
/// that nobody wrote lie on the topics.
///
/// # Errors
/// When a database cannot be read, or nobody could audit.
pub async fn look(
    work: &Work,
    settings: &Path,
    answers: &[Answer],
    acts: &[Acted],
    settled_at: DateTime<Utc>,
    poison: &Sent,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    compare(kept(work).await?, answers, acts, &mut outcome);
    let tables = Tables {
        held: work.rows("handle", HELD, Vec::new()).await?,
        mirrored: work.rows("partner", MIRRORED, Vec::new()).await?,
        offered: work.rows("partner", OFFERED, Vec::new()).await?,
        of_handle: work.rows("handle", OF_HANDLE, Vec::new()).await?,
        of_partner: work.rows("partner", OF_PARTNER, Vec::new()).await?,
    };
    offers(&tables, &mut outcome)?;
    steps(work, settled_at, &mut outcome).await?;
    let said = audited(settings, settled_at).await?;
    judge(&said, poison, &mut outcome);
    Ok(outcome)
}

async fn kept(work: &Work) -> anyhow::Result<Kept> {
    let mut kept = Kept::default();
    for row in work.rows("discover", REPORTS, Vec::new()).await? {
        kept.report(&row)?;
    }
    for row in work.rows("handle", "SELECT incident FROM handle_case", Vec::new()).await? {
        kept.cases.insert(get_incident(&row, "incident")?);
    }
    let opened = "SELECT incident FROM handle_outbox WHERE kind = 'case.opened'";
    for row in work.rows("handle", opened, Vec::new()).await? {
        kept.open(get_incident(&row, "incident")?);
    }
    for row in work.rows("handle", LINES, Vec::new()).await? {
        kept.line(&row)?;
    }
    Ok(kept)
}

/// A step: of which incident, which deadline, round and step.
type Step = (IncidentId, String, i32, i32);

const EFFECTS: &str = "
SELECT incident, kind, at, noticed_at, happened::jsonb ->> 'deadline' AS deadline,
       (happened::jsonb ->> 'round')::int AS round, (happened::jsonb ->> 'step')::int AS step
FROM handle_history WHERE kind IN ('case.reminded', 'case.lapsed', 'case.escalated')";

/// Each step took effect once, when it was due, by what handle did and what supervise had said.
async fn steps(work: &Work, settled_at: DateTime<Utc>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let mut due: BTreeMap<Step, DateTime<Utc>> = BTreeMap::new();
    let watched = "SELECT incident, kind, round, step, due_at FROM supervise_step";
    for row in work.rows("supervise", watched, Vec::new()).await? {
        let step =
            (get_incident(&row, "incident")?, get(&row, "kind")?, get(&row, "round")?, get(&row, "step")?);
        due.insert(step, get_time(&row, "due_at")?);
    }
    let mut effects: BTreeMap<Step, u64> = BTreeMap::new();
    for row in work.rows("handle", EFFECTS, Vec::new()).await? {
        let kind: String = get(&row, "kind")?;
        *outcome.steps_of(&kind) += 1;
        let step = (
            get_incident(&row, "incident")?,
            get(&row, "deadline")?,
            get(&row, "round")?,
            get(&row, "step")?,
        );
        if let Some(due_at) = due.get(&step) {
            let early = get_time(&row, "at")? < *due_at || get_time(&row, "noticed_at")? < *due_at;
            outcome.steps_early += u64::from(early);
        }
        *effects.entry(step).or_default() += 1;
    }
    outcome.steps_effected = outcome.reminded + outcome.lapsed + outcome.escalated;
    outcome.steps_doubled = effects.values().filter(|times| **times > 1).count() as u64;
    let count =
        async |sql: &str, values| anyhow::Ok(work.count("supervise", sql, values).await?.unsigned_abs());
    outcome.steps_told =
        count("SELECT count(*) FROM supervise_outbox WHERE kind = 'step.due'", Vec::new()).await?;
    let missed =
        "SELECT count(*) FROM supervise_step WHERE done_at IS NULL AND look_at IS NOT NULL AND due_at <= $1";
    outcome.steps_missed = count(missed, vec![settled_at.into()]).await?;
    Ok(())
}

/// What `gridward audit` says, whose code is neither the services' nor this.
///
/// # Errors
/// When it could not look.
pub async fn audited(settings: &Path, now: DateTime<Utc>) -> anyhow::Result<Value> {
    let mut audit = Command::new(binary()?);
    audit.args(["audit", "--json", "--strict", "--now"]).arg(now.to_rfc3339()).arg("--config").arg(settings);
    let ran = tokio::task::spawn_blocking(move || audit.output()).await??;
    serde_json::from_slice(&ran.stdout)
        .with_context(|| format!("the audit printed no JSON: {}", String::from_utf8_lossy(&ran.stderr)))
}

/// The audit must find each record that nobody wrote, and nothing else.
fn judge(said: &Value, poison: &Sent, outcome: &mut Outcome) {
    let number = |value: &Value| value.as_u64().unwrap_or(u64::MAX);
    let due = &said["due_steps"];
    outcome.steps_early = outcome.steps_early.max(number(&due["early"]));
    outcome.steps_doubled = outcome.steps_doubled.max(number(&due["doubled"]));
    outcome.steps_missed = outcome.steps_missed.max(number(&due["missed"]) + number(&due["late"]));
    outcome.on_the_way = number(&said["on_the_way"]);
    let effected = number(&due["effected"]);
    if effected != outcome.steps_effected {
        let stored = outcome.steps_effected;
        outcome
            .faults
            .push(format!("the facts tell of {effected} steps that took effect, the histories of {stored}"));
    }
    let checks = said["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let strangers = poison.strangers.len() as u64;
    let expected = |check: &Value| {
        if check["name"] == "written" {
            return strangers + poison.closed;
        }
        let named = check["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_strangers = named.iter().filter_map(|fault| fault["id"].as_str());
        of_strangers.filter(|id| poison.strangers.contains(*id)).count() as u64
    };
    let odd: Vec<String> = checks
        .iter()
        .filter(|check| number(&check["found"]) != expected(check))
        .map(|check| {
            format!(
                "the audit finds {} in {}, not {}: {}",
                check["found"],
                check["name"],
                expected(check),
                check["faults"]
            )
        })
        .collect();
    outcome.audit_clean = !checks.is_empty() && odd.is_empty();
    outcome.faults.extend(odd);
}
