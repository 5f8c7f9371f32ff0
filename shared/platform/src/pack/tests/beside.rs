//! Tables a pack may have beside its areas and categories: shared borders, 片区, conditions.

use super::super::{Pack, PackFault};
use super::{Copy, load};

/// A copy whose `pack.json` names one more file.
fn with(field: &str, text: &str) -> Copy {
    let areas = "\"areas\": \"areas.csv\",";
    let file = format!("{field}.csv");
    Copy::new()
        .with("pack.json", areas, &format!("{areas} \"{field}\": \"{file}\","))
        .with_bytes(&file, text.as_bytes())
}

fn loaded(field: &str, text: &str) -> Pack {
    with(field, text).load().unwrap_or_else(|fault| panic!("{fault}"))
}

/// That a table of these lines has one fault, on this line, and says so in both languages.
fn refused(field: &str, header: &str, lines: &str, line: usize, en: &str, zh: &str) {
    let fault: PackFault = with(field, &format!("{header}\n{lines}\n")).fault();
    assert_eq!(fault.faults.len(), 1, "{fault}");
    let place = format!("{field}.csv:{line}");
    assert!(fault.to_string().starts_with(&format!("{place}: ")), "{fault}\nis not at {place}");
    assert!(fault.to_string().contains(en), "{fault}\ndoes not say: {en}");
    assert!(fault.zh().contains(zh), "{}\ndoes not say: {zh}", fault.zh());
}

const BORDERS: &str = "area,other,taken_by,within_m,categories,name_zh,name_en";

#[test]
fn a_border_is_given_to_one_of_its_sides_for_all_categories_or_for_some() {
    let text = format!(
        "{BORDERS}\n990001001001,990001001002,990001001002,12,,示意路,Road\n\
         990001001001,990001001002,990001001002,20,road rubbish,示意路,Road\n"
    );
    let rules = loaded("borders", &text).borders;
    let [wide, narrow] = rules.as_slice() else { panic!("{rules:?}") };
    assert_eq!((wide.taken_by.code(), wide.taken_from.code()), ("990001001002", "990001001001"));
    assert_eq!((wide.within_m, wide.categories.len(), wide.name.en.as_str()), (12, 0, "Road"));
    assert_eq!((narrow.categories.len(), narrow.stands_at.as_str()), (2, "borders.csv:3"));
    assert!(load("twostreets").borders.is_empty(), "a pack need not have any");
}

#[test]
fn a_line_of_the_table_of_borders_is_refused_with_what_is_wrong_with_it() {
    let line = |text: &str, en: &str, zh: &str| refused("borders", BORDERS, text, 2, en, zh);
    line(
        "990001001001,990001009,990001001001,0,,路,Road",
        "area `990001009` is not in the list",
        "不在区域表中",
    );
    line("990001001001,990001001001,990001001001,0,,路,Road", "no border with itself", "与自己没有界线");
    line(
        "990001001001,990001002,990001002,0,,路,Road",
        "`990001001001` is a community, `990001002` a street",
        "界线两侧须为同一层级",
    );
    line(
        "990001001001,990001001002,990001002001,0,,路,Road",
        "which is neither `990001001001` nor `990001001002`",
        "不是界线两侧的",
    );
    for metres in ["-1", "12.5", "201", "near", ""] {
        let text = format!("990001001001,990001001002,990001001001,{metres},,路,Road");
        line(&text, &format!("within_m is `{metres}`: write whole metres"), "的整数米数");
    }
    line("990001001001,990001001002,990001001001,0,noise,路,Road", "category `noise` is not", "不在类别表中");
    line("990001001001,990001001002,990001001001,0,,,Road", "name_zh is empty", "name_zh 是空的");
}

#[test]
fn no_two_lines_give_one_border_to_both_sides_and_none_is_there_for_nothing() {
    let second = |text: &str, en: &str, zh: &str| {
        let first = "990001001001,990001001002,990001001002,12,road,示意路,Road";
        refused("borders", BORDERS, &format!("{first}\n{text}"), 3, en, zh);
    };
    let other_side = "990001001002,990001001001,990001001001,12,,示意路,Road";
    second(
        other_side,
        "borders.csv:2 gives this border to the other side",
        "borders.csv:2 已把这条界线归另一侧",
    );
    let again = "990001001002,990001001001,990001001002,10,road,示意路,Road";
    second(again, "borders.csv:2 takes all that this line would", "本行永远用不到");
}

const DISTRICTS: &str = "district,name_zh,name_en,communities";

