//! An instance of a service, and a relay, as somebody who is given one step to do at a time: the step is done, or it
//! stops at a point, or whoever did it dies there.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use discover::{Discover, ReportFault, Submit, Submitted};
use domain::case::Refusal;
use handle::{Act, Handle};
use partner::PartnerDesk;
use platform::store::{Store, StoreError};
use platform::stream::relay::send_waiting;
use platform::turn::{Asked, Service, Surroundings, Taken, Turns, Unanswered};
use route::Route;
use supervise::Supervise;

use super::broker::Carrier;

/// Rows a relay takes at once.
const BATCH: u64 = 16;

/// What can be done in one step.
#[derive(Debug)]
pub enum Job {
    Facts,
    Sweep,
    Obey(Vec<Ask>),
    Relay,
    /// What a loop does every other second.
    LookUp,
    /// What a loop does before all else, and every other second.
    LookAtTheClock,
}

/// What people ask.
#[derive(Clone, Debug)]
pub enum Ask {
    Report(Asked<Submit>),
    Act(Asked<Act>),
    Partner(Asked<partner::Command>),
}

/// What they are told.
#[derive(Debug)]
pub enum Reply {
    Reported(Result<Submitted, ReportFault>),
    Acted(Result<handle::Done, Refusal>),
    Partner(Result<partner::Done, partner::Refused>),
}

/// What came of a step.
#[derive(Debug)]
pub enum Did {
    Facts(Result<Taken, StoreError>),
    Swept(Result<usize, StoreError>),
    Answered(Vec<Result<Reply, Unanswered>>),
    Sent(Result<usize, StoreError>),
    /// Tried so many again.
    LookedUp(Result<usize, StoreError>),
}

/// A service, as one that people ask, or that nobody asks.
pub trait Serves: Service {
    /// What of `ask` it is asked.
    fn asked(ask: Ask) -> Option<Asked<Self::Command>>;
    fn reply(answer: Self::Answer) -> Option<Reply>;
}

impl Serves for Discover {
    fn asked(ask: Ask) -> Option<Asked<Submit>> {
        if let Ask::Report(asked) = ask { Some(asked) } else { None }
    }

    fn reply(answer: Self::Answer) -> Option<Reply> {
        Some(Reply::Reported(answer))
    }
}

impl Serves for Handle {
    fn asked(ask: Ask) -> Option<Asked<Act>> {
        if let Ask::Act(asked) = ask { Some(asked) } else { None }
    }

    fn reply(answer: Self::Answer) -> Option<Reply> {
        Some(Reply::Acted(answer))
    }
}

impl Serves for PartnerDesk {
    fn asked(ask: Ask) -> Option<Asked<partner::Command>> {
        if let Ask::Partner(asked) = ask { Some(asked) } else { None }
    }

    fn reply(answer: Self::Answer) -> Option<Reply> {
        Some(Reply::Partner(answer))
    }
}

impl Serves for Route {
    fn asked(_: Ask) -> Option<Asked<Self::Command>> {
        None
    }

    fn reply((): ()) -> Option<Reply> {
        None
    }
}

impl Serves for Supervise {
    fn asked(_: Ask) -> Option<Asked<Self::Command>> {
        None
    }

    fn reply((): ()) -> Option<Reply> {
        None
    }
}

/// Somebody who does steps.
pub trait Actor {
    /// Begins a step. False when it is dead, is at another one, or does no such thing.
    fn begin(&mut self, job: Job) -> bool;

    /// Goes on with the step it is at.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Did>;

    /// It has begun a step that is not over.
    fn is_busy(&self) -> bool;

    fn is_dead(&self) -> bool;

    /// It dies; a transaction it had open is rolled back.
    fn die(&mut self);

    /// It is started again, if it is dead.
    fn start(&mut self);
}

type Step<T> = Pin<Box<dyn Future<Output = T>>>;

/// An instance of a service.
pub struct Instance<S: Serves> {
    service: Arc<S>,
    around: Surroundings,
    state: State<S>,
}

enum State<S: Service> {
    Dead,
    Idle(Box<Turns<S>>),
    Busy(Step<(Box<Turns<S>>, Did)>),
}

