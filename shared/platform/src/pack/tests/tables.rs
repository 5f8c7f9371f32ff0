//! Faults of the CSV files.

use std::fs;

use super::{Copy, places, refused, said};

#[test]
fn a_header_names_the_columns_it_lacks_and_those_it_should_not_have() {
    let said = said("areas.csv", "code,level,parent,name_zh", "code,kind,parent,name_zh,parent");
    assert_eq!(
        said,
        "areas.csv:1: the column `level` is missing\n\
         areas.csv:1: the column `kind` is not known: the header must be code,level,parent,name_zh,name_en\n\
         areas.csv:1: the column `parent` stands twice"
    );
    let empty = Copy::new().with_bytes("people.csv", b"\n").fault().to_string();
    let header = "person,name_zh,name_en,role,area";
    assert_eq!(empty, format!("people.csv:1: the file is empty: its first line must be the header {header}"));
}

#[test]
fn a_line_with_a_comma_too_many_or_an_open_quotation_mark_is_named_and_hides_nothing_else() {
    let categories = |old, new, words| refused("categories.csv", old, new, new, words);
    categories("Gas leak", "Gas, leak", "6 fields, the header 5");
    categories("Gas leak,1m,no", "Gas leak,1m", "4 fields, the header 5");
    categories(
        "4wh,no",
        "4wh,\"no",
        "a field runs over several lines: a quotation mark is probably not closed",
    );
    let old = "990001001,street,990001,西";
    refused(
        "areas.csv",
        old,
        "990001001,street,990001,\"西",
        "990001001,s",
        "a quotation mark is probably not closed",
    );
}

#[test]
fn text_that_is_not_utf8_is_refused_with_its_line() {
    let mut bytes = fs::read(Copy::new().path("people.csv")).unwrap();
    let second_newline = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0;
    bytes[second_newline + 1] = 0xcd;
    let said = Copy::new().with_bytes("people.csv", &bytes).fault().to_string();
    assert_eq!(said, "people.csv:3: this line is not UTF-8: save the file as UTF-8");
    let said = Copy::new().with_bytes("grids.geojson", b"\xff").fault().to_string();
    assert_eq!(said, "grids.geojson:1: this line is not UTF-8: save the file as UTF-8");
    let said = Copy::new().with_bytes("pack.json", b"{\n\n\xff").fault().to_string();
    assert_eq!(said, "pack.json:3: this line is not UTF-8: save the file as UTF-8");
}

#[test]
fn areas_must_be_a_tree_whose_grids_belong_to_communities() {
    let areas = |old, new, words| refused("areas.csv", old, new, new, words);
    let orphan = "every grid belongs to a community";
    areas("990001001001001,grid,990001001001", "990001001001001,grid,990001001", orphan);
    areas("990001001001001,grid,990001001001", "990001001001001,grid,", orphan);
    refused(
        "areas.csv",
        "990001001002,",
        "990001001,street,990001,又,Again\n990001001002,",
        "990001001,s",
        "listed twice",
    );
    areas("990001001002001,grid", "990001001002001,block", "`block` is not a level");
    areas("community,990001001,", "community,990001009,", "names the parent `990001009`");
    areas("community,990001001,", "community,990001001001001,", "names the parent `990001001001001`");
    areas(
        "990001001,street,990001,",
        "990001001,street,990001001,",
        "names the parent `990001001`, which is not listed above",
    );
    areas("990001,county,,示意区（非法定区划）", "990001,county,,", "name_zh is empty");
    let swapped = Copy::new().with("areas.csv", "990001,county,", "990001,community,").fault().to_string();
    assert!(swapped.starts_with("areas.csv:3: area `990001001` is a street, but its parent"), "{swapped}");
}

#[test]
fn area_codes_are_letters_and_digits_and_chinese_ones_keep_the_rules() {
    let copy = || Copy::new().with("areas.csv", "990001002002002,grid", "99000100200200X,grid");
    let text = copy().fault().to_string();
    assert!(!text.contains("areas.csv"), "an opaque code may have letters: {text}");
    let fault = copy().with("pack.json", "opaque", "chinese").fault();
    assert_eq!(places(&fault)[0], "areas.csv:16");
    assert!(fault.to_string().contains("area code `99000100200200X`: only digits"), "{fault}");
    assert!(fault.zh().contains("区域代码 99000100200200X 不合规则"), "{}", fault.zh());
    let fault = Copy::new().with("areas.csv", "990001002002002,grid", "990001/02,grid").fault();
    assert_eq!(places(&fault)[0], "areas.csv:16");
}

