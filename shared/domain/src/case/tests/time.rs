//! Advancing: each due step takes effect once, in order, and before what comes later is decided.

use super::super::next_step_due;
use super::*;
use crate::deadline::Verdict;

fn verdict(life: &Life) -> Verdict {
    life.case().deadline(DeadlineKind::Handle).unwrap().verdict(life.case().last_at)
}

#[test]
fn answered_a_second_before_the_limit_is_not_late() {
    let mut life = Life::handling();
    let happened = life.does("leader", Action::Answer, t(10, 0) - SECOND);
    assert_eq!(happened, ["+8:00 reminded handle/1/0", "+9:59:59 answered"]);
    assert_eq!((verdict(&life), life.case().level), (Verdict::OnTime, Level::Grid));
}

#[test]
fn answered_at_the_limit_is_on_time_because_an_input_comes_before_a_step_due_with_it() {
    let mut life = Life::handling();
    let happened = life.does("leader", Action::Answer, t(10, 0));
    assert_eq!(happened, ["+8:00 reminded handle/1/0", "+10:00 answered"]);
    assert_eq!((verdict(&life), life.case().level), (Verdict::OnTime, Level::Grid));
}

#[test]
fn answered_a_second_after_the_limit_has_been_escalated_first() {
    let mut life = Life::handling();
    let happened = life.does("leader", Action::Answer, t(10, 0) + SECOND);
    let expected =
        ["+8:00 reminded handle/1/0", "+10:00 escalated handle/1/1 to community", "+10:00:01 answered"];
    assert_eq!(happened, expected);
    assert_eq!((verdict(&life), life.case().level), (Verdict::Overdue, Level::Community));
}

#[test]
fn signing_at_the_last_moment_counts_and_a_second_later_the_community_is_answerable() {
    assert_eq!(Life::opened().does("leader", Action::Sign, t(1, 0)), ["+1:00 signed"]);
    let late = Life::opened().does("leader", Action::Sign, t(1, 0) + SECOND);
    assert_eq!(late, ["+1:00 escalated sign/1/0 to community", "+1:00:01 signed"]);
}

#[test]
fn step_due_advances_the_case_to_its_own_due_time_and_no_further() {
    let mut life = Life::handling();
    let reminder = life.proposed(DeadlineKind::Handle, 0);
    // Noticed a day late: what fell due since then is proposed by itself.
    let outcome = life.receive(&Input::StepDue(reminder), t(24, 0));
    assert_eq!(told(&outcome), ["+8:00 reminded handle/1/0"]);
    assert_eq!(life.case().last_at, t(8, 0));
}

#[test]
fn a_step_due_a_moment_after_the_one_proposed_waits_for_its_own_proposal() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 30));
    life.routed(2, COMMUNITY, t(7, 0) - SECOND);
    let (sign, reminder) = (life.proposed(DeadlineKind::Sign, 0), life.proposed(DeadlineKind::Handle, 0));
    assert_eq!(reminder.due_at - sign.due_at, SECOND);
    assert_eq!(told(&life.step_due(&sign)), ["+7:59:59 escalated sign/2/0 to community"]);
    assert_eq!(told(&life.step_due(&reminder)), ["+8:00 reminded handle/1/0"]);
}

#[test]
fn step_due_takes_everything_missed_before_it_in_order() {
    let mut life = Life::opened();
    let street = life.proposed(DeadlineKind::Handle, 2);
    let expected = [
        "+1:00 escalated sign/1/0 to community",
        "+8:00 reminded handle/1/0",
        "+10:00 escalated handle/1/1 to community",
        "+12:00 escalated handle/1/2 to street",
    ];
    assert_eq!(told(&life.step_due(&street)), expected);
}

#[test]
fn a_step_proposed_twice_takes_effect_once() {
    let mut life = Life::handling();
    let reminder = life.proposed(DeadlineKind::Handle, 0);
    life.step_due(&reminder);
    let before = life.case.clone();
    assert_eq!(life.step_due(&reminder), Outcome::Unchanged);
    assert_eq!(life.case, before);
}

