//! The turn that takes facts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::facts::Topic;
use domain::id::IncidentId;
use tracing::{error, warn};

use super::order::{Order, Place};
use super::{INPUTS_PER_TURN, Service, Turn, Turns, commit, panic_text};
use crate::store::parked::{self, Parked};
use crate::store::positions::{self, Position};
use crate::store::{StoreError, Tx, dead_letters, sequences};
use crate::stream::{Record, Source};

/// Dead letters in a row after which the reader stops the line: it is then we who are wrong.
pub const DEAD_IN_A_ROW: usize = 50;

/// What became of the facts of one or more turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub taken: usize,
    pub dropped: usize,
    pub parked: usize,
    pub dead: usize,
}

impl Taken {
    pub fn all(&self) -> usize {
        self.taken + self.dropped + self.parked + self.dead
    }

    fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.dropped += other.dropped;
        self.parked += other.parked;
        self.dead += other.dead;
    }
}

/// Why a turn of facts did not commit.
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

/// Whether a turn's facts come from the stream, and so move a position, or were given again.
#[derive(Clone, Copy)]
enum Origin<'a> {
    Stream(Source, &'a Position),
    Retried,
}

impl<S: Service> Turns<S> {
    /// Takes what waits on the service's topics, at most one turn a partition.
    ///
    /// # Errors
    /// When the database fails, or a position does not fit its log; nothing was changed then.
    pub async fn take_facts(&mut self) -> Result<Taken, StoreError> {
        let mut taken = Taken::default();
        for topic in S::READS {
            for partition in self.stream.partitions(*topic) {
                let source = Source { topic: *topic, partition };
                taken.add(self.take_from(source).await?);
            }
        }
        Ok(taken)
    }

    async fn take_from(&mut self, source: Source) -> Result<Taken, StoreError> {
        let position = self.position(source).await?;
        let records =
            self.stream.read(source, position.after, INPUTS_PER_TURN as u64, S::opens(source.topic)).await?;
        if records.is_empty() {
            return Ok(Taken::default());
        }
        self.take_records(source, records).await
    }

    /// Takes `records` of one source, in order; a batch that fails is run again one by one.
    async fn take_records(&mut self, source: Source, records: Vec<Record>) -> Result<Taken, StoreError> {
        let position = self.position(source).await?;
        match self.facts_turn(Origin::Stream(source, &position), &records, None).await {
            Ok(taken) => {
                self.moved(source, &records);
                Ok(taken)
            }
            Err(Failed::Store(error)) if error.may_pass() => {
                // The position in memory may be the one that is wrong.
                self.positions.remove(&source);
                Err(error)
            }
            Err(_) => self.one_by_one(source, records).await,
        }
    }

    async fn one_by_one(&mut self, source: Source, records: Vec<Record>) -> Result<Taken, StoreError> {
        let mut all = Taken::default();
        for record in records {
            let position = self.position(source).await?;
            let one = std::slice::from_ref(&record);
            let taken = match self.facts_turn(Origin::Stream(source, &position), one, None).await {
                Err(Failed::Store(error)) if error.may_pass() => {
                    self.positions.remove(&source);
                    return Err(error);
                }
                Err(failed) => {
                    let reason = failed.reason();
                    let again = self.facts_turn(Origin::Stream(source, &position), one, Some(&reason)).await;
                    again.map_err(Failed::into_store)?
                }
                Ok(taken) => taken,
            };
            self.moved(source, one);
            all.add(taken);
        }
        Ok(all)
    }

    fn moved(&mut self, source: Source, records: &[Record]) {
        if let (Some(position), Some(last)) = (self.positions.get_mut(&source), records.last()) {
            position.after = last.position;
        }
    }

