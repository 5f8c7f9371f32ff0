//! Somebody looks after the office, as its pages say: what a broker lost is sent again, and readers that stand outside
//! their logs begin again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use domain::facts::Topic;
use platform::store::{StoreError, outbox, positions};
use platform::stream::Source;

use super::World;
use crate::commands::put_back;
use crate::simulate::parts::{INSTANCES, Part, Who};
use crate::simulate::process::Job;
use crate::simulate::promises::Promise;
use crate::simulate::store::rows;
use crate::simulate::verdict::{hex, of_each};

/// Whoever was overtaken by another instance has lost its place, and finds it with the next try.
const TRIES: usize = 2;

/// Names a fact: topic, incident, sequence.
type Name = [String; 3];

/// Where the copies of a fact lie.
type Places = BTreeMap<Name, Vec<(Source, i64)>>;

/// How far a service has read each source that is still the log it read.
type ReadTo = BTreeMap<Source, i64>;

impl World {
    /// Does all that is to be done; answers how much that was.
    pub(super) async fn mend(&mut self) -> Result<usize, StoreError> {
        if self.troubles.ever_damaged.is_empty() {
            return Ok(0);
        }
        let reads = |part: &Part| part.reads().iter().any(|topic| self.troubles.ever_damaged.contains(topic));
        let readers: Vec<Part> = Part::ALL.into_iter().filter(reads).collect();
        let mut done = 0;
        for part in readers {
            for instance in 0..INSTANCES {
                self.try_to_read(Who::turns(part, instance)).await;
            }
            let outside = self.outside(part).await?;
            if !outside.is_empty() {
                self.must_have_told(part, &outside).await;
                self.begin_again(part).await?;
                done += outside.len();
            }
        }
        self.troubles.damaged.clear();
        done += self.start_again().await;
        Ok(done + self.send_again().await?)
    }

    /// As it does every other second, also when nobody wakes it.
    async fn try_to_read(&mut self, who: Who) {
        for _ in 0..TRIES {
            self.work(who, Job::LookUp, None).await;
            self.work(who, Job::Facts, None).await;
        }
    }

    /// Where a service stands on another log than there is, or behind its end.
    async fn outside(&self, part: Part) -> Result<Vec<Source>, StoreError> {
        let kept = positions::all(self.store.readers(), part.name()).await?;
        let outside =
            kept.into_iter().filter(|(source, at)| !self.broker.is_on(*source, &at.topic_id, at.after));
        Ok(outside.map(|(source, _)| source).collect())
    }

    /// Each instance that reads there has said so and stopped; at the latest when it is started again.
    async fn must_have_told(&mut self, part: Part, outside: &[Source]) {
        for instance in 0..INSTANCES {
            let who = Who::turns(part, instance);
            let reads = outside.iter().any(|source| self.reads(who, *source));
            let asleep = self.is_dead(who) || self.is_frozen(who);
            if !reads || asleep || self.troubles.stopped.contains(&who) {
                continue;
            }
            self.die(who);
            if !self.start(who).await {
                continue;
            }
            self.try_to_read(who).await;
            if !self.troubles.stopped.contains(&who) {
                let what = format!("{who} stands outside of {outside:?}, and says nothing");
                self.model.breach(Promise::LogsToldOf, what);
            }
        }
    }

    fn reads(&self, who: Who, source: Source) -> bool {
        let stream = self.streams.get(&(who.part, who.instance));
        let share = stream.map(|stream| stream.share.lock().unwrap_or_else(PoisonError::into_inner));
        share.is_some_and(|share| share.contains(&source.partition))
    }

    /// `gridward reread`, and a restart.
    async fn begin_again(&mut self, part: Part) -> Result<(), StoreError> {
        let Some(stream) = self.streams.get(&(part, 0)).cloned() else { return Ok(()) };
        put_back(part.name(), &self.store, &*stream).await?;
        self.line(part.name(), "is put back to where its logs begin, and started again", Vec::new());
        for instance in 0..INSTANCES {
            let who = Who::turns(part, instance);
            if let Some(stream) = self.streams.get(&(part, instance)) {
                stream.forget();
            }
            if self.is_frozen(who) {
                self.troubles.stale.insert(who);
            } else if !self.is_dead(who) {
                self.troubles.stopped.insert(who);
            }
        }
        Ok(())
    }

    /// Whoever has stopped is started again, and whoever woke up as if nothing had been.
    async fn start_again(&mut self) -> usize {
        let awake = |who: &&Who| !self.is_frozen(**who);
        let stale = self.troubles.stale.iter().filter(awake);
        let again: Vec<Who> = self.troubles.stopped.iter().chain(stale).copied().collect();
        for who in &again {
            self.die(*who);
            self.start(*who).await;
        }
        again.len()
    }

