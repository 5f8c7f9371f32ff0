//! A turn is the one way anything changes.
//!
//! Whatever waits for a service, commands from people or facts of one topic, up to a limit: load and
//! lock the rows once, in id order; decide each input purely, in order; write once: rows, history, facts,
//! position; commit; then answer the people and wake the readers. Commands of many people thus share one
//! commit. A batch that fails is run again one by one, so only the culprit gets the error.
//!
//! A fact that cannot be decided becomes a dead letter in that same turn; later facts of its incident are
//! parked behind it, because its sequence is not taken. The rest goes on. When too many in a row fail, the
//! reader stops the line and says so, instead of filling the table. What is only not known here yet is kept in the same
//! way, and tried again by itself.

mod commands;
mod deciding;
mod facts;
mod health;
mod order;
mod positions;
mod running;
mod steady;
mod sweep;
mod undecided;

pub use commands::{Asked, Desk, NoCommand, Unanswered};
pub use facts::Taken;
pub use health::Health;
pub use order::{Order, Place};
pub use steady::{Seen, Steady};
pub use undecided::Undecided;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};
use domain::facts::Topic;
use domain::id::IncidentId;
use serde::Serialize;

use crate::clock::Clock;
use crate::entropy;
use crate::faults::Rule;
use crate::metrics::Metrics;
use crate::store::positions::Position;
use crate::store::sequences::{self, Change, OfTopic, Sequences};
use crate::store::{Readers, Store, StoreError, Tx};
use crate::stream::{Fact, Opens, Record, Source, Stream};

/// The most inputs one turn takes.
pub const INPUTS_PER_TURN: usize = 500;

/// What a service is to the turn: how it loads, decides and saves. Deciding is pure: no I/O, no async,
/// and nothing is changed in `Work` unless the decision stands.
#[async_trait::async_trait]
pub trait Service: Send + Sync + 'static {
    /// Names its tables and its metrics: `handle`.
    const NAME: &'static str;
    /// What it reads, in the order it reads it.
    const READS: &'static [Topic];
    /// The one topic it writes.
    const WRITES: Topic;
    /// How many turns of commands may be under way at once where the database takes more than one. Two of them meet
    /// only at rows that both make: more than one is for commands that each make an incident of their own.
    const WINDOWS: usize = 1;
    /// What people can ask of it.
    type Command: Send + Sync + 'static;
    /// What they are told.
    type Answer: Send + 'static;
    /// The rows of one turn, as loaded and as changed.
    type Work: Send;

    /// Which bodies it opens on `topic`.
    fn opens(_topic: Topic) -> Opens {
        Opens::All
    }

    /// The incident a command is about.
    fn incident(command: &Self::Command) -> IncidentId;

    /// Whether the command makes its incident: nobody else can know it, and there is nothing to lock.
    fn is_new(_command: &Self::Command) -> bool {
        false
    }

    /// Loads and locks the rows of `incidents` (sorted, each once) and what `commands` need beside them.
    async fn load(
        &self,
        tx: &Tx,
        incidents: &[IncidentId],
        commands: &[Asked<Self::Command>],
    ) -> Result<Self::Work, StoreError>;

    /// Decides a command. A refusal is an answer, not an error.
    fn obey(&self, work: &mut Self::Work, asked: &Asked<Self::Command>, turn: &mut Turn) -> Self::Answer;

    /// Decides a fact.
    ///
    /// # Errors
    /// Why it cannot be decided, or not yet.
    fn react(&self, work: &mut Self::Work, record: &Record, turn: &mut Turn) -> Result<(), Undecided>;

    /// Saves what changed, with multi-row statements.
    async fn save(&self, tx: &Tx, work: Self::Work, turn: &Turn) -> Result<(), StoreError>;

    /// Incidents for which a time has come by `now`, most urgent first.
    async fn due(&self, _tx: &Tx, _now: DateTime<Utc>, _limit: u64) -> Result<Vec<IncidentId>, StoreError> {
        Ok(Vec::new())
    }

    /// Decides for an incident whose time has come.
    fn sweep(&self, _work: &mut Self::Work, _incident: IncidentId, _turn: &mut Turn) {}

    /// Nothing could be decided for `incident`, whose time has come: it is looked at again from `until` on, so
    /// that it does not keep others waiting.
    async fn put_off(
        &self,
        _tx: &Tx,
        _incident: IncidentId,
        _until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    /// When a time comes next, as far as the service knows.
    async fn next_due(&self, _readers: &Readers) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }
}

/// What one turn is doing: the time it counts as, and the facts it will publish.
#[derive(Debug)]
pub struct Turn {
    now: DateTime<Utc>,
    driven: bool,
    drawn: OfTopic,
    facts: Vec<Fact>,
    unchanged: usize,
}

impl Turn {
    fn new(now: DateTime<Utc>, driven: bool, drawn: OfTopic) -> Self {
        Self { now, driven, drawn, facts: Vec::new(), unchanged: 0 }
    }

    /// The turn's now, read after its rows were locked.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// When an input counts: on a driven clock as recorded, on any other now.
    pub fn at(&self, recorded_at: DateTime<Utc>) -> DateTime<Utc> {
        if self.driven { recorded_at } else { self.now }
    }

    /// Draws the incident's next sequence and queues a fact with it; answers the sequence.
    pub fn publish(
        &mut self,
        incident: IncidentId,
        kind: &str,
        at: DateTime<Utc>,
        cause: String,
        body: &impl Serialize,
    ) -> i64 {
        let sequence = self.drawn.last(incident).unwrap_or(0) + 1;
        self.drawn.set(incident, sequence);
        let body = serde_json::to_string(body).expect("facts are plain data with text keys");
        let fact = Fact {
            topic: self.drawn.topic(),
            incident,
            sequence,
            kind: kind.to_owned(),
            at,
            noticed_at: self.now,
            cause,
            body,
        };
        self.facts.push(fact);
        sequence
    }

