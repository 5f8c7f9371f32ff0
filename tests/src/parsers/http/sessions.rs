//! Signing in: a word says how (`json`, `form`, `password` or `renewal`), and what is sent stands behind a line break. Nobody
//! has an account here: nobody gets in, whatever they send.

use axum::http::{StatusCode, header};

use super::super::{head, text};
use super::{Read, ask, with_office};

pub fn sessions(bytes: &[u8]) -> Read {
    let (way, sent) = head(bytes);
    let path = match text(way) {
        Some("json") => "/api/v1/sessions",
        Some("form") => "/sign-in?lang=zh",
        Some("password") => "/api/v1/me/password",
        Some("renewal") => "/api/v1/sessions/renewal",
        _ => return Read::Refused,
    };
    with_office(|office| {
        let request = office.request("POST", path, "worker-111", sent.to_vec());
        let answer = ask(office, request.expect("a request of ours is one"));
        assert!(answer.status.is_client_error(), "somebody got in: {answer:?}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE), "{answer:?}");
        // Whoever is refused for the name, the password or too many tries was understood.
        let understood = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
        understood.contains(&answer.status).into()
    })
}
