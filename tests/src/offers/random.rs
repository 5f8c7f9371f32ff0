//! Random lives of offers: people of the office, of two organisations and of the register do anything in any order, and
//! each service hears of it late. At every moment a case has exactly one holder, and no two organisations have it; once
//! everything has been heard, nothing is left open that has moved on.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::case::{Action, Happened, ReturnReason, State};
use domain::deadline::DeadlineKind;
use domain::facts::{CaseFact, Topic};
use domain::holder::Holder;
use domain::id::{IncidentId, PartnerId};
use domain::partner::{Class, DeclineReason, Partner, Standing, Status};
use domain::rights::{Grant, Role};
use domain::text::Text;
use handle::Act;
use partner::{Answer, Change, Command, Filed, Order, Said};
use platform::store::log;
use platform::turn::{Asked, Service, Taken, Turns};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};

use super::{HELD, MIRRORED, OF_HANDLE, OF_PARTNER, OFFERED as OFFERS, Tables};
use crate::partners::{OFFERED, member, with_partners};
use crate::world::{IN_GRID_111, World, monday_morning};

const STREET: &str = "990001/990001001";
const RETURN: Action = Action::Return(ReturnReason::WrongArea);
/// Cases of one life.
const CASES: usize = 2;

/// One thing that happens: to which of the cases, by which of the two organisations.
#[derive(Clone, Debug)]
enum Do {
    Office(usize, &'static str, Action),
    Member(usize, usize, Action),
    Says(usize, usize, Said),
    Orders(usize, &'static str, Vec<usize>),
    Stands(usize, Standing),
    Hears(Who),
    Sweeps(Who),
    Passes(i64),
}

#[derive(Clone, Copy, Debug)]
enum Who {
    Route,
    Handle,
    Supervise,
    Partner,
}

fn anything() -> impl Strategy<Value = Do> {
    let (case, organisation) = (0..CASES, 0..2_usize);
    let office = select(vec![
        ("leader-111", Action::Sign),
        ("leader-111", Action::Answer),
        ("leader-111", RETURN),
        ("community-11", Action::Sign),
        ("desk-1a", Action::Sign),
        ("checker-1", Action::Pass),
        ("checker-1", Action::Fail),
        ("checker-1", Action::Close),
    ]);
    let accepts_or_not = prop_oneof![
        3 => Just(Said::Accept),
        1 => Just(Said::Decline(DeclineReason::NotOurWork)),
    ];
    let standing = prop_oneof![
        3 => Just(Standing::Suspended),
        4 => Just(Standing::Active),
        1 => Just(Standing::Removed),
    ];
    let orders = (case.clone(), select(vec!["leader-111", "community-11", "desk-1a"]), vec(0..2_usize, 0..3));
    let hears =
        select(vec![Who::Route, Who::Handle, Who::Handle, Who::Supervise, Who::Partner, Who::Partner]);
    prop_oneof![
        3 => (case.clone(), office).prop_map(|(case, (by, action))| Do::Office(case, by, action)),
        3 => (case.clone(), organisation.clone(), select(vec![Action::Answer, RETURN]))
            .prop_map(|(case, by, action)| Do::Member(case, by, action)),
        5 => (case, organisation.clone(), accepts_or_not).prop_map(|(case, by, says)| Do::Says(case, by, says)),
        2 => orders.prop_map(|(case, by, to)| Do::Orders(case, by, to)),
        1 => (organisation, standing).prop_map(|(whose, standing)| Do::Stands(whose, standing)),
        7 => hears.prop_map(Do::Hears),
        1 => select(vec![Who::Supervise, Who::Partner]).prop_map(Do::Sweeps),
        2 => (0..240_i64).prop_map(Do::Passes),
    ]
}

/// Two organisations and some cases, whose facts are looked at as they are told.
struct Life<'a> {
    world: &'a mut World,
    organisations: [PartnerId; 2],
    cases: Vec<IncidentId>,
    /// How far the log was looked at.
    seen: i64,
    /// Who holds each case, by what was told.
    holders: BTreeMap<IncidentId, Holder>,
}

async fn heard<S: Service>(turns: &gridward::settling::Shared<Turns<S>>) {
    let taken: Taken = turns.lock().await.take_facts().await.unwrap();
    assert_eq!((taken.parked, taken.dead), (0, 0), "{}: {taken:?}", S::NAME);
}

impl<'a> Life<'a> {
    /// Filed anew for each life, so that no other life has left them anything to do; one can take a single case.
    async fn begin(world: &'a mut World, number: usize) -> Self {
        let organisations = ["a", "b"].map(|name| PartnerId(format!("{name}{number}")));
        let seen = last_of(world).await;
        let mut life = Self { world, organisations, cases: Vec::new(), seen, holders: BTreeMap::new() };
        for (id, capacity) in life.organisations.clone().into_iter().zip([1, 3]) {
            let partner = Partner {
                name: Text::new(id.0.clone(), id.0.clone()),
                id,
                class: Class::Service,
                status: Status::Registered,
                office: STREET.parse().unwrap(),
                members: 12,
                in_charge: true,
                charter: true,
                fixed_place: true,
                coverage: vec![STREET.parse().unwrap()],
                categories: Vec::new(),
                capacity,
                standing: Standing::Active,
            };
            let change = Change::File(Filed { partner, grants: desk() });
            assert!(life.asks_partner(Command::Register(change), "desk-1a").await);
        }
        for _ in 0..CASES {
            let report = life.world.new_report(OFFERED, IN_GRID_111);
            life.cases.push(life.world.submit("worker-111", report).await.unwrap().incident);
        }
        // It is a case; partner has not heard of it.
        heard(&life.world.all.route).await;
        heard(&life.world.all.handle).await;
        life
    }

