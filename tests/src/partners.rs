//! 社会组织: a case is offered, taken, given back, and never without a holder; on one file, on a driven clock.

use chrono::TimeDelta;
use domain::calendar::Limit;
use domain::case::{Action, Refusal, ReturnReason};
use domain::deadline::DeadlineKind;
use domain::holder::organisation;
use domain::id::{IncidentId, PartnerId};
use domain::partner::{Class, DeclineReason, Partner, Standing, Status};
use domain::rights::{Grant, Role};
use domain::text::Text;
use handle::Act;
use partner::{Answer, Change, Command, Done, Filed, OfferState, Order, Refused, Said};
use platform::pack::Pack;
use platform::turn::Asked;

use crate::process::{PARTNERED, pack};
use crate::world::{World, monday_morning};

/// A category that organisations of the class `service` are offered by itself.
pub const OFFERED: &str = "clean-up";
/// One with two stages before the whole, that nobody is offered.
pub const STAGED: &str = "building";
/// One that stays in the office.
const SENSITIVE: &str = "dispute";
const STREET: &str = "990001/990001001";
const LEADER: &str = "leader-111";

/// The two streets with organisations: in the first `lark`, which can take one case, and `home`. They have three hours to
/// answer; and a sensitive category names their class, which no file may.
pub fn with_partners() -> Pack {
    let mut pack = Pack::load(&pack(PARTNERED)).unwrap();
    pack.policy.offer_limit = Some(Limit::parse("3h").unwrap());
    pack.categories.get_mut(&SENSITIVE.into()).unwrap().offer_to = vec![Class::Service];
    pack
}

/// What `partners.csv` has of one of them.
fn organisation_of(id: &str, capacity: u32) -> Partner {
    Partner {
        id: id.into(),
        name: Text::new(format!("{id}（示意）"), id),
        class: Class::Service,
        status: Status::Filed,
        office: STREET.parse().unwrap(),
        members: 12,
        in_charge: true,
        charter: true,
        fixed_place: true,
        coverage: vec![STREET.parse().unwrap()],
        categories: Vec::new(),
        capacity,
        standing: Standing::Active,
    }
}

/// What the people of an organisation may do.
pub fn member(partner: &str) -> Vec<Grant> {
    vec![Grant { role: Role::Partner, area: organisation(&partner.into()) }]
}

impl World {
    pub async fn with_partners() -> Self {
        Self::of(with_partners(), monday_morning()).await
    }

    async fn asks(&mut self, command: Command, by: &str) -> Result<Done, Refused> {
        let asked = Asked { command, by: by.into(), recorded_at: self.now() };
        let answer = {
            let mut partner = self.all.partner.as_ref().unwrap().lock().await;
            partner.obey(&[asked]).await.remove(0).unwrap()
        };
        self.settle().await;
        self.all.sweep().await.unwrap();
        answer
    }

    /// One of an organisation's people answers an offer, now.
    pub async fn says(&mut self, partner: &str, says: Said, incident: IncidentId) -> Result<Done, Refused> {
        let answer = Answer { incident, partner: partner.into(), says, grants: member(partner) };
        self.asks(Command::Answer(answer), &format!("{partner}-1")).await
    }

    /// 下单.
    pub async fn orders(
        &mut self,
        by: &str,
        incident: IncidentId,
        partners: &[&str],
    ) -> Result<Done, Refused> {
        let grants = self.all.pack.people.get(&by.into()).unwrap().grants.clone();
        let partners = partners.iter().map(|partner| PartnerId::from(*partner)).collect();
        self.asks(Command::Order(Order { incident, partners, grants }), by).await
    }

    async fn changes(&mut self, change: Change) -> Result<Done, Refused> {
        self.asks(Command::Register(change), "desk-1a").await
    }

    /// The desk of the office an organisation is filed with changes its standing.
    pub async fn stands(&mut self, partner: &str, standing: Standing) -> Result<Done, Refused> {
        let (partner, reason) = (PartnerId::from(partner), "示意".to_owned());
        let known = self.all.pack.partners.iter().find(|known| known.id == partner);
        let area = known.map(|known| known.office.clone()).unwrap();
        let grants = vec![Grant { role: Role::StreetDesk, area }];
        self.changes(Change::Standing { partner, standing, reason, grants }).await
    }

