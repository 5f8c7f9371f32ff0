//! Answer, check and rework: an answer meets the handling deadline, a failed check un-meets it.

use super::*;

#[test]
fn an_answer_meets_the_handling_deadline_and_stops_its_steps() {
    let mut life = Life::answered(t(7, 0));
    assert_eq!(life.met_at(DeadlineKind::Handle), Some(t(7, 0)));
    let happened = life.does("checker", Action::Pass, t(40, 0));
    let expected = ["+10:12 reminded check/1/0", "+11:00 escalated check/1/1 to street", "+40:00 checked"];
    assert_eq!(happened, expected, "no step of handling");
}

#[test]
fn an_answer_starts_the_check_and_passing_meets_it() {
    let mut life = Life::answered(t(2, 0));
    let check = life.case().deadline(DeadlineKind::Check).unwrap();
    assert_eq!((check.round, check.start_at, check.due_at), (1, t(2, 0), t(6, 0)));
    life.does("checker", Action::Pass, t(5, 0));
    assert_eq!(life.met_at(DeadlineKind::Check), Some(t(5, 0)));
    assert_eq!(life.does("checker", Action::Close, t(30, 0)), ["+30:00 closed"]);
}

#[test]
fn a_failed_check_un_meets_handling_with_the_same_due_time_and_meets_the_check() {
    let mut life = Life::answered(t(2, 0));
    let before = life.case().deadline(DeadlineKind::Handle).unwrap().clone();
    assert_eq!(life.does("checker", Action::Fail, t(3, 0)), ["+3:00 reworked"]);
    let after = life.case().deadline(DeadlineKind::Handle).unwrap();
    assert_eq!((after.due_at, after.start_at, after.met_at), (before.due_at, before.start_at, None));
    assert_eq!(life.met_at(DeadlineKind::Check), Some(t(3, 0)));
    assert_eq!((life.state(), life.case().reworks), ("HANDLING", 1));
}

#[test]
fn steps_that_fell_due_while_it_was_checked_take_effect_at_the_failed_check_in_order() {
    let mut life = Life::answered(t(7, 0));
    let happened = life.does("checker", Action::Fail, t(12, 30));
    let expected = [
        "+10:12 reminded check/1/0",
        "+11:00 escalated check/1/1 to street",
        "+12:30 reworked",
        "+12:30 reminded handle/1/0",
        "+12:30 escalated handle/1/1 to community",
        "+12:30 escalated handle/1/2 to street",
    ];
    assert_eq!(happened, expected);
    assert_eq!(life.proposed(DeadlineKind::Handle, 3).due_at, t(34, 0), "the county's is still to come");
}

#[test]
fn a_step_due_at_the_instant_of_the_failed_check_comes_after_it_by_its_own_proposal() {
    let mut life = Life::answered(t(7, 0));
    assert_eq!(life.does("checker", Action::Fail, t(8, 0)), ["+8:00 reworked"]);
    let reminder = life.proposed(DeadlineKind::Handle, 0);
    assert_eq!(told(&life.step_due(&reminder)), ["+8:00 reminded handle/1/0"]);
}

#[test]
fn steps_done_before_the_answer_stay_done_and_are_not_repeated_by_rework() {
    let mut life = Life::answered(t(9, 0));
    let happened = life.does("checker", Action::Fail, t(11, 0));
    assert_eq!(happened, ["+11:00 reworked", "+11:00 escalated handle/1/1 to community"]);
}

#[test]
fn an_answer_given_again_is_checked_anew_in_a_new_round() {
    let mut life = Life::answered(t(2, 0));
    life.does("checker", Action::Fail, t(3, 0));
    life.does("leader", Action::Answer, t(4, 0));
    let check = life.case().deadline(DeadlineKind::Check).unwrap();
    assert_eq!((check.round, check.due_at, check.met_at), (2, t(8, 0), None));
    assert_eq!(life.met_at(DeadlineKind::Handle), Some(t(4, 0)));
    assert_eq!(life.case().deadline(DeadlineKind::Handle).unwrap().round, 1, "one round for life");
}

#[test]
fn what_passed_may_still_fail_before_it_is_closed_and_then_has_to_pass_again() {
    let mut life = Life::answered(t(2, 0));
    life.does("checker", Action::Pass, t(3, 0));
    life.does("desk", Action::Fail, t(3, 30));
    assert_eq!(life.met_at(DeadlineKind::Check), Some(t(3, 0)), "it was looked at in time");
    life.does("leader", Action::Answer, t(4, 0));
    assert_eq!(life.refused("checker", Action::Close, t(5, 0)), Refusal::NotChecked);
}

#[test]
fn no_action_moves_the_due_time_of_any_deadline() {
    for action in Action::ALL {
        for mut life in [Life::opened(), Life::handling(), Life::answered(t(2, 0))] {
            let before = life.case().deadlines.clone();
            life.act("somebody", action.clone(), t(3, 0));
            for deadline in before {
                let after = life.case().deadline(deadline.kind).unwrap();
                if after.round == deadline.round {
                    let times = (after.start_at, after.due_at, after.limit);
                    assert_eq!(times, (deadline.start_at, deadline.due_at, deadline.limit), "{action:?}");
                }
            }
        }
    }
}
