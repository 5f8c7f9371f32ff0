//! What is urgent (紧急工作时) goes by limits and ladders of its own, around the clock, for as long as it is open.

use super::*;

/// As the office of the other tests, but that all counts working hours, and what is urgent does not.
fn office_with_nights() -> &'static Office {
    static OFFICE: LazyLock<Office> = LazyLock::new(|| {
        let ladder = |after: &str| ladder(None, &[(Level::Community, "0h"), (Level::Street, after)]);
        let ordinary = Policy {
            version: "nights-1".to_owned(),
            sign_limit: Some(limit("2wh")),
            check_limit: Some(limit("1wd")),
            offer_limit: Some(limit("4h")),
            sign: ladder("2wh"),
            handle: ladder("2wh"),
            check: ladder("1wd"),
            urgent: None,
        };
        let urgent = Policy {
            sign_limit: Some(limit("15m")),
            check_limit: Some(limit("4h")),
            offer_limit: Some(limit("30m")),
            sign: ladder("30m"),
            handle: ladder("1h"),
            check: ladder("2h"),
            ..ordinary.clone()
        };
        Office {
            policy: Policy { urgent: Some(Box::new(urgent)), ..ordinary },
            calendar: calendar(),
            categories: categories("rubbish", "3h"),
            areas: office().areas.clone(),
        }
    });
    &OFFICE
}

/// Ten hours after nine o'clock in the morning the office has been closed for an hour and a half.
fn reported_in_the_evening(office: &'static Office) -> Life {
    let mut life = Life { office, case: None, told: Vec::new() };
    life.routed(1, GRID, t(10, 0));
    life
}

fn dues(life: &Life, kind: DeadlineKind) -> Vec<DateTime<Utc>> {
    let deadline = life.case().deadline(kind).unwrap();
    [deadline.due_at].into_iter().chain(deadline.steps.iter().map(|step| step.due_at)).collect()
}

#[test]
fn what_is_urgent_and_reported_in_the_evening_climbs_to_the_street_the_same_evening() {
    let mut life = reported_in_the_evening(office_with_nights());
    assert_eq!(dues(&life, DeadlineKind::Sign), [t(10, 15), t(10, 15), t(10, 45)]);
    assert_eq!(dues(&life, DeadlineKind::Handle), [t(13, 0), t(13, 0), t(14, 0)]);
    let street = life.proposed(DeadlineKind::Sign, 1);
    let expected = ["+10:15 escalated sign/1/0 to community", "+10:45 escalated sign/1/1 to street"];
    assert_eq!(told(&life.step_due(&street)), expected);
}

#[test]
fn whoever_is_proposed_next_and_whoever_checks_has_the_urgent_limits_as_well() {
    let mut life = reported_in_the_evening(office_with_nights());
    life.does("leader", RETURN, t(10, 5));
    life.routed(2, COMMUNITY, t(10, 6));
    assert_eq!(dues(&life, DeadlineKind::Sign), [t(10, 21), t(10, 21), t(10, 51)]);
    life.does("community", Action::Sign, t(10, 10));
    life.does("community", Action::Answer, t(11, 0));
    assert_eq!(dues(&life, DeadlineKind::Check), [t(15, 0), t(15, 0), t(17, 0)]);
}

#[test]
fn what_is_not_urgent_waits_for_the_office() {
    static DAYS: LazyLock<Office> = LazyLock::new(|| {
        let Office { policy, calendar, areas, .. } = office_with_nights();
        let categories = categories("rubbish", "7d");
        Office { policy: policy.clone(), calendar: calendar.clone(), categories, areas: areas.clone() }
    });
    let life = reported_in_the_evening(&DAYS);
    // Half past ten of the next morning, and two working hours later, around noon: two o'clock.
    assert_eq!(dues(&life, DeadlineKind::Sign), [t(25, 30), t(25, 30), t(29, 0)]);
}

#[test]
fn organisations_have_less_time_to_take_what_is_urgent() {
    let mut life = reported_in_the_evening(office_with_nights());
    let placed = offers::placed(life.case().revision, &["lark"]);
    assert_eq!(told(&life.receive(&Input::Partnered(placed), t(10, 5))), ["+10:05 offered"]);
    assert_eq!(
        life.due_at(DeadlineKind::Offer),
        t(10, 35),
        "four hours would end after the three to handle it"
    );
}
