//! What was before a schedule begins: an office at work on one database, brought to where two of its turns meet.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use discover::{Discover, NewReport, Reported, Submit};
use domain::case::Action;
use domain::facts::Topic;
use domain::holder::organisation;
use domain::id::{IncidentId, PartnerId};
use domain::partner::Standing;
use domain::place::{Datum, Place};
use domain::rights::{Grant, Role};
use gridward::simulate::Office;
use handle::{Act, Handle};
use partner::{Answer, Change, Command, Order, PartnerDesk, Said};
use platform::clock::Clock;
use platform::pack::Pack;
use platform::store::{Store, StoreError};
use platform::stream::Stream;
use platform::stream::relay::send_waiting;
use platform::turn::{Asked, Service, Surroundings, Taken, Turns};
use route::Route;
use sea_orm::prelude::async_trait;
use supervise::Supervise;

use super::topics::{Carrier, Ears, Topics};
use crate::world::{IN_GRID_111, monday_morning, packs};

/// What organisations are offered by itself, and of what each of the two takes: `home` has hands for five cases, `lark`
/// for one.
pub const OFFERED: &str = "clean-up";
/// To be handled within a minute.
pub const URGENT: &str = "gas";
pub const PLAIN: &str = "rubbish";
/// Who holds what is reported, at first.
pub const LEADER: &str = "leader-111";
pub const DESK: &str = "desk-1a";

/// One of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Discover,
    Route,
    Handle,
    Supervise,
    Partner,
}

impl Part {
    pub const ALL: [Self; 5] = [Self::Discover, Self::Route, Self::Handle, Self::Supervise, Self::Partner];

    pub fn name(self) -> &'static str {
        match self {
            Self::Discover => Discover::NAME,
            Self::Route => Route::NAME,
            Self::Handle => Handle::NAME,
            Self::Supervise => Supervise::NAME,
            Self::Partner => PartnerDesk::NAME,
        }
    }
}

/// An instance of a service, whichever.
#[async_trait::async_trait]
pub trait Instance: Send {
    async fn takes(&mut self) -> Result<Taken, StoreError>;
    async fn sweeps(&mut self) -> Result<usize, StoreError>;
    async fn retries(&mut self) -> Result<usize, StoreError>;
}

#[async_trait::async_trait]
impl<S: Service> Instance for Turns<S> {
    async fn takes(&mut self) -> Result<Taken, StoreError> {
        self.take_facts().await
    }

    async fn sweeps(&mut self) -> Result<usize, StoreError> {
        self.sweep().await
    }

    async fn retries(&mut self) -> Result<usize, StoreError> {
        self.retry_asked().await
    }
}

/// What a turn stands on.
#[derive(Clone)]
pub struct Scene {
    pub office: Office,
    pub clock: Clock,
    pub topics: Arc<Topics>,
}

impl Scene {
    /// The same, and what is carried to its topics stays there.
    pub fn copy(&self) -> Self {
        Self { topics: Arc::new(self.topics.copy()), ..self.clone() }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn around(&self, store: &Store, stream: Arc<dyn Stream>) -> Surroundings {
        let metrics = self.office.metrics.clone();
        Surroundings { store: store.clone(), stream, clock: self.clock.clone(), metrics }
    }

    /// An instance of `part` that reads what `ears` hear.
    pub fn instance(&self, part: Part, store: &Store, ears: &Arc<Ears>) -> Box<dyn Instance> {
        let around = self.around(store, ears.clone());
        let Office { discover, route, handle, supervise, partner, .. } = self.office.clone();
        match part {
            Part::Discover => Box::new(Turns::new(discover, &around)),
            Part::Route => Box::new(Turns::new(route, &around)),
            Part::Handle => Box::new(Turns::new(handle, &around)),
            Part::Supervise => Box::new(Turns::new(supervise, &around)),
            Part::Partner => Box::new(Turns::new(partner, &around)),
        }
    }

    /// Somebody for the commands of `service` alone.
    pub fn desk<S: Service>(&self, service: &Arc<S>, store: &Store) -> Turns<S> {
        let ears = Ears::of(S::NAME, &self.topics, self.topics.partitions());
        Turns::new(service.clone(), &self.around(store, ears))
    }

    /// Carries what waits in the outbox of `part`, until nothing does; answers how much that was.
    pub async fn relay(&self, part: Part, store: &Store) -> Result<usize, StoreError> {
        let (mut carrier, mut sent) = (Carrier(self.topics.clone()), 0);
        loop {
            match send_waiting(store, part.name(), 16, &mut carrier).await? {
                0 => return Ok(sent),
                some => sent += some,
            }
        }
    }
}

/// The office before a schedule.
pub struct Stage {
    pub scene: Scene,
    pub store: Store,
    readers: Vec<(Part, Box<dyn Instance>)>,
    reports: u8,
}

/// The office on the pack of two streets.
pub fn office() -> Office {
    Office::of(&Pack::load(&packs().join("twostreets")).unwrap()).unwrap()
}

impl Stage {
    /// On a Monday morning, before anything has happened; with one partition of each topic, and the pack's organisations
    /// in the register.
    pub async fn open(office: &Office, store: &Store) -> Self {
        let clock = Clock::simulated(monday_morning());
        let scene = Scene { office: office.clone(), clock, topics: Arc::new(Topics::new(1)) };
        partner::follow(store, &office.pack.partners, scene.now()).await.unwrap();
        Self { scene, store: store.clone(), readers: Vec::new(), reports: 0 }
    }

    /// From now on every topic has so many. Nothing must have happened yet.
    pub fn partitions(&mut self, partitions: i32) {
        self.scene.topics = Arc::new(Topics::new(partitions));
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.scene.now()
    }

