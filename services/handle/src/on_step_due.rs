//! `step.due`: the time of a step has come. It advances the case to that instant and no further; a step
//! that is done, met or moved meanwhile changes nothing.

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
    let input = Input::StepDue(record.body()?);
    // Its time is the step's own on every clock, so `at` is not asked.
    work.take(terms, record, &input, record.at, turn)
}
