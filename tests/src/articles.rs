//! What the reports behind the project tell, lived through once each with their numbers: 北仑 2015 and 2022, 海宁,
//! 诸暨, 浙江. The streets are the made-up ones of the packs `beilun` and `tongxi`; grids are 示意网格，非法定界线.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use discover::NewReport;
use domain::area::AreaPath;
use domain::case::{Action, Case, Refusal, ReturnReason};
use domain::facts::CaseFact;
use domain::holder::{Holder, Post};
use domain::id::IncidentId;
use domain::partner::{DeclineReason, Standing};
use domain::rights;
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
fn a_week_later() -> DateTime<Utc> {
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

const STREET: &str = "330481/330481004";
/// 桐溪社区, where they all live now.
const TONGXI: &str = "330481004002";
/// The eight villages they come from, and are members of still.
const VILLAGES: [&str; 8] = [
    "330481004003",
    "330481004005",
    "330481004006",
    "330481004007",
    "330481004008",
    "330481004009",
    "330481004201",
    "330481004216",
];
/// In the middle of the first grid of 桐溪社区.
const IN_TONGXI: (f64, f64) = (120.7075, 30.4825);
const TONGXI_WORKER: &str = "worker-002001";
/// 三类事项清单: 经济协商, 股权核定, 民生服务.
const ECONOMY: &str = "3101";
const SHARES: &str = "3201";
const EVERYDAY: &str = "3301";

impl World {
    /// A matter of somebody who lives in 桐溪社区 and is registered in `home`, reported and not yet routed.
    async fn matter_of(&mut self, category: &str, home: Option<&str>) -> IncidentId {
        let registered_area = home.map(str::to_owned);
        let report = NewReport { registered_area, ..self.new_report(category, IN_TONGXI) };
        self.submit(TONGXI_WORKER, report).await.unwrap().incident
    }

    /// Every case as it was opened.
    async fn opened(&self) -> BTreeMap<IncidentId, Case> {
        let readers = self.all.around.store.readers();
        let records = platform::store::log::slice(readers, 0, i64::MAX).await.unwrap();
        let opened = records.into_iter().filter(|record| record.kind == "case.opened");
        opened.map(|record| (record.incident, record.body::<CaseFact>().unwrap().case)).collect()
    }

    /// Whether somebody of the pack may see a case.
    fn sees(&self, person: &str, case: &Case) -> bool {
        let grants = &self.all.pack.people.get(&person.into()).unwrap().grants;
        rights::may(grants, rights::Action::SeeCase, &case.area, &case.holder)
    }
}

fn of_street(code: &str) -> String {
    format!("{STREET}/{code}")
}

fn village_desk(code: &str) -> String {
    format!("community-{}", &code[9..])
}

/// “桐溪社区由 8 个村的居民组成，户人分离率 98.5%”: of 200 residents 197 are registered in one of the villages.
#[tokio::test]
async fn haining_of_200_residents_of_one_community_197_belong_to_8_villages_and_each_village_decides_on_its_own_shares()
 {
    let mut world = World::on("tongxi", a_week_later()).await;
    let homes: Vec<&str> = (0..200).map(|n| if n < 197 { VILLAGES[n % 8] } else { TONGXI }).collect();
    let mut matters = Vec::new();
    for home in homes {
        let everyday = world.matter_of(EVERYDAY, None).await;
        matters.push((home, everyday, world.matter_of(SHARES, Some(home)).await));
    }
    world.settle().await;
    let cases = world.opened().await;

    let mut elsewhere = 0;
    for (home, everyday, shares) in &matters {
        let (everyday, shares) = (&cases[everyday], &cases[shares]);
        let grid = format!("{}/330481004002001", of_street(TONGXI));
        assert_eq!(everyday.holder.to_string(), format!("grid_leader:{grid}"), "民生服务: where it is");
        assert_eq!(
            shares.holder.to_string(),
            format!("community:{}", of_street(home)),
            "股权核定: whose it is"
        );
        assert_eq!(
            shares.area.as_str(),
            of_street(home),
            "the case lies with its holder, and climbs from there"
        );
        assert!(shares.flags.is_empty() && everyday.flags.is_empty());
        assert!(world.sees(&village_desk(home), shares) && world.sees("desk-1", shares));
        elsewhere += u32::from(!world.sees("community-002", shares));
    }
    assert_eq!(f64::from(elsewhere) / f64::from(200), 0.985, "户人分离率");
    for village in VILLAGES {
        let path: AreaPath = of_street(village).parse().unwrap();
        let own = cases.values().filter(|case| case.area == path);
        assert!((24..=25).contains(&own.count()), "{village}");
    }
    let [(_, _, first), (_, _, second), ..] = matters.as_slice() else { panic!("200 residents") };
    assert!(!world.sees(&village_desk(VILLAGES[1]), &cases[first]), "no village sees another's shares");
    let foreign = world.act(&village_desk(VILLAGES[0]), Action::Sign, *second).await;
    assert!(matches!(foreign, Err(Refusal::Unknown)), "{foreign:?}");
    world.act(&village_desk(VILLAGES[0]), Action::Sign, *first).await.unwrap();
}

/// “1+8”协商: what the villages settle among themselves comes to each of them, and back up to their street.
#[tokio::test]
async fn haining_what_a_village_gives_back_goes_up_to_its_street_and_not_to_where_its_members_live() {
    let mut world = World::on("tongxi", a_week_later()).await;
    let incident = world.matter_of(ECONOMY, Some(VILLAGES[6])).await;
    world.settle().await;
    assert_eq!(world.held_by(incident).await, format!("community:{}", of_street(VILLAGES[6])));
    let desk = village_desk(VILLAGES[6]);
    world.act(&desk, Action::Return(ReturnReason::UnclearOwner), incident).await.unwrap();
    assert_eq!(world.history(incident).await, ["case.opened", "case.returned", "case.assigned"]);
    assert_eq!(world.held_by(incident).await, format!("street_desk:{STREET}"));
    world.act("desk-1", Action::Sign, incident).await.unwrap();
}

#[tokio::test]
async fn haining_shares_of_somebody_whose_village_nobody_wrote_down_are_looked_into_by_the_community_they_live_in()
 {
    let mut world = World::on("tongxi", a_week_later()).await;
    let incident = world.matter_of(SHARES, None).await;
    world.settle().await;
    let cases = world.opened().await;
    let case = &cases[&incident];
    assert_eq!(case.holder.to_string(), format!("community:{}", of_street(TONGXI)));
    assert_eq!(case.area.as_str(), of_street(TONGXI));
    assert_eq!(case.flags, ["no_registration"]);
    assert!(!world.sees("leader-002001", case), "no grid's");
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
