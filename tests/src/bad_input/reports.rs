//! What can be wrong with a report.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::office::{Answer, Office};
use super::{Says, problem};

/// One report after another, each with one field replaced by what is wrong, or taken away.
struct Wrong<'a> {
    /// A JSON pointer.
    at: &'a str,
    /// `None`: the field is not there.
    value: Option<Value>,
    says: Says<'a>,
}

fn wrong<'a>(at: &'a str, value: impl Into<Option<Value>>, says: Says<'a>) -> Wrong<'a> {
    Wrong { at, value: value.into(), says }
}

fn unprocessable<'a>(code: &'a str, field: &'a str, en: &'a str, zh: &'a str) -> Says<'a> {
    Says { status: 422, code, field: Some(field), en, zh }
}

fn not_json<'a>(en: &'a str) -> Says<'a> {
    Says { status: 400, code: "broken-json", field: None, en, zh: "请求正文不是有效的 JSON" }
}

impl Office {
    async fn refuses_each(&self, wrongs: &[Wrong<'_>]) {
        for wrong in wrongs {
            let mut report = self.new_report("rubbish");
            put(&mut report, wrong.at, wrong.value.clone());
            self.refuses(self.reporting(&report), wrong.says).await;
        }
        self.still_takes_reports().await;
    }

    fn raw_report(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.request("POST", "/api/v1/reports", "worker-111").body(body)
    }
}

fn put(report: &mut Value, at: &str, value: Option<Value>) {
    let (parent, key) = at.rsplit_once('/').unwrap();
    let parent = report.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(parent.insert(key.to_owned(), value)),
        None => drop(parent.remove(key)),
    }
}

