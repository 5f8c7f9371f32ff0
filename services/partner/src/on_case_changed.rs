//! `case.*`: keeps what partner knows of a case and of its offers, and has a new case offered to whoever fits. Pure.

use chrono::{DateTime, Utc};
use domain::case::{Case, Happened, State};
use domain::deadline::{Deadline, DeadlineKind};
use domain::facts::{CaseFact, OfferProposed};
use domain::id::{IncidentId, PartnerId};
use domain::partner::ReleaseReason;
use domain::routing::Flag;
use platform::stream::Record;
use platform::turn::Turn;

use crate::store::cases::Mirrored;
use crate::store::offers::{OfferKey, OfferRow, OfferState};
use crate::{Work, no_time, propose, why};

pub(crate) fn react(work: &mut Work, record: &Record, turn: &mut Turn) -> Result<(), String> {
    let CaseFact { happened, case } = record.body()?;
    let incident = case.incident;
    // Cases of categories that nobody is offered, sensitive ones among them, are none of partner's business. One that
    // it knows it knows to its end, also when its category is offered to nobody any more.
    let category = work.pack.categories.get(&case.category);
    let offered = category.is_some_and(|category| !category.sensitive && !category.offer_to.is_empty());
    let offered = offered && !case.is_sensitive();
    if !(offered || work.cases.contains_key(&incident)) || case.recorded {
        return Ok(());
    }
    let mirrored = mirrored(&case);
    note_busy(work, incident, &mirrored);
    work.cases.insert(incident, mirrored);
    work.changed_cases.insert(incident);
    match &happened {
        Happened::Opened { .. } => offer_to_all_that_fit(work, &case, record, turn),
        Happened::Offered { partners, offer, .. } => {
            offered_to(work, incident, partners, offer, record.at, turn)
        }
        Happened::Accepted { partner, .. } => settle(work, incident, |key, _| {
            Some(if key.partner == *partner { OfferState::Won } else { OfferState::Lost })
        }),
        Happened::Declined { partner, .. } => {
            settle(work, incident, |key, _| (key.partner == *partner).then_some(OfferState::Declined));
        }
        Happened::Lapsed { .. } => settle(work, incident, |_, _| Some(OfferState::Lapsed)),
        Happened::Released { partner, reason, .. } => settle(work, incident, |key, row| {
            (key.partner == *partner).then_some(released(row.state, *reason))
        }),
        // Whoever holds it has taken it up.
        Happened::Signed { .. } => settle(work, incident, |_, _| Some(OfferState::Lost)),
        // 转派: taken from whoever held it.
        Happened::Assigned { .. } => {
            settle(work, incident, |_, row| (row.state == OfferState::Won).then_some(OfferState::TakenBack));
        }
        Happened::Closed { .. } => {
            settle(work, incident, |_, row| (row.state == OfferState::Won).then_some(OfferState::Done));
        }
        _ => {}
    }
    Ok(())
}

/// What becomes of an offer whose organisation gave the case back, or was suspended or removed.
fn released(state: OfferState, reason: ReleaseReason) -> OfferState {
    match (state, reason) {
        (OfferState::Won, ReleaseReason::GivenBack) => OfferState::Released,
        (OfferState::Won, ReleaseReason::Suspended | ReleaseReason::Removed) => OfferState::TakenBack,
        _ => OfferState::Withdrawn,
    }
}

fn mirrored(case: &Case) -> Mirrored {
    Mirrored {
        category: case.category.clone(),
        area: case.area.clone(),
        holder: case.holder.clone(),
        lon: case.lon,
        lat: case.lat,
        state: case.state.name().to_owned(),
        revision: case.revision,
        due_at: case.deadline(DeadlineKind::Handle).map(|deadline| deadline.due_at),
        opened_at: case.opened_at,
        chosen_area: case.flags.iter().any(|flag| flag == Flag::ChosenArea.as_str()),
    }
}

/// One more or one less to do for whoever holds it.
fn note_busy(work: &mut Work, incident: IncidentId, now: &Mirrored) {
    let working = |case: &Mirrored| case.holder.partner().filter(|_| case.state != "CLOSED");
    let before = work.cases.get(&incident).and_then(working);
    let after = working(now);
    if before == after {
        return;
    }
    if let Some(count) = before.and_then(|partner| work.busy.get_mut(&partner)) {
        *count = count.saturating_sub(1);
    }
    if let Some(partner) = after {
        *work.busy.entry(partner).or_default() += 1;
    }
}

fn offer_to_all_that_fit(work: &Work, case: &Case, record: &Record, turn: &mut Turn) {
    let (Some(mirrored), State::Dispatched) = (work.cases.get(&case.incident), &case.state) else { return };
    let Some(category) = work.category(mirrored) else { return };
    let at = turn.at(record.at);
    // Handle would not take it up: whoever holds it needs what time there is.
    if no_time(work, mirrored, at).is_some() {
        return;
    }
    let fitting = work.fitting(mirrored, category);
    if fitting.is_empty() {
        return;
    }
    let body = OfferProposed::Placed {
        partners: fitting.iter().map(|partner| partner.id.clone()).collect(),
        by: None,
        revision: case.revision,
        why: why(&fitting, false),
    };
    propose(turn, case.incident, at, record.as_cause(), &body);
}

fn offered_to(
    work: &mut Work,
    incident: IncidentId,
    partners: &[PartnerId],
    offer: &Deadline,
    at: DateTime<Utc>,
    turn: &Turn,
) {
    for partner in partners {
        // Suspended between being asked and hearing of it.
        let gone = !work.organisations.get(partner).is_some_and(|known| known.is_active());
        let key = OfferKey { incident, round: offer.round, partner: partner.clone() };
        let row = OfferRow {
            state: OfferState::Open,
            offered_at: at,
            due_at: offer.due_at,
            answered_at: None,
            answered_by: None,
            look_at: gone.then(|| turn.now()),
        };
        work.set_offer(key, row);
    }
}

/// Gives the offers of the latest round that are not at their end the state `becomes` says, if any.
fn settle(
    work: &mut Work,
    incident: IncidentId,
    becomes: impl Fn(&OfferKey, &OfferRow) -> Option<OfferState>,
) {
    let open = |row: &OfferRow| row.state.concerns_the_case();
    let settled: Vec<(OfferKey, OfferRow)> = work
        .latest(incident)
        .filter(|(_, row)| open(row))
        .filter_map(|(key, row)| {
            let state = becomes(key, row)?;
            let look_at = row.look_at.filter(|_| state.concerns_the_case());
            Some((key.clone(), OfferRow { state, look_at, ..row.clone() }))
        })
        .collect();
    for (key, row) in settled {
        work.set_offer(key, row);
    }
}
