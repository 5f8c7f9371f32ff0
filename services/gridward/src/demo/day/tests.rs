//! The days of 新碶 as they are written down, without a service: how much is reported, where and in what words, and that
//! what a visitor is to see is never far.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, Utc};
use domain::case::{Case, ReturnReason, State};
use domain::id::IncidentId;
use domain::partner::DeclineReason;
use domain::report::LONGEST_WORDS;
use platform::pack::Pack;

use super::deeds::{Deed, Part, cast};
use super::file::DayFile;
use super::lives::LIVES;
use super::script::{Cue, Does, Expected, Reports, Script};
use crate::demo::highlights::Kind;

/// Within so many seconds of the host's a visitor is to have seen one of each kind.
const PATIENCE: f64 = 120.0;

const KINDS: [Kind; 4] = [Kind::Handled, Kind::Escalated, Kind::Partner, Kind::Returned];

fn pack() -> Arc<Pack> {
    static PACK: LazyLock<Arc<Pack>> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/packs/beilun");
        Arc::new(Pack::load(&folder).unwrap())
    });
    PACK.clone()
}

fn script() -> Script {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::of(&pack()).unwrap().unwrap());
    SCRIPT.clone()
}

fn day_file() -> DayFile {
    DayFile::of(&pack()).unwrap().unwrap()
}

fn reports(number: usize) -> Vec<(DateTime<Utc>, Reports)> {
    let cues = script().day(number).unwrap();
    cues.into_iter()
        .filter_map(|Cue { at, does }| match does {
            Does::Reports(reports) => Some((at, *reports)),
            _ => None,
        })
        .collect()
}

fn expected(number: usize) -> Vec<Expected> {
    let cues = script().day(number).unwrap();
    cues.into_iter()
        .filter_map(|cue| match cue.does {
            Does::Expects(expected) => Some(*expected),
            _ => None,
        })
        .collect()
}

/// Minutes that are shown from one instant to a later one.
fn shown(from: DateTime<Utc>, until: DateTime<Utc>) -> i64 {
    let gaps = script().hours().gaps();
    let left_out = gaps.iter().map(|gap| (gap.1.min(until) - gap.0.max(from)).max(TimeDelta::zero()));
    (until - from - left_out.sum::<TimeDelta>()).num_minutes()
}

