//! `offer.*`: an offer to partner organisations, and what they say to it. The first acceptance that finds the offer
//! standing wins; whatever comes too late changes nothing, and partner tells whoever sent it.

use domain::case::{Input, Outcome, Terms, receive};
use platform::stream::Record;
use platform::turn::Turn;

use crate::Work;

pub(crate) fn react(
    terms: Terms<'_>,
    work: &mut Work,
    record: &Record,
    turn: &mut Turn,
) -> Result<(), String> {
    let input = Input::Partnered(record.body()?);
    let at = turn.at(record.at);
    let case = work.cases.get(&record.incident);
    match receive(record.incident, case, &input, at, terms).map_err(|why| why.to_string())? {
        Outcome::Changed(effects) => work.keep(effects, &record.as_cause(), None, turn),
        Outcome::Unchanged | Outcome::Refused(_) => turn.unchanged(),
    }
    Ok(())
}
