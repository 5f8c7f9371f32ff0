//! Bad input gets an error that names the field and the reason, in the reader's language; nothing that
//! was accepted is lost by it, and what comes after it is taken.

pub mod office;

mod fuzz;
mod packs;
mod queries;
mod recorded;
mod recorded_odd;
mod recorded_shapes;
mod reports;
mod requests;
mod rights;
pub mod tokens;

use office::{Answer, Office};
use reqwest::RequestBuilder;
use serde_json::Value;

/// What an error must say.
#[derive(Clone, Copy, Debug)]
pub struct Says<'a> {
    pub status: u16,
    /// The last word of the problem's `type`.
    pub code: &'a str,
    pub field: Option<&'a str>,
    pub en: &'a str,
    pub zh: &'a str,
}

impl Office {
    /// Asks twice, as an English and as a Chinese reader, and holds both answers against what they must
    /// say; nothing is stored.
    pub async fn refuses(&self, request: RequestBuilder, says: Says<'_>) {
        let before = self.stored().await;
        for (language, wanted) in [("en", says.en), ("zh-CN,zh;q=0.9,en;q=0.8", says.zh)] {
            let asked = request.try_clone().unwrap().header("accept-language", language);
            let answer = Answer::to(asked).await;
            assert_eq!(answer.status, says.status, "{says:?} {answer:?}");
            let problem = problem(&answer);
            let code = format!("urn:gridward:problem:{}", says.code);
            assert_eq!(problem["type"], code, "{says:?} {problem}");
            assert_eq!(problem["field"].as_str(), says.field, "{says:?} {problem}");
            assert!(answer.header("content-language").starts_with(&language[..2]), "{answer:?}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(wanted), "wanted {wanted:?} in {detail:?}");
        }
        assert_eq!(self.stored().await, before, "{says:?}");
    }

    fn reporting(&self, report: &Value) -> RequestBuilder {
        self.request("POST", "/api/v1/reports", "worker-111").json(report)
    }
}

/// The body of an answer that is an error as RFC 9457 has them.
fn problem(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status, "{answer:?}");
    assert!(problem["type"].as_str().unwrap().starts_with("urn:gridward:problem:"), "{answer:?}");
    assert!(!problem["title"].as_str().unwrap().is_empty(), "{answer:?}");
    assert!(!problem["detail"].as_str().unwrap().is_empty(), "{answer:?}");
    problem
}
