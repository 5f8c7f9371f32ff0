//! What came of it, in figures.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::Plan;
use super::hand::Happened;
use super::kind::Kind;
use crate::kills;
use crate::marks::Marks;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub plan: Plan,
    /// What is stored.
    pub found: kills::Outcome,
    pub happened: Vec<Happened>,
    /// Faults that hit nothing, and do not count; by kind.
    pub missed: BTreeMap<Kind, u64>,
    /// Records that nobody could take; the audit must name each, and nothing else.
    pub poison: u64,
}

/// What became of one kind.
#[derive(Clone, Copy, Debug)]
pub struct OfKind {
    pub kind: Kind,
    /// Hit something, and nothing.
    pub hit: usize,
    pub missed: u64,
    /// Until work went on: from its beginning, or, where nobody could work meanwhile, from its end.
    pub median: Duration,
    pub longest: Duration,
    /// From its beginning always.
    pub stood: Duration,
}

/// Below how many percent something is that did not happen in `many` tries, at 95 %: the rule of three.
pub fn bound(many: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts fit an f64")]
    let many = many.max(1) as f64;
    300.0 / many
}

impl Outcome {
    pub fn is_good(&self) -> bool {
        self.found.is_good()
    }

    /// The longest it took until work went on after a fault of which `which` holds: from its beginning, or, where
    /// nobody could work meanwhile, from its end.
    pub fn longest(&self, which: impl Fn(&Happened) -> bool) -> Duration {
        self.happened.iter().filter(|one| which(one)).map(|one| one.back).max().unwrap_or_default()
    }

    /// The same for all services, whatever else happened at the same time.
    fn longest_of_all(&self, which: impl Fn(&Happened) -> bool) -> Duration {
        self.happened.iter().filter(|one| which(one)).map(|one| one.all).max().unwrap_or_default()
    }

    /// Each kind that was drawn, in the order they are told.
    pub fn kinds(&self) -> Vec<OfKind> {
        let of = |kind: Kind| {
            let of_kind = || self.happened.iter().filter(move |one| one.fault.kind() == kind);
            let mut backs: Vec<Duration> = of_kind().map(|one| one.back).collect();
            backs.sort_unstable();
            OfKind {
                kind,
                hit: backs.len(),
                missed: self.missed.get(&kind).copied().unwrap_or(0),
                median: backs.get(backs.len() / 2).copied().unwrap_or_default(),
                longest: backs.last().copied().unwrap_or_default(),
                stood: of_kind().map(|one| one.stood).max().unwrap_or_default(),
            }
        };
        Kind::ALL.into_iter().map(of).filter(|of| of.hit > 0 || of.missed > 0).collect()
    }

    /// How many faults happened at the same time as another one.
    pub fn at_once(&self) -> usize {
        self.happened.iter().filter(|one| one.together > 1).count()
    }

    /// Each figure beside its mark.
    pub fn beside(&self, marks: &mut Marks) {
        let (happened, found, plan) = (self.happened.len(), &self.found, &self.plan);
        let at_least = |mark: usize| format!("≥ {mark}");
        marks.check("faults that hit something", happened, &at_least(plan.faults), happened >= plan.faults);
        let enough = found.reports >= plan.reports as u64;
        marks.check("reports answered", found.reports, &at_least(plan.reports), enough);
        for (what, many) in [
            ("reports answered and lost", found.lost),
            ("reports or cases doubled", found.doubled),
            ("actions answered and lost", found.actions_lost),
            ("due steps early", found.steps_early),
            ("due steps doubled", found.steps_doubled),
            ("due steps missed", found.steps_missed),
        ] {
            let mark = format!("= 0 (below {:.1} % a fault, 95 %)", bound(happened));
            marks.check(what, many, &mark, many == 0);
        }
        marks.check("due steps effected", found.steps_effected, "> 0", found.steps_effected > 0);
        marks.check("audit clean, but for what was planted", found.audit_clean, "= true", found.audit_clean);
        let longest = self.longest(|one| one.fault.kind().kills()).as_secs_f64();
        marks.at_most("work on after a kill", longest, 10.0, "s");
        marks.check("everything as it should be", self.is_good(), "= true", self.is_good());
    }

