//! Returns and attempts: only the attempt that is awaited counts, and the third return is final.

use super::*;

/// Given back three times, the last time at `at` by the leader of the other grid; the desk's for good.
pub(super) fn thrice_returned(at: DateTime<Utc>) -> Life {
    let mut life = Life::opened();
    for (attempt, person, next) in [(2, "first", COMMUNITY), (3, "second", OTHER_GRID)] {
        life.does(person, RETURN, t(0, 10));
        assert!(matches!(life.routed(attempt, next, t(0, 10)), Outcome::Changed(_)));
    }
    life.does("third", RETURN, at);
    life
}

#[test]
fn between_a_return_and_the_next_attempt_the_street_desk_holds_the_case() {
    let mut life = Life::handling();
    assert_eq!(life.does("leader", RETURN, t(0, 40)), ["+0:40 returned"]);
    assert_eq!((life.state(), life.case().holder.to_string().as_str()), ("DISPATCHED", DESK));
    assert_eq!((life.case().returns, life.case().attempt), (1, 1));
    assert_eq!(life.case().level, Level::Grid, "the desk only keeps it");
    let Outcome::Changed(effects) = life.routed(2, COMMUNITY, t(0, 40)) else { panic!() };
    assert_eq!(effects.iter().map(say).collect::<Vec<_>>(), ["+0:40 assigned"]);
    assert_eq!((life.state(), life.case().holder.to_string().as_str()), ("DISPATCHED", COMMUNITY));
    assert_eq!((life.case().returns, life.case().attempt), (1, 2));
    assert_eq!(life.case().level, Level::Community);
}

#[test]
fn a_return_meets_the_sign_deadline_and_a_new_holder_gets_a_new_one_while_handling_keeps_its_own() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 30));
    assert_eq!(life.met_at(DeadlineKind::Sign), Some(t(0, 30)));
    life.routed(2, COMMUNITY, t(0, 45));
    let sign = life.case().deadline(DeadlineKind::Sign).unwrap();
    assert_eq!((sign.round, sign.start_at, sign.due_at, sign.met_at), (2, t(0, 45), t(1, 45), None));
    assert_eq!(life.due_at(DeadlineKind::Handle), t(10, 0));
}

#[test]
fn only_the_attempt_that_is_awaited_counts() {
    let mut life = Life::opened();
    for attempt in [1, 2, 3] {
        assert_eq!(life.routed(attempt, COMMUNITY, t(0, 5)), Outcome::Unchanged, "nothing was returned");
    }
    life.does("leader", RETURN, t(0, 10));
    for attempt in [1, 3] {
        assert_eq!(life.routed(attempt, COMMUNITY, t(0, 10)), Outcome::Unchanged, "attempt {attempt}");
    }
    assert!(matches!(life.routed(2, COMMUNITY, t(0, 10)), Outcome::Changed(_)));
    assert_eq!(life.routed(2, OTHER_GRID, t(0, 11)), Outcome::Unchanged, "the same attempt again");
    assert_eq!(life.case().holder.to_string(), COMMUNITY);
}

#[test]
fn an_attempt_that_comes_after_the_desk_has_signed_is_stale() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 10));
    life.does("desk", Action::Sign, t(0, 20));
    assert_eq!(life.routed(2, COMMUNITY, t(0, 30)), Outcome::Unchanged);
    assert_eq!((life.state(), life.case().holder.to_string().as_str()), ("HANDLING", DESK));
}

#[test]
fn an_assignment_moves_the_area_with_the_holder() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 10));
    life.routed(2, OTHER_GRID, t(0, 10));
    assert_eq!(life.case().area.as_str(), "x/s/d/h");
}

#[test]
fn an_attempt_is_advanced_before_it_is_decided_like_every_input() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 10));
    let outcome = life.routed(2, COMMUNITY, t(9, 0));
    assert_eq!(told(&outcome), ["+8:00 reminded handle/1/0", "+9:00 assigned"]);
}

#[test]
fn the_third_return_is_decided_by_the_street_and_that_is_final() {
    let mut life = thrice_returned(t(0, 30));
    assert_eq!(life.case().holder.to_string(), DESK);
    assert_eq!((life.case().returns, life.case().attempt), (3, 3));
    assert_eq!(life.case().level, Level::Street);
    let sign = life.case().deadline(DeadlineKind::Sign).unwrap();
    assert_eq!((sign.round, sign.due_at, sign.met_at), (4, t(1, 30), None), "the desk's own to sign for");
    assert_eq!(life.routed(4, COMMUNITY, t(0, 30)), Outcome::Unchanged);
    life.does("desk", Action::Sign, t(0, 40));
    assert_eq!(life.refused("desk", RETURN, t(0, 50)), Refusal::Final);
}

#[test]
fn a_return_after_the_limit_has_escalated_first_and_moves_no_deadline() {
    let mut life = Life::handling();
    let before = life.due_at(DeadlineKind::Handle);
    let happened = life.does("leader", RETURN, t(10, 30));
    let expected =
        ["+8:00 reminded handle/1/0", "+10:00 escalated handle/1/1 to community", "+10:30 returned"];
    assert_eq!(happened, expected);
    life.routed(2, COMMUNITY, t(10, 30));
    assert_eq!(life.due_at(DeadlineKind::Handle), before);
    let done = &life.case().deadline(DeadlineKind::Handle).unwrap().steps;
    assert!(done[0].done_at.is_some() && done[1].done_at.is_some(), "the breach stays on record");
}

#[test]
fn every_reason_is_kept_with_the_return() {
    for reason in [ReturnReason::WrongArea, ReturnReason::UnclearOwner, ReturnReason::OverlappingDuty] {
        let mut life = Life::opened();
        life.does("leader", Action::Return(reason), t(0, 10));
        let Happened::Returned { by, reason: kept, .. } = &life.told[1].happened else { panic!() };
        assert_eq!((by, *kept), (&"leader".into(), reason));
    }
}

#[test]
fn a_second_tap_on_return_while_route_is_awaited_is_no_second_return() {
    let mut life = Life::handling();
    life.does("leader", RETURN, t(0, 40));
    assert_eq!(life.act("leader", RETURN, t(0, 41)), Outcome::Unchanged);
    assert_eq!(life.case().returns, 1);
}
