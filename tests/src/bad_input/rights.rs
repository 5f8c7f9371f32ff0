//! What is not somebody's to see looks as if it were not there; what is not theirs to do is said so.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Says;
use super::office::{Answer, Office};

const ACTIONS: [&str; 5] = ["sign", "answer", "return", "check", "close"];

/// Everybody of the other street.
const NEXT_STREET: [&str; 7] =
    ["worker-211", "leader-211", "leader-222", "community-21", "desk-2a", "checker-2", "supervisor-2"];

fn forbidden<'a>(code: &'a str, en: &'a str, zh: &'a str) -> Says<'a> {
    Says { status: 403, code, field: None, en, zh }
}

fn incidents(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["incident"].as_str().unwrap()).collect()
}

impl Office {
    fn acting(&self, case: &str, what: &str, person: &str) -> reqwest::RequestBuilder {
        let body = match what {
            "check" => json!({ "passed": true }),
            "return" => json!({ "reason": "wrong_area" }),
            _ => json!({}),
        };
        self.request("POST", &format!("{case}/{what}"), person).json(&body)
    }
}

#[tokio::test]
async fn for_the_next_street_a_case_is_not_there() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let report = case.replace("cases", "reports");
    office.clock.drive(office.clock.now() + TimeDelta::minutes(5));
    let absent = format!("/api/v1/cases/{}", office.absent());
    let before = office.stored().await;
    for person in NEXT_STREET {
        let nothing = office.get(&absent, person).await;
        let seen = office.get(&case, person).await;
        assert_eq!((seen.status, &seen.text), (404, &nothing.text), "{person}");
        assert_eq!(office.get(&format!("{case}?wait=0s"), person).await.text, nothing.text, "{person}");
        assert_eq!(office.get(&report, person).await.status, 404, "{person}");
        for what in ACTIONS {
            let nothing = Answer::to(office.acting(&absent, what, person)).await;
            let refused = Answer::to(office.acting(&case, what, person)).await;
            assert_eq!((refused.status, &refused.text), (404, &nothing.text), "{person} {what}");
        }
        for query in ["", "?area=990001/990001001", "?state=DISPATCHED", "?level=grid", "?limit=200"] {
            let page = office.get(&format!("/api/v1/cases{query}"), person).await.with(200);
            assert_eq!(page, json!({ "cases": [] }), "{person} {query}");
        }
    }
    assert_eq!(office.stored().await, before);
    let seen = office.get(&case, "supervisor-county").await.with(200);
    assert_eq!(seen["state"], "DISPATCHED");
    office.closes_clean().await;
}

#[tokio::test]
async fn the_report_is_its_reporters_alone() {
    let office = Office::open().await;
    let report = office.case_of("road").await.replace("cases", "reports");
    office.get(&report, "worker-111").await.with(200);
    for person in ["worker-112", "leader-111", "desk-1a", "supervisor-county"] {
        assert_eq!(office.get(&report, person).await.status, 404, "{person}");
    }
    office.closes_clean().await;
}

