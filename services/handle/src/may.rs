//! What a person may do to a case now: asked of the code that decides, so that nobody is shown a button that refuses
//! them. Pure.

use chrono::{DateTime, Utc};
use domain::case::{Action, Case, Input, Outcome, may_be_offered, receive};
use domain::rights::{self, Grant, may};
use platform::pack::{Pack, People};
use platform::token::Principal;

use crate::act::right;
use crate::terms;

/// Has a case offered to partner organisations; partner decides on it.
const ORDER: &str = "order";

/// Whether `grants` let their bearer do `wanted` to a case: as they say; or as of the post that acts for its holder,
/// where nobody works for that any more, since its area is listed no more or the post has fallen vacant.
pub(crate) fn may_do(grants: &[Grant], wanted: rights::Action, case: &Case, people: &People) -> bool {
    let acting = || people.acting_for(&case.holder);
    may(grants, wanted, &case.area, &case.holder)
        || acting().is_some_and(|acting| may(grants, wanted, &case.area, &acting))
}

/// The actions that would change `case` if `who` took them at `now`, by name, in the order of the work.
pub(crate) fn may_now(case: &Case, who: &Principal, now: DateTime<Utc>, pack: &Pack) -> Vec<&'static str> {
    let terms = terms(pack);
    let allowed = |wanted| may_do(&who.grants, wanted, case, &pack.people);
    let changes = |action: &Action| {
        let input = Input::Act { action: *action, by: who.person.clone() };
        matches!(receive(case.incident, Some(case), &input, now, terms), Ok(Outcome::Changed(_)))
    };
    let acts = Action::ALL.iter().filter(|action| allowed(right(**action)) && changes(action));
    let takers = terms.categories.get(&case.category).is_some_and(|category| !category.offer_to.is_empty());
    let order = takers && allowed(rights::Action::Order) && may_be_offered(case, terms);
    acts.map(|action| action.name()).chain(order.then_some(ORDER)).collect()
}
