//! Faults of `pack.json` and of the calendar it names.

use std::path::Path;

use domain::calendar::Limit;

use super::super::Pack;
use super::{Copy, places, refused, said};

/// One fault of `pack.json` that points at `at`.
fn pack(old: &str, new: &str, at: &str, words: &str) {
    refused("pack.json", old, new, at, words);
}

#[test]
fn what_is_not_of_the_form_is_refused_with_line_and_column() {
    let begins = |old, new, begin: &str| {
        let said = said("pack.json", old, new);
        assert!(said.starts_with(begin), "{said}");
    };
    begins("\"opaque\",", "\"opaque\"", "pack.json:6:3: expected `,` or `}`; correct the file");
    begins("\"codes\"", "\"code_scheme\"", "pack.json:5:15: unknown field `code_scheme`, expected one of");
    begins(
        "\"opaque\"",
        "\"dutch\"",
        "pack.json:5:18: unknown variant `dutch`, expected `chinese` or `opaque`",
    );
    begins("  \"zone\": \"Asia/Shanghai\",\n", "", "pack.json:42:1: missing field `zone`");
    begins("\"level\"", "\"lvl\"", "pack.json:13:36: unknown field `lvl`");
    begins("\"zh\"", "\"cn\"", "pack.json:3:16: unknown field `cn`");
    let none = Pack::load(Path::new("/nowhere/at/all")).unwrap_err().to_string();
    assert!(none.starts_with("pack.json: the file pack.json cannot be read: "), "{none}");
}

#[test]
fn a_field_that_is_unknown_or_missing_hides_no_other_fault() {
    let copy = Copy::new()
        .with("pack.json", "  \"zone\": \"Asia/Shanghai\",\n", "")
        .with("pack.json", "\"level\"", "\"lvl\"")
        .with("pack.json", "\"10m\"", "\"10\"")
        .with("people.csv", ",checker,", ",chequer,");
    let fault = copy.fault().to_string();
    let lines: Vec<&str> = fault.lines().collect();
    let expected = [
        "unknown field `lvl`, expected one of",
        "missing field `level`; correct the file",
        "policy.sign_limit: limit \"10\" is not a number and a unit",
        "missing field `zone`; correct the file",
        "`chequer` is not a role",
    ];
    for words in expected {
        assert_eq!(lines.iter().filter(|line| line.contains(words)).count(), 1, "{words}: {fault}");
    }
    assert_eq!(lines.len(), expected.len(), "nothing is said of what stands in: {fault}");
}

#[test]
fn labels_must_be_there() {
    pack(
        "\"twostreets\"",
        "\"Two streets\"",
        "\"Two streets\"",
        "code: `Two streets` is not the code of a pack",
    );
    pack(
        "\"en\": \"Two streets (synthetic grids, not legal boundaries)\"",
        "\"en\": \"\"",
        "\"\"",
        "name.en: this must",
    );
    pack(
        "\"policy\"",
        "\"recorded\": { \"file\": \"x.csv\" }, \"policy\"",
        "\"x.csv\"",
        "the file x.csv cannot be read",
    );
}

#[test]
fn a_datum_is_never_guessed() {
    let boundary = "\"datum\": \"CGCS2000\", \"valid_from\"";
    let words = "boundaries[0].datum: the boundary file grids.geojson has no datum; a datum is never guessed";
    pack(boundary, "\"valid_from\"", "{ \"file\": \"grids.geojson\"", words);
    pack(boundary, "\"datum\": \"北京54\", \"valid_from\"", "\"北京54\"", "`北京54` is not a datum");
    let none = said("pack.json", "\"datum\": \"CGCS2000\",\n", "");
    assert!(none.starts_with("pack.json:1:1: datum: the pack has no datum"), "{none}");
    pack("\"datum\": \"CGCS2000\", \"name\"", "\"name\"", "{ \"lon\"", "a placeholder has no datum");
}

#[test]
fn boundaries_name_a_file_a_key_a_level_and_their_days() {
    pack("\"key\": \"code\"", "\"key\": \"\"", "\"\"", "boundaries[0].key: this must not be empty");
    pack("\"level\": \"grid\"", "\"level\": \"block\"", "\"block\"", "`block` is not a level");
    pack("\"2020-01-01\"", "\"2020-1-1\"", "\"2020-1-1\"", "`2020-1-1` is not a date");
    let ended = "\"2020-01-01\", \"valid_to\": \"2019-12-31\"";
    pack("\"2020-01-01\"", ended, "\"2019-12-31\"", "2019-12-31 is not after 2020-01-01");
    pack("\"key\": \"code\"", "\"key\": \"code\", \"pad\": 99", "99", "pad 99 is not between");
    pack("grids.geojson", "grid.geojson", "\"grid.geojson\"", "the file grid.geojson cannot be read");
    pack("grids.geojson", "/grids.geojson", "\"/grids.geojson\"", "relative to the pack's folder");
    let twice = "\"2020-01-01\" },\n    { \"file\": \"grids.geojson\", \"level\": \"grid\", \"key\": \"code\", \
                 \"datum\": \"CGCS2000\", \"valid_from\": \"2021-01-01\" }";
    pack("\"2020-01-01\" }", twice, "\"grids.geojson\"", "the file grids.geojson is listed twice");
}

