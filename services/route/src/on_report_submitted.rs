//! `report.submitted`: put the place on one datum, find the grid, choose a holder. A report that names an area and
//! gives no point lies in that area, and in no smaller one.

use chrono::NaiveDate;
use domain::facts::ReportSubmitted;
use domain::routing::Flag;
use platform::stream::Record;
use platform::turn::Turn;

use crate::boundaries::Found;
use crate::choose::{Asking, Located, choose};
use crate::store::incidents::Incident;
use crate::{Route, Work};

pub(crate) fn react(route: &Route, work: &mut Work, record: &Record, turn: &mut Turn) -> Result<(), String> {
    let ReportSubmitted { report } = record.body()?;
    let at = turn.at(record.at);
    let (lon, lat) = report.place.wgs84();
    let flags = route.pack.routing.flags(&report.place);
    let located = match &report.place.area {
        Some(code) => Some(route.stated(code)?),
        // A placeholder lies in some grid, but what it stands for does not.
        None if flags.contains(&Flag::Placeholder) => None,
        None => route.locate(lon, lat, route.pack.calendar.local(at).date())?,
    };
    let asking = Asking {
        lon,
        lat,
        category: &report.category,
        flags,
        located,
        tried: &[],
        staffed: &|holder| route.is_staffed(holder, at),
        boundaries: &route.version,
    };
    let chosen = choose(&asking, &route.pack.routing, &route.pack.areas);
    let incident = Incident {
        id: record.incident,
        attempt: 1,
        category: report.category.clone(),
        route: chosen,
        tried: Vec::new(),
        routed_at: at,
    };
    work.propose(incident, Some(report), at, record.as_cause(), turn);
    Ok(())
}

impl Route {
    /// The smallest area in force on `day` that holds a point on WGS-84.
    pub(crate) fn locate(&self, lon: f64, lat: f64, day: NaiveDate) -> Result<Option<Located>, String> {
        let Some(found) = self.boundaries.find(lon, lat, day) else { return Ok(None) };
        let code = found.code();
        let area = self
            .pack
            .areas
            .by_code(code)
            .ok_or_else(|| format!("the boundaries name area `{code}`, which the pack does not list"))?;
        Ok(Some(located(&found, area.path.clone(), area.level)))
    }

    /// The area a report names.
    pub(crate) fn stated(&self, code: &str) -> Result<Located, String> {
        let area = self.pack.areas.by_code(code);
        let area =
            area.ok_or_else(|| format!("the report names area `{code}`, which the pack does not list"))?;
        Ok(Located { area: area.path.clone(), level: area.level, others: Vec::new(), border_m: None })
    }
}

fn located(found: &Found<'_>, area: domain::area::AreaPath, level: domain::area::Level) -> Located {
    let others = found.other_codes().into_iter().map(str::to_owned).collect();
    Located { area, level, others, border_m: Some(found.border_distance_m()) }
}
