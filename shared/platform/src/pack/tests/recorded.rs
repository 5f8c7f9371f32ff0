//! How recorded files are said to be read: what is understood, and what is refused.

use domain::area::Level;
use domain::holder::Holder;
use domain::place::Datum;

use super::super::{Encoding, Pack, Placed};
use super::{Copy, load, packs, place};

const NAMES: &str = r#"{
    "encoding": "GB18030",
    "columns": { "id": "编号", "closed": "办结" },
    "times": { "format": "%Y-%m-%d", "time_of_day": "09:00:00", "zone": "Asia/Shanghai" },
    "open": { "column": "状态", "values": ["未处理", ""] },
    "place": { "areas": [{ "column": "社区", "level": "community" }], "nothing": ["-"],
               "point": { "lon": 121.8, "lat": 29.9, "datum": "GCJ-02" } },
    "aliases": { "老社区": "990001001001" },
    "categories": { "道路": "road" },
    "verdict": { "column": "时限", "on_time": ["按期"], "overdue": ["逾期"] },
    "units": { "column": "承办", "file": "units.csv" } }"#;

const UNITS: &str = "category,area,unit\nroad,990001001,公路站|西公路站\n,,街道办\n";

fn with(recorded: &str, units: &str) -> Copy {
    Copy::new()
        .with("pack.json", "\"policy\"", &format!("\"recorded\": {recorded},\n  \"policy\""))
        .with_bytes("units.csv", units.as_bytes())
}

#[test]
fn a_file_of_names_and_days_is_understood() {
    let recorded = with(NAMES, UNITS).load().unwrap().recorded.unwrap();
    assert_eq!((recorded.file, recorded.encoding), (None, Some(Encoding::Gb18030)));
    let columns = recorded.columns;
    assert_eq!((columns.id.as_str(), columns.opened.as_str()), ("编号", "opened"));
    assert_eq!(
        (columns.closed.name.as_str(), columns.closed.needed, columns.due.needed),
        ("办结", true, false)
    );
    assert!(columns.open.has("") && columns.open.has("未处理") && !columns.open.has("已处理"));
    let Placed::Named { columns, point, .. } = recorded.placed else { panic!("not by name") };
    assert_eq!((columns[0].level, point.datum), (Level::Community, Datum::Gcj02));
    assert_eq!(recorded.names.find(Level::Community, "老社区")[0].code(), "990001001001");
    assert_eq!(recorded.categories["道路"], "road".into());
    let verdict = recorded.verdict.unwrap();
    assert_eq!(
        ["按期", "逾期", "-"].map(|word| verdict.means(word)),
        [Some("on_time"), Some("overdue"), None]
    );
    let units = recorded.units.unwrap();
    let within = |code: &str| units.of(&"road".into(), &code.parse().unwrap()).join(" ");
    assert_eq!(within("990001/990001001/990001001001"), "公路站 西公路站");
    assert_eq!(within("990001/990001002"), "街道办");
}

#[test]
fn a_pack_that_says_nothing_of_recorded_files_reads_them_plainly() {
    let form = load("twostreets").form_of_records();
    assert_eq!((form.columns.id.as_str(), form.columns.due.name.as_str()), ("id", "due"));
    assert!(form.columns.open.has("Open") && !form.columns.closed.needed && form.verdict.is_none());
    assert_eq!(form.times.example(), "2011-07-01T08:30:00");
}

/// That `old` of the mapping, replaced by `new`, gives one fault at `at` that says `words`.
fn refused(old: &str, new: &str, at: &str, words: &str) {
    assert!(NAMES.contains(old), "{old}");
    let copy = with(&NAMES.replacen(old, new, 1), UNITS);
    let text = copy.text("pack.json");
    let from = text.find("\"recorded\"").unwrap();
    let at = from + text[from..].find(at).expect(at);
    let fault = copy.fault();
    let said = fault.to_string();
    assert_eq!(fault.faults.len(), 1, "{said}");
    assert!(said.starts_with(&format!("{}: ", place("pack.json", &text, at))), "{said}");
    assert!(said.contains(words), "{said}\ndoes not say: {words}");
    assert!(fault.zh().starts_with("pack.json:"), "{}", fault.zh());
}

