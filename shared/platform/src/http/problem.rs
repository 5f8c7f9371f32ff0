//! Errors over HTTP: RFC 9457 problem+json, in the reader's language. A 500 never shows its cause.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::text::Text;
use serde::Serialize;
use tracing::error;

use crate::turn::Unanswered;

/// What is wrong, where, and what to do.
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    /// Short and stable, for machines: `unknown-category`.
    pub code: &'static str,
    /// The field to correct, if there is one.
    pub field: Option<String>,
    pub text: Text,
    /// Seconds after which it is worth trying again.
    pub retry_after: Option<u32>,
}

#[derive(Serialize)]
struct Wire<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, text: Text) -> Self {
        Self { status, code, field: None, text, retry_after: None }
    }

    /// 422: understood, but a field of it cannot be.
    pub fn field(code: &'static str, field: impl Into<String>, text: Text) -> Self {
        Self { field: Some(field.into()), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, text) }
    }

    /// 404, the same for what is not there and for what is not the asker's to see.
    pub fn not_found() -> Self {
        let text =
            Text::new("没有这条记录，或您无权查看", "there is no such thing, or it is not yours to see");
        Self::new(StatusCode::NOT_FOUND, "not-found", text)
    }

    /// 403: may be seen, not done.
    pub fn forbidden(text: Text) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", text)
    }

    pub fn unauthorized() -> Self {
        let text = Text::new(
            "请先登录：缺少令牌，或令牌无效、已过期",
            "sign in first: the bearer token is missing, invalid or expired",
        );
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", text)
    }

    /// 500: logged here, where it is handled; the reader learns only that it was us.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        error!("could not answer a request: {cause}");
        let text = Text::new(
            "系统内部错误，已记录；请稍后再试",
            "something went wrong on our side; it was recorded",
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text)
    }
}

impl From<Unanswered> for Problem {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Failed(why) => Self::internal(&why),
            Unanswered::Unavailable(why)
                if ["disk is full", "disk I/O", "was moved away"].iter().any(|sign| why.contains(sign)) =>
            {
                let text = Text::new(
                    "磁盘已满、出错或数据库被移走，暂时无法保存：请告知系统管理员，稍后再试",
                    "the disk is full or failing, or the database was moved away, so nothing can be saved now: tell whoever runs this \
                     system, and try again later",
                );
                Self {
                    retry_after: Some(30),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "cannot-save", text)
                }
            }
            Unanswered::Stopping | Unanswered::Busy | Unanswered::Unavailable(_) => {
                let text = Text::new("系统正忙，请稍后再试", "busy just now: try again in a moment");
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self { retry_after: Some(1), ..Self::new(status, "unavailable", text) }
            }
        }
    }
}

impl From<crate::store::StoreError> for Problem {
    fn from(error: crate::store::StoreError) -> Self {
        Self::from(Unanswered::from(error))
    }
}

impl IntoResponse for Problem {
    /// The language is not known yet; [`render`] fills in the body.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of every [`Problem`] in the language the request asks for: Chinese when it prefers it,
/// else English. Errors of the router and of its layers (no such path, wrong method, too slow) become
/// problems too; one that already says what is wrong, in JSON as `/health/ready` does or as a page, is left as it is.
pub async fn render(request: Request, next: Next) -> Response {
    let chinese = prefers_chinese(request.headers().get(header::ACCEPT_LANGUAGE));
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if speaks(&response) => return response,
        None => match plain(response.status()) {
            Some(problem) => problem,
            None => return response,
        },
    };
    let mut rendered = problem.write(chinese);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow.clone());
    }
    rendered
}

