//! The figures a replay ends with, as a table for people and as JSON for machines.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::drive::Counted;
use super::truth::{Agreement, Compared};
use crate::settling::Office;
use crate::store::decided;

/// Everything a replay says.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub rows: u64,
    pub accepted: u64,
    pub refused: BTreeMap<String, u64>,
    /// The first few refused rows: the line, the column, what is wrong and what to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused_examples: Vec<String>,
    pub routed: i64,
    /// Held by the community or street that the report names.
    pub named: i64,
    pub fallback: i64,
    pub area_agreement: BTreeMap<String, Agreement>,
    /// How often the pack's table of units names the unit that the file says disposed of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_agreement: Option<Agreement>,
    pub flagged: BTreeMap<String, i64>,
    pub verdicts: Agreement,
    pub without_due: i64,
    pub reminders: i64,
    pub escalations: Escalations,
    pub due_steps: DueSteps,
    pub until: DateTime<Utc>,
    /// The first line that was opened before one above it: the rows were then put in order first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_order_from_line: Option<u64>,
    /// Why the file was not read to its end, if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_off: Option<String>,
    pub wall_seconds: f64,
    pub records_per_second: f64,
    pub peak_memory_mb: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Escalations {
    pub community: i64,
    pub street: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct DueSteps {
    pub effected: i64,
    pub early: i64,
    pub doubled: i64,
    pub missed: i64,
}

/// How the run went, beside what it decided.
pub struct Run {
    pub until: DateTime<Utc>,
    pub out_of_order_from_line: Option<u64>,
    pub broken_off: Option<String>,
    pub begun: Instant,
}

impl Summary {
    /// # Errors
    /// When the database cannot be read.
    pub async fn of(all: &Office, counted: &Counted, compared: Compared, run: Run) -> anyhow::Result<Self> {
        let placed = decided::placed_how(&all.route.store).await?;
        let tallies = decided::tallies(&all.supervise.store).await?;
        let tally = |measure: &str| tallies.get(measure).copied().unwrap_or(0);
        let steps = decided::due_steps(&all.supervise.store, &all.handle.store, run.until).await?;
        let wall_seconds = run.begun.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "rows of a file fit an f64")]
        let records_per_second = counted.rows as f64 / wall_seconds.max(0.001);
        Ok(Self {
            rows: counted.rows,
            accepted: counted.accepted,
            refused: counted.refused.clone(),
            refused_examples: counted.examples.clone(),
            routed: placed.in_grid,
            named: placed.by_name,
            fallback: placed.fallback,
            area_agreement: compared.area_agreement,
            unit_agreement: compared.units,
            flagged: decided::flagged(&all.handle.store).await?,
            verdicts: compared.verdicts,
            without_due: tally("opened_without_due"),
            reminders: tally("reminded"),
            escalations: Escalations {
                community: tally("escalated_community"),
                street: tally("escalated_street"),
            },
            due_steps: DueSteps {
                effected: steps.effected,
                early: steps.early,
                doubled: steps.doubled,
                missed: steps.missed,
            },
            until: run.until,
            out_of_order_from_line: run.out_of_order_from_line,
            broken_off: run.broken_off,
            wall_seconds,
            records_per_second,
            peak_memory_mb: peak_memory_mb(),
        })
    }

    /// Lines of `figure  value`, with what it means in both languages.
    pub fn table(&self) -> String {
        let mut lines = vec![
            line("rows 行", self.rows),
            line("accepted 受理", self.accepted),
            line("refused 拒收", self.refused.values().sum::<u64>()),
        ];
        lines.extend(self.refused.iter().map(|(reason, count)| line(&format!("  {reason}"), count)));
        if let Some(from) = self.out_of_order_from_line {
            lines.push(line("put in order of opening, from line 按时间重排，自行", from));
        }
        lines.push(line("routed to a grid 派到网格", self.routed));
        if self.named > 0 {
            lines.push(line("held in the area it names 按写明的区域承办", self.named));
        }
        lines.push(line("fallback to the street desk 街道兜底", self.fallback));
        for (area, agreement) in &self.area_agreement {
            lines.push(line(&format!("{area} as recorded 与记录一致"), shown(*agreement)));
        }
        lines.extend(self.unit_agreement.map(|units| line("units as recorded 与承办单位一致", shown(units))));
        lines.extend(self.flagged.iter().map(|(flag, count)| line(&format!("flagged 标记 {flag}"), count)));
        lines.push(line("verdicts as recorded 时限判定一致", shown(self.verdicts)));
        lines.push(line("without a due time 无时限", self.without_due));
        lines.push(line("reminders 催办", self.reminders));
        lines.push(line("escalated to the community 升级到社区", self.escalations.community));
        lines.push(line("escalated to the street 升级到街道", self.escalations.street));
        let steps = &self.due_steps;
        lines.push(line(
            "due steps 到期步骤",
            format!(
                "{} effected, {} early, {} doubled, {} missed",
                steps.effected, steps.early, steps.doubled, steps.missed
            ),
        ));
        lines.push(line("seconds 秒", format!("{:.1}", self.wall_seconds)));
        lines.push(line("rows a second 行/秒", format!("{:.0}", self.records_per_second)));
        lines.push(line("peak memory 内存峰值", format!("{:.0} MB", self.peak_memory_mb)));
        lines.join("\n")
    }
}

fn line(what: &str, value: impl std::fmt::Display) -> String {
    let width: usize = what.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{what}{}{value}", " ".repeat(42_usize.saturating_sub(width)))
}

fn shown(agreement: Agreement) -> String {
    if agreement.compared == 0 {
        return "nothing to compare 无可比对".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "rows of a file fit an f64")]
    let percent = agreement.agreed as f64 * 100.0 / agreement.compared as f64;
    format!("{} of {} ({percent:.2} %)", agreement.agreed, agreement.compared)
}

/// The most memory this process has had resident, as Linux tells it; 0 where it does not.
pub fn peak_memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