    /// Where a case stands, and who holds it.
    async fn stood(&self, incident: IncidentId) -> (String, String) {
        let holders = handle::holders(&self.all.around.store, &[incident]).await.unwrap();
        let last = self.history(incident).await.pop().unwrap();
        (last.trim_start_matches("case.").to_owned(), holders[&incident].to_string())
    }

    async fn of_partner(
        &mut self,
        partner: &str,
        action: Action,
        incident: IncidentId,
    ) -> Result<(), Refusal> {
        let command = Act { incident, action, grants: member(partner), seen: None, note: None };
        let by = format!("{partner}-1").as_str().into();
        let asked = Asked { command, by, recorded_at: self.now() };
        let answer = self.all.handle.lock().await.obey(&[asked]).await.remove(0).unwrap();
        self.settle().await;
        answer.map(|_| ())
    }
}

fn desk() -> Vec<Grant> {
    vec![Grant { role: Role::StreetDesk, area: STREET.parse().unwrap() }]
}

fn grid() -> String {
    format!("grid_leader:{STREET}/990001001001/990001001001001")
}

fn stands(last: &str, holder: &str) -> (String, String) {
    (last.to_owned(), holder.to_owned())
}

/// One case taken and closed, one declined by all, one that nobody answers, one taken back, one with a stage done.
pub async fn everything_happens(world: &mut World) {
    let closed = world.case_of(OFFERED).await;
    world.says("home", Said::Accept, closed).await.unwrap();
    world.of_partner("home", Action::Answer, closed).await.unwrap();
    world.act("checker-1", Action::Pass, closed).await.unwrap();
    world.act("checker-1", Action::Close, closed).await.unwrap();
    let declined = world.case_of(OFFERED).await;
    for partner in ["lark", "home"] {
        world.says(partner, Said::Decline(DeclineReason::NotOurWork), declined).await.unwrap();
    }
    let held = world.case_of(OFFERED).await;
    world.says("lark", Said::Accept, held).await.unwrap();
    world.stands("lark", Standing::Suspended).await.unwrap();
    world.case_of(OFFERED).await;
    let building = world.case_of(STAGED).await;
    world.act(LEADER, Action::Sign, building).await.unwrap();
    world.act(LEADER, Action::Stage, building).await.unwrap();
    world.pass(TimeDelta::hours(5)).await;
}

#[tokio::test]
async fn everything_that_can_happen_to_offers_leaves_a_file_that_the_audit_finds_clean() {
    let mut world = World::with_partners().await;
    everything_happens(&mut world).await;
    let options = gridward::audit::Options { strict: true, now: Some(world.now()) };
    let report = gridward::audit::audit(world.folder.path(), options).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
}

#[tokio::test]
async fn a_case_is_offered_to_all_that_fit_and_the_first_that_accepts_holds_it_to_its_close() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(OFFERED).await;
    assert_eq!(world.stood(incident).await, stands("offered", &grid()));
    assert_eq!(world.says("home", Said::Accept, incident).await, Ok(Done::Sent { round: 1 }));
    assert_eq!(world.stood(incident).await, stands("accepted", "partner:org/home"));
    let late = world.says("lark", Said::Accept, incident).await.unwrap_err();
    assert_eq!(late, Refused::Late(OfferState::Lost.text()), "the other is told");
    let again = world.says("home", Said::Accept, incident).await;
    assert_eq!(again, Ok(Done::Already(OfferState::Won)), "a second tap");

    assert_eq!(
        world.act(LEADER, Action::Answer, incident).await.unwrap_err(),
        Refusal::NotYours { action: Action::Answer.en(), action_zh: Action::Answer.zh() }
    );
    world.of_partner("home", Action::Answer, incident).await.unwrap();
    world.act("checker-1", Action::Pass, incident).await.unwrap();
    world.act("checker-1", Action::Close, incident).await.unwrap();
    assert_eq!(world.stood(incident).await, stands("closed", "partner:org/home"));
}

