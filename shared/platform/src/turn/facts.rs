//! The turn that takes facts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::facts::Topic;
use domain::id::IncidentId;
use tracing::{error, warn};

use super::order::{Order, Place};
use super::{Failed, INPUTS_PER_TURN, Service, Turn, Turns, commit, panic_text};
use crate::store::parked::{self, Parked};
use crate::store::positions::{self, Position};
use crate::store::{StoreError, Tx, dead_letters, sequences};
use crate::stream::{Record, Source, UNREADABLE};

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

/// Whether a turn's facts come from the stream, and so move a position, or were here already.
#[derive(Clone, Copy)]
enum Origin<'a> {
    Stream(Source, &'a Position),
    Retried,
    Parked,
}

/// How a turn goes about its facts.
#[derive(Clone, Copy)]
enum How<'a> {
    /// Each with whatever waits right behind it.
    Following,
    /// Without what waits behind them: to find out which of them is the culprit.
    Alone,
    /// The one fact is a dead letter, for this reason.
    Doomed(&'a str),
}

impl<S: Service> Turns<S> {
    /// Takes what waits on the service's topics, at most one turn a partition.
    ///
    /// # Errors
    /// When the database fails, or a position does not fit its log; nothing was changed then.
    pub async fn take_facts(&mut self) -> Result<Taken, StoreError> {
        let mut taken = Taken::default();
        let sources = self.sources();
        self.begin_new(&sources).await?;
        for source in sources {
            taken.add(self.take_from(source).await?);
        }
        Ok(taken)
    }

    async fn take_from(&mut self, source: Source) -> Result<Taken, StoreError> {
        let after = self.position(source).await?.after;
        let records = match self.ahead.remove(&source) {
            Some((from, records)) if from == after => records,
            _ => self.stream.read(source, after, INPUTS_PER_TURN as u64, S::opens(source.topic)).await?,
        };
        let Some(last) = records.last().map(|record| record.position) else { return Ok(Taken::default()) };
        if records.len() < INPUTS_PER_TURN {
            return self.take_records(source, records).await;
        }
        // There is probably more: it is read while these are taken.
        let stream = self.stream.clone();
        let next = stream.read(source, last, INPUTS_PER_TURN as u64, S::opens(source.topic));
        let (taken, next) = tokio::join!(biased; self.take_records(source, records), next);
        // What could not be read now is read, or complained of, when its time comes.
        if let Ok(next) = next {
            self.ahead.insert(source, (last, next));
        }
        taken
    }

