//! `report.submitted`: put the place on one datum, find the grid, choose a holder. A report that names an area and
//! gives no point lies in that area, and in no smaller one.

use domain::facts::ReportSubmitted;
use domain::routing::Flag;
use platform::stream::Record;
use platform::turn::{Turn, Undecided};

use crate::Work;
use crate::choose::{Asking, choose};
use crate::store::incidents::Incident;

pub(crate) fn react(work: &mut Work, record: &Record, turn: &mut Turn) -> Result<(), Undecided> {
    let ReportSubmitted { report } = record.body()?;
    let ground = work.ground.clone();
    let at = turn.at(record.at);
    let (lon, lat) = report.place.wgs84();
    let flags = ground.pack.routing.flags(&report);
    let located = match &report.place.area {
        Some(code) => Some(ground.stated(code)?),
        // A placeholder lies in some grid, but what it stands for does not.
        None if flags.contains(&Flag::Placeholder) => None,
        None => ground
            .locate((lon, lat), ground.day(at), &report.category)?
            .map(|located| located.measured(&flags)),
    };
    let asking = Asking {
        lon,
        lat,
        category: &report.category,
        matter: &ground.matter(&report.category),
        flags,
        located,
        registered_area: ground.registered(report.registered_area.as_deref())?,
        tried: &[],
        staffed: &|holder| ground.is_staffed(holder, at),
        boundaries: ground.version(),
    };
    let chosen = choose(&asking, &ground.pack.routing, &ground.pack.areas);
    let incident = Incident {
        id: record.incident,
        attempt: 1,
        category: report.category.clone(),
        registered_area: report.registered_area.clone(),
        route: chosen,
        tried: Vec::new(),
        routed_at: at,
    };
    work.propose(incident, Some(report), at, record.as_cause(), turn);
    Ok(())
}
