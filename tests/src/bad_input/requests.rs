//! What can be wrong with a request before anybody looks at what it says: size, method, address, headers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::json;

use super::office::{Answer, Office};
use super::{Says, problem};

const LIMIT: usize = 1_000_000;

impl Office {
    /// Sends bytes as they are and takes what comes back; `breaks_off`: there is no more to come.
    async fn raw(&self, head: String, body: Vec<u8>, breaks_off: bool) -> String {
        let (address, token) = (self.address, self.token("worker-111"));
        let talk = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            let head = format!(
                "POST /api/v1/reports HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
                 connection: close\r\n{head}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            // It may have been refused before all of it was sent.
            let _ = stream.write_all(&body);
            if breaks_off {
                let _ = stream.shutdown(Shutdown::Write);
            }
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8(answer).unwrap()
        };
        tokio::task::spawn_blocking(talk).await.unwrap()
    }
}

fn assert_too_large(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
    assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer:?}");
    assert!(answer.contains("the body is larger than 1 MB"), "{answer:?}");
}

#[tokio::test]
async fn a_body_of_more_than_a_megabyte_is_refused_with_and_without_a_length() {
    let office = Office::open().await;
    let body = vec![b' '; LIMIT + 1];
    let length = format!("content-length: {}", body.len());
    assert_too_large(&office.raw(length, body.clone(), false).await);

    // The last byte of the last chunk is one too many.
    let mut chunks = Vec::new();
    for chunk in body.chunks(50_000) {
        write!(chunks, "\r\n{:x}\r\n", chunk.len()).unwrap();
        chunks.extend_from_slice(chunk);
    }
    assert_too_large(&office.raw("transfer-encoding: chunked".to_owned(), chunks.split_off(2), false).await);

    let asked = office.request("POST", "/api/v1/reports", "worker-111").body(body);
    let says =
        Says {
            status: 413, code: "too-large", field: None, en: "larger than 1 MB", zh: "请求正文超过 1 MB"
        };
    office.refuses(asked, says).await;
    office.still_takes_reports().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn the_largest_body_there_may_be_is_read_whole() {
    let office = Office::open().await;
    let mut body = office.new_report("road").to_string();
    body.push_str(&" ".repeat(LIMIT - body.len()));
    Answer::to(office.request("POST", "/api/v1/reports", "worker-111").body(body)).await.with(201);
    office.closes_clean().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_stores_nothing_and_stops_nobody() {
    let office = Office::open().await;
    let body = office.new_report("road").to_string();
    let half = body.as_bytes()[..body.len() / 2].to_vec();
    let answer = office.raw(format!("content-length: {}", body.len()), half.clone(), true).await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer:?}");
    let chunk = [format!("{:x}\r\n", body.len()).as_bytes(), &half].concat();
    let answer = office.raw("transfer-encoding: chunked".to_owned(), chunk, true).await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer:?}");
    assert_eq!(office.stored().await, (0, 0));
    office.still_takes_reports().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn a_wrong_method_is_told_which_ones_there_are() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let says = Says {
        status: 405,
        code: "method-not-allowed",
        field: None,
        en: "this address does not take that method",
        zh: "此地址不支持这种请求方法",
    };
    let sign = format!("{case}/sign");
    for (method, path, allowed) in [
        ("GET", "/api/v1/reports", "POST"),
        ("DELETE", case.as_str(), "GET,HEAD"),
        ("PUT", &sign, "POST"),
        ("POST", "/api/v1/figures", "GET,HEAD"),
    ] {
        let request = office.request(method, path, "desk-1a");
        office.refuses(request.try_clone().unwrap(), says).await;
        assert_eq!(Answer::to(request).await.header("allow"), allowed, "{method} {path}");
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn an_unknown_address_and_an_id_that_is_none_are_not_found() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let says = Says {
        status: 404,
        code: "not-found",
        field: None,
        en: "there is no such thing, or it is not yours to see",
        zh: "没有这条记录，或您无权查看",
    };
    let opened = format!("{case}/open");
    let absent = office.absent().to_string();
    let mut requests = Vec::new();
    for path in ["/", "/api", "/api/v1", "/api/v2/reports", "/api/v1/reports/", "/api/v1/users", &opened] {
        requests.push(office.request("GET", path, "desk-1a"));
    }
    for id in ["17", "not-an-id", "%00", "..%2f..%2fetc%2fpasswd", "%27%20OR%201=1--", &absent] {
        requests.push(office.request("GET", &format!("/api/v1/cases/{id}"), "desk-1a"));
        requests.push(office.request("GET", &format!("/api/v1/reports/{id}"), "worker-111"));
        for what in ["sign", "answer", "close"] {
            let path = format!("/api/v1/cases/{id}/{what}");
            requests.push(office.request("POST", &path, "desk-1a").json(&json!({})));
        }
        let path = format!("/api/v1/cases/{id}/check");
        requests.push(office.request("POST", &path, "desk-1a").json(&json!({ "passed": true })));
    }
    for request in requests {
        office.refuses(request, says).await;
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn an_if_match_that_is_no_etag_is_named() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let says = Says {
        status: 400,
        code: "wrong-if-match",
        field: None,
        en: "If-Match must be the ETag the case was seen with, as in \"3\"",
        zh: "If-Match 须为查看案件时得到的 ETag",
    };
    for etag in ["", "abc", "\"one\"", "-1", "99999999999999999999", "\"1\", \"2\""] {
        let path = format!("{case}/sign");
        office.refuses(office.request("POST", &path, "leader-111").header("if-match", etag), says).await;
    }
    office.act(&case, "sign", "leader-111").await.with(200);
    office.closes_clean().await;
}

#[tokio::test]
async fn an_action_with_a_wrong_body_names_the_field() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let long = "长".repeat(2_001);
    for (what, body, field, en, zh) in [
        ("sign", json!({ "at": "2026-03-01T00:00:00Z" }), "at", "unknown field `at`", "字段 at 有误"),
        ("sign", json!({ "note": 5 }), "note", "expected a string", "字段 note 有误"),
        ("return", json!({}), "reason", "the field reason is missing", "缺少字段 reason"),
        ("return", json!({ "reason": "lazy" }), "reason", "unknown variant `lazy`", "字段 reason 有误"),
        ("check", json!({}), "passed", "the field passed is missing", "缺少字段 passed"),
        ("check", json!({ "passed": "yes" }), "passed", "expected a boolean", "字段 passed 有误"),
    ] {
        let request = office.request("POST", &format!("{case}/{what}"), "leader-111").json(&body);
        office.refuses(request, Says { status: 422, code: "wrong-field", field: Some(field), en, zh }).await;
    }
    let request =
        office.request("POST", &format!("{case}/sign"), "leader-111").json(&json!({ "note": long }));
    let en = "the note has at most 2,000 characters";
    let says =
        Says { status: 422, code: "note-too-long", field: Some("note"), en, zh: "说明最长 2000 字" };
    office.refuses(request, says).await;
    office.act(&case, "sign", "leader-111").await.with(200);
    office.closes_clean().await;
}

#[tokio::test]
async fn an_action_the_state_does_not_allow_says_which_state_it_is_in() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let request = office.request("POST", &format!("{case}/answer"), "leader-111").json(&json!({}));
    let says = Says {
        status: 409,
        code: "not-now",
        field: None,
        en: "you cannot answer a case that is waiting to be signed for",
        zh: "案件处于「待签收」，不能办结反馈",
    };
    office.refuses(request, says).await;
    let close = office.request("POST", &format!("{case}/close"), "checker-1").json(&json!({}));
    let refused = Answer::to(close).await;
    assert_eq!(refused.status, 409);
    problem(&refused);
    office.closes_clean().await;
}
