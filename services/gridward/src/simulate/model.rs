//! What is promised, as small models that follow a life from outside: every fact as it is committed, every answer as it
//! is given. They share no code with the services but the words.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::calendar::Limit;
use domain::case::{Case, Happened, State};
use domain::deadline::{Deadline, DeadlineKind};
use domain::facts::{CaseFact, StepDue, Topic};
use domain::holder::Post;
use domain::id::{IncidentId, PersonId};
use platform::stream::Fact;

use super::fold::Folded;
use super::office::ORGANISATIONS;
use super::promises::{Breach, Promise};

/// So many are told of one life.
const MOST: usize = 20;

/// What is known of a life from outside.
#[derive(Debug, Default)]
pub struct Model {
    /// Every fact that was committed, by its sequence.
    pub facts: BTreeMap<(Topic, IncidentId), Vec<Fact>>,
    pub lives: BTreeMap<IncidentId, Life>,
    /// Which report would have become this incident.
    meant: BTreeMap<IncidentId, Meant>,
    /// What a report became; one incident.
    pub became: BTreeMap<u32, Vec<IncidentId>>,
    /// What somebody was answered.
    pub answered: BTreeMap<u32, IncidentId>,
    /// Steps that supervise has told of.
    told: BTreeSet<(IncidentId, DeadlineKind, u32, u32)>,
    breaches: Vec<Breach>,
}

/// A report as it was sent once.
#[derive(Clone, Copy, Debug)]
struct Meant {
    report: u32,
    /// Under one client id something else may have been sent too.
    body: u8,
}

/// One incident, as its case was told of.
#[derive(Debug, Default)]
pub struct Life {
    pub case: Option<Case>,
    folded: Option<Folded>,
    /// Of every round of every deadline, as it was first told of.
    deadlines: BTreeMap<(DeadlineKind, u32), Stated>,
    done: BTreeSet<(DeadlineKind, u32, u32)>,
    handlers: BTreeSet<PersonId>,
    returns: u32,
    /// Rounds of offers that somebody has won.
    won: BTreeSet<u32>,
    /// It was given back, and neither did route find somebody else nor has the desk signed for it.
    pub waits_for_route: bool,
}

#[derive(Clone, Debug)]
struct Stated {
    start_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    steps: Vec<DateTime<Utc>>,
    met_at: Option<DateTime<Utc>>,
}

impl Model {
    pub fn breach(&mut self, promise: Promise, what: impl Into<String>) {
        if self.breaches.len() < MOST {
            self.breaches.push(Breach { promise, what: what.into() });
        }
    }

    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// A report is on its way, with this body, that would become this incident.
    pub fn means(&mut self, incident: IncidentId, report: u32, body: u8) {
        self.meant.insert(incident, Meant { report, body });
    }

    /// The incident of a report, as far as it is committed.
    pub fn incident_of(&self, report: u32) -> Option<IncidentId> {
        self.became.get(&report).and_then(|became| became.first()).copied()
    }

    pub fn report_of(&self, incident: IncidentId) -> Option<u32> {
        self.meant.get(&incident).map(|meant| meant.report)
    }

    /// An incident by the report it comes from.
    pub fn name(&self, incident: IncidentId) -> String {
        self.report_of(incident).map_or_else(|| incident.to_string(), |report| format!("#{report}"))
    }

    /// The cases, as they were last told of.
    pub fn cases(&self) -> Vec<&Case> {
        self.lives.values().filter_map(|life| life.case.as_ref()).collect()
    }

    /// How many facts of `topic` were committed.
    pub fn committed(&self, topic: Topic) -> usize {
        self.facts.iter().filter(|((of, _), _)| *of == topic).map(|(_, facts)| facts.len()).sum()
    }

