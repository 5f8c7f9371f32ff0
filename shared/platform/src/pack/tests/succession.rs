//! What a version may not change in the one that was published before it.

use domain::holder::Holder;

use super::super::{Dropping, OpenCases, Pack, PackFault};
use super::{Copy, load};

/// What is said of `copy` as the version after the two streets as they are.
fn after(copy: &Copy, dropped: &[&str]) -> Result<(), PackFault> {
    after_with(copy, dropped, None)
}

/// The same where the open cases are known.
fn after_with(copy: &Copy, dropped: &[&str], open: Option<&OpenCases>) -> Result<(), PackFault> {
    let (pack, files) = Pack::load_to_publish(&copy.root.path().join("twostreets"), None).unwrap();
    let codes: Vec<String> = dropped.iter().map(|code| (*code).to_owned()).collect();
    pack.follows(&load("twostreets"), &files, Dropping { codes: &codes, open })
}

/// So many open cases in an area.
fn open(area: &str, category: &str, count: u64) -> OpenCases {
    OpenCases::from([((area.parse().unwrap(), category.into()), count)])
}

fn said(copy: &Copy, dropped: &[&str]) -> String {
    after(copy, dropped).expect_err("a fault").to_string()
}

const LEADER: &str = "leader-222,示意网格长 222,Leader 222,grid_leader,990001002002002\n";
const WORKER: &str = "worker-222,示意网格员 222,Worker 222,grid_worker,990001002002002\n";
const GRID: &str = "990001002002002,grid,990001002002,示意网格 222,Grid 222 (synthetic)\n";

/// Without the last grid.
fn smaller() -> Copy {
    Copy::new().with("people.csv", LEADER, "").with("people.csv", WORKER, "").with("areas.csv", GRID, "")
}

#[test]
fn other_people_names_and_rules_may_follow() {
    let copy = Copy::new()
        .with("people.csv", "Leader 111", "Another leader")
        .with("areas.csv", "Grid 222", "Grid twenty-two")
        .with("pack.json", "\"name\": \"grid\"", "\"name\": \"grids\"");
    after(&copy, &[]).unwrap();
}

#[test]
fn other_limits_take_another_version_of_the_policy() {
    let limit = |copy: Copy| copy.with("pack.json", "\"sign_limit\": \"10m\"", "\"sign_limit\": \"20m\"");
    let said = said(&limit(Copy::new()), &[]);
    assert!(said.starts_with("pack.json:16:16: policy.version: limits or ladders are other"), "{said}");
    assert!(said.contains("under the same version `twostreets-1`"), "{said}");
    let named = Copy::new().with("pack.json", "twostreets-1", "twostreets-2");
    after(&limit(named), &[]).unwrap();
}

#[test]
fn an_area_that_is_gone_is_named_unless_it_is_said_to_go() {
    let wanted = "areas.csv: the published areas Grid 222 (synthetic) (990001002002002) are no longer listed";
    assert!(said(&smaller(), &[]).starts_with(wanted), "{}", said(&smaller(), &[]));
    assert!(said(&smaller(), &["990001002002001"]).starts_with(wanted));
    after(&smaller(), &["990001002002002"]).unwrap();
    after(&smaller(), &["990001002"]).unwrap();
}

#[test]
fn other_limits_of_a_category_or_of_its_stages_take_another_version_of_the_policy_too() {
    let longer = || {
        Copy::new().with(
            "categories.csv",
            "rubbish,垃圾堆积,Rubbish piled up,4wh",
            "rubbish,垃圾堆积,Rubbish piled up,8wh",
        )
    };
    let staged = || {
        Copy::new().with("pack.json", "\"people\":", "\"stages\": \"stages.csv\",\n  \"people\":").with_bytes(
            "stages.csv",
            "category,name_zh,name_en,limit\nroad,现场围护,Fenced off,2wh\n".as_bytes(),
        )
    };
    let another = |copy: Copy| copy.with("pack.json", "twostreets-1", "twostreets-2");
    for (copy, line, category) in
        [(longer(), 16, "Rubbish piled up (rubbish)"), (staged(), 17, "Damaged road (road)")]
    {
        let said = said(&copy, &[]);
        let wanted = format!(
            "pack.json:{line}:16: policy.version: the limits of the categories {category}, or of their"
        );
        assert!(said.starts_with(&wanted), "{said}");
    }
    after(&another(longer()), &[]).unwrap();
    after(&another(staged()), &[]).unwrap();
}

#[test]
fn the_calendar_has_a_version_of_its_own_and_a_category_that_is_new_has_promised_nothing_yet() {
    let overlay = "\"overlays\": [{ \"from\": \"2026-03-02\", \"to\": \"2026-03-06\", \"days\": \"closed\", \"why\": \"test\" }],\n  ";
    let copy = Copy::new().with("pack.json", "\"boundaries\":", &format!("{overlay}\"boundaries\":")).with(
        "categories.csv",
        "gas,",
        "lamp,路灯损坏,Street lamp,1wd,no\ngas,",
    );
    let closed = copy.load().unwrap();
    assert_ne!(closed.calendar.version(), load("twostreets").calendar.version());
    after(&copy, &[]).unwrap();
}

