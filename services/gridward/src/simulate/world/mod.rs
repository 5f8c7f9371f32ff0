//! The world of one life: the services, two instances of each, their relays, the broker and the database between them;
//! and what happens to them, one event after the other.

mod mending;
mod mishaps;
mod restoring;
mod settling;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, PoisonError};
use std::task::Poll;

use chrono::{DateTime, TimeDelta, Utc};
use domain::facts::Topic;
use platform::clock::Clock;
use platform::faults::Point;
use platform::store::{Store, StoreError};
use platform::stream::Source;
use platform::turn::Unanswered;

use super::broker::{Broker, SimulatedStream};
use super::faults::{Fault, Kind, Reached, Seat};
use super::hiring::Hiring;
use super::mishaps::{Hits, Mishap};
use super::model::Model;
use super::office::Office;
use super::parts::{INSTANCES, Part, Who};
use super::people::{self, Told};
use super::process::{Actor, Did, Job, Reply};
use super::promises::Promise;
use super::script::{Event, Setup, Work};
use super::store::{Copies, Kept};
use super::tell::{self, Line, passes, stands};
use mishaps::Troubles;

/// How far a clock that runs ahead does.
const AHEAD: TimeDelta = TimeDelta::seconds(60);

/// Everything there is in one life.
pub struct World {
    pub office: Office,
    pub store: Store,
    pub broker: Arc<Broker>,
    pub model: Model,
    pub lines: Vec<Line>,
    setup: Setup,
    /// The time that it really is.
    now: DateTime<Utc>,
    clock: Clock,
    ahead: Clock,
    copies: Copies,
    troubles: Troubles,
    seats: Vec<Arc<Seat>>,
    actors: Vec<Box<dyn Actor>>,
    /// Of those who take turns, by service and instance.
    streams: BTreeMap<(Part, usize), Arc<SimulatedStream>>,
    /// Whom the step of somebody will answer.
    asked: BTreeMap<Who, Vec<Told>>,
    /// Rows that a relay has said it marked.
    marked: BTreeMap<Topic, usize>,
    /// Steps in which something changed.
    moved: usize,
    /// Steps of each service's instances in which something of it may have changed.
    changed: BTreeMap<Part, usize>,
    /// Facts that were committed when a relay last found that nothing waits.
    sent_all: BTreeMap<Topic, usize>,
    /// How a service was, and when, when a sweep last found nothing due.
    swept_all: BTreeMap<Part, (usize, DateTime<Utc>)>,
}

/// How a step ended, or why it did not.
enum Ended {
    Did(Did),
    Stopped(Point, Kind),
}

impl World {
    pub fn new(office: &Office, kept: &Kept, setup: &Setup) -> Self {
        let store = &kept.store;
        let broker = Arc::new(Broker::new(setup.partitions));
        let mut world = Self {
            office: office.clone(),
            store: store.clone(),
            broker,
            model: Model::default(),
            lines: Vec::new(),
            setup: setup.clone(),
            now: setup.start,
            clock: Clock::simulated(setup.start),
            ahead: Clock::simulated(setup.start + AHEAD),
            copies: kept.copies.clone(),
            troubles: Troubles::default(),
            seats: Vec::new(),
            actors: Vec::new(),
            streams: BTreeMap::new(),
            asked: BTreeMap::new(),
            marked: BTreeMap::new(),
            moved: 0,
            changed: BTreeMap::new(),
            sent_all: BTreeMap::new(),
            swept_all: BTreeMap::new(),
        };
        let hiring = Hiring {
            office,
            store,
            broker: &world.broker.clone(),
            clock: &world.clock.clone(),
            ahead: &world.ahead.clone(),
            setup,
            puzzles: &world.troubles.puzzles.clone(),
        };
        for who in Who::all() {
            let seat = Arc::new(Seat::new(who.part.name(), setup.broken));
            let actor = if who.relay {
                hiring.relay(who, &seat)
            } else {
                let stream = hiring.stream(who, &seat);
                world.streams.insert((who.part, who.instance), stream.clone());
                hiring.instance(who, &seat, stream)
            };
            world.seats.push(seat);
            world.actors.push(actor);
        }
        world.share_evenly();
        world
    }

    /// The time that it really is, whatever any clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// How often each mishap hit something.
    pub fn hits(&self) -> Hits {
        self.troubles.hits.clone()
    }