/// The incidents of a page.
fn listed(page: &Value) -> Vec<String> {
    incidents(&page["cases"]).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_own_reports_are_listed_wherever_they_lie_and_nobody_elses() {
    let office = Office::open().await;
    let incident = |case: &str| case.rsplit('/').next().unwrap().to_owned();
    office.case_of("road").await;
    let mut own = Vec::new();
    for person in ["worker-211", "worker-211", "worker-211", "worker-112"] {
        let report = office.new_report("road");
        let reported = office.post("/api/v1/reports", person, &report).await.with(201);
        let case = reported["case"].as_str().unwrap();
        office.get(&format!("{case}?wait=10s"), person).await.with(200);
        // A moment later, as the next one is.
        office.clock.drive(office.clock.now() + TimeDelta::milliseconds(1));
        own.push(incident(case));
    }
    let neighbours = own.pop().unwrap();
    own.reverse();
    let mine = "/api/v1/cases?reporter=me";
    let list = office.get(mine, "worker-211").await.with(200);
    assert_eq!(listed(&list), own, "of the next street, newest first");
    assert_eq!(listed(&office.get("/api/v1/cases", "worker-211").await.with(200)), [""; 0]);
    assert_eq!(listed(&office.get(mine, "worker-112").await.with(200)), [neighbours], "and of the next grid");
    for person in ["leader-111", "desk-1a", "supervisor-county"] {
        let list = office.get(mine, person).await.with(200);
        assert_eq!(list, json!({ "cases": [] }), "{person} reported nothing, whatever they may see");
    }

    let first = office.get(&format!("{mine}&limit=2"), "worker-211").await.with(200);
    let next = first["next"].as_str().unwrap();
    let rest = office.get(&format!("{mine}&limit=2&after={next}"), "worker-211").await.with(200);
    assert_eq!([listed(&first), listed(&rest)].concat(), own);
    assert!(rest.get("next").is_none(), "{rest}");
    office.closes_clean().await;
}

#[tokio::test]
async fn the_own_reports_stay_listed_when_they_are_closed_and_say_when_they_wait_for_it() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let mine = "/api/v1/cases?reporter=me";
    let stands = async |state: &str, passed: bool| {
        let list = office.get(mine, "worker-111").await.with(200);
        let found = (&list["cases"][0]["state"], &list["cases"][0]["passed"]);
        assert_eq!(found, (&json!(state), &json!(passed)));
        let seen = office.get(&case, "desk-1a").await.with(200);
        assert_eq!((&seen["state"], &seen["passed"]), found);
    };
    stands("DISPATCHED", false).await;
    office.act(&case, "sign", "leader-111").await.with(200);
    office.act(&case, "answer", "leader-111").await.with(200);
    stands("CHECKING", false).await;
    office.act(&case, "check", "checker-1").await.with(200);
    stands("CHECKING", true).await;
    office.act(&case, "close", "checker-1").await.with(200);
    stands("CLOSED", false).await;
    let open = office.get(&format!("{mine}&state=DISPATCHED"), "worker-111").await.with(200);
    assert_eq!(listed(&open), [""; 0]);
    office.closes_clean().await;
}

