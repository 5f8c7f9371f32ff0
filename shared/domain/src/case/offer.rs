//! 下单 – 接单: a case offered to partner organisations. While it is offered, and again when nobody takes it, the
//! office holds it: at no moment has a case no holder. Declining, silence and giving back count against nobody.

use chrono::{DateTime, Utc};

use super::receive::{Decision, awaits_route, decided, sign_again};
use super::{Case, Happened, Outcome, State, Terms};
use crate::deadline::{Deadline, DeadlineKind};
use crate::facts::OfferProposed;
use crate::holder::Holder;
use crate::id::{PartnerId, PersonId};
use crate::partner::ReleaseReason;
use crate::policy::Policy;
use crate::text::Text;

/// What partner proposed. The first acceptance that finds the offer standing wins; whatever comes too late, or
/// from somebody who was not asked, changes nothing.
pub(super) fn proposed(
    case: &Case,
    proposal: &OfferProposed,
    recorded_at: DateTime<Utc>,
    terms: Terms<'_>,
) -> Outcome {
    let outcome = decided(case, recorded_at, terms, |case, at| {
        Ok(match proposal {
            OfferProposed::Placed { partners, by, revision, why } if case.revision == *revision => {
                place(case, partners, by.as_ref(), why, (recorded_at, at), terms)
            }
            OfferProposed::Placed { .. } => None,
            OfferProposed::Accepted { partner, round, by } => asked(case, partner, *round).then(|| {
                Happened::Accepted { partner: partner.clone(), by: by.clone(), met_at: recorded_at }
            }),
            OfferProposed::Declined { partner, round, by, reason } => {
                asked(case, partner, *round).then(|| Happened::Declined {
                    partner: partner.clone(),
                    by: by.clone(),
                    reason: *reason,
                    met_at: recorded_at,
                    sign: sign_after(case, partner, at, terms),
                })
            }
            OfferProposed::Withdrawn { partner, reason } => {
                withdraw(case, partner, *reason, (recorded_at, at), terms)
            }
        })
    });
    match outcome {
        Outcome::Refused(_) => Outcome::Unchanged,
        other => other,
    }
}

/// Whether organisations may be asked at `at` to take the case as it stands; which of them fit is for partner to say.
pub fn may_be_offered(case: &Case, at: DateTime<Utc>, terms: Terms<'_>) -> bool {
    could_be_offered(case, terms) && no_time(case, at, terms).is_none()
}

/// Why a case stays with whoever holds it that organisations would be asked to take, were there time.
pub fn too_late_to_offer(case: &Case, at: DateTime<Utc>, terms: Terms<'_>) -> Option<Text> {
    let takers = terms.categories.get(&case.category).is_some_and(|category| !category.offer_to.is_empty());
    if takers && could_be_offered(case, terms) { no_time(case, at, terms) } else { None }
}

fn no_time(case: &Case, at: DateTime<Utc>, terms: Terms<'_>) -> Option<Text> {
    let handle = case.deadline(DeadlineKind::Handle)?;
    policy_of(case, terms).no_time_to_offer(terms.calendar, at, handle.due_at)
}

fn could_be_offered(case: &Case, terms: Terms<'_>) -> bool {
    let free = matches!(case.state, State::Dispatched | State::Handling { .. }) && !awaits_route(case);
    // Promise 7, once more: whoever proposes it, a sensitive matter does not leave the office.
    let open = terms.categories.get(&case.category).is_some_and(|category| !category.sensitive);
    free && open
        && !case.is_sensitive()
        && !case.recorded
        && case.holder.partner().is_none()
        && policy_of(case, terms).offer_limit.is_some()
}

/// What is urgent has less time to be taken.
fn policy_of<'a>(case: &Case, terms: Terms<'a>) -> &'a Policy {
    terms.policy.of(case.handling_limit())
}

/// Whether `partner` is asked to take the case, in this round.
fn asked(case: &Case, partner: &PartnerId, round: u32) -> bool {
    let standing = case.deadline(DeadlineKind::Offer).is_some_and(|offer| offer.round == round);
    standing && matches!(&case.state, State::Offered { partners } if partners.contains(partner))
}

fn place(
    case: &Case,
    partners: &[PartnerId],
    by: Option<&PersonId>,
    why: &Text,
    (met_at, at): (DateTime<Utc>, DateTime<Utc>),
    terms: Terms<'_>,
) -> Option<Happened> {
    if partners.is_empty() || !may_be_offered(case, at, terms) {
        return None;
    }
    let policy = policy_of(case, terms);
    let limit = policy.offer_limit?;
    let kind = DeadlineKind::Offer;
    let round = case.deadline(kind).map_or(1, |offer| offer.round + 1);
    Some(Happened::Offered {
        partners: partners.to_vec(),
        by: by.cloned(),
        why: why.clone(),
        met_at,
        offer: policy.deadline(terms.calendar, kind, round, at, limit),
    })
}