/// As the loop does it: nothing is swept by a clock that somebody has set.
async fn sweep<S: Service>(turns: &mut Turns<S>) -> Result<usize, StoreError> {
    match turns.look_at_the_clock().await?.off {
        Some(_) => Ok(0),
        None => turns.sweep().await,
    }
}

impl<S: Serves> Instance<S> {
    pub fn new(service: &Arc<S>, around: Surroundings) -> Self {
        let mut instance = Self { service: service.clone(), around, state: State::Dead };
        instance.start();
        instance
    }
}

impl<S: Serves> Actor for Instance<S> {
    fn begin(&mut self, job: Job) -> bool {
        let mut turns = match std::mem::replace(&mut self.state, State::Dead) {
            State::Idle(turns) => turns,
            other => {
                self.state = other;
                return false;
            }
        };
        let step: Step<(Box<Turns<S>>, Did)> = match job {
            Job::Facts => Box::pin(async move {
                let did = Did::Facts(turns.take_facts().await);
                (turns, did)
            }),
            Job::Sweep => Box::pin(async move {
                let did = Did::Swept(sweep(&mut turns).await);
                (turns, did)
            }),
            Job::LookUp => Box::pin(async move {
                let did = Did::LookedUp(turns.look_up().await);
                (turns, did)
            }),
            Job::LookAtTheClock => Box::pin(async move {
                let did = Did::LookedUp(turns.look_at_the_clock().await.map(|_| 0));
                (turns, did)
            }),
            Job::Obey(asks) => {
                let asked: Vec<_> = asks.into_iter().filter_map(S::asked).collect();
                Box::pin(async move {
                    let answers = turns.obey(&asked).await;
                    let reply = |answer: Result<S::Answer, Unanswered>| answer.map(S::reply).transpose();
                    let did = Did::Answered(answers.into_iter().filter_map(reply).collect());
                    (turns, did)
                })
            }
            Job::Relay => {
                self.state = State::Idle(turns);
                return false;
            }
        };
        self.state = State::Busy(step);
        true
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Did> {
        let State::Busy(step) = &mut self.state else { return Poll::Pending };
        let Poll::Ready((turns, did)) = step.as_mut().poll(context) else { return Poll::Pending };
        self.state = State::Idle(turns);
        Poll::Ready(did)
    }

    fn is_busy(&self) -> bool {
        matches!(self.state, State::Busy(_))
    }

    fn is_dead(&self) -> bool {
        matches!(self.state, State::Dead)
    }

    fn die(&mut self) {
        self.state = State::Dead;
    }

    fn start(&mut self) {
        if self.is_dead() {
            self.state = State::Idle(Box::new(Turns::new(self.service.clone(), &self.around)));
        }
    }
}

/// A relay.
pub struct Relaying {
    service: &'static str,
    store: Store,
    carrier: Box<dyn Fn() -> Carrier>,
    state: Sending,
}

enum Sending {
    Dead,
    Idle,
    Busy(Step<Did>),
}

impl Relaying {
    pub fn new(service: &'static str, store: &Store, carrier: Box<dyn Fn() -> Carrier>) -> Self {
        Self { service, store: store.clone(), carrier, state: Sending::Idle }
    }
}

impl Actor for Relaying {
    fn begin(&mut self, job: Job) -> bool {
        if !matches!((&self.state, &job), (Sending::Idle, Job::Relay)) {
            return false;
        }
        let (service, store, mut carrier) = (self.service, self.store.clone(), (self.carrier)());
        self.state = Sending::Busy(Box::pin(async move {
            Did::Sent(send_waiting(&store, service, BATCH, &mut carrier).await)
        }));
        true
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Did> {
        let Sending::Busy(step) = &mut self.state else { return Poll::Pending };
        let Poll::Ready(did) = step.as_mut().poll(context) else { return Poll::Pending };
        self.state = Sending::Idle;
        Poll::Ready(did)
    }

    fn is_busy(&self) -> bool {
        matches!(self.state, Sending::Busy(_))
    }

    fn is_dead(&self) -> bool {
        matches!(self.state, Sending::Dead)
    }

    fn die(&mut self) {
        self.state = Sending::Dead;
    }

    fn start(&mut self) {
        if self.is_dead() {
            self.state = Sending::Idle;
        }
    }
}
