//! What a browser brings along: cookies, a form, and how it came here.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use domain::text::Text;
use std::collections::BTreeMap;

use super::problem::{Problem, too_large};

/// Holds the token of whoever signed in on this browser. Only pages look at it; the API takes the header alone, so
/// that no other site can make a browser ask it anything.
pub const SESSION_COOKIE: &str = "gridward_session";

/// The largest form, as of all bodies: whoever wrote far more than is taken sees it again, and hears how much is.
const LARGEST_FORM: usize = super::BODY_LIMIT;

/// The cookie of this name.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

/// A cookie that no script reads and no other site's request carries, for everything below `path`; over TLS only,
/// but on this very machine.
///
/// # Panics
/// When `value` is not plain ASCII: what we put into cookies is.
pub fn set_cookie(headers: &HeaderMap, name: &str, value: &str, path: &str, seconds: i64) -> HeaderValue {
    let secure = if is_this_machine(headers) { "" } else { "; Secure" };
    let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).expect("our cookies are plain ASCII")
}

/// Whether the browser asked for a name that leads to its own machine, where nobody listens in between.
fn is_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.strip_prefix('[').map_or_else(|| host.split(':').next(), |rest| rest.split(']').next());
    matches!(name, Some("localhost" | "127.0.0.1" | "::1"))
}

fn told<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a person opens the page in a browser: not a machine that looks at an address it was shown in a chat, which
/// says nothing of the kind (Fetch Metadata), nor a browser that fetches ahead.
pub fn is_navigation(headers: &HeaderMap) -> bool {
    told(headers, "sec-fetch-mode") == Some("navigate")
        && told(headers, "sec-fetch-dest") == Some("document")
        && told(headers, "sec-purpose").is_none()
        && told(headers, "purpose").is_none()
}

/// Whether another site sent the browser here; it then leaves strict cookies at home.
pub fn came_from_elsewhere(headers: &HeaderMap) -> bool {
    told(headers, "sec-fetch-site") == Some("cross-site")
}

/// # Errors
/// 403 when another site made the browser send this. `Origin` says nothing here: under `no-referrer` a browser sends
/// `null` for our own pages too.
pub fn sent_from_here(headers: &HeaderMap) -> Result<(), Problem> {
    match told(headers, "sec-fetch-site") {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => {
            let text = Text::new(
                "此请求来自其他网站，未受理：请打开本页面后再提交",
                "another site sent this, so it was not taken: open the page itself and send it from there",
            );
            Err(Problem::forbidden(text))
        }
    }
}

/// What a form sends: its fields by name, the last one of each.
///
/// # Errors
/// When it is too large or does not arrive whole.
pub async fn form(body: Body) -> Result<BTreeMap<String, String>, Problem> {
    let bytes = axum::body::to_bytes(body, LARGEST_FORM).await.map_err(|error| {
        if std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit")) {
            return too_large();
        }
        let text = Text::new("表单没有传完整，请重试", "the form did not arrive whole: send it again");
        Problem::new(StatusCode::BAD_REQUEST, "broken-body", text)
    })?;
    Ok(form_urlencoded::parse(&bytes).into_owned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = headers(&[("cookie", "a=1; gridward_session=x.y.z; gridward_sessions=2; empty=")]);
        assert_eq!(cookie(&headers, SESSION_COOKIE), Some("x.y.z"));
        assert_eq!(cookie(&headers, "gridward"), None);
        assert_eq!(cookie(&headers, "empty"), None);
    }

    #[test]
    fn a_cookie_goes_over_tls_but_on_this_machine() {
        for (host, secure) in [
            ("gridward.example.org", true),
            ("10.0.0.1:8080", true),
            ("localhost.example.org", true),
            ("127.0.0.1:8080", false),
            ("localhost", false),
            ("[::1]:8080", false),
        ] {
            let set = set_cookie(&headers(&[("host", host)]), "a", "b", "/r", 60);
            let text = set.to_str().unwrap();
            assert_eq!(text.contains("; Secure"), secure, "{host}: {text}");
            assert!(text.contains("HttpOnly; SameSite=Strict"), "{text}");
        }
    }

    #[test]
    fn a_person_who_opens_a_page_is_told_from_a_machine_that_looks_ahead() {
        let opens = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        assert!(is_navigation(&headers(&opens)));
        assert!(!is_navigation(&headers(&[])));
        assert!(!is_navigation(&headers(&[opens[0], opens[1], ("sec-purpose", "prefetch")])));
        assert!(!is_navigation(&headers(&[opens[0], ("sec-fetch-dest", "iframe")])));
    }

    #[test]
    fn what_another_site_sends_is_not_taken() {
        assert!(sent_from_here(&headers(&[("sec-fetch-site", "same-origin")])).is_ok());
        assert!(sent_from_here(&headers(&[("sec-fetch-site", "cross-site")])).is_err());
        assert!(sent_from_here(&headers(&[("sec-fetch-site", "same-site")])).is_err(), "a neighbour");
        assert!(sent_from_here(&headers(&[("origin", "null")])).is_ok(), "an old browser");
    }
}
