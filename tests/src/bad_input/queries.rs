//! What can be wrong behind the `?` of an address.

use domain::id::IncidentId;

use super::office::{Answer, Office};
use super::{Says, problem};

fn parameter<'a>(field: &'a str, en: &'a str, zh: &'a str) -> Says<'a> {
    Says { status: 422, code: "wrong-parameter", field: Some(field), en, zh }
}

#[tokio::test]
async fn a_wrong_parameter_of_the_queue_is_named_with_what_it_may_be() {
    let office = Office::open().await;
    let incident = office.absent();
    let long_ago = format!("after=-300000000000000_{incident}");
    let year_ten_thousand = format!("after=9999999999999999_{incident}");
    for (query, field, en, zh) in [
        (
            "state=OPEN",
            "state",
            "expected: DISPATCHED, OFFERED, HANDLING, CHECKING, CLOSED",
            "参数 state 有误",
        ),
        ("state=", "state", "the parameter state is wrong", "参数 state 有误"),
        ("limit=0", "limit", "expected: 1 to 200", "参数 limit 有误，应为：1 到 200"),
        ("limit=201", "limit", "expected: 1 to 200", "参数 limit 有误"),
        ("level=village", "level", "expected: grid, community, street, county", "参数 level 有误"),
        ("reporter=worker-111", "reporter", "expected: me", "参数 reporter 有误，应为：me"),
        ("reporter=", "reporter", "expected: me", "参数 reporter 有误"),
        ("level=Grid", "level", "expected: grid, community, street", "参数 level 有误"),
        ("after=garbage", "after", "`next` of the page before", "参数 after 有误"),
        ("after=12_garbage", "after", "`next` of the page before", "参数 after 有误"),
        (&long_ago, "after", "`next` of the page before", "参数 after 有误"),
        (&year_ten_thousand, "after", "`next` of the page before", "参数 after 有误"),
        ("area=../etc", "area", "a path, as in boston/03", "参数 area 有误"),
        ("area=990001//1", "area", "a path, as in boston/03", "参数 area 有误"),
        ("area=%00", "area", "a path, as in boston/03", "参数 area 有误"),
        ("area=x'%20OR%201=1--", "area", "a path, as in boston/03", "参数 area 有误"),
        ("holder=leader-111", "holder", "post:area, as in grid_leader:boston/03/0305", "参数 holder 有误"),
        ("holder=mayor:990001", "holder", "post:area", "参数 holder 有误"),
    ] {
        let request = office.request("GET", &format!("/api/v1/cases?{query}"), "desk-1a");
        office.refuses(request, parameter(field, en, zh)).await;
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn a_wait_that_is_none_is_named() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    for wait in ["", "2", "2m", "11s", "-1s", "1.5s", "99999999999999999999s"] {
        let request = office.request("GET", &format!("{case}?wait={wait}"), "leader-111");
        office
            .refuses(request, parameter("wait", "wait must be 0s to 10s, as in 2s", "wait 应为 0s 到 10s"))
            .await;
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn what_cannot_be_read_as_the_parameter_it_is_names_it_all_the_same() {
    let office = Office::open().await;
    for (query, named) in [
        ("limit=ten", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("stat=CLOSED", "stat"),
        ("state=CLOSED&state=HANDLING", "state"),
    ] {
        let answer = office.get(&format!("/api/v1/cases?{query}"), "desk-1a").await;
        assert!(matches!(answer.status, 400 | 422), "{query}: {answer:?}");
        let detail = problem(&answer)["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(named), "{query}: {detail}");
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn what_cannot_be_read_as_the_parameter_it_is_is_a_wrong_parameter_too() {
    let office = Office::open().await;
    for (query, named) in [("limit=ten", "limit"), ("limit=-1", "limit"), ("stat=CLOSED", "stat")] {
        let request = office.request("GET", &format!("/api/v1/cases?{query}"), "desk-1a");
        office.refuses(request, parameter(named, named, named)).await;
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn a_parameter_nobody_knows_is_refused_everywhere() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    for (path, known) in [("/api/v1/cases", "limit"), ("/api/v1/figures", "area"), (case.as_str(), "wait")] {
        let request = office.request("GET", &format!("{path}?aera=990001"), "supervisor-1");
        let told = parameter("aera", "unknown parameter `aera`, expected", "没有这个参数「aera」，可用的有");
        office.refuses(request.try_clone().unwrap(), told).await;
        office.refuses(request, parameter("aera", known, known)).await;
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn in_its_first_minute_a_case_elsewhere_is_answered_like_an_id_nobody_was_given() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let nobodys = format!("/api/v1/cases/{}", IncidentId::new(office.clock.now(), [7; 10]));
    for person in ["leader-211", "supervisor-2"] {
        for query in ["", "?wait=0s", "?wait=1s"] {
            let nothing = office.get(&format!("{nobodys}{query}"), person).await;
            let elsewhere = office.get(&format!("{case}{query}"), person).await;
            assert_eq!(
                (elsewhere.status, &elsewhere.text),
                (nothing.status, &nothing.text),
                "{person} {query}"
            );
        }
    }
    office.get(&format!("{case}?wait=0s"), "leader-111").await.with(200);
    office.closes_clean().await;
}

/// Addresses that axum's own extractors refuse, before any code of ours.
const REFUSED_BY_THE_ROUTER: [&str; 4] = [
    "/api/v1/cases/%FF",
    "/api/v1/reports/%FF",
    "/api/v1/figures?area=a&area=b",
    "/api/v1/escalations/../cases/%C0%AF",
];

#[tokio::test]
async fn addresses_that_are_not_even_text_are_refused() {
    let office = Office::open().await;
    for path in REFUSED_BY_THE_ROUTER {
        let answer = office.get(path, "supervisor-1").await;
        assert_eq!(answer.status / 100, 4, "{path}: {answer:?}");
    }
    office.still_takes_reports().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn addresses_that_are_not_even_text_are_refused_as_everything_else() {
    let office = Office::open().await;
    for path in REFUSED_BY_THE_ROUTER {
        problem(&office.get(path, "supervisor-1").await);
    }
    let case = office.case_of("road").await;
    problem(&office.get(&format!("{case}?wait=1s&wait=2s"), "leader-111").await);
    office.closes_clean().await;
}

#[tokio::test]
async fn a_page_after_the_last_is_empty_and_a_page_in_between_goes_on_where_the_last_one_ended() {
    let office = Office::open().await;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(office.case_of("road").await);
    }
    let first = Answer::to(office.request("GET", "/api/v1/cases?limit=2", "leader-111")).await.with(200);
    assert_eq!(first["cases"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    let rest = office.get(&format!("/api/v1/cases?limit=2&after={next}"), "leader-111").await.with(200);
    assert_eq!(rest["cases"].as_array().unwrap().len(), 1);
    assert!(rest.get("next").is_none(), "{rest}");
    let last = format!("9999999999999_{}", office.absent());
    let beyond = office.get(&format!("/api/v1/cases?after={last}"), "leader-111").await.with(200);
    assert_eq!(beyond["cases"].as_array().unwrap().len(), 0);
    office.closes_clean().await;
}
