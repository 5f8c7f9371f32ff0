//! The case against a model: its rules told once more, in other words and as plainly as they can be, for the office of
//! these tests, whose limits are plain hours. Whatever is done, by whomever, whenever and however often, both say the
//! same of it, and both have the same row.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::State;
use super::random::{Timed, input, offers, wild};
use super::*;
use crate::deadline::{Deadline, Does};
use crate::facts::OfferProposed;

/// Where a case stands, and who brought it there as far as that still counts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Dispatched,
    Offered(Vec<String>),
    Handling { signed: String },
    Checking { signed: String, answered: String, passed: Option<String> },
    Closed { signed: String, answered: String, passed: String, closed: String },
}

/// One round of one kind of deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    round: u32,
    start: DateTime<Utc>,
    due: DateTime<Utc>,
    met: Option<DateTime<Utc>>,
    /// What is done when, and when it was.
    steps: Vec<(Does, DateTime<Utc>, Option<DateTime<Utc>>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Model {
    stage: Stage,
    holder: String,
    home: Option<String>,
    level: Level,
    attempt: u32,
    returns: u32,
    reworks: u32,
    revision: u32,
    hands: BTreeSet<String>,
    terms: BTreeMap<DeadlineKind, Term>,
    recorded: bool,
    last: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Changed,
    Unchanged,
    Refused,
}

use Came::{Changed, Refused, Unchanged};

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

/// Handling is reminded of when four fifths of it have passed, and climbs at once, two hours later and a day later.
fn handling(start: DateTime<Utc>, due: DateTime<Utc>) -> Term {
    let mut steps = vec![
        (Does::Escalate(Level::Community), due, None),
        (Does::Escalate(Level::Street), due + hours(2), None),
        (Does::Escalate(Level::County), due + hours(24), None),
    ];
    if due > start {
        steps.insert(0, (Does::Remind, start + (due - start) * 4 / 5, None));
    }
    Term { round: 1, start, due, met: None, steps }
}

impl Model {
    /// Held by the leader of grid g; with the due time of a recorded report, where there is one.
    fn opened(at: DateTime<Utc>, promised: Option<DateTime<Utc>>) -> Self {
        let mut model = Self {
            stage: Stage::Dispatched,
            holder: GRID.to_owned(),
            home: None,
            level: Level::Grid,
            attempt: 1,
            returns: 0,
            reworks: 0,
            revision: 1,
            hands: BTreeSet::new(),
            terms: BTreeMap::new(),
            recorded: promised.is_some(),
            last: at,
        };
        model.terms.insert(DeadlineKind::Handle, handling(at, promised.unwrap_or(at + hours(10))));
        model.signs_anew(at);
        model.passes(|due| due <= at);
        model
    }

    /// What handle keeps of a case, as far as the model knows of it.
    fn of(case: &Case) -> Self {
        let name = |mark: &super::super::Mark| mark.by.0.clone();
        let stage = match &case.state {
            State::Dispatched => Stage::Dispatched,
            State::Offered { partners } => Stage::Offered(partners.iter().map(ToString::to_string).collect()),
            State::Handling { signed } => Stage::Handling { signed: name(signed) },
            State::Checking { signed, answered, passed } => Stage::Checking {
                signed: name(signed),
                answered: name(answered),
                passed: passed.as_ref().map(name),
            },
            State::Closed { signed, answered, passed, closed } => Stage::Closed {
                signed: name(signed),
                answered: name(answered),
                passed: name(passed),
                closed: name(closed),
            },
        };
        let term = |deadline: &Deadline| Term {
            round: deadline.round,
            start: deadline.start_at,
            due: deadline.due_at,
            met: deadline.met_at,
            steps: deadline.steps.iter().map(|step| (step.does, step.due_at, step.done_at)).collect(),
        };
        Self {
            stage,
            holder: case.holder.to_string(),
            home: case.home.as_ref().map(ToString::to_string),
            level: case.level,
            attempt: case.attempt,
            returns: case.returns,
            reworks: case.reworks,
            revision: case.revision,
            hands: case.handlers.iter().map(ToString::to_string).collect(),
            terms: case.deadlines.iter().map(|deadline| (deadline.kind, term(deadline))).collect(),
            recorded: case.recorded,
            last: case.last_at,
        }
    }

    fn round(&self, kind: DeadlineKind) -> u32 {
        self.terms.get(&kind).map_or(0, |term| term.round)
    }

    fn meets(&mut self, kind: DeadlineKind, at: DateTime<Utc>) {
        if let Some(term) = self.terms.get_mut(&kind) {
            term.met = term.met.or(Some(at));
        }
    }

    /// Whoever holds it has an hour to sign; nobody who works from a recorded report has one.
    fn signs_anew(&mut self, now: DateTime<Utc>) {
        if self.recorded {
            return;
        }
        let (round, due) = (self.round(DeadlineKind::Sign) + 1, now + hours(1));
        let steps = vec![(Does::Escalate(Level::Community), due, None)];
        self.terms.insert(DeadlineKind::Sign, Term { round, start: now, due, met: None, steps });
    }

    /// Every step of what is not met takes effect when its time has come, the earliest first.
    fn passes(&mut self, has_come: impl Fn(DateTime<Utc>) -> bool) {
        loop {
            let closed = matches!(self.stage, Stage::Closed { .. });
            let open = self.terms.iter().filter(|(_, term)| !closed && term.met.is_none());
            let waiting = open.flat_map(|(kind, term)| {
                let steps = term.steps.iter().enumerate().filter(|(_, (_, _, done))| done.is_none());
                steps.map(move |(n, (does, due, _))| (*due, *kind, n, *does))
            });
            let Some((due, kind, n, does)) = waiting.filter(|(due, ..)| has_come(*due)).min() else { return };
            self.last = self.last.max(due);
            self.terms.get_mut(&kind).unwrap().steps[n].2 = Some(self.last);
            match does {
                Does::Remind => {}
                Does::Escalate(to) => self.level = self.level.max(to),
                Does::Lapse => self.nobody_takes_it(self.last),
            }
        }
    }

    /// The offer is over; whoever holds the case has to sign for it as if it had just come.
    fn nobody_takes_it(&mut self, now: DateTime<Utc>) {
        self.meets(DeadlineKind::Offer, now);
        self.stage = Stage::Dispatched;
        self.signs_anew(self.last);
    }

    fn waits_for_route(&self) -> bool {
        self.stage == Stage::Dispatched && self.returns >= self.attempt && self.returns < 3
    }

    fn organisation(&self) -> Option<&str> {
        self.holder.strip_prefix("partner:org/")
    }

    /// What does not change it leaves no trace, not even of the time that passed.
    fn receive(&mut self, input: &Input, at: DateTime<Utc>) -> Came {
        let before = self.clone();
        let came = match input {
            Input::StepDue(step) => self.is_due(step),
            Input::Routed(routed) => self.then(at, |model, _| model.is_routed(routed)),
            Input::Partnered(said) => self.then(at, |model, met| model.is_offered(said, met)),
            Input::Act { action, by } => self.then(at, |model, met| model.act(action, &by.0, met)),
        };
        if came != Changed {
            *self = before;
        }
        came
    }

    /// Before something happens, all that was due before it; and afterwards what is late because of it.
    fn then(&mut self, at: DateTime<Utc>, happens: impl FnOnce(&mut Self, DateTime<Utc>) -> Came) -> Came {
        let now = at.max(self.last);
        self.passes(|due| due < now);
        self.last = now;
        let came = happens(self, at);
        self.passes(|due| due < now);
        came
    }

    fn is_due(&mut self, step: &StepDue) -> Came {
        let term =
            self.terms.get(&step.deadline).filter(|term| term.round == step.round && term.met.is_none());
        let mine = term.and_then(|term| term.steps.get(step.step as usize));
        if mine.is_none_or(|(_, due, done)| *due != step.due_at || done.is_some()) {
            return Unchanged;
        }
        self.passes(|due| due <= step.due_at);
        Changed
    }

    fn is_routed(&mut self, routed: &IncidentRouted) -> Came {
        if routed.attempt != self.attempt + 1 || !self.waits_for_route() {
            return Unchanged;
        }
        self.attempt += 1;
        self.revision += 1;
        self.holder = routed.route.holder.to_string();
        if self.holder.starts_with("community:") {
            self.level = self.level.max(Level::Community);
        }
        if self.holder.starts_with("street_desk:") {
            self.level = self.level.max(Level::Street);
        }
        self.signs_anew(self.last);
        Changed
    }

    fn is_offered(&mut self, said: &OfferProposed, met: DateTime<Utc>) -> Came {
        let round = self.round(DeadlineKind::Offer);
        let asked = |model: &Self, partner: &str| matches!(&model.stage, Stage::Offered(asked) if asked.iter().any(|one| one == partner));
        match said {
            OfferProposed::Placed { partners, revision, .. } => {
                let free = matches!(self.stage, Stage::Dispatched | Stage::Handling { .. });
                let theirs = self.recorded || self.organisation().is_some() || self.waits_for_route();
                // Whoever took it when the offer ends would be late already.
                let late = self.terms[&DeadlineKind::Handle].due <= self.last + hours(3);
                if *revision != self.revision || !free || theirs || late {
                    return Unchanged;
                }
                self.meets(DeadlineKind::Sign, met);
                let (round, start, due) = (round + 1, self.last, self.last + hours(3));
                let steps = vec![(Does::Lapse, due, None)];
                self.terms.insert(DeadlineKind::Offer, Term { round, start, due, met: None, steps });
                self.stage = Stage::Offered(partners.iter().map(ToString::to_string).collect());
            }
            OfferProposed::Accepted { partner, round: of, by } => {
                if *of != round || !asked(self, &partner.0) {
                    return Unchanged;
                }
                self.meets(DeadlineKind::Offer, met);
                self.home = Some(std::mem::replace(&mut self.holder, format!("partner:org/{partner}")));
                self.hands.insert(by.0.clone());
                self.stage = Stage::Handling { signed: by.0.clone() };
            }
            OfferProposed::Declined { partner, round: of, .. } => {
                if *of != round || !asked(self, &partner.0) {
                    return Unchanged;
                }
                self.asks_no_longer(&partner.0, met);
            }
            OfferProposed::Withdrawn { partner, .. } if asked(self, &partner.0) => {
                self.asks_no_longer(&partner.0, met);
            }
            OfferProposed::Withdrawn { partner, .. } => {
                let closed = matches!(self.stage, Stage::Closed { .. });
                if closed || self.organisation() != Some(partner.0.as_str()) {
                    return Unchanged;
                }
                self.comes_home();
            }
        }
        self.revision += 1;
        Changed
    }

    fn asks_no_longer(&mut self, partner: &str, met: DateTime<Utc>) {
        let Stage::Offered(asked) = &mut self.stage else { return };
        asked.retain(|one| one != partner);
        if asked.is_empty() {
            self.nobody_takes_it(met);
        }
    }

    /// From an organisation to whoever had it before. What was answered stays answered.
    fn comes_home(&mut self) {
        self.holder = self.home.take().unwrap();
        if matches!(self.stage, Stage::Handling { .. }) {
            self.stage = Stage::Dispatched;
            self.signs_anew(self.last);
        }
    }

    fn act(&mut self, action: &Action, by: &str, met: DateTime<Utc>) -> Came {
        let came = match action {
            Action::Sign => self.sign(by, met),
            // The office's one category has no stages.
            Action::Stage => Refused,
            Action::Answer => self.answer(by, met),
            Action::Return(_) => self.give_back(met),
            Action::Transfer(_) => unreachable!("`transfers` tells of it"),
            Action::Pass | Action::Fail | Action::Close => self.check(action, by, met),
        };
        self.revision += u32::from(came == Changed);
        came
    }

    fn sign(&mut self, by: &str, met: DateTime<Utc>) -> Came {
        match &self.stage {
            Stage::Dispatched | Stage::Offered(_) => {}
            Stage::Handling { signed } | Stage::Checking { signed, .. } | Stage::Closed { signed, .. } => {
                return if signed == by { Unchanged } else { Refused };
            }
        }
        self.meets(DeadlineKind::Sign, met);
        self.meets(DeadlineKind::Offer, met);
        self.hands.insert(by.to_owned());
        self.stage = Stage::Handling { signed: by.to_owned() };
        Changed
    }

    fn answer(&mut self, by: &str, met: DateTime<Utc>) -> Came {
        let signed = match &self.stage {
            Stage::Dispatched | Stage::Offered(_) => return Refused,
            Stage::Checking { answered, .. } | Stage::Closed { answered, .. } => {
                return if answered == by { Unchanged } else { Refused };
            }
            Stage::Handling { signed } => signed.clone(),
        };
        self.meets(DeadlineKind::Handle, met);
        self.hands.insert(by.to_owned());
        self.stage = Stage::Checking { signed, answered: by.to_owned(), passed: None };
        if !self.recorded {
            let (round, start, due) = (self.reworks + 1, self.last, self.last + hours(4));
            let remind = (Does::Remind, start + TimeDelta::minutes(192), None);
            let steps = vec![remind, (Does::Escalate(Level::Street), due, None)];
            self.terms.insert(DeadlineKind::Check, Term { round, start, due, met: None, steps });
        }
        Changed
    }

    fn give_back(&mut self, met: DateTime<Utc>) -> Came {
        if !matches!(self.stage, Stage::Dispatched | Stage::Handling { .. }) {
            return Refused;
        }
        if self.organisation().is_some() {
            self.comes_home();
            return Changed;
        }
        if self.returns == 3 {
            return Refused;
        }
        if self.waits_for_route() {
            return Unchanged;
        }
        self.meets(DeadlineKind::Sign, met);
        self.returns += 1;
        self.holder = DESK.to_owned();
        self.stage = Stage::Dispatched;
        if self.returns == 3 {
            self.level = self.level.max(Level::Street);
            self.signs_anew(self.last);
        }
        Changed
    }

    fn check(&mut self, action: &Action, by: &str, met: DateTime<Utc>) -> Came {
        let own = self.hands.contains(by);
        match (action, self.stage.clone()) {
            (Action::Pass, Stage::Checking { passed: Some(passed), .. } | Stage::Closed { passed, .. })
                if passed == by =>
            {
                Unchanged
            }
            (Action::Close, Stage::Closed { closed, .. }) if closed == by => Unchanged,
            (Action::Pass, Stage::Checking { passed: None, signed, answered }) if !own => {
                self.meets(DeadlineKind::Check, met);
                self.stage = Stage::Checking { signed, answered, passed: Some(by.to_owned()) };
                Changed
            }
            (Action::Fail, Stage::Checking { signed, .. }) if !own => {
                self.meets(DeadlineKind::Check, met);
                self.terms.entry(DeadlineKind::Handle).and_modify(|term| term.met = None);
                self.reworks += 1;
                self.stage = Stage::Handling { signed };
                Changed
            }
            (Action::Close, Stage::Checking { passed: Some(passed), signed, answered }) if !own => {
                self.stage = Stage::Closed { signed, answered, passed, closed: by.to_owned() };
                Changed
            }
            _ => Refused,
        }
    }
}

fn came(outcome: &Outcome) -> Came {
    match outcome {
        Outcome::Changed(_) => Changed,
        Outcome::Unchanged => Unchanged,
        Outcome::Refused(_) => Refused,
    }
}

/// Lives both, side by side.
fn live(promised: Option<DateTime<Utc>>, things: &[Timed]) -> Result<(), TestCaseError> {
    let promise = promised.map_or(Promise::Category, |due_at| Promise::Recorded(Some(due_at)));
    let opens = IncidentRouted { report: Some(report(promise)), ..proposal(1, GRID) };
    let mut life = Life::unknown();
    life.receive(&Input::Routed(opens), t(0, 0));
    let mut model = Model::opened(t(0, 0), promised);
    prop_assert_eq!(&Model::of(life.case()), &model);
    let mut now = t(0, 0);
    for (gap, what) in things {
        now += TimeDelta::minutes(*gap);
        let input = input(&life, what, now);
        let outcome = life.receive(&input, now);
        prop_assert_eq!(came(&outcome), model.receive(&input, now), "{:?}\n{:?}", input, life.story());
        prop_assert_eq!(&Model::of(life.case()), &model, "{:?}\n{:?}", input, life.story());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_case_is_what_the_model_says_whatever_is_done(things in wild()) {
        live(None, &things)?;
    }

    #[test]
    fn so_is_one_that_is_offered_to_organisations_again_and_again(things in offers()) {
        live(None, &things)?;
    }

    #[test]
    fn so_is_one_from_a_recorded_report_whenever_it_was_due(minutes in -3_000_i64..3_000, things in wild()) {
        live(Some(t(0, minutes)), &things)?;
    }
}