    /// Whether supervise has something to tell of: a step that is due, or has taken effect.
    pub fn is_due(&self) -> bool {
        self.model.is_due(self.now) || self.model.is_untold()
    }

    /// How often each fault was met.
    pub fn reached(&self) -> Reached {
        let mut all = Reached::new();
        for (marker, times) in self.seats.iter().flat_map(|seat| seat.reached()) {
            *all.entry(marker).or_default() += times;
        }
        all
    }

    pub fn is_dead(&self, who: Who) -> bool {
        self.actors.get(who.index()).is_some_and(|actor| actor.is_dead())
    }

    /// Whether it has begun something and stopped in the middle of it.
    pub fn is_frozen(&self, who: Who) -> bool {
        self.actors.get(who.index()).is_some_and(|actor| actor.is_busy())
    }

    /// Whether facts wait for this instance, as far as it knows which are its own.
    pub fn is_behind(&self, who: Who) -> bool {
        let Some(stream) = self.streams.get(&(who.part, who.instance)) else { return false };
        let share = stream.share.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let behind = |topic: &Topic| {
            share.iter().any(|partition| {
                let source = Source { topic: *topic, partition: *partition };
                self.broker.last(source) > stream.read_to(source)
            })
        };
        who.part.reads().iter().any(behind)
    }

    /// Whether rows wait for the relays of `part`, as far as anybody has said.
    pub fn is_unsent(&self, part: Part) -> bool {
        let topic = part.writes();
        self.model.committed(topic) > self.marked.get(&topic).copied().unwrap_or(0)
    }

    /// Lets it happen. What cannot happen does not: somebody dead does nothing.
    pub async fn happen(&mut self, event: &Event) {
        match event {
            Event::Pass(millis) => self.pass(TimeDelta::milliseconds(*millis)),
            Event::Report { to, sent, fault } => {
                let who = Who::turns(Part::Discover, *to);
                let asks = people::reports(self.now(), *to, sent, self.setup.broken, &mut self.model);
                self.ask(who, asks, *fault).await;
            }
            Event::Act { to, acts, fault } => {
                let asks = people::acts(&self.office, self.now(), acts, &self.model);
                self.ask(Who::turns(Part::Handle, *to), asks, *fault).await;
            }
            Event::Partner { to, ask, fault } => {
                let asks = people::partner(&self.office, self.now(), ask, &self.model);
                self.ask(Who::turns(Part::Partner, *to), asks.into_iter().collect(), *fault).await;
            }
            Event::Work { who, work, fault } => {
                let job = match work {
                    Work::Facts => Job::Facts,
                    Work::Sweep => Job::Sweep,
                    Work::Relay => Job::Relay,
                    Work::LookUp => Job::LookUp,
                };
                self.work(*who, job, *fault).await;
            }
            Event::Thaw { who, fault } => self.thaw(*who, *fault).await,
            Event::Die(who) => {
                if !self.is_dead(*who) {
                    self.die(*who);
                    self.line(who, "dies", Vec::new());
                }
            }
            Event::Start(who) => {
                if self.start(*who).await {
                    self.line(who, "is started", Vec::new());
                }
            }
            Event::Share { part, shares } => {
                self.share(*part, shares);
                let what = tell::shared(shares, self.broker.partitions());
                self.line(part.name(), format!("shares out anew: {what}"), Vec::new());
            }
            Event::Again { source, position } => {
                if let Some(incident) = self.broker.again(*source, *position) {
                    let name = self.model.name(incident);
                    let what = format!("has record {} of {} once more ({name})", position + 1, source.topic);
                    self.line("broker", what, Vec::new());
                }
            }
            Event::Lose { .. }
            | Event::Anew(_)
            | Event::BackUp(_)
            | Event::Restore(_)
            | Event::Away(_)
            | Event::SetClock(_)
            | Event::Puzzle { .. }
            | Event::Solve
            | Event::Mend => self.befall(event).await,
        }
    }

    /// Everybody looks at the clock, as whoever begins does.
    pub async fn begin(&mut self) {
        for who in Who::all() {
            self.look_at_the_clock(who).await;
        }
    }

    async fn look_at_the_clock(&mut self, who: Who) {
        let begun = self.actors.get_mut(who.index()).is_some_and(|actor| actor.begin(Job::LookAtTheClock));
        let Some(seat) = self.seats.get(who.index()).cloned().filter(|_| begun) else { return };
        seat.plan(None);
        if let Ended::Did(Did::LookedUp(Err(failed))) = self.drive(who, &seat).await {
            self.failed(who, &failed, Vec::new());
        }
    }

