//! Lets faults happen to a fleet, round after round, and sees how long it takes until work goes on. Those of one round
//! happen at the same time, as they cannot hide what each other does; the next begins when work goes on after all.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context, bail};
use domain::facts::Topic;

use super::deck::Deck;
use super::doing::{Around, Clients, Grip, SOON};
use super::fault::{Fault, Poison, Touches};
use super::kind::Kind;
use super::poison::Sent;
use crate::fleet::Fleet;
use crate::instance::beat;

/// A fault that happened.
#[derive(Clone, Debug)]
pub struct Happened {
    pub fault: Fault,
    /// From the first report on.
    pub at: Duration,
    /// What it hit.
    pub hit: String,
    /// Until work went on, from its beginning.
    pub stood: Duration,
    /// The same from when it was over, where nobody can work before. Where others happened at the same time, until the
    /// service that it hit worked on.
    pub back: Duration,
    /// Until all services worked on, whatever else happened at the same time.
    pub all: Duration,
    /// How many happened at the same time, with this one.
    pub together: usize,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, at, hit, stood, back, all, together } = self;
        write!(f, "{:>6.1} s  {fault}: {hit}; work on after {:.1} s", at.as_secs_f64(), stood.as_secs_f64())?;
        if fault.stops_all() {
            write!(f, ", {:.1} s after its end", back.as_secs_f64())?;
        }
        if *together > 1 {
            write!(f, ", of all {:.1} s ({together} at once)", all.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Whoever lets it happen.
pub struct Hand {
    pub fleet: Fleet,
    pub around: Arc<Around>,
    /// Nobody only while one of a round has hold of them.
    pub clients: Option<Clients>,
    pub poison: Sent,
    deck: Deck,
    /// So many happen at once, at most.
    together: usize,
    pub happened: Vec<Happened>,
    /// Drawn again, as they hit nothing; by kind.
    pub missed: BTreeMap<Kind, u64>,
    missed_in_a_row: BTreeMap<Kind, u64>,
}

/// A kind that hits nothing so often in a row is none that can be had here.
const NEVER: u64 = 15;
/// How long a record that nobody can take may wait to be set aside, at the end, when nothing else happens.
const AT_THE_END: Duration = Duration::from_secs(90);

impl Hand {
    pub fn new(fleet: Fleet, around: Around, clients: Clients, deck: Deck, together: usize) -> Self {
        Self {
            fleet,
            around: Arc::new(around),
            clients: Some(clients),
            poison: Sent::default(),
            deck,
            together,
            happened: Vec::new(),
            missed: BTreeMap::new(),
            missed_in_a_row: BTreeMap::new(),
        }
    }

    /// Draws faults and lets them happen until `many` have hit something.
    ///
    /// # Errors
    /// When a server or an instance does not do as it should, or work does not go on.
    pub async fn happen(&mut self, many: usize) -> anyhow::Result<()> {
        while self.happened.len() < many {
            let room = many - self.happened.len();
            let round = self.deck.round(self.together.min(room));
            self.at_once(round).await?;
            // So that it does not hide behind those before.
            beat(self.deck.dice().millis(500)).await;
        }
        Ok(())
    }

    /// So many times a whole fact on each topic that nobody knows. At the end: as its writer does not know it either, it
    /// keeps it from starting again.
    ///
    /// # Errors
    /// When nobody sets one aside, or work does not go on.
    pub async fn unknown_facts(&mut self, times: usize) -> anyhow::Result<()> {
        for topic in (0..times).flat_map(|_| Topic::ALL) {
            let missed = self.missed.clone();
            self.at_once(vec![Fault::Poison { topic, how: Poison::Unknown }]).await?;
            if self.missed != missed {
                bail!("nobody has set aside a fact of a type that nobody knows, on {topic}");
            }
        }
        Ok(())
    }

    async fn at_once(&mut self, round: Vec<Fault>) -> anyhow::Result<()> {
        let told: Vec<String> = round.iter().map(ToString::to_string).collect();
        self.around.progress.stage(&told.join("; "));
        let together = round.len();
        let happening = round.into_iter().map(|fault| {
            let mut grip = self.grip(&fault);
            async move {
                let outcome = grip.let_happen(fault, together).await;
                (grip, fault, outcome)
            }
        });
        for (grip, fault, outcome) in all_of(happening.collect()).await {
            self.let_go(grip, &fault);
            match outcome.with_context(|| format!("after {}", told.join("; ")))? {
                Some(happened) => {
                    self.missed_in_a_row.remove(&fault.kind());
                    self.happened.push(happened);
                }
                None => self.missed(fault.kind())?,
            }
        }
        Ok(())
    }

    fn missed(&mut self, kind: Kind) -> anyhow::Result<()> {
        *self.missed.entry(kind).or_default() += 1;
        let in_a_row = self.missed_in_a_row.entry(kind).or_default();
        *in_a_row += 1;
        if *in_a_row >= NEVER {
            bail!("{kind}: it hit nothing {in_a_row} times in a row");
        }
        if kind != Kind::Unknown {
            self.deck.put_back(kind);
        }
        Ok(())
    }

    /// What a fault takes hold of is its own until it is over.
    fn grip(&mut self, fault: &Fault) -> Grip {
        let touches = fault.touches();
        let instances = fault.service().and_then(|service| self.fleet.instances.remove(service));
        let clients = if touches == Touches::Clients { self.clients.take() } else { None };
        let sent = (touches == Touches::Letters).then(|| std::mem::take(&mut self.poison));
        let patience = if fault.kind() == Kind::Unknown { AT_THE_END } else { SOON };
        Grip {
            around: self.around.clone(),
            instances: instances.unwrap_or_default(),
            clients,
            sent,
            dice: self.deck.dice().fork(),
            patience,
        }
    }

    fn let_go(&mut self, grip: Grip, fault: &Fault) {
        let Grip { instances, clients, sent, .. } = grip;
        if let Some(service) = fault.service() {
            self.fleet.instances.insert(service, instances);
        }
        if clients.is_some() {
            self.clients = clients;
        }
        if let Some(sent) = sent {
            self.poison = sent;
        }
    }
}

/// Does all of it at the same time.
async fn all_of<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        let mut waits = false;
        for (future, output) in running.iter_mut().filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(done) => *output = Some(done),
                Poll::Pending => waits = true,
            }
        }
        if waits { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}