#[tokio::test]
async fn two_that_accept_at_the_same_moment_one_gets_it_and_the_other_is_told() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(OFFERED).await;
    let asked = |partner: &str| {
        let answer =
            Answer { incident, partner: partner.into(), says: Said::Accept, grants: member(partner) };
        Asked {
            command: Command::Answer(answer),
            by: format!("{partner}-1").as_str().into(),
            recorded_at: world.now(),
        }
    };
    let both = [asked("lark"), asked("home")];
    // In one turn, before either is known to handle.
    let answers = world.all.partner.as_ref().unwrap().lock().await.obey(&both).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Ok(Done::Sent { round: 1 })))));
    world.settle().await;
    assert_eq!(world.stood(incident).await, stands("accepted", "partner:org/lark"));
    assert_eq!(world.says("lark", Said::Accept, incident).await, Ok(Done::Already(OfferState::Won)));
    assert_eq!(world.says("home", Said::Accept, incident).await, Err(Refused::Late(OfferState::Lost.text())));
}

#[tokio::test]
async fn declining_counts_against_nobody_and_the_last_one_gives_it_back_to_the_grid() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(OFFERED).await;
    let no = Said::Decline(DeclineReason::NoCapacity);
    world.says("lark", no, incident).await.unwrap();
    assert_eq!(world.stood(incident).await, stands("declined", &grid()));
    world.says("home", no, incident).await.unwrap();
    world.act(LEADER, Action::Sign, incident).await.unwrap();
    assert_eq!(world.stood(incident).await, stands("signed", &grid()));
}

#[tokio::test]
async fn silence_flows_back_to_the_grid_and_the_grid_gets_time_to_sign() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(OFFERED).await;
    world.pass(TimeDelta::minutes(181)).await;
    assert_eq!(world.stood(incident).await, stands("lapsed", &grid()));
    assert_eq!(
        world.says("home", Said::Accept, incident).await,
        Err(Refused::Late(OfferState::Lapsed.text()))
    );
    assert!(
        !world.history(incident).await.contains(&"case.escalated".to_owned()),
        "silence is nobody's breach"
    );
    world.act(LEADER, Action::Sign, incident).await.unwrap();
}

#[tokio::test]
async fn what_an_organisation_has_not_done_in_time_is_taken_from_it_by_whoever_is_answerable() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(OFFERED).await;
    world.says("lark", Said::Accept, incident).await.unwrap();
    let community = format!("community:{STREET}/990001001001");
    let take_over = Action::Transfer(community.parse().unwrap());
    let early = world.act("community-11", take_over.clone(), incident).await;
    assert!(matches!(early, Err(Refusal::NotYours { .. })), "{early:?}");
    world.pass(TimeDelta::minutes(12 * 60 + 1)).await;
    world.act("community-11", take_over, incident).await.unwrap();
    assert_eq!(world.stood(incident).await, stands("assigned", &community));
    let told = world.says("lark", Said::Accept, incident).await;
    assert_eq!(told, Err(Refused::Late(OfferState::TakenBack.text())), "it did not give it back");
    let next = world.case_of(OFFERED).await;
    let free = world.says("lark", Said::Accept, next).await;
    assert_eq!(free, Ok(Done::Sent { round: 1 }), "its hands are free again");
}

#[tokio::test]
async fn what_is_due_before_an_offer_would_end_stays_with_the_grid_and_nobody_can_order_it_either() {
    let mut pack = with_partners();
    // It has to be handled in 12 h itself.
    pack.policy.offer_limit = Some(Limit::parse("12h").unwrap());
    let mut world = World::of(pack, monday_morning()).await;
    let incident = world.case_of(OFFERED).await;
    assert_eq!(world.stood(incident).await, stands("opened", &grid()));
    assert_eq!(world.says("home", Said::Accept, incident).await, Err(Refused::Unknown), "it was not asked");
    let refused = world.orders("community-11", incident, &["home"]).await;
    let Err(Refused::Late(text)) = refused else { panic!("{refused:?}") };
    assert!(text.zh.contains("来不及") && text.en.contains("too late to offer it"), "{text:?}");
    world.act(LEADER, Action::Sign, incident).await.unwrap();
    assert_eq!(world.stood(incident).await, stands("signed", &grid()));
}

