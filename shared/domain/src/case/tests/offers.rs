//! 下单 – 接单 – 婉拒 – 回流: a case offered to organisations. The offer of this office stands for 3 h.

use super::super::{may_be_offered, too_late_to_offer};
use super::*;
use crate::facts::OfferProposed;
use crate::partner::{DeclineReason, ReleaseReason};

const LARK: &str = "lark";
const HOME: &str = "home";

pub(super) fn placed(revision: u32, partners: &[&str]) -> OfferProposed {
    OfferProposed::Placed {
        partners: partners.iter().map(|id| (*id).into()).collect(),
        by: None,
        revision,
        why: Text::new("可由社会组织承接", "Organisations may take it"),
    }
}

fn accepted(partner: &str, round: u32) -> OfferProposed {
    OfferProposed::Accepted { partner: partner.into(), round, by: format!("of-{partner}").as_str().into() }
}

fn declined(partner: &str, round: u32) -> OfferProposed {
    let (by, reason) = (format!("of-{partner}").as_str().into(), DeclineReason::NoCapacity);
    OfferProposed::Declined { partner: partner.into(), round, by, reason }
}

fn withdrawn(partner: &str) -> OfferProposed {
    OfferProposed::Withdrawn { partner: partner.into(), reason: ReleaseReason::Removed }
}

impl Life {
    fn partnered(&mut self, proposal: OfferProposed, at: DateTime<Utc>) -> Vec<String> {
        told(&self.receive(&Input::Partnered(proposal), at))
    }

    /// Opened at +0:00, and offered to two organisations at +0:10.
    fn offered() -> Self {
        let life = offered_at(t(0, 10));
        assert_eq!(life.story().last().map(String::as_str), Some("+0:10 offered"));
        life
    }

    fn holder(&self) -> String {
        self.case().holder.to_string()
    }
}

/// Offered at `at` to two organisations.
pub(super) fn offered_at(at: DateTime<Utc>) -> Life {
    let mut life = Life::opened();
    life.partnered(placed(1, &[LARK, HOME]), at);
    life
}

/// Accepted at `at` by an organisation.
pub(super) fn held_by_a_partner(at: DateTime<Utc>) -> Life {
    let mut life = offered_at(at);
    life.partnered(accepted(LARK, 1), at);
    life
}

/// Offered, declined by one, taken by the other and given back; offered again, and nobody answers.
pub(super) fn eventful() -> Life {
    let mut life = Life::offered();
    life.partnered(declined(LARK, 1), t(0, 20));
    life.partnered(accepted(HOME, 1), t(0, 30));
    life.does("of-home", RETURN, t(1, 0));
    let revision = life.case().revision;
    life.partnered(placed(revision, &[LARK]), t(1, 10));
    let step = life.proposed(DeadlineKind::Offer, 0);
    life.step_due(&step);
    life
}

#[test]
fn while_a_case_is_offered_its_grid_holds_it_and_need_not_sign() {
    let life = Life::offered();
    assert_eq!((life.state(), life.holder().as_str()), ("OFFERED", GRID));
    assert_eq!(life.met_at(DeadlineKind::Sign), Some(t(0, 10)));
    assert_eq!(life.due_at(DeadlineKind::Offer), t(3, 10));
    assert_eq!(life.due_at(DeadlineKind::Handle), t(10, 0), "handling keeps the limit it has");
}

#[test]
fn the_first_that_accepts_holds_it_and_the_second_changes_nothing() {
    let mut life = Life::offered();
    assert_eq!(life.partnered(accepted(HOME, 1), t(0, 20)), ["+0:20 accepted"]);
    assert_eq!((life.state(), life.holder().as_str()), ("HANDLING", "partner:org/home"));
    assert_eq!(life.case().home.as_ref().map(ToString::to_string).as_deref(), Some(GRID));
    let before = life.case.clone();
    assert_eq!(life.partnered(accepted(LARK, 1), t(0, 20)), [""; 0]);
    assert_eq!(life.partnered(accepted(HOME, 1), t(0, 21)), [""; 0]);
    assert_eq!(life.case, before);
}

#[test]
fn who_was_not_asked_or_answers_an_earlier_round_gets_nothing() {
    let mut life = Life::offered();
    assert_eq!(life.partnered(accepted("crow", 1), t(0, 20)), [""; 0]);
    assert_eq!(life.partnered(accepted(LARK, 2), t(0, 20)), [""; 0]);
    life.partnered(declined(LARK, 1), t(0, 30));
    life.partnered(declined(HOME, 1), t(0, 31));
    let revision = life.case().revision;
    assert_eq!(life.partnered(placed(revision, &[LARK]), t(0, 40)), ["+0:40 offered"]);
    assert_eq!(life.partnered(accepted(LARK, 1), t(0, 50)), [""; 0]);
    assert_eq!(life.partnered(accepted(LARK, 2), t(0, 50)), ["+0:50 accepted"]);
}

