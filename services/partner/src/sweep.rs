//! Takes from an organisation that was suspended or removed what it was offered or holds. Pure.

use chrono::TimeDelta;
use domain::facts::OfferProposed;
use domain::id::IncidentId;
use domain::partner::{ReleaseReason, Standing};
use platform::turn::Turn;

use crate::store::offers::{OfferKey, OfferRow};
use crate::{Work, propose};

/// After this long without effect it is proposed again.
const PROPOSE_AGAIN: TimeDelta = TimeDelta::seconds(30);

pub(crate) fn sweep(work: &mut Work, incident: IncidentId, turn: &mut Turn) {
    let now = turn.now();
    let due: Vec<(OfferKey, OfferRow)> = work
        .offers
        .iter()
        .filter(|(key, row)| key.incident == incident && row.look_at.is_some_and(|look_at| look_at <= now))
        .map(|(key, row)| (key.clone(), row.clone()))
        .collect();
    for (key, row) in due {
        let standing = work.organisations.get(&key.partner).map(|known| known.partner.standing);
        let reason = match standing {
            Some(Standing::Suspended) => Some(ReleaseReason::Suspended),
            Some(Standing::Removed) => Some(ReleaseReason::Removed),
            // Active again before anybody looked.
            Some(Standing::Active) | None => None,
        };
        let look_at = match reason {
            Some(reason) if row.state.concerns_the_case() => {
                let body = OfferProposed::Withdrawn { partner: key.partner.clone(), reason };
                propose(turn, incident, now, "act/standing".to_owned(), &body);
                Some(now + PROPOSE_AGAIN)
            }
            _ => None,
        };
        work.set_offer(key, OfferRow { look_at, ..row });
    }
}
