//! supervise: the steps of one case, and the tallies of one area.

use chrono::TimeDelta;
use domain::case::{Action, ReturnReason};
use domain::facts::Topic;
use platform::store::positions::{self, Position};
use platform::store::sequences::{self, Change};
use platform::store::{commit, dead_letters};

use super::Pair;
use crate::interleavings::does::Does;
use crate::interleavings::stage::{LEADER, PLAIN, Part, Stage, URGENT};
use crate::interleavings::topics::topic_id;

const SERVICE: &str = "supervise";

/// Two steps of a case have fallen due, and nobody has told of it.
async fn due(stage: &mut Stage) {
    let incident = stage.opened(URGENT).await;
    stage.acts(LEADER, Action::Sign, incident).await;
    stage.settle().await;
    stage.passes(TimeDelta::seconds(90));
}

async fn swept_twice(stage: &mut Stage) -> [Does; 2] {
    due(stage).await;
    [Does::Sweeps(Part::Supervise), Does::Sweeps(Part::Supervise)]
}

/// handle has noticed first: the steps took effect as the case was answered.
async fn swept_and_answered(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(URGENT).await;
    stage.acts(LEADER, Action::Sign, incident).await;
    stage.settle().await;
    stage.passes(TimeDelta::seconds(90));
    stage.acts(LEADER, Action::Answer, incident).await;
    stage.settle_but(Part::Supervise).await;
    [Does::Sweeps(Part::Supervise), Does::takes(Part::Supervise)]
}

/// A case was handed on in time, and supervise hears of it when the first limit has passed.
async fn swept_and_handed_on(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(PLAIN).await;
    stage.passes(TimeDelta::minutes(9));
    stage.acts(LEADER, Action::Return(ReturnReason::WrongArea), incident).await;
    stage.settle_but(Part::Supervise).await;
    stage.passes(TimeDelta::minutes(2));
    [Does::Sweeps(Part::Supervise), Does::takes(Part::Supervise)]
}

async fn heard_twice(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(PLAIN).await;
    stage.acts(LEADER, Action::Sign, incident).await;
    stage.settle_but(Part::Supervise).await;
    [Does::takes(Part::Supervise), Does::takes(Part::Supervise)]
}

/// One that has lost the partition has read the first of two facts, and whoever has it now has read both.
async fn heard_by_an_old_owner(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.reported(PLAIN).await;
    stage.settle_but(Part::Supervise).await;
    stage.acts(LEADER, Action::Sign, incident).await;
    stage.settle_but(Part::Supervise).await;
    [Does::TakesOne(Part::Supervise), Does::takes(Part::Supervise)]
}

/// Two cases of one area, each on a partition of its own.
async fn one_area(stage: &mut Stage) -> [Does; 2] {
    stage.partitions(2);
    stage.reported(PLAIN).await;
    stage.reported(PLAIN).await;
    stage.settle_but(Part::Supervise).await;
    [Does::takes_of(Part::Supervise, 0), Does::takes_of(Part::Supervise, 1)]
}

/// The first fact of a case is a dead letter whose cause was mended; the next has arrived.
async fn retried(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.reported(PLAIN).await;
    stage.settle_but(Part::Supervise).await;
    stage.acts(LEADER, Action::Sign, incident).await;
    stage.settle_but(Part::Supervise).await;
    let dead = stage.first_of(Topic::Handled, incident);
    let tx = stage.store.begin().await.unwrap();
    dead_letters::keep(&tx, SERVICE, &dead, "as if it could not be decided", stage.now(), false)
        .await
        .unwrap();
    let stands = Position { topic_id: topic_id(Topic::Handled), after: dead.position };
    positions::begin(&tx, SERVICE, dead.source, &stands).await.unwrap();
    let none =
        [Topic::Handled, Topic::Supervised].map(|topic| Change { topic, incident, last: 0, fresh: true });
    sequences::save(&tx, SERVICE, &none).await.unwrap();
    commit(tx, "setting a fact aside").await.unwrap();
    assert_eq!(dead_letters::ask_retry_of_all(stage.store.writer(), SERVICE).await.unwrap(), 1);
    [Does::Retries(Part::Supervise), Does::takes(Part::Supervise)]
}

pub const SWEEP_AND_FACT: &str = "a sweep × case.answered";
pub const OLD_OWNER: &str = "case.opened, read by an old owner × it and case.signed, by the new";

pub fn pairs() -> Vec<Pair> {
    vec![
        Pair::new("a sweep × a sweep", SERVICE, |stage| Box::pin(swept_twice(stage)), ["swept", "swept"])
            .holds(&[("SELECT count(*) FROM supervise_outbox", 2)]),
        Pair::new(
            SWEEP_AND_FACT,
            SERVICE,
            |stage| Box::pin(swept_and_answered(stage)),
            ["swept", "took 3"],
        )
        .holds(&[
            ("SELECT count(*) FROM supervise_outbox", 2),
            ("SELECT count(*) FROM supervise_step WHERE noticed_at IS NOT NULL AND done_at IS NOT NULL", 2),
        ]),
        Pair::new(
            "a sweep × the case is handed on, its limit moved",
            SERVICE,
            |stage| Box::pin(swept_and_handed_on(stage)),
            ["swept", "took 2"],
        ),
        Pair::new(
            "case.signed, heard by two that both stand before it",
            SERVICE,
            |stage| Box::pin(heard_twice(stage)),
            ["took 1", "took 0"],
        )
        .or(["took 0", "took 1"]),
        Pair::new(
            OLD_OWNER,
            SERVICE,
            |stage| Box::pin(heard_by_an_old_owner(stage)),
            ["took 1", "took 1"],
        )
        .or(["took 0", "took 2"])
        .holds(&[("SELECT position FROM supervise_position", 2)]),
        Pair::new(
            "case.opened × case.opened of another case of the area",
            SERVICE,
            |stage| Box::pin(one_area(stage)),
            ["took 1", "took 1"],
        )
        .holds(&[("SELECT count FROM supervise_tally WHERE measure = 'opened'", 2)]),
        Pair::new(
            "a dead letter is tried again × the next fact of its case",
            SERVICE,
            |stage| Box::pin(retried(stage)),
            ["retried", "took 1"],
        )
        .or(["retried", "took 0 parked 1"])
        .holds(&[
            ("SELECT count(*) FROM supervise_parked", 0),
            ("SELECT count(*) FROM supervise_dead_letter", 0),
            ("SELECT last FROM supervise_sequence WHERE topic = 'handled'", 2),
        ]),
    ]
}
