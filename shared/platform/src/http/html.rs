//! Pages for browsers: markup that cannot hold what somebody typed but as text, and headers that let a page load
//! nothing, be framed by nobody and tell no other site where it was.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::text::Text;

use super::problem::prefers_chinese;
use crate::entropy;

/// Markup. Made of literals of ours and of escaped text, and of nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    pub fn literal(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// What anybody may have typed; safe between tags and in a quoted attribute.
    pub fn text(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        for mark in text.chars() {
            match mark {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                // A text field keeps its lines; no other control character means anything in a page.
                mark if mark.is_control() && mark != '\n' => escaped.push('\u{fffd}'),
                mark => escaped.push(mark),
            }
        }
        Self(escaped)
    }

    /// `template` with each `{}` filled in.
    ///
    /// # Panics
    /// When there are not as many `{}` as parts.
    pub fn fill<const N: usize>(template: &'static str, parts: [Self; N]) -> Self {
        let mut pieces = template.split("{}");
        let mut filled = pieces.next().unwrap_or_default().to_owned();
        for part in parts {
            filled += &part.0;
            filled += pieces.next().expect("a template has a place for each of its parts");
        }
        assert!(pieces.next().is_none(), "a template has a part for each of its places: {template}");
        Self(filled)
    }

    pub fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }

    /// This, or nothing.
    pub fn only_if(self, shown: bool) -> Self {
        if shown { self } else { Self::default() }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The language a page is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
}

impl Language {
    /// The one chosen (`?lang=`), or the one the browser asks for.
    pub fn of(chosen: Option<&str>, headers: &HeaderMap) -> Self {
        match chosen {
            Some(tag) if tag.starts_with("zh") => Self::Chinese,
            Some(tag) if tag.starts_with("en") => Self::English,
            _ if prefers_chinese(headers.get(header::ACCEPT_LANGUAGE)) => Self::Chinese,
            _ => Self::English,
        }
    }

    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Chinese => Self::English,
            Self::English => Self::Chinese,
        }
    }

    /// The one of two literals that is in this language.
    pub fn say(self, zh: &'static str, en: &'static str) -> Html {
        Html::literal(match self {
            Self::Chinese => zh,
            Self::English => en,
        })
    }

    pub fn of_text(self, text: &Text) -> Html {
        Html::text(match self {
            Self::Chinese => &text.zh,
            Self::English => &text.en,
        })
    }
}

/// A page.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub status: StatusCode,
    pub language: Language,
    pub title: Html,
    pub body: Html,
    /// What makes it easier where scripts run; it must work without.
    pub script: Option<&'static str>,
    /// Opens this address at once, by itself.
    pub goes_to: Option<String>,
}

impl Sheet {
    pub fn new(language: Language, title: Html, body: Html) -> Self {
        Self { status: StatusCode::OK, language, title, body, script: None, goes_to: None }
    }

    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    fn write(self, nonce: &str) -> Html {
        let nonce = Html::text(nonce);
        let script = self.script.map_or_else(Html::default, |script| {
            Html::fill("<script nonce=\"{}\">{}</script>", [nonce.clone(), Html::literal(script)])
        });
        let goes = self.goes_to.map_or_else(Html::default, |to| {
            Html::fill("<meta http-equiv=\"refresh\" content=\"0;url={}\">", [Html::text(&to)])
        });
        Html::fill(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<meta name=\"format-detection\" content=\"telephone=no\">\n{}\
             <title>{}</title>\n<style nonce=\"{}\">{}</style>\n</head>\n<body>\n{}\n{}</body>\n</html>\n",
            [
                Html::literal(self.language.tag()),
                goes,
                self.title,
                nonce,
                Html::literal(STYLE),
                self.body,
                script,
            ],
        )
    }
}

/// How every page of ours looks: made for a phone held in one hand, in sunlight.
const STYLE: &str = include_str!("page.css");

impl IntoResponse for Sheet {
    fn into_response(self) -> Response {
        let nonce: String = entropy::draw::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        let (status, language) = (self.status, self.language.tag());
        let mut response = (status, self.write(&nonce).0).into_response();
        let policy = HeaderValue::from_str(&policy).expect("a policy is plain ASCII");
        put(
            &mut response,
            [
                (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (header::CONTENT_LANGUAGE, HeaderValue::from_static(language)),
                (header::VARY, HeaderValue::from_static("accept-language, cookie")),
                (header::CONTENT_SECURITY_POLICY, policy),
            ],
        );
        secluded(response)
    }
}

/// Goes on to an address of ours.
pub fn go_to(address: &str) -> Response {
    let to = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("/"));
    secluded((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

/// In the place of what is there; extending would add a second line, and the first one would be believed.
fn put<const N: usize>(response: &mut Response, headers: [(HeaderName, HeaderValue); N]) {
    for (name, value) in headers {
        response.headers_mut().insert(name, value);
    }
}

/// Kept by nobody, and tells no other site where its reader was.
fn secluded(mut response: Response) -> Response {
    put(
        &mut response,
        [
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
            (
                HeaderName::from_static("permissions-policy"),
                HeaderValue::from_static("geolocation=(self), camera=(), microphone=(), payment=()"),
            ),
        ],
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_typed_stays_text_between_tags_and_in_an_attribute() {
        let typed = Html::text("\"><script>alert('1')</script>&\u{8}\n");
        let page = Html::fill("<input value=\"{}\">", [typed]);
        assert_eq!(
            page.as_str(),
            "<input value=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;\u{fffd}\n\">"
        );
    }

    #[test]
    fn a_place_in_a_template_that_somebody_typed_is_not_one() {
        let page = Html::fill("<p>{}</p><p>{}</p>", [Html::text("{}"), Html::text("b")]);
        assert_eq!(page.as_str(), "<p>{}</p><p>b</p>");
    }

    #[test]
    fn a_page_loads_nothing_is_framed_by_nobody_and_runs_only_its_own_script() {
        let sheet =
            Sheet { script: Some("1;"), ..Sheet::new(Language::English, Html::text("A"), Html::text("b")) };
        let response = sheet.into_response();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for wanted in
            ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
        {
            assert!(policy.contains(wanted), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_eq!(
            (header("cache-control"), header("referrer-policy")),
            ("no-store".into(), "no-referrer".into())
        );
    }

    #[test]
    fn a_language_that_was_chosen_goes_before_the_browsers() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("zh-CN,zh;q=0.9"));
        assert_eq!(Language::of(None, &headers), Language::Chinese);
        assert_eq!(Language::of(Some("en"), &headers), Language::English);
        assert_eq!(Language::of(Some("fr"), &headers), Language::Chinese);
    }
}
