//! What a person may do to a case now: asked of the code that decides, so that nobody is shown a button that refuses
//! them. Pure.

use chrono::{DateTime, Utc};
use domain::case::{Action, Case, Input, Outcome, Terms, may_be_offered, receive};
use domain::rights::{self, may};
use platform::token::Principal;

use crate::act::right;

/// Has a case offered to partner organisations; partner decides on it.
const ORDER: &str = "order";

/// The actions that would change `case` if `who` took them at `now`, by name, in the order of the work.
pub(crate) fn may_now(
    case: &Case,
    who: &Principal,
    now: DateTime<Utc>,
    terms: Terms<'_>,
) -> Vec<&'static str> {
    let allowed = |wanted| may(&who.grants, wanted, &case.area, &case.holder);
    let changes = |action: &Action| {
        let input = Input::Act { action: *action, by: who.person.clone() };
        matches!(receive(case.incident, Some(case), &input, now, terms), Ok(Outcome::Changed(_)))
    };
    let acts = Action::ALL.iter().filter(|action| allowed(right(**action)) && changes(action));
    let takers = terms.categories.get(&case.category).is_some_and(|category| !category.offer_to.is_empty());
    let order = takers && allowed(rights::Action::Order) && may_be_offered(case, terms);
    acts.map(|action| action.name()).chain(order.then_some(ORDER)).collect()
}
