//! Whatever is sent, it is answered; and one bad report among many costs the others nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::office::{Answer, Office};
use super::problem;

#[tokio::test]
async fn of_fifty_reports_sent_at_once_the_one_that_is_wrong_is_refused_alone() {
    let office = Office::open().await;
    let mut sending = JoinSet::new();
    for number in 0..50 {
        let mut report = office.new_report("road");
        if number == 23 {
            report["category"] = json!("nothing");
        }
        sending.spawn(Answer::to(office.reporting(&report)));
    }
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in sending.join_all().await {
        *statuses.entry(answer.status).or_default() += 1;
        if answer.status == 201 {
            let case = answer.json()["case"].as_str().unwrap().to_owned();
            office.get(&format!("{case}?wait=10s"), "worker-111").await.with(200);
        } else {
            assert_eq!(problem(&answer)["field"], "category");
        }
    }
    assert_eq!(statuses, BTreeMap::from([(201, 49), (422, 1)]));
    assert_eq!(office.stored().await, (49, 0));
    office.closes_clean().await;
}

/// The same wild bodies in every run.
struct Dice(u64);

impl Dice {
    /// A number below `sides`: xorshift64*.
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % sides
    }

    fn one_of<T: Clone>(&mut self, some: &[T]) -> T {
        some[self.below(some.len())].clone()
    }
}

const POINTERS: [&str; 9] = [
    "/client_id",
    "/category",
    "/place",
    "/place/lon",
    "/place/lat",
    "/place/datum",
    "/place/captured_at",
    "/place/source",
    "/description",
];

fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(0.1),
        json!(1e308),
        json!(u64::MAX),
        json!(""),
        json!("road"),
        json!("\u{0}\u{7f}\u{feff}"),
        json!("2026-03-02T00:00:00Z"),
        json!("-262143-01-01T00:00:00Z"),
        json!("9".repeat(400)),
        json!([]),
        json!([121.8, 29.9, "CGCS2000"]),
        json!({}),
        json!({ "lon": 0, "lat": 0, "datum": "BD-09" }),
    ]
}

/// A report with a field or two gone, or turned into something else.
fn other_fields(dice: &mut Dice, mut report: Value) -> Vec<u8> {
    report["place"]["captured_at"] = json!("2026-03-01T23:00:00Z");
    report["place"]["source"] = json!("gps");
    for _ in 0..=dice.below(2) {
        let (parent, key) = dice.one_of(&POINTERS).rsplit_once('/').unwrap();
        let Some(parent) = report.pointer_mut(parent).and_then(Value::as_object_mut) else { continue };
        match dice.below(4) {
            0 => drop(parent.remove(key)),
            1 => drop(parent.insert(format!("{key}_"), json!(1))),
            _ => drop(parent.insert(key.to_owned(), dice.one_of(&odd_values()))),
        }
    }
    report.to_string().into_bytes()
}

/// A report with some of its bytes changed, gone, doubled or cut off.
fn other_bytes(dice: &mut Dice, report: &Value) -> Vec<u8> {
    let mut bytes = report.to_string().into_bytes();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len().max(1));
        match dice.below(5) {
            _ if bytes.is_empty() => bytes.push(b'{'),
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, dice.one_of(b"\"\\{}[],:0-.eE \n\0\xff\xc0\xe5")),
            3 => bytes.extend_from_within(at..),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

#[tokio::test]
async fn whatever_a_body_is_it_is_answered_and_an_error_says_what_is_wrong() {
    let office = Office::open().await;
    let mut dice = Dice(20_260_302);
    let mut statuses: BTreeMap<u16, i64> = BTreeMap::new();
    for number in 0..300 {
        let report = office.new_report("road");
        let body =
            if number % 2 == 0 { other_fields(&mut dice, report) } else { other_bytes(&mut dice, &report) };
        let shown = String::from_utf8_lossy(&body).into_owned();
        let answer = Answer::to(office.request("POST", "/api/v1/reports", "worker-111").body(body)).await;
        *statuses.entry(answer.status).or_default() += 1;
        match answer.status {
            201 => {}
            400 | 409 | 422 => drop(problem(&answer)),
            status => panic!("{status} for {shown}: {answer:?}"),
        }
    }
    let taken = statuses.get(&201).copied().unwrap_or(0);
    assert_eq!(office.stored().await, (taken, 0), "{statuses:?}");
    assert!(statuses[&400] > 50 && statuses[&422] > 50, "not wild enough: {statuses:?}");
    office.still_takes_reports().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn whatever_is_asked_of_a_case_it_is_answered() {
    let office = Office::open().await;
    let case = office.case_of("road").await;
    let mut dice = Dice(111);
    for number in 0..100 {
        let good = json!({ "reason": "wrong_area", "note": "不在本网格", "passed": true });
        let body = if number % 2 == 0 {
            dice.one_of(&odd_values()).to_string().into_bytes()
        } else {
            other_bytes(&mut dice, &good)
        };
        let what = dice.one_of(&["sign", "answer", "return", "check", "close"]);
        let shown = String::from_utf8_lossy(&body).into_owned();
        let path = format!("{case}/{what}");
        let answer = Answer::to(office.request("POST", &path, "supervisor-1").body(body)).await;
        // A supervisor changes nothing, so even what is well said is refused.
        assert!(matches!(answer.status, 400 | 403 | 422), "{what} {shown}: {answer:?}");
        problem(&answer);
    }
    assert_eq!(office.get(&case, "leader-111").await.with(200)["revision"], 1);
    office.closes_clean().await;
}
