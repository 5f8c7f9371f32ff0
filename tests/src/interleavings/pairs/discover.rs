//! discover: reports of one person.

use super::Pair;
use crate::interleavings::does::Does;
use crate::interleavings::stage::{PLAIN, Stage};

const ONE: &[(&str, i64)] =
    &[("SELECT count(*) FROM discover_report", 1), ("SELECT count(*) FROM discover_outbox", 1)];

async fn sends(stage: &mut Stage, [a, b]: [(&str, &str); 2]) -> [Does; 2] {
    let report = |stage: &mut Stage, (id, words)| Does::Reports(stage.report(id, PLAIN, words));
    [report(stage, a), report(stage, b)]
}

pub const SENT_TWICE: &str = "a report × the same, sent twice";

pub fn pairs() -> Vec<Pair> {
    vec![
        Pair::new(
            SENT_TWICE,
            "discover",
            |stage| Box::pin(sends(stage, [("once", "by the gate"), ("once", "by the gate")])),
            ["fresh", "known"],
        )
        .or(["known", "fresh"])
        .holds(ONE),
        Pair::new(
            "a report × another under the same client id",
            "discover",
            |stage| Box::pin(sends(stage, [("once", "by the gate"), ("once", "by the wall")])),
            ["fresh", "client_id_taken"],
        )
        .or(["client_id_taken", "fresh"])
        .holds(ONE),
        Pair::new(
            "a report × another of the same person",
            "discover",
            |stage| Box::pin(sends(stage, [("first", "by the gate"), ("second", "by the gate")])),
            ["fresh", "fresh"],
        ),
    ]
}