#[test]
fn what_cannot_be_understood_is_refused_at_its_place() {
    refused("\"GB18030\"", "\"GBK\"", "\"GBK\"", "`GBK` is not an encoding: write UTF-8, GB18030");
    refused("\"编号\"", "\" \"", "\" \"", "recorded.columns.id: this must not be empty");
    refused("\"%Y-%m-%d\"", "\"%Y-%m\"", "\"%Y-%m\"", "the format `%Y-%m` gives no whole date and time");
    refused("\"09:00:00\"", "\"9 am\"", "\"9 am\"", "`9 am` is not a time of day");
    refused("Asia/Shanghai", "Asia/Beijing", "\"Asia/Beijing\"", "`Asia/Beijing` is not a zone");
    refused("[\"未处理\", \"\"]", "[]", "[]", "recorded.open.values: the list must not be empty");
    refused("\"community\"", "\"village\"", "\"village\"", "`village` is not a level");
    refused("\"lat\": 29.9", "\"lat\": 129.9", "129.9", "recorded.place.point.lat: latitude 129.9");
    refused(
        ", \"datum\": \"GCJ-02\"",
        "",
        "{ \"lon\": 121.8",
        "recorded.place.point.datum: the point has no datum",
    );
    refused("\"nothing\": [\"-\"]", "\"lon\": \"x\"", "{ \"areas\"", "one of the two");
    refused("\"990001001001\"", "\"x\"", "{ \"老社区\"", "recorded.aliases: area `x` is not in the list");
    refused("\"道路\": \"road\"", "\"道路\": \"x\"", "{ \"道路\"", "category `x` is not in the list");
    refused(
        "\"on_time\": [\"按期\"]",
        "\"on_time\": []",
        "[]",
        "recorded.verdict.on_time: the list must not be empty",
    );
    refused("units.csv", "nowhere.csv", "\"nowhere.csv\"", "the file nowhere.csv cannot be read");
}

#[test]
fn a_table_of_units_is_refused_by_its_lines() {
    let odd = "category,area,unit\nx,,a\n,y,b\n,,c|\n,,d\n";
    let said = with(NAMES, odd).fault().to_string();
    assert_eq!(
        said,
        "units.csv:2: category `x` is not in the list of categories\n\
         units.csv:3: area `y` is not in the list of areas\n\
         units.csv:4: unit is empty: give the unit's name, and others it goes by after a |"
    );
}

#[test]
fn a_file_that_may_not_come_along_is_looked_for_in_the_folder_of_data() {
    let copy = Copy::new().with("pack.json", "\"grids.geojson\"", "\"$DATA/geo/grids.geojson\"");
    let said = copy.fault().to_string();
    assert!(
        said.contains("boundaries[0].file: the file $DATA/geo/grids.geojson does not come with the pack"),
        "{said}"
    );
    assert!(said.contains("DATA=FOLDER") && copy.fault().zh().contains("环境变量 DATA"), "{said}");

    let data = tempfile::TempDir::new().unwrap();
    let folder = copy.path("");
    let said = Pack::load_with(&folder, Some(data.path())).unwrap_err().to_string();
    assert!(said.contains(&format!("{}/geo/grids.geojson cannot be read", data.path().display())), "{said}");
    std::fs::create_dir(data.path().join("geo")).unwrap();
    std::fs::copy(copy.path("grids.geojson"), data.path().join("geo/grids.geojson")).unwrap();
    let pack = Pack::load_with(&folder, Some(data.path())).unwrap();
    assert_eq!(pack.boundaries[0].name, "$DATA/geo/grids.geojson");
    // Wherever it lies.
    let again = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(again.path().join("geo")).unwrap();
    std::fs::copy(copy.path("grids.geojson"), again.path().join("geo/grids.geojson")).unwrap();
    assert_eq!(Pack::load_with(&folder, Some(again.path())).unwrap().digest, pack.digest);
}

#[test]
fn the_cities_packs_load_and_somebody_works_wherever_a_case_can_be_held() {
    for (name, areas) in [("pingshan", 30), ("tainan", 38), ("taipei", 469)] {
        let pack = load(name);
        assert_eq!(pack.areas.iter().count(), areas, "{name}");
        let said: Vec<String> = pack.warnings.iter().map(ToString::to_string).collect();
        assert!(said.len() == 1 && said[0].contains("the boundaries of grids"), "{name}: {said:?}");
        let fallback: &Holder = &pack.routing.fallback;
        assert!(pack.people.working_for(fallback).next().is_some(), "{name}");
        assert!(pack.recorded.unwrap().file.is_none(), "{name} brings records along");
    }
    let said = Pack::load(&packs().join("baltimore")).unwrap_err().to_string();
    assert!(
        said.contains("$DATA/geo/baltimore_police_districts.geojson does not come with the pack"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}
