//! The world of one life: the services, two instances of each, their relays, the broker and the database between them;
//! and what happens to them, one event after the other.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::Ordering;
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
use super::model::{Model, Promise};
use super::office::Office;
use super::parts::{INSTANCES, Part, Who};
use super::people::{self, Told};
use super::process::{Actor, Did, Job, Reply};
use super::script::{Event, Setup, Work};
use super::tell::{self, Line, passes, stands};

/// How far a clock that runs ahead does.
const AHEAD: TimeDelta = TimeDelta::seconds(60);

/// All limits of the pack have passed after this long, holidays and all.
const LONG: TimeDelta = TimeDelta::days(60);

/// More records than there are.
const MANY: u64 = 500;

/// Rounds in which everything must have come to rest.
const ROUNDS: usize = 40;

/// Everything there is in one life.
pub struct World {
    pub office: Office,
    pub store: Store,
    pub broker: Arc<Broker>,
    pub model: Model,
    pub lines: Vec<Line>,
    setup: Setup,
    clock: Clock,
    ahead: Clock,
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
    pub fn new(office: &Office, store: &Store, setup: &Setup) -> Self {
        let broker = Arc::new(Broker::new(setup.partitions));
        let mut world = Self {
            office: office.clone(),
            store: store.clone(),
            broker,
            model: Model::default(),
            lines: Vec::new(),
            setup: setup.clone(),
            clock: Clock::simulated(setup.start),
            ahead: Clock::simulated(setup.start + AHEAD),
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

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
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
                if let Some(actor) = self.actors.get_mut(who.index())
                    && actor.is_dead()
                {
                    actor.start();
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
        }
    }

    fn pass(&mut self, time: TimeDelta) {
        let to = self.now() + time;
        self.clock.drive(to);
        self.ahead.drive(to + AHEAD);
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
        let idle = matches!(&ended, Ended::Did(Did::Swept(Ok(0)) | Did::Sent(_)))
            || matches!(&ended, Ended::Did(Did::Facts(Ok(taken))) if taken.all() == 0);
        if !idle {
            *self.changed.entry(who.part).or_default() += 1;
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
    }

    /// What came of a step, for those who asked and for the model.
    fn hear(&mut self, who: Who, did: Did, came: Vec<String>) {
        match did {
            Did::Facts(Ok(taken)) => {
                if taken.all() > 0 {
                    self.moved += 1;
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
            Did::Facts(Err(failed)) | Did::Swept(Err(failed)) | Did::Sent(Err(failed)) => {
                self.failed(who, &failed, came);
            }
            Did::Answered(answers) => self.answered(who, answers, came),
        }
    }

    fn failed(&mut self, who: Who, failed: &StoreError, came: Vec<String>) {
        self.moved += 1;
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
            if let (Told::Report(report), Ok(Reply::Reported(Ok(submitted)))) = (told, &answer) {
                self.model.answers(*report, submitted.incident);
            }
            if let Ok(Reply::Reported(Err(fault))) = &answer {
                self.model.breach(Promise::Kept, format!("a good report is refused: {}", fault.code));
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

    /// Nothing goes wrong any more: everybody lives, every partition is somebody's, and all must come to rest; then so
    /// much time passes that every limit is over, and all must come to rest again.
    pub async fn settle(&mut self) {
        self.line("world", "nothing goes wrong from here on", Vec::new());
        for who in Who::all() {
            self.thaw(who, None).await;
            if let Some(actor) = self.actors.get_mut(who.index()) {
                actor.start();
            }
        }
        self.share_evenly();
        for stream in self.streams.values() {
            stream.most.store(MANY, Ordering::Relaxed);
        }
        for time in [TimeDelta::zero(), LONG] {
            if !time.is_zero() {
                self.pass(time);
            }
            if !self.come_to_rest().await {
                self.model.breach(Promise::Settles, format!("it goes on and on for {ROUNDS} rounds"));
                return;
            }
        }
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

    /// Everybody does what there is to do, again and again. False when that never ends.
    async fn come_to_rest(&mut self) -> bool {
        for round in 0..ROUNDS {
            let before = self.moved;
            for who in Who::all() {
                // One relay of two is enough, once both have looked.
                match who.relay {
                    true if who.instance == 0 || round == 0 => self.work(who, Job::Relay, None).await,
                    true => {}
                    false => {
                        self.work(who, Job::Facts, None).await;
                        if who.part.sweeps() && who.instance == 0 {
                            self.work(who, Job::Sweep, None).await;
                        }
                    }
                }
            }
            if self.moved == before {
                return true;
            }
        }
        false
    }
}
