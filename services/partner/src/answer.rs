//! 接单 and 婉拒: what one of an organisation's people says to an offer. Pure.

use domain::facts::OfferProposed;
use domain::holder::organisation;
use domain::id::{IncidentId, PartnerId};
use domain::partner::{DeclineReason, fits};
use domain::rights::{Action, Grant, areas_for};
use domain::text::Text;
use platform::turn::{Asked, Turn};

use crate::store::offers::{OfferKey, OfferRow, OfferState};
use crate::{Command, Done, Refused, Work, propose};

/// The command.
#[derive(Clone, Debug)]
pub struct Answer {
    pub incident: IncidentId,
    pub partner: PartnerId,
    pub says: Said,
    /// What the asker is, where; from the token.
    pub grants: Vec<Grant>,
}

/// What is said to an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Accept,
    Decline(DeclineReason),
}

pub(crate) fn obey(
    work: &mut Work,
    answer: &Answer,
    asked: &Asked<Command>,
    turn: &mut Turn,
) -> Result<Done, Refused> {
    let (by, at) = (&asked.by, turn.at(asked.recorded_at));
    let (key, row) = offer_of(work, answer).ok_or(Refused::Unknown)?;
    let (key, row) = (key.clone(), row.clone());
    let next = match (answer.says, row.state) {
        // A second tap is answered as the first one was.
        (Said::Accept, OfferState::Accepting | OfferState::Won) => return Ok(Done::Already(row.state)),
        (Said::Decline(_), OfferState::Declining | OfferState::Declined) => {
            return Ok(Done::Already(row.state));
        }
        (_, OfferState::Open) => match answer.says {
            Said::Accept => OfferState::Accepting,
            Said::Decline(_) => OfferState::Declining,
        },
        (_, state) => return Err(Refused::Late(state.text())),
    };
    if answer.says == Said::Accept {
        fits_still(work, answer)?;
    }
    let (partner, round) = (answer.partner.clone(), key.round);
    let body = match answer.says {
        Said::Accept => OfferProposed::Accepted { partner, round, by: by.clone() },
        Said::Decline(reason) => OfferProposed::Declined { partner, round, by: by.clone(), reason },
    };
    propose(turn, answer.incident, at, "act/answer".to_owned(), &body);
    if next == OfferState::Accepting {
        *work.busy.entry(answer.partner.clone()).or_default() += 1;
    }
    work.set_offer(
        key,
        OfferRow { state: next, answered_at: Some(at), answered_by: Some(by.clone()), ..row },
    );
    Ok(Done::Sent { round })
}

/// The latest offer of the incident to an organisation the asker acts for.
fn offer_of<'a>(work: &'a Work, answer: &Answer) -> Option<(&'a OfferKey, &'a OfferRow)> {
    let own = organisation(&answer.partner);
    if !areas_for(&answer.grants, Action::TakeOffer).contains(&&own) {
        return None;
    }
    let of_incident = work.offers.iter().filter(|(key, _)| key.incident == answer.incident);
    of_incident.filter(|(key, _)| key.partner == answer.partner).max_by_key(|(key, _)| key.round)
}

/// Asked of the register as it is now: what was offered yesterday may not be the organisation's to take today.
fn fits_still(work: &Work, answer: &Answer) -> Result<(), Refused> {
    let organisation = work.organisations.get(&answer.partner).ok_or(Refused::Unknown)?;
    let case = work.cases.get(&answer.incident).ok_or(Refused::Unknown)?;
    let category = work.category(case).ok_or(Refused::Unknown)?;
    fits(&organisation.partner, category, &case.area, work.busy_of(organisation)).map_err(|unfit| {
        let text = unfit.text();
        Refused::Late(Text::new(
            format!("现在不能接单：{}；请联系街道", text.zh),
            format!("your organisation cannot take it now: {}. Ask the street office", text.en),
        ))
    })
}
