//! What is sensitive is in no figure; and nothing that anybody wrote or typed is in a metric or in what a process says.

use std::time::Duration;

use domain::partner::DeclineReason;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::office::{Answer, Office};
use crate::process::{PARTNERED, Process, beat};

const COUNTY: &str = "990001";
const STREET: &str = "990001/990001001";
const COMMUNITY: &str = "990001/990001001/990001001001";
const GRID: &str = "990001/990001001/990001001001/990001001001001";

impl Office {
    /// Cases of a family's quarrel, in the first street or in the second.
    async fn quarrels(&self, many: usize, next_street: bool) {
        for _ in 0..many {
            let mut report = self.new_report("dispute");
            if next_street {
                report["place"]["lon"] = json!(121.825);
            }
            let reporter = if next_street { "worker-211" } else { "worker-111" };
            self.post("/api/v1/reports", reporter, &report).await.with(201);
        }
    }

    async fn supervise_knows_of(&self, cases: i64) {
        let known = tokio::time::timeout(Duration::from_secs(60), async {
            while self.count("supervise", "SELECT count(*) AS n FROM supervise_case").await < cases {
                beat(Duration::from_millis(20)).await;
            }
        });
        known.await.expect("supervise hears of every case");
    }

    async fn figures_of(&self, area: &str) -> Value {
        self.get(&format!("/api/v1/figures?area={area}"), "supervisor-county").await.with(200)
    }
}

/// What is told of sensitive cases in an area, and in each right below it.
fn told(figures: &Value) -> (Value, Vec<Value>) {
    let below = figures["below"].as_array().unwrap().iter();
    (figures["all"]["sensitive_opened"].clone(), below.map(|area| area["sensitive_opened"].clone()).collect())
}

#[tokio::test]
async fn sensitive_cases_are_in_no_figure_of_fewer_than_five_nor_in_a_difference_of_two() {
    let office = Office::open().await;
    office.case_of("rubbish").await;
    office.quarrels(4, false).await;
    office.supervise_knows_of(5).await;
    for area in [COUNTY, STREET, COMMUNITY, GRID] {
        let figures = office.figures_of(area).await;
        assert_eq!((&figures["all"]["opened"], &figures["all"]["open"]), (&json!(1), &json!(1)), "{area}");
        assert!(!figures.to_string().contains("sensitive"), "four are not told: {figures}");
    }

    office.quarrels(1, false).await;
    office.supervise_knows_of(6).await;
    assert_eq!(told(&office.figures_of(COUNTY).await), (json!(5), vec![json!(5), Value::Null]));
    assert_eq!(told(&office.figures_of(STREET).await), (json!(5), vec![Value::Null, Value::Null]));
    for area in [COMMUNITY, GRID] {
        assert_eq!(told(&office.figures_of(area).await).0, Value::Null, "never below the street: {area}");
    }
    // The county's number would tell of three next door.
    office.quarrels(3, true).await;
    office.supervise_knows_of(9).await;
    assert_eq!(told(&office.figures_of(COUNTY).await), (Value::Null, vec![json!(5), Value::Null]));
    office.quarrels(2, true).await;
    office.supervise_knows_of(11).await;
    assert_eq!(told(&office.figures_of(COUNTY).await), (json!(10), vec![json!(5), json!(5)]));

    // Late, too, they are in no count: five days for a quarrel, four working hours for rubbish.
    office.clock.drive("2026-03-09T12:00:00+08:00".parse().unwrap());
    let late = |figures: &Value| figures["all"]["escalated_street"] == 1;
    let figures = office.when(&format!("/api/v1/figures?area={COUNTY}"), "supervisor-county", late).await;
    assert_eq!((&figures["all"]["open_overdue"], &figures["all"]["opened"]), (&json!(1), &json!(1)));
    assert_eq!(
        figures["leaves_out"]["zh"], "敏感事项不计入这些数字，另行统计",
        "and whoever reads them is told so"
    );
    office.closes_clean().await;
}