#[test]
fn a_step_of_a_deadline_that_was_met_changes_nothing() {
    let mut life = Life::handling();
    let (sign, reminder) =
        (Life::opened().proposed(DeadlineKind::Sign, 0), life.proposed(DeadlineKind::Handle, 0));
    assert_eq!(life.step_due(&sign), Outcome::Unchanged, "signed");
    life.does("leader", Action::Answer, t(2, 0));
    assert_eq!(life.step_due(&reminder), Outcome::Unchanged, "answered");
}

#[test]
fn a_step_that_is_not_as_the_row_has_it_changes_nothing() {
    let mut life = Life::handling();
    let reminder = life.proposed(DeadlineKind::Handle, 0);
    for (odd, why) in [
        (StepDue { due_at: reminder.due_at - SECOND, ..reminder.clone() }, "moved"),
        (StepDue { round: 2, ..reminder.clone() }, "another round"),
        (StepDue { step: 9, ..reminder.clone() }, "no such step"),
        (StepDue { deadline: DeadlineKind::Check, ..reminder.clone() }, "no such deadline"),
    ] {
        assert_eq!(life.step_due(&odd), Outcome::Unchanged, "{why}");
    }
    assert_eq!(told(&life.step_due(&reminder)), ["+8:00 reminded handle/1/0"]);
}

#[test]
fn a_step_of_a_round_that_was_replaced_changes_nothing() {
    let mut life = Life::opened();
    let first_sign = life.proposed(DeadlineKind::Sign, 0);
    life.does("leader", RETURN, t(0, 30));
    life.routed(2, COMMUNITY, t(0, 30));
    assert_eq!(life.step_due(&first_sign), Outcome::Unchanged);
    assert_eq!(life.due_at(DeadlineKind::Sign), t(1, 30));
}

#[test]
fn steps_at_one_instant_take_effect_in_the_order_of_deadline_and_step() {
    // The check of an answer given at +6:00 is due at +10:00, with the handling itself after a rework.
    let mut life = Life::answered(t(6, 0));
    let check = life.proposed(DeadlineKind::Check, 1);
    assert_eq!(check.due_at, life.due_at(DeadlineKind::Handle));
    assert_eq!(
        told(&life.step_due(&check)),
        ["+9:12 reminded check/1/0", "+10:00 escalated check/1/1 to street"]
    );
    let mut opened = Life::opened();
    // A sign deadline made anew at +9:00 is due at +10:00, as the handling is.
    opened.does("leader", RETURN, t(9, 0));
    opened.routed(2, COMMUNITY, t(9, 0));
    let expected = ["+10:00 escalated sign/2/0 to community", "+10:00 escalated handle/1/1 to community"];
    let escalation = opened.proposed(DeadlineKind::Handle, 1);
    assert_eq!(told(&opened.step_due(&escalation)), expected);
}

#[test]
fn nothing_is_due_on_a_closed_case() {
    let mut life = Life::answered(t(2, 0));
    let (handle, check) = (life.proposed(DeadlineKind::Handle, 1), life.proposed(DeadlineKind::Check, 1));
    life.does("checker", Action::Pass, t(3, 0));
    life.does("checker", Action::Close, t(4, 0));
    assert_eq!(next_step_due(life.case()), None);
    assert_eq!([life.step_due(&handle), life.step_due(&check)], [Outcome::Unchanged, Outcome::Unchanged]);
}

#[test]
fn the_next_step_due_is_the_earliest_that_is_neither_done_nor_moot() {
    let mut life = Life::opened();
    assert_eq!(next_step_due(life.case()), Some(t(1, 0)));
    life.does("leader", Action::Sign, t(0, 30));
    assert_eq!(next_step_due(life.case()), Some(t(8, 0)));
    life.does("leader", Action::Answer, t(9, 0));
    assert_eq!(next_step_due(life.case()), Some(t(12, 12)), "the reminder to check");
}

#[test]
fn an_input_before_the_last_change_counts_after_it_but_keeps_its_recorded_time_for_the_verdict() {
    let mut life = Life::handling();
    let escalation = life.proposed(DeadlineKind::Handle, 1);
    life.step_due(&escalation);
    // Recorded before the limit, heard of after the escalation.
    assert_eq!(life.does("leader", Action::Answer, t(9, 59)), ["+10:00 answered"]);
    assert_eq!(life.met_at(DeadlineKind::Handle), Some(t(9, 59)));
    assert_eq!((verdict(&life), life.case().level), (Verdict::OnTime, Level::Community));
    let Happened::Answered { met_at, check, .. } = &life.told.last().unwrap().happened else { panic!() };
    assert_eq!(*met_at, t(9, 59));
    assert_eq!(check.as_ref().unwrap().start_at, t(10, 0), "what follows counts from the order");
}

