//! handle: one case.

use chrono::TimeDelta;
use domain::case::{Action, ReturnReason};
use domain::id::IncidentId;
use partner::Said;

use super::Pair;
use crate::interleavings::does::Does;
use crate::interleavings::stage::{DESK, LEADER, OFFERED, PLAIN, Part, Stage, URGENT};

pub const TWO_VERDICTS: &str = "passed × failed, by two who check";
const CHECKER: &str = "checker-1";
const RETURN: Action = Action::Return(ReturnReason::WrongArea);

/// A report is routed, and handle has not heard of it.
async fn routed(stage: &mut Stage) {
    stage.reported(PLAIN).await;
    stage.settle_but(Part::Handle).await;
}

async fn opened_by_two(stage: &mut Stage, does: Does) -> [Does; 2] {
    routed(stage).await;
    [does.clone(), does]
}

/// Both do something to a case with which so much was done.
async fn both(stage: &mut Stage, before: &[(&str, Action)], two: [(&str, Action); 2]) -> [Does; 2] {
    let incident = stage.opened(PLAIN).await;
    for (person, action) in before {
        stage.acts(person, action.clone(), incident).await;
    }
    two.map(|(person, action)| Does::Acts(stage.act(person, action, incident)))
}

const SIGNED: &[(&str, Action)] = &[(LEADER, Action::Sign)];
const ANSWERED: &[(&str, Action)] = &[(LEADER, Action::Sign), (LEADER, Action::Answer)];
const PASSED: &[(&str, Action)] =
    &[(LEADER, Action::Sign), (LEADER, Action::Answer), (CHECKER, Action::Pass)];

/// Steps of a case that was not handled in time have fallen due, and handle has not heard of it.
async fn due(stage: &mut Stage) -> IncidentId {
    let incident = stage.opened(URGENT).await;
    stage.acts(LEADER, Action::Sign, incident).await;
    stage.settle().await;
    stage.passes(TimeDelta::seconds(90));
    told_of(stage).await;
    incident
}

async fn told_of(stage: &mut Stage) {
    stage.sweeps(Part::Supervise).await;
    stage.settle_but(Part::Handle).await;
}

async fn answer_and_due(stage: &mut Stage) -> [Does; 2] {
    let incident = due(stage).await;
    [Does::Acts(stage.act(LEADER, Action::Answer, incident)), Does::takes(Part::Handle)]
}

async fn due_twice(stage: &mut Stage) -> [Does; 2] {
    due(stage).await;
    [Does::takes(Part::Handle), Does::takes(Part::Handle)]
}

async fn sign_and_due(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(PLAIN).await;
    stage.passes(TimeDelta::minutes(11));
    told_of(stage).await;
    [Does::Acts(stage.act(LEADER, Action::Sign, incident)), Does::takes(Part::Handle)]
}

/// An organisation has accepted, and handle has not heard of it.
async fn accepted(stage: &mut Stage) -> IncidentId {
    let incident = stage.opened(OFFERED).await;
    let says = stage.says("home", Said::Accept, incident);
    stage.asks(says).await;
    stage.settle_but(Part::Handle).await;
    incident
}

async fn sign_and_accepted(stage: &mut Stage) -> [Does; 2] {
    let incident = accepted(stage).await;
    [Does::Acts(stage.act(LEADER, Action::Sign, incident)), Does::takes(Part::Handle)]
}

/// A case is handed on after a return, and whoever has it for the moment signs for it.
async fn sign_and_handed_on(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(PLAIN).await;
    stage.acts(LEADER, RETURN, incident).await;
    stage.settle_but(Part::Handle).await;
    [Does::Acts(stage.act(DESK, Action::Sign, incident)), Does::takes(Part::Handle)]
}