    /// `gridward audit --resend`: what is marked as sent and is not on its topic, and what lies behind a reader that has
    /// not taken it, is sent again.
    async fn send_again(&mut self) -> Result<usize, StoreError> {
        let there = self.places();
        let passed_over = self.passed_over(&there).await?;
        let sql = of_each(|service| {
            format!(
                "SELECT '{service}', CAST(id AS TEXT), topic, lower(hex(incident)), CAST(sequence AS TEXT) \
                 FROM {service}_outbox WHERE published_at IS NOT NULL"
            )
        });
        let mut again: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for [service, id, topic, incident, sequence] in rows::<5>(&self.store, &sql).await? {
            let name = [topic, incident, sequence];
            if !there.contains_key(&name) || passed_over.contains(&name) {
                again.entry(service).or_default().extend(id.parse::<i64>());
            }
        }
        let mut all = 0;
        for part in Part::ALL {
            let Some(ids) = again.get(part.name()) else { continue };
            outbox::send_again(self.store.writer(), part.name(), ids).await?;
            all += ids.len();
            let marked = self.marked.entry(part.writes()).or_default();
            *marked = marked.saturating_sub(ids.len());
            self.sent_all.remove(&part.writes());
            let what = format!("has {} facts of {} sent again", ids.len(), part.name());
            self.line("audit", what, Vec::new());
        }
        Ok(all)
    }

    fn places(&self) -> Places {
        let mut places = Places::new();
        for record in self.broker.all() {
            let name = [record.source.topic.to_string(), hex(record.incident), record.sequence.to_string()];
            places.entry(name).or_default().push((record.source, record.position));
        }
        places
    }

    /// What lies behind a reader that has not taken it, nor set it aside.
    async fn passed_over(&self, there: &Places) -> Result<BTreeSet<Name>, StoreError> {
        let mut passed_over = BTreeSet::new();
        for part in Part::ALL {
            let read_to = self.read_to(part).await?;
            let service = part.name();
            let sql =
                format!("SELECT topic, lower(hex(incident)), CAST(last AS TEXT) FROM {service}_sequence");
            let taken = numbers(rows(&self.store, &sql).await?);
            let sql = format!(
                "SELECT topic, lower(hex(incident)), CAST(min(sequence) AS TEXT) FROM \
                 (SELECT topic, incident, sequence FROM {service}_parked \
                 UNION ALL SELECT topic, incident, sequence FROM {service}_dead_letter) GROUP BY topic, incident"
            );
            let aside = numbers(rows(&self.store, &sql).await?);
            for topic in part.reads() {
                passed_over.extend(self.passed_over_on(*topic, there, &read_to, &taken, &aside));
            }
        }
        Ok(passed_over)
    }

    fn passed_over_on(
        &self,
        topic: Topic,
        there: &Places,
        read_to: &ReadTo,
        taken: &Numbers,
        aside: &Numbers,
    ) -> Vec<Name> {
        let is_read = |name: &Name| {
            let copies = there.get(name).map(Vec::as_slice).unwrap_or_default();
            copies.iter().any(|(source, position)| read_to.get(source).is_some_and(|to| position <= to))
        };
        let mut passed_over = Vec::new();
        let of_topic = self.model.facts.iter().filter(|((of, _), _)| *of == topic);
        for ((_, incident), facts) in of_topic {
            let key = (topic.to_string(), hex(*incident));
            let name = |sequence: i64| [key.0.clone(), key.1.clone(), sequence.to_string()];
            let last = i64::try_from(facts.len()).unwrap_or(i64::MAX);
            let first_aside = aside.get(&key).copied().unwrap_or(i64::MAX);
            let from = taken.get(&key).copied().unwrap_or(0) + 1;
            let missed = (from..=last).take_while(|n| *n < first_aside && is_read(&name(*n)));
            passed_over.extend(missed.map(name));
        }
        passed_over
    }

    async fn read_to(&self, part: Part) -> Result<ReadTo, StoreError> {
        let kept = positions::all(self.store.readers(), part.name()).await?;
        let on = kept.into_iter().filter(|(source, at)| self.broker.is_on(*source, &at.topic_id, at.after));
        Ok(on.map(|(source, at)| (source, at.after)).collect())
    }
}

/// A sequence for each topic and incident.
type Numbers = BTreeMap<(String, String), i64>;

fn numbers(rows: Vec<[String; 3]>) -> Numbers {
    let number = |[topic, incident, number]: [String; 3]| Some(((topic, incident), number.parse().ok()?));
    rows.into_iter().filter_map(number).collect()
}