    /// Whether a step is due at `now` that has not taken effect, as far as the cases were told of.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.cases().into_iter().flat_map(waiting_steps).any(|due_at| due_at <= now)
    }

    /// Whether a step has taken effect that supervise is still to tell of.
    pub fn is_untold(&self) -> bool {
        let untold = |case: &&Case| {
            case.deadlines.iter().any(|deadline| {
                let done = (0..).zip(&deadline.steps).filter(|(_, step)| step.done_at.is_some());
                let key = |n: u32| (case.incident, deadline.kind, deadline.round, n);
                done.map(|(n, _)| key(n)).any(|key| !self.told.contains(&key))
            })
        };
        self.cases().iter().any(untold)
    }

    /// Somebody was answered that the report, with this body, is this incident.
    pub fn answers(&mut self, report: u32, body: u8, incident: IncidentId) {
        if self.meant.get(&incident).is_some_and(|meant| meant.body != body) {
            let what = format!("report #{report} was answered as {incident}, which says something else");
            self.breach(Promise::SameReport, what);
        }
        let before = *self.answered.entry(report).or_insert(incident);
        if before != incident {
            let what = format!("report #{report} was answered as {before}, then as {incident}");
            self.breach(Promise::SameReport, what);
        }
    }

    /// Somebody heard that the report, with this body, is not taken. Answers whether that is right: under its client id
    /// something else is kept.
    pub fn refuses(&mut self, report: u32, body: u8, code: &str) -> bool {
        let kept = self.incident_of(report).and_then(|incident| self.meant.get(&incident));
        let is_right = code == "client_id_taken" && kept.is_some_and(|kept| kept.body != body);
        if !is_right {
            self.breach(Promise::Kept, format!("report #{report} is good, and is refused: {code}"));
        }
        is_right
    }

    /// A store was put back to an earlier moment: of the facts of `topic` those that do not survive are nowhere any more,
    /// and nobody has ever read them. It is `now`.
    pub fn forget(&mut self, topic: Topic, survives: impl Fn(&Fact) -> bool, now: DateTime<Utc>) {
        for facts in self.facts.iter_mut().filter(|((of, _), _)| *of == topic).map(|(_, facts)| facts) {
            facts.retain(&survives);
        }
        self.facts.retain(|_, facts| !facts.is_empty());
        match topic {
            Topic::Handled => self.lives.clear(),
            Topic::Supervised => self.told.clear(),
            Topic::Reported | Topic::Routed | Topic::Partnered => return,
        }
        let facts: Vec<Fact> = self.of_topic(topic).cloned().collect();
        for fact in facts {
            // What is wrong with it was said when it was committed.
            let _said = self.understand(&fact, now);
        }
    }

    /// The facts of `topic` that were committed, by incident and in order.
    pub fn of_topic(&self, topic: Topic) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(move |((of, _), _)| *of == topic).flat_map(|(_, facts)| facts)
    }

    /// A fact was committed, at `now` by a clock that is right.
    pub fn observe(&mut self, fact: Fact, now: DateTime<Utc>) {
        let name = format!("{} {}/{} {}", fact.kind, fact.topic, fact.sequence, self.name(fact.incident));
        let known = self.facts.entry((fact.topic, fact.incident)).or_default();
        let next = known.len() + 1;
        known.push(fact.clone());
        if usize::try_from(fact.sequence) != Ok(next) {
            self.breach(Promise::Sequences, format!("{name}: its sequence should be {next}"));
        }
        if fact.at > now {
            self.breach(Promise::NeverEarly, format!("{name} counts as of {}, and it is {now}", fact.at));
        }
        let mut found = self.understand(&fact, now);
        found.extend(self.overrun(&fact));
        for (promise, what) in found {
            self.breach(promise, format!("{name}: {what}"));
        }
    }

    fn understand(&mut self, fact: &Fact, now: DateTime<Utc>) -> Vec<Found> {
        match fact.topic {
            Topic::Reported => self.reported(fact),
            Topic::Handled => self.handled(fact, now),
            Topic::Supervised => self.step_due(fact, now),
            Topic::Routed | Topic::Partnered => Vec::new(),
        }
    }

    fn reported(&mut self, fact: &Fact) -> Vec<Found> {
        let Some(report) = self.report_of(fact.incident) else {
            return vec![(Promise::SameReport, "nobody has sent it".to_owned())];
        };
        let became = self.became.entry(report).or_default();
        became.push(fact.incident);
        if became.len() > 1 {
            return vec![(Promise::SameReport, format!("report #{report} is {} incidents", became.len()))];
        }
        Vec::new()
    }

    fn handled(&mut self, fact: &Fact, now: DateTime<Utc>) -> Vec<Found> {
        let CaseFact { happened, case } = match serde_json::from_str(&fact.body) {
            Ok(body) => body,
            Err(why) => return vec![(Promise::Fold, format!("its body cannot be read: {why}"))],
        };
        let life = self.lives.entry(fact.incident).or_default();
        let mut found = Vec::new();
        life.fold(&happened, &case, &mut found);
        life.step(&happened, fact.at, now, &mut found);
        life.keep_deadlines(&happened, &case, fact.at, &mut found);
        life.people(&happened, &case, &mut found);
        if life.case.as_ref().is_some_and(|before| fact.at < before.last_at) {
            found.push((Promise::Fold, "it is put before the case's last change".to_owned()));
        }
        life.case = Some(case);
        found
    }
}

