//! One scan of each sheet, and what is wrong with its rows by themselves.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::QueryResult;
use uuid::Uuid;

use super::super::ledger::{Ledger, Name};
use super::super::snapshot::Cells;
use super::asking::{Asking, Ranges};
use super::pairs::Pair;
use super::sheets::{Kind, Sheet};

/// How many rows are named of what is wrong in one way.
const NAMED: usize = 20;

/// What a scan gave for one range.
#[derive(Clone, Debug, Default)]
struct Found {
    rows: i64,
    sums: Vec<String>,
    wrong: Vec<i64>,
}

/// A sheet that was scanned.
#[derive(Clone, Debug)]
pub(super) struct Scanned {
    pub sheet: Sheet,
    by_range: BTreeMap<i32, Found>,
}

impl Scanned {
    pub async fn of(asking: &Asking<'_>, sheet: Sheet) -> anyhow::Result<Self> {
        let number = Ranges::NUMBER;
        let sums = sheet.sums.iter().map(|(_, sum)| format!("coalesce(sum({sum}), 0)::text"));
        let wrong = sheet.wrong.iter().map(|wrong| format!("count(*) FILTER (WHERE {})::int8", wrong.when));
        let columns: Vec<String> = [format!("{number} AS number"), "count(*)::int8".to_owned()]
            .into_iter()
            .chain(sums)
            .chain(wrong)
            .collect();
        let sql = format!("SELECT {} FROM {} GROUP BY 1", columns.join(", "), sheet.from);
        let mut by_range = BTreeMap::new();
        for row in asking.rows(sheet.service, &sheet.of, &sql).await? {
            let (number, found) = found(&row, &sheet).map_err(anyhow::Error::msg)?;
            by_range.insert(number, found);
        }
        Ok(Self { sheet, by_range })
    }

    pub fn rows(&self) -> u64 {
        self.by_range.values().map(|found| found.rows.unsigned_abs()).sum()
    }

    fn sum(&self, number: i32, sum: usize) -> &str {
        self.by_range.get(&number).and_then(|found| found.sums.get(sum)).map_or("0", String::as_str)
    }

    fn place(&self, sum: &str) -> Option<usize> {
        self.sheet.sums.iter().position(|(name, _)| *name == sum)
    }

    /// Tells what is wrong with rows by themselves: how much, and some of it by name.
    pub async fn tell(
        &self,
        asking: &Asking<'_>,
        ranges: &Ranges,
        strict: bool,
        ledger: &mut Ledger,
    ) -> anyhow::Result<()> {
        for check in &self.sheet.looked {
            ledger.looked(*check, usize::try_from(self.rows())?);
        }
        for (n, wrong) in self.sheet.wrong.iter().enumerate() {
            let count = |found: &Found| found.wrong.get(n).copied().unwrap_or(0).unsigned_abs();
            let all: u64 = self.by_range.values().map(count).sum();
            if wrong.kind == Kind::Effect {
                ledger.due_steps.effected += all;
                continue;
            }
            let mut named: Vec<Uuid> = Vec::new();
            for (number, _) in self.by_range.iter().filter(|(_, found)| count(found) > 0) {
                if named.len() >= NAMED {
                    break;
                }
                let (from, range) = (&self.sheet.from, ranges.condition(*number));
                let sql = format!(
                    "SELECT incident FROM {from} WHERE {range} AND ({}) LIMIT {}",
                    wrong.when,
                    NAMED - named.len()
                );
                for row in
                    asking.rows(self.sheet.service, &format!("{} at fault", self.sheet.of), &sql).await?
                {
                    named.push(Cells::new(&row).incident().map_err(anyhow::Error::msg)?);
                }
            }
            note(wrong.kind, &named, &wrong.what, all, strict, ledger);
        }
        Ok(())
    }
}

fn found(row: &QueryResult, sheet: &Sheet) -> Result<(i32, Found), String> {
    let mut cells = Cells::new(row);
    let (number, rows) = (cells.take()?, cells.whole()?);
    let sums = sheet.sums.iter().map(|_| cells.take()).collect::<Result<_, _>>()?;
    let wrong = sheet.wrong.iter().map(|_| cells.whole()).collect::<Result<_, _>>()?;
    Ok((number, Found { rows, sums, wrong }))
}

fn note(kind: Kind, named: &[Uuid], what: &str, all: u64, strict: bool, ledger: &mut Ledger) {
    let unnamed = all.saturating_sub(named.len() as u64);
    let check = match kind {
        Kind::Fault(check) => Some(check),
        Kind::Early => Some(Name::Steps),
        Kind::Late => strict.then_some(Name::Steps),
        Kind::Effect => None,
    };
    if let Some(check) = check {
        named.iter().for_each(|id| ledger.fault(check, id, what));
        ledger.more(check, unnamed);
    }
    match kind {
        Kind::Early => ledger.due_steps.early += all,
        Kind::Late => {
            named.iter().for_each(|id| ledger.late(id, what));
            ledger.due_steps.late += unnamed;
        }
        Kind::Fault(_) | Kind::Effect => {}
    }
}

/// The sides of a pair among what was scanned.
pub(super) fn sides<'a>(
    pair: &Pair,
    scanned: &'a BTreeMap<String, Scanned>,
) -> Option<[(&'a Scanned, usize); 2]> {
    let side = |(sheet, sum): &(String, &'static str)| {
        let scanned = scanned.get(sheet)?;
        Some((scanned, scanned.place(sum)?))
    };
    Some([side(&pair.left)?, side(&pair.right)?])
}

/// The ranges in which the two sides of a pair differ.
pub(super) fn differing(sides: &[(&Scanned, usize); 2]) -> Vec<i32> {
    let [(left, l), (right, r)] = sides;
    let numbers: BTreeSet<i32> = left.by_range.keys().chain(right.by_range.keys()).copied().collect();
    numbers.into_iter().filter(|number| left.sum(*number, *l) != right.sum(*number, *r)).collect()
}

/// What a side of a pair says of each of some incidents.
pub(super) async fn one_by_one(
    asking: &Asking<'_>,
    (scanned, sum): (&Scanned, usize),
    which: &str,
) -> anyhow::Result<BTreeMap<Uuid, String>> {
    let sheet = &scanned.sheet;
    let Some((_, sum)) = sheet.sums.get(sum) else { return Ok(BTreeMap::new()) };
    let sql = format!(
        "SELECT incident, sum({sum})::text FROM {} WHERE {which} GROUP BY incident HAVING sum({sum}) IS NOT NULL",
        sheet.from
    );
    let mut said = BTreeMap::new();
    for row in asking.rows(sheet.service, &format!("{} where it differs", sheet.of), &sql).await? {
        let mut cells = Cells::new(&row);
        let incident = cells.incident().map_err(anyhow::Error::msg)?;
        said.insert(incident, cells.take().map_err(anyhow::Error::msg)?);
    }
    Ok(said)
}
