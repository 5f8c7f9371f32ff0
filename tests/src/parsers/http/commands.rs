//! What somebody does to the one case there is: `WHAT PERSON IF-MATCH` on a line, and the body behind it.

use axum::http::{HeaderValue, header};

use super::super::{head, text};
use super::{Read, ask, with_office};

const DEEDS: [&str; 6] = ["sign", "stage", "answer", "return", "check", "close"];

pub fn commands(bytes: &[u8]) -> Read {
    let (line, body) = head(bytes);
    let Some(line) = text(line) else { return Read::Refused };
    let mut words = line.splitn(3, ' ');
    let (what, person, seen) = (words.next().unwrap_or_default(), words.next(), words.next());
    let Some(what) = DEEDS.into_iter().find(|deed| *deed == what) else { return Read::Refused };
    with_office(|office| {
        let path = format!("{}/{what}", office.case);
        let person = person.unwrap_or("supervisor-1");
        let request = office.request("POST", &path, person, body.to_vec());
        let mut request = request.expect("a request of ours is one");
        if let Some(seen) = seen {
            let Ok(seen) = HeaderValue::from_bytes(seen.as_bytes()) else { return Read::Refused };
            request.headers_mut().insert(header::IF_MATCH, seen);
        }
        ask(office, request).read()
    })
}