pub fn pairs() -> Vec<Pair> {
    let of_facts = vec![
        Pair::new(
            "incident.routed, taken by two that both start for the first time",
            "handle",
            |stage| Box::pin(opened_by_two(stage, Does::starts(Part::Handle))),
            ["took 1", "took 0"],
        )
        .or(["took 0", "took 1"])
        .holds(OPENED_ONCE),
        Pair::new(
            "incident.routed, taken by two that both stand before it",
            "handle",
            |stage| Box::pin(opened_by_two(stage, Does::takes(Part::Handle))),
            ["took 1", "took 0"],
        )
        .or(["took 0", "took 1"])
        .holds(OPENED_ONCE),
        Pair::new(
            "step.due, taken by two that both stand before it",
            "handle",
            |stage| Box::pin(due_twice(stage)),
            ["took 2", "took 0"],
        )
        .or(["took 0", "took 2"]),
        Pair::new(
            "answer × step.due of its limit",
            "handle",
            |stage| Box::pin(answer_and_due(stage)),
            ["CHECKING", "took 2"],
        )
        .holds(&[(
            "SELECT count(*) FROM handle_outbox WHERE kind IN ('case.reminded', 'case.escalated')",
            2,
        )]),
        Pair::new(
            "sign × step.due of its limit",
            "handle",
            |stage| Box::pin(sign_and_due(stage)),
            ["HANDLING", "took 1"],
        ),
        Pair::new(
            "sign × offer.accepted",
            "handle",
            |stage| Box::pin(sign_and_accepted(stage)),
            ["HANDLING", "took 1"],
        )
        .or(["NotYours", "took 1"])
        .holds(&[("SELECT count(*) FROM handle_outbox WHERE kind IN ('case.signed', 'case.accepted')", 1)]),
        Pair::new(
            "sign × incident.routed after a return",
            "handle",
            |stage| Box::pin(sign_and_handed_on(stage)),
            ["HANDLING", "took 1"],
        )
        .or(["NotYours", "took 1"]),
    ];
    [of_facts, of_people()].concat()
}

const OPENED_ONCE: &[(&str, i64)] =
    &[("SELECT count(*) FROM handle_case", 1), ("SELECT count(*) FROM handle_outbox", 1)];

fn of_people() -> Vec<Pair> {
    vec![
        Pair::new(
            "sign × sign, tapped twice",
            "handle",
            |stage| Box::pin(both(stage, &[], [(LEADER, Action::Sign), (LEADER, Action::Sign)])),
            ["HANDLING", "HANDLING"],
        )
        .holds(&[("SELECT count(*) FROM handle_outbox WHERE kind = 'case.signed'", 1)]),
        Pair::new(
            "answer × return",
            "handle",
            |stage| Box::pin(both(stage, SIGNED, [(LEADER, Action::Answer), (LEADER, RETURN)])),
            ["CHECKING", "NotNow"],
        )
        .or(["NotYours", "DISPATCHED"]),
        Pair::new(
            TWO_VERDICTS,
            "handle",
            |stage| Box::pin(both(stage, ANSWERED, [(CHECKER, Action::Pass), (DESK, Action::Fail)])),
            ["CHECKING", "HANDLING"],
        )
        .or(["NotNow", "HANDLING"]),
        Pair::new(
            "passed × passed, by two who check",
            "handle",
            |stage| Box::pin(both(stage, ANSWERED, [(CHECKER, Action::Pass), (DESK, Action::Pass)])),
            ["CHECKING", "NotNow"],
        )
        .or(["NotNow", "CHECKING"])
        .holds(&[("SELECT count(*) FROM handle_outbox WHERE kind = 'case.checked'", 1)]),
        Pair::new(
            "close × close, by two",
            "handle",
            |stage| Box::pin(both(stage, PASSED, [(CHECKER, Action::Close), (DESK, Action::Close)])),
            ["CLOSED", "NotNow"],
        )
        .or(["NotNow", "CLOSED"])
        .holds(&[("SELECT count(*) FROM handle_outbox WHERE kind = 'case.closed'", 1)]),
        Pair::new(
            "close × failed",
            "handle",
            |stage| Box::pin(both(stage, PASSED, [(CHECKER, Action::Close), (DESK, Action::Fail)])),
            ["CLOSED", "NotNow"],
        )
        .or(["NotNow", "HANDLING"]),
    ]
}