impl Model {
    /// supervise proposes nothing before its time.
    fn step_due(&mut self, fact: &Fact, now: DateTime<Utc>) -> Vec<Found> {
        let step: StepDue = match serde_json::from_str(&fact.body) {
            Ok(step) => step,
            Err(why) => return vec![(Promise::Agree, format!("its body cannot be read: {why}"))],
        };
        self.told.insert((fact.incident, step.deadline, step.round, step.step));
        if step.due_at > now {
            return vec![(Promise::NeverEarly, format!("it is due at {}, and it is {now}", step.due_at))];
        }
        Vec::new()
    }

    /// Nobody has more cases than hands; asked once a case has changed.
    fn overrun(&self, fact: &Fact) -> Option<Found> {
        let case = self.lives.get(&fact.incident)?.case.as_ref().filter(|_| fact.topic == Topic::Handled)?;
        let partner = case.holder.partner()?;
        let (_, hands) = ORGANISATIONS.iter().find(|(id, _)| *id == partner.0)?;
        let holds = |case: &&Case| case.holder.partner().as_ref() == Some(&partner) && is_open(case);
        let has = self.cases().into_iter().filter(holds).count();
        let what = format!("{partner} has {has} cases, and hands for {hands}");
        (has > *hands as usize).then_some((Promise::Hands, what))
    }
}

fn is_open(case: &Case) -> bool {
    !matches!(case.state, State::Closed { .. })
}

/// When each step of a case falls due that may still take effect.
fn waiting_steps(case: &Case) -> impl Iterator<Item = DateTime<Utc>> {
    let open = is_open(case);
    let deadlines = case.deadlines.iter().filter(move |deadline| open && deadline.met_at.is_none());
    let steps = deadlines.flat_map(|deadline| &deadline.steps);
    steps.filter(|step| step.done_at.is_none()).map(|step| step.due_at)
}

type Found = (Promise, String);

impl Life {
    fn fold(&mut self, happened: &Happened, case: &Case, found: &mut Vec<Found>) {
        let told = Folded::told(case);
        let folded = match (self.folded.take(), happened) {
            (None, Happened::Opened { .. }) => Ok(Folded::opened(case)),
            (None, _) => Err("it is the first, and the case was never opened".to_owned()),
            (Some(mut folded), _) => folded.apply(happened).map(|()| folded),
        };
        match folded {
            Ok(folded) if folded == told => {}
            Ok(folded) => found.push((Promise::Fold, format!("it says {told:?} where {folded:?} follows"))),
            Err(why) => found.push((Promise::Fold, why)),
        }
        self.folded = Some(told);
    }

    /// A step that takes effect: of a deadline that stands, once, after the ones before it, not before its time.
    fn step(&mut self, happened: &Happened, at: DateTime<Utc>, now: DateTime<Utc>, found: &mut Vec<Found>) {
        let (Happened::Reminded { deadline, round, step }
        | Happened::Escalated { deadline, round, step, .. }
        | Happened::Lapsed { deadline, round, step, .. }) = happened
        else {
            return;
        };
        let key = (*deadline, *round, *step);
        let stated = self.deadlines.get(&(*deadline, *round));
        let due_at = stated.and_then(|stated| stated.steps.get(*step as usize)).copied();
        let Some(due_at) = due_at else {
            found.push((Promise::DueOnce, format!("there is no step {key:?}")));
            return;
        };
        if stated.is_some_and(|stated| stated.met_at.is_some()) {
            found.push((Promise::DueOnce, format!("{key:?} is of a deadline that was met")));
        }
        if at < due_at || now < due_at {
            found.push((Promise::NeverEarly, format!("{key:?} is due at {due_at}, and it is {now}")));
        }
        if self.case.iter().flat_map(waiting_steps).any(|other| other < due_at) {
            found.push((Promise::DueOnce, format!("{key:?} comes before what was due before it")));
        }
        if (0..*step).any(|earlier| !self.done.contains(&(*deadline, *round, earlier))) {
            found.push((Promise::DueOnce, format!("{key:?} comes before the step before it")));
        }
        if !self.done.insert(key) {
            found.push((Promise::DueOnce, format!("{key:?} takes effect a second time")));
        }
    }

    /// Each deadline is as it was when it was first told of, and is un-met by nothing but a failed check.
    fn keep_deadlines(
        &mut self,
        happened: &Happened,
        case: &Case,
        at: DateTime<Utc>,
        found: &mut Vec<Found>,
    ) {
        for deadline in &case.deadlines {
            let key = (deadline.kind, deadline.round);
            let now = Stated {
                start_at: deadline.start_at,
                due_at: deadline.due_at,
                steps: deadline.steps.iter().map(|step| step.due_at).collect(),
                met_at: deadline.met_at,
            };
            match self.deadlines.get(&key) {
                Some(before) => found.extend(moved(before, &now, happened, deadline)),
                None => found.extend(begun(self.last_round(deadline.kind), deadline, at)),
            }
            self.deadlines.insert(key, now);
            for (n, step) in (0_u32..).zip(&deadline.steps) {
                let told = self.done.contains(&(deadline.kind, deadline.round, n));
                if step.done_at.is_some() != told {
                    let what = format!("{key:?} step {n}: marked {:?}, told of: {told}", step.done_at);
                    found.push((Promise::DueOnce, what));
                }
            }
        }
        if case.deadline(DeadlineKind::Handle).is_none() {
            found.push((Promise::DeadlinesStay, "it has no deadline to be handled by".to_owned()));
        }
    }

