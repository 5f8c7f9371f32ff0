//! Advancing: each step of each deadline that is due takes effect, in order, once.
//!
//! Because every input first advances the case to its own time, the outcome depends on recorded times
//! alone and never on which message was slow.

use chrono::{DateTime, Utc};

use super::receive::{Terms, sign_again};
use super::{Case, Happened, State};
use crate::area::AreaPath;
use crate::deadline::{Deadline, Does};

/// Something that happened, when it counts, and the row after it: what one fact carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    pub at: DateTime<Utc>,
    pub happened: Happened,
    pub case: Case,
}

/// How far to advance.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// Steps due before this moment: an input at T comes before a step due at T.
    Before(DateTime<Utc>),
    /// Steps due at this moment too: what `step.due` proposes, and a breach at opening.
    Through(DateTime<Utc>),
}

impl Until {
    fn reaches(self, due_at: DateTime<Utc>) -> bool {
        match self {
            Self::Before(moment) => due_at < moment,
            Self::Through(moment) => due_at <= moment,
        }
    }
}

/// Advances `case`, adding to `effects` what took effect. Loops until nothing is due.
pub(super) fn advance(case: &mut Case, until: Until, terms: Terms<'_>, effects: &mut Vec<Effect>) {
    while let Some((happened, at)) = next_due(case, until, terms) {
        case.apply(at, &happened);
        effects.push(Effect { at, happened, case: case.clone() });
    }
}

/// The next step that takes effect, and when.
fn next_due(case: &Case, until: Until, terms: Terms<'_>) -> Option<(Happened, DateTime<Utc>)> {
    let (deadline, step, does, due_at) = waiting_steps(case)
        .filter(|(_, _, _, due_at)| until.reaches(*due_at))
        .min_by_key(|(deadline, step, _, due_at)| (*due_at, deadline.kind, *step))?;
    let (kind, round) = (deadline.kind, deadline.round);
    let at = due_at.max(case.last_at);
    let happened = match does {
        Does::Remind => Happened::Reminded { deadline: kind, round, step },
        Does::Escalate(to) => {
            let above = terms.areas.at_level(&case.area, to);
            let area = above.map_or_else(|| root(&case.area), |area| area.path.clone());
            Happened::Escalated { deadline: kind, round, step, to, area }
        }
        Does::Lapse => Happened::Lapsed { deadline: kind, round, step, sign: sign_again(case, at, terms) },
    };
    Some((happened, at))
}

/// Steps that are neither done nor moot: those of deadlines not met, on a case not closed.
fn waiting_steps(case: &Case) -> impl Iterator<Item = (&Deadline, u32, Does, DateTime<Utc>)> {
    let open = !matches!(case.state, State::Closed { .. });
    case.deadlines.iter().filter(move |deadline| open && deadline.met_at.is_none()).flat_map(|deadline| {
        let waiting = deadline.steps.iter().enumerate().filter(|(_, step)| step.done_at.is_none());
        waiting.map(move |(n, step)| (deadline, u32::try_from(n).unwrap_or(u32::MAX), step.does, step.due_at))
    })
}

/// When the next step of the case falls due, if nothing else happens to it.
pub fn next_step_due(case: &Case) -> Option<DateTime<Utc>> {
    waiting_steps(case).map(|(_, _, _, due_at)| due_at).min()
}

fn root(area: &AreaPath) -> AreaPath {
    let mut root = area.clone();
    while let Some(parent) = root.parent() {
        root = parent;
    }
    root
}
