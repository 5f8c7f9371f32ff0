//! What the reports behind the project tell, lived through once each with their numbers: 北仑 2015 and 2022, 海宁,
//! 诸暨, 浙江. The street is the made-up one of the pack `beilun`; grids are 示意网格，非法定界线.

use chrono::{DateTime, TimeDelta, Utc};
use domain::case::{Action, Refusal};
use domain::holder::{Holder, Post};
use domain::id::IncidentId;
use domain::partner::{DeclineReason, Standing};
use partner::{Done, OfferState, Refused, Said};

use crate::world::World;

/// In the middle of the first and of the third grid of 海棠社区.
const HAITANG_1: (f64, f64) = (121.803_558, 29.925_353);
const HAITANG_3: (f64, f64) = (121.809_700, 29.919_931);
const WORKER: &str = "worker-002009002";
/// 僵尸车: abandoned vehicles, nobody's but the grid's. 志愿清扫: a clean-up, offered to organisations.
const VEHICLE: &str = "0501";
const CLEAN_UP: &str = "2102";

/// Monday, 10:00 in Beilun; the leaders of the first and the third grid are on leave that week.
fn monday() -> DateTime<Utc> {
    "2026-03-02T02:00:00Z".parse().unwrap()
}

/// Monday a week later: everybody is back.
pub fn a_week_later() -> DateTime<Utc> {
    monday() + TimeDelta::days(7)
}

impl World {
    async fn in_beilun(now: DateTime<Utc>) -> Self {
        Self::on("beilun", now).await
    }

    async fn reported(&mut self, category: &str, at: (f64, f64)) -> IncidentId {
        let report = self.new_report(category, at);
        let submitted = self.submit(WORKER, report).await.unwrap();
        self.settle().await;
        submitted.incident
    }

    async fn held_by(&self, incident: IncidentId) -> String {
        handle::holders(&self.all.around.store, &[incident]).await.unwrap()[&incident].to_string()
    }
}

fn leader_of(grid: &str) -> String {
    format!("grid_leader:330206/330206002/330206002009/{grid}")
}

/// “富春江路还有几辆僵尸车…现场马上发来”: said in the chat group, and closed the same day by somebody else.
#[tokio::test]
async fn beilun_what_is_said_in_the_chat_group_is_a_case_within_the_grid_and_is_closed_there() {
    let mut world = World::in_beilun(a_week_later()).await;
    let incident = world.reported(VEHICLE, HAITANG_1).await;
    assert_eq!(world.held_by(incident).await, leader_of("330206002009001"));
    world.pass(TimeDelta::minutes(10)).await;
    world.act("leader-002009001", Action::Sign, incident).await.unwrap();
    world.pass(TimeDelta::hours(1)).await;
    world.act("leader-002009001", Action::Answer, incident).await.unwrap();
    let own = world.act("leader-002009001", Action::Pass, incident).await;
    assert!(matches!(own, Err(Refusal::NotYours { .. })), "nobody checks the own work");
    world.act("checker-1", Action::Pass, incident).await.unwrap();
    world.act("checker-1", Action::Close, incident).await.unwrap();
    let told = world.history(incident).await;
    let expected = ["case.opened", "case.signed", "case.answered", "case.checked", "case.closed"];
    assert_eq!(told, expected, "小事不出网格: it never climbed");
}

/// “网格长大多是社工兼职 … 部分网格‘空转’”: a grid whose leader is away is not left to itself.
#[tokio::test]
async fn beilun_a_leader_who_is_away_is_stood_in_for_and_a_post_without_anybody_goes_up_at_once() {
    let mut world = World::in_beilun(monday()).await;
    let pack = world.all.pack.clone();
    let local = pack.calendar.local(monday());
    let first =
        Holder { post: Post::GridLeader, area: pack.areas.by_code("330206002009001").unwrap().path.clone() };
    let on_duty = pack.people.on_duty(&first, local).unwrap();
    assert_eq!((on_duty.person.id.0.as_str(), on_duty.stands_in), ("leader-002009002", true), "AB 岗");
    let stood_in = world.reported(VEHICLE, HAITANG_1).await;
    assert_eq!(world.held_by(stood_in).await, leader_of("330206002009001"));
    world.act("leader-002009002", Action::Sign, stood_in).await.unwrap();

    let vacant = world.reported(VEHICLE, HAITANG_3).await;
    assert_eq!(world.held_by(vacant).await, "community:330206/330206002/330206002009");
    world.act("community-002009", Action::Sign, vacant).await.unwrap();
}

/// “群众点单—社区下单—社会组织接单”.
#[tokio::test]
async fn haining_what_residents_ask_for_and_the_community_orders_an_organisation_takes() {
    let mut world = World::in_beilun(a_week_later()).await;
    let incident = world.reported(CLEAN_UP, HAITANG_1).await;
    assert_eq!(world.history(incident).await, ["case.opened", "case.offered"], "点单");
    for partner in ["hongling", "wenti"] {
        world.says(partner, Said::Decline(DeclineReason::NoCapacity), incident).await.unwrap();
    }
    world.says("bailing", Said::Decline(DeclineReason::NotNow), incident).await.unwrap();
    assert_eq!(world.held_by(incident).await, leader_of("330206002009001"));
    world.orders("community-002009", incident, &["bailing"]).await.unwrap();
    assert_eq!(
        world.says("bailing", Said::Accept, incident).await,
        Ok(Done::Sent { round: 2 }),
        "下单, 接单"
    );
    assert_eq!(world.held_by(incident).await, "partner:org/bailing");
}

/// “清退 100 余家”: an organisation removed in mid-offer and one removed while it works; the case is never nobody's.
#[tokio::test]
async fn zhuji_an_organisation_removed_in_mid_offer_loses_it_and_no_case_loses_its_holder() {
    let mut world = World::in_beilun(a_week_later()).await;
    let held = world.reported(CLEAN_UP, HAITANG_1).await;
    world.says("bailing", Said::Accept, held).await.unwrap();
    let offered = world.reported(CLEAN_UP, HAITANG_3).await;
    world.stands("bailing", Standing::Removed).await.unwrap();
    assert_eq!(world.held_by(held).await, leader_of("330206002009001"));
    assert_eq!(world.held_by(offered).await, leader_of("330206002009003"));
    let late = world.says("bailing", Said::Accept, offered).await;
    assert_eq!(late, Err(Refused::Late(OfferState::Withdrawn.text())));
    assert_eq!(world.says("hongling", Said::Accept, offered).await, Ok(Done::Sent { round: 1 }));
}
