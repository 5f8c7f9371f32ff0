//! The wire: one fact of each type as it is written, and how large the row in it gets.

use serde::Serialize;

use super::*;
use crate::facts::{CaseFact, INCIDENT_ROUTED, REPORT_SUBMITTED, ReportSubmitted, STEP_DUE};

/// A life in which everything happens.
fn eventful() -> Life {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 10));
    life.routed(2, COMMUNITY, t(0, 15));
    life.does("community", Action::Sign, t(0, 20));
    life.does("community", Action::Answer, t(11, 0));
    life.does("checker", Action::Fail, t(13, 0));
    life.does("community", Action::Answer, t(14, 0));
    life.does("checker", Action::Pass, t(20, 0));
    life.does("checker", Action::Close, t(21, 0));
    life
}

fn facts() -> Vec<(&'static str, CaseFact)> {
    let fact = |effect: Effect| {
        let kind = effect.happened.fact_type();
        (kind, CaseFact { happened: effect.happened, case: effect.case })
    };
    let lives = [eventful(), offers::eventful(), stages::eventful()];
    lives.into_iter().flat_map(|life| life.told).map(fact).collect()
}

fn snapshot(kind: &str, fact: &impl Serialize) {
    insta::with_settings!(
        { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_json_snapshot!(kind, fact) }
    );
}

#[test]
fn one_fact_of_each_type_is_written_as_agreed() {
    let facts = facts();
    for kind in Happened::FACT_TYPES {
        let (_, fact) = facts.iter().find(|(known, _)| *known == kind).unwrap();
        snapshot(kind, fact);
    }
    snapshot(REPORT_SUBMITTED, &ReportSubmitted { report: report(Promise::Category) });
    snapshot(INCIDENT_ROUTED, &proposal(1, GRID));
    snapshot(STEP_DUE, &Life::opened().proposed(DeadlineKind::Handle, 0));
}

#[test]
fn every_fact_type_is_listed_and_every_listed_one_can_happen() {
    let mut seen: Vec<_> = facts().iter().map(|(kind, _)| *kind).collect();
    seen.sort_unstable();
    seen.dedup();
    let mut listed = Happened::FACT_TYPES.to_vec();
    listed.sort_unstable();
    assert_eq!(seen, listed);
}

#[test]
fn a_fact_from_before_an_optional_field_was_added_is_still_read() {
    let (_, fact) = facts().swap_remove(0);
    let mut json = serde_json::to_value(&fact).unwrap();
    let case = json["case"].as_object_mut().unwrap();
    assert!(!case.contains_key("flags") && !case.contains_key("recorded"), "left out when empty");
    case.insert("added_in_a_later_release".to_owned(), true.into());
    assert_eq!(serde_json::from_value::<CaseFact>(json).unwrap(), fact);
}

#[test]
fn a_report_from_before_words_travelled_with_it_is_still_read() {
    let said = report(Promise::Category);
    let mut json = serde_json::to_value(ReportSubmitted { report: said.clone() }).unwrap();
    json["report"].as_object_mut().unwrap().remove("words").unwrap();
    let read: ReportSubmitted = serde_json::from_value(json).unwrap();
    assert_eq!(read.report, Report { words: None, ..said });
    let without = serde_json::to_value(&read).unwrap();
    assert!(!without["report"].as_object().unwrap().contains_key("words"), "left out where there are none");
}

#[test]
fn a_report_says_where_somebody_is_registered_only_if_it_was_said() {
    let before = report(Promise::Category);
    let json = serde_json::to_value(&before).unwrap();
    assert!(
        !json.as_object().unwrap().contains_key("registered_area"),
        "as it was before there was such a word"
    );
    assert_eq!(serde_json::from_value::<Report>(json).unwrap(), before);
    let registered = Report { registered_area: Some("330481004201".to_owned()), ..before };
    let json = serde_json::to_string(&registered).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), registered);
}

/// The pack `twostreets` with the codes, people and ladder it has.
fn two_streets() -> &'static Office {
    static OFFICE: LazyLock<Office> = LazyLock::new(|| Office {
        policy: Policy {
            version: "twostreets-1".to_owned(),
            sign_limit: Some(limit("10m")),
            check_limit: Some(limit("1wd")),
            offer_limit: None,
            sign: ladder(None, &[(Level::Community, "0h")]),
            handle: ladder(
                Some(80),
                &[(Level::Community, "0h"), (Level::Street, "1m"), (Level::County, "24h")],
            ),
            check: ladder(Some(80), &[(Level::Street, "0h")]),
            urgent: None,
        },
        calendar: calendar(),
        categories: categories("rubbish", "4wh"),
        areas: areas(&[
            ("990001", Level::County, None),
            ("990001001", Level::Street, Some("990001")),
            ("990001001001", Level::Community, Some("990001001")),
            ("990001001001001", Level::Grid, Some("990001001001")),
        ]),
    });
    &OFFICE
}

/// Everything late, given back twice, reworked once, and closed, at times that are no whole seconds: the
/// largest row the pack gives.
fn long_life() -> Life {
    let mut life = Life { office: two_streets(), case: None, told: Vec::new() };
    let at = |hours| t(hours, 0) + TimeDelta::milliseconds(137);
    let grid = "grid_leader:990001/990001001/990001001001/990001001001001";
    let routed = |attempt, holder: &str| {
        let mut routed = proposal(attempt, holder);
        routed.route.area = "990001/990001001/990001001001/990001001001001".parse().unwrap();
        routed.route.flags = vec!["rounded".to_owned()];
        Input::Routed(routed)
    };
    life.receive(&routed(1, grid), at(0));
    for (attempt, person) in [(2, "leader-111"), (3, "leader-112")] {
        life.does(person, Action::Sign, at(1));
        life.does(person, RETURN, at(2));
        life.receive(&routed(attempt, grid), at(2));
    }
    life.does("community-11", Action::Sign, at(3));
    life.does("community-11", Action::Answer, at(40));
    life.does("checker-1", Action::Fail, at(70));
    life.does("community-11", Action::Answer, at(71));
    life.does("checker-1", Action::Pass, at(140));
    life.does("checker-1", Action::Close, at(141));
    life
}

/// About 1 kB at opening; every late step and every mark adds its time. This is what was measured, rounded up.
const LARGEST_ROW: usize = 2_200;

#[test]
fn the_row_in_a_fact_stays_small_through_a_full_life() {
    let life = long_life();
    let bytes = |case: &Case| serde_json::to_string(case).unwrap().len();
    let largest = life.told.iter().max_by_key(|effect| bytes(&effect.case)).unwrap();
    let opening = bytes(&life.told[0].case);
    println!("the row: {opening} bytes at opening, {} at most ({})", bytes(&largest.case), say(largest));
    assert!(bytes(&largest.case) <= LARGEST_ROW, "{} bytes", bytes(&largest.case));
}
