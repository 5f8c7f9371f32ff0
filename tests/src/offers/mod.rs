//! 下单、接单: what must hold between handle's cases and partner's offers once nothing is on its way, and how offers
//! are lived through over HTTP.

#[cfg(test)]
mod at_once;
#[cfg(test)]
mod over_http;
#[cfg(test)]
mod random;
#[cfg(test)]
mod register;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use domain::id::IncidentId;
use platform::store::{get, get_incident};
use sea_orm::QueryResult;

/// What of handle's and partner's tables is asked for, wherever they are.
pub const HELD: &str = "SELECT incident, area, holder, home, state, offered_to, revision FROM handle_case";
pub const MIRRORED: &str = "SELECT incident, area, holder, state, revision FROM partner_case";
pub const OFFERED: &str = "SELECT incident, round, partner, state FROM partner_offer";
/// How far each of the two has told and heard of an incident.
pub const OF_HANDLE: &str =
    "SELECT incident, topic, last FROM handle_sequence WHERE topic IN ('handled', 'partnered')";
pub const OF_PARTNER: &str =
    "SELECT incident, topic, last FROM partner_sequence WHERE topic IN ('handled', 'partnered')";

/// The rows of these.
#[derive(Debug, Default)]
pub struct Tables {
    pub held: Vec<QueryResult>,
    pub mirrored: Vec<QueryResult>,
    pub offered: Vec<QueryResult>,
    pub of_handle: Vec<QueryResult>,
    pub of_partner: Vec<QueryResult>,
}

/// A case as handle has it, or as partner has heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stood {
    area: String,
    holder: String,
    state: String,
    revision: i32,
}

/// What handle knows beside it.
#[derive(Clone, Debug)]
struct Held {
    stood: Stood,
    home: Option<String>,
    /// Who is asked to take it.
    asked: BTreeSet<String>,
}

/// One incident's offers: round, organisation, and what came of it.
type Offers = Vec<(i32, String, String)>;

impl Tables {
    /// The incidents of which one of the two has told something that the other has not heard yet.
    ///
    /// # Errors
    /// When a row is not what it should be.
    pub fn on_the_way(&self) -> anyhow::Result<BTreeSet<IncidentId>> {
        let (handle, partner) = (sequences(&self.of_handle)?, sequences(&self.of_partner)?);
        let both = handle.keys().chain(partner.keys());
        let differ = both.filter(|key| handle.get(key).unwrap_or(&0) != partner.get(key).unwrap_or(&0));
        Ok(differ.map(|(incident, _)| *incident).collect())
    }

    /// Everything that is not as it must be of incidents of which nothing is on its way.
    ///
    /// # Errors
    /// When a row is not what it should be.
    pub fn disagreements(&self) -> anyhow::Result<Vec<String>> {
        let on_the_way = self.on_the_way()?;
        let mut cases = BTreeMap::new();
        for row in &self.held {
            cases.insert(get_incident(row, "incident")?, held(row)?);
        }
        let mut faults = Vec::new();
        for row in &self.mirrored {
            let (incident, heard) = (get_incident(row, "incident")?, stood(row)?);
            match cases.get(&incident) {
                Some(case) if case.stood == heard || on_the_way.contains(&incident) => {}
                other => {
                    faults.push(format!("{incident}: partner has heard {heard:?}, handle has {other:?}"))
                }
            }
        }
        let mut offers: BTreeMap<IncidentId, Offers> = BTreeMap::new();
        for row in &self.offered {
            let offer = (get(row, "round")?, get(row, "partner")?, get(row, "state")?);
            offers.entry(get_incident(row, "incident")?).or_default().push(offer);
        }
        for (incident, case) in cases.iter().filter(|(incident, _)| !on_the_way.contains(*incident)) {
            let of_case = offers.remove(incident).unwrap_or_default();
            faults.extend(wrong(case, &of_case).into_iter().map(|why| format!("{incident}: {why}")));
        }
        let strays = offers.keys().filter(|incident| !cases.contains_key(*incident));
        faults.extend(strays.map(|incident| format!("{incident}: an offer of no case")));
        Ok(faults)
    }
}

fn sequences(rows: &[QueryResult]) -> anyhow::Result<BTreeMap<(IncidentId, String), i64>> {
    let read = |row| anyhow::Ok(((get_incident(row, "incident")?, get(row, "topic")?), get(row, "last")?));
    rows.iter().map(read).collect()
}

fn stood(row: &QueryResult) -> anyhow::Result<Stood> {
    Ok(Stood {
        area: get(row, "area")?,
        holder: get(row, "holder")?,
        state: get(row, "state")?,
        revision: get(row, "revision")?,
    })
}

