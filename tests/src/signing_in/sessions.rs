//! A name and a password for a token; and what a wrong one is told, which is nothing.

use chrono::{DateTime, TimeDelta, Utc};
use platform::clock::host_now;
use platform::token::{Principal, Session};
use serde_json::{Value, json};

use super::PASSWORD;
use crate::bad_input::office::{Answer, Office};
use crate::world::{monday_morning, packs};

fn expires_at(signed_in: &Value) -> DateTime<Utc> {
    signed_in["expires_at"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_person_signs_in_and_is_what_the_register_says_now() {
    let office = Office::open().await;
    office.give_account("leader-111").await;
    let signed_in = office.try_to_sign_in(" leader-111 ", PASSWORD).await.with(201);
    let left = expires_at(&signed_in) - host_now();
    assert!(left > TimeDelta::minutes(58) && left <= TimeDelta::minutes(60), "short-lived: {left}");

    let token = signed_in["token"].as_str().unwrap();
    let me = Answer::to(office.anonymous("GET", "/api/v1/me").bearer_auth(token)).await.with(200);
    assert_eq!((&me["person"], &me["name_zh"]), (&json!("leader-111"), &json!("示意网格长 111")));
    let role = json!({
        "role": "grid_leader", "area": "990001/990001001/990001001001/990001001001001",
        "area_zh": "示意网格 111", "area_en": "Grid 111 (synthetic)",
    });
    assert_eq!(me["roles"], json!([role]));
    // Every service takes it, by its signature.
    let case = office.case_of("rubbish").await;
    let sign = office.anonymous("POST", &format!("{case}/sign")).bearer_auth(token).json(&json!({}));
    assert_eq!(Answer::to(sign).await.with(200)["state"], "HANDLING");
    office.closes_clean().await;
}

#[tokio::test]
async fn every_reason_not_to_be_let_in_is_answered_in_the_same_words() {
    let office = Office::open().await;
    for person in ["worker-111", "worker-112", "who-left"] {
        office.give_account(person).await;
    }
    office.accounts().disable(&"worker-112".into()).await.unwrap();
    let wrong = office.try_from("192.0.2.1", "worker-111", "not the password").await;
    assert_eq!(wrong.with(401)["type"], "urn:gridward:problem:wrong-name-or-password");
    for (peer, name, why) in [
        ("192.0.2.2", "nobody", "no such name"),
        ("192.0.2.3", "worker-121", "no account"),
        ("192.0.2.4", "worker-112", "disabled"),
        ("192.0.2.5", "who-left", "not in the register any more"),
        ("192.0.2.6", "WORKER-111", "another name"),
    ] {
        let answer = office.try_from(peer, name, PASSWORD).await;
        assert_eq!((answer.status, &answer.text), (401, &wrong.text), "{why}");
    }
    office.accounts().enable(&"worker-112".into()).await.unwrap();
    office.try_from("192.0.2.4", "worker-112", PASSWORD).await.with(201);
    office.closes_clean().await;
}

#[tokio::test]
async fn after_five_wrong_passwords_one_waits_and_nobody_else_does() {
    let office = Office::open().await;
    for person in ["worker-111", "worker-112"] {
        office.give_account(person).await;
    }
    for n in 0..5 {
        assert_eq!(office.try_to_sign_in("worker-111", &format!("wrong {n}")).await.status, 401, "{n}");
    }
    let refused = office.try_to_sign_in("worker-111", PASSWORD).await;
    assert_eq!(refused.with(429)["type"], "urn:gridward:problem:too-many-tries", "also with the right one");
    let seconds: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=16).contains(&seconds), "{seconds}");

    office.try_to_sign_in("worker-112", PASSWORD).await.with(201);
    office.try_from("198.51.100.7", "worker-111", PASSWORD).await.with(201);
    assert_eq!(office.try_to_sign_in("worker-111", PASSWORD).await.status, 429, "and here still");
    office.closes_clean().await;
}

#[tokio::test]
async fn whoever_signed_in_from_a_place_before_is_not_kept_out_by_tries_from_elsewhere() {
    let office = Office::open().await;
    office.give_account("worker-111").await;
    office.try_from("203.0.113.1", "worker-111", PASSWORD).await.with(201);
    let mut held_up = 0;
    for n in 0..25 {
        let answer = office.try_from(&format!("198.51.100.{n}"), "worker-111", "a guess").await;
        held_up += u32::from(answer.status == 429);
    }
    assert_eq!(held_up, 5, "twenty are free, wherever they come from");
    assert_eq!(office.try_from("198.51.100.99", "worker-111", PASSWORD).await.status, 429);
    office.try_from("203.0.113.1", "worker-111", PASSWORD).await.with(201);
    office.closes_clean().await;
}

