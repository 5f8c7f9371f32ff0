//! The checker: compares what the services decided with what the city recorded. The only place that reads
//! the columns ending in `_truth` and `coord_flag`; no service ever sees them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use csv::ByteRecord;
use domain::area::{AreaPath, Areas};
use domain::id::IncidentId;
use platform::pack::{Pack, Truth};
use serde::Serialize;

use super::rows::{Row, Rows, column};
use crate::settling::Office;
use crate::store::decided;

/// How many were compared, and how many agreed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    pub compared: u64,
    pub agreed: u64,
}

impl Agreement {
    fn compare(&mut self, same: bool) {
        self.compared += 1;
        self.agreed += u64::from(same);
    }
}

/// What the comparison gave.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Compared {
    pub area_agreement: BTreeMap<String, Agreement>,
    pub verdicts: Agreement,
}

/// What a row says was true.
struct Told {
    row: Row,
    usable: bool,
    areas: Vec<String>,
    verdict: String,
}

/// Reads the `rows` of the file once more and compares, a batch at a time.
///
/// # Errors
/// When the database cannot be read.
pub async fn compare(
    mut rows: Rows,
    pack: &Pack,
    all: &Office,
    until: DateTime<Utc>,
) -> anyhow::Result<Compared> {
    let truths: &[Truth] = pack.recorded.as_ref().map_or(&[], |recorded| &recorded.truth);
    let mut compared = Compared::default();
    for truth in truths {
        compared.area_agreement.insert(truth.name.clone(), Agreement::default());
    }
    let columns = Columns::find(rows.records().header(), truths);
    let mut batch = Vec::new();
    while let Some(row) = rows.next_row() {
        let Ok(row) = row else { continue };
        let mut told = columns.told(row, rows.records().record());
        // What was to happen later has not happened, so there is nothing of ours to compare.
        told.row.closed = told.row.closed.filter(|closed| *closed <= until);
        batch.push(told);
        if batch.len() == 1_000 {
            compare_batch(&batch, truths, &pack.areas, all, &mut compared).await?;
            batch.clear();
        }
    }
    compare_batch(&batch, truths, &pack.areas, all, &mut compared).await?;
    Ok(compared)
}

async fn compare_batch(
    batch: &[Told],
    truths: &[Truth],
    areas: &Areas,
    all: &Office,
    compared: &mut Compared,
) -> anyhow::Result<()> {
    let incidents: Vec<IncidentId> = batch.iter().map(|told| told.row.incident).collect();
    let routed = decided::areas(&all.route.store, &incidents).await?;
    let verdicts = decided::verdicts(&all.supervise.store, &incidents).await?;
    for told in batch {
        let Some(area) = routed.get(&told.row.incident) else { continue };
        for (truth, recorded) in truths.iter().zip(&told.areas) {
            if told.usable && !recorded.is_empty() {
                let same = code_at(truth, area, areas).as_deref() == Some(recorded);
                compared.area_agreement.entry(truth.name.clone()).or_default().compare(same);
            }
        }
        let both = told.row.due.is_some() && told.row.closed.is_some() && !told.verdict.is_empty();
        if both {
            let same = verdicts.get(&told.row.incident).is_some_and(|ours| same_verdict(ours, &told.verdict));
            compared.verdicts.compare(same);
        }
    }
    Ok(())
}

/// The code of the area of the truth's level that the incident was routed to.
fn code_at(truth: &Truth, area: &AreaPath, areas: &Areas) -> Option<String> {
    let own = areas.at_level(area, truth.level).filter(|own| own.level == truth.level)?;
    Some(own.path.code().to_owned())
}

/// `ONTIME` and `OVERDUE` are Boston's words, `intime` and `overtime` Pingshan's.
fn same_verdict(ours: &str, recorded: &str) -> bool {
    match recorded.to_ascii_lowercase().as_str() {
        "ontime" | "on_time" | "intime" => ours == "on_time",
        "overdue" | "overtime" | "late" => ours == "overdue",
        _ => false,
    }
}

struct Columns {
    areas: Vec<(Option<usize>, usize)>,
    usable: Option<usize>,
    verdict: Option<usize>,
}

impl Columns {
    fn find(header: &ByteRecord, truths: &[Truth]) -> Self {
        let at = |name: &str| column(header, name);
        Self {
            areas: truths.iter().map(|truth| (at(&truth.column), truth.pad.unwrap_or(0))).collect(),
            usable: at("coord_flag"),
            verdict: at("on_time_truth"),
        }
    }

    fn told(&self, row: Row, record: &ByteRecord) -> Told {
        let text = |column: Option<usize>| {
            let bytes = column.and_then(|column| record.get(column)).unwrap_or_default();
            String::from_utf8_lossy(bytes).trim().to_owned()
        };
        let padded = |(column, pad): &(Option<usize>, usize)| {
            let code = text(*column);
            if code.is_empty() { code } else { format!("{code:0>pad$}") }
        };
        Told {
            areas: self.areas.iter().map(padded).collect(),
            usable: self.usable.is_none() || text(self.usable) == "ok",
            verdict: text(self.verdict),
            row,
        }
    }
}
