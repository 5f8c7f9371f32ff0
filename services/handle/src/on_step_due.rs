//! `step.due`: the time of a step has come. It advances the case to that instant and no further; a step
//! that is done, met or moved meanwhile changes nothing.

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
    let input = Input::StepDue(record.body()?);
    let case = work.cases.get(&record.incident);
    // Its time is the step's own on every clock, so `at` is not asked.
    match receive(record.incident, case, &input, record.at, terms).map_err(|why| why.to_string())? {
        Outcome::Changed(effects) => work.keep(effects, &record.as_cause(), None, turn),
        Outcome::Unchanged | Outcome::Refused(_) => turn.unchanged(),
    }
    Ok(())
}
