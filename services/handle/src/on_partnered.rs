//! `offer.*`: an offer to partner organisations, and what they say to it. The first acceptance that finds the offer
//! standing wins; whatever comes too late changes nothing, and partner tells whoever sent it.

use domain::case::{Input, Terms};
use platform::stream::Record;
use platform::turn::{Turn, Undecided};

use crate::Work;

pub(crate) fn react(
    terms: Terms<'_>,
    work: &mut Work,
    record: &Record,
    turn: &mut Turn,
) -> Result<(), Undecided> {
    let input = Input::Partnered(record.body()?);
    let at = turn.at(record.at);
    work.take(terms, record, &input, at, turn)
}