#[test]
fn the_zone_must_be_that_of_the_calendar() {
    pack("Asia/Shanghai", "Asia/Tokyo", "\"Asia/Tokyo\"", "the pack's zone is `Asia/Tokyo`");
    let american = "its calendar us is America/New_York";
    pack("calendars/cn.json", "calendars/us.json", "\"Asia/Shanghai\"", american);
    let missing = "the file ../calendars/xx.json cannot be read";
    pack("calendars/cn.json", "calendars/xx.json", "\"../calendars/xx.json\"", missing);
}

#[test]
fn a_fault_of_the_calendar_is_placed_in_the_calendar() {
    let calendar = |old, new, at, words| refused("../calendars/cn.json", old, new, at, words);
    calendar("08:30", "8:30", "[[\"8:30\"", "\"8:30\" is not a time of day");
    calendar("Asia/Shanghai", "Asia/Ningbo", "\"Asia/Ningbo\"", "zone \"Asia/Ningbo\" is not known");
    let fault = Copy::new().with("../calendars/cn.json", "\"2024-02-04\"", "\"2024-02-05\"").fault();
    assert_eq!(places(&fault), ["../calendars/cn.json:26:13"], "the year that lists it");
    let wednesday = Copy::new().with("../calendars/cn.json", "\"2024-02-04\"", "\"2024-02-07\"").fault();
    assert!(wednesday.to_string().starts_with("../calendars/cn.json:26:13: "), "{wednesday}");
    assert!(
        wednesday.to_string().contains("make-up working day 2024-02-07 is not a Saturday or Sunday"),
        "{wednesday}"
    );
    assert!(wednesday.zh().contains("调休上班日 2024-02-07 不是周六或周日"), "{}", wednesday.zh());
    let fault = Copy::new().with("../calendars/cn.json", "\"years\": {", "\"years\": [").fault();
    assert_eq!(places(&fault), ["../calendars/cn.json:6:11"]);
}

#[test]
fn local_arrangements_are_checked_where_they_stand() {
    let calendar = "\"calendar\": \"../calendars/cn.json\",";
    let overlay = |written: &str| format!("{calendar}\n  \"overlays\": [{written}],");
    let refused = |written: &str, at, words| pack(calendar, &overlay(written), at, words);
    let hours = "{ \"from\": \"2026-06-15\", \"to\": \"2026-06-14\", \"days\": \"open\", \"why\": \"x\" }";
    refused(hours, "\"2026-06-14\"", "overlays[0].to: 2026-06-14 comes before 2026-06-15");
    let nothing = "{ \"from\": \"2026-06-15\", \"to\": \"2026-06-15\", \"why\": \"x\" }";
    refused(nothing, "{ \"from\"", "overlays[0]: it changes nothing");
    let summer = "{ \"from\": \"2026-06-15\", \"to\": \"2026-09-15\", \"days\": \"open\", \"why\": \"x\" }";
    let copy = Copy::new().with("pack.json", calendar, &overlay(summer));
    let here = copy.load().unwrap();
    assert!(here.calendar.is_working_day("2026-06-20".parse().unwrap()));
    assert_ne!(here.calendar.version(), Copy::new().load().unwrap().calendar.version());
}

#[test]
fn limits_of_the_policy_grant_time() {
    pack("\"10m\"", "\"10\"", "\"10\"", "policy.sign_limit: limit \"10\" is not a number and a unit");
    pack("\"1wd\"", "\"0wd\"", "\"0wd\"", "policy.check_limit: limit `0wd` grants no time");
    pack("\"24h\"", "\"1 day\"", "\"1 day\"", "policy.handle.escalate[2].after: limit");
    pack("\"remind_percent\": 80", "\"remind_percent\": 100", "100", "100 percent is not between 1 and 99");
    pack("\"twostreets-1\"", "\" \"", "\" \"", "policy.version: this must not be empty");
}

