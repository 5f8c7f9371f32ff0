//! Reports to send: those the pack has on record, or else points spread over its boundaries.

use std::sync::Arc;

use anyhow::{Context, ensure};
use discover::NewReport;
use domain::id::PersonId;
use domain::place::Place;
use domain::rights::{Action, areas_for};
use platform::entropy;
use platform::pack::Pack;

use crate::replay::rows::Rows;

/// So many different ones are enough; they are sent again and again, each time under an id of its own.
const DIFFERENT: usize = 5_000;

/// What a pack's people report.
#[derive(Clone, Debug)]
pub struct Reports {
    /// Somebody who may.
    pub reporter: PersonId,
    places: Arc<Vec<(String, Place)>>,
    /// Tells this run's reports from another's.
    run: String,
}

impl Reports {
    /// # Errors
    /// When nobody of the pack may report, or its file cannot be read.
    pub fn of(pack: &Pack) -> anyhow::Result<Self> {
        let may = |grants: &[domain::rights::Grant]| !areas_for(grants, Action::Report).is_empty();
        let reporter = pack.people.iter().find(|person| may(&person.grants));
        let reporter =
            reporter.context("nobody of the pack may report / 辖区包中没有可上报的人员")?.id.clone();
        let places = match pack.recorded.as_ref().and_then(|recorded| recorded.file.as_ref()) {
            Some(file) => on_record(pack, file)?,
            None => spread(pack)?,
        };
        ensure!(!places.is_empty(), "the pack has no place to report / 辖区包没有可用的位置");
        let run = entropy::draw::<4>().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { reporter, places: Arc::new(places), run })
    }

    /// The report of that number.
    pub fn get(&self, number: usize) -> NewReport {
        let (category, place) = &self.places[number % self.places.len()];
        NewReport {
            client_id: format!("bench-{}-{number}", self.run),
            category: category.clone(),
            place: place.clone(),
            registered_area: None,
            description: "井盖缺失，需要尽快处理 a cover is missing".to_owned(),
        }
    }

    /// The same as a device sends it.
    pub fn body(&self, number: usize) -> String {
        serde_json::to_string(&self.get(number)).expect("a report is plain data")
    }
}

fn on_record(pack: &Pack, file: &std::path::Path) -> anyhow::Result<Vec<(String, Place)>> {
    let mut rows = Rows::open(file, pack)?;
    let mut places = Vec::new();
    while let Some(row) = rows.next_row() {
        let Ok(row) = row else { continue };
        if pack.categories.contains_key(&row.category.as_str().into()) && row.place.check().is_ok() {
            places.push((row.category, row.place));
        }
        if places.len() == DIFFERENT {
            break;
        }
    }
    Ok(places)
}

/// Points in the box around the boundaries, in even rows and columns.
fn spread(pack: &Pack) -> anyhow::Result<Vec<(String, Place)>> {
    let file = pack.boundaries.first().context("the pack has no boundaries / 辖区包没有边界")?;
    let json: serde_json::Value = serde_json::from_str(&file.text).context("the boundaries are not JSON")?;
    let mut around = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
    widen(&json["features"], &mut around);
    let [west, south, east, north] = around;
    let categories: Vec<_> = pack.categories.keys().map(|code| code.0.clone()).collect();
    ensure!(west < east && south < north && !categories.is_empty(), "the boundaries have no points");
    let side = 64_u32;
    let at = |low: f64, high: f64, n: u32| low + (high - low) * (f64::from(n) + 0.5) / f64::from(side);
    let points = (0..side * side).map(|n| (at(west, east, n % side), at(south, north, n / side)));
    let place = |(lon, lat)| Place {
        lon,
        lat,
        datum: file.datum,
        accuracy_m: Some(12.0),
        source: Some("gps".to_owned()),
        captured_at: None,
        area: None,
    };
    Ok(points
        .enumerate()
        .map(|(n, point)| (categories[n % categories.len()].clone(), place(point)))
        .collect())
}

/// Widens the box by every pair of numbers in `json`.
fn widen(json: &serde_json::Value, around: &mut [f64; 4]) {
    let pair = json
        .as_array()
        .filter(|pair| pair.len() >= 2)
        .and_then(|pair| Some((pair[0].as_f64()?, pair[1].as_f64()?)));
    if let Some((lon, lat)) = pair {
        *around = [around[0].min(lon), around[1].min(lat), around[2].max(lon), around[3].max(lat)];
        return;
    }
    let within: Box<dyn Iterator<Item = &serde_json::Value>> = match json {
        serde_json::Value::Array(all) => Box::new(all.iter()),
        serde_json::Value::Object(all) => Box::new(all.values()),
        _ => return,
    };
    within.for_each(|one| widen(one, around));
}