#[test]
fn a_day_has_some_hundreds_of_reports_and_something_in_every_hour() {
    for number in 0..4 {
        let reports = reports(number);
        assert!((300..=600).contains(&reports.len()), "day {number}: {}", reports.len());
        let begins = script().hours().day(number).unwrap().begins;
        let mut hours = BTreeMap::new();
        for (at, _) in &reports {
            *hours.entry((*at - begins).num_hours()).or_insert(0) += 1;
        }
        assert_eq!(hours.keys().copied().collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
        assert!(hours.values().all(|count| *count >= 10), "{hours:?}");
    }
}

#[test]
fn in_the_hour_of_the_storm_eight_times_as_much_is_reported_and_a_third_day_has_the_next_storm() {
    let file = day_file();
    let in_the_hour = |number: usize| {
        let from = script().hours().day(number).unwrap().begins + (file.typhoon.from - file.from);
        let until = from + TimeDelta::hours(1);
        reports(number)
            .into_iter()
            .filter(|(at, _)| (from..until).contains(at))
            .map(|(_, reports)| reports.report.category)
            .collect::<Vec<_>>()
    };
    let usual =
        usize::try_from(file.reports[usize::try_from((file.typhoon.from - file.from).num_hours()).unwrap()]);
    let usual = usual.unwrap();
    let (storm, none) = (in_the_hour(0), in_the_hour(1));
    // The scripted lives begin beside them.
    assert!((8 * usual..8 * usual + 4).contains(&storm.len()), "{} of {usual}", storm.len());
    assert!((usual..usual + 4).contains(&none.len()), "{} of {usual}", none.len());
    for category in ["0404", "0403", "2103"] {
        let count = |all: &[String]| all.iter().filter(|one| *one == category).count();
        assert!(count(&storm) > 10 && count(&none) < 10, "{category}");
    }
    assert_eq!((0..4).map(|day| script().has_storm(day)).collect::<Vec<_>>(), [true, false, false, true]);
    let told = script().day(0).unwrap().into_iter().find_map(|cue| match cue.does {
        Does::Announces(showing) if showing.kind == Kind::Typhoon => Some(showing.text),
        _ => None,
    });
    let told = told.unwrap();
    assert!(
        told.zh.ends_with("每 3 个工作日来一次）") && told.en.ends_with("once in 3 working days)"),
        "{told:?}"
    );
}

#[test]
fn every_report_lies_in_a_grid_of_the_street_and_each_grid_has_several_over_the_days() {
    let boundaries = route::published::boundaries(&pack()).unwrap();
    let day = script().hours().first().date;
    let mut grids: BTreeMap<String, u32> = BTreeMap::new();
    for (_, Reports { report, .. }) in reports(0).into_iter().chain(reports(1)) {
        report.place.check().unwrap();
        let (lon, lat) = report.place.wgs84();
        let found = boundaries.find(lon, lat, day);
        let code = found.unwrap_or_else(|| panic!("{report:?} lies in no grid")).code().to_owned();
        assert!(code.starts_with("330206002"), "{code}");
        *grids.entry(code).or_default() += 1;
    }
    assert_eq!(grids.len(), 145, "each grid has its share");
    assert!(grids.values().all(|count| *count >= 2), "{grids:?}");
}

#[test]
fn what_is_said_is_whole_in_both_languages_and_no_two_reports_of_a_day_are_one() {
    let (mut ids, mut incidents, mut said) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut all = 0;
    for number in 0..3 {
        for (at, Reports { incident, by, report }) in reports(number) {
            let words = &report.description;
            assert!(!words.contains(['{', '}']), "{words}");
            assert!(words.chars().count() <= LONGEST_WORDS, "{words}");
            let (zh, en) = words.split_once('\n').unwrap();
            assert!(zh.chars().any(|c| c as u32 > 0x2e80) && en.is_ascii(), "{words}");
            assert!(
                pack().people.get(&by).is_some()
                    && pack().categories.contains_key(&report.category.as_str().into())
            );
            assert_eq!(incident.time(), Some(at));
            assert!(report.client_id.len() <= 64);
            all += 1;
            ids.insert((by, report.client_id));
            incidents.insert(incident);
            said.insert(words.clone());
        }
    }
    assert_eq!((ids.len(), incidents.len()), (all, all));
    assert!(said.len() * 10 > all * 9, "{} different of {all}", said.len());
}

#[test]
fn a_day_is_the_same_every_time_and_the_next_is_another() {
    let told = |number: usize| {
        let all = reports(number).into_iter();
        all.map(|(at, one)| (at, one.incident, one.report.description)).collect::<Vec<_>>()
    };
    assert_eq!(told(0), told(0));
    let words = |number: usize| told(number).into_iter().map(|one| one.2).collect::<Vec<_>>();
    assert_ne!(words(1), words(2));
    let script = script();
    let days: Vec<_> = (0..4).map(|n| script.hours().day(n).unwrap().date.to_string()).collect();
    assert_eq!(days, ["2026-07-22", "2026-07-23", "2026-07-24", "2026-07-27"], "no weekend");
    let last = (0..).take_while(|n| script.hours().day(*n).is_some()).last().unwrap();
    assert_eq!(script.hours().day(last).unwrap().date.to_string(), "2026-12-31", "as far as is published");
    assert!(script.day(last + 1).is_none());
}

#[test]
fn whoever_looks_sees_one_of_each_kind_within_two_minutes_whenever_that_is() {
    let script = script();
    #[expect(clippy::cast_possible_truncation, reason = "two minutes at any speed are few minutes of a day")]
    let patience = (PATIENCE * script.speed() / 60.0) as i64;
    // Summer hours and ordinary ones.
    for first in [0, 60] {
        let opens = if first == 0 { script.opens() } else { script.hours().day(first).unwrap().begins };
        for kind in KINDS {
            let days = (first..first + 4).flat_map(expected);
            let mut seen: Vec<_> = days.filter(|one| one.kind == kind).map(|one| one.at).collect();
            seen.sort_unstable();
            seen.retain(|at| *at >= opens);
            assert!(seen.len() >= 9, "{kind:?}: {seen:?}");
            let mut last = opens;
            for at in seen {
                // A minute or two go by until it is noticed.
                assert!(shown(last, at) + 5 <= patience, "{kind:?}: {} min until {at}", shown(last, at));
                last = at;
            }
        }
    }
}

#[test]
fn what_is_to_be_seen_of_a_life_is_expected_after_its_report_and_before_the_day_ends() {
    for number in [0, 1, 60] {
        let day = script().hours().day(number).unwrap();
        let all = expected(number);
        assert_eq!(all.len(), LIVES.len());
        for one in all {
            let reported = one.incident.time().unwrap();
            assert!(day.begins <= reported && reported < one.at && one.at < day.ends, "{one:?}");
            assert_eq!(one.before().incident, Some(one.incident));
        }
    }
}

#[test]
fn the_case_that_is_returned_three_times_lies_where_two_grids_hold_the_place() {
    let boundaries = route::published::boundaries(&pack()).unwrap();
    let day = script().hours().first().date;
    let all = reports(0);
    for one in expected(0).into_iter().filter(|one| one.kind == Kind::Returned) {
        let (_, Reports { report, .. }) =
            all.iter().find(|(_, other)| other.incident == one.incident).unwrap();
        let (lon, lat) = report.place.wgs84();
        assert_eq!(boundaries.find(lon, lat, day).unwrap().other_codes().len(), 1, "{report:?}");
    }
}

#[test]
fn a_file_that_does_not_fit_its_pack_says_everything_that_is_wrong() {
    let mut file = day_file();
    file.first_day = "2026-07-25".parse().unwrap();
    file.reports.pop();
    file.sentences[0].category = "9999".to_owned();
    file.sentences[1].zh = "在{where}".to_owned();
    file.lives.retain(|life| life.life != Kind::Returned);
    file.roads.clear();
    let said: Vec<String> = file.faults(&pack()).iter().map(ToString::to_string).collect();
    for wanted in [
        "first_day: must be a working day",
        "reports: must have 12 numbers",
        "the pack has no such category / sentence of 9999",
        "only road, spot, community, n can stand in braces",
        "lives: Returned has none",
        "roads: is empty / roads：是空的",
    ] {
        assert!(said.iter().any(|one| one.contains(wanted)), "wanted {wanted:?} in {said:#?}");
    }
}

/// A case of grid 1 of 海棠社区, as it has just been opened.
fn case() -> Case {
    let json = serde_json::json!({
        "incident": IncidentId::new(script().opens(), [7; 10]),
        "reporter": "worker-002009001",
        "category": "0501",
        "lon": 121.8, "lat": 29.92,
        "area": "330206/330206002/330206002009/330206002009002",
        "holder": "grid_leader:330206/330206002/330206002009/330206002009002",
        "state": "DISPATCHED",
        "level": "grid",
        "attempt": 1, "returns": 0, "reworks": 0,
        "handlers": [], "deadlines": [],
        "opened_at": script().opens(), "last_at": script().opens(),
        "revision": 1,
    });
    serde_json::from_value(json).unwrap()
}

/// Who does it, and what; in words.
fn does(case: &Case, deed: Deed) -> Option<String> {
    let pack = pack();
    let part = cast(&pack, case, deed, pack.calendar.local(script().opens()));
    part.map(|part| match part {
        Part::Act(person, action) => format!("{} {}", person.id, action.name()),
        Part::Says(person, partner, _) => format!("{} of {partner}", person.id),
        Part::Orders(person) => format!("{} orders", person.id),
    })
}

#[test]
fn a_deed_is_done_by_whoever_holds_the_case_now_and_by_nobody_when_it_does_not_fit_any_more() {
    let case = case();
    let says = |case: &Case, deed| does(case, deed).unwrap_or_default();
    assert_eq!(says(&case, Deed::Sign), "leader-002009002 sign");
    assert_eq!(does(&case, Deed::Answer), None, "not signed");
    assert_eq!(does(&case, Deed::Accept(0)), None, "not offered");
    assert_eq!(says(&case, Deed::Order), "community-002009 orders");

    let back = Deed::Return { before: 0, reason: ReturnReason::WrongArea };
    assert_eq!(says(&case, back), "leader-002009002 return");
    let at_the_desk =
        Case { returns: 1, holder: "street_desk:330206/330206002".parse().unwrap(), ..case.clone() };
    assert_eq!(does(&at_the_desk, back), None, "given back already");
    assert_eq!(does(&at_the_desk, Deed::Sign), None, "the desk only keeps it until route proposes");
    let decided = Case { returns: 3, attempt: 3, ..at_the_desk };
    assert_eq!(says(&decided, Deed::Sign), "desk-command sign", "the street decides, and has a shift");

    let asked = State::Offered { partners: vec!["bailing".into(), "wenti".into()] };
    let offered = Case { state: asked, ..case.clone() };
    assert_eq!(says(&offered, Deed::Accept(3)), "wenti-1 of wenti");
    assert_eq!(says(&offered, Deed::Decline(0, DeclineReason::NotNow)), "bailing-1 of bailing");
    assert_eq!(does(&offered, Deed::Sign), None, "an organisation may take it yet");
    let held = Case { holder: "partner:org/bailing".parse().unwrap(), ..case.clone() };
    let mark = domain::case::Mark { by: "bailing-1".into(), at: script().opens() };
    let held = Case { state: State::Handling { signed: mark.clone() }, ..held };
    assert_eq!(says(&held, Deed::Answer), "bailing-1 answer");

    let checking = State::Checking { signed: mark.clone(), answered: mark.clone(), passed: None };
    let checking = Case { state: checking, handlers: vec!["checker-2".into()], ..held };
    let checks = says(&checking, Deed::Pass);
    assert!(checks.starts_with("checker-") && !checks.starts_with("checker-2"), "{checks}");
    assert_eq!(does(&checking, Deed::Close), None, "it has not passed");
    let passed = State::Checking {
        signed: mark.clone(),
        answered: mark.clone(),
        passed: Some(domain::case::Mark { by: "checker-3".into(), ..mark }),
    };
    assert_eq!(says(&Case { state: passed, ..checking }, Deed::Close), "checker-3 close");
}