#[test]
fn whatever_a_person_does_keeps_the_time_it_was_recorded_at() {
    for (person, action, mut life) in [
        ("leader", Action::Sign, Life::opened()),
        ("leader", RETURN, Life::opened()),
        ("leader", Action::Answer, Life::handling()),
        ("checker", Action::Pass, Life::answered(t(2, 0))),
        ("checker", Action::Fail, Life::answered(t(2, 0))),
    ] {
        let last_at = life.case().last_at;
        life.does(person, action.clone(), last_at - SECOND);
        let effect = life.told.last().unwrap();
        let (Happened::Signed { met_at, .. }
        | Happened::Returned { met_at, .. }
        | Happened::Answered { met_at, .. }
        | Happened::Checked { met_at, .. }
        | Happened::Reworked { met_at, .. }) = &effect.happened
        else {
            panic!("{effect:?}")
        };
        assert_eq!((*met_at, effect.at), (last_at - SECOND, last_at), "{}", action.name());
    }
}

#[test]
fn last_at_never_goes_back() {
    let mut life = Life::handling();
    for (person, action) in
        [("leader", Action::Answer), ("checker", Action::Pass), ("checker", Action::Close)]
    {
        life.does(person, action.clone(), t(-5, 0));
        assert_eq!(life.case().last_at, t(0, 30), "{}", action.name());
    }
}

#[test]
fn a_refused_or_repeated_action_takes_no_step_either() {
    let mut life = Life::handling();
    let before = life.case.clone();
    life.refused("checker", Action::Pass, t(20, 0));
    assert_eq!(life.act("leader", Action::Sign, t(20, 0)), Outcome::Unchanged);
    assert_eq!(life.case, before);
}

#[test]
fn the_revision_moves_with_people_and_changes_of_holder_and_never_with_a_step() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 10));
    life.routed(2, COMMUNITY, t(0, 10));
    life.does("community", Action::Sign, t(0, 20));
    life.does("community", Action::Answer, t(11, 0));
    life.does("checker", Action::Fail, t(13, 0));
    life.does("community", Action::Answer, t(14, 0));
    life.does("checker", Action::Pass, t(20, 0));
    life.does("checker", Action::Close, t(21, 0));
    let mut revision = 0;
    for effect in &life.told {
        let step = matches!(effect.happened, Happened::Reminded { .. } | Happened::Escalated { .. });
        revision += u32::from(!step);
        assert_eq!(effect.case.revision, revision, "{}", say(effect));
    }
    assert!(life.told.len() > 12, "{:?}", life.story());
}

#[test]
fn the_level_only_rises() {
    let mut life = Life::handling();
    let street = life.proposed(DeadlineKind::Handle, 2);
    life.step_due(&street);
    assert_eq!(life.case().level, Level::Street);
    // A lower holder, a later escalation to a lower level: answerable stays who was.
    life.does("leader", RETURN, t(12, 30));
    life.routed(2, OTHER_GRID, t(12, 30));
    let sign = life.proposed(DeadlineKind::Sign, 0);
    assert_eq!(told(&life.step_due(&sign)), ["+13:30 escalated sign/2/0 to community"]);
    assert_eq!(life.case().level, Level::Street);
}

#[test]
fn an_escalation_names_the_area_of_its_level_and_the_root_where_there_is_none() {
    let mut life = Life::opened();
    let county = life.proposed(DeadlineKind::Handle, 3);
    let Outcome::Changed(effects) = life.step_due(&county) else { panic!() };
    let named: Vec<_> = effects
        .iter()
        .filter_map(|effect| match &effect.happened {
            Happened::Escalated { to, area, .. } => Some((to.as_str(), area.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(named, [("community", "x/s/c"), ("community", "x/s/c"), ("street", "x/s"), ("county", "x")]);
}

#[test]
fn an_escalation_moves_no_ownership() {
    let mut life = Life::handling();
    let county = life.proposed(DeadlineKind::Handle, 3);
    life.step_due(&county);
    assert_eq!(life.case().holder.to_string(), GRID);
    assert_eq!(life.state(), "HANDLING");
}