#[tokio::test]
async fn a_reporter_from_elsewhere_sees_the_own_case_and_cannot_touch_it() {
    let office = Office::open().await;
    let reported = office.post("/api/v1/reports", "worker-211", &office.new_report("road")).await.with(201);
    let case = reported["case"].as_str().unwrap();
    office.get(&format!("{case}?wait=10s"), "worker-211").await.with(200);
    for what in ACTIONS {
        let refused = Answer::to(office.acting(case, what, "worker-211")).await.with(403);
        assert_eq!(refused["type"], "urn:gridward:problem:not-yours", "{what}");
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn figures_and_escalations_stop_at_the_street() {
    let office = Office::open().await;
    let case = office.case_of("gas").await;
    let incident = case.rsplit('/').next().unwrap();
    office.clock.drive(office.clock.now() + TimeDelta::minutes(2));
    let escalated = |list: &Value| incidents(list).contains(&incident);
    office.when("/api/v1/escalations", "supervisor-1", escalated).await;
    office.when("/api/v1/escalations", "supervisor-county", escalated).await;
    for person in ["supervisor-2", "desk-2a", "community-21"] {
        assert_eq!(office.get("/api/v1/escalations", person).await.with(200), json!([]), "{person}");
        let absent = office.get("/api/v1/figures?area=990001/990009", person).await;
        assert_eq!(absent.status, 404);
        for area in ["990001", "990001/990001001", "990001/990001001/990001001001", "garbage"] {
            let figures = office.get(&format!("/api/v1/figures?area={area}"), person).await;
            assert_eq!((figures.status, &figures.text), (404, &absent.text), "{person} {area}");
        }
        for (query, field) in
            [("figures?area=..", "area"), ("figures?area=", "area"), ("escalations?area=x", "area")]
        {
            let wrong = office.get(&format!("/api/v1/{query}"), person).await;
            assert_eq!(wrong.status, 422, "{person} {query}: {}", wrong.text);
            assert!(wrong.text.contains(&format!("\"field\":\"{field}\"")), "{}", wrong.text);
        }
        let own = office.get("/api/v1/figures", person).await.with(200);
        assert_eq!(
            (&own["all"]["opened"], &own["all"]["escalated_street"]),
            (&json!(0), &json!(0)),
            "{person}"
        );
    }
    for person in ["worker-111", "leader-111", "checker-1"] {
        let figures = forbidden("forbidden", "you may not see figures", "您没有查看统计的权限");
        office.refuses(office.request("GET", "/api/v1/figures", person), figures).await;
        let escalations = forbidden("forbidden", "you may not see escalations", "您没有查看督办情况的权限");
        office.refuses(office.request("GET", "/api/v1/escalations", person), escalations).await;
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn who_only_looks_after_things_may_not_report() {
    let office = Office::open().await;
    for person in ["checker-1", "supervisor-1", "supervisor-county"] {
        let request = office.request("POST", "/api/v1/reports", person).json(&office.new_report("road"));
        office.refuses(request, forbidden("forbidden", "you may not report", "您没有上报权限")).await;
    }
    office.still_takes_reports().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn who_may_see_a_case_may_not_therefore_act_on_it() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let sign = forbidden("not-yours", "your role or area does not let you sign for it", "不能对它签收");
    for person in ["worker-111", "community-11", "desk-1a", "checker-1", "supervisor-1"] {
        office.refuses(office.acting(&case, "sign", person), sign).await;
    }
    office.act(&case, "sign", "leader-111").await.with(200);
    office.act(&case, "answer", "leader-111").await.with(200);
    for person in ["worker-111", "leader-111", "supervisor-1"] {
        let check = forbidden("not-yours", "you may see this case, but", "不能对它核查");
        office.refuses(office.acting(&case, "check", person), check).await;
    }
    office.act(&case, "check", "checker-1").await.with(200);
    for person in ["worker-111", "leader-111", "community-11", "supervisor-1"] {
        let close = forbidden("not-yours", "your role or area does not let you close it", "不能对它结案");
        office.refuses(office.acting(&case, "close", person), close).await;
    }
    office.act(&case, "close", "desk-1a").await.with(200);
    office.closes_clean().await;
}

/// Asks for an action by the name that a case gives it.
async fn does(office: &Office, case: &str, action: &str, person: &str) -> Answer {
    let (what, body) = match action {
        "pass" => ("check", json!({ "passed": true })),
        "fail" => ("check", json!({ "passed": false })),
        "return" => ("return", json!({ "reason": "wrong_area" })),
        other => (other, json!({})),
    };
    office.post(&format!("{case}/{what}"), person, &body).await
}

#[tokio::test]
async fn a_case_tells_each_what_they_may_do_and_the_rest_is_refused_or_changes_nothing() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let life =
        [("sign", "leader-111"), ("answer", "leader-111"), ("pass", "checker-1"), ("close", "desk-1a")];
    for (next, by) in life {
        for person in ["worker-111", "leader-111", "community-11", "desk-1a", "checker-1", "supervisor-1"] {
            let seen = office.get(&case, person).await.with(200);
            let may: Vec<&str> = seen["may"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert!(person != by || may.contains(&next), "{person} {next}: {may:?}");
            for action in ["sign", "stage", "answer", "return", "pass", "fail", "close"] {
                if may.contains(&action) {
                    continue;
                }
                let answer = does(&office, &case, action, person).await;
                let tapped_twice = answer.status == 200 && answer.json()["revision"] == seen["revision"];
                assert!(tapped_twice || matches!(answer.status, 403 | 409), "{person} {action}: {answer:?}");
            }
        }
        does(&office, &case, next, by).await.with(200);
    }
    let closed = office.get(&case, "desk-1a").await.with(200);
    assert_eq!((&closed["state"], &closed["may"]), (&json!("CLOSED"), &json!([])));
    office.closes_clean().await;
}

#[tokio::test]
async fn nobody_checks_or_closes_what_they_handled() {
    let office = Office::open().await;
    // A family dispute is the street desk's to handle, which otherwise checks and closes.
    let case = office.case_of("dispute").await;
    office.act(&case, "sign", "desk-1a").await.with(200);
    office.act(&case, "answer", "desk-1b").await.with(200);
    for (what, person) in [("check", "desk-1a"), ("check", "desk-1b")] {
        let en = "you handled this case: somebody else has to check and close it";
        let own = forbidden("own-work", en, "您经手过此案，核查和结案须由他人进行");
        office.refuses(office.acting(&case, what, person), own).await;
    }
    office.act(&case, "check", "checker-1").await.with(200);
    for person in ["desk-1a", "desk-1b"] {
        let own = forbidden("own-work", "handled this case", "经手过此案");
        office.refuses(office.acting(&case, "close", person), own).await;
    }
    office.act(&case, "close", "checker-1").await.with(200);
    office.closes_clean().await;
}