#[tokio::test]
async fn an_organisation_that_has_its_hands_full_is_not_asked_again() {
    let mut world = World::with_partners().await;
    let first = world.case_of(OFFERED).await;
    world.says("lark", Said::Accept, first).await.unwrap();
    let second = world.case_of(OFFERED).await;
    assert_eq!(world.says("lark", Said::Accept, second).await, Err(Refused::Unknown), "it was not asked");
    world.says("home", Said::Accept, second).await.unwrap();
    world.of_partner("lark", Action::Return(ReturnReason::WrongArea), first).await.unwrap();
    assert_eq!(world.stood(first).await, stands("released", &grid()));
    let third = world.case_of(OFFERED).await;
    assert_eq!(world.says("lark", Said::Accept, third).await, Ok(Done::Sent { round: 1 }));
}

#[tokio::test]
async fn what_is_accepted_and_not_decided_yet_counts_against_the_capacity() {
    let mut world = World::with_partners().await;
    let (first, second) = (world.case_of(OFFERED).await, world.case_of(OFFERED).await);
    let asked = |incident| {
        let answer = Answer { incident, partner: "lark".into(), says: Said::Accept, grants: member("lark") };
        Asked { command: Command::Answer(answer), by: "lark-1".into(), recorded_at: world.now() }
    };
    let mut partner = world.all.partner.as_ref().unwrap().lock().await;
    // Two turns, and nobody has told handle of the first.
    let one = partner.obey(&[asked(first)]).await.remove(0).unwrap();
    let other = partner.obey(&[asked(second)]).await.remove(0).unwrap();
    assert_eq!(one, Ok(Done::Sent { round: 1 }));
    assert!(matches!(other, Err(Refused::Late(_))), "{other:?}");
}

#[tokio::test]
async fn an_offer_is_not_taken_outside_what_the_register_says_now_and_what_was_removed_is_not_filed_again() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(OFFERED).await;
    let elsewhere = format!("{STREET}/990001001002").parse().unwrap();
    let moved = Partner { coverage: vec![elsewhere], ..organisation_of("home", 5) };
    world.changes(Change::File(Filed { partner: moved, grants: desk() })).await.unwrap();
    let late = world.says("home", Said::Accept, incident).await;
    assert!(matches!(late, Err(Refused::Late(_))), "{late:?}");
    assert_eq!(world.stood(incident).await, stands("offered", &grid()));
    world.stands("home", Standing::Removed).await.unwrap();
    let again = Filed { partner: organisation_of("home", 5), grants: desk() };
    assert!(matches!(world.changes(Change::File(again)).await, Err(Refused::Late(_))));
}

#[tokio::test]
async fn an_office_files_nobody_for_the_area_of_another() {
    let mut world = World::with_partners().await;
    let next_street = "990001/990001002".parse().unwrap();
    let elsewhere = Partner { coverage: vec![next_street], ..organisation_of("crow", 1) };
    let refused = world.changes(Change::File(Filed { partner: elsewhere, grants: desk() })).await;
    assert!(matches!(refused, Err(Refused::Field("coverage", _))), "{refused:?}");
}

#[tokio::test]
async fn an_organisation_suspended_in_mid_offer_loses_it_and_one_that_holds_a_case_gives_it_back() {
    let mut world = World::with_partners().await;
    let held = world.case_of(OFFERED).await;
    world.says("home", Said::Accept, held).await.unwrap();
    let offered = world.case_of(OFFERED).await;
    world.stands("home", Standing::Suspended).await.unwrap();
    assert_eq!(world.stood(held).await, stands("released", &grid()));
    assert_eq!(world.stood(offered).await, stands("released", &grid()), "lark is still asked");
    let late = world.says("home", Said::Accept, offered).await;
    assert_eq!(late, Err(Refused::Late(OfferState::Withdrawn.text())));
    assert_eq!(world.says("lark", Said::Accept, offered).await, Ok(Done::Sent { round: 1 }));

    world.stands("home", Standing::Active).await.unwrap();
    let next = world.case_of(OFFERED).await;
    assert_eq!(world.says("home", Said::Accept, next).await, Ok(Done::Sent { round: 1 }));
    world.stands("home", Standing::Removed).await.unwrap();
    assert!(matches!(world.stands("home", Standing::Active).await, Err(Refused::Late(_))), "for good");
}

