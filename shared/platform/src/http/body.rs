//! JSON bodies: read whole, checked, and every fault named by field.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use domain::text::Text;
use serde::de::DeserializeOwned;

use super::problem::{Problem, too_large};

/// A JSON body of type `T`.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let bytes = axum::body::to_bytes(request.into_body(), super::BODY_LIMIT).await.map_err(|error| {
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(here) = cause {
                if here.to_string().contains("length limit") {
                    return too_large();
                }
                cause = here.source();
            }
            let text = Text::new("请求正文没有传完整", "the body did not arrive whole");
            Problem::new(StatusCode::BAD_REQUEST, "broken-body", text)
        })?;
        read(&bytes).map(Self)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // No body says no more than an empty object: signing for a case needs no words.
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let json = &mut serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut *json).map_err(|error| fault(&error))?;
    json.end().map_err(|error| {
        let text = Text::new(
            format!("JSON 之后还有多余内容：{error}"),
            format!("there is more after the JSON: {error}"),
        );
        Problem::new(StatusCode::BAD_REQUEST, "broken-json", text)
    })?;
    Ok(value)
}

/// Broken JSON is a 400; JSON that is not what was asked for is a 422 that names the field.
fn fault(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let cause = error.inner();
    if !cause.is_data() {
        let text = Text::new(
            format!("请求正文不是有效的 JSON：{cause}"),
            format!("the body is not valid JSON: {cause}"),
        );
        return Problem::new(StatusCode::BAD_REQUEST, "broken-json", text);
    }
    let reason = cause.to_string();
    let path = error.path().to_string();
    let missing =
        reason.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
    let field = match (path.as_str(), missing) {
        (".", Some(name)) => name.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
        (path, None) => path.to_owned(),
    };
    let text = match missing {
        Some(_) => Text::new(format!("缺少字段 {field}"), format!("the field {field} is missing")),
        None => {
            Text::new(format!("字段 {field} 有误：{reason}"), format!("the field {field} is wrong: {reason}"))
        }
    };
    Problem::field("wrong-field", field, text)
}

#[cfg(test)]
mod tests {
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
    }
}
