//! What a person does to a case: whether they may, and what came of it. Pure.

use domain::area::{AreaPath, Level};
use domain::case::{Action, Case, Happened, Input, Outcome, Refusal, Terms};
use domain::holder::Holder;
use domain::id::IncidentId;
use domain::rights::{self, Grant};
use platform::pack::People;
use platform::turn::{Asked, Turn};

use crate::Work;
use crate::may::{Seen, may_do, may_give, may_see};

/// The command.
#[derive(Clone, Debug)]
pub struct Act {
    pub incident: IncidentId,
    pub action: Action,
    /// What the asker is, where; from the token.
    pub grants: Vec<Grant>,
    /// The revision the asker saw, if they said.
    pub seen: Option<u32>,
    /// The asker's words. Kept in the history, never in a fact.
    pub note: Option<String>,
}

/// It is done, or was so already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub state: &'static str,
    pub revision: u32,
    /// Who has it from now on, and where it lies.
    pub holder: Holder,
    pub area: AreaPath,
}

pub(crate) fn obey(
    terms: Terms<'_>,
    people: &People,
    work: &mut Work,
    asked: &Asked<Act>,
    turn: &mut Turn,
) -> Result<Done, Refusal> {
    let act = &asked.command;
    let case = work.cases.get(&act.incident).ok_or(Refusal::Unknown)?;
    let input = Input::Act { action: act.action.clone(), by: asked.by.clone() };
    let outcome = work.decide(act.incident, &input, turn.at(asked.recorded_at), terms);
    // Only facts can be undecidable.
    let outcome = outcome.unwrap_or(Outcome::Refused(Refusal::Unknown));
    let seen = Seen { case, level: level_by_now(case, &outcome), people, areas: terms.areas };
    // A second tap finds the case handed on already; it is answered as the first one was.
    let was_theirs = may_act(seen, act) || (!is_transfer(act) && visible(case, asked));
    if outcome == Outcome::Unchanged && was_theirs {
        turn.unchanged();
        return Ok(done(case));
    }
    allowed(seen, asked)?;
    match outcome {
        Outcome::Changed(effects) => {
            work.keep(effects, &format!("act/{}", act.action.name()), act.note.as_deref(), turn);
            work.cases.get(&act.incident).map(done).ok_or(Refusal::Unknown)
        }
        Outcome::Unchanged => Err(Refusal::Unknown),
        Outcome::Refused(refusal) => Err(refusal),
    }
}

/// Who may not see a case hears that there is none. A partner organisation's people work on what it holds without
/// seeing all of it.
fn allowed(seen: Seen<'_>, asked: &Asked<Act>) -> Result<(), Refusal> {
    let act = &asked.command;
    let (case, may_act) = (seen.case, may_act(seen, act));
    if !may_act && !visible(case, asked) {
        return Err(Refusal::Unknown);
    }
    if !may_act {
        return Err(Refusal::NotYours { action: act.action.en(), action_zh: act.action.zh() });
    }
    if let Action::Transfer(to) = &act.action
        && !may_give(&act.grants, to, seen)
    {
        return Err(Refusal::CannotHold { to: to.clone() });
    }
    match act.seen {
        Some(expected) if expected != case.revision => {
            Err(Refusal::Changed { expected, actual: case.revision })
        }
        _ => Ok(()),
    }
}

fn may_act(seen: Seen<'_>, act: &Act) -> bool {
    may_do(&act.grants, right(&act.action), seen)
}

/// Whoever is answerable is so still after a transfer: nobody else's can be a second tap.
fn is_transfer(act: &Act) -> bool {
    matches!(act.action, Action::Transfer(_))
}

/// The highest level answerable at the time of the act: what fell due before it counts, whoever notices first.
fn level_by_now(case: &Case, outcome: &Outcome) -> Level {
    let Outcome::Changed(effects) = outcome else { return case.level };
    let climbed = effects.iter().filter_map(|effect| match effect.happened {
        Happened::Escalated { to, .. } => Some(to),
        _ => None,
    });
    climbed.fold(case.level, Level::max)
}

fn visible(case: &Case, asked: &Asked<Act>) -> bool {
    case.reporter == asked.by || may_see(&asked.command.grants, case)
}

pub(crate) fn right(action: &Action) -> rights::Action {
    match action {
        Action::Sign => rights::Action::Sign,
        Action::Stage => rights::Action::Stage,
        Action::Answer => rights::Action::Answer,
        Action::Return(_) => rights::Action::Return,
        Action::Transfer(_) => rights::Action::Transfer,
        Action::Pass | Action::Fail => rights::Action::Check,
        Action::Close => rights::Action::Close,
    }
}

fn done(case: &Case) -> Done {
    Done {
        state: case.state.name(),
        revision: case.revision,
        holder: case.holder.clone(),
        area: case.area.clone(),
    }
}
