//! How the databases are asked: all at once, each one question after the other, and how long each took.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use super::super::report::Query;
use super::super::snapshot::{Cells, Snapshot};
use super::super::whole::SERVICES;

/// Ranges of incidents, so many at most: where two sides differ, a range is looked at row by row.
const RANGES: usize = 4_096;

/// Pages of a table that the ends of ranges are taken from.
const SAMPLED: i64 = 2_000;

/// Each question is one scan or one hash table; sorting millions of rows is never the better way. The four
/// databases are asked at once, which occupies the processors, so none of them shares out a question further.
const HOW: &str = "SET LOCAL work_mem = '256MB'; SET LOCAL enable_sort = off; SET LOCAL jit = off; \
     SET LOCAL max_parallel_workers_per_gather = 0";

/// The databases as they were at one moment, and what they were asked.
pub(super) struct Asking<'a> {
    pub snapshot: &'a Snapshot,
    asked: Mutex<Vec<Query>>,
}

impl<'a> Asking<'a> {
    pub async fn new(snapshot: &'a Snapshot) -> anyhow::Result<Self> {
        for service in SERVICES {
            snapshot.execute(service.name, HOW).await?;
        }
        Ok(Self { snapshot, asked: Mutex::default() })
    }

    /// Asks, and notes how long it took.
    pub async fn rows(&self, service: &'static str, of: &str, sql: &str) -> anyhow::Result<Vec<QueryResult>> {
        let begun = Instant::now();
        let rows = self.snapshot.rows(service, sql, Vec::<Value>::new()).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // What is asked of many ranges is told once.
        match asked.iter_mut().find(|query| query.service == service && query.of == of) {
            Some(query) => {
                query.times += 1;
                query.seconds += seconds;
            }
            None => asked.push(Query { service, of: of.to_owned(), times: 1, seconds }),
        }
        Ok(rows)
    }

    /// What was asked, by service.
    pub fn asked(self) -> Vec<Query> {
        let mut asked = self.asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        asked.sort_by_key(|query| SERVICES.iter().position(|service| service.name == query.service));
        asked
    }

    /// Draws the ranges from the cases there are, so that each holds about as many, and lets every database know.
    pub async fn ranges(&self) -> anyhow::Result<Ranges> {
        let sql = "SELECT least(100.0, 100.0 * SAMPLED / greatest(1, pg_relation_size('discover_report') / 8192))::float8";
        let sql = sql.replace("SAMPLED", &SAMPLED.to_string());
        let part: f64 = self.snapshot.one("discover", &sql, Vec::new()).await?.unwrap_or(100.0);
        let sql = format!("SELECT incident FROM discover_report TABLESAMPLE SYSTEM ({part})");
        let rows = self.rows("discover", "a sample of the incidents", &sql).await?;
        let mut sample: Vec<Uuid> = Vec::with_capacity(rows.len());
        for row in &rows {
            sample.push(Cells::new(row).incident().map_err(anyhow::Error::msg)?);
        }
        sample.sort_unstable();
        let ends: Vec<Uuid> = match sample.len() {
            few if few < RANGES => sample,
            many => (1..RANGES).filter_map(|n| sample.get(n * many / RANGES).copied()).collect(),
        };
        let ranges = Ranges { ends };
        for service in SERVICES {
            let list = ranges.list();
            let sql = format!("SELECT set_config('gridward.ranges', '{list}', true)");
            self.snapshot.execute(service.name, &sql).await?;
        }
        Ok(ranges)
    }
}

/// The ends of ranges: the first goes up to the first end, the last from the last end on.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    ends: Vec<Uuid>,
}

impl Ranges {
    /// The number of an incident's range, in SQL.
    pub const NUMBER: &'static str =
        "width_bucket(incident, (SELECT current_setting('gridward.ranges')::uuid[]))";

    fn list(&self) -> String {
        let mut list = "{".to_owned();
        for (n, end) in self.ends.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(list, "{comma}{end}");
        }
        list.push('}');
        list
    }

    /// A range, as a condition.
    pub fn condition(&self, number: i32) -> String {
        let number = usize::try_from(number).unwrap_or(0);
        let from = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let from = from.map_or_else(|| "true".to_owned(), |from| format!("incident >= '{from}'"));
        let to = self.ends.get(number).map_or_else(|| "true".to_owned(), |to| format!("incident < '{to}'"));
        format!("({from} AND {to})")
    }
}

/// Some incidents, as a condition.
pub(super) fn among(incidents: impl Iterator<Item = Uuid>) -> String {
    let list: Vec<String> = incidents.map(|incident| format!("'{incident}'")).collect();
    if list.is_empty() { "false".to_owned() } else { format!("incident IN ({})", list.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_meet_and_have_no_ends_outside() {
        let ends: Vec<Uuid> = [5, 9].map(Uuid::from_u128).to_vec();
        let (five, nine) = (ends[0], ends[1]);
        let ranges = Ranges { ends };
        assert_eq!(ranges.condition(0), format!("(true AND incident < '{five}')"));
        assert_eq!(ranges.condition(1), format!("(incident >= '{five}' AND incident < '{nine}')"));
        assert_eq!(ranges.condition(2), format!("(incident >= '{nine}' AND true)"));
        assert_eq!(Ranges { ends: Vec::new() }.condition(0), "(true AND true)");
    }

    #[test]
    fn no_incidents_are_a_condition_that_none_meets() {
        assert_eq!(among(std::iter::empty()), "false");
    }
}