    /// Whether it was taken; why not does not matter here.
    async fn asks_partner(&self, command: Command, by: &str) -> bool {
        let asked = Asked { command, by: by.into(), recorded_at: self.world.now() };
        let mut partner = self.world.all.partner.as_ref().unwrap().lock().await;
        partner.obey(&[asked]).await.remove(0).unwrap().is_ok()
    }

    async fn asks_handle(&self, asked: Asked<Act>) {
        // A refusal is an answer too.
        let _ = self.world.all.handle.lock().await.obey(&[asked]).await.remove(0).unwrap();
    }

    async fn carry_out(&mut self, what: &Do) {
        match what {
            Do::Office(case, by, action) => {
                let asked = self.world.asked(by, action.clone(), self.cases[*case]);
                self.asks_handle(asked).await;
            }
            Do::Member(case, whose, action) => {
                let (incident, whose) = (self.cases[*case], &self.organisations[*whose].0);
                let grants = member(whose);
                let command = Act { incident, action: action.clone(), grants, seen: None, note: None };
                let by = format!("{whose}-1").as_str().into();
                self.asks_handle(Asked { command, by, recorded_at: self.world.now() }).await;
            }
            Do::Says(case, whose, says) => {
                let (incident, partner) = (self.cases[*case], self.organisations[*whose].clone());
                let by = format!("{partner}-1");
                let grants = member(&partner.0);
                let answer = Answer { incident, partner, says: *says, grants };
                self.asks_partner(Command::Answer(answer), &by).await;
            }
            Do::Orders(case, by, to) => {
                let grants = self.world.all.pack.people.get(&(*by).into()).unwrap().grants.clone();
                let partners = to.iter().map(|whose| self.organisations[*whose].clone()).collect();
                let order = Order { incident: self.cases[*case], partners, grants };
                self.asks_partner(Command::Order(order), by).await;
            }
            Do::Stands(whose, standing) => self.stands(*whose, *standing).await,
            Do::Hears(Who::Route) => heard(&self.world.all.route).await,
            Do::Hears(Who::Handle) => heard(&self.world.all.handle).await,
            Do::Hears(Who::Supervise) => heard(&self.world.all.supervise).await,
            Do::Hears(Who::Partner) => heard(self.world.all.partner.as_ref().unwrap()).await,
            Do::Sweeps(Who::Partner) => {
                self.world.all.partner.as_ref().unwrap().lock().await.sweep().await.unwrap();
            }
            Do::Sweeps(_) => {
                self.world.all.supervise.lock().await.sweep().await.unwrap();
            }
            Do::Passes(minutes) => {
                self.world.clock.drive(self.world.now() + TimeDelta::minutes(*minutes));
            }
        }
    }

    async fn stands(&self, whose: usize, standing: Standing) {
        let partner = self.organisations[whose].clone();
        let change = Change::Standing { partner, standing, reason: "示意".to_owned(), grants: desk() };
        self.asks_partner(Command::Register(change), "desk-1a").await;
    }

    /// Looks at what was told since the last look, and at what partner believes.
    async fn look(&mut self) -> Result<(), TestCaseError> {
        let readers = self.world.all.around.store.readers();
        for record in log::slice(readers, self.seen + 1, i64::MAX).await.unwrap() {
            self.seen = self.seen.max(record.position);
            if record.source.topic == Topic::Handled && self.cases.contains(&record.incident) {
                let fact: CaseFact = record.body().unwrap();
                self.told(record.incident, &fact)?;
            }
        }
        let twice =
            "SELECT incident FROM partner_offer WHERE state = 'won' GROUP BY incident HAVING count(*) > 1";
        prop_assert_eq!(
            rows(self.world, twice).await.len(),
            0,
            "two organisations believe that they have it"
        );
        Ok(())
    }

