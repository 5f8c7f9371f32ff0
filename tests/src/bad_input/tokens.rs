//! Who cannot say who they are gets nothing, and hears how to.

use chrono::TimeDelta;
use platform::clock::host_now;
use platform::token::Tokens;

use super::Says;
use super::office::{Answer, Office};

const SAYS: Says<'static> = Says {
    status: 401,
    code: "unauthorized",
    field: None,
    en: "sign in first: the bearer token is missing, invalid or expired",
    zh: "请先登录：缺少令牌，或令牌无效、已过期",
};

/// `{"alg":"none","typ":"JWT"}`.
const UNSIGNED: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";

/// Every way of not having a token, as an `Authorization` header.
pub fn not_tokens(office: &Office) -> Vec<(&'static str, String)> {
    let good = office.token("supervisor-county");
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let worker = office.token("worker-111");
    let other_signature = worker.rsplit('.').next().unwrap();
    let supervisor = office.principal("supervisor-county");
    let hour = TimeDelta::hours(1);
    let expired = office.tokens.issue(&supervisor, host_now() - hour * 2, hour).unwrap();
    let foreign = Tokens::new(&[1; 32]).issue(&supervisor, host_now(), hour).unwrap();
    vec![
        ("empty", String::new()),
        ("no scheme", good.clone()),
        ("another scheme", "Basic d29ya2VyLTExMTpzZWNyZXQ=".to_owned()),
        ("nothing", "Bearer ".to_owned()),
        ("garbage", "Bearer garbage".to_owned()),
        ("cut short", format!("Bearer {header}.{claims}")),
        ("unsigned", format!("Bearer {UNSIGNED}.{claims}.")),
        ("unsigned with a signature", format!("Bearer {UNSIGNED}.{claims}.{signature}")),
        ("signed for somebody else", format!("Bearer {header}.{claims}.{other_signature}")),
        ("altered", format!("Bearer {header}.{claims}A.{signature}")),
        ("expired", format!("Bearer {expired}")),
        ("another key", format!("Bearer {foreign}")),
    ]
}

#[tokio::test]
async fn without_a_good_token_every_address_answers_401_and_says_how_to_sign_in() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let own = case.replace("cases", "reports");
    let sign = format!("{case}/sign");
    for (method, path) in [
        ("POST", "/api/v1/reports"),
        ("GET", own.as_str()),
        ("GET", "/api/v1/cases"),
        ("GET", case.as_str()),
        ("POST", sign.as_str()),
        ("GET", "/api/v1/figures"),
        ("GET", "/api/v1/categories"),
        ("GET", "/api/v1/escalations"),
    ] {
        let request = office.anonymous(method, path);
        office.refuses(request.try_clone().unwrap(), SAYS).await;
        assert_eq!(Answer::to(request).await.header("www-authenticate"), "Bearer", "{method} {path}");
    }
    for (what, header) in not_tokens(&office) {
        let asked = office.anonymous("GET", "/api/v1/cases").header("authorization", header);
        let answer = Answer::to(asked).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{what}");
        assert!(!answer.text.contains("cases"), "{what}: {answer:?}");
    }
    office.get("/api/v1/cases", "supervisor-county").await.with(200);
    office.still_takes_reports().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn a_good_report_under_a_bad_token_is_not_taken() {
    let office = Office::open().await;
    for (what, header) in not_tokens(&office) {
        let asked = office.anonymous("POST", "/api/v1/reports").header("authorization", header);
        let answer = Answer::to(asked.json(&office.new_report("road"))).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
    }
    assert_eq!(office.stored().await, (0, 0));
    office.still_takes_reports().await;
    office.closes_clean().await;
}