/// 需知最小: it lies in a grid, and is the street's to handle.
#[tokio::test]
async fn a_sensitive_case_is_there_for_its_reporter_and_from_who_holds_it_upwards_alone() {
    let office = Office::open().await;
    let case = office.case_of("dispute").await;
    let incident = case.rsplit('/').next().unwrap();
    let lists = async |path: &str, person: &str| {
        office.get(path, person).await.with(200).to_string().contains(incident)
    };
    for person in ["worker-111", "desk-1a", "checker-1", "supervisor-1", "supervisor-county"] {
        assert_eq!(office.get(&case, person).await.with(200)["incident"], incident, "{person}");
    }
    for person in ["desk-1a", "checker-1", "supervisor-county"] {
        assert!(lists("/api/v1/cases", person).await, "{person}");
    }
    assert!(lists("/api/v1/cases?reporter=me", "worker-111").await);
    for person in ["leader-111", "community-11", "worker-112"] {
        office.is_hidden(&case, person).await;
        assert!(!lists("/api/v1/cases", person).await, "{person}");
    }
    assert!(!lists("/api/v1/cases", "worker-111").await, "not among what lies in the grid");

    // Late, it is nobody else's to know; nor when it waits to be checked, which a community otherwise may.
    office.clock.drive("2026-03-09T12:00:00+08:00".parse().unwrap());
    let climbed = |list: &Value| list.to_string().contains(incident);
    office.when("/api/v1/escalations", "supervisor-1", climbed).await;
    assert!(!lists("/api/v1/escalations", "community-11").await);
    office.act(&case, "sign", "desk-1a").await.with(200);
    office.act(&case, "answer", "desk-1a").await.with(200);
    office.act(&case, "check", "community-11").await.with(404);
    let own = office.act(&case, "check", "worker-111").await.with(403);
    assert_eq!(own["type"], "urn:gridward:problem:not-yours", "a reporter sees it, and may not do it");
    office.act(&case, "check", "checker-1").await.with(200);
    office.closes_clean().await;
}

#[tokio::test]
async fn metrics_tell_of_no_case_area_category_or_person() {
    let office = Office::with_partners().await;
    let case = office.case_of("clean-up").await;
    office.case_of("dispute").await;
    let incident = case.rsplit('/').next().unwrap();
    office.when("/api/v1/offers", "home-1", |list| list.to_string().contains(incident)).await;
    let reason = serde_json::to_value(DeclineReason::NotNow).unwrap();
    let decline = format!("/api/v1/offers/{incident}/decline");
    office.post(&decline, "home-1", &json!({ "reason": reason })).await;
    let metrics = Answer::to(office.anonymous("GET", "/metrics")).await;
    assert!(metrics.text.contains("gridward_turns_total"), "{metrics:?}");
    for told in
        [incident, "堆在楼道口", "beside", "dispute", "clean-up", "990001", "worker-111", "home", "lark"]
    {
        assert!(!metrics.text.contains(told), "{told} in {}", metrics.text);
    }
    office.closes_clean().await;
}

/// What people write, and what they type where it does not belong.
const WORDS: [&str; 5] = [
    "楼上又在吵架",
    "overheard through the wall",
    "钥匙在门卫",
    "a password where a name belongs",
    "correct horse",
];

#[tokio::test]
async fn what_people_write_is_in_nothing_a_process_says() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::new(folder.path(), PARTNERED, 1.0).unwrap();
    process.instance().start().await.unwrap();
    let ask = async |path: &str, person: &str, body: Value| {
        let ask = process.client().post(process.url(path)).bearer_auth(process.token(person).unwrap());
        let answer = ask.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let report = |category: &str, words: &str| {
        let place = json!({ "lon": 121.805, "lat": 29.905, "datum": "CGCS2000" });
        let words = format!("{words} {}", WORDS[1]);
        json!({ "client_id": category, "category": category, "place": place, "description": words })
    };
    for category in ["dispute", "clean-up", "rubbish"] {
        let (status, receipt) = ask("/api/v1/reports", "worker-111", report(category, WORDS[0])).await;
        assert_eq!(status, 201, "{receipt}");
        let case = receipt["case"].as_str().unwrap();
        let seen = process.client().get(process.url(&format!("{case}?wait=10s")));
        let seen = seen.bearer_auth(process.token("worker-111").unwrap()).send().await.unwrap();
        assert_eq!(seen.status().as_u16(), 200);
        let note = json!({ "note": WORDS[2] });
        for person in ["leader-111", "desk-1a", "desk-2a"] {
            ask(&format!("{case}/sign"), person, note.clone()).await;
        }
        let incident = case.rsplit('/').next().unwrap();
        let answer = json!({ "reason": WORDS[2] });
        ask(&format!("/api/v1/offers/{incident}/decline"), "home-1", answer).await;
    }
    // Refused, broken and mistyped in every way.
    ask("/api/v1/reports", "worker-111", report(WORDS[0], WORDS[2])).await;
    ask("/api/v1/reports", "worker-111", json!({ "description": WORDS[0] })).await;
    let typed = json!({ "name": WORDS[3], "password": WORDS[4] });
    assert_eq!(ask("/api/v1/sessions", "worker-111", typed).await.0, 401);
    let standing = json!({ "standing": "suspended", "reason": WORDS[2] });
    assert_eq!(ask("/api/v1/partners/home/standing", "desk-1a", standing).await.0, 204);
    process.instance().stop().await.unwrap();

    let said = std::fs::read_to_string(folder.path().join("stderr.log")).unwrap();
    assert!(said.contains("ready"), "{said}");
    for words in WORDS {
        assert!(!said.contains(words), "{words} in {said}");
    }
}
