//! Where a reader stands: what it reads now, from where, and whether that is still on this very log.

use std::collections::BTreeMap;

use domain::facts::Topic;
use futures_util::future::{join_all, try_join_all};

use super::{INPUTS_PER_TURN, Service, Turns, commit};
use crate::faults::Rule;
use crate::store::positions::{self, Move, Position};
use crate::store::{StoreError, Tx};
use crate::stream::{Bounds, Record, Source};

impl<S: Service> Turns<S> {
    /// What this instance reads now, in the order it reads it.
    pub(super) fn sources(&self) -> Vec<Source> {
        let of = |topic: &Topic| {
            let topic = *topic;
            self.stream.partitions(topic).into_iter().map(move |partition| Source { topic, partition })
        };
        S::READS.iter().flat_map(of).collect()
    }

    /// Lets go of what is read elsewhere now, and begins to read what is new here: all of it at once, as each
    /// costs a question to the database, one to the log, and moving there.
    pub(super) async fn begin_new(&mut self, sources: &[Source]) -> Result<(), StoreError> {
        self.positions.retain(|source, _| sources.contains(source));
        self.ahead.retain(|source, _| sources.contains(source));
        let new = sources.iter().copied().filter(|source| !self.positions.contains_key(source));
        let new: Vec<Source> = new.collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = self.load_positions(&new).await?;
        self.positions.extend(new.iter().copied().zip(found));
        self.look_for_trouble().await?;
        let (stream, positions) = (&self.stream, &self.positions);
        let first = new.iter().map(async |source| {
            let after = positions[source].after;
            let records = stream.read(*source, after, INPUTS_PER_TURN as u64, S::opens(source.topic)).await;
            (*source, after, records)
        });
        for (source, after, records) in join_all(first).await {
            // What could not be read now is read, or complained of, when its time comes.
            if let Ok(records) = records {
                self.ahead.insert(source, (after, records));
            }
        }
        Ok(())
    }

    /// Whether anything on the log is still to be read here, as the log itself says.
    ///
    /// # Errors
    /// When the log cannot be asked.
    pub async fn is_behind(&self) -> Result<bool, StoreError> {
        let ends = try_join_all(self.sources().into_iter().map(async |source| {
            let bounds = self.stream.bounds(source).await?;
            let after = self.positions.get(&source).map_or(bounds.first - 1, |position| position.after);
            Ok::<bool, StoreError>(after < bounds.last)
        }));
        Ok(ends.await?.contains(&true))
    }

    /// Tells the metrics how much is still to be read here.
    pub(super) async fn tell_lag(&self) -> Result<(), StoreError> {
        for topic in S::READS {
            let of_topic = self.positions.iter().filter(|(source, _)| source.topic == *topic);
            let behind = of_topic.map(async |(source, position)| {
                let bounds = self.stream.bounds(*source).await?;
                Ok::<i64, StoreError>((bounds.last - position.after).max(0))
            });
            let lag: i64 = try_join_all(behind).await?.iter().sum();
            self.metrics.lag.with_label_values(&[S::NAME, topic.as_str()]).set(lag);
        }
        Ok(())
    }

    /// Looks whether the logs are still those that the positions are on.
    pub(super) async fn check_logs(&self) -> Result<(), StoreError> {
        for topic in S::READS {
            let on = |(source, position): (&Source, &Position)| {
                (source.topic == *topic).then(|| (*source, position.clone()))
            };
            let Some((source, position)) = self.positions.iter().find_map(on) else { continue };
            let topic_id = self.stream.topic_id(*topic).await?;
            check_log(S::NAME, source, &position, &topic_id)?;
        }
        Ok(())
    }