#[test]
fn when_all_decline_it_is_the_grids_to_sign_for_again_and_nobody_is_blamed() {
    let mut life = Life::offered();
    assert_eq!(life.partnered(declined(LARK, 1), t(0, 30)), ["+0:30 declined"]);
    assert_eq!(life.state(), "OFFERED");
    assert_eq!(life.partnered(declined(HOME, 1), t(0, 40)), ["+0:40 declined"]);
    assert_eq!((life.state(), life.holder().as_str()), ("DISPATCHED", GRID));
    assert_eq!((life.case().returns, life.met_at(DeadlineKind::Sign)), (0, None));
    assert_eq!(life.due_at(DeadlineKind::Sign), t(1, 40), "a new hour to sign");
    assert_eq!(life.due_at(DeadlineKind::Handle), t(10, 0));
}

#[test]
fn silence_flows_back_to_the_grid_at_its_time_and_whoever_accepts_then_is_too_late() {
    let mut life = Life::offered();
    let step = life.proposed(DeadlineKind::Offer, 0);
    assert_eq!(told(&life.step_due(&step)), ["+3:10 lapsed"]);
    assert_eq!((life.state(), life.holder().as_str()), ("DISPATCHED", GRID));
    assert_eq!(life.due_at(DeadlineKind::Sign), t(4, 10));
    assert_eq!(life.partnered(accepted(LARK, 1), t(3, 11)), [""; 0]);
    assert_eq!(told(&life.step_due(&step)), [""; 0]);
}

#[test]
fn an_acceptance_before_the_time_counts_although_it_is_heard_of_after_it() {
    let mut life = Life::offered();
    assert_eq!(life.partnered(accepted(LARK, 1), t(3, 10)), ["+3:10 accepted"]);
    let mut late = Life::offered();
    assert_eq!(
        late.partnered(accepted(LARK, 1), t(3, 10) + SECOND),
        [""; 0],
        "the step itself comes in its turn"
    );
    let step = late.proposed(DeadlineKind::Offer, 0);
    assert_eq!(told(&late.step_due(&step)), ["+3:10 lapsed"]);
}

#[test]
fn whoever_holds_it_may_take_it_although_it_is_offered() {
    let mut life = Life::offered();
    assert_eq!(life.does("leader", Action::Sign, t(0, 30)), ["+0:30 signed"]);
    assert_eq!(life.met_at(DeadlineKind::Offer), Some(t(0, 30)));
    assert_eq!(life.partnered(accepted(LARK, 1), t(0, 31)), [""; 0]);
    assert_eq!(life.holder(), GRID);
}

#[test]
fn what_an_organisation_gives_back_is_its_homes_again_and_no_return() {
    let mut life = Life::offered();
    life.partnered(accepted(LARK, 1), t(0, 20));
    assert_eq!(life.does("of-lark", RETURN, t(2, 0)), ["+2:00 released"]);
    assert_eq!((life.state(), life.holder().as_str()), ("DISPATCHED", GRID));
    assert_eq!((life.case().returns, life.case().home.clone()), (0, None));
    assert_eq!(life.due_at(DeadlineKind::Sign), t(3, 0));
}

#[test]
fn an_organisation_removed_loses_the_offer_and_the_case_and_the_case_never_its_holder() {
    let mut asked = Life::offered();
    assert_eq!(asked.partnered(withdrawn(LARK), t(0, 20)), ["+0:20 released"]);
    assert_eq!((asked.state(), asked.holder().as_str()), ("OFFERED", GRID));
    assert_eq!(asked.partnered(accepted(LARK, 1), t(0, 21)), [""; 0]);
    assert_eq!(asked.partnered(withdrawn(HOME), t(0, 22)), ["+0:22 released"]);
    assert_eq!((asked.state(), asked.due_at(DeadlineKind::Sign)), ("DISPATCHED", t(1, 22)));
    assert_eq!(asked.partnered(withdrawn(HOME), t(0, 23)), [""; 0]);

    let mut holding = Life::offered();
    holding.partnered(accepted(LARK, 1), t(0, 20));
    assert_eq!(holding.partnered(withdrawn(HOME), t(0, 30)), [""; 0]);
    assert_eq!(holding.partnered(withdrawn(LARK), t(0, 30)), ["+0:30 released"]);
    assert_eq!((holding.state(), holding.holder().as_str()), ("DISPATCHED", GRID));
}

#[test]
fn what_a_removed_organisation_has_answered_stands_and_is_checked() {
    let mut life = Life::offered();
    life.partnered(accepted(LARK, 1), t(0, 20));
    life.does("of-lark", Action::Answer, t(2, 0));
    assert_eq!(life.partnered(withdrawn(LARK), t(2, 30)), ["+2:30 released"]);
    assert_eq!((life.state(), life.holder().as_str()), ("CHECKING", GRID));
    assert_eq!(life.refused("of-lark", Action::Pass, t(3, 0)), Refusal::OwnWork { person: "of-lark".into() });
    life.does("checker", Action::Fail, t(3, 0));
    assert_eq!((life.state(), life.holder().as_str()), ("HANDLING", GRID), "rework is the grid's");
    life.does("leader", Action::Answer, t(4, 0));
}

