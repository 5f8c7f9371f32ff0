//! JSON bodies: read whole, checked, and every fault named by field.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use domain::text::Text;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;

use super::fault::{self, FIELD};
use super::json::Tree;
use super::problem::{Problem, too_large};

/// Whoever has not sent a body by then is told so; bad signal, not our fault.
const LONGEST_BODY: Duration = Duration::from_secs(20);

/// A JSON body of type `T`.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        read(&whole(request.into_body(), LONGEST_BODY).await?).map(Self)
    }
}

async fn whole(body: axum::body::Body, longest: Duration) -> Result<Bytes, Problem> {
    let whole = axum::body::to_bytes(body, super::BODY_LIMIT);
    let Ok(whole) = tokio::time::timeout(longest, whole).await else {
        let text = Text::new("请求正文发送太慢，请重试", "the body came too slowly: send it again");
        return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "slow-body", text));
    };
    whole.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(here) = cause {
            if here.to_string().contains("length limit") {
                return too_large();
            }
            cause = here.source();
        }
        let text = Text::new("请求正文没有传完整", "the body did not arrive whole");
        Problem::new(StatusCode::BAD_REQUEST, "broken-body", text)
    })
}

/// Broken JSON is a 400; JSON that is not what was asked for is a 422 that names the field.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // No body says no more than an empty object: signing for a case needs no words.
    let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    let json = &mut serde_json::Deserializer::from_slice(bytes);
    let tree = Tree::deserialize(&mut *json).map_err(|error| fault::broken(&error))?;
    json.end().map_err(|error| more(&error))?;
    if !matches!(tree, Tree::Object(_)) {
        let text = Text::new("请求正文须为 JSON 对象", "the body must be a JSON object");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not-an-object", text));
    }
    if let Some(field) = tree.nul() {
        return Err(nul(&field));
    }
    serde_path_to_error::deserialize(tree).map_err(|error| fault::wrong(FIELD, &error))
}

/// A text that no database of ours keeps as it is.
fn nul(field: &str) -> Problem {
    let text = Text::new(
        format!("{field} 含有无法保存的字符 U+0000，请去掉"),
        format!("{field} holds the character U+0000, which cannot be kept: leave it out"),
    );
    Problem::field("nul-character", field.to_owned(), text)
}

fn more(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let text = Text::new(
        format!("JSON 之后还有多余内容：第 {line} 行第 {column} 列"),
        format!("there is more after the JSON: at line {line} column {column}"),
    );
    Problem::new(StatusCode::BAD_REQUEST, "broken-json", text)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::{Body as Arriving, Frame};

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only read by serde")]
        place: Inner,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only read by serde")]
        lon: f64,
    }

    /// Sends nothing, and does not end.
    struct Silent;

    impl Arriving for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn whoever_sends_too_slowly_is_told_so() {
        let problem = whole(axum::body::Body::new(Silent), Duration::from_millis(1)).await.unwrap_err();
        assert_eq!((problem.status.as_u16(), problem.code), (408, "slow-body"));
    }

    fn problem(json: &str) -> (u16, Option<String>) {
        let problem = read::<Outer>(json.as_bytes()).unwrap_err();
        (problem.status.as_u16(), problem.field)
    }

    #[test]
    fn broken_json_is_400_and_wrong_json_names_the_field() {
        assert_eq!(problem("{").0, 400);
        assert_eq!(problem(r#"{"place":{"lon":1}} x"#).0, 400);
        assert_eq!(problem("{}"), (422, Some("place".to_owned())));
        assert_eq!(problem(r#"{"place":{}}"#), (422, Some("place.lon".to_owned())));
        assert_eq!(problem(r#"{"place":{"lon":"x"}}"#), (422, Some("place.lon".to_owned())));
        assert_eq!(problem(r#"{"place":{"lon":1},"at":2}"#), (422, Some("at".to_owned())));
        assert_eq!(problem(r#"{"place":{"lon":1,"lon":2}}"#), (422, Some("place.lon".to_owned())));
        assert_eq!(problem(r#"{"place":[1]}"#), (422, Some("place".to_owned())));
    }

    #[test]
    fn a_text_that_no_database_keeps_is_named_wherever_it_is() {
        for (json, field) in [
            (r#"{"place":{"lon":"a\u0000"}}"#, "place.lon"),
            (r#"{"note":"\u0000"}"#, "note"),
            (r#"{"some":[1,"\u0000"]}"#, "some.[1]"),
        ] {
            assert_eq!(problem(json), (422, Some(field.to_owned())), "{json}");
        }
    }

    #[test]
    fn a_body_that_is_no_object_has_no_field_to_name() {
        for json in ["[]", "5", "null", "\"place\"", r#"[{"lon":1}]"#] {
            assert_eq!(problem(json), (422, None), "{json}");
        }
    }

    #[test]
    fn both_languages_say_where_the_json_breaks() {
        let text = read::<Outer>(b"{\"place\":\n x}").unwrap_err().text;
        assert_eq!(text.en, "the body is not valid JSON: expected value at line 2 column 2");
        assert_eq!(text.zh, "请求正文不是有效的 JSON：第 2 行第 2 列，此处应为一个值");
    }
}
