//! What a version may not change in the one that was published before it.

use super::super::{Pack, PackFault};
use super::{Copy, load};

/// What is said of `copy` as the version after the two streets as they are.
fn after(copy: &Copy, dropped: &[&str]) -> Result<(), PackFault> {
    let (pack, files) = Pack::load_to_publish(&copy.root.path().join("twostreets"), None).unwrap();
    let dropped: Vec<String> = dropped.iter().map(|code| (*code).to_owned()).collect();
    pack.follows(&load("twostreets"), &files, &dropped)
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
    let wanted = "areas.csv: the published areas 990001002002002 are no longer listed";
    assert!(said(&smaller(), &[]).starts_with(wanted), "{}", said(&smaller(), &[]));
    assert!(said(&smaller(), &["990001002002001"]).starts_with(wanted));
    after(&smaller(), &["990001002002002"]).unwrap();
    after(&smaller(), &["990001002"]).unwrap();
}

#[test]
fn a_category_that_is_gone_is_named_unless_it_is_said_to_go() {
    let copy = Copy::new().with("categories.csv", "gas,燃气泄漏,Gas leak,1m,no\n", "");
    let said = after(&copy, &[]).unwrap_err();
    assert!(said.to_string().starts_with("categories.csv: the published categories gas are"), "{said}");
    assert!(said.zh().contains("已发布的事项类别 gas 不再列出"), "{}", said.zh());
    after(&copy, &["gas"]).unwrap();
}

#[test]
fn what_is_sensitive_stays_so_and_nothing_becomes_it() {
    for (was, is) in [("5d,yes", "5d,no"), ("Damaged road,3wd,no", "Damaged road,3wd,yes")] {
        let said = said(&Copy::new().with("categories.csv", was, is), &[]);
        assert!(said.starts_with("categories.csv: sensitive is other than published for the"), "{said}");
    }
}