#[tokio::test]
async fn a_desk_places_an_order_itself_and_only_with_whom_it_fits() {
    let mut world = World::with_partners().await;
    world.stands("lark", Standing::Suspended).await.unwrap();
    let incident = world.case_of(OFFERED).await;
    world.says("home", Said::Decline(DeclineReason::NotNow), incident).await.unwrap();
    let unfit = world.orders("community-11", incident, &["lark"]).await;
    assert!(matches!(unfit, Err(Refused::Field("partners", _))), "{unfit:?}");
    let ordered = world.orders("community-11", incident, &[]).await;
    assert_eq!(ordered, Ok(Done::Ordered(vec!["home".into()])));
    assert_eq!(world.stood(incident).await, stands("offered", &grid()));
    assert_eq!(world.says("home", Said::Accept, incident).await, Ok(Done::Sent { round: 2 }));
    let again = world.orders("community-11", incident, &[]).await;
    assert!(matches!(again, Err(Refused::Late(_))), "it is held by an organisation: {again:?}");
}

#[tokio::test]
async fn nobody_of_the_next_street_orders_or_keeps_the_register() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(OFFERED).await;
    assert_eq!(world.orders("desk-2a", incident, &[]).await, Err(Refused::Unknown));
    let other = vec![Grant { role: Role::StreetDesk, area: "990001/990001002".parse().unwrap() }];
    let reason = "示意".to_owned();
    let (partner, standing) = ("home".into(), Standing::Removed);
    let change = Change::Standing { partner, standing, reason, grants: other.clone() };
    assert!(matches!(world.changes(change).await, Err(Refused::NotYours(_))));
    let file = Change::File(Filed { partner: organisation_of("crow", 1), grants: other });
    assert!(matches!(world.changes(file).await, Err(Refused::NotYours(_))));
}

#[tokio::test]
async fn the_street_files_nobody_with_nine_members() {
    let mut world = World::with_partners().await;
    let nine = Partner { members: 9, ..organisation_of("crow", 1) };
    let refused = world.changes(Change::File(Filed { partner: nine, grants: desk() })).await;
    let Err(Refused::Field("partner", text)) = refused else { panic!("{refused:?}") };
    assert_eq!(text.zh, "备案须有成员 10 人以上，现为 9 人");
    let ten = Partner { members: 10, ..organisation_of("crow", 1) };
    let filed = world.changes(Change::File(Filed { partner: ten, grants: desk() })).await;
    assert_eq!(filed, Ok(Done::Registered));
    let incident = world.case_of(OFFERED).await;
    assert_eq!(world.says("crow", Said::Accept, incident).await, Ok(Done::Sent { round: 1 }));
}

#[tokio::test]
async fn a_sensitive_case_is_offered_to_nobody_and_partner_does_not_know_it() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(SENSITIVE).await;
    assert_eq!(world.stood(incident).await.0, "opened");
    assert_eq!(world.orders("desk-1a", incident, &[]).await, Err(Refused::Unknown));
    assert_eq!(world.says("home", Said::Accept, incident).await, Err(Refused::Unknown));
}

#[tokio::test]
async fn an_organisation_sees_nothing_of_a_case_on_handles_pages_and_nothing_of_anothers_offers() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(OFFERED).await;
    let elsewhere = Answer { incident, partner: "home".into(), says: Said::Accept, grants: member("lark") };
    assert_eq!(world.asks(Command::Answer(elsewhere), "lark-1").await, Err(Refused::Unknown));
    assert_eq!(world.of_partner("lark", Action::Answer, incident).await, Err(Refusal::Unknown));
}

#[tokio::test]
async fn stages_have_limits_of_their_own_and_end_one_by_one() {
    let mut world = World::with_partners().await;
    let incident = world.case_of(STAGED).await;
    world.act(LEADER, Action::Sign, incident).await.unwrap();
    world.pass(TimeDelta::hours(5)).await;
    world.act(LEADER, Action::Stage, incident).await.unwrap();
    let told = world.history(incident).await;
    let of_the_stage = told.iter().filter(|kind| *kind == "case.escalated").count();
    assert_eq!((of_the_stage, told.last().map(String::as_str)), (2, Some("case.staged")), "{told:?}");
    assert!(told.contains(&"case.reminded".to_owned()));
    assert_eq!(DeadlineKind::Stage1.zh(), "第一阶段");
}
