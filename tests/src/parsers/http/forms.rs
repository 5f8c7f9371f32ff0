//! The form behind a link, sent by the worker it was made for, who is signed in on that browser. `@note` stands for the note
//! that was signed when the form was handed out.

use axum::http::header;

use super::{Read, ask, with_office};

pub fn forms(bytes: &[u8]) -> Read {
    with_office(|office| {
        let sent = String::from_utf8_lossy(bytes);
        let note = sent.contains("@note").then(|| office.note(format!("form-{}", office.changes())));
        let sent = note.map_or_else(|| bytes.to_vec(), |note| sent.replace("@note", &note).into_bytes());
        let path = format!("/r/{}?lang=en", office.link_text());
        let mut request =
            office.request("POST", &path, "worker-111", sent).expect("a request of ours is one");
        let cookie = format!("gridward_session={}", office.token("worker-111"));
        let headers = request.headers_mut();
        headers.remove(header::AUTHORIZATION);
        headers.insert(header::COOKIE, cookie.parse().expect("a token is plain ASCII"));
        let answer = ask(office, request);
        // Taken is what leads to a receipt; anything else is the form again, with what was typed.
        answer.status.is_redirection().into()
    })
}