    /// Moves on in the transaction of what was read, from where this reader stood.
    pub(super) async fn move_on(&self, tx: &Tx, topic: Topic, moves: &[Move<'_>]) -> Result<(), StoreError> {
        let faults = self.store.faults();
        if faults.breaks(Rule::CompareAndSet) {
            return positions::put_all(tx, S::NAME, topic, moves).await;
        }
        if faults.breaks(Rule::PositionNotFirst) || faults.breaks(Rule::PositionNotLater) {
            return Ok(());
        }
        positions::move_on(tx, S::NAME, topic, moves).await
    }

    /// Where `rule` is broken on purpose: moves on in a transaction of its own.
    pub(super) async fn move_apart(
        &self,
        rule: Rule,
        topic: Topic,
        moves: &[Move<'_>],
    ) -> Result<(), StoreError> {
        if !self.store.faults().breaks(rule) {
            return Ok(());
        }
        let tx = self.store.begin().await?;
        positions::move_on(&tx, S::NAME, topic, moves).await?;
        commit(tx).await
    }

    /// This reader has taken `records`, those of each source in their order.
    pub(super) fn moved(&mut self, records: &[Record]) {
        let mut last = BTreeMap::new();
        for record in records {
            last.insert(record.source, record.position);
        }
        for (source, after) in last {
            if let Some(position) = self.positions.get_mut(&source) {
                position.after = after;
                self.stream.moved(source, after);
            }
        }
    }

    /// The position of this reader on `source`.
    pub(super) async fn position(&mut self, source: Source) -> Result<Position, StoreError> {
        if let Some(position) = self.positions.get(&source) {
            return Ok(position.clone());
        }
        let position = self.load_positions(&[source]).await?.swap_remove(0);
        self.look_for_trouble().await?;
        self.positions.insert(source, position.clone());
        Ok(position)
    }

    /// The positions on `sources`, one for each: those that are kept, or the first, checked against the logs.
    async fn load_positions(&self, sources: &[Source]) -> Result<Vec<Position>, StoreError> {
        let kept = positions::all(self.store.readers(), S::NAME).await?;
        let mut kept: BTreeMap<Source, Position> = kept.into_iter().collect();
        // After the positions: another instance may move them on meanwhile, and a log only grows.
        let bounds = try_join_all(sources.iter().map(|source| self.stream.bounds(*source))).await?;
        let (mut found, mut fresh) = (Vec::with_capacity(sources.len()), BTreeMap::new());
        for (source, bounds) in sources.iter().zip(&bounds) {
            let position = kept.remove(source).unwrap_or_else(|| {
                let first = Position { topic_id: bounds.topic_id.clone(), after: bounds.first - 1 };
                fresh.insert(*source, first.clone());
                first
            });
            check_position(S::NAME, *source, &position, bounds)?;
            found.push(position);
        }
        if !fresh.is_empty() {
            let tx = self.store.begin().await?;
            // In one order, so that two instances that begin at once never wait for each other crosswise.
            for (source, first) in &fresh {
                positions::begin(&tx, S::NAME, *source, first).await?;
            }
            commit(tx).await?;
        }
        Ok(found)
    }
}

/// A position that names another log, or lies outside this one, is a fault that is reported, never skipped.
fn check_position(
    service: &'static str,
    source: Source,
    position: &Position,
    bounds: &Bounds,
) -> Result<(), StoreError> {
    check_log(service, source, position, &bounds.topic_id)?;
    if position.after + 1 < bounds.first || position.after > bounds.last.max(bounds.first - 1) {
        let (at, first, last) = (position.after, bounds.first, bounds.last);
        let why = format!(
            "it is at {at}, but the log holds {first} to {last}: a broker lost records, or deleted them; `gridward reread \
             {service}` reads again from the beginning"
        );
        return Err(misplaced(service, source, why));
    }
    Ok(())
}

fn check_log(
    service: &'static str,
    source: Source,
    position: &Position,
    topic_id: &str,
) -> Result<(), StoreError> {
    if position.topic_id == topic_id {
        return Ok(());
    }
    let why = format!(
        "it is on log {}, but the log here is {topic_id}: the topic was made anew; see `gridward audit` for what it lacks, \
         and `gridward reread {service}`",
        position.topic_id
    );
    Err(misplaced(service, source, why))
}

fn misplaced(service: &'static str, source: Source, why: String) -> StoreError {
    let id = format!("{service} on {}/{}", source.topic, source.partition);
    StoreError::Inconsistent { table: "position", id, why }
}
