//! `POST /api/v1/reports` by a worker: the input is the body.

use axum::http::StatusCode;

use super::{Read, ask, with_office};

pub fn reports(bytes: &[u8]) -> Read {
    with_office(|office| {
        let request = office.request("POST", "/api/v1/reports", "worker-111", bytes.to_vec());
        let answer = ask(office, request.expect("a request of ours is one"));
        let expected = [
            StatusCode::CREATED,
            StatusCode::OK,
            StatusCode::BAD_REQUEST,
            StatusCode::CONFLICT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ];
        assert!(expected.contains(&answer.status), "{answer:?}");
        answer.read()
    })
}
