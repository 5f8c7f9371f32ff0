//! `incident.routed`: the first attempt opens the case; a later one hands it on after a return.

use domain::case::{Input, Terms};
use platform::stream::Record;
use platform::turn::Turn;

use crate::Work;

pub(crate) fn react(
    terms: Terms<'_>,
    work: &mut Work,
    record: &Record,
    turn: &mut Turn,
) -> Result<(), String> {
    let input = Input::Routed(record.body()?);
    let at = turn.at(record.at);
    work.take(terms, record, &input, at, turn)
}
