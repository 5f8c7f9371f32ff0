//! A store that is put back to an earlier moment while the others go on: handle takes its cases back from its topic, the
//! others do not start as long as anybody may have read what theirs has forgotten.

use std::collections::BTreeSet;

use domain::id::IncidentId;
use platform::store::StoreError;
use platform::stream::kafka::unknown_among;
use platform::stream::{Fact, Source};

use super::World;
use crate::own_topic::CatchingUp;
use crate::simulate::mishaps::Mishap;
use crate::simulate::parts::{INSTANCES, Part, Who};
use crate::simulate::promises::Promise;
use crate::simulate::store::Version;
use crate::simulate::switches::Switch;

/// Records of the own topic that are read at once.
const AT_ONCE: usize = 3;

impl World {
    /// The store of a service is copied.
    pub(super) async fn back_up(&mut self, part: Part) -> Result<(), StoreError> {
        self.copies.copy(&self.store, part, Version::Present, Version::BackUp).await?;
        let written = self.model.facts.iter().filter(|((topic, _), _)| *topic == part.writes());
        let copied = written.map(|((_, incident), facts)| (*incident, facts.len())).collect();
        self.troubles.copied.insert(part, copied);
        self.line(part.name(), "has its store copied", Vec::new());
        Ok(())
    }

    /// The store of a service is put back to its copy. What was in it and on no topic is gone with it.
    pub(super) async fn restore(&mut self, part: Part) -> Result<(), StoreError> {
        let topic = part.writes();
        let Some(copied) = self.troubles.copied.get(&part).cloned() else { return Ok(()) };
        let sent = self.broker.of_topic(topic);
        let sent: BTreeSet<(IncidentId, i64)> =
            sent.iter().map(|record| (record.incident, record.sequence)).collect();
        let is_sent = |fact: &Fact| sent.contains(&(fact.incident, fact.sequence));
        let survives = |fact: &Fact| {
            let copied = copied.get(&fact.incident).copied().unwrap_or(0);
            is_sent(fact) || usize::try_from(fact.sequence).is_ok_and(|sequence| sequence <= copied)
        };
        // Nobody promises that a report outlives its store before it was sent, nor anything that two have lost.
        let answered = part == Part::Discover && !self.model.of_topic(topic).all(survives);
        let ever_lost = self.troubles.ever_damaged.contains(&topic);
        if answered || (ever_lost && !self.model.of_topic(topic).all(is_sent)) {
            return Ok(());
        }
        for instance in 0..INSTANCES {
            self.die(Who::turns(part, instance));
            self.die(Who::relay(part, instance));
        }
        self.line(part.name(), "is stopped, and its store put back to the copy", Vec::new());
        self.copies.copy(&self.store, part, Version::Present, Version::Latest).await?;
        self.copies.copy(&self.store, part, Version::BackUp, Version::Present).await?;
        if self.may_start(part).await? {
            self.model.forget(topic, survives, self.now);
        } else {
            self.copies.copy(&self.store, part, Version::Latest, Version::Present).await?;
        }
        self.begins_otherwise(part);
        Ok(())
    }

    /// What a service does before it serves anybody. Answers whether it starts on the store as it is.
    async fn may_start(&mut self, part: Part) -> Result<bool, StoreError> {
        if self.setup.broken.has(Switch::NoCatchUp) {
            return Ok(true);
        }
        if part == Part::Handle {
            self.catch_up().await;
            return Ok(true);
        }
        let records = self.broker.of_topic(part.writes());
        let unknown = unknown_among(records, &self.store, part.name(), part.writes()).await?;
        let Some(first) = unknown.first() else { return Ok(true) };
        self.hit(Mishap::NotStarted, 1);
        let what =
            format!("does not start, for it does not know {}; it is given the latest again", first.name());
        self.line(part.name(), what, Vec::new());
        Ok(false)
    }

    async fn catch_up(&mut self) {
        let mut catching = CatchingUp::default();
        for partition in 0..self.broker.partitions() {
            let source = Source { topic: Part::Handle.writes(), partition };
            for some in self.broker.read(source, 0, u64::MAX).chunks(AT_ONCE) {
                if let Err(why) = catching.take(&self.store, some.to_vec()).await {
                    self.model.breach(Promise::GoesOn, format!("handle cannot catch up: {why:#}"));
                    return;
                }
            }
        }
        match catching.end() {
            Ok(taken) => {
                self.hit(Mishap::CaughtUp, taken);
                self.line("handle", format!("takes {taken} facts over from its topic"), Vec::new());
            }
            Err(why) => self.model.breach(Promise::GoesOn, format!("handle cannot catch up: {why:#}")),
        }
    }

    /// Nothing that was known of what a service has done counts any more.
    fn begins_otherwise(&mut self, part: Part) {
        self.marked.remove(&part.writes());
        self.sent_all.remove(&part.writes());
        self.swept_all.remove(&part);
        *self.changed.entry(part).or_default() += 1;
        for stream in (0..INSTANCES).filter_map(|instance| self.streams.get(&(part, instance))) {
            stream.forget();
        }
        // Where it stood then there may be something else now.
        let damaged = part.reads().iter().filter(|topic| self.troubles.ever_damaged.contains(topic));
        let damaged: Vec<_> = damaged.copied().collect();
        self.troubles.damaged.extend(damaged);
    }
}