    fn told(&mut self, incident: IncidentId, fact: &CaseFact) -> Result<(), TestCaseError> {
        let CaseFact { happened, case } = fact;
        let before = self.holders.get(&incident).cloned();
        let holder = match (happened, before) {
            (Happened::Opened { .. }, None) => case.holder.clone(),
            (_, None) => return Err(TestCaseError::fail(format!("{happened:?} of what was not opened"))),
            (Happened::Accepted { partner, .. }, Some(before)) => {
                prop_assert!(before.partner().is_none(), "{} takes what {} has", partner, before);
                Holder::of_partner(partner)
            }
            (Happened::Released { partner, holder, .. }, Some(before)) => {
                prop_assert!(holder.partner().is_none(), "what flows back is the office's");
                prop_assert!(before.partner().is_none_or(|holds| holds == *partner), "{:?}", happened);
                holder.clone()
            }
            (Happened::Returned { holder, .. } | Happened::Assigned { holder, .. }, Some(before)) => {
                prop_assert!(before.partner().is_none(), "{:?}", happened);
                holder.clone()
            }
            (_, Some(before)) => before,
        };
        prop_assert_eq!(&case.holder, &holder, "{:?}", happened);
        prop_assert_eq!(case.home.is_some(), holder.partner().is_some(), "{:?}", happened);
        let offered = matches!(&case.state, State::Offered { partners } if !partners.is_empty());
        let waits = case.deadline(DeadlineKind::Offer).is_some_and(|offer| offer.met_at.is_none());
        prop_assert_eq!(offered, waits, "an offer stands as long as somebody is asked: {:?}", happened);
        self.holders.insert(incident, holder);
        Ok(())
    }

    /// Everybody hears of everything.
    async fn end(&mut self) -> Result<(), TestCaseError> {
        self.world.settle().await;
        self.world.all.sweep().await.unwrap();
        self.look().await?;
        let tables = Tables {
            held: rows(self.world, HELD).await,
            mirrored: rows(self.world, MIRRORED).await,
            offered: rows(self.world, OFFERS).await,
            of_handle: rows(self.world, OF_HANDLE).await,
            of_partner: rows(self.world, OF_PARTNER).await,
        };
        prop_assert_eq!(tables.on_the_way().unwrap().len(), 0);
        prop_assert_eq!(tables.disagreements().unwrap(), [""; 0]);
        Ok(())
    }
}

fn desk() -> Vec<Grant> {
    vec![Grant { role: Role::StreetDesk, area: STREET.parse().unwrap() }]
}

async fn rows(world: &World, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    world.all.around.store.readers().query_all_raw(statement).await.unwrap()
}

async fn last_of(world: &World) -> i64 {
    let rows = rows(world, "SELECT coalesce(max(id), 0) AS n FROM log").await;
    rows[0].try_get("", "n").unwrap()
}

#[test]
fn whatever_is_done_and_however_late_it_is_heard_a_case_has_one_holder_and_no_offer_outlives_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut pack = with_partners();
    pack.partners.clear();
    let world = RefCell::new(runtime.block_on(World::of(pack, monday_morning())));
    let lives = Cell::new(0);
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let live = |things: Vec<Do>| {
        lives.set(lives.get() + 1);
        let mut world = world.borrow_mut();
        runtime.block_on(async {
            let mut life = Life::begin(&mut world, lives.get()).await;
            for what in &things {
                life.carry_out(what).await;
                life.look().await?;
            }
            life.end().await?;
            // And when both organisations are gone, the office has everything again that is not closed.
            for whose in 0..2 {
                life.stands(whose, Standing::Removed).await;
            }
            life.end().await?;
            for (incident, holder) in &life.holders {
                let closed = format!(
                    "SELECT 1 FROM handle_case WHERE incident = X'{}' AND state = 'CLOSED'",
                    incident.0.simple()
                );
                let is_closed = !rows(life.world, &closed).await.is_empty();
                prop_assert!(is_closed || holder.partner().is_none(), "{} still has {}", holder, incident);
            }
            Ok::<(), TestCaseError>(())
        })
    };
    TestRunner::new(config).run(&vec(anything(), 8..40), live).unwrap();
    let world = world.into_inner();
    let options = gridward::audit::Options { strict: true, now: Some(world.now()) };
    let report = runtime.block_on(gridward::audit::audit(world.folder.path(), options)).unwrap();
    assert!(report.is_clean(), "{report:#?}");
}