#[tokio::test]
async fn where_somebody_says_they_come_from_is_believed_of_proxies_that_are_named_and_of_nobody_else() {
    let folder = packs().join("twostreets");
    let unnamed = Office::behind("", &folder, monday_morning()).await;
    unnamed.give_account("worker-111").await;
    for n in 0..5 {
        let answer = unnamed.try_from(&format!("198.51.100.{n}"), "worker-111", "a guess").await;
        assert_eq!(answer.status, 401, "{n}");
    }
    let held_up = unnamed.try_from("203.0.113.1", "worker-111", PASSWORD).await;
    assert_eq!(held_up.status, 429, "they all come from this machine, whatever they write");
    unnamed.closes_clean().await;

    let named = Office::behind("127.0.0.1", &folder, monday_morning()).await;
    named.give_account("worker-111").await;
    for n in 0..5 {
        let answer = named.try_from("198.51.100.1", "worker-111", "a guess").await;
        assert_eq!(answer.status, 401, "{n}");
    }
    assert_eq!(named.try_from("198.51.100.1", "worker-111", PASSWORD).await.status, 429);
    named.try_from("203.0.113.1", "worker-111", PASSWORD).await.with(201);
    named.closes_clean().await;
}

#[tokio::test]
async fn what_can_be_no_name_or_password_is_named_by_its_field() {
    let office = Office::open().await;
    for (body, field) in [
        (json!({"name": "", "password": PASSWORD}), "name"),
        (json!({"name": "x".repeat(65), "password": PASSWORD}), "name"),
        (json!({"name": "worker-111", "password": ""}), "password"),
        (json!({"name": "worker-111", "password": "长".repeat(129)}), "password"),
        (json!({"name": "worker-111"}), "password"),
        (json!({"name": "worker-111", "password": PASSWORD, "role": "street_desk"}), "role"),
    ] {
        let answer = Answer::to(office.anonymous("POST", "/api/v1/sessions").json(&body)).await;
        assert_eq!(answer.with(422)["field"], field, "{answer:?}");
    }
    assert_eq!(office.count("console", "SELECT count(*) AS n FROM console_attempt").await, 0);
    office.closes_clean().await;
}

/// A token as of a sign-in at that time.
fn session(office: &Office, person: &str, signed_in_at: Option<DateTime<Utc>>) -> String {
    let grants = office.principal("worker-111").grants;
    let principal = Principal { person: person.into(), grants };
    let expires_at = host_now() + TimeDelta::minutes(5);
    office.tokens.issue_session(&Session { principal, expires_at, signed_in_at }).unwrap()
}

async fn renewed(office: &Office, token: &str) -> Answer {
    Answer::to(office.anonymous("POST", "/api/v1/sessions/renewal").bearer_auth(token)).await
}

#[tokio::test]
async fn a_token_is_renewed_for_a_day_and_by_the_register_as_it_is_now() {
    let office = Office::open().await;
    for person in ["worker-111", "who-left"] {
        office.give_account(person).await;
    }
    let good = session(&office, "worker-111", Some(host_now()));
    let again = renewed(&office, &good).await.with(201);
    assert!(expires_at(&again) - host_now() > TimeDelta::minutes(58));

    let long_ago = host_now() - TimeDelta::hours(12);
    for (what, token) in [
        ("an operator's", session(&office, "worker-111", None)),
        (
            "from before the password was set",
            session(&office, "worker-111", Some(host_now() - TimeDelta::minutes(9))),
        ),
        ("of twelve hours ago", session(&office, "worker-111", Some(long_ago))),
        ("of one who has left the register", session(&office, "who-left", Some(host_now()))),
        ("of one without an account", session(&office, "worker-121", Some(host_now()))),
    ] {
        assert_eq!(renewed(&office, &token).await.status, 401, "{what}");
    }
    let left = session(&office, "who-left", Some(host_now()));
    assert_eq!(Answer::to(office.anonymous("GET", "/api/v1/me").bearer_auth(left)).await.status, 401);
    office.accounts().remove(&"worker-111".into()).await.unwrap();
    assert_eq!(renewed(&office, &good).await.status, 401, "the account is gone");
    office.closes_clean().await;
}

#[tokio::test]
async fn the_own_password_is_changed_by_whoever_knows_it() {
    let office = Office::open().await;
    office.give_account("worker-111").await;
    let change = async |current: &str, new: &str| {
        let body = json!({ "current": current, "new": new });
        office.post("/api/v1/me/password", "worker-111", &body).await
    };
    assert_eq!(change("not the password", "another long one").await.with(422)["field"], "current");
    for poor in ["short", "aaaaaaaaaaaaaa", "worker-111"] {
        assert_eq!(change(PASSWORD, poor).await.with(422)["field"], "new", "{poor}");
    }
    assert_eq!(change(PASSWORD, "另一个足够长的密码").await.with(422)["field"], "new", "nine characters");
    assert_eq!(change(PASSWORD, "另一个足够长的新密码").await.status, 204);
    assert_eq!(office.try_to_sign_in("worker-111", PASSWORD).await.status, 401);
    office.try_to_sign_in("worker-111", "另一个足够长的新密码").await.with(201);
    office.closes_clean().await;
}