#[tokio::test]
async fn what_is_not_json_is_said_to_be_none_and_where_it_breaks() {
    let office = Office::open().await;
    for (body, en) in [
        (
            r#"{"client_id":"a""#,
            "the body is not valid JSON: EOF while parsing an object at line 1 column 16",
        ),
        (r#"{"client_id":NaN}"#, "the body is not valid JSON: expected value at line 1 column 14"),
        ("{'client_id':'a'}", "the body is not valid JSON: key must be a string at line 1 column 2"),
        ("client_id=a&category=road", "the body is not valid JSON: expected value at line 1 column 1"),
        (r#"{"client_id":"\ud800"}"#, "the body is not valid JSON"),
    ] {
        office.refuses(office.raw_report(body), not_json(en)).await;
    }
    let deep = format!("{{\"client_id\":{}", "[".repeat(100_000));
    assert_eq!(Answer::to(office.raw_report(deep)).await.status / 100, 4);
    let more = format!("{} and more", office.new_report("road"));
    let says =
        Says { en: "there is more after the JSON", zh: "JSON 之后还有多余内容", ..not_json("") };
    office.refuses(office.raw_report(more), says).await;
    office.still_takes_reports().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn an_area_of_registration_that_the_pack_does_not_list_is_named() {
    let office = Office::open().await;
    let unknown = |en, zh| unprocessable("unknown-registered-area", "registered_area", en, zh);
    let elsewhere =
        unknown("registered_area `990009` is not on this jurisdiction's list", "户籍地「990009」不在");
    // A path that no area has, though its last code is one's.
    let odd = "990001/990001002/990001001001";
    let odd_path = unknown("registered_area `990001/990001002/990001001001` is not", "不在本辖区的区域表中");
    office
        .refuses_each(&[
            wrong("/registered_area", json!("990009"), elsewhere),
            wrong("/registered_area", json!(odd), odd_path),
            wrong("/registered_area", json!(""), unknown("registered_area `` is not", "户籍地「」不在")),
        ])
        .await;
    office.closes_clean().await;
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_not_json() {
    let office = Office::open().await;
    let report = office.new_report("road").to_string();
    let (head, tail) = report.split_once("beside").unwrap();
    // The same words as an old Windows would have sent them.
    let gbk = [head.as_bytes(), &[0xb6, 0xd1, 0xd4, 0xda], tail.as_bytes()].concat();
    office.refuses(office.raw_report(gbk), not_json("invalid unicode code point")).await;
    office.still_takes_reports().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn json_of_the_wrong_type_names_the_field() {
    let office = Office::open().await;
    let field = |field, en| {
        let says = unprocessable("wrong-field", field, en, "有误");
        wrong("", None, says)
    };
    let wrongs = [
        Wrong { at: "/client_id", value: Some(json!(17)), ..field("client_id", "expected a string") },
        Wrong { at: "/category", value: Some(json!(["road"])), ..field("category", "expected a string") },
        Wrong { at: "/category", value: Some(Value::Null), ..field("category", "expected a string") },
        Wrong { at: "/description", value: Some(json!({})), ..field("description", "expected a string") },
        Wrong { at: "/place/lon", value: Some(json!("121.8")), ..field("place.lon", "expected f64") },
        Wrong { at: "/place/lat", value: Some(json!("NaN")), ..field("place.lat", "expected f64") },
        Wrong { at: "/place/lat", value: Some(Value::Null), ..field("place.lat", "expected f64") },
        Wrong {
            at: "/place/accuracy_m",
            value: Some(json!(true)),
            ..field("place.accuracy_m", "expected f64")
        },
        Wrong {
            at: "/place/captured_at",
            value: Some(json!("yesterday")),
            ..field("place.captured_at", "invalid")
        },
        Wrong {
            at: "/place/captured_at",
            value: Some(json!(1_772_000_000)),
            ..field("place.captured_at", "expected")
        },
    ];
    office.refuses_each(&wrongs).await;
    office.closes_clean().await;
}

/// Bodies that are JSON and no report.
const NO_OBJECTS: [&str; 5] =
    ["[]", "\"report\"", "5", "null", r#"[["c-1","road",{"lon":1,"lat":2,"datum":"WGS-84"},""]]"#];

#[tokio::test]
async fn json_that_is_no_object_is_no_report() {
    let office = Office::open().await;
    for body in NO_OBJECTS {
        let answer = Answer::to(office.raw_report(body)).await;
        assert!(matches!(answer.status, 400 | 422), "{body}: {answer:?}");
        problem(&answer);
    }
    let nothing = office.raw_report("");
    let says =
        unprocessable("wrong-field", "client_id", "the field client_id is missing", "缺少字段 client_id");
    office.refuses(nothing, says).await;
    assert_eq!(office.stored().await, (0, 0));
    office.still_takes_reports().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn json_that_is_no_object_is_said_to_be_none() {
    let office = Office::open().await;
    for body in NO_OBJECTS {
        let said = problem(&Answer::to(office.raw_report(body)).await);
        assert_eq!(said.get("field"), None, "{body}: {said}");
        assert!(!said["detail"].as_str().unwrap().contains("struct"), "{body}: {said}");
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn a_list_of_what_a_report_would_say_is_no_report() {
    let office = Office::open().await;
    let report = office.new_report("road");
    let list = json!([report["client_id"], report["category"], report["place"], report["description"]]);
    assert_eq!(Answer::to(office.reporting(&list)).await.status, 422);
    let mut report = office.new_report("road");
    report["place"] = json!([121.805, 29.905, "CGCS2000", null, null, null]);
    assert_eq!(Answer::to(office.reporting(&report)).await.status, 422);
    office.closes_clean().await;
}

#[tokio::test]
async fn an_unknown_field_of_the_place_is_named_too() {
    let office = Office::open().await;
    let says =
        unprocessable("wrong-field", "place.accuracy", "unknown field `accuracy`", "place.accuracy 有误");
    office.refuses_each(&[wrong("/place/accuracy", json!(5), says)]).await;
    office.closes_clean().await;
}

#[tokio::test]
async fn a_chinese_reader_is_not_given_the_parsers_english() {
    let office = Office::open().await;
    for (at, value) in [("/place/datum", json!("WGS84")), ("/place/lon", json!("x")), ("/filed_at", json!(1))]
    {
        let mut report = office.new_report("road");
        put(&mut report, at, Some(value));
        let asked = office.reporting(&report).header("accept-language", "zh-CN");
        let detail = problem(&Answer::to(asked).await)["detail"].as_str().unwrap().to_owned();
        let english = ["unknown", "expected", "invalid", "line 1"].iter().any(|word| detail.contains(word));
        assert!(!english, "{detail}");
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn a_missing_field_and_an_unknown_one_are_named() {
    let office = Office::open().await;
    let missing = |at, field, en, zh| wrong(at, None, unprocessable("wrong-field", field, en, zh));
    office
        .refuses_each(&[
            missing("/client_id", "client_id", "the field client_id is missing", "缺少字段 client_id"),
            missing("/category", "category", "the field category is missing", "缺少字段 category"),
            missing("/place", "place", "the field place is missing", "缺少字段 place"),
            missing("/place/lon", "place.lon", "the field place.lon is missing", "缺少字段 place.lon"),
            missing(
                "/place/datum",
                "place.datum",
                "the field place.datum is missing",
                "缺少字段 place.datum",
            ),
            wrong(
                "/filed_at",
                json!("2026-03-01T00:00:00Z"),
                unprocessable("wrong-field", "filed_at", "unknown field `filed_at`", "字段 filed_at 有误"),
            ),
        ])
        .await;
    office.closes_clean().await;
}

#[tokio::test]
async fn an_unknown_category_is_named_and_not_repeated_at_any_length() {
    let office = Office::open().await;
    let says = unprocessable(
        "unknown-category",
        "category",
        "category `rubish` is not on this jurisdiction's list",
        "事项类别「rubish」不在本辖区的清单中",
    );
    office.refuses_each(&[wrong("/category", json!("rubish"), says)]).await;
    let mut endless = office.new_report("road");
    endless["category"] = json!("长".repeat(100_000));
    let answer = Answer::to(office.reporting(&endless)).await;
    assert!(answer.status == 422 && answer.text.len() < 1_000, "{} bytes", answer.text.len());
    office.closes_clean().await;
}

#[tokio::test]
async fn a_datum_is_one_of_four_and_never_guessed() {
    let office = Office::open().await;
    let says = unprocessable(
        "wrong-field",
        "place.datum",
        "unknown variant `WGS84`, expected one of `WGS-84`, `CGCS2000`, `GCJ-02`, `BD-09`",
        "字段 place.datum 有误",
    );
    office.refuses_each(&[wrong("/place/datum", json!("WGS84"), says)]).await;
    office.closes_clean().await;
}

#[tokio::test]
async fn places_that_cannot_be_name_the_coordinate() {
    let office = Office::open().await;
    let place = |lon: f64, lat: f64, field, en, zh| {
        let place = json!({ "lon": lon, "lat": lat, "datum": "CGCS2000" });
        wrong("/place", place, unprocessable("wrong-place", field, en, zh))
    };
    office
        .refuses_each(&[
            place(29.905, 121.805, "place.lat", "longitude and latitude look swapped", "经纬度可能填反了"),
            place(
                121.805,
                95.0,
                "place.lat",
                "latitude 95 is not between -90 and 90",
                "纬度 95 不在 -90 到 90 之间",
            ),
            place(
                181.0,
                29.9,
                "place.lon",
                "longitude 181 is not between -180 and 180",
                "经度 181 不在 -180 到 180 之间",
            ),
            place(1e300, 29.9, "place.lon", "is not between -180 and 180", "不在 -180 到 180 之间"),
            wrong(
                "/place/accuracy_m",
                json!(-1),
                unprocessable(
                    "wrong-place",
                    "place.accuracy_m",
                    "accuracy -1 m is negative",
                    "精度 -1 米无效",
                ),
            ),
            wrong(
                "/place/source",
                json!("x".repeat(65)),
                unprocessable("wrong-place", "place.source", "at most 64 characters", "最长 64 个字符"),
            ),
        ])
        .await;
    // More than a number can be.
    let body = office.new_report("road").to_string().replace("121.805", "1e999");
    office.refuses(office.raw_report(body), not_json("number out of range")).await;
    office.closes_clean().await;
}

#[tokio::test]
async fn a_time_of_capture_that_no_device_has_is_not_believed() {
    let office = Office::open().await;
    let says = unprocessable(
        "captured-long-ago",
        "place.captured_at",
        "is before 1970: check the clock of the device",
        "早于 1970 年，请检查手机时间",
    );
    for time in ["1969-12-31T00:00:00Z", "0000-01-01T00:00:00Z", "-5000-01-01T00:00:00Z"] {
        office.refuses_each(&[wrong("/place/captured_at", json!(time), says)]).await;
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn a_time_of_capture_in_the_future_is_not_believed() {
    let office = Office::open().await;
    let says = unprocessable(
        "captured-in-future",
        "place.captured_at",
        "is in the future: check the clock of the device",
        "晚于现在，请检查手机时间",
    );
    office
        .refuses_each(&[
            wrong("/place/captured_at", json!("2026-03-02T09:05:01+08:00"), says),
            wrong("/place/captured_at", json!("2099-01-01T00:00:00Z"), says),
        ])
        .await;
    // A device may be a little ahead, and may have been without signal for long.
    for captured in ["2026-03-02T09:05:00+08:00", "2026-02-20T00:00:00Z"] {
        let mut report = office.new_report("road");
        report["place"]["captured_at"] = json!(captured);
        Answer::to(office.reporting(&report)).await.with(201);
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn a_description_has_at_most_2000_characters_whatever_the_script() {
    let office = Office::open().await;
    let says = unprocessable(
        "description-too-long",
        "description",
        "the description has at most 2,000 characters",
        "说明最长 2000 字",
    );
    office.refuses_each(&[wrong("/description", json!("堆".repeat(2_001)), says)]).await;
    let mut longest = office.new_report("road");
    longest["description"] = json!("堆".repeat(2_000));
    Answer::to(office.reporting(&longest)).await.with(201);
    office.closes_clean().await;
}

#[tokio::test]
async fn a_client_id_is_short_and_plain() {
    let office = Office::open().await;
    let says = unprocessable(
        "wrong-client-id",
        "client_id",
        "client_id must be 1 to 64 letters, digits, `-`, `_` or `.`",
        "client_id 须为 1 到 64 个字母、数字、-、_ 或 .",
    );
    for id in ["", "a b", "上报-1", "../../etc/passwd", "x'; DROP TABLE discover_report; --"] {
        office.refuses_each(&[wrong("/client_id", json!(id), says)]).await;
    }
    office.refuses_each(&[wrong("/client_id", json!("x".repeat(65)), says)]).await;
    let mut longest = office.new_report("road");
    longest["client_id"] = json!("x".repeat(64));
    Answer::to(office.reporting(&longest)).await.with(201);
    office.closes_clean().await;
}

#[tokio::test]
async fn a_text_with_a_character_that_no_database_keeps_is_refused_by_field() {
    let office = Office::open().await;
    for field in ["client_id", "category", "description", "place.source"] {
        let en = format!("{field} holds the character U+0000, which cannot be kept: leave it out");
        let zh = format!("{field} 含有无法保存的字符 U+0000，请去掉");
        let says = unprocessable("nul-character", field, &en, &zh);
        let pointer = format!("/{}", field.replace('.', "/"));
        office.refuses_each(&[wrong(&pointer, json!("a\u{0}b"), says)]).await;
    }
    let case = office.case_of("road").await;
    let note = office.request("POST", &format!("{case}/sign"), "leader-111").json(&json!({"note": "\u{0}"}));
    assert_eq!(Answer::to(note).await.status, 422);
    office.closes_clean().await;
}

#[tokio::test]
async fn a_client_id_that_comes_again_with_another_report_is_refused_and_the_first_report_stays() {
    let office = Office::open().await;
    let report = office.new_report("road");
    let first = Answer::to(office.reporting(&report)).await.with(201);
    let mut other = report.clone();
    other["description"] = json!("something else");
    let says = Says {
        status: 409,
        code: "client-id-taken",
        field: Some("client_id"),
        en: "this client_id was used for a different report: give a new report a new client_id",
        zh: "这个 client_id 已用于另一份内容不同的上报",
    };
    office.refuses(office.reporting(&other), says).await;
    let kept = office.get(first["report"].as_str().unwrap(), "worker-111").await.with(200);
    assert_eq!(kept["description"], report["description"]);
    // Two devices may well make the same id.
    let others = office.post("/api/v1/reports", "worker-112", &other).await.with(201);
    assert_ne!(others["incident"], first["incident"]);
    office.closes_clean().await;
}