    /// All of it, for machines; seconds with one digit.
    pub fn figures(&self) -> Value {
        let Plan { each, brokers, together, rate, seed, .. } = self.plan;
        let found = &self.found;
        let kinds: Vec<Value> = self.kinds().iter().map(OfKind::figures).collect();
        let kills = |one: &Happened| one.fault.kind().kills();
        json!({
            "seed": seed, "brokers": brokers, "instances_of_each": each, "rate": rate,
            "at_once_at_most": together, "at_once": self.at_once(),
            "faults": self.happened.len(), "hit_nothing": self.missed.values().sum::<u64>(),
            "records_nobody_could_take": self.poison,
            "kinds": kinds,
            "work_on_after_a_kill_at_most_s": tenths(self.longest(kills)),
            "all_services_on_after_a_kill_at_most_s": tenths(self.longest_of_all(kills)),
            "reports": found.reports, "actions": found.actions, "offers": found.offers,
            "seconds": found.seconds.round(), "settled_after_s": found.settle_seconds.round(),
            "retries": found.retries, "answered_again": found.answered_again,
            "lost": found.lost, "doubled": found.doubled, "actions_lost": found.actions_lost,
            "steps": found.steps_effected, "reminded": found.reminded, "lapsed": found.lapsed,
            "escalated": found.escalated, "steps_told": found.steps_told,
            "early": found.steps_early, "steps_doubled": found.steps_doubled, "missed": found.steps_missed,
            "below_percent_a_fault": bound(self.happened.len()),
            "below_percent_a_report": bound(count(found.reports)),
            "below_percent_a_step": bound(count(found.steps_effected)),
            "audit_clean": found.audit_clean, "not_as_it_should_be": found.faults, "good": self.is_good(),
        })
    }
}

fn count(many: u64) -> usize {
    usize::try_from(many).unwrap_or(usize::MAX)
}

fn tenths(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

impl OfKind {
    fn figures(&self) -> Value {
        json!({
            "kind": self.kind.name(), "hit": self.hit, "hit_nothing": self.missed,
            "work_on_after_s": { "median": tenths(self.median), "longest": tenths(self.longest) },
            "stood_longest_s": tenths(self.stood),
        })
    }
}

impl fmt::Display for OfKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, hit, missed, median, longest, stood } = self;
        write!(
            f,
            "{hit:>4} × {kind:<40} work on after {:>4.1} s, {:>4.1} s at most ({:.1} s from the beginning)",
            median.as_secs_f64(),
            longest.as_secs_f64(),
            stood.as_secs_f64()
        )?;
        if *missed > 0 { write!(f, "; {missed} more hit nothing") } else { Ok(()) }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for happened in &self.happened {
            writeln!(f, "{happened}")?;
        }
        for of_kind in self.kinds() {
            writeln!(f, "{of_kind}")?;
        }
        let (faults, found) = (self.happened.len(), &self.found);
        writeln!(
            f,
            "{faults} faults of {} kinds, {} of them not alone, {} more hit nothing; {} records nobody could take; seed {}",
            self.kinds().len(),
            self.at_once(),
            self.missed.values().sum::<u64>(),
            self.poison,
            self.plan.seed
        )?;
        let (lost, doubled, early) = (found.lost, found.doubled, found.steps_early);
        let (of_faults, of_steps) = (bound(faults), bound(count(found.steps_effected)));
        writeln!(
            f,
            "lost {lost}, doubled {doubled} (0 means below {of_faults:.1} % a fault at 95 %), early {early} \
             (below {of_steps:.3} % a step)"
        )?;
        write!(f, "{found}")
    }
}
