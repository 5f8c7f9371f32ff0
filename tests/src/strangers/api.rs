//! The API: no token, one that is none, and one of somebody whom the case does not concern.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Scene;
use crate::bad_input::office::Answer;
use crate::bad_input::tokens::not_tokens;

/// Those with a good token whom the case does not concern.
const VISITORS: [(&str, &str); 4] = [
    ("desk-2a", "the desk of the next street"),
    ("swift-1", "an organisation that was never asked"),
    ("lark-1", "an organisation that was asked, and was not the first"),
    ("worker-112", "a worker of the next grid"),
];
/// Of them, whoever was told its number when it was offered.
const WAS_ASKED: &str = "lark-1";

/// One operation, and what it answers each of [`VISITORS`].
pub struct Row {
    method: &'static str,
    pub path: &'static str,
    query: &'static str,
    body: fn(&Scene) -> Value,
    hears: [u16; 4],
}

const fn get(path: &'static str, hears: [u16; 4]) -> Row {
    Row { method: "GET", path, query: "", body: |_| Value::Null, hears }
}

const fn post(path: &'static str, hears: [u16; 4], body: fn(&Scene) -> Value) -> Row {
    Row { method: "POST", path, query: "", body, hears }
}

/// Every operation of the API.
pub const ROWS: [Row; 27] = [
    get("/api/v1/categories", [200; 4]),
    get("/api/v1/cases", [200, 200, 200, 200]),
    get("/api/v1/cases/{incident}", [404; 4]),
    get("/api/v1/cases/{incident}/words", [404; 4]),
    post("/api/v1/cases/{incident}/sign", [404; 4], |_| json!({})),
    post("/api/v1/cases/{incident}/stage", [404; 4], |_| json!({})),
    post("/api/v1/cases/{incident}/answer", [404; 4], |_| json!({})),
    post("/api/v1/cases/{incident}/return", [404; 4], |_| json!({ "reason": "wrong_area" })),
    post("/api/v1/cases/{incident}/transfer", [404; 4], |_| json!({ "to": "street_desk:990001/990001001" })),
    post("/api/v1/cases/{incident}/check", [404; 4], |_| json!({ "passed": true })),
    post("/api/v1/cases/{incident}/close", [404; 4], |_| json!({})),
    Row {
        query: "?area=990001/990001001/990001001001/990001001001001",
        ..get("/api/v1/figures", [404, 403, 403, 403])
    },
    get("/api/v1/escalations", [200, 403, 403, 403]),
    // The same client id as its reporter's is another report of another person.
    post("/api/v1/reports", [201, 403, 403, 201], |_| {
        let place = json!({ "lon": 121.835, "lat": 29.915, "datum": "CGCS2000" });
        json!({ "client_id": "report-0", "category": "road", "place": place })
    }),
    get("/api/v1/reports/{incident}", [404; 4]),
    post("/api/v1/form-links", [404; 4], |_| json!({ "person": "worker-111" })),
    Row { query: "?show=all", ..get("/api/v1/offers", [200; 4]) },
    post("/api/v1/offers/{incident}/accept", [404, 404, 409, 404], |_| json!({})),
    post("/api/v1/offers/{incident}/decline", [404, 404, 409, 404], |_| json!({ "reason": "not_now" })),
    post("/api/v1/orders", [404; 4], |scene| json!({ "incident": scene.incident })),
    get("/api/v1/partners", [200; 4]),
    post("/api/v1/partners", [403; 4], |_| {
        json!({
            "id": "crow", "name_zh": "示意", "name_en": "Crow", "class": "service", "status": "registered",
            "office": "990001/990001001", "members": 10, "in_charge": true, "charter": true, "fixed_place": true,
            "coverage": ["990001/990001001"], "capacity": 1,
        })
    }),
    post(
        "/api/v1/partners/{partner}/standing",
        [403; 4],
        |_| json!({ "standing": "removed", "reason": "示意" }),
    ),
    // Whatever token comes with it: the name and the password are looked at.
    post(
        "/api/v1/sessions",
        [401; 4],
        |scene| json!({ "name": scene.nobody(), "password": "a guess of mine" }),
    ),
    post("/api/v1/sessions/renewal", [401; 4], |_| Value::Null),
    get("/api/v1/me", [200; 4]),
    post(
        "/api/v1/me/password",
        [422; 4],
        |_| json!({ "current": "a guess of mine", "new": "another long one" }),
    ),
];

