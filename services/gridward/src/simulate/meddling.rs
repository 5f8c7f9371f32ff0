//! Services that are meddled with: facts they cannot decide for the time being; and where rules are broken on purpose, what
//! they decide, hear or find due is not what it should be.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::area::Level;
use domain::case::{Action, Case, Effect, FINAL_RETURN, Happened, Input, State};
use domain::deadline::DeadlineKind;
use domain::facts::{OfferProposed, Topic};
use domain::id::{IncidentId, PartnerId};
use handle::Meddles;
use platform::store::{Readers, StoreError, Tx};
use platform::stream::{Opens, Record};
use platform::turn::{Asked, Service, Turn, Undecided};

use super::parts::Part;
use super::process::{Ask, Reply, Serves};
use super::switches::{Broken, Switch};

/// So much too early.
const EARLY: TimeDelta = TimeDelta::minutes(1);

/// Changes what handle keeps.
#[derive(Debug)]
pub struct Meddler(pub Broken);

impl Meddles for Meddler {
    fn takes_for(&self, case: &Case, input: &Input) -> Option<Case> {
        match input {
            Input::Act { action: Action::Return(_), .. } if self.0.has(Switch::FourthReturn) => {
                Some(Case { returns: case.returns.min(FINAL_RETURN - 1), ..case.clone() })
            }
            Input::Partnered(OfferProposed::Accepted { partner, .. })
                if self.0.has(Switch::SecondAcceptance) =>
            {
                still_offered(case, partner)
            }
            _ => None,
        }
    }

    fn change(&self, effects: &mut Vec<Effect>) {
        for effect in effects.iter_mut() {
            change(self.0, effect);
        }
        if self.0.has(Switch::EscalateTwice) {
            let twice = |effect: Effect| {
                let times = if matches!(effect.happened, Happened::Escalated { .. }) { 2 } else { 1 };
                std::iter::repeat_n(effect, times)
            };
            *effects = std::mem::take(effects).into_iter().flat_map(twice).collect();
        }
    }

    fn keeps_history_of(&self, happened: &Happened) -> bool {
        !(self.0.has(Switch::HistoryLeftOut) && step_of(happened).is_some())
    }
}

/// What another organisation has taken, as if it were on offer to this one still.
fn still_offered(case: &Case, partner: &PartnerId) -> Option<Case> {
    let taken = matches!(case.state, State::Handling { .. }) && case.holder.partner()? != *partner;
    let home = case.home.clone().filter(|_| taken)?;
    let state = State::Offered { partners: vec![partner.clone()] };
    Some(Case { state, holder: home, home: None, ..case.clone() })
}

fn change(broken: Broken, effect: &mut Effect) {
    let Effect { at, happened, case } = effect;
    if let Some(step) = step_of(happened) {
        if broken.has(Switch::StepNotMarked) {
            unmark(case, step);
        }
        if broken.has(Switch::CountsEarly) {
            *at -= EARLY;
        }
    }
    match happened {
        Happened::Accepted { partner, .. } if broken.has(Switch::TwoHolders) => {
            case.state = State::Offered { partners: vec![partner.clone()] };
        }
        Happened::Assigned { .. } | Happened::Returned { .. } if broken.has(Switch::DeadlineReset) => {
            begin_again(case, *at);
        }
        Happened::Escalated { .. } if broken.has(Switch::LevelNotRaised) => case.level = Level::Grid,
        Happened::Signed { .. } | Happened::Answered { .. } if broken.has(Switch::HandlersForgotten) => {
            case.handlers.clear();
        }
        _ => {}
    }
}

/// The step that took effect, if it is that what happened.
fn step_of(happened: &Happened) -> Option<(DeadlineKind, u32)> {
    match happened {
        Happened::Reminded { deadline, step, .. }
        | Happened::Escalated { deadline, step, .. }
        | Happened::Lapsed { deadline, step, .. } => Some((*deadline, *step)),
        _ => None,
    }
}

fn unmark(case: &mut Case, (kind, step): (DeadlineKind, u32)) {
    for deadline in case.deadlines.iter_mut().filter(|deadline| deadline.kind == kind) {
        if let Some(step) = deadline.steps.get_mut(step as usize) {
            step.done_at = None;
        }
    }
}

fn begin_again(case: &mut Case, at: DateTime<Utc>) {
    for deadline in case.deadlines.iter_mut().filter(|deadline| deadline.kind == DeadlineKind::Handle) {
        let later = at - deadline.start_at;
        deadline.start_at += later;
        deadline.due_at += later;
        for step in &mut deadline.steps {
            step.due_at += later;
        }
    }
}

