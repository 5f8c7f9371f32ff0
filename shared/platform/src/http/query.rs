//! What stands behind the `?` of an address: every parameter known, given once, and named when it is wrong.

use std::error::Error;

use axum::extract::FromRequestParts;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::http::request::Parts;
use domain::text::Text;
use serde::de::DeserializeOwned;

use super::fault::{PARAMETER, wrong};
use super::problem::Problem;

/// The parameters of a request as `T`, which denies the unknown ones: a misspelt filter that is dropped
/// answers with what nobody asked for.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(refused(&rejection)),
        }
    }
}

/// What axum reads parameters with, and tells only as one sentence.
type Unread = serde_path_to_error::Error<serde::de::value::Error>;

fn refused(rejection: &QueryRejection) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = Some(rejection);
    while let Some(here) = cause {
        if let Some(unread) = here.downcast_ref::<Unread>() {
            return wrong(PARAMETER, unread);
        }
        cause = here.source();
    }
    let text = Text::new("查询参数无法解读", format!("the parameters cannot be read: {rejection}"));
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, PARAMETER.code, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Narrow {
        #[expect(dead_code, reason = "only read by serde")]
        state: Option<String>,
        #[expect(dead_code, reason = "only read by serde")]
        limit: Option<u64>,
    }

    fn field(query: &str) -> (u16, Option<String>, Text) {
        let uri = format!("/cases?{query}").parse().unwrap();
        let rejection = axum::extract::Query::<Narrow>::try_from_uri(&uri).unwrap_err();
        let problem = refused(&rejection);
        (problem.status.as_u16(), problem.field, problem.text)
    }

    #[test]
    fn the_parameter_that_is_wrong_is_named() {
        for (query, named, zh) in [
            ("limit=ten", "limit", "参数 limit 有误：应为整数"),
            ("stat=CLOSED", "stat", "参数 stat 有误：没有这个参数「stat」，可用的有：state、limit"),
            ("state=a&state=b", "state", "参数 state 只能出现一次"),
        ] {
            let (status, field, text) = field(query);
            assert_eq!((status, field.as_deref(), text.zh.as_str()), (422, Some(named), zh), "{query}");
        }
    }
}