    /// Starts somebody dead. Who is started while the clock is wrong cannot know that it is; so nobody is.
    async fn start(&mut self, who: Who) -> bool {
        if !self.is_clock_right() || !self.is_dead(who) {
            return false;
        }
        if let Some(actor) = self.actors.get_mut(who.index()) {
            actor.start();
        }
        self.look_at_the_clock(who).await;
        true
    }

    fn pass(&mut self, time: TimeDelta) {
        self.now += time;
        self.clock.drive(self.now);
        self.ahead.drive(self.now + AHEAD);
        self.line("time", passes(time), Vec::new());
    }

    fn share(&mut self, part: Part, shares: &[Vec<i32>; INSTANCES]) {
        for (instance, share) in shares.iter().enumerate() {
            if let Some(stream) = self.streams.get(&(part, instance)) {
                stream.share.lock().unwrap_or_else(PoisonError::into_inner).clone_from(share);
            }
        }
    }

    /// Each partition is one instance's.
    fn share_evenly(&mut self) {
        let of = |instance: i32| (0..self.broker.partitions()).filter(|n| n % 2 == instance).collect();
        let shares = [of(0), of(1)];
        for part in Part::ALL {
            self.share(part, &shares);
        }
    }

    async fn ask(&mut self, who: Who, asks: Vec<people::Asking>, fault: Option<Fault>) {
        if asks.is_empty() {
            return;
        }
        let (asks, told): (Vec<_>, Vec<_>) = asks.into_iter().map(|asking| (asking.ask, asking.told)).unzip();
        if self.is_dead(who) || self.is_frozen(who) {
            let what =
                format!("does not answer: {}", told.iter().map(Told::words).collect::<Vec<_>>().join(", "));
            self.line(who, what, Vec::new());
            return;
        }
        self.asked.insert(who, told);
        self.work(who, Job::Obey(asks), fault).await;
    }

    async fn work(&mut self, who: Who, job: Job, fault: Option<Fault>) {
        // Nobody is asked again who has said that there is nothing to do, as long as that is so.
        match job {
            Job::Relay if self.sends_nothing(who.part) => return,
            Job::Sweep if self.swept_all.get(&who.part) == Some(&self.as_it_is(who.part)) => return,
            // Whoever has stopped the line answers people, and no more.
            Job::Facts | Job::Sweep | Job::LookUp if self.troubles.stopped.contains(&who) => return,
            _ => {}
        }
        let begun = self.actors.get_mut(who.index()).is_some_and(|actor| actor.begin(job));
        if begun {
            self.go_on(who, fault).await;
        }
    }

    /// Somebody frozen goes on where he stopped.
    async fn thaw(&mut self, who: Who, fault: Option<Fault>) {
        if self.is_frozen(who) {
            self.line(who, "goes on", Vec::new());
            self.go_on(who, fault).await;
        }
    }

    async fn go_on(&mut self, who: Who, fault: Option<Fault>) {
        let Some(seat) = self.seats.get(who.index()).cloned() else { return };
        seat.plan(fault);
        let ended = self.drive(who, &seat).await;
        let now = self.now();
        let mut came = Vec::new();
        for fact in seat.committed() {
            let name = self.model.name(fact.incident);
            came.push(format!("{name} {} {}/{}", fact.kind, fact.topic, fact.sequence));
            self.model.observe(fact, now);
            self.moved += 1;
        }
        if let (Ended::Did(_), Some((point, kind))) = (&ended, seat.met()) {
            self.line(who, format!("{} when {}", kind.does(), stands(point)), Vec::new());
        }
        let idle = matches!(&ended, Ended::Did(Did::Swept(Ok(0)) | Did::Sent(_) | Did::LookedUp(Ok(0))))
            || matches!(&ended, Ended::Did(Did::Facts(Ok(taken))) if taken.all() == 0);
        if !idle {
            *self.changed.entry(who.part).or_default() += 1;
            self.goes_on_by_a_wrong_clock();
        }
        match ended {
            Ended::Stopped(point, kind) => {
                if kind == Kind::Crash {
                    self.die(who);
                }
                self.line(who, format!("{} when {}", kind.does(), stands(point)), came);
            }
            Ended::Did(did) => self.hear(who, did, came),
        }
    }