impl Problem {
    fn write(&self, chinese: bool) -> Response {
        let wire = Wire {
            r#type: format!("urn:gridward:problem:{}", self.code.replace('_', "-")),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: if chinese { &self.text.zh } else { &self.text.en },
            field: self.field.as_deref(),
        };
        let mut response = (self.status, Json(wire)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers
            .insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(if chinese { "zh-CN" } else { "en" }));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

fn speaks(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| {
        ["application/json", "application/problem+json", "text/html"].iter().any(|own| kind.starts_with(own))
    })
}

/// What there is to say of an error of which only the status is known.
fn plain(status: StatusCode) -> Option<Problem> {
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let (code, zh, en) = match status {
        StatusCode::UNAUTHORIZED => return Some(Problem::unauthorized()),
        StatusCode::NOT_FOUND => return Some(Problem::not_found()),
        StatusCode::PAYLOAD_TOO_LARGE => return Some(too_large()),
        StatusCode::BAD_REQUEST => (
            "bad-request",
            "请求无法解读，请检查地址、请求头和正文",
            "the request cannot be read: check its address, headers and body",
        ),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method-not-allowed", "此地址不支持这种请求方法", "this address does not take that method")
        }
        StatusCode::REQUEST_TIMEOUT => {
            ("timeout", "请求没有按时传完，请重试", "the request did not arrive in time: send it again")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "unsupported-media-type",
            "不支持这种正文格式，请发送 application/json",
            "bodies of this type are not read: send application/json",
        ),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            ("headers-too-large", "请求头过大，请减少后重试", "the headers are too large: send fewer")
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            let text = Text::new(
                "未能按时答复，请稍后再试",
                "this could not be answered in time: try again in a moment",
            );
            return Some(Problem { retry_after: Some(1), ..Problem::new(status, "unavailable", text) });
        }
        _ if status.is_server_error() => {
            let cause = format!("the router answered {status} and nothing else");
            return Some(Problem { status, ..Problem::internal(&cause) });
        }
        _ => ("refused", "请求未被受理，请检查后重试", "the request was refused: check it and try again"),
    };
    Some(Problem::new(status, code, Text::new(zh, en)))
}

pub(super) fn too_large() -> Problem {
    let text = Text::new("请求正文超过 1 MB", "the body is larger than 1 MB");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text)
}

/// Whether `Accept-Language` puts Chinese before English: by weight, and of equal ones by which is named first. What is
/// in neither is in English.
pub(super) fn prefers_chinese(accept: Option<&HeaderValue>) -> bool {
    let Some(accept) = accept.and_then(|value| value.to_str().ok()) else { return false };
    let mut best = (0, false);
    for part in accept.split(',') {
        let (tag, weight) = part.split_once(';').unwrap_or((part, ""));
        let chinese = match tag.trim().to_ascii_lowercase().split('-').next() {
            Some("zh") => true,
            Some("en") => false,
            _ => continue,
        };
        let weight = thousandths(weight);
        if weight > best.0 {
            best = (weight, chinese);
        }
    }
    best.1
}

/// `q=0.8` as 800; all of it where none is given, and nothing where it is not one (RFC 9110, 12.4.2).
fn thousandths(weight: &str) -> u32 {
    let Some(text) = weight.trim().strip_prefix("q=") else { return 1_000 };
    match text.trim().split_once('.') {
        None => text.trim().parse::<u32>().map_or(0, |whole| whole.min(1) * 1_000),
        Some((whole, part)) if part.len() <= 3 => {
            let digits = format!("{whole}{part:0<3}");
            digits.parse::<u32>().map_or(0, |weight| weight.min(1_000))
        }
        Some(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_languages_the_first_named_wins_and_english_is_the_default() {
        let chinese = |text: &'static str| prefers_chinese(Some(&HeaderValue::from_static(text)));
        assert!(chinese("zh-CN,zh;q=0.9,en;q=0.8"));
        assert!(!chinese("en-GB,en;q=0.9,zh;q=0.8"));
        assert!(!prefers_chinese(None));
    }

    #[test]
    fn a_language_with_more_weight_goes_before_one_that_is_named_first() {
        let chinese = |text: &'static str| prefers_chinese(Some(&HeaderValue::from_static(text)));
        assert!(chinese("en;q=0.5, zh-CN;q=0.9"));
        assert!(chinese("fr, en;q=0.75, zh;q=0.751"));
        assert!(!chinese("zh;q=0.5, en"));
        assert!(!chinese("zh;q=0, fr"), "weight 0 is: not that");
        assert!(!chinese("zh;q=much, en;q=0.1"));
        assert!(!chinese("de, fr;q=0.9"), "neither");
    }

    #[test]
    fn every_error_has_words_of_ours_and_nothing_else_has() {
        for code in 100..600 {
            let status = StatusCode::from_u16(code).unwrap();
            let problem = plain(status);
            assert_eq!(problem.is_some(), code >= 400, "{code}");
            assert!(problem.is_none_or(|problem| problem.status == status), "{code}");
        }
    }
}
