//! The turn that takes facts: of one topic, from as many of its partitions as have something to read. An incident is
//! on one partition for life, so the order between partitions says nothing.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::facts::Topic;
use domain::id::IncidentId;
use tracing::{error, warn};

use super::deciding::{DEAD_IN_A_ROW, Deciding, How, Letter};
use super::order::Order;
use super::{Failed, INPUTS_PER_TURN, Service, Turns, commit, panic_text};
use crate::faults::{Point, Rule};
use crate::store::parked::{self, Parked};
use crate::store::positions::{Move, Position};
use crate::store::sequences::OfTopic;
use crate::store::{StoreError, Tx, dead_letters};
use crate::stream::{Opens, Record, Source, Stream};

/// What became of the facts of one or more turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub taken: usize,
    pub dropped: usize,
    /// They wait: behind one that is missing, or for what is not known here yet.
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

/// Whether a turn's facts come from the stream, and so move positions, or were here already.
#[derive(Clone, Copy)]
enum Origin<'a> {
    Stream(&'a Stands),
    Retried,
    Parked,
}

/// Where this reader stands on each source of a turn.
type Stands = BTreeMap<Source, Position>;

/// The records of one source, and the position they were read from.
pub(super) type Read = (Source, i64, Vec<Record>);

impl<S: Service> Turns<S> {
    /// Takes what waits on the service's topics, at most one turn a topic.
    ///
    /// # Errors
    /// When the database fails, or a position does not fit its log; nothing was changed then.
    pub async fn take_facts(&mut self) -> Result<Taken, StoreError> {
        let mut taken = Taken::default();
        let sources = self.sources();
        self.begin_new(&sources).await?;
        self.rounds += 1;
        for topic in S::READS {
            let of_topic: Vec<Source> =
                sources.iter().copied().filter(|source| source.topic == *topic).collect();
            taken.add(self.take_from(of_topic).await?);
        }
        Ok(taken)
    }

    /// Takes what waits on `sources`, which are of one topic, in one turn.
    async fn take_from(&mut self, mut sources: Vec<Source>) -> Result<Taken, StoreError> {
        if sources.is_empty() {
            return Ok(Taken::default());
        }
        // Each begins in its turn, so that none waits for ever behind one that is always full.
        let first = self.rounds % sources.len();
        sources.rotate_left(first);
        let mut from = Vec::with_capacity(sources.len());
        for source in sources {
            from.push((source, self.position(source).await?.after));
        }
        let ahead = std::mem::take(&mut self.ahead);
        let (batch, ahead) = match gather(&*self.stream, &from, ahead, S::opens).await {
            Ok(read) => read,
            Err(failed) => {
                // A topic that was made anew also ends before the position: then that is what is said.
                if !failed.may_pass() {
                    self.check_logs().await?;
                }
                return Err(failed);
            }
        };
        self.ahead = ahead;
        for (source, after) in &mut from {
            let read = batch.iter().find(|(of, ..)| of == source).and_then(|(_, _, records)| records.last());
            *after = read.map_or(*after, |last| last.position);
        }
        let records: Vec<Record> = batch.into_iter().flat_map(|(_, _, records)| records).collect();
        if records.is_empty() {
            return Ok(Taken::default());
        }
        self.store.faults().at(Point::FactsRead).await?;
        if records.len() < INPUTS_PER_TURN {
            return self.take_records(records).await;
        }
        // There is probably more: it is read while these are taken.
        let (stream, ahead) = (self.stream.clone(), std::mem::take(&mut self.ahead));
        let next = gather(&*stream, &from, ahead, S::opens);
        let (taken, next) = tokio::join!(biased; self.take_records(records), next);
        // What could not be read now is read, or complained of, when its time comes.
        if let Ok((next, ahead)) = next {
            self.ahead = ahead;
            self.ahead.extend(next.into_iter().map(|(source, after, records)| (source, (after, records))));
        }
        taken
    }

    /// Takes `records` of one topic, those of each source in order; a batch that fails is run again one by one.
    async fn take_records(&mut self, records: Vec<Record>) -> Result<Taken, StoreError> {
        let mut stands = Stands::new();
        for record in &records {
            if let Entry::Vacant(place) = stands.entry(record.source) {
                place.insert(self.position(record.source).await?);
            }
        }
        match self.facts_turn(Origin::Stream(&stands), &records, How::Following).await {
            Ok((taken, seen)) => {
                self.moved(&records[..seen]);
                Ok(taken)
            }
            Err(Failed::Store(error)) if error.may_pass() || error.is_damage() => {
                // A position in memory may be the one that is wrong.
                self.positions.retain(|source, _| !stands.contains_key(source));
                Err(error)
            }
            Err(_) => self.one_by_one(records).await,
        }
    }

