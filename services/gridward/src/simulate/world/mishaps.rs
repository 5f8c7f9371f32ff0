//! What goes wrong beside what goes wrong at a point of a step.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::facts::Topic;
use domain::id::IncidentId;
use platform::store::{StoreError, dead_letters};
use platform::stream::Source;

use super::World;
use crate::simulate::meddling::Puzzles;
use crate::simulate::mishaps::{Hits, Mishap};
use crate::simulate::parts::{Part, Who};
use crate::simulate::promises::Promise;
use crate::simulate::script::Event;
use crate::simulate::tell;

/// What is wrong at the moment, and what was.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    pub hits: Hits,
    /// Topics that were cut short or made anew, and nobody has done anything about it.
    pub damaged: BTreeSet<Topic>,
    /// Those that ever were.
    pub ever_damaged: BTreeSet<Topic>,
    /// Whoever has seen that a log is not the one it read, and reads no more until it is started again.
    pub stopped: BTreeSet<Who>,
    /// Whoever was frozen while somebody had its service begin again, and knows nothing of that.
    pub stale: BTreeSet<Who>,
    pub puzzles: Puzzles,
    /// Services that were puzzled once.
    pub puzzled: BTreeSet<Part>,
    /// Services that were asked to try again what they had set aside.
    pub retrying: BTreeSet<Part>,
    /// Facts of each incident that there were when a service's store was copied.
    pub copied: BTreeMap<Part, BTreeMap<IncidentId, usize>>,
    /// By so much the database's clock is wrong …
    pub off: TimeDelta,
    /// … which nobody has worked by yet.
    pub unmet: Option<Mishap>,
}

impl World {
    pub fn is_clock_right(&self) -> bool {
        self.troubles.off.is_zero()
    }

    /// Whether there is something for somebody to mend: a topic that was cut short or made anew, a reader that stopped.
    pub fn is_damaged(&self) -> bool {
        !self.troubles.damaged.is_empty() || !self.troubles.stopped.is_empty()
    }

    pub fn is_puzzled(&self) -> bool {
        !self.troubles.puzzles.is_empty()
    }

    pub fn has_copy_of(&self, part: Part) -> bool {
        self.troubles.copied.contains_key(&part)
    }

    /// Whether somebody is asked to try again what was set aside.
    pub fn has_to_retry(&self, who: Who) -> bool {
        !who.relay && self.troubles.retrying.contains(&who.part)
    }

    /// It hit so many.
    pub(super) fn hit(&mut self, mishap: Mishap, times: usize) {
        if times > 0 {
            *self.troubles.hits.entry(mishap).or_default() += times as u64;
        }
    }

    /// A step was done; perhaps by a clock that is wrong.
    pub(super) fn goes_on_by_a_wrong_clock(&mut self) {
        if let Some(mishap) = self.troubles.unmet.take() {
            self.hit(mishap, 1);
        }
    }

    /// Whether `who` does what it should: says that a log is not the one it has read, and reads no more.
    pub(super) fn tells_of_a_log(&mut self, who: Who, failed: &StoreError) -> bool {
        let expected = !self.troubles.damaged.is_empty() || self.troubles.stale.contains(&who);
        let tells = expected && matches!(failed, StoreError::Inconsistent { table: "position", .. });
        if tells {
            self.troubles.stopped.insert(who);
        }
        tells
    }

    /// Something befalls the office, or somebody does something about it.
    pub(super) async fn befall(&mut self, event: &Event) {
        let done = match event {
            Event::Lose { source, records } => {
                self.lose(*source, *records);
                Ok(())
            }
            Event::Anew(topic) => {
                self.make_anew(*topic);
                Ok(())
            }
            Event::Away(hours) => {
                self.away(TimeDelta::hours(*hours)).await;
                Ok(())
            }
            Event::SetClock(millis) => {
                self.set_clock(TimeDelta::milliseconds(*millis)).await;
                Ok(())
            }
            Event::Puzzle { part, report } => {
                self.puzzle(*part, *report);
                Ok(())
            }
            Event::BackUp(part) => self.back_up(*part).await,
            Event::Restore(part) => self.restore(*part).await,
            Event::Solve => self.solve().await,
            Event::Mend => self.mend().await.map(|_| ()),
            _ => Ok(()),
        };
        self.was_done(done);
    }

    /// Whoever looks after the office must be able to.
    pub(super) fn was_done(&mut self, done: Result<(), StoreError>) {
        if let Err(failed) = done {
            self.model.breach(Promise::GoesOn, format!("nobody can do anything about it: {failed}"));
        }
    }

    fn lose(&mut self, source: Source, records: usize) {
        let lost = self.broker.lose(source, records);
        if lost == 0 {
            return;
        }
        self.hit(Mishap::TailLost, 1);
        self.damage(source.topic);
        let left = self.broker.last(source);
        let what = format!(
            "loses the last {lost} of partition {} of {}, which it had acknowledged: {left} are left",
            source.partition, source.topic
        );
        self.line("broker", what, Vec::new());
    }

    fn make_anew(&mut self, topic: Topic) {
        let lay = self.broker.make_anew(topic);
        self.hit(Mishap::TopicAnew, lay.min(1));
        self.damage(topic);
        self.line("broker", format!("has {topic} made anew: {lay} records are gone"), Vec::new());
    }

    fn damage(&mut self, topic: Topic) {
        self.troubles.damaged.insert(topic);
        self.troubles.ever_damaged.insert(topic);
    }

    /// Nobody is there for so long, and times come.
    async fn away(&mut self, time: TimeDelta) {
        if !self.is_clock_right() {
            return;
        }
        self.line("world", "everybody is gone", Vec::new());
        for who in Who::all() {
            self.die(who);
        }
        let due = self.model.is_due(self.now + time);
        self.hit(Mishap::DayAway, usize::from(due));
        self.pass(time);
        for who in Who::all() {
            self.start(who).await;
        }
        self.line("world", "everybody is started", Vec::new());
    }

    /// Somebody sets the database's clock. Whoever runs has looked at it just before, as all do every other second.
    pub(super) async fn set_clock(&mut self, off: TimeDelta) {
        if off == self.troubles.off {
            return;
        }
        self.begin().await;
        for clock in [&self.clock, &self.ahead] {
            clock.set_off(off);
        }
        self.troubles.off = off;
        let mishap = if off > TimeDelta::zero() { Mishap::ClockAhead } else { Mishap::ClockBack };
        self.troubles.unmet = (!off.is_zero()).then_some(mishap);
        // What nobody would look for by that clock may be due.
        self.swept_all.clear();
        self.line("clock", tell::set(off), Vec::new());
    }

    /// From now on the service cannot decide anything it reads about this report.
    fn puzzle(&mut self, part: Part, report: u32) {
        let Some(incident) = self.model.incident_of(report) else { return };
        self.troubles.puzzles.puzzle(part, incident);
        self.troubles.puzzled.insert(part);
        self.line(part.name(), format!("cannot decide what it reads about #{report}"), Vec::new());
    }

    /// Everybody can decide everything again, and is asked to try what was set aside.
    pub(super) async fn solve(&mut self) -> Result<(), StoreError> {
        self.troubles.puzzles.solve();
        for part in self.troubles.puzzled.clone() {
            let letters = dead_letters::ask_retry_of_all(self.store.writer(), part.name()).await?;
            if letters > 0 {
                self.troubles.retrying.insert(part);
                let what = format!("can decide everything again, and is asked to try {letters} once more");
                self.line(part.name(), what, Vec::new());
            }
        }
        Ok(())
    }
}
