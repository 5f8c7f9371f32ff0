//! What came of hours of work, in figures beside their marks.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::Plan;
use super::sample::{BROKER, Sample, Takes};
use super::trend::{Trend, trend};
use crate::kills;
use crate::marks::Marks;

/// What a process takes: its name, how it is read, its unit, and how much more of it an hour, or in percent, is flat still.
type Taken = (&'static str, fn(&Takes) -> f64, &'static str, (f64, f64));

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub plan: Plan,
    /// What is stored.
    pub found: kills::Outcome,
    pub samples: Vec<Sample>,
}

/// What part of the time goes by before anything counts: caches fill, pools open, a case lives to its last step.
const WARM: f64 = 0.2;

/// Memory that grows by less than so many MB an hour, or by less than so many percent, is flat.
const MEMORY: (f64, f64) = (5.0, 2.0);
/// Files and threads: by less than one of a kind an hour, or as many percent.
const HANDLES: (f64, f64) = (1.0, 2.0);
/// A case that takes so many times what one took before takes more.
const DISK: f64 = 1.15;
/// Records that are unread, or wait to be sent, at most: what comes in some seconds.
const WAITING: f64 = 5_000.0;

/// What one case takes on disk, in the first half of what counts and in the second.
#[derive(Clone, Copy, Debug, Default)]
struct PerCase {
    first: f64,
    second: f64,
}

impl PerCase {
    fn times(self) -> f64 {
        if self.first > 0.0 { self.second / self.first } else { 1.0 }
    }
}

impl Outcome {
    /// The samples that count.
    fn warm(&self) -> &[Sample] {
        let last = self.samples.last().map_or(0.0, |sample| sample.at);
        let cold = self.samples.iter().take_while(|sample| sample.at < last * WARM).count();
        &self.samples[cold..]
    }

    fn trend(&self, figure: impl Fn(&Sample) -> Option<f64>) -> Trend {
        let seen: Vec<(f64, f64)> =
            self.warm().iter().filter_map(|sample| Some((sample.at, figure(sample)?))).collect();
        trend(&seen)
    }

    /// By process.
    fn processes(&self, figure: fn(&Takes) -> f64) -> BTreeMap<&str, Trend> {
        let names = self.samples.last().into_iter().flat_map(|last| last.processes.keys());
        let of = |name: &String| self.trend(|sample| sample.processes.get(name).map(figure));
        names.map(|name| (name.as_str(), of(name))).collect()
    }

    fn per_case(&self, bytes: impl Fn(&Sample) -> f64) -> PerCase {
        let warm = self.warm();
        let (Some(first), Some(middle), Some(last)) = (warm.first(), warm.get(warm.len() / 2), warm.last())
        else {
            return PerCase::default();
        };
        let grown = |from: &Sample, to: &Sample| (bytes(to) - bytes(from)) / (to.cases - from.cases).max(1.0);
        PerCase { first: grown(first, middle), second: grown(middle, last) }
    }

    fn tables(&self) -> PerCase {
        self.per_case(|sample| sample.tables.values().sum())
    }

    fn topics(&self) -> PerCase {
        self.per_case(|sample| sample.topics.values().sum())
    }

    /// Each figure beside its mark.
    pub fn beside(&self, marks: &mut Marks) {
        let figures: [Taken; 3] = [
            ("memory", |takes| takes.memory_mb, "MB", MEMORY),
            ("files", |takes| takes.files, "files", HANDLES),
            ("threads", |takes| takes.threads, "threads", HANDLES),
        ];
        for (what, figure, unit, (an_hour, percent)) in figures {
            for (name, trend) in self.processes(figure) {
                let Trend { mean, most, an_hour: grows, .. } = trend;
                let seen = format!("{grows:+.1} an hour of {mean:.0} (≤ {most:.0})");
                // The broker is not ours, and is told beside.
                let ours = name != BROKER;
                let mark =
                    if ours { format!("< {an_hour} {unit} or {percent} %") } else { "told".to_owned() };
                marks.check(
                    &format!("{what} of {name}"),
                    seen,
                    &mark,
                    trend.is_flat(an_hour, percent) || !ours,
                );
            }
        }
        for (what, per_case) in [("tables", self.tables()), ("topics", self.topics())] {
            let PerCase { first, second } = per_case;
            let seen = format!("{first:.0}, later {second:.0} bytes");
            let mark = format!("≤ {DISK} times");
            marks.check(&format!("disk a case takes in {what}"), seen, &mark, per_case.times() <= DISK);
        }
        for (what, most, mark) in [
            ("facts unread, at most", self.trend(|one| Some(one.lag)).most, WAITING),
            ("facts to be sent, at most", self.trend(|one| Some(one.outbox)).most, WAITING),
            ("facts to be sent for half a minute", self.trend(|one| Some(one.outbox_old)).most, 0.0),
            ("steps due for ten seconds", self.trend(|one| Some(one.overdue)).most, 0.0),
            ("facts parked or set aside", self.trend(|one| Some(one.aside)).most, 0.0),
        ] {
            marks.check(what, format!("{most:.0}"), &format!("≤ {mark:.0}"), most <= mark);
        }
        let found = &self.found;
        marks.check("reports answered and lost", found.lost, "= 0", found.lost == 0);
        marks.check("reports or cases doubled", found.doubled, "= 0", found.doubled == 0);
        marks.check("due steps early", found.steps_early, "= 0", found.steps_early == 0);
        marks.check("everything as it should be", found.is_good(), "= true", found.is_good());
    }