    /// Takes `records` of one source, in order; a batch that fails is run again one by one.
    async fn take_records(&mut self, source: Source, records: Vec<Record>) -> Result<Taken, StoreError> {
        let position = self.position(source).await?;
        match self.facts_turn(Origin::Stream(source, &position), &records, How::Following).await {
            Ok((taken, seen)) => {
                self.moved(source, &records[..seen]);
                Ok(taken)
            }
            Err(Failed::Store(error)) if error.may_pass() || error.is_damage() => {
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
            if self.health.stopped().is_some() {
                break;
            }
            let position = self.position(source).await?;
            match self.one(Origin::Stream(source, &position), record.clone()).await {
                Ok(taken) => all.add(taken),
                Err(error) => {
                    self.positions.remove(&source);
                    return Err(error);
                }
            }
            self.moved(source, std::slice::from_ref(&record));
        }
        Ok(all)
    }

    /// Takes one record with what waits behind it. When that fails, each by itself, so that only the culprit
    /// is set aside.
    async fn one(&mut self, origin: Origin<'_>, record: Record) -> Result<Taken, StoreError> {
        let mut all = Taken::default();
        let (mut origin, mut next) = (origin, Some(record));
        while let Some(record) = next.take() {
            let one = std::slice::from_ref(&record);
            let taken = match self.facts_turn(origin, one, How::Following).await {
                Ok((taken, _)) => taken,
                Err(Failed::Store(error)) if error.may_pass() || error.is_damage() => return Err(error),
                Err(_) => {
                    let taken = self.alone(origin, one).await?;
                    if taken.dead == 0 {
                        next = self.next_parked(&record).await?;
                    }
                    taken
                }
            };
            all.add(taken);
            origin = Origin::Parked;
        }
        Ok(all)
    }

    async fn alone(&mut self, origin: Origin<'_>, one: &[Record]) -> Result<Taken, StoreError> {
        let failed = match self.facts_turn(origin, one, How::Alone).await {
            Ok((taken, _)) => return Ok(taken),
            Err(Failed::Store(error)) if error.may_pass() || error.is_damage() => return Err(error),
            Err(failed) => failed.reason(),
        };
        let doomed = self.facts_turn(origin, one, How::Doomed(&failed)).await;
        doomed.map(|(taken, _)| taken).map_err(Failed::into_store)
    }

    /// What waits right behind `record`, which was taken.
    async fn next_parked(&self, record: &Record) -> Result<Option<Record>, StoreError> {
        let tx = self.store.begin().await?;
        let incident = [record.incident];
        let mut parked = parked::load(&tx, S::NAME, record.source.topic, &incident).await?;
        Ok(parked.get_mut(&record.incident).and_then(|waiting| waiting.remove(&(record.sequence + 1))))
    }

    /// One transaction over `records`; what became of them, and how many were seen before the line stopped.
    async fn facts_turn(
        &mut self,
        origin: Origin<'_>,
        records: &[Record],
        how: How<'_>,
    ) -> Result<(Taken, usize), Failed> {
        let Some(topic) = records.first().map(|record| record.source.topic) else {
            return Ok((Taken::default(), 0));
        };
        let mut incidents: Vec<IncidentId> = records.iter().map(|record| record.incident).collect();
        incidents.sort_unstable();
        incidents.dedup();

        let look = self.store.look_first().await?;
        let mut turn = self.open(&look, &incidents).await?;
        // Nothing is decided about what is doomed, and its row may be why.
        let rows = if matches!(how, How::Doomed(_)) { &[][..] } else { &incidents[..] };
        let (mut order, mut work) = tokio::try_join!(
            biased;
            self.order(&look, topic, &incidents),
            self.service.load(&look, rows, &[]),
        )?;
        let counted = matches!(origin, Origin::Stream(..)).then_some(self.dead_in_a_row);
        let service = &*self.service;
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let mut deciding =
                Deciding { service, how, in_a_row: counted, letters: Vec::new(), resolved: Vec::new() };
            let (taken, seen) = deciding.all(records, &mut order, &mut work, &mut turn);
            (taken, seen, deciding)
        }));
        let (taken, seen, deciding) = decided.map_err(|panic| Failed::Panicked(panic_text(&*panic)))?;
        let Deciding { letters, resolved, in_a_row, .. } = deciding;

        let tx = self.store.write(look).await?;
        let taken_now = sequences::save(&tx, S::NAME, topic, &order.changed);
        tokio::try_join!(biased; self.save(&tx, work, &turn), taken_now)?;
        for record in &order.newly_parked {
            parked::park(&tx, S::NAME, record).await?;
        }
        for record in &order.freed {
            parked::free(&tx, S::NAME, record).await?;
        }
        if let Origin::Parked = origin {
            for record in records {
                parked::free(&tx, S::NAME, record).await?;
            }
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
        if let (Origin::Stream(source, from), Some(last)) = (origin, records[..seen].last()) {
            positions::move_on(&tx, S::NAME, source, from, last.position).await?;
        }
        commit(tx).await?;
        self.committed(&turn);
        self.tell(&taken, &order, &letters);
        if let Some(in_a_row) = in_a_row {
            self.count_dead(in_a_row);
        }
        Ok((taken, seen))
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
    }

    fn count_dead(&mut self, in_a_row: usize) {
        self.dead_in_a_row = in_a_row;
        if in_a_row >= DEAD_IN_A_ROW {
            self.health.stop_the_line(format!(
                "{}: {in_a_row} facts in a row could not be decided; mend the cause, then restart",
                S::NAME,
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
            let taken = self.one(Origin::Retried, letter.record).await?;
            decided += usize::from(taken.taken > 0);
        }
        Ok(decided)
    }

    /// Looks whether anything is parked or dead, so that turns need not.
    pub(super) async fn look_for_trouble(&mut self) -> Result<(), StoreError> {
        let parked = parked::count(self.store.readers(), S::NAME).await?;
        let letters = dead_letters::list(self.store.readers(), S::NAME).await?;
        self.troubled = parked > 0 || !letters.is_empty();
        Ok(())
    }
}

/// The deciding of one turn of facts.
struct Deciding<'a, S: Service> {
    service: &'a S,
    how: How<'a>,
    /// Dead letters in a row so far; `None`: not counted, they were dead before.
    in_a_row: Option<usize>,
    letters: Vec<(Record, String)>,
    resolved: Vec<Record>,
}

impl<S: Service> Deciding<'_, S> {
    /// What became of `records`, and how many were seen: none after too many dead letters in a row.
    fn all(
        &mut self,
        records: &[Record],
        order: &mut Order,
        work: &mut S::Work,
        turn: &mut Turn,
    ) -> (Taken, usize) {
        let mut taken = Taken::default();
        for (seen, record) in records.iter().enumerate() {
            if self.in_a_row.is_some_and(|dead| dead >= DEAD_IN_A_ROW) {
                return (taken, seen);
            }
            if record.kind == UNREADABLE {
                taken.dead += 1;
                self.in_a_row = self.in_a_row.map(|before| before + 1);
                self.letters.push((record.clone(), record.cause.clone()));
                continue;
            }
            match order.place(record.incident, record.sequence) {
                Place::Drop => taken.dropped += 1,
                Place::Park => {
                    order.park(record.clone());
                    taken.parked += 1;
                }
                Place::Take => self.take(record.clone(), order, work, turn, &mut taken),
            }
        }
        (taken, records.len())
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
            let verdict = match self.how {
                How::Doomed(reason) => Err(reason.to_owned()),
                How::Following | How::Alone => self.service.react(work, &record, turn),
            };
            let dead = verdict.is_err();
            match verdict {
                Ok(()) => {
                    taken.taken += 1;
                    next = match self.how {
                        How::Alone => {
                            order.taken_alone(&record);
                            None
                        }
                        How::Following | How::Doomed(_) => order.taken(&record),
                    };
                    self.resolved.push(record);
                }
                Err(reason) => {
                    taken.dead += 1;
                    order.stuck(&record);
                    self.letters.push((record, reason));
                    next = None;
                }
            }
            self.in_a_row = self.in_a_row.map(|before| if dead { before + 1 } else { 0 });
        }
    }
}
