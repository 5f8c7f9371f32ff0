//! Who may make a link to the report form, and for whom.

use platform::clock::host_now;
use serde_json::json;

use crate::bad_input::office::{Answer, Office};

#[tokio::test]
async fn a_desk_makes_links_for_those_who_report_below_it_and_everybody_for_themselves() {
    let office = Office::open().await;
    let for_worker = json!({ "person": "worker-111", "minutes": 20, "category": "rubbish" });
    for desk in ["desk-1a", "community-11"] {
        let made = office.post("/api/v1/form-links", desk, &for_worker).await.with(201);
        let text = made["link"].as_str().unwrap().strip_prefix("/r/").unwrap();
        let link = office.tokens.read_link(text).unwrap();
        assert_eq!((link.person.0.as_str(), link.category.unwrap().0.as_str()), ("worker-111", "rubbish"));
        let minutes = (link.expires_at - host_now()).num_seconds();
        assert!((1_100..=1_200).contains(&minutes), "{minutes}");
    }
    let own = office.post("/api/v1/form-links", "worker-111", &json!({})).await.with(201);
    assert_eq!(own["person"], "worker-111");

    for (who, why) in [
        ("desk-2a", "the desk of the next street"),
        ("community-12", "the next community"),
        ("worker-112", "a colleague"),
        ("supervisor-1", "who changes nothing"),
    ] {
        assert_eq!(office.post("/api/v1/form-links", who, &for_worker).await.status, 404, "{why}");
    }
    let nobody = json!({ "person": "nobody" });
    assert_eq!(office.post("/api/v1/form-links", "desk-1a", &nobody).await.status, 404, "as if not theirs");
    let checker = json!({ "person": "checker-1" });
    assert_eq!(
        office.post("/api/v1/form-links", "desk-1a", &checker).await.status,
        404,
        "who may not report"
    );
    assert_eq!(office.post("/api/v1/form-links", "checker-1", &json!({})).await.status, 403);
    for (body, field) in [
        (json!({ "minutes": 0 }), "minutes"),
        (json!({ "minutes": 1_441 }), "minutes"),
        (json!({ "category": "unheard of" }), "category"),
        (json!({ "hours": 1 }), "hours"),
    ] {
        assert_eq!(office.post("/api/v1/form-links", "desk-1a", &body).await.with(422)["field"], field);
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn a_link_opens_nothing_but_the_form_and_a_token_opens_no_form() {
    let office = Office::open().await;
    let case = office.case_of("rubbish").await;
    let (_, path) = office.link("worker-111", 1);
    let link = path.strip_prefix("/r/").unwrap();
    for (method, path) in
        [("GET", "/api/v1/me"), ("GET", "/api/v1/cases"), ("GET", case.as_str()), ("POST", "/api/v1/reports")]
    {
        let asked = office.anonymous(method, path).bearer_auth(link).json(&office.new_report("road"));
        assert_eq!(Answer::to(asked).await.status, 401, "{method} {path}");
    }
    let token = office.token("worker-111");
    let opened = Answer::to(office.anonymous("GET", &format!("/r/{token}"))).await;
    assert_eq!(opened.status, 410);
    assert!(!opened.text.contains("111"), "{opened:?}");
    office.closes_clean().await;
}
