//! Recorded files of other shapes than Gridward's own: other words for the columns, days instead of times, names of areas
//! instead of coordinates, other encodings. What they are is said in the pack, and nothing of it is in the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use domain::case::{Action, ReturnReason};
use domain::id::IncidentId;
use encoding_rs::{BIG5, Encoding, GB18030};
use platform::pack::Pack;
use tempfile::TempDir;

use super::recorded::{Replayed, replayed_with};
use crate::world::{World, packs};

/// The two streets, with a table of units, and with this said of recorded files.
fn pack(recorded: &str) -> Pack {
    let root = TempDir::new().unwrap();
    for folder in ["calendars", "twostreets"] {
        copy(&packs().join(folder), &root.path().join(folder));
    }
    let folder = root.path().join("twostreets");
    let main = fs::read_to_string(folder.join("pack.json")).unwrap();
    let main = main.replacen("\"policy\"", &format!("\"recorded\": {recorded},\n  \"policy\""), 1);
    let street = "{ \"name\": \"street\", \"flag\": \"stated_area\", \"to\": \"street_desk\" }";
    let main = main.replacen(
        "\"to\": \"community\" }\n    ]",
        &format!("\"to\": \"community\" }},\n {street}\n    ]"),
        1,
    );
    assert!(main.contains(street));
    fs::write(folder.join("pack.json"), main).unwrap();
    let units = "category,area,unit\nroad,,示意公路站\n,990001001,示意西办|示意西街道办\n";
    fs::write(folder.join("units.csv"), units).unwrap();
    Pack::load(&folder).unwrap_or_else(|fault| panic!("{fault}"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// How a file of names and days is read.
fn named(encoding: &str) -> Pack {
    pack(&format!(
        r#"{{ "encoding": "{encoding}",
        "columns": {{ "id": "编号", "opened": "日期", "category": "类别" }},
        "times": {{ "format": "%Y/%m/%d", "time_of_day": "00:00:00", "zone": "Asia/Shanghai" }},
        "place": {{ "areas": [{{ "column": "社区", "level": "community" }}, {{ "column": "街道", "level": "street" }},
                              {{ "column": "区", "level": "county" }}],
                    "nothing": ["-"], "point": {{ "lon": 121.8, "lat": 29.9, "datum": "CGCS2000" }} }},
        "aliases": {{ "老十二": "990001001002" }},
        "categories": {{ "道路": "road", "垃圾": "rubbish" }},
        "truth": [{{ "name": "street", "level": "street", "column": "街道", "names": true }}],
        "units": {{ "column": "承办", "file": "units.csv" }} }}"#
    ))
}

const NAMED: &str = "编号,日期,类别,社区,街道,区,承办\n\
    a,2026/3/2,道路,示意社区 11,西示意街道,-,示意公路站\n\
    b,2026/3/2,垃圾,示意社区 11,西示意街道,-,示意西街道办\n\
    c,2026/3/2,垃圾,老十二,东示意街道,-,示意公路站\n\
    d,2026/3/3,垃圾,-,东示意街道办事处,-,\n\
    e,2026/3/3,垃圾,-,-,示意区（非法定区划）,示意西办\n\
    f,2026/3/3,垃圾,示意社区 99,西示意街道,-,\n\
    g,2026/3/3,垃圾,-,-,-,\n\
    h,3 March,垃圾,示意社区 11,西示意街道,-,\n";

fn bytes(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, wrong) = encoding.encode(text);
    assert!(!wrong, "{text} cannot be written so");
    bytes.into_owned()
}

/// What the eight rows of [`NAMED`] come to, in any encoding.
async fn as_named(replayed: &Replayed) {
    let summary = &replayed.summary;
    assert_eq!((summary.rows, summary.accepted), (8, 5), "{:?}", replayed.counted);
    let refused = BTreeMap::from([("unknown_area", 1), ("no_place", 1), ("wrong_time", 1)]);
    assert_eq!(replayed.refused(), refused);
    assert_eq!((summary.routed, summary.named, summary.fallback), (0, 4, 1));
    assert_eq!(summary.flagged["stated_area"], 5);
    let holders = "SELECT group_concat(holder, ' ') FROM (SELECT holder FROM route_incident r \
                   JOIN discover_report d USING (incident) ORDER BY d.client_id)";
    assert_eq!(
        replayed.one(holders).await,
        "community:990001/990001001/990001001001 community:990001/990001001/990001001001 \
         community:990001/990001001/990001001002 street_desk:990001/990001002 street_desk:990001/990001001"
    );
}

