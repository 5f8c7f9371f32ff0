//! Any request: `METHOD ADDRESS` on a line, headers `name: value` a line each, an empty line, and the body. The header `as`
//! names who asks; `@incident` stands for the one case there is, `@link` for a link to the form and `@token` for a token of
//! whoever asks.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, header};

use super::super::{head, text};
use super::office::Office;
use super::{Read, ask, with_office};

pub fn requests(bytes: &[u8]) -> Read {
    with_office(|office| {
        let whole = meant(office, bytes);
        let Some(request) = request(office, &whole) else { return Read::Refused };
        if waits(&request) {
            return Read::Refused;
        }
        ask(office, request).read()
    })
}

/// With the words that stand for what nobody can guess.
fn meant(office: &Office, bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains('@') {
        return bytes.to_vec();
    }
    let incident = office.case.rsplit('/').next().unwrap_or_default();
    let person = text.lines().find_map(|line| line.strip_prefix("as: ")).unwrap_or_default();
    let text = text.replace("@incident", incident).replace("@link", &office.link_text());
    text.replace("@token", &office.token(person)).into_bytes()
}

fn request(office: &Office, whole: &[u8]) -> Option<Request<Body>> {
    let (line, mut rest) = head(whole);
    let (method, address) = text(line)?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(address);
    loop {
        let (line, after) = head(rest);
        rest = after;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let (name, value) = (HeaderName::from_bytes(&line[..colon]).ok()?, line[colon + 1..].trim_ascii());
        request = if name == "as" {
            request.header(header::AUTHORIZATION, format!("Bearer {}", office.token(text(value)?)))
        } else {
            request.header(name, HeaderValue::from_bytes(value).ok()?)
        };
    }
    request.body(Body::from(rest.to_vec())).ok()
}

/// Whether it asks to wait for a case that may never open: it would be answered, and only much later.
fn waits(request: &Request<Body>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "wait" && value != "0s")
}