    /// One transaction over `records`. With `doomed`, the one record is a dead letter for that reason.
    async fn facts_turn(
        &mut self,
        origin: Origin<'_>,
        records: &[Record],
        doomed: Option<&str>,
    ) -> Result<Taken, Failed> {
        let Some(topic) = records.first().map(|record| record.source.topic) else {
            return Ok(Taken::default());
        };
        let mut incidents: Vec<IncidentId> = records.iter().map(|record| record.incident).collect();
        incidents.sort_unstable();
        incidents.dedup();

        let tx = self.store.begin().await?;
        let mut order = self.order(&tx, topic, &incidents).await?;
        let mut turn = self.open(&tx, &incidents).await?;
        let mut work = self.service.load(&tx, &incidents, &[]).await?;
        let deciding =
            Deciding { service: &*self.service, doomed, letters: Vec::new(), resolved: Vec::new() };
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let mut deciding = deciding;
            let taken = deciding.all(records, &mut order, &mut work, &mut turn);
            (taken, deciding.letters, deciding.resolved)
        }));
        let (taken, letters, resolved) = decided.map_err(|panic| Failed::Panicked(panic_text(&*panic)))?;

        self.save(&tx, work, &turn).await?;
        sequences::save(&tx, S::NAME, topic, &order.changed).await?;
        for record in &order.newly_parked {
            parked::park(&tx, S::NAME, record).await?;
        }
        for record in &order.freed {
            parked::free(&tx, S::NAME, record).await?;
        }
        for (record, reason) in &letters {
            dead_letters::keep(&tx, S::NAME, record, reason, turn.now()).await?;
        }
        if self.troubled {
            let dead = dead_letters::among(&tx, S::NAME, topic, &incidents).await?;
            let were_dead = |record: &&Record| dead.contains(&(record.incident, record.sequence));
            for record in resolved.iter().filter(were_dead) {
                dead_letters::resolve(&tx, S::NAME, record).await?;
            }
        }
        if let (Origin::Stream(source, from), Some(last)) = (origin, records.last()) {
            positions::move_on(&tx, S::NAME, source, from, last.position).await?;
        }
        commit(tx).await?;
        self.committed(&turn);
        self.tell(&taken, &order, &letters);
        Ok(taken)
    }

    async fn order(&self, tx: &Tx, topic: Topic, incidents: &[IncidentId]) -> Result<Order, StoreError> {
        let last = sequences::load(tx, S::NAME, topic, incidents).await?;
        let waiting =
            if self.troubled { parked::load(tx, S::NAME, topic, incidents).await? } else { Parked::new() };
        Ok(Order::new(topic, last, waiting))
    }

    /// Counts what became of the facts, and says aloud what should not have been.
    fn tell(&mut self, taken: &Taken, order: &Order, letters: &[(Record, String)]) {
        for (became, count) in [
            ("taken", taken.taken),
            ("dropped", taken.dropped),
            ("parked", taken.parked),
            ("dead", taken.dead),
        ] {
            self.metrics.became(S::NAME, became, count);
        }
        for record in &order.newly_parked {
            warn!(service = S::NAME, fact = record.name(), "parked a fact: one before it is missing");
        }
        for (record, reason) in letters {
            error!(service = S::NAME, fact = record.name(), reason, "set a fact aside as a dead letter");
        }
        if !letters.is_empty() || !order.newly_parked.is_empty() {
            self.troubled = true;
        }
        self.dead_in_a_row = if taken.taken > 0 { 0 } else { self.dead_in_a_row + taken.dead };
        if self.dead_in_a_row >= DEAD_IN_A_ROW {
            self.health.stop_the_line(format!(
                "{}: {} facts in a row could not be decided; mend the cause, then restart",
                S::NAME,
                self.dead_in_a_row
            ));
        }
    }

    /// Tries again every dead letter that somebody asked for, each with what is parked behind it, in one
    /// turn. Answers how many were decided.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_asked(&mut self) -> Result<usize, StoreError> {
        let letters = dead_letters::asked(self.store.readers(), S::NAME).await?;
        let mut decided = 0;
        for letter in letters {
            self.troubled = true;
            let one = std::slice::from_ref(&letter.record);
            let taken = match self.facts_turn(Origin::Retried, one, None).await {
                Err(Failed::Store(error)) if error.may_pass() => return Err(error),
                Err(failed) => {
                    let reason = failed.reason();
                    self.facts_turn(Origin::Retried, one, Some(&reason)).await.map_err(Failed::into_store)?
                }
                Ok(taken) => taken,
            };
            decided += usize::from(taken.dead == 0);
        }
        Ok(decided)
    }

    /// The position of this reader on `source`, checked against the log when it is first loaded.
    async fn position(&mut self, source: Source) -> Result<Position, StoreError> {
        if let Some(position) = self.positions.get(&source) {
            return Ok(position.clone());
        }
        let bounds = self.stream.bounds(source).await?;
        let tx = self.store.begin().await?;
        let position = match positions::load(&tx, S::NAME, source).await? {
            Some(position) => position,
            None => {
                let position = Position { topic_id: bounds.topic_id.clone(), after: bounds.first - 1 };
                positions::begin(&tx, S::NAME, source, &position).await?;
                position
            }
        };
        commit(tx).await?;
        check_position(S::NAME, source, &position, &bounds)?;
        self.look_for_trouble().await?;
        self.positions.insert(source, position.clone());
        Ok(position)
    }

    /// Looks whether anything is parked or dead, so that turns need not.
    pub(super) async fn look_for_trouble(&mut self) -> Result<(), StoreError> {
        let parked = parked::count(self.store.readers(), S::NAME).await?;
        let letters = dead_letters::list(self.store.readers(), S::NAME).await?;
        self.troubled = parked > 0 || !letters.is_empty();
        Ok(())
    }
}