    /// Goes on with a step until it is over or stops at a point.
    async fn drive(&mut self, who: Who, seat: &Seat) -> Ended {
        let actor = &mut self.actors[who.index()];
        poll_fn(|context| match actor.poll(context) {
            Poll::Ready(did) => Poll::Ready(Ended::Did(did)),
            // Whoever waits for the database is woken by it.
            Poll::Pending => match seat.stopped() {
                Some((point, kind)) => Poll::Ready(Ended::Stopped(point, kind)),
                None => Poll::Pending,
            },
        })
        .await
    }

    fn die(&mut self, who: Who) {
        if let Some(actor) = self.actors.get_mut(who.index()) {
            actor.die();
        }
        // Whoever asked hears nothing.
        self.asked.remove(&who);
        self.troubles.stopped.remove(&who);
        self.troubles.stale.remove(&who);
    }

    /// What came of a step, for those who asked and for the model.
    fn hear(&mut self, who: Who, did: Did, came: Vec<String>) {
        match did {
            Did::Facts(Ok(taken)) => {
                if taken.all() > 0 {
                    self.moved += 1;
                    self.hit(Mishap::Poison, taken.dead);
                    self.line(who, tell::taken(taken), came);
                }
            }
            Did::Swept(Ok(0)) => {
                self.swept_all.insert(who.part, self.as_it_is(who.part));
            }
            Did::Sent(Ok(0)) => {
                let topic = who.part.writes();
                let committed = self.model.committed(topic);
                self.marked.insert(topic, committed);
                self.sent_all.insert(topic, committed);
            }
            Did::Swept(Ok(looked)) => {
                self.moved += 1;
                self.line(who, format!("sweeps {looked} that are due"), came);
            }
            Did::Sent(Ok(rows)) => {
                self.moved += 1;
                *self.marked.entry(who.part.writes()).or_default() += rows;
                self.line(who, format!("sends {rows}, and marks them"), came);
            }
            Did::LookedUp(Ok(tried)) => {
                self.troubles.retrying.remove(&who.part);
                if tried > 0 {
                    self.moved += 1;
                    self.line(who, format!("decides {tried} that were set aside"), came);
                }
            }
            Did::Facts(Err(failed))
            | Did::Swept(Err(failed))
            | Did::Sent(Err(failed))
            | Did::LookedUp(Err(failed)) => self.failed(who, &failed, came),
            Did::Answered(answers) => self.answered(who, answers, came),
        }
    }

    fn failed(&mut self, who: Who, failed: &StoreError, came: Vec<String>) {
        self.moved += 1;
        if self.tells_of_a_log(who, failed) {
            self.line(who, format!("stops reading: {failed}"), came);
            return;
        }
        if !failed.may_pass() {
            self.model.breach(Promise::GoesOn, format!("{who} stops: {failed}"));
        }
        self.line(who, format!("gives up: {failed}"), came);
    }

    fn answered(&mut self, who: Who, answers: Vec<Result<Reply, Unanswered>>, mut came: Vec<String>) {
        self.moved += 1;
        let told = self.asked.remove(&who).unwrap_or_default();
        let asked: Vec<String> = told.iter().map(Told::words).collect();
        for (told, answer) in told.iter().zip(answers) {
            if let (Told::Report { report, body }, Ok(Reply::Reported(reported))) = (told, &answer) {
                match reported {
                    Ok(submitted) => self.model.answers(*report, *body, submitted.incident),
                    Err(fault) => {
                        let right = self.model.refuses(*report, *body, fault.code);
                        self.hit(Mishap::OtherBody, usize::from(right));
                    }
                }
            }
            if let Err(Unanswered::Failed(why)) = &answer {
                self.model.breach(Promise::GoesOn, format!("{who} cannot: {}: {why}", told.words()));
            }
            came.push(people::answer_in_words(told, &answer));
        }
        self.line(who, asked.join(", "), came);
    }

    fn line(&mut self, who: impl ToString, what: impl Into<String>, came: Vec<String>) {
        let line = Line { at: self.now(), who: who.to_string(), what: what.into(), came };
        self.lines.push(line);
    }

    /// A relay of `part` found nothing, and nothing was committed since: asked again, it would say the same.
    fn sends_nothing(&self, part: Part) -> bool {
        let topic = part.writes();
        self.sent_all.get(&topic) == Some(&self.model.committed(topic))
    }

    /// What a sweep of `part` goes by.
    fn as_it_is(&self, part: Part) -> (usize, DateTime<Utc>) {
        (self.changed.get(&part).copied().unwrap_or(0), self.now())
    }
}