    fn last_round(&self, kind: DeadlineKind) -> u32 {
        self.deadlines.keys().filter(|(of, _)| *of == kind).map(|(_, round)| *round).max().unwrap_or(0)
    }

    /// Whether somebody has won the offer that stands before.
    fn won_again(&mut self, case: &Case) -> bool {
        let round = case.deadline(DeadlineKind::Offer).map_or(0, |offer| offer.round);
        !self.won.insert(round)
    }

    /// Who may do what, and who holds it.
    fn people(&mut self, happened: &Happened, case: &Case, found: &mut Vec<Found>) {
        if matches!(happened, Happened::Accepted { .. }) && self.won_again(case) {
            found.push((Promise::Holder, "an offer that somebody has won is accepted once more".to_owned()));
        }
        if matches!(happened, Happened::Assigned { .. } | Happened::Signed { .. }) {
            self.waits_for_route = false;
        }
        match happened {
            Happened::Signed { by, .. }
            | Happened::Answered { by, .. }
            | Happened::Staged { by, .. }
            | Happened::Accepted { by, .. } => {
                self.handlers.insert(by.clone());
            }
            Happened::Checked { by, .. } | Happened::Reworked { by, .. } | Happened::Closed { by }
                if self.handlers.contains(by) =>
            {
                found.push((Promise::OwnWork, format!("{by} judges what {by} has handled")));
            }
            Happened::Returned { .. } => {
                self.returns += 1;
                self.waits_for_route = self.returns < 3;
                if self.returns > 3 || (self.returns == 3 && case.holder.post != Post::StreetDesk) {
                    let what = format!("return {}, and {} holds it", self.returns, case.holder);
                    found.push((Promise::ThirdReturn, what));
                }
            }
            Happened::Assigned { by: None, .. } if self.returns >= 3 => {
                found.push((Promise::ThirdReturn, "the street has decided, and it is handed on".to_owned()));
            }
            Happened::Offered { .. } if case.category.0 == "dispute" => {
                found.push((Promise::Holder, "a sensitive matter is offered".to_owned()));
            }
            _ => {}
        }
        if matches!(case.state, State::Offered { .. }) && case.holder.partner().is_some() {
            found.push((Promise::Holder, format!("it is offered, and {} holds it", case.holder)));
        }
    }
}

fn moved(before: &Stated, now: &Stated, happened: &Happened, deadline: &Deadline) -> Option<Found> {
    let key = (deadline.kind, deadline.round);
    let same = (before.start_at, before.due_at, &before.steps) == (now.start_at, now.due_at, &now.steps);
    if !same {
        let what = format!("{key:?} was due at {}, and is at {}", before.due_at, now.due_at);
        return Some((Promise::DeadlinesStay, what));
    }
    let unmet = matches!(happened, Happened::Reworked { .. }) && deadline.kind == DeadlineKind::Handle;
    match (before.met_at, now.met_at) {
        (Some(_), None) if unmet => None,
        (Some(before), now) if now != Some(before) => {
            Some((Promise::DeadlinesStay, format!("{key:?} was met at {before}, and now at {now:?}")))
        }
        _ => None,
    }
}

/// A new round begins now, and hours around the clock are counted plainly.
fn begun(last_round: u32, deadline: &Deadline, at: DateTime<Utc>) -> Option<Found> {
    let key = (deadline.kind, deadline.round);
    if deadline.round <= last_round {
        return Some((Promise::DeadlinesStay, format!("{key:?} begins after round {last_round}")));
    }
    if deadline.start_at != at {
        return Some((
            Promise::DeadlinesStay,
            format!("{key:?} begins at {}, not at {at}", deadline.start_at),
        ));
    }
    match deadline.limit {
        Some(Limit::UrgentHours { minutes })
            if deadline.due_at != at + TimeDelta::minutes(i64::from(minutes)) =>
        {
            Some((
                Promise::DeadlinesStay,
                format!("{key:?} has {minutes} minutes, and is due at {}", deadline.due_at),
            ))
        }
        _ => None,
    }
}