fn held(row: &QueryResult) -> anyhow::Result<Held> {
    let asked: Option<String> = get(row, "offered_to")?;
    let asked =
        asked.map(|list| serde_json::from_str(&list)).transpose().context("a list of organisations")?;
    Ok(Held { stood: stood(row)?, home: get(row, "home")?, asked: asked.unwrap_or_default() })
}

/// What of one case's offers cannot be so.
fn wrong(case: &Held, offers: &Offers) -> Vec<String> {
    let Stood { holder, state, .. } = &case.stood;
    let mut faults = Vec::new();
    let organisation = holder.strip_prefix("partner:org/");
    if organisation.is_some() != case.home.is_some() {
        faults.push(format!("held by {holder}, whose home is {:?}", case.home));
    }
    if (state == "OFFERED") == case.asked.is_empty() {
        faults.push(format!("{state}, and asked are {:?}", case.asked));
    }
    let of = |wanted: &[&str]| -> BTreeSet<String> {
        let these = offers.iter().filter(|(_, _, state)| wanted.contains(&state.as_str()));
        these.map(|(round, partner, _)| format!("{partner} in round {round}")).collect()
    };
    let latest = offers.iter().map(|(round, ..)| *round).max().unwrap_or(0);
    let in_latest = |partner: &str| format!("{partner} in round {latest}");
    let mut expect = |what: &str, wanted: &[&str], expected: BTreeSet<String>| {
        let found = of(wanted);
        if found != expected {
            faults
                .push(format!("{state}, held by {holder}: {what} are {found:?}, and should be {expected:?}"));
        }
    };
    expect("open offers", &["open"], case.asked.iter().map(|partner| in_latest(partner)).collect());
    expect("offers waiting to be decided", &["accepting", "declining"], BTreeSet::new());
    let holds = organisation.map(in_latest);
    let (won, done) = if state == "CLOSED" { (None, holds) } else { (holds, None) };
    expect("offers won", &["won"], won.into_iter().collect());
    expect("offers done", &["done"], done.into_iter().collect());
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(holder: &str, state: &str, asked: &[&str]) -> Held {
        let home = holder.starts_with("partner:").then(|| "grid_leader:s/c/g".to_owned());
        let stood = Stood {
            area: "s/c/g".to_owned(),
            holder: holder.to_owned(),
            state: state.to_owned(),
            revision: 1,
        };
        Held { stood, home, asked: asked.iter().map(|partner| (*partner).to_owned()).collect() }
    }

    fn offers(list: &[(i32, &str, &str)]) -> Offers {
        list.iter()
            .map(|(round, partner, state)| (*round, (*partner).to_owned(), (*state).to_owned()))
            .collect()
    }

    const GRID: &str = "grid_leader:s/c/g";
    const LARK: &str = "partner:org/lark";

    #[test]
    fn what_is_as_it_must_be_is_left_in_peace() {
        for (case, list) in [
            (case(GRID, "DISPATCHED", &[]), offers(&[])),
            (case(GRID, "OFFERED", &["home"]), offers(&[(1, "lark", "declined"), (1, "home", "open")])),
            (
                case(LARK, "HANDLING", &[]),
                offers(&[(1, "home", "lapsed"), (2, "lark", "won"), (2, "home", "lost")]),
            ),
            (case(LARK, "CLOSED", &[]), offers(&[(1, "lark", "done")])),
            (case(GRID, "CHECKING", &[]), offers(&[(1, "lark", "released"), (1, "home", "withdrawn")])),
        ] {
            assert_eq!(wrong(&case, &list), [""; 0], "{list:?}");
        }
    }

    #[test]
    fn two_that_won_one_that_is_still_asked_and_one_that_lost_what_it_holds_are_named() {
        for (case, list) in [
            (case(LARK, "HANDLING", &[]), offers(&[(1, "lark", "won"), (1, "home", "won")])),
            (case(LARK, "HANDLING", &[]), offers(&[(1, "lark", "lost")])),
            (case(LARK, "HANDLING", &[]), offers(&[(1, "lark", "won"), (1, "home", "open")])),
            (case(LARK, "CLOSED", &[]), offers(&[(1, "lark", "won")])),
            (case(GRID, "DISPATCHED", &[]), offers(&[(1, "lark", "accepting")])),
            (case(GRID, "OFFERED", &["home"]), offers(&[(1, "home", "open"), (1, "lark", "open")])),
            (case(GRID, "OFFERED", &["home"]), offers(&[(1, "home", "open"), (2, "home", "lapsed")])),
            (case(GRID, "OFFERED", &[]), offers(&[])),
            (Held { home: None, ..case(LARK, "HANDLING", &[]) }, offers(&[(1, "lark", "won")])),
        ] {
            assert_ne!(wrong(&case, &list), [""; 0], "{list:?}");
        }
    }
}