/// A new limit to sign for whoever holds it, when with `partner` the last one is gone.
fn sign_after(case: &Case, partner: &PartnerId, at: DateTime<Utc>, terms: Terms<'_>) -> Option<Deadline> {
    let last =
        matches!(&case.state, State::Offered { partners } if partners.iter().all(|one| one == partner));
    if last { sign_again(case, at, terms) } else { None }
}

fn withdraw(
    case: &Case,
    partner: &PartnerId,
    reason: ReleaseReason,
    (met_at, at): (DateTime<Utc>, DateTime<Utc>),
    terms: Terms<'_>,
) -> Option<Happened> {
    match &case.state {
        State::Offered { partners } if partners.contains(partner) => Some(Happened::Released {
            partner: partner.clone(),
            by: None,
            reason,
            holder: case.holder.clone(),
            met_at,
            sign: sign_after(case, partner, at, terms),
        }),
        State::Closed { .. } => None,
        _ if case.holder.partner().as_ref() == Some(partner) => {
            released(case, partner, None, reason, (met_at, at), terms)
        }
        _ => None,
    }
}

/// An organisation gives back what it holds. Not blamed for it, and not counted as a return (退单).
pub(super) fn give_back(
    case: &Case,
    partner: &PartnerId,
    by: &PersonId,
    times: (DateTime<Utc>, DateTime<Utc>),
    terms: Terms<'_>,
) -> Decision {
    Ok(released(case, partner, Some(by), ReleaseReason::GivenBack, times, terms))
}

/// Back to whoever held it before. What was answered stands, and is checked as it is.
fn released(
    case: &Case,
    partner: &PartnerId,
    by: Option<&PersonId>,
    reason: ReleaseReason,
    (met_at, at): (DateTime<Utc>, DateTime<Utc>),
    terms: Terms<'_>,
) -> Option<Happened> {
    let holder = case.home.clone()?;
    let working = matches!(case.state, State::Handling { .. });
    let sign = if working { sign_again(case, at, terms) } else { None };
    Some(Happened::Released { partner: partner.clone(), by: by.cloned(), reason, holder, met_at, sign })
}

impl Case {
    pub(super) fn offered(&mut self, partners: &[PartnerId], met_at: DateTime<Utc>, offer: &Deadline) {
        self.meet(DeadlineKind::Sign, met_at);
        self.put(offer.clone());
        self.state = State::Offered { partners: partners.to_vec() };
        self.revision += 1;
    }

    pub(super) fn accepted(
        &mut self,
        at: DateTime<Utc>,
        partner: &PartnerId,
        by: &PersonId,
        met_at: DateTime<Utc>,
    ) {
        self.meet(DeadlineKind::Offer, met_at);
        self.remember(by);
        self.home = Some(std::mem::replace(&mut self.holder, Holder::of_partner(partner)));
        self.state = State::Handling { signed: super::Mark { by: by.clone(), at } };
        self.revision += 1;
    }

    /// `partner` is no longer asked; when nobody is, its holder has it as before.
    pub(super) fn not_asked(&mut self, partner: &PartnerId, met_at: DateTime<Utc>, sign: Option<&Deadline>) {
        self.revision += 1;
        if let State::Offered { partners } = &mut self.state {
            partners.retain(|other| other != partner);
            if partners.is_empty() {
                self.flow_back(met_at, sign);
            }
        }
    }

    pub(super) fn flow_back(&mut self, met_at: DateTime<Utc>, sign: Option<&Deadline>) {
        self.meet(DeadlineKind::Offer, met_at);
        self.state = State::Dispatched;
        if let Some(sign) = sign {
            self.put(sign.clone());
        }
    }

    pub(super) fn released(
        &mut self,
        partner: &PartnerId,
        holder: &Holder,
        met_at: DateTime<Utc>,
        sign: Option<&Deadline>,
    ) {
        if matches!(self.state, State::Offered { .. }) {
            return self.not_asked(partner, met_at, sign);
        }
        self.holder = holder.clone();
        self.home = None;
        self.revision += 1;
        if matches!(self.state, State::Handling { .. }) {
            self.state = State::Dispatched;
        }
        if let Some(sign) = sign {
            self.put(sign.clone());
        }
    }
}