#[test]
fn an_order_on_what_somebody_changed_meanwhile_changes_nothing() {
    let mut life = Life::opened();
    life.does("leader", Action::Sign, t(0, 5));
    assert_eq!(life.partnered(placed(1, &[LARK]), t(0, 10)), [""; 0]);
    assert_eq!(life.partnered(placed(2, &[LARK]), t(0, 10)), ["+0:10 offered"]);
    assert_eq!(life.partnered(placed(3, &[HOME]), t(0, 11)), [""; 0], "it is offered already");
}

#[test]
fn a_sensitive_case_is_never_offered_whoever_proposes_it() {
    static SENSITIVE: LazyLock<Office> = LazyLock::new(|| {
        let mut categories = categories("rubbish", "10h");
        categories.values_mut().for_each(|category| category.sensitive = true);
        Office {
            policy: office().policy.clone(),
            calendar: calendar(),
            categories,
            areas: office().areas.clone(),
        }
    });
    let mut life = Life { office: &SENSITIVE, case: None, told: Vec::new() };
    life.routed(1, GRID, t(0, 0));
    assert_eq!(life.partnered(placed(1, &[LARK]), t(0, 10)), [""; 0]);
    assert_eq!(life.state(), "DISPATCHED");
    // Nor once its category is listed anew as one that may be.
    assert_eq!(life.case().flags, ["sensitive"]);
    life.office = office();
    assert_eq!(life.partnered(placed(1, &[LARK]), t(0, 20)), [""; 0]);
    assert_eq!(life.state(), "DISPATCHED");
}

#[test]
fn what_is_due_before_an_offer_would_end_stays_with_the_grid_and_it_is_said_why() {
    let mut life = Life::opened();
    let terms = office().terms();
    // Due at +10:00, and an offer stands for 3 h.
    assert_eq!(life.partnered(placed(1, &[LARK]), t(7, 0)), [""; 0]);
    assert!(!may_be_offered(life.case(), t(7, 0), terms));
    let why = too_late_to_offer(life.case(), t(7, 0), terms).unwrap();
    assert_eq!(
        why.zh,
        "此类事项可由社会组织承接，但现在下单要到 2026-03-02 19:00 才截止接单，处置时限为 2026-03-02 19:00，来不及，故不下单。"
    );
    assert!(
        why.en.contains("would stand until 2026-03-02 19:00 and it is due at 2026-03-02 19:00"),
        "{}",
        why.en
    );
    // Within the same minute, or second, it is told apart.
    for (later, ends, due) in [
        (TimeDelta::seconds(30), "2026-03-02 19:00:30", "2026-03-02 19:00:00"),
        (TimeDelta::milliseconds(20), "2026-03-02 19:00:00.020000", "2026-03-02 19:00:00.000000"),
    ] {
        let why = too_late_to_offer(life.case(), t(7, 0) + later, terms).unwrap();
        assert!(why.zh.contains(&format!("要到 {ends} 才截止接单，处置时限为 {due}，")), "{}", why.zh);
        assert!(why.en.contains(&format!("until {ends} and it is due at {due}:")), "{}", why.en);
    }
    assert!(may_be_offered(life.case(), t(6, 59), terms));
    assert_eq!(too_late_to_offer(life.case(), t(6, 59), terms), None);
    let told = life.partnered(placed(1, &[LARK]), t(6, 59));
    assert_eq!(told.last().map(String::as_str), Some("+6:59 offered"));
    assert!(life.due_at(DeadlineKind::Offer) < life.due_at(DeadlineKind::Handle));
    assert_eq!(
        too_late_to_offer(life.case(), t(9, 0), terms),
        None,
        "of what is on offer there is nothing to say"
    );
}

#[test]
fn an_office_without_a_limit_for_the_answer_offers_nothing() {
    static ALONE: LazyLock<Office> = LazyLock::new(|| Office {
        policy: Policy { offer_limit: None, ..office().policy.clone() },
        calendar: calendar(),
        categories: office().categories.clone(),
        areas: office().areas.clone(),
    });
    let mut life = Life { office: &ALONE, case: None, told: Vec::new() };
    life.routed(1, GRID, t(0, 0));
    assert_eq!(life.partnered(placed(1, &[LARK]), t(0, 10)), [""; 0]);
}

#[test]
fn nothing_is_offered_while_route_is_still_looking_for_a_holder() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 10));
    let revision = life.case().revision;
    assert_eq!(life.partnered(placed(revision, &[LARK]), t(0, 11)), [""; 0]);
    life.routed(2, COMMUNITY, t(0, 12));
    let revision = life.case().revision;
    assert_eq!(life.partnered(placed(revision, &[LARK]), t(0, 13)), ["+0:13 offered"]);
}

#[test]
fn an_attempt_of_routes_meets_the_case_as_it_is_at_its_time_also_when_a_lapse_was_not_told_of_yet() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 10));
    life.does("desk", Action::Sign, t(0, 11));
    let revision = life.case().revision;
    life.partnered(placed(revision, &[LARK]), t(0, 12));
    let late = life.routed(2, COMMUNITY, t(3, 13));
    assert_eq!(told(&late), ["+3:12 lapsed", "+3:13 assigned"]);
}
