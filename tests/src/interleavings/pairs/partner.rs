//! partner: the offers of one case, the hands of one organisation, and the register.

use domain::case::Action;
use domain::id::{IncidentId, PartnerId};
use domain::partner::{DeclineReason, Partner, Standing};
use partner::{Change, Filed, Said};

use super::Pair;
use crate::interleavings::does::Does;
use crate::interleavings::session::{Said as Told, Turn};
use crate::interleavings::stage::{DESK, LEADER, OFFERED, Part, Scene, Stage};
use platform::store::Store;

const SERVICE: &str = "partner";
/// Has hands for five cases.
const HOME: &str = "home";
/// Has hands for one.
const LARK: &str = "lark";
const HEARS: Does = Does::Takes { part: Part::Partner, stood: true, partition: None };

const ACCEPTING: &str = "SELECT count(*) FROM partner_offer WHERE state = 'accepting'";
/// Offers that still concern an organisation that was removed, and that nobody will look at.
const FORGOTTEN: &str = "SELECT count(*) FROM partner_offer AS o JOIN partner_organisation AS r ON r.id = o.partner \
                         WHERE r.standing <> 'active' AND o.look_at IS NULL \
                         AND o.state IN ('open', 'accepting', 'declining', 'won')";

fn accepts(stage: &Stage, organisation: &str, incident: IncidentId) -> Does {
    Does::Partners(stage.says(organisation, Said::Accept, incident))
}

fn is(stage: &Stage, organisation: &str, standing: Standing) -> Does {
    Does::Partners(stage.stands(organisation, standing))
}

/// Both answer one offer.
async fn one_case(stage: &mut Stage, two: [&str; 2]) -> [Does; 2] {
    let incident = stage.opened(OFFERED).await;
    two.map(|organisation| accepts(stage, organisation, incident))
}

/// One organisation is asked to take two cases, and has hands for one.
async fn last_hands(stage: &mut Stage) -> [Does; 2] {
    let cases = [stage.opened(OFFERED).await, stage.opened(OFFERED).await];
    cases.map(|incident| accepts(stage, LARK, incident))
}

async fn accepted_and_removed(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(OFFERED).await;
    [accepts(stage, LARK, incident), is(stage, LARK, Standing::Removed)]
}

async fn accepted_and_signed(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(OFFERED).await;
    stage.acts(LEADER, Action::Sign, incident).await;
    stage.settle_but(Part::Partner).await;
    [accepts(stage, HOME, incident), HEARS]
}

async fn accepted_and_offered_to_one_less(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(OFFERED).await;
    let declines = stage.says(LARK, Said::Decline(DeclineReason::NotNow), incident);
    [accepts(stage, HOME, incident), Does::Partners(declines)]
}

/// The case `lark` has accepted becomes its own, and partner has not heard of it.
async fn won(stage: &mut Stage, incident: IncidentId) {
    let accepts = stage.says(LARK, Said::Accept, incident);
    stage.asks(accepts).await;
    stage.settle_but(Part::Partner).await;
}

async fn another_is_won(stage: &mut Stage) -> [Does; 2] {
    let (first, second) = (stage.opened(OFFERED).await, stage.opened(OFFERED).await);
    won(stage, first).await;
    [accepts(stage, LARK, second), HEARS]
}

async fn removed_and_won(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(OFFERED).await;
    won(stage, incident).await;
    [is(stage, LARK, Standing::Removed), HEARS]
}

/// A case is on offer, and partner has not heard that handle has agreed.
async fn removed_and_offered(stage: &mut Stage) -> [Does; 2] {
    stage.reported(OFFERED).await;
    stage.settle_but(Part::Partner).await;
    assert_eq!(stage.takes(Part::Partner).await, 1);
    stage.settle_but(Part::Partner).await;
    [is(stage, LARK, Standing::Removed), HEARS]
}

/// A case opens that `lark` may be offered, as one it has accepted becomes its own.
async fn opened_and_won(stage: &mut Stage) -> [Does; 2] {
    stage.partitions(2);
    let first = stage.opened(OFFERED).await;
    won(stage, first).await;
    stage.reported(OFFERED).await;
    stage.settle_but(Part::Partner).await;
    [Does::takes_of(Part::Partner, 0), Does::takes_of(Part::Partner, 1)]
}

/// `lark` is suspended, and what it was offered is to be taken back.
async fn suspended(stage: &mut Stage) -> IncidentId {
    let incident = stage.opened(OFFERED).await;
    let suspends = stage.stands(LARK, Standing::Suspended);
    stage.asks(suspends).await;
    incident
}

async fn swept_twice(stage: &mut Stage) -> [Does; 2] {
    suspended(stage).await;
    [Does::Sweeps(Part::Partner), Does::Sweeps(Part::Partner)]
}

async fn swept_and_active_again(stage: &mut Stage) -> [Does; 2] {
    suspended(stage).await;
    [Does::Sweeps(Part::Partner), is(stage, LARK, Standing::Active)]
}

async fn swept_and_accepted(stage: &mut Stage) -> [Does; 2] {
    let incident = suspended(stage).await;
    [Does::Sweeps(Part::Partner), accepts(stage, HOME, incident)]
}

/// What the pack has of `lark`, with hands for more.
fn with_more_hands(scene: &Scene) -> Partner {
    let known = scene.office.pack.partners.iter().find(|known| known.id == PartnerId::from(LARK));
    Partner { capacity: 3, ..known.cloned().unwrap() }
}