#[tokio::test]
async fn names_of_areas_and_days_are_read_as_the_pack_says() {
    let replayed = replayed_with(named("UTF-8"), NAMED.as_bytes()).await.unwrap();
    as_named(&replayed).await;
    let why =
        "SELECT why_en FROM route_incident r JOIN discover_report d USING (incident) WHERE client_id = ";
    assert_eq!(
        replayed.one(&format!("{why}'d'")).await,
        "The report names East Street (synthetic) and gives no point. Rule “street” gives it to the street desk of East \
         Street (synthetic)."
    );
    assert!(replayed.one(&format!("{why}'e'")).await.contains("names Synthetic County"));
    let said = replayed.counted.examples.join("\n");
    for part in [
        "line 7: 社区 `示意社区 99` is no area of this pack",
        "recorded.aliases",
        "line 8: 社区, 街道, 区 is empty",
        "line 9: 日期 `3 March` is not a time as in 2011/07/01",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[tokio::test]
async fn a_truth_is_compared_where_it_did_not_place_the_report_itself() {
    let summary = replayed_with(named("UTF-8"), NAMED.as_bytes()).await.unwrap().summary;
    // Not d, which lies where this very column says; not e, which says nothing. Of a, b and c the last is elsewhere.
    let street = summary.area_agreement["street"];
    assert_eq!((street.compared, street.agreed), (3, 2));
    // a by its category, b by its area, e by the desk that holds what names the county only; c is neither.
    let units = summary.unit_agreement.unwrap();
    assert_eq!((units.compared, units.agreed), (4, 3));
    assert_eq!(summary.verdicts.compared, 0);
}

#[tokio::test]
async fn a_file_in_another_encoding_comes_to_the_same() {
    as_named(&replayed_with(named("GB18030"), &bytes(GB18030, NAMED)).await.unwrap()).await;
    as_named(&replayed_with(named("UTF-8"), format!("\u{feff}{NAMED}").as_bytes()).await.unwrap()).await;
}

#[tokio::test]
async fn a_file_in_big5_is_read_by_the_names_it_has() {
    let pack = pack(
        r#"{ "encoding": "Big5", "columns": { "id": "編號", "opened": "日期", "category": "類別" },
        "place": { "areas": [{ "column": "行政區", "level": "street" }],
                   "point": { "lon": 121.8, "lat": 29.9, "datum": "CGCS2000" } },
        "aliases": { "西示意區": "990001001" }, "categories": { "道路維修": "road" } }"#,
    );
    let text =
        "編號,日期,類別,行政區\na,2026-03-02 09:00,道路維修,西示意區\nb,2026-03-02 10:00,道路維修,東示意區\n";
    let replayed = replayed_with(pack, &bytes(BIG5, text)).await.unwrap();
    assert_eq!((replayed.summary.accepted, replayed.summary.named), (1, 1));
    assert!(
        replayed.counted.examples[0].starts_with("line 3: 行政區 `東示意區` is no area"),
        "{:?}",
        replayed.counted
    );
}

#[tokio::test]
async fn one_row_that_is_not_of_the_encoding_is_refused_with_its_line_and_the_rest_goes_on() {
    let mut file = bytes(GB18030, NAMED);
    let at = file.windows(2).position(|two| two == b"b,").unwrap();
    // Within the row's category, the first byte of two: the other no longer means anything.
    file[at + 11] = 0xff;
    let replayed = replayed_with(named("GB18030"), &file).await.unwrap();
    assert_eq!(replayed.summary.rows, 8);
    assert_eq!(replayed.refused()["invalid_encoding"], 1, "{:?}", replayed.counted);
    let said = replayed.counted.examples.join("\n");
    assert!(said.contains("line 3: 类别 has bytes that are none in GB18030"), "{said}");
}

#[tokio::test]
async fn a_file_that_is_not_what_the_pack_says_is_refused_with_what_it_could_be() {
    for (said_in_pack, file, parts) in [
        ("UTF-8", bytes(GB18030, NAMED), ["is not UTF-8; it could be GB18030 (「编号」)", "recorded"]),
        ("Big5", NAMED.as_bytes().to_vec(), ["is UTF-8, but the pack says Big5", "recorded.encoding"]),
    ] {
        let Err(said) = replayed_with(named(said_in_pack), &file).await else {
            panic!("read in an encoding that it does not have")
        };
        let said = format!("{said:#}");
        assert!(parts.iter().all(|part| said.contains(part)) && said.contains("recorded.csv"), "{said}");
    }
}

#[tokio::test]
async fn a_column_that_the_pack_names_and_the_file_lacks_is_said() {
    let file = NAMED.replacen("街道,区", "镇街,区", 1);
    let Err(said) = replayed_with(named("UTF-8"), file.as_bytes()).await else {
        panic!("a column is missing")
    };
    let said = format!("{said:#}");
    assert!(
        said.contains("the header has no column `街道`; needed are 编号, 日期, 类别, 社区, 街道, 区"),
        "{said}"
    );
    assert!(said.contains("表头缺少 街道 列") && said.contains("recorded.columns"), "{said}");
}

#[tokio::test]
async fn closings_verdicts_and_places_of_no_use_are_in_the_words_of_the_file() {
    let pack = pack(
        r#"{ "columns": { "closed": "updated", "due": "expected" }, "open": { "column": "state", "values": ["未处理", ""] },
        "usable": { "column": "geocode", "values": ["good"] },
        "verdict": { "column": "verdict", "on_time": ["准时"], "overdue": ["逾期"] },
        "truth": [{ "name": "grid", "level": "grid", "column": "grid" }] }"#,
    );
    let lines = [
        "id,opened,updated,expected,state,category,lon,lat,geocode,verdict,grid",
        "a,2026-03-02T09:00:00,2026-03-02T10:00:00,2026-03-02T12:00:00,已完工,road,121.805,29.905,good,准时,990001001001001",
        "b,2026-03-02T09:00:00,2026-03-02T13:00:00,2026-03-02T12:00:00,已完工,road,121.805,29.905,bad,准时,elsewhere",
        "c,2026-03-02T09:00:00,2026-03-02T13:00:00,2026-03-02T12:00:00,未处理,road,121.805,29.905,good,准时,elsewhere",
        "d,2026-03-02T09:00:00,2026-03-02T13:00:00,2026-03-02T12:00:00,,road,121.805,29.905,good,,",
    ];
    let replayed = replayed_with(pack, lines.join("\n").as_bytes()).await.unwrap();
    let closed = "SELECT group_concat(client_id, '') FROM (SELECT client_id FROM discover_report d JOIN handle_case c \
                  USING (incident) WHERE c.state = 'CLOSED' ORDER BY client_id)";
    assert_eq!(replayed.one(closed).await, "ab");
    let verdicts = replayed.summary.verdicts;
    assert_eq!((verdicts.compared, verdicts.agreed), (2, 1), "b was late, whatever the file says");
    let grids = replayed.summary.area_agreement["grid"];
    assert_eq!((grids.compared, grids.agreed), (2, 1), "b's place is of no use");
}

#[tokio::test]
async fn a_case_that_names_its_community_and_is_given_back_falls_to_that_street() {
    let mut world = World::start().await;
    let mut report = world.new_report("road", (121.8, 29.9));
    report.place.area = Some("990001002002".to_owned());
    let incident = world.submit("worker-111", report).await.unwrap().incident;
    world.settle().await;
    assert_eq!(holder(&world, incident).await, "community:990001/990001002/990001002002");
    world.act("community-22", Action::Return(ReturnReason::WrongArea), incident).await.unwrap();
    assert_eq!(holder(&world, incident).await, "street_desk:990001/990001002");
}

async fn holder(world: &World, incident: IncidentId) -> String {
    let holders = handle::holders(&world.all.around.store, &[incident]).await.unwrap();
    holders[&incident].to_string()
}
