//! What people and programs send over HTTP, given to the real endpoints without a network: the services of an office work
//! in this thread, on a database in memory. Whatever is sent is answered, and never by a fault of ours.

pub mod commands;
pub mod forms;
mod office;
pub mod organisations;
pub mod proxies;
pub mod reports;
pub mod requests;
pub mod sessions;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::Value;

use super::Read;
use office::Office;
pub use office::with_office;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn is_page(&self) -> bool {
        self.header(header::CONTENT_TYPE).starts_with("text/html")
    }

    /// Whether what was sent was taken.
    fn read(&self) -> Read {
        (self.status.is_success() || self.status.is_redirection()).into()
    }
}

/// Sends a request, and holds the answer against what every answer must be.
pub fn ask(office: &mut Office, request: Request<Body>) -> Answer {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = office.answer(request);
    let Answer { status, headers, body } = &answer;
    assert!(!status.is_server_error(), "{method} {path}: {answer:?}");
    for guard in [header::X_CONTENT_TYPE_OPTIONS, header::X_FRAME_OPTIONS, header::CACHE_CONTROL] {
        assert!(headers.contains_key(&guard), "{method} {path}: {guard} is missing: {answer:?}");
    }
    // Nobody is sent anywhere else.
    let to = answer.header(header::LOCATION);
    assert!(to.is_empty() || (to.starts_with('/') && !to.starts_with("//")), "{method} {path}: to {to}");
    // What somebody typed is text in a page, and never markup.
    assert!(!answer.is_page() || !body.contains("<zq"), "{method} {path}: {body}");
    if status.is_client_error() && method != Method::HEAD && !answer.is_page() {
        told(&answer);
    }
    answer
}

/// An error says what is wrong, as RFC 9457 has it.
fn told(answer: &Answer) {
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json", "{answer:?}");
    let problem: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("no JSON: {answer:?}"));
    assert_eq!(problem["status"], answer.status.as_u16(), "{answer:?}");
    let says = |field: &str| problem[field].as_str().is_some_and(|text| !text.is_empty());
    assert!(says("type") && says("title") && says("detail"), "{answer:?}");
}
