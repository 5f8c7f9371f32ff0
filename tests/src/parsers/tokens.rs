//! What anybody may show instead of a token, a link or the note of a form. A line that begins with `{` is taken for the
//! claims of one that was signed here; anything else for the whole of it, which was never signed here and must not pass.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use platform::link::{Link, Opened};
use platform::token::{Principal, Session, Tokens};
use serde_json::Value;

use super::{Read, text};

const KEY: [u8; 32] = [7; 32];

/// Signs as services do.
static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(&KEY));

fn now() -> DateTime<Utc> {
    "2026-03-02T01:00:00Z".parse().expect("a time")
}

fn link() -> Link {
    Link::new([7; 16], "worker-111".into(), None, now(), 60)
}

pub fn tokens(bytes: &[u8]) -> Read {
    let Some(text) = text(bytes) else { return Read::Refused };
    if text.starts_with('{') {
        let Ok(claims) = serde_json::from_str::<Value>(text) else { return Read::Refused };
        let key = EncodingKey::from_secret(&KEY);
        let Ok(signed) = encode(&Header::new(Algorithm::HS256), &claims, &key) else { return Read::Refused };
        return read(&signed);
    }
    assert_eq!(read(text), Read::Refused, "it was never signed here");
    Read::Refused
}

/// Whether it is anything to any reader; what is one thing is no other.
fn read(text: &str) -> Read {
    let session = TOKENS.session(text, now());
    let (as_link, note) = (TOKENS.read_link(text), TOKENS.read_opened(text, &link()));
    let ways = [session.is_ok(), as_link.is_ok(), note.is_ok()];
    assert!(ways.iter().filter(|taken| **taken).count() < 2, "it passes for two things");
    assert_eq!(session.is_ok(), TOKENS.verify(text, now()).is_ok());
    if let Ok(session) = &session {
        again(session);
    }
    if let Ok(link) = &as_link {
        let text = TOKENS.issue_link(link).expect("a link is plain data");
        assert_eq!(TOKENS.read_link(&text).ok().as_ref(), Some(link));
    }
    if let Ok(opened) = &note {
        same_note(opened);
    }
    ways.contains(&true).into()
}

fn again(session: &Session) {
    let text = TOKENS.issue_session(session).expect("a session is plain data");
    assert_eq!(TOKENS.session(&text, now()).ok().as_ref(), Some(session));
    let Principal { person, .. } = &session.principal;
    assert!(!person.0.is_empty() && !person.0.chars().any(char::is_control), "{person}");
    assert!(session.expires_at >= now() - TimeDelta::minutes(1), "it had expired");
}

fn same_note(opened: &Opened) {
    let text = TOKENS.issue_opened(opened).expect("a note is plain data");
    assert_eq!(TOKENS.read_opened(&text, &link()).ok().as_ref(), Some(opened));
}
