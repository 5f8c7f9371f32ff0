//! Relays and leases: what two instances of any service do beside each other.

use std::time::Duration;

use domain::case::Action;
use platform::store::{Store, lease};

use super::Pair;
use crate::interleavings::does::Does;
use crate::interleavings::session::{Said, Turn};
use crate::interleavings::stage::{LEADER, PLAIN, Part, Scene, Stage};

const SERVICE: &str = "handle";
const JOB: &str = "sweep";
const TERM: Duration = Duration::from_secs(600);

async fn two_relays(stage: &mut Stage) -> [Does; 2] {
    let first = stage.opened(PLAIN).await;
    let second = stage.opened(PLAIN).await;
    for incident in [first, second] {
        stage.acts(LEADER, Action::Sign, incident).await;
        stage.acts(LEADER, Action::Answer, incident).await;
    }
    [Does::Relays(Part::Handle), Does::Relays(Part::Handle)]
}

async fn a_relay_and_a_turn(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(PLAIN).await;
    stage.acts(LEADER, Action::Sign, incident).await;
    [Does::Relays(Part::Handle), Does::Acts(stage.act(LEADER, Action::Answer, incident))]
}

/// A fact may be drawn before another and committed behind it: the other may have been sent by then.
async fn a_turn_and_a_relay_of_another(stage: &mut Stage) -> [Does; 2] {
    let [slow, fast] = [stage.opened(PLAIN).await, stage.opened(PLAIN).await];
    let sign = |incident| Does::Acts(stage.act(LEADER, Action::Sign, incident));
    [sign(slow), Does::Then(vec![sign(fast), Does::Relays(Part::Handle)])]
}

fn hold(store: Store, holder: &'static str) -> Turn {
    Box::pin(async move {
        let held = lease::hold(store.writer(), SERVICE, JOB, holder, TERM).await.unwrap();
        Said { text: if held { "holds it" } else { "has it not" }.to_owned(), again: 0 }
    })
}

fn one_holds(_: &Scene, store: Store) -> Turn {
    hold(store, "one")
}

fn other_holds(_: &Scene, store: Store) -> Turn {
    hold(store, "other")
}

fn one_gives_up(_: &Scene, store: Store) -> Turn {
    Box::pin(async move {
        lease::release(store.writer(), SERVICE, JOB, "one").await.unwrap();
        Said { text: "gave it up".to_owned(), again: 0 }
    })
}

async fn leased(
    stage: &mut Stage,
    before: Option<Duration>,
    two: [fn(&Scene, Store) -> Turn; 2],
) -> [Does; 2] {
    if let Some(term) = before {
        assert!(lease::hold(stage.store.writer(), SERVICE, JOB, "one", term).await.unwrap());
    }
    two.map(Does::Plainly)
}

pub const LATE_COMMIT: &str = "a turn × a turn on another case, then a relay";

pub fn pairs() -> Vec<Pair> {
    vec![
        Pair::new("a relay × a relay", SERVICE, |stage| Box::pin(two_relays(stage)), ["sent", "sent"])
            .sends(Part::Handle),
        Pair::new(
            "a relay × a turn",
            SERVICE,
            |stage| Box::pin(a_relay_and_a_turn(stage)),
            ["sent", "CHECKING"],
        )
        .sends(Part::Handle),
        Pair::new(
            LATE_COMMIT,
            SERVICE,
            |stage| Box::pin(a_turn_and_a_relay_of_another(stage)),
            ["HANDLING", "HANDLING, sent"],
        )
        .sends(Part::Handle),
        Pair::new(
            "a lease × the same, by another",
            SERVICE,
            |stage| Box::pin(leased(stage, None, [one_holds, other_holds])),
            ["holds it", "has it not"],
        )
        .or(["has it not", "holds it"])
        .holds(&[("SELECT count(*) FROM handle_lease", 1)]),
        Pair::new(
            "a lease is kept × another asks for it",
            SERVICE,
            |stage| Box::pin(leased(stage, Some(TERM), [one_holds, other_holds])),
            ["holds it", "has it not"],
        ),
        Pair::new(
            "a lease is kept that was over × another asks for it",
            SERVICE,
            |stage| Box::pin(leased(stage, Some(Duration::ZERO), [one_holds, other_holds])),
            ["holds it", "has it not"],
        )
        .or(["has it not", "holds it"]),
        Pair::new(
            "a lease is given up × another asks for it",
            SERVICE,
            |stage| Box::pin(leased(stage, Some(TERM), [one_gives_up, other_holds])),
            ["gave it up", "holds it"],
        )
        .or(["gave it up", "has it not"]),
    ]
}
