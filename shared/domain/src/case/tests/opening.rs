//! Opening: deadlines start at dispatch; what is overdue already is said so.

use super::super::receive::Undecidable;
use super::*;

fn recorded(due_at: Option<DateTime<Utc>>) -> IncidentRouted {
    IncidentRouted { report: Some(report(Promise::Recorded(due_at))), ..proposal(1, GRID) }
}

fn opened_with(routed: IncidentRouted) -> Life {
    let mut life = Life::unknown();
    life.receive(&Input::Routed(routed), t(0, 0));
    life
}

#[test]
fn a_case_opens_dispatched_with_its_holder_and_its_deadlines_counted_from_dispatch() {
    let life = Life::opened();
    let case = life.case();
    assert_eq!(life.story(), ["+0:00 opened"]);
    assert_eq!((life.state(), case.holder.to_string().as_str()), ("DISPATCHED", GRID));
    assert_eq!((case.level, case.attempt, case.revision), (Level::Grid, 1, 1));
    assert_eq!(life.due_at(DeadlineKind::Sign), t(1, 0));
    assert_eq!(life.due_at(DeadlineKind::Handle), t(10, 0));
    assert!(case.deadline(DeadlineKind::Check).is_none());
    let steps: Vec<_> = case.deadline(DeadlineKind::Handle).unwrap().steps.iter().collect();
    let due: Vec<_> = steps.iter().map(|step| (step.does.as_str(), step.due_at)).collect();
    let expected = [("remind", t(8, 0)), ("community", t(10, 0)), ("street", t(12, 0)), ("county", t(34, 0))];
    assert_eq!(due, expected);
    assert_eq!(case.due_at(), Some(t(1, 0)), "queues sort by the earliest");
}

#[test]
fn due_before_opening_is_flagged_never_reminded_of_breached_at_opening_and_climbs_on_later() {
    let mut life = opened_with(recorded(Some(t(-1, 0))));
    assert_eq!(life.story(), ["+0:00 opened", "+0:00 escalated handle/1/0 to community"]);
    assert_eq!(life.case().flags, ["due_before_opened"]);
    assert_eq!(life.told[0].case.level, Level::Grid, "the first row is from before the breach");
    assert_eq!(life.case().level, Level::Community);
    let street = life.proposed(DeadlineKind::Handle, 1);
    assert_eq!((street.does.as_str(), street.due_at), ("street", t(1, 0)));
    assert_eq!(told(&life.step_due(&street)), ["+1:00 escalated handle/1/1 to street"]);
}

#[test]
fn due_exactly_at_opening_is_a_breach_at_opening_too() {
    let life = opened_with(recorded(Some(t(0, 0))));
    assert_eq!(life.story(), ["+0:00 opened", "+0:00 escalated handle/1/0 to community"]);
    assert_eq!(life.case().flags, ["due_before_opened"]);
}

#[test]
fn due_long_before_opening_takes_every_missed_rung_in_order_at_opening() {
    let life = opened_with(recorded(Some(t(-40, 0))));
    let all = [
        "+0:00 opened",
        "+0:00 escalated handle/1/0 to community",
        "+0:00 escalated handle/1/1 to street",
        "+0:00 escalated handle/1/2 to county",
    ];
    assert_eq!(life.story(), all);
    assert_eq!(life.case().level, Level::County);
}

#[test]
fn a_recorded_promise_is_the_only_deadline_and_is_reminded_of_by_elapsed_time() {
    let life = opened_with(recorded(Some(t(20, 0))));
    assert!(life.case().recorded);
    assert_eq!(life.case().deadlines.len(), 1);
    let deadline = life.case().deadline(DeadlineKind::Handle).unwrap();
    assert_eq!((deadline.due_at, deadline.limit), (t(20, 0), None));
    assert_eq!(deadline.steps[0].due_at, t(16, 0));
}

#[test]
fn a_recorded_case_gets_no_deadline_to_check_and_none_to_sign_for_when_handed_on() {
    let mut life = opened_with(recorded(Some(t(20, 0))));
    life.does("leader", RETURN, t(0, 10));
    life.receive(&Input::Routed(proposal(2, COMMUNITY)), t(0, 10));
    life.does("community", Action::Sign, t(0, 20));
    life.does("community", Action::Answer, t(1, 0));
    assert_eq!(life.case().deadlines.len(), 1);
}

#[test]
fn a_record_that_promised_nothing_has_no_deadline() {
    let life = opened_with(recorded(None));
    assert!(life.case().deadlines.is_empty() && life.case().flags.is_empty());
    assert_eq!((life.case().due_at(), super::super::next_step_due(life.case())), (None, None));
}

#[test]
fn flags_of_the_place_are_kept_beside_those_of_the_case() {
    let mut routed = recorded(Some(t(-1, 0)));
    routed.route.flags = vec!["rounded".to_owned()];
    assert_eq!(opened_with(routed).case().flags, ["rounded", "due_before_opened"]);
}

#[test]
fn what_no_rule_covers_is_undecidable_and_says_why() {
    let undecidable = |case: Option<&Case>, input: &Input| {
        receive(incident(), case, input, t(0, 0), office().terms()).unwrap_err()
    };
    let mut unlisted = proposal(1, GRID);
    unlisted.report.as_mut().unwrap().category = "ufo".into();
    let error = undecidable(None, &Input::Routed(unlisted));
    assert_eq!(error, Undecidable::UnknownCategory("ufo".to_owned()));
    assert_eq!(undecidable(None, &Input::Routed(proposal(2, GRID))), Undecidable::NoReport(2));
    let step = Life::opened().proposed(DeadlineKind::Sign, 0);
    assert_eq!(undecidable(None, &Input::StepDue(step)), Undecidable::NoCase(incident()));
}