/// What services cannot decide for the time being: whatever they read about these incidents.
#[derive(Clone, Debug, Default)]
pub struct Puzzles(Arc<Mutex<BTreeSet<(&'static str, IncidentId)>>>);

impl Puzzles {
    fn all(&self) -> MutexGuard<'_, BTreeSet<(&'static str, IncidentId)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn puzzle(&self, part: Part, incident: IncidentId) {
        self.all().insert((part.name(), incident));
    }

    /// Nobody is puzzled any more.
    pub fn solve(&self) {
        self.all().clear();
    }

    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    fn has(&self, service: &'static str, incident: IncidentId) -> bool {
        self.all().contains(&(service, incident))
    }
}

/// A service that is puzzled, does not hear everything, or does not find due all that is.
pub struct Meddled<S> {
    inner: Arc<S>,
    broken: Broken,
    puzzles: Puzzles,
    memory: Mutex<Memory>,
}

/// What a sweep should not remember.
#[derive(Default)]
struct Memory {
    proposed: BTreeSet<IncidentId>,
    looked: Option<DateTime<Utc>>,
}

impl<S> Meddled<S> {
    pub fn new(inner: &Arc<S>, broken: Broken, puzzles: &Puzzles) -> Arc<Self> {
        let (inner, puzzles) = (inner.clone(), puzzles.clone());
        Arc::new(Self { inner, broken, puzzles, memory: Mutex::default() })
    }

    fn hears(&self, service: &str, kind: &str) -> bool {
        let unheard =
            |switch, part: Part, of: &str| self.broken.has(switch) && service == part.name() && kind == of;
        !unheard(Switch::CloseUnheard, Part::Supervise, "case.closed")
            && !unheard(Switch::LapseUnheard, Part::Partner, "case.lapsed")
    }

    /// When it was last looked, if that counts; it is `now`.
    fn looks(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.looked.replace(now).filter(|_| self.broken.has(Switch::SweepMark))
    }

    fn proposes(&self, incident: IncidentId) -> bool {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.proposed.insert(incident) || !self.broken.has(Switch::ProposedOnce)
    }
}

#[async_trait::async_trait]
impl<S: Service> Service for Meddled<S> {
    const NAME: &'static str = S::NAME;
    const READS: &'static [Topic] = S::READS;
    const WRITES: Topic = S::WRITES;
    const WINDOWS: usize = S::WINDOWS;
    type Command = S::Command;
    type Answer = S::Answer;
    type Work = S::Work;

    fn opens(topic: Topic) -> Opens {
        S::opens(topic)
    }

    fn incident(command: &S::Command) -> IncidentId {
        S::incident(command)
    }

    fn is_new(command: &S::Command) -> bool {
        S::is_new(command)
    }

    async fn load(
        &self,
        tx: &Tx,
        incidents: &[IncidentId],
        commands: &[Asked<S::Command>],
    ) -> Result<S::Work, StoreError> {
        self.inner.load(tx, incidents, commands).await
    }

    fn obey(&self, work: &mut S::Work, asked: &Asked<S::Command>, turn: &mut Turn) -> S::Answer {
        self.inner.obey(work, asked, turn)
    }

    fn react(&self, work: &mut S::Work, record: &Record, turn: &mut Turn) -> Result<(), Undecided> {
        if self.puzzles.has(S::NAME, record.incident) {
            return Err(Undecided::Unfit("it is puzzled / 暂时无法判断".to_owned()));
        }
        if self.hears(S::NAME, &record.kind) { self.inner.react(work, record, turn) } else { Ok(()) }
    }

    async fn save(&self, tx: &Tx, work: S::Work, turn: &Turn) -> Result<(), StoreError> {
        self.inner.save(tx, work, turn).await
    }

    async fn due(&self, tx: &Tx, now: DateTime<Utc>, limit: u64) -> Result<Vec<IncidentId>, StoreError> {
        let mut due = self.inner.due(tx, now, limit).await?;
        if let Some(looked) = self.looks(now) {
            let before = self.inner.due(tx, looked, limit).await?;
            due.retain(|incident| !before.contains(incident));
        }
        due.retain(|incident| self.proposes(*incident));
        Ok(due)
    }

    fn sweep(&self, work: &mut S::Work, incident: IncidentId, turn: &mut Turn) {
        self.inner.sweep(work, incident, turn);
    }

    async fn put_off(&self, tx: &Tx, incident: IncidentId, until: DateTime<Utc>) -> Result<(), StoreError> {
        self.inner.put_off(tx, incident, until).await
    }

    async fn next_due(&self, readers: &Readers) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.inner.next_due(readers).await
    }
}

impl<S: Serves> Serves for Meddled<S> {
    fn asked(ask: Ask) -> Option<Asked<S::Command>> {
        S::asked(ask)
    }

    fn reply(answer: S::Answer) -> Option<Reply> {
        S::reply(answer)
    }
}
