//! What a session does in a schedule, as the loop of its service, or whoever asks it, does it: what could not be done for
//! another's sake is done again.

use std::fmt::Debug;
use std::sync::Arc;

use discover::Submit;
use handle::Act;
use platform::store::{Store, StoreError};
use platform::turn::{Asked, Service, Taken, Unanswered};

use super::session::{Said, Turn};
use super::stage::{Instance, Part, Scene};
use super::topics::Ears;

/// So often a turn is begun again.
const TRIES: usize = 5;

/// What one of the two does.
#[derive(Clone)]
pub enum Does {
    /// An instance takes the facts that have arrived. One that `stood` was there before they came.
    Takes {
        part: Part,
        stood: bool,
        partition: Option<i32>,
    },
    /// One that stood before the facts has read one of them, and takes it.
    TakesOne(Part),
    /// It tries the dead letters again that somebody asked for.
    Retries(Part),
    Sweeps(Part),
    /// It carries what waits in an outbox.
    Relays(Part),
    Acts(Asked<Act>),
    Partners(Asked<partner::Command>),
    Reports(Asked<Submit>),
    /// One after the other.
    Then(Vec<Does>),
    /// What is no turn of a service.
    Plainly(fn(&Scene, Store) -> Turn),
}

impl Does {
    /// An instance starts, and takes what there is.
    pub fn starts(part: Part) -> Self {
        Self::Takes { part, stood: false, partition: None }
    }

    /// An instance that stands before the facts takes them.
    pub fn takes(part: Part) -> Self {
        Self::Takes { part, stood: true, partition: None }
    }

    /// The same, of one partition.
    pub fn takes_of(part: Part, partition: i32) -> Self {
        Self::Takes { part, stood: true, partition: Some(partition) }
    }

    /// Makes ready; what is answered does it.
    pub async fn begin(&self, scene: &Scene, store: &Store) -> Turn {
        let Self::Then(all) = self else { return self.begin_one(scene, store).await };
        let mut turns = Vec::new();
        for does in all {
            turns.push(does.begin_one(scene, store).await);
        }
        Box::pin(async move {
            let mut said = Vec::new();
            for turn in turns {
                said.push(turn.await);
            }
            let again = said.iter().map(|said| said.again).sum();
            let texts: Vec<String> = said.into_iter().map(|said| said.text).collect();
            Said { text: texts.join(", "), again }
        })
    }

    async fn begin_one(&self, scene: &Scene, store: &Store) -> Turn {
        let (scene, store) = (scene.clone(), store.clone());
        match self.clone() {
            Self::Takes { part, stood, partition } => {
                let partitions = partition.map_or_else(|| scene.topics.partitions(), |one| vec![one]);
                let ears = Ears::of(part.name(), &scene.topics, partitions);
                let mut instance = scene.instance(part, &store, &ears);
                if stood {
                    ears.hear(0);
                    assert_eq!(instance.takes().await.unwrap().all(), 0);
                    ears.hear(u64::MAX);
                }
                Box::pin(takes(instance))
            }
            Self::TakesOne(part) => {
                let ears = Ears::of(part.name(), &scene.topics, scene.topics.partitions());
                let mut instance = scene.instance(part, &store, &ears);
                ears.hear(0);
                assert_eq!(instance.takes().await.unwrap().all(), 0);
                ears.hear(1);
                Box::pin(takes_one(instance))
            }
            Self::Retries(part) => Box::pin(retries(alone(&scene, part, &store))),
            Self::Sweeps(part) => Box::pin(sweeps(alone(&scene, part, &store))),
            Self::Relays(part) => Box::pin(relays(scene, part, store)),
            Self::Acts(asked) => {
                let service = scene.office.handle.clone();
                Box::pin(asks(scene, store, service, asked, |answer| match answer {
                    Ok(done) => done.state.to_owned(),
                    Err(refusal) => word(refusal),
                }))
            }
            Self::Partners(asked) => {
                let service = scene.office.partner.clone();
                Box::pin(asks(scene, store, service, asked, |answer| match answer {
                    Ok(done) => word(done),
                    Err(refused) => word(refused),
                }))
            }
            Self::Reports(asked) => {
                let service = scene.office.discover.clone();
                Box::pin(asks(scene, store, service, asked, |answer| match answer {
                    Ok(done) => if done.fresh { "fresh" } else { "known" }.to_owned(),
                    Err(fault) => fault.code.to_owned(),
                }))
            }
            Self::Plainly(does) => does(&scene, store),
            Self::Then(_) => unreachable!("a list lies in no list"),
        }
    }
}