    /// A proposal that changed nothing: counted, and no more.
    pub fn unchanged(&mut self) {
        self.unchanged += 1;
    }
}

/// Runs the turns of one service.
pub struct Turns<S: Service> {
    service: Arc<S>,
    store: Store,
    stream: Arc<dyn Stream>,
    clock: Clock,
    metrics: Metrics,
    positions: BTreeMap<Source, Position>,
    /// Records read ahead, and the position they were read from.
    ahead: BTreeMap<Source, (i64, Vec<Record>)>,
    /// How often facts were looked for: with which source the next look begins.
    rounds: usize,
    /// Whether any fact is parked or dead; spares every other turn the look.
    troubled: bool,
    /// Dead letters in a row, without a fact taken between.
    dead_in_a_row: usize,
    /// When the loop last looked for what another process asked of it.
    looked_up: Instant,
    health: Health,
    /// One for all windows, so that none of them has long not looked.
    steady: Arc<Mutex<Steady>>,
    /// This instance, among others of the service.
    instance: String,
    /// Until when this instance sweeps without asking.
    sweeps_until: Option<Instant>,
}

/// Everything a service needs from outside.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub store: Store,
    pub stream: Arc<dyn Stream>,
    pub clock: Clock,
    pub metrics: Metrics,
}

impl<S: Service> Turns<S> {
    pub fn new(service: Arc<S>, around: &Surroundings) -> Self {
        Self {
            service,
            store: around.store.clone(),
            stream: around.stream.clone(),
            clock: around.clock.clone(),
            metrics: around.metrics.clone(),
            positions: BTreeMap::new(),
            ahead: BTreeMap::new(),
            rounds: 0,
            troubled: true,
            dead_in_a_row: 0,
            looked_up: Instant::now(),
            health: Health::named(S::NAME),
            steady: Arc::default(),
            instance: entropy::draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect(),
            sweeps_until: None,
        }
    }

    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Another of the same service, with the same health and clock, for commands alone.
    fn beside(&self) -> Self {
        let around = Surroundings {
            store: self.store.clone(),
            stream: self.stream.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
        };
        let (health, steady) = (self.health.clone(), self.steady.clone());
        Self { health, steady, ..Self::new(self.service.clone(), &around) }
    }

    /// Locks `incidents` in id order and opens a turn on them; answers also what was taken of them on the topic that
    /// it `reads`.
    async fn open(
        &mut self,
        tx: &Tx,
        incidents: &[IncidentId],
        reads: Option<Topic>,
    ) -> Result<(Turn, Sequences), StoreError> {
        let topics: Vec<Topic> = reads.into_iter().chain([S::WRITES]).collect();
        let mut found = sequences::lock(tx, S::NAME, &topics, incidents).await?;
        let shown = match (found.now, &self.clock) {
            (Some(now), Clock::Host) => now,
            _ => self.store.now(tx, &self.clock).await?,
        };
        let now = self.seen(shown).now;
        let drawn = OfTopic::new(S::WRITES, found.last.remove(&S::WRITES).unwrap_or_default());
        let taken = reads.and_then(|topic| found.last.remove(&topic)).unwrap_or_default();
        Ok((Turn::new(now, self.clock.is_driven(), drawn), taken))
    }

    /// What the clock shows, beside the time that went by. A clock that is driven or runs faster is meant to.
    fn seen(&mut self, shown: DateTime<Utc>) -> Seen {
        let runs = matches!(self.clock, Clock::Host | Clock::Simulated(_));
        if !self.store.is_shared() || !runs || self.store.faults().breaks(Rule::SteadyTime) {
            return Seen { now: shown, off: None };
        }
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        steady.look(shown, self.clock.steady())
    }

    /// Saves rows, sequences (`taken` on the topic that was read) and facts; the caller moves its position and
    /// commits.
    async fn save(
        &self,
        tx: &Tx,
        work: S::Work,
        turn: &Turn,
        taken: Option<&OfTopic>,
    ) -> Result<(), StoreError> {
        let mut changes: Vec<Change> = turn.drawn.changes().collect();
        changes.extend(taken.into_iter().flat_map(OfTopic::changes));
        // Together: while the database takes one statement, the next is written.
        tokio::try_join!(
            biased;
            self.service.save(tx, work, turn),
            sequences::save(tx, S::NAME, &changes),
            self.stream.publish(tx, &turn.facts),
        )?;
        Ok(())
    }

    /// Counts a committed turn and wakes the readers of what it published.
    fn committed(&self, turn: &Turn) {
        self.health.saved();
        self.metrics.turns.with_label_values(&[S::NAME]).inc();
        self.metrics.became(S::NAME, "unchanged", turn.unchanged);
        if !turn.facts.is_empty() {
            self.metrics.published.with_label_values(&[S::NAME]).inc_by(turn.facts.len() as u64);
            self.stream.published();
        }
    }
}

/// Why a turn of facts or a sweep did not commit.
enum Failed {
    Store(StoreError),
    /// A decision panicked.
    Panicked(String),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failed {
    fn reason(&self) -> String {
        match self {
            Self::Panicked(text) => format!("deciding it panicked: {text}"),
            Self::Store(error) => format!("its turn failed: {}", error),
        }
    }

    fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Panicked(why) => StoreError::Inconsistent { table: "turn", id: String::new(), why },
        }
    }
}

async fn commit(tx: Tx) -> Result<(), StoreError> {
    use crate::store::Doing;
    tx.commit().await.doing("committing a turn")
}

/// Whatever a decision panicked with, in words.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