    pub fn passes(&self, time: TimeDelta) {
        self.scene.clock.drive(self.now() + time);
    }

    /// The instance of `part` that has been at work so far.
    fn reader(&mut self, part: Part) -> &mut dyn Instance {
        let at = self.readers.iter().position(|(known, _)| *known == part).unwrap_or_else(|| {
            let ears = Ears::of(part.name(), &self.scene.topics, self.scene.topics.partitions());
            self.readers.push((part, self.scene.instance(part, &self.store, &ears)));
            self.readers.len() - 1
        });
        &mut *self.readers[at].1
    }

    /// `part` takes what has arrived.
    pub async fn takes(&mut self, part: Part) -> usize {
        self.reader(part).takes().await.unwrap().all()
    }

    pub async fn sweeps(&mut self, part: Part) {
        self.reader(part).sweeps().await.unwrap();
    }

    /// Everybody hears of everything.
    pub async fn settle(&mut self) {
        self.settle_without(None).await;
    }

    /// Everybody but `part` hears of everything: what is told to it arrives, and waits.
    pub async fn settle_but(&mut self, part: Part) {
        self.settle_without(Some(part)).await;
    }

    async fn settle_without(&mut self, part: Option<Part>) {
        loop {
            let mut moved = 0;
            for one in Part::ALL {
                moved += self.scene.relay(one, &self.store).await.unwrap();
            }
            for one in Part::ALL.into_iter().filter(|one| Some(*one) != part) {
                moved += self.takes(one).await;
            }
            if moved == 0 {
                return;
            }
        }
    }

    /// A report as `worker-111` sends it, about grid 111.
    pub fn report(&mut self, client_id: &str, category: &str, description: &str) -> Asked<Submit> {
        self.reports += 1;
        let now = self.now();
        let (lon, lat) = IN_GRID_111;
        let place = Place {
            lon,
            lat,
            datum: Datum::Cgcs2000,
            accuracy_m: Some(5.0),
            source: None,
            captured_at: None,
            area: None,
        };
        let report = NewReport {
            client_id: client_id.to_owned(),
            category: category.to_owned(),
            place,
            registered_area: None,
            description: description.to_owned(),
        };
        let incident = IncidentId::new(now, [self.reports; 10]);
        let command = Submit { incident, report: Reported::Now(report) };
        Asked { command, by: "worker-111".into(), recorded_at: now }
    }

    /// It was reported, and nobody has heard of it.
    pub async fn reported(&mut self, category: &str) -> IncidentId {
        let asked = self.report(&format!("report-{}", self.reports + 1), category, "");
        let mut desk = self.scene.desk(&self.scene.office.discover, &self.store);
        desk.obey(&[asked]).await.remove(0).unwrap().unwrap().incident
    }

    /// It was reported, and everybody knows of it.
    pub async fn opened(&mut self, category: &str) -> IncidentId {
        let incident = self.reported(category).await;
        self.settle().await;
        incident
    }

    pub fn act(&self, person: &str, action: Action, incident: IncidentId) -> Asked<Act> {
        let by = person.into();
        let grants = self.scene.office.grants(&by);
        let command = Act { incident, action, grants, seen: None, note: None };
        Asked { command, by, recorded_at: self.now() }
    }

    /// Somebody does something to a case, and nobody has heard of it.
    pub async fn acts(&mut self, person: &str, action: Action, incident: IncidentId) {
        let asked = self.act(person, action, incident);
        let mut desk = self.scene.desk(&self.scene.office.handle, &self.store);
        desk.obey(&[asked]).await.remove(0).unwrap().unwrap();
    }

    /// One of an organisation's people answers an offer.
    pub fn says(&self, organisation_id: &str, says: Said, incident: IncidentId) -> Asked<Command> {
        let partner = PartnerId::from(organisation_id);
        let grants = vec![Grant { role: Role::Partner, area: organisation(&partner) }];
        let command = Command::Answer(Answer { incident, partner, says, grants });
        Asked { command, by: format!("{organisation_id}-1").as_str().into(), recorded_at: self.now() }
    }

    /// Somebody of the office places an order with all that fit.
    pub fn orders(&self, person: &str, incident: IncidentId) -> Asked<Command> {
        let by = person.into();
        let grants = self.scene.office.grants(&by);
        let command = Command::Order(Order { incident, partners: Vec::new(), grants });
        Asked { command, by, recorded_at: self.now() }
    }

    /// The desk changes an organisation's standing.
    pub fn stands(&self, organisation: &str, standing: Standing) -> Asked<Command> {
        let (partner, reason) = (PartnerId::from(organisation), "示意".to_owned());
        self.registers(Change::Standing { partner, standing, reason, grants: self.of_desk() })
    }

    pub fn registers(&self, change: Change) -> Asked<Command> {
        Asked { command: Command::Register(change), by: DESK.into(), recorded_at: self.now() }
    }

    pub fn of_desk(&self) -> Vec<Grant> {
        self.scene.office.grants(&DESK.into())
    }

    /// Somebody asks partner for something, and nobody has heard of it.
    pub async fn asks(&mut self, asked: Asked<Command>) {
        let mut desk = self.scene.desk(&self.scene.office.partner, &self.store);
        desk.obey(&[asked]).await.remove(0).unwrap().unwrap();
    }

    /// The first fact about `incident` on `topic`.
    pub fn first_of(&self, topic: Topic, incident: IncidentId) -> platform::stream::Record {
        let all = self
            .scene
            .topics
            .partitions()
            .into_iter()
            .flat_map(|partition| self.scene.topics.all(platform::stream::Source { topic, partition }));
        all.into_iter().find(|record| record.incident == incident).unwrap()
    }
}
