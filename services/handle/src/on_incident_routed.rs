//! `incident.routed`: the first attempt opens the case, and brings the reporter's words; a later one hands it on after
//! a return.

use domain::case::{Input, Terms};
use domain::facts::IncidentRouted;
use platform::stream::Record;
use platform::turn::{Turn, Undecided};

use crate::Work;
use crate::store::words::Words;

pub(crate) fn react(
    terms: Terms<'_>,
    work: &mut Work,
    record: &Record,
    turn: &mut Turn,
) -> Result<(), Undecided> {
    let mut routed: IncidentRouted = record.body()?;
    let words = words(&mut routed, terms);
    let opens = !work.cases.contains_key(&record.incident);
    let at = turn.at(record.at);
    work.take(terms, record, &Input::Routed(routed), at, turn)?;
    if opens {
        work.words.extend(words.map(|words| Words { incident: record.incident, words }));
    }
    Ok(())
}

/// Takes the words out of the report: they go to a table of their own, and into no fact of ours. Promise 7, once more:
/// whoever sent them, those of a sensitive matter are not kept here.
fn words(routed: &mut IncidentRouted, terms: Terms<'_>) -> Option<String> {
    let report = routed.report.as_mut()?;
    let plain = terms.categories.get(&report.category).is_some_and(|category| !category.sensitive);
    report.words.take().filter(|_| plain)
}