#[test]
fn a_district_has_communities_of_one_street_and_none_that_another_has() {
    let text = format!("{DISTRICTS}\np1,第一片区,District 1,990001001001 990001001002\n");
    let pack = loaded("districts", &text);
    let of = |code: &str| {
        let path = &pack.areas.by_code(code).unwrap().path;
        pack.districts.of(path).map(|district| district.code.as_str())
    };
    assert_eq!([of("990001001002002"), of("990001002001"), of("990001001")], [Some("p1"), None, None]);
    assert_eq!(pack.districts.by_code("p1").unwrap().street.as_str(), "990001/990001001");
    assert_eq!(pack.warnings, [], "the other street has no districts at all");

    let line = |text: &str, en: &str, zh: &str| refused("districts", DISTRICTS, text, 2, en, zh);
    line("p1,第一片区,District 1,990001001", "area `990001001` is a street", "片区由社区组成");
    line("p1,第一片区,District 1,990001009", "area `990001009` is not in the list", "不在区域表中");
    line("p1,第一片区,District 1,", "no community is listed", "没有列出任何社区");
    line("P 1,第一片区,District 1,990001001001", "`P 1` is no code of a district", "片区代码“P 1”无效");
    line(
        "p1,第一片区,District 1,990001001001 990001002001",
        "`990001002001` is not of the same street",
        "不在同一街道",
    );
    line("p1,第一片区,District 1,990001001001 990001001001", "stands twice in this line", "出现两次");
    let second = |text: &str, en: &str, zh: &str| {
        let lines = format!("p1,第一片区,District 1,990001001001\n{text}");
        refused("districts", DISTRICTS, &lines, 3, en, zh);
    };
    second("p2,第二片区,District 2,990001001001", "is in district `p1` already", "已在片区 p1 中");
    second("p1,第二片区,District 2,990001001002", "district `p1` is listed twice", "片区 p1 出现两次");
}

#[test]
fn a_community_that_its_street_s_districts_leave_out_is_a_warning() {
    let text = format!("{DISTRICTS}\np1,第一片区,District 1,990001001001\n");
    let said: Vec<String> =
        loaded("districts", &text).warnings.iter().map(|warning| warning.en.clone()).collect();
    assert_eq!(
        said,
        ["Community 12 (synthetic) (990001001002) is in no district, though its street has some"]
    );
}

const CONDITIONS: &str = "category,filing_zh,filing_en,closing_zh,closing_en";

#[test]
fn a_category_says_when_it_is_taken_up_and_when_it_is_done_or_nothing_of_the_kind() {
    let text =
        format!("{CONDITIONS}\nroad,破损 1 平方米以上,A square metre or more,路面平整,The road is even\n");
    let pack = loaded("conditions", &text);
    let conditions = pack.categories[&"road".into()].conditions.as_ref().unwrap();
    assert_eq!(
        (conditions.filing.zh.as_str(), conditions.closing.en.as_str()),
        ("破损 1 平方米以上", "The road is even")
    );
    assert!(pack.categories[&"gas".into()].conditions.is_none());

    let line = |text: &str, en: &str, zh: &str| refused("conditions", CONDITIONS, text, 2, en, zh);
    line("noise,一,one,二,two", "category `noise` is not in the list", "不在类别表中");
    line("road,一,one,二,", "closing_en is empty", "closing_en 是空的");
    let twice = "road,一,one,二,two\nroad,一,one,二,two";
    refused(
        "conditions",
        CONDITIONS,
        twice,
        3,
        "the conditions of category `road` are there twice",
        "出现两次",
    );
}

#[test]
fn xinqi_has_nine_districts_conditions_for_every_category_and_clocks_for_what_is_urgent() {
    let pack = load("beilun");
    assert_eq!(pack.districts.iter().count(), 9);
    let communities: usize = pack.districts.iter().map(|district| district.communities.len()).sum();
    assert_eq!(communities, 35);
    assert!(pack.categories.values().all(|category| category.conditions.is_some()));
    let gas_leak = pack.policy.of(Some(pack.categories[&"0401".into()].handle_limit));
    let limits = [gas_leak.sign_limit, gas_leak.check_limit].map(Option::unwrap);
    let rungs = [&gas_leak.sign, &gas_leak.handle, &gas_leak.check].map(|ladder| ladder.escalate.iter());
    let after = rungs.into_iter().flatten().map(|rung| rung.after);
    assert!(limits.into_iter().chain(after).all(|limit| limit.is_urgent()), "a gas leak climbs at night");
    let vehicle = pack.policy.of(Some(pack.categories[&"0501".into()].handle_limit));
    assert_eq!(vehicle.sign_limit.unwrap().to_string(), "2wh", "an abandoned vehicle does not");
    assert!(pack.routing.asks_for_registration(&"2104".into()));
    assert!(!pack.routing.asks_for_registration(&"0102".into()));
}