#[test]
fn what_is_urgent_counts_around_the_clock_at_every_step() {
    let before = "\"sign_limit\": \"10m\",";
    let urgent = |sign: &str, check: &str, street: &str| {
        let street = format!("{{ \"to\": \"street\", \"after\": \"{street}\" }}");
        let ladder =
            format!("{{ \"escalate\": [{{ \"to\": \"community\", \"after\": \"0h\" }}, {street}] }}");
        let limits = format!("\"sign_limit\": \"{sign}\", \"check_limit\": \"{check}\"");
        let ladders = format!("\"sign\": {ladder}, \"handle\": {ladder}, \"check\": {{ \"escalate\": [] }}");
        format!("{before}\n    \"urgent\": {{ {limits}, {ladders} }},")
    };
    let whole = Copy::new().with("pack.json", before, &urgent("5m", "2h", "30m")).load().unwrap();
    let policy = whole.policy.of(Some(Limit::parse("1m").unwrap()));
    assert_eq!(policy.sign_limit.unwrap().to_string(), "5m");
    assert_eq!((policy.version.as_str(), policy.sign.escalate.len()), ("twostreets-1", 2));
    assert_eq!(whole.policy.sign_limit.unwrap().to_string(), "10m");

    let refused = |written: &str, at, words| pack(before, written, at, words);
    let words = "policy.urgent.sign_limit: `1wh` does not count around the clock";
    refused(&urgent("1wh", "2h", "30m"), "\"1wh\"", words);
    let words = "policy.urgent.check_limit: `1d` does not count around the clock";
    refused(&urgent("5m", "1d", "30m"), "\"1d\"", words);
    let both = Copy::new().with("pack.json", before, &urgent("5m", "2h", "2wh")).fault().to_string();
    for ladder in ["sign", "handle"] {
        let words =
            format!("policy.urgent.{ladder}.escalate[1].after: `2wh` does not count around the clock");
        assert!(both.contains(&words), "{both}");
    }
}

#[test]
fn ladders_go_up_to_levels_that_exist() {
    let top = "{ \"to\": \"county\", \"after\": \"24h\" }";
    pack(top, "{ \"to\": \"county\", \"after\": \"0h\" }", "{", "0h is sooner than 1m");
    pack(top, "{ \"to\": \"street\", \"after\": \"24h\" }", "{", "does not stand above street");
    pack(
        "{ \"to\": \"street\", \"after\": \"1m\" },\n",
        "",
        "\"county\"",
        "policy.handle.escalate[1].to: from community to county the street is left out",
    );
    pack("\"to\": \"county\"", "\"to\": \"city\"", "\"city\"", "`city` is not a level");
    let first = "\"sign\": { \"escalate\": [{ \"to\": \"community\"";
    let skipping = "\"sign\": { \"escalate\": [{ \"to\": \"street\"";
    let left_out = "policy.sign.escalate[0].to: from grid to street the community is left out";
    pack(first, skipping, "\"street\"", left_out);
    pack("\"to\": \"community\"", "\"to\": \"grid\"", "\"grid\"", "nothing escalates to it");
    let county = "990001,county,,示意区（非法定区划）,Synthetic County (not a legal division)\n";
    let rootless = Copy::new()
        .with("areas.csv", county, "")
        .with("areas.csv", "990001001,street,990001,", "990001001,street,,")
        .with("areas.csv", "990001002,street,990001,", "990001002,street,,")
        .with("people.csv", "supervisor,990001\n", "supervisor,990001001\n");
    let said = rootless.fault().to_string();
    assert!(said.ends_with("policy.handle.escalate[2].to: no area of the list is a county"), "{said}");
}

#[test]
fn a_ladder_leaves_out_a_level_only_where_the_pack_says_so() {
    let street = "{ \"to\": \"street\", \"after\": \"1m\" },\n";
    let county = "{ \"to\": \"county\", \"after\": \"24h\" }";
    let without_street = |skips: &str| {
        let county_and = format!("{{ \"to\": \"county\", \"after\": \"24h\", \"skips\": {skips} }}");
        Copy::new().with("pack.json", street, "").with("pack.json", county, &county_and)
    };
    let policy = without_street("[\"street\"]").load().unwrap().policy;
    assert_eq!(policy.handle.escalate.len(), 2);
    let said = |skips: &str| without_street(skips).fault().to_string();
    assert!(said("[\"community\"]").contains("skips[0]: this step does not leave out a community"));
    assert!(said("[\"town\"]").contains("skips[0]: `town` is not a level"));
    assert!(said("[]").contains("or say so with \"skips\": [\"street\"]"));
    let needless = "{ \"to\": \"county\", \"after\": \"24h\", \"skips\": [\"street\"] }";
    let fault = Copy::new().with("pack.json", county, needless).fault();
    assert!(fault.to_string().contains("this step does not leave out a street"), "{fault}");
    assert!(fault.zh().contains("这一步没有越过街道"), "{}", fault.zh());
}