impl Row {
    fn is_read(&self) -> bool {
        self.method == "GET"
    }

    fn request(&self, scene: &Scene, method: &str) -> reqwest::RequestBuilder {
        let path = self.path.replace("{incident}", &scene.incident).replace("{partner}", "home");
        let request = scene.office.anonymous(method, &format!("{path}{}", self.query));
        match (self.body)(scene) {
            Value::Null => request,
            body => request.json(&body),
        }
    }

    /// Whether the description of the API says that it may answer so.
    fn is_documented(&self, document: &Value, status: u16) -> bool {
        let operation = &document["paths"][self.path][self.method.to_lowercase()];
        operation["responses"].get(status.to_string()).is_some()
    }
}

#[test]
fn every_operation_that_is_described_has_a_row() {
    let document = serde_json::to_value(gridward::http::document()).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if item.get(method).is_some() {
                described.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    let rows: BTreeSet<_> = ROWS.iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    assert_eq!(described, rows, "say in `strangers::api` what it answers to whom");
    assert_eq!(rows.len(), ROWS.len(), "each once");
}

#[tokio::test]
async fn somebody_whom_a_case_does_not_concern_is_shown_nothing_of_it_at_any_address() {
    let scene = Scene::open().await;
    let document = serde_json::to_value(gridward::http::document()).unwrap();
    let path = format!("/api/v1/cases/{}", scene.incident);
    let before = scene.office.get(&path, "desk-1a").await.with(200);
    for row in &ROWS {
        for ((person, why), status) in VISITORS.into_iter().zip(row.hears) {
            let who = format!("{why}: {} {}", row.method, row.path);
            let token = scene.office.token(person);
            let answer = Answer::to(row.request(&scene, row.method).bearer_auth(&token)).await;
            assert_eq!(answer.status, status, "{who}: {answer:?}");
            assert!(row.is_documented(&document, status), "{who}: {status} is not in the description");
            scene.shows_nothing(&answer, person == WAS_ASKED, &who);
            if row.is_read() {
                let head = Answer::to(row.request(&scene, "HEAD").bearer_auth(&token)).await;
                assert_eq!((head.status, head.text.as_str()), (status, ""), "{who}, the head alone");
                scene.shows_nothing(&head, false, &who);
            }
        }
    }
    let after = scene.office.get(&path, "desk-1a").await.with(200);
    assert_eq!(after["history"], before["history"], "and nobody did anything to it");
    assert_eq!(after["holder"], before["holder"]);
    scene.office.closes_clean().await;
}

#[tokio::test]
async fn without_a_good_token_every_operation_answers_401_and_nothing_else() {
    let scene = Scene::open().await;
    let document = serde_json::to_value(gridward::http::document()).unwrap();
    let (_, link) = scene.office.link("worker-111", 1);
    let mut headers: Vec<(&str, String)> = not_tokens(&scene.office);
    headers.push(("a form link", format!("Bearer {}", link.trim_start_matches("/r/"))));
    let cookie = format!("gridward_session={}", scene.office.token("desk-1a"));
    for row in &ROWS {
        assert!(row.is_documented(&document, 401), "{} {}", row.method, row.path);
        let methods = if row.is_read() { &["GET", "HEAD"][..] } else { &["POST"][..] };
        for method in methods {
            let mut answers = vec![("none", row.request(&scene, method))];
            // A cookie opens pages, and no operation.
            answers.push(("a cookie", row.request(&scene, method).header("cookie", &cookie)));
            for (what, header) in &headers {
                answers.push((*what, row.request(&scene, method).header("authorization", header)));
            }
            for (what, request) in answers {
                let who = format!("{what}: {method} {}", row.path);
                let answer = Answer::to(request).await;
                assert_eq!(answer.status, 401, "{who}: {answer:?}");
                scene.shows_nothing(&answer, false, &who);
            }
        }
    }
    scene.office.closes_clean().await;
}