async fn filed_and_removed(stage: &mut Stage) -> [Does; 2] {
    let filed = Filed { partner: with_more_hands(&stage.scene), grants: stage.of_desk() };
    [Does::Partners(stage.registers(Change::File(filed))), is(stage, LARK, Standing::Removed)]
}

fn follows(scene: &Scene, store: Store) -> Turn {
    let (partner, now) = (with_more_hands(scene), scene.now());
    Box::pin(async move {
        let followed = partner::follow(&store, &[partner], now).await;
        Told { text: followed.map_or_else(|error| error.to_string(), |()| "followed".to_owned()), again: 0 }
    })
}

async fn followed_and_removed(stage: &mut Stage) -> [Does; 2] {
    [Does::Plainly(follows), is(stage, LARK, Standing::Removed)]
}

/// Nobody has taken the case; the leader and the desk place an order.
async fn ordered_twice(stage: &mut Stage) -> [Does; 2] {
    let incident = stage.opened(OFFERED).await;
    for organisation in [HOME, LARK] {
        let declines = stage.says(organisation, Said::Decline(DeclineReason::NotNow), incident);
        stage.asks(declines).await;
        stage.settle().await;
    }
    [LEADER, DESK].map(|person| Does::Partners(stage.orders(person, incident)))
}

pub const LAST_HANDS: &str = "accept × accept of another case, with hands for one";

pub fn pairs() -> Vec<Pair> {
    [of_offers(), of_the_register()].concat()
}

fn of_offers() -> Vec<Pair> {
    vec![
        Pair::new(
            "accept × accept, by two organisations",
            SERVICE,
            |stage| Box::pin(one_case(stage, [HOME, LARK])),
            ["Sent", "Sent"],
        ),
        Pair::new(
            "accept × accept, tapped by two of one organisation",
            SERVICE,
            |stage| Box::pin(one_case(stage, [HOME, HOME])),
            ["Sent", "Already"],
        )
        .or(["Already", "Sent"])
        .holds(&[(ACCEPTING, 1)]),
        Pair::new(LAST_HANDS, SERVICE, |stage| Box::pin(last_hands(stage)), ["Sent", "Late"])
            .or(["Late", "Sent"])
            .holds(&[(ACCEPTING, 1)]),
        Pair::new(
            "accept × case.accepted of another case, with hands for one",
            SERVICE,
            |stage| Box::pin(another_is_won(stage)),
            ["Late", "took 1"],
        )
        .holds(&[(ACCEPTING, 0)]),
        Pair::new(
            "accept × decline, by another organisation",
            SERVICE,
            |stage| Box::pin(accepted_and_offered_to_one_less(stage)),
            ["Sent", "Sent"],
        ),
        Pair::new(
            "accept × case.signed: the holder has taken it up",
            SERVICE,
            |stage| Box::pin(accepted_and_signed(stage)),
            ["Sent", "took 1"],
        )
        .or(["Late", "took 1"])
        .holds(&[("SELECT count(*) FROM partner_offer WHERE state = 'lost'", 2)]),
        Pair::new(
            "case.opened × case.accepted of another case, with hands for one",
            SERVICE,
            |stage| Box::pin(opened_and_won(stage)),
            ["took 1", "took 1"],
        ),
        Pair::new("order × order", SERVICE, |stage| Box::pin(ordered_twice(stage)), ["Ordered", "Ordered"]),
    ]
}

fn of_the_register() -> Vec<Pair> {
    vec![
        Pair::new(
            "accept × the organisation is removed",
            SERVICE,
            |stage| Box::pin(accepted_and_removed(stage)),
            ["Sent", "Registered"],
        )
        .or(["Late", "Registered"])
        .holds(&[(FORGOTTEN, 0)]),
        Pair::new(
            "the organisation is removed × case.offered",
            SERVICE,
            |stage| Box::pin(removed_and_offered(stage)),
            ["Registered", "took 1"],
        )
        .holds(&[(FORGOTTEN, 0)]),
        Pair::new(
            "the organisation is removed × case.accepted",
            SERVICE,
            |stage| Box::pin(removed_and_won(stage)),
            ["Registered", "took 1"],
        )
        .holds(&[(FORGOTTEN, 0)]),
        Pair::new(
            "a sweep × a sweep, over one that was suspended",
            SERVICE,
            |stage| Box::pin(swept_twice(stage)),
            ["swept", "swept"],
        )
        .holds(&[("SELECT count(*) FROM partner_outbox WHERE kind = 'offer.withdrawn'", 1)]),
        Pair::new(
            "a sweep × the organisation is active again",
            SERVICE,
            |stage| Box::pin(swept_and_active_again(stage)),
            ["swept", "Registered"],
        ),
        Pair::new(
            "a sweep over one organisation × another accepts",
            SERVICE,
            |stage| Box::pin(swept_and_accepted(stage)),
            ["swept", "Sent"],
        )
        .holds(&[(ACCEPTING, 1)]),
        Pair::new(
            "an entry is filed anew × the organisation is removed",
            SERVICE,
            |stage| Box::pin(filed_and_removed(stage)),
            ["Registered", "Registered"],
        )
        .or(["Late", "Registered"]),
        Pair::new(
            "another pack comes into force × the organisation is removed",
            SERVICE,
            |stage| Box::pin(followed_and_removed(stage)),
            ["followed", "Registered"],
        )
        .holds(&[("SELECT count(*) FROM partner_organisation WHERE standing = 'removed'", 1)]),
    ]
}
