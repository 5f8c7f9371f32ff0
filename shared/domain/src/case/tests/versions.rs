//! Another version of the pack comes into force while a case is open: what is on record stays as it was made, and what
//! the new version no longer lists keeps nobody from going on.

use super::*;

/// Half the time for everything, a longer ladder for signing, and neither community c nor its grid.
fn renewed() -> &'static Office {
    static RENEWED: LazyLock<Office> = LazyLock::new(|| Office {
        policy: Policy {
            version: "test-2".to_owned(),
            sign_limit: Some(limit("30m")),
            check_limit: Some(limit("2h")),
            offer_limit: Some(limit("1h")),
            sign: ladder(Some(50), &[(Level::Community, "0h"), (Level::Street, "1h")]),
            handle: ladder(None, &[(Level::Community, "0h")]),
            check: ladder(None, &[(Level::Street, "1h")]),
            urgent: None,
        },
        calendar: calendar(),
        categories: categories("rubbish", "5h"),
        areas: areas(&[
            ("x", Level::County, None),
            ("s", Level::Street, Some("x")),
            ("d", Level::Community, Some("s")),
            ("h", Level::Grid, Some("d")),
        ]),
    });
    &RENEWED
}

impl Life {
    fn renewed(mut self) -> Self {
        self.office = renewed();
        self
    }
}

#[test]
fn a_deadline_keeps_its_time_its_steps_and_the_version_it_was_computed_from() {
    let mut life = Life::handling();
    let before = life.case().deadlines.clone();
    life = life.renewed();
    let reminder = life.proposed(DeadlineKind::Handle, 0);
    assert_eq!(told(&life.step_due(&reminder)), ["+8:00 reminded handle/1/0"]);
    let handle = |deadlines: &[crate::deadline::Deadline]| deadlines.last().unwrap().clone();
    let (was, is) = (handle(&before), handle(&life.case().deadlines));
    assert_eq!((is.policy.as_str(), is.due_at, is.limit), ("test-1", was.due_at, was.limit));
    let dues = |deadline: &crate::deadline::Deadline| -> Vec<_> {
        deadline.steps.iter().map(|step| (step.does, step.due_at)).collect()
    };
    assert_eq!(dues(&is), dues(&was));
    assert_eq!(
        life.does("leader", Action::Answer, t(10, 0)),
        ["+10:00 answered"],
        "on time, as was promised"
    );
    let check = life.case().deadline(DeadlineKind::Check).unwrap();
    assert_eq!((check.policy.as_str(), check.due_at), ("test-2", t(12, 0)), "what begins now is of today");
}

#[test]
fn what_falls_due_in_an_area_that_is_gone_is_answered_for_by_the_nearest_above_that_is_left() {
    let mut life = Life::opened().renewed();
    let sign = life.proposed(DeadlineKind::Sign, 0);
    let Outcome::Changed(effects) = life.step_due(&sign) else { panic!() };
    let Happened::Escalated { to, area, .. } = &effects[0].happened else { panic!() };
    assert_eq!((*to, area.as_str()), (Level::Community, "x/s"));
    assert_eq!(life.case().area.as_str(), "x/s/c/g", "where it lies is on record");
    assert_eq!(life.case().holder.to_string(), GRID);
}

#[test]
fn a_case_of_an_area_that_is_gone_is_signed_for_answered_given_back_and_assigned() {
    let mut life = Life::opened().renewed();
    life.does("leader", Action::Sign, t(0, 10));
    life.does("leader", RETURN, t(0, 20));
    assert_eq!(life.case().holder.to_string(), DESK);
    assert!(matches!(life.routed(2, OTHER_GRID, t(0, 20)), Outcome::Changed(_)));
    assert_eq!(life.case().area.as_str(), "x/s/d/h");
    let sign = life.case().deadline(DeadlineKind::Sign).unwrap();
    assert_eq!((sign.round, sign.policy.as_str(), sign.due_at), (2, "test-2", t(0, 50)));
}

#[test]
fn a_case_opens_and_is_assigned_in_an_area_that_handle_has_not_heard_of_yet() {
    // route may go by another version for a moment.
    let mut life = Life::unknown().renewed();
    life.routed(1, GRID, t(0, 0));
    assert_eq!((life.state(), life.case().area.as_str()), ("DISPATCHED", "x/s/c/g"));
    let mut life = Life::opened().renewed();
    life.does("leader", RETURN, t(0, 10));
    let mut next = proposal(2, COMMUNITY);
    next.route.area = "x/s/e/new".parse().unwrap();
    assert!(matches!(life.receive(&Input::Routed(next), t(0, 10)), Outcome::Changed(_)));
    assert_eq!(life.case().area.as_str(), "x/s/e/new");
}

#[test]
fn a_report_of_a_category_that_is_gone_waits_as_a_dead_letter_until_a_version_lists_it() {
    let mut routed = proposal(1, GRID);
    routed.report.as_mut().unwrap().category = "gone".into();
    let outcome = receive(incident(), None, &Input::Routed(routed), t(0, 0), renewed().terms());
    assert_eq!(outcome.unwrap_err().to_string(), "category `gone` is not in the pack");
}