    /// All of it, for machines.
    pub fn figures(&self) -> Value {
        let Plan { each, minutes, rate, seed, .. } = self.plan;
        let processes = |figure: fn(&Takes) -> f64| {
            let all = self.processes(figure).into_iter();
            all.map(|(name, trend)| (name, told(trend))).collect::<BTreeMap<_, _>>()
        };
        let per_case = |PerCase { first, second }| json!({ "first": first.round(), "later": second.round() });
        let by_table: BTreeMap<&str, Value> = self
            .samples
            .last()
            .into_iter()
            .flat_map(|last| last.tables.keys())
            .map(|name| {
                (name.as_str(), per_case(self.per_case(|one| one.tables.get(name).copied().unwrap_or(0.0))))
            })
            .collect();
        json!({
            "seed": seed, "minutes": minutes, "rate": rate, "instances_of_each": each,
            "samples": self.samples.len(), "counted": self.warm().len(),
            "reports": self.found.reports, "actions": self.found.actions, "steps": self.found.steps_effected,
            "lost": self.found.lost, "doubled": self.found.doubled, "early": self.found.steps_early,
            "good": self.found.is_good(), "not_as_it_should_be": self.found.faults,
            "memory_mb": processes(|takes| takes.memory_mb),
            "files": processes(|takes| takes.files),
            "threads": processes(|takes| takes.threads),
            "bytes_a_case": { "tables": per_case(self.tables()), "topics": per_case(self.topics()), "by_table": by_table },
            "unread": told(self.trend(|one| Some(one.lag))),
            "to_be_sent": told(self.trend(|one| Some(one.outbox))),
            "to_be_sent_for_half_a_minute": told(self.trend(|one| Some(one.outbox_old))),
            "steps_due": told(self.trend(|one| Some(one.due))),
            "steps_due_for_ten_seconds": told(self.trend(|one| Some(one.overdue))),
        })
    }
}

fn told(Trend { mean, least, most, an_hour }: Trend) -> Value {
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    json!({ "mean": tenths(mean), "least": tenths(least), "most": tenths(most), "grows_an_hour": tenths(an_hour) })
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { each, minutes, rate, .. } = self.plan;
        writeln!(
            f,
            "{minutes} minutes at {rate} reports a second, {each} of each service: {} looks, of which the last {} count",
            self.samples.len(),
            self.warm().len()
        )?;
        write!(f, "{}", self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two hours of one process, a look every half minute.
    fn outcome(memory: impl Fn(f64) -> f64, bytes: impl Fn(f64) -> f64) -> Outcome {
        let sample = |n: i32| {
            let at = f64::from(n) * 30.0;
            let takes = Takes { memory_mb: memory(at), files: 60.0, threads: 12.0 };
            Sample {
                at,
                processes: [("handle 0".to_owned(), takes)].into(),
                tables: [("handle_case".to_owned(), bytes(at))].into(),
                cases: at * 50.0,
                ..Sample::default()
            }
        };
        let plan = Plan { each: 1, minutes: 120, rate: 50, seed: 1 };
        let found = kills::Outcome { audit_clean: true, ..kills::Outcome::default() };
        Outcome { plan, found, samples: (0..=240).map(sample).collect() }
    }

    fn missed(outcome: &Outcome) -> u32 {
        let mut marks = Marks::default();
        outcome.beside(&mut marks);
        marks.missed
    }

    #[test]
    fn what_stays_where_it_is_meets_every_mark() {
        // It fills its caches at first.
        let memory = |at: f64| 90.0 + (at / 60.0).min(15.0);
        assert_eq!(missed(&outcome(memory, |at| at * 50.0 * 9_000.0)), 0);
    }

    #[test]
    fn memory_that_grows_and_cases_that_take_ever_more_are_seen() {
        assert_eq!(missed(&outcome(|at| 90.0 + at / 300.0, |at| at * 1_000.0)), 1, "12 MB an hour");
        assert_eq!(missed(&outcome(|_| 90.0, |at| at * at)), 1, "the second half takes twice as much");
    }
}
