//! The checker: compares what the services decided with what the city recorded. The only place that reads the columns
//! that the pack names as truth: areas, verdicts, disposing units, and whether a place is any good. No service ever
//! sees them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use csv::ByteRecord;
use domain::area::AreaPath;
use domain::id::{CategoryCode, IncidentId};
use platform::pack::{Encoding, Pack, Recorded, Truth};
use serde::Serialize;

use super::fields::At;
use super::rows::{Row, Rows};
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
    /// Where the pack has a table of disposing units.
    pub units: Option<Agreement>,
}

/// What a row says was true.
struct Told {
    row: Row,
    usable: bool,
    /// For each truth the codes that would be right; none where there is nothing to compare.
    areas: Vec<Vec<String>>,
    verdict: String,
    unit: String,
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
    let recorded = pack.form_of_records();
    let mut compared =
        Compared { units: recorded.units.as_ref().map(|_| Agreement::default()), ..Compared::default() };
    for truth in &recorded.truth {
        compared.area_agreement.insert(truth.name.clone(), Agreement::default());
    }
    let columns = Columns::find(rows.records().header(), &recorded, rows.form().encoding());
    let mut batch = Vec::new();
    while let Some(row) = rows.next_row() {
        let Ok(row) = row else { continue };
        let mut told = columns.told(row, rows.records().record());
        // What was to happen later has not happened, so there is nothing of ours to compare.
        told.row.closed = told.row.closed.filter(|closed| *closed <= until);
        batch.push(told);
        if batch.len() == 1_000 {
            compare_batch(&batch, pack, &recorded, all, &mut compared).await?;
            batch.clear();
        }
    }
    compare_batch(&batch, pack, &recorded, all, &mut compared).await?;
    Ok(compared)
}

async fn compare_batch(
    batch: &[Told],
    pack: &Pack,
    recorded: &Recorded,
    all: &Office,
    compared: &mut Compared,
) -> anyhow::Result<()> {
    let incidents: Vec<IncidentId> = batch.iter().map(|told| told.row.incident).collect();
    let routed = decided::areas(&all.route.store, &incidents).await?;
    let verdicts = decided::verdicts(&all.supervise.store, &incidents).await?;
    for told in batch {
        let Some(area) = routed.get(&told.row.incident) else { continue };
        for (truth, right) in recorded.truth.iter().zip(&told.areas) {
            if told.usable && !right.is_empty() {
                let ours = code_at(truth, area, pack);
                let same = ours.is_some_and(|ours| right.contains(&ours));
                compared.area_agreement.entry(truth.name.clone()).or_default().compare(same);
            }
        }
        let both = told.row.due.is_some() && told.row.closed.is_some();
        if let Some(right) = recorded.verdict.as_ref().filter(|_| both && !told.verdict.is_empty()) {
            let ours = verdicts.get(&told.row.incident).map(String::as_str);
            compared.verdicts.compare(ours.is_some() && ours == right.means(&told.verdict));
        }
        if let (Some(units), Some(agreement)) = (&recorded.units, &mut compared.units)
            && !told.unit.is_empty()
        {
            let ours = units.of(&category(&told.row, pack, recorded), area);
            agreement.compare(ours.contains(&told.unit));
        }
    }
    Ok(())
}

/// The code of the area of the truth's level that the incident was routed to.
fn code_at(truth: &Truth, area: &AreaPath, pack: &Pack) -> Option<String> {
    let own = pack.areas.at_level(area, truth.level).filter(|own| own.level == truth.level)?;
    Some(own.path.code().to_owned())
}

/// The category the row was taken as.
fn category(row: &Row, pack: &Pack, recorded: &Recorded) -> CategoryCode {
    let own = CategoryCode(row.category.clone());
    let unlisted = recorded.unlisted_category.clone().filter(|_| !pack.categories.contains_key(&own));
    unlisted.unwrap_or(own)
}

struct Columns<'a> {
    recorded: &'a Recorded,
    encoding: Encoding,
    areas: Vec<Option<At>>,
    usable: Option<At>,
    verdict: Option<At>,
    unit: Option<At>,
}

impl<'a> Columns<'a> {
    fn find(header: &ByteRecord, recorded: &'a Recorded, encoding: Encoding) -> Self {
        let at = |name: &str| At::find(header, name);
        Self {
            areas: recorded.truth.iter().map(|truth| at(&truth.column)).collect(),
            usable: recorded.usable.as_ref().and_then(|usable| at(&usable.column.name)),
            verdict: recorded.verdict.as_ref().and_then(|verdict| at(&verdict.column)),
            unit: recorded.units.as_ref().and_then(|units| at(&units.column)),
            recorded,
            encoding,
        }
    }

    fn told(&self, row: Row, record: &ByteRecord) -> Told {
        let text = |column: &Option<At>| {
            let text = column.as_ref().and_then(|column| column.text(record, self.encoding).ok());
            text.filter(|text| !self.recorded.placed.is_nothing(text)).unwrap_or_default().to_owned()
        };
        let right = |(truth, column): (&Truth, &Option<At>)| {
            // A column that told where the row lies would only be compared with itself.
            let told = column.as_ref().is_some_and(|column| row.named_by.contains(&column.index));
            if told { Vec::new() } else { self.right(truth, text(column)) }
        };
        let usable = self.recorded.usable.as_ref().zip(self.usable.as_ref());
        Told {
            areas: self.recorded.truth.iter().zip(&self.areas).map(right).collect(),
            usable: usable.is_none_or(|(usable, column)| {
                column.text(record, self.encoding).is_ok_and(|text| usable.has(text))
            }),
            verdict: text(&self.verdict),
            unit: text(&self.unit),
            row,
        }
    }

    /// The codes that would be right. A name that is not known is its own code, which no area has.
    fn right(&self, truth: &Truth, text: String) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        if !truth.by_name {
            let pad = truth.pad.unwrap_or(0);
            return vec![format!("{text:0>pad$}")];
        }
        let named: Vec<String> =
            self.recorded.names.find(truth.level, &text).iter().map(|area| area.code().to_owned()).collect();
        if named.is_empty() { vec![text] } else { named }
    }
}