    async fn one_by_one(&mut self, records: Vec<Record>) -> Result<Taken, StoreError> {
        let mut all = Taken::default();
        for record in records {
            if self.health.stopped().is_some() {
                break;
            }
            let source = record.source;
            let stands = Stands::from([(source, self.position(source).await?)]);
            match self.one(Origin::Stream(&stands), record.clone()).await {
                Ok(taken) => all.add(taken),
                Err(error) => {
                    self.positions.remove(&source);
                    return Err(error);
                }
            }
            self.moved(std::slice::from_ref(&record));
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
                    if taken.dead + taken.parked == 0 {
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

        if let Origin::Stream(stands) = origin {
            self.move_apart(Rule::PositionNotFirst, topic, &moves(stands, records)).await?;
        }
        let look = self.store.look_first().await?;
        let (mut turn, last) = self.open(&look, &incidents, Some(topic)).await?;
        // Nothing is decided about what is doomed, and its row may be why.
        let rows = if matches!(how, How::Doomed(_)) { &[][..] } else { &incidents[..] };
        let (waiting, mut work) = tokio::try_join!(
            biased;
            self.parked(&look, topic, &incidents),
            self.service.load(&look, rows, &[]),
        )?;
        let mut order = Order::new(OfTopic::new(topic, last), waiting);
        order.drops_taken = !self.store.faults().breaks(Rule::DropTaken);
        order.parks_gaps = !self.store.faults().breaks(Rule::ParkGap);
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
        self.store.faults().at(Point::FactsDecided).await?;

        let tx = self.store.write(look).await?;
        if self.store.is_shared() {
            for taken in order.last.changes() {
                turn.drawn.make(taken.incident);
            }
        }
        self.save(&tx, work, &turn, Some(&order.last)).await?;
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
        for Letter { record, reason, waits } in &letters {
            dead_letters::keep(&tx, S::NAME, record, reason, turn.now(), *waits).await?;
        }
        if self.troubled {
            let dead = dead_letters::among(&tx, S::NAME, topic, &incidents).await?;
            let were_dead = |record: &&Record| dead.contains(&(record.incident, record.sequence));
            for record in resolved.iter().filter(were_dead) {
                dead_letters::resolve(&tx, S::NAME, record).await?;
            }
        }
        if let Origin::Stream(stands) = origin {
            let moves = moves(stands, &records[..seen]);
            self.move_on(&tx, topic, &moves).await?;
        }
        self.store.faults().at(Point::FactsSaved).await?;
        commit(tx).await?;
        self.store.faults().at(Point::FactsCommitted).await?;
        if let Origin::Stream(stands) = origin {
            self.move_apart(Rule::PositionNotLater, topic, &moves(stands, &records[..seen])).await?;
        }
        self.committed(&turn);
        self.tell(&taken, &order, &letters, matches!(origin, Origin::Retried));
        if let Some(in_a_row) = in_a_row {
            self.count_dead(in_a_row);
        }
        Ok((taken, seen))
    }

    async fn parked(&self, tx: &Tx, topic: Topic, incidents: &[IncidentId]) -> Result<Parked, StoreError> {
        if self.troubled { parked::load(tx, S::NAME, topic, incidents).await } else { Ok(Parked::new()) }
    }

    /// Counts what became of the facts, and says aloud what should not have been.
    fn tell(&mut self, taken: &Taken, order: &Order, letters: &[Letter], again: bool) {
        // What goes on waiting was told when it began to.
        let still = if again { letters.iter().filter(|letter| letter.waits).count() } else { 0 };
        for (became, count) in [
            ("taken", taken.taken),
            ("dropped", taken.dropped),
            ("parked", taken.parked - still),
            ("dead", taken.dead),
        ] {
            self.metrics.became(S::NAME, became, count);
        }
        for record in &order.newly_parked {
            warn!(service = S::NAME, fact = record.name(), "parked a fact: one before it is missing");
        }
        for Letter { record, reason, waits } in letters {
            let fact = record.name();
            match waits {
                false => error!(service = S::NAME, fact, reason, "set a fact aside as a dead letter"),
                true if again => {}
                true => warn!(service = S::NAME, fact, reason, "a fact waits for what is not known here yet"),
            }
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

    /// Tries again every dead letter that somebody asked for, and what waits by itself, each with what is parked
    /// behind it, in one turn. Of those that wait for the same only the first is tried, while it is not there. Answers how
    /// many were decided.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_asked(&mut self) -> Result<usize, StoreError> {
        let letters = dead_letters::asked(self.store.readers(), S::NAME).await?;
        let (mut decided, mut awaited) = (0, BTreeSet::new());
        for letter in letters {
            if awaited.contains(&letter.reason) {
                continue;
            }
            self.troubled = true;
            let taken = self.one(Origin::Retried, letter.record).await?;
            decided += usize::from(taken.taken > 0);
            if taken.taken == 0 && taken.parked > 0 {
                awaited.insert(letter.reason);
            }
        }
        Ok(decided)
    }

    /// Looks whether anything is parked or dead, so that turns need not.
    pub(super) async fn look_for_trouble(&mut self) -> Result<(), StoreError> {
        self.troubled = dead_letters::any_aside(self.store.readers(), S::NAME).await?;
        Ok(())
    }
}

/// Up to a turn's worth of records, of each source those behind the position given, from what was read ahead where
/// there is some; and what of that is left.
async fn gather(
    stream: &dyn Stream,
    from: &[(Source, i64)],
    mut ahead: BTreeMap<Source, (i64, Vec<Record>)>,
    opens: fn(Topic) -> Opens,
) -> Result<(Vec<Read>, BTreeMap<Source, (i64, Vec<Record>)>), StoreError> {
    let (mut batch, mut room) = (Vec::new(), INPUTS_PER_TURN);
    for (source, after) in from {
        if room == 0 {
            break;
        }
        let mut records = match ahead.remove(source) {
            Some((read_from, records)) if read_from == *after && !records.is_empty() => records,
            _ => stream.read(*source, *after, room as u64, opens(source.topic)).await?,
        };
        if records.len() > room {
            let rest = records.split_off(room);
            if let Some(last) = records.last() {
                ahead.insert(*source, (last.position, rest));
            }
        }
        room -= records.len();
        batch.push((*source, *after, records));
    }
    Ok((batch, ahead))
}

/// How far each source is moved on by `records`.
fn moves<'a>(stands: &'a Stands, records: &[Record]) -> Vec<Move<'a>> {
    let mut last = BTreeMap::new();
    for record in records {
        last.insert(record.source, record.position);
    }
    let moved = |(source, to): (Source, i64)| {
        stands.get(&source).map(|from| Move { partition: source.partition, from, to })
    };
    last.into_iter().filter_map(moved).collect()
}