/// The name of a variant.
pub fn word(of: &impl Debug) -> String {
    format!("{of:?}").chars().take_while(|mark| mark.is_alphanumeric()).collect()
}

fn alone(scene: &Scene, part: Part, store: &Store) -> Box<dyn Instance> {
    scene.instance(part, store, &Ears::of(part.name(), &scene.topics, scene.topics.partitions()))
}

/// How it ended, unless it is to be tried again.
fn ended(result: Result<usize, StoreError>, done: &str, again: usize) -> Option<Said> {
    match result {
        Ok(_) => Some(Said { text: done.to_owned(), again }),
        Err(error) if error.may_pass() && again < TRIES => None,
        Err(error) => Some(Said { text: format!("failed: {error}"), again }),
    }
}

async fn retries(mut instance: Box<dyn Instance>) -> Said {
    let mut again = 0;
    loop {
        match ended(instance.retries().await, "retried", again) {
            Some(said) => return said,
            None => again += 1,
        }
    }
}

async fn sweeps(mut instance: Box<dyn Instance>) -> Said {
    let mut again = 0;
    loop {
        match ended(instance.sweeps().await, "swept", again) {
            Some(said) => return said,
            None => again += 1,
        }
    }
}

async fn relays(scene: Scene, part: Part, store: Store) -> Said {
    let mut again = 0;
    loop {
        match ended(scene.relay(part, &store).await, "sent", again) {
            Some(said) => return said,
            None => again += 1,
        }
    }
}

/// One turn.
async fn takes_one(mut instance: Box<dyn Instance>) -> Said {
    let mut again = 0;
    loop {
        match instance.takes().await {
            Ok(now) => return Said { text: format!("took {}", now.taken), again },
            Err(error) if error.may_pass() && again < TRIES => again += 1,
            Err(error) => return Said { text: format!("failed: {error}"), again },
        }
    }
}

/// As the loop does it: until nothing is left.
async fn takes(mut instance: Box<dyn Instance>) -> Said {
    let (mut all, mut again) = (Taken::default(), 0);
    loop {
        match instance.takes().await {
            Ok(now) if now.all() == 0 => break,
            Ok(now) => {
                all.taken += now.taken;
                all.parked += now.parked;
                all.dead += now.dead;
            }
            Err(error) if error.may_pass() && again < TRIES => again += 1,
            Err(error) => return Said { text: format!("failed: {error}"), again },
        }
    }
    let count = |name: &str, n: usize| if n > 0 { format!(" {name} {n}") } else { String::new() };
    let text = format!("took {}{}{}", all.taken, count("parked", all.parked), count("dead", all.dead));
    Said { text, again }
}

/// As a person does it: who is told to come back does.
async fn asks<S: Service>(
    scene: Scene,
    store: Store,
    service: Arc<S>,
    asked: Asked<S::Command>,
    told: fn(&S::Answer) -> String,
) -> Said {
    let mut desk = scene.desk(&service, &store);
    for again in 0..TRIES {
        match desk.obey(std::slice::from_ref(&asked)).await.pop() {
            Some(Ok(answer)) => return Said { text: told(&answer), again },
            Some(Err(Unanswered::Unavailable(_))) => {}
            other => {
                let why = other.map(|answer| answer.err());
                return Said { text: format!("failed: {why:?}"), again };
            }
        }
    }
    Said { text: "gave up".to_owned(), again: TRIES }
}
