//! `case.returned`: the holder gave it back, so propose the next one, or leave it with the street.

use domain::case::Happened;
use domain::facts::CaseFact;
use domain::holder::Holder;
use domain::routing::Flag;
use platform::stream::Record;
use platform::turn::{Turn, Undecided};

use crate::Work;
use crate::choose::{Asking, choose};
use crate::store::incidents::Incident;

/// A case that was returned this often is the street's for good; no further attempt is made.
const LAST_RETURN: u32 = 3;

pub(crate) fn react(work: &mut Work, record: &Record, turn: &mut Turn) -> Result<(), Undecided> {
    let CaseFact { happened, case } = record.body()?;
    let known = work.incidents.get(&record.incident);
    let before = known.ok_or_else(|| format!("route never routed incident {}", record.incident))?;
    // An attempt that handle never took up is not the one that was returned.
    if case.returns >= LAST_RETURN || before.attempt != case.attempt {
        turn.unchanged();
        return Ok(());
    }
    let ground = work.ground.clone();
    let at = turn.at(record.at);
    let mut tried = before.tried.clone();
    tried.push(gave_back(happened).unwrap_or_else(|| before.route.holder.clone()));
    let has = |flag: &Flag| before.route.flags.iter().any(|has| has == flag.as_str());
    let flags: Vec<Flag> = Flag::ALL.into_iter().filter(has).collect();
    let located = if flags.contains(&Flag::StatedArea) {
        ground.still(&before.route.area)
    } else if flags.contains(&Flag::Placeholder) {
        None
    } else {
        let point = (before.route.lon, before.route.lat);
        let located = ground.locate(point, ground.day(at), &before.category)?;
        located.map(|located| located.measured(&flags))
    };
    let asking = Asking {
        lon: before.route.lon,
        lat: before.route.lat,
        category: &before.category,
        matter: &ground.matter(&before.category),
        flags,
        located,
        registered_area: ground.registered(before.registered_area.as_deref())?,
        tried: &tried,
        staffed: &|holder| ground.is_staffed(holder, at),
        boundaries: ground.version(),
    };
    let chosen = choose(&asking, &ground.pack.routing, &ground.pack.areas);
    let incident = Incident {
        id: record.incident,
        attempt: before.attempt + 1,
        category: before.category.clone(),
        registered_area: before.registered_area.clone(),
        route: chosen,
        tried,
        routed_at: at,
    };
    work.propose(incident, None, at, record.as_cause(), turn);
    Ok(())
}

/// Who gave it back: somebody else than route chose, where it was transferred since. Whom that was taken from may be
/// proposed again.
fn gave_back(happened: Happened) -> Option<Holder> {
    match happened {
        Happened::Returned { from, .. } => from,
        _ => None,
    }
}