/// A position that names another log, or lies outside this one, is a fault that is reported, never skipped.
fn check_position(
    service: &'static str,
    source: Source,
    position: &Position,
    bounds: &crate::stream::Bounds,
) -> Result<(), StoreError> {
    let why = if position.topic_id != bounds.topic_id {
        format!("it is on log {}, but the log here is {}", position.topic_id, bounds.topic_id)
    } else if position.after + 1 < bounds.first || position.after > bounds.last.max(bounds.first - 1) {
        format!("it is at {}, but the log holds {} to {}", position.after, bounds.first, bounds.last)
    } else {
        return Ok(());
    };
    Err(StoreError::Inconsistent { table: "position", id: format!("{service} on {}", source.topic), why })
}

impl Failed {
    fn reason(&self) -> String {
        match self {
            Self::Panicked(text) => format!("deciding it panicked: {text}"),
            Self::Store(error) => format!("it could not be saved: {:#}", anyhow::anyhow!(error.to_string())),
        }
    }

    fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Panicked(why) => StoreError::Inconsistent { table: "turn", id: String::new(), why },
        }
    }
}

/// The deciding of one turn of facts.
struct Deciding<'a, S: Service> {
    service: &'a S,
    doomed: Option<&'a str>,
    letters: Vec<(Record, String)>,
    resolved: Vec<Record>,
}

impl<S: Service> Deciding<'_, S> {
    fn all(&mut self, records: &[Record], order: &mut Order, work: &mut S::Work, turn: &mut Turn) -> Taken {
        let mut taken = Taken::default();
        for record in records {
            match order.place(record.incident, record.sequence) {
                Place::Drop => taken.dropped += 1,
                Place::Park => {
                    order.park(record.clone());
                    taken.parked += 1;
                }
                Place::Take => self.take(record.clone(), order, work, turn, &mut taken),
            }
        }
        taken
    }

    /// Takes `record` and whatever was parked right behind it.
    fn take(
        &mut self,
        record: Record,
        order: &mut Order,
        work: &mut S::Work,
        turn: &mut Turn,
        taken: &mut Taken,
    ) {
        let mut next = Some(record);
        while let Some(record) = next {
            let verdict = match self.doomed {
                Some(reason) => Err(reason.to_owned()),
                None => self.service.react(work, &record, turn),
            };
            match verdict {
                Ok(()) => {
                    taken.taken += 1;
                    next = order.taken(&record);
                    self.resolved.push(record);
                }
                Err(reason) => {
                    taken.dead += 1;
                    order.stuck(&record);
                    self.letters.push((record, reason));
                    next = None;
                }
            }
        }
    }
}