#[test]
fn the_fallback_is_a_desk_that_gives_nothing_back_and_no_rule_is_called_like_it() {
    let community = "\"community:990001001001\"";
    pack(
        "\"street_desk:990001001\"",
        community,
        community,
        "the fallback is a street desk: a community may give",
    );
    let leader = "\"grid_leader:990001001001001\"";
    pack("\"street_desk:990001001\"", leader, leader, "and would be given it again");
    pack(
        "\"name\": \"grid\"",
        "\"name\": \"fallback\"",
        "\"fallback\"",
        "`fallback` is what is written down where",
    );
}

#[test]
fn a_rule_by_registration_names_its_categories_and_stands_before_those_by_place() {
    let grid = "{ \"name\": \"grid\", \"to\": \"grid_leader\" },";
    let share = |fields: &str| format!("{{ \"name\": \"share\", {fields} \"to\": \"community\" }},");
    let registered = share("\"categories\": [\"road\"], \"by\": \"registration\",");
    let routing =
        Copy::new().with("pack.json", grid, &format!("{registered} {grid}")).load().unwrap().routing;
    assert!(routing.asks_for_registration(&"road".into()) && !routing.asks_for_registration(&"gas".into()));
    let everything = share("\"by\": \"registration\",");
    let words = "routing.rules[2].by: a rule that goes by registration names its categories";
    pack(grid, &format!("{everything} {grid}"), "\"registration\"", words);
    let odd = share("\"categories\": [\"road\"], \"by\": \"birth\",");
    pack(
        grid,
        &format!("{odd} {grid}"),
        "\"birth\"",
        "`birth` is nothing to go by: use one of place, registration",
    );
    let behind = "the earlier rule `grid` takes all that `share` would";
    pack(grid, &format!("{grid} {registered}"), "{ \"name\": \"share\"", behind);
}

#[test]
fn routing_names_known_areas_categories_posts_and_flags() {
    let fallback = |new: &str, words| {
        pack("\"street_desk:990001001\"", &format!("\"{new}\""), &format!("\"{new}\""), words)
    };
    fallback("street_desk:9", "routing.fallback: area `9` is not in the list");
    fallback("street_desk:990001", "but area `990001` is a county");
    fallback("mayor:990001001", "`mayor` is not a post");
    fallback("990001001", "`990001001` is not a holder");
    let noise = "routing.rules[1].categories[1]: category `noise` is not in the list";
    pack("\"dispute\"", "\"gas\", \"noise\"", "\"noise\"", noise);
    pack("\"flag\": \"placeholder\"", "\"flag\": \"odd\"", "\"odd\"", "`odd` is not a flag");
    pack("\"to\": \"grid_leader\"", "\"to\": \"grid\"", "\"grid\"", "`grid` is not a post");
    pack(
        "\"to\": \"grid_leader\"",
        "\"within\": \"x\", \"to\": \"grid_leader\"",
        "\"x\"",
        "area `x` is not in the list",
    );
    pack("\"name\": \"grid\"", "\"name\": \"sensitive\"", "\"sensitive\"", "that of an earlier rule");
    pack(
        "{ \"name\": \"community\",",
        "{ \"name\": \"all\", \"to\": \"street_desk\" },\n      { \"name\": \"community\",",
        "{ \"name\": \"community\"",
        "routing.rules[4]: the earlier rule `all` takes all that `community` would",
    );
    pack(
        "{ \"name\": \"community\", \"to\"",
        "{ \"name\": \"road\", \"categories\": [\"road\"], \"to\": \"grid_leader\" },\n      { \"name\": \"community\", \"to\"",
        "{ \"name\": \"road\"",
        "routing.rules[3]: the earlier rule `grid` takes all that `road` would",
    );
    pack("\"lat\": 29.9001", "\"lat\": 129.9", "129.9", "latitude 129.9 is not between");
    pack("\"rounded_decimals\": 2", "\"rounded_decimals\": 20", "20", "20 decimals are more than 15");
}

#[test]
fn what_a_recorded_file_is_compared_with_must_exist() {
    let recorded = "\"recorded\": { \"file\": \"areas.csv\", \"unlisted_category\": \"x\",\n    \
                    \"truth\": [{ \"name\": \"\", \"level\": \"ward\", \"column\": \"\", \"pad\": 0 }] },\n  \"policy\"";
    let said = said("pack.json", "\"policy\"", recorded);
    assert_eq!(
        said,
        "pack.json:15:59: recorded.unlisted_category: category `x` is not in the list of categories\n\
         pack.json:16:25: recorded.truth[0].name: this must not be empty\n\
         pack.json:16:38: recorded.truth[0].level: `ward` is not a level: write grid, community, street or county\n\
         pack.json:16:56: recorded.truth[0].column: this must not be empty\n\
         pack.json:16:67: recorded.truth[0].pad: pad 0 is not between 1 and 32"
    );
}
