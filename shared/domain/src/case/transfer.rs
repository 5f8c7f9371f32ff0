//! 转派: whoever is answerable for a case by now gives it to another post of their area, or takes it over themselves. Whose
//! that is to do is asked where people are known; here is what becomes of the case.

use chrono::{DateTime, Utc};

use super::receive::{Decision, awaits_route, sign_again};
use super::{Case, Happened, Refusal, State, Terms};
use crate::area::AreaPath;
use crate::deadline::{Deadline, DeadlineKind};
use crate::holder::{Holder, Post};
use crate::id::PersonId;
use crate::naming;
use crate::text::Text;

/// The rule that such an assignment names.
const TRANSFER: &str = "transfer";

/// Whether a case as it stands can be handed on: somebody has to handle it, is not asked whether they would, and route is
/// not choosing them at this moment.
pub fn may_be_transferred(case: &Case) -> bool {
    matches!(case.state, State::Dispatched | State::Handling { .. }) && !awaits_route(case)
}

/// `to` has it from now on. Route's attempt stands, as it was not given back.
pub(super) fn hand_on(
    case: &Case,
    to: &Holder,
    by: &PersonId,
    at: DateTime<Utc>,
    terms: Terms<'_>,
) -> Decision {
    if !may_be_transferred(case) {
        return Err(Refusal::not_now("transfer", "转派", &case.state));
    }
    if case.holder == *to {
        return Ok(None);
    }
    let there = terms.areas.by_path(&to.area);
    if to.post == Post::Partner || there.is_none_or(|area| area.level != to.post.level()) {
        return Err(Refusal::CannotHold { to: to.clone() });
    }
    // What is sensitive goes up or stays: below, more people would come to know of it.
    if case.is_sensitive() && to.post.level() < case.holder.post.level() {
        return Err(Refusal::InConfidence { to: to.clone() });
    }
    let area = area_under(to, case);
    Ok(Some(Happened::Assigned {
        // A desk that took up what was given back waits for route no more, and whoever has it now may give it back.
        attempt: case.attempt.max(case.returns + 1),
        left: (case.area != area).then(|| case.area.clone()),
        area,
        holder: to.clone(),
        rule: TRANSFER.to_owned(),
        why: why(to, terms),
        by: Some(by.clone()),
        sign: sign_if_signed(case, at, terms),
    }))
}

/// No case lies outside its holder's area: one that the leader of another grid is given lies there from now on, as one
/// that route hands to the other of two grids does.
fn area_under(to: &Holder, case: &Case) -> AreaPath {
    if to.area.contains(&case.area) { case.area.clone() } else { to.area.clone() }
}

/// Nobody gains time by handing on what was not signed for: that limit goes on as it stands, with every level above it.
/// What was signed for, the new holder signs for anew; handling keeps the limit it has.
fn sign_if_signed(case: &Case, at: DateTime<Utc>, terms: Terms<'_>) -> Option<Deadline> {
    let runs = case.deadline(DeadlineKind::Sign).is_some_and(|sign| sign.met_at.is_none());
    if runs { None } else { sign_again(case, at, terms) }
}

/// Who did it the history says, by name.
fn why(to: &Holder, terms: Terms<'_>) -> Text {
    let Text { zh, en } = naming::holder(to, terms.areas);
    Text::new(
        format!("经督办转派，由{zh}承办；处置时限照旧。"),
        format!("Handed on to {en} by whoever is answerable for it; the time to handle it stands as it was."),
    )
}