/// Without the second street.
fn one_street() -> Copy {
    let copy = Copy::new();
    let without = |file: &str, begins: &str| {
        let lines = copy.text(file);
        lines
            .lines()
            .filter(|line| !line.contains(begins))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let (areas, people) = (without("areas.csv", "990001002"), without("people.csv", "990001002"));
    copy.with_bytes("areas.csv", areas.as_bytes()).with_bytes("people.csv", people.as_bytes())
}

#[test]
fn an_area_goes_only_if_somebody_is_left_for_the_cases_that_are_open_there() {
    let street = ["990001002"];
    let said = said(&one_street(), &street);
    assert!(said.starts_with("areas.csv: with the areas East Street (synthetic) (990001002), "), "{said}");
    assert!(said.contains("nobody would be left who can work on cases that are open there"), "{said}");
    let elsewhere = open("990001/990001001/990001001001/990001001001001", "gas", 3);
    after_with(&one_street(), &street, Some(&elsewhere)).unwrap();
    let there = open("990001/990001002/990001002002/990001002002001", "gas", 3);
    let said = after_with(&one_street(), &street, Some(&there)).unwrap_err().to_string();
    assert!(
        said.starts_with("areas.csv: with the areas Grid 221 (synthetic) (990001002002001) gone, nobody"),
        "{said}"
    );
}

#[test]
fn what_is_open_in_an_area_that_is_gone_is_the_next_levels_that_somebody_works_for() {
    let grid: Holder = "grid_leader:990001/990001002/990001002002/990001002002002".parse().unwrap();
    let acting = |copy: &Copy| copy.load().unwrap().people.acting_for(&grid).map(|acting| acting.to_string());
    assert_eq!(acting(&Copy::new()), Some(grid.to_string()));
    let community = "community:990001/990001002/990001002002".to_owned();
    assert_eq!(acting(&smaller()), Some(community.clone()));
    assert_eq!(
        acting(&Copy::new().with("people.csv", LEADER, "")),
        Some(community),
        "vacant is as good as gone"
    );
    let nobody = "community-22,示意社区干部 22,Community officer 22,community_desk,990001002002\n";
    let street = smaller().with("people.csv", nobody, "");
    assert_eq!(acting(&street).as_deref(), Some("street_desk:990001/990001002"));
    after(&street, &["990001002002002"]).unwrap();
    assert_eq!(acting(&one_street()), None);
}

#[test]
fn whoever_publishes_is_told_what_becomes_of_open_cases() {
    let (pack, before) = (smaller().load().unwrap(), load("twostreets"));
    assert!(!pack.lists_all_of(&before) && before.lists_all_of(&before));
    let told = |open: Option<&OpenCases>| {
        let told = pack.what_becomes(&before, open);
        told.iter().map(|text| text.en.clone()).collect::<Vec<_>>()
    };
    let there = open("990001/990001002/990001002002/990001002002002", "gas", 3);
    let wanted = "Grid 222 (synthetic) (990001002002002) is listed no more: its 3 open cases can be worked on by \
                  Community 22 (synthetic) from now on, and checked as before";
    assert_eq!(told(Some(&there)), [wanted]);
    assert_eq!(told(Some(&OpenCases::new())), Vec::<String>::new());
    assert!(told(None)[0].contains("its open cases, which could not be counted, can be worked on"));

    let fewer = Copy::new().with("categories.csv", "gas,燃气泄漏,Gas leak,1m,no\n", "").load().unwrap();
    let told = fewer.what_becomes(&before, Some(&there));
    let wanted = "the category Gas leak (gas) is listed no more: its 3 open cases will go on by the deadlines on record";
    assert!(told.len() == 1 && told[0].en.starts_with(wanted), "{told:?}");
}

#[test]
fn a_category_that_is_gone_is_named_unless_it_is_said_to_go() {
    let copy = Copy::new().with("categories.csv", "gas,燃气泄漏,Gas leak,1m,no\n", "");
    let said = after(&copy, &[]).unwrap_err();
    assert!(
        said.to_string().starts_with("categories.csv: the published categories Gas leak (gas) are"),
        "{said}"
    );
    assert!(said.zh().contains("已发布的事项类别 燃气泄漏（gas） 不再列出"), "{}", said.zh());
    after(&copy, &["gas"]).unwrap();
}

#[test]
fn what_is_sensitive_stays_so_and_nothing_becomes_it() {
    for (was, is) in [("5d,yes", "5d,no"), ("Damaged road,3wd,no", "Damaged road,3wd,yes")] {
        let said = said(&Copy::new().with("categories.csv", was, is), &[]);
        assert!(said.starts_with("categories.csv: sensitive is other than published for the"), "{said}");
    }
}