#[test]
fn categories_need_a_code_of_their_own_a_limit_and_a_word_on_sensitivity() {
    let categories = |old, new, words| refused("categories.csv", old, new, new, words);
    categories(",4wh,", ",4 hours,", "limit \"4 hours\" is not a number and a unit");
    categories(",3wd,", ",0wd,", "limit `0wd` grants no time");
    categories("3wd,no", "3wd,maybe", "sensitive is `maybe`");
    categories("rubbish", "gas", "category `gas` is listed twice");
    refused("categories.csv", "road,", ",", ",道路", "the code is empty");
}

#[test]
fn names_and_codes_have_a_longest_length() {
    let (long, code) = ("长".repeat(101), "c".repeat(65));
    let name = "name_zh: 101 characters, and 100 are the most";
    refused("areas.csv", "西示意街道", &long, &long, name);
    refused("categories.csv", "垃圾堆积", &long, &long, name);
    refused("people.csv", "示意核查员 1", &long, &long, name);
    refused("people.csv", "Checker 1", &long, &long, "name_en: 101 characters, and 100 are the most");
    refused("categories.csv", "rubbish", &code, &code, "code: 65 characters, and 64 are the most");
    refused("people.csv", "checker-1", &code, &code, "is longer than 64 bytes");
    refused(
        "pack.json",
        "\"grid\", \"to\"",
        &format!("\"{long}\", \"to\""),
        &format!("\"{long}"),
        "routing.rules[2].name: 101",
    );
    Copy::new().with("areas.csv", "西示意街道", &"长".repeat(100)).load().unwrap();
}

#[test]
fn people_need_a_known_role_and_an_area_on_its_level() {
    let people = |old, new, words| refused("people.csv", old, new, new, words);
    let leader = "grid_leader,990001001001001";
    people(
        leader,
        "grid_leader,990001001",
        "the post grid_leader stands at a grid, but area `990001001` is a street",
    );
    people(
        "community_desk,990001001001",
        "community_desk,990001001",
        "the post community stands at a community",
    );
    people("street_desk,990001001", "street_desk,990001", "the post street_desk stands at a street");
    people("checker,990001001", "checker,990001001001001", "the role checker is given for a community");
    people("grid_worker,990001001001001", "grid_worker,990001", "the role grid_worker is given for a grid");
    people(leader, "mayor,990001001001001", "`mayor` is not a role");
    people("checker,990001001", "checker,990001003", "area `990001003` is not in the list");
}

#[test]
fn people_need_an_id_with_one_name_and_each_role_once() {
    let people = |old, new, words| refused("people.csv", old, new, new, words);
    people("worker-111,", "leader-111,", "person `leader-111` is called `Leader 111 / 示意网格长 111` above");
    let (one, other) = ("desk-1b,示意指挥员 1b,Dispatcher 1b", "desk-1a,示意指挥员 1a,Dispatcher 1a");
    people(one, other, "person `desk-1a` is given this role twice");
    people("desk-1b", "desk 1b", "person id `desk 1b`");
    people("desk-1b", "", "person id `` is empty");
    people("Dispatcher 1b", "", "name_en is empty");
}

#[test]
fn every_fault_of_every_file_is_told_at_once_and_none_twice() {
    let copy = Copy::new()
        .with("pack.json", "\"10m\"", "\"10\"")
        .with("pack.json", "\"twostreets\"", "\"Two streets\"")
        .with("areas.csv", "990001002,street", "990001002,town")
        .with("categories.csv", "3wd,no", "3,maybe")
        .with("categories.csv", "road,道路破损", "road,")
        .with("people.csv", "grid_leader,990001001001001", "grid_leader,x")
        .with("people.csv", "checker,990001001", "chequer,990001001");
    let fault = copy.fault();
    let mut expected = vec!["pack.json:2:11", "pack.json:17:19", "areas.csv:10"];
    expected.extend(["categories.csv:4"; 3]);
    expected.extend(["people.csv:2", "people.csv:14"]);
    assert_eq!(places(&fault), expected, "{fault}");
    assert_eq!(fault.zh().lines().count(), expected.len());
    let both = fault.both();
    assert_eq!(
        both.lines().count(),
        expected.len(),
        "a line each, also where both languages are told: {both}"
    );
    for ((line, place), fault) in both.lines().zip(expected).zip(&fault.faults) {
        assert_eq!(line, format!("{place}: {} / {}", fault.reason.en, fault.reason.zh));
    }
}

#[test]
fn a_file_that_is_missing_hides_no_fault_of_another() {
    let copy = Copy::new()
        .with("pack.json", "\"areas.csv\"", "\"area.csv\"")
        .with("pack.json", "\"categories.csv\"", "\"category.csv\"")
        .with("people.csv", "checker,990001001", "chequer,990001001");
    let fault = copy.fault();
    assert_eq!(places(&fault), ["pack.json:8:12", "pack.json:9:17", "people.csv:14"], "{fault}");
}
