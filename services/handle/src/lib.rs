//! 处置 handle: the case. It alone changes one; everybody else proposes.
//!
//! In: `incident.routed` from `routed`, `step.due` from `supervised`, `offer.*` from `partnered`, and what people do over
//! HTTP. Out:
//! `case.*` on `handled`, each with the case's row after it. Every input first advances the case to its
//! own time, so that the outcome depends on recorded times and never on which message was slow. What people wrote, the
//! reporter with the report or others with what they did, is kept here and told to no other service.

mod act;
mod catch_up;
pub mod http;
mod may;
mod on_incident_routed;
mod on_partnered;
mod on_step_due;
mod store;
mod why;

pub use act::{Act, Done};
pub use catch_up::catch_up;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::case::{Case, Effect, Happened, Input, Outcome, Refusal, Terms, Undecidable, receive};
use domain::facts::{CaseFact, INCIDENT_ROUTED, OFFERS, STEP_DUE, Topic};
use domain::id::IncidentId;
use platform::pack::{InForce, OpenCases, Pack};
use platform::store::{StoreError, Tx};
use platform::stream::Record;
use platform::turn::{Asked, Service, Turn, Undecided};

use store::history::Entry;
use store::words::Words;

/// Whoever changes on purpose what handle keeps: a simulator, to see that somebody notices.
pub trait Meddles: Send + Sync + std::fmt::Debug {
    /// What `case` is taken for when `input` reaches it; nothing: for what it is.
    fn takes_for(&self, case: &Case, input: &Input) -> Option<Case>;

    /// Changes what was decided before it is kept.
    fn change(&self, effects: &mut Vec<Effect>);

    /// Whether the history tells of this.
    fn keeps_history_of(&self, happened: &Happened) -> bool;
}

/// The service.
#[derive(Debug)]
pub struct Handle {
    pack: InForce,
    meddler: Option<Arc<dyn Meddles>>,
}

impl Handle {
    pub fn new(pack: &InForce) -> Arc<Self> {
        Arc::new(Self { pack: pack.clone(), meddler: None })
    }

    /// The same, and its rules are broken on purpose.
    pub fn meddled(&self, meddler: Arc<dyn Meddles>) -> Arc<Self> {
        Arc::new(Self { pack: self.pack.clone(), meddler: Some(meddler) })
    }
}

/// What a decision needs of the pack that was in force when its turn began. What a case has on record stays as it was:
/// a deadline names the policy and the calendar it was computed from, and is never computed again.
fn terms(pack: &Pack) -> Terms<'_> {
    Terms { policy: &pack.policy, calendar: &pack.calendar, categories: &pack.categories, areas: &pack.areas }
}

/// The cases of one turn, what happened to them, and the pack the turn goes by.
#[derive(Debug)]
pub struct Work {
    pack: Arc<Pack>,
    cases: BTreeMap<IncidentId, Case>,
    changed: BTreeSet<IncidentId>,
    history: Vec<Entry>,
    /// What reporters wrote, of the cases that open.
    words: Vec<Words>,
    meddler: Option<Arc<dyn Meddles>>,
}

impl Work {
    /// Takes a fact: decides on the case's own row, and keeps what happened.
    fn take(
        &mut self,
        terms: Terms<'_>,
        record: &Record,
        input: &Input,
        at: DateTime<Utc>,
        turn: &mut Turn,
    ) -> Result<(), Undecided> {
        match self.decide(record.incident, input, at, terms).map_err(undecided)? {
            Outcome::Changed(effects) => self.keep(effects, &record.as_cause(), None, turn),
            Outcome::Unchanged | Outcome::Refused(_) => turn.unchanged(),
        }
        Ok(())
    }

    /// Decides on the case's row as it is.
    ///
    /// # Errors
    /// Why nobody can.
    fn decide(
        &self,
        incident: IncidentId,
        input: &Input,
        at: DateTime<Utc>,
        terms: Terms<'_>,
    ) -> Result<Outcome, Undecidable> {
        let case = self.cases.get(&incident);
        let meddled = |case: &Case| self.meddler.as_ref()?.takes_for(case, input);
        let taken_for = case.and_then(meddled);
        receive(incident, taken_for.as_ref().or(case), input, at, terms)
    }

    /// Keeps what happened: the row, a line of history and a fact for each, in order.
    fn keep(&mut self, mut effects: Vec<Effect>, cause: &str, note: Option<&str>, turn: &mut Turn) {
        if let Some(meddler) = &self.meddler {
            meddler.change(&mut effects);
        }
        for Effect { at, happened, case } in effects {
            let incident = case.incident;
            let cause = cause_of(&happened, cause);
            let body = CaseFact { happened, case };
            let sequence = turn.publish(incident, body.happened.fact_type(), at, cause, &body);
            let by_person = body.happened.by().is_some();
            self.history.push(Entry {
                incident,
                sequence,
                at,
                noticed_at: turn.now(),
                happened: body.happened,
                note: note.filter(|_| by_person).map(str::to_owned),
            });
            self.cases.insert(incident, body.case);
            self.changed.insert(incident);
        }
        if let Some(meddler) = &self.meddler {
            self.history.retain(|line| meddler.keeps_history_of(&line.happened));
        }
    }
}

/// A category that nobody here has heard of may be listed in a version that discover goes by already.
fn undecided(why: Undecidable) -> Undecided {
    match why {
        Undecidable::UnknownCategory(_) => Undecided::NotYet(why.to_string()),
        Undecidable::NoReport(_) | Undecidable::NoCase(_) => Undecided::Unfit(why.to_string()),
    }
}

/// A step takes effect because its time came, whoever noticed; everything else because of its input.
fn cause_of(happened: &Happened, input: &str) -> String {
    match happened {
        Happened::Reminded { deadline, round, step }
        | Happened::Lapsed { deadline, round, step, .. }
        | Happened::Escalated { deadline, round, step, .. } => {
            format!("due/{}/{round}/{step}", deadline.as_str())
        }
        _ => input.to_owned(),
    }
}

#[async_trait::async_trait]
impl Service for Handle {
    const NAME: &'static str = "handle";
    const READS: &'static [Topic] = &[Topic::Routed, Topic::Supervised, Topic::Partnered];
    const WRITES: Topic = Topic::Handled;
    type Command = Act;
    type Answer = Result<Done, Refusal>;
    type Work = Work;

    fn incident(command: &Act) -> IncidentId {
        command.incident
    }

    async fn load(
        &self,
        tx: &Tx,
        incidents: &[IncidentId],
        _commands: &[Asked<Act>],
    ) -> Result<Work, StoreError> {
        Ok(Work {
            pack: self.pack.now(),
            cases: store::cases::load(tx, incidents).await?,
            changed: BTreeSet::new(),
            history: Vec::new(),
            words: Vec::new(),
            meddler: self.meddler.clone(),
        })
    }

    fn obey(&self, work: &mut Work, asked: &Asked<Act>, turn: &mut Turn) -> Self::Answer {
        let pack = work.pack.clone();
        act::obey(terms(&pack), &pack.people, work, asked, turn)
    }

    fn react(&self, work: &mut Work, record: &Record, turn: &mut Turn) -> Result<(), Undecided> {
        let pack = work.pack.clone();
        match record.kind.as_str() {
            INCIDENT_ROUTED => on_incident_routed::react(terms(&pack), work, record, turn),
            STEP_DUE => on_step_due::react(terms(&pack), work, record, turn),
            kind if OFFERS.contains(&kind) => on_partnered::react(terms(&pack), work, record, turn),
            kind => {
                Err(format!("handle does not know facts of type `{kind}` on `{}`", record.source.topic)
                    .into())
            }
        }
    }

    async fn save(&self, tx: &Tx, work: Work, _turn: &Turn) -> Result<(), StoreError> {
        let changed: Vec<&Case> = work.changed.iter().filter_map(|id| work.cases.get(id)).collect();
        // Together: while the database takes one statement, the next is written.
        tokio::try_join!(
            biased;
            store::cases::save(tx, &changed),
            store::history::save(tx, &work.history),
            store::words::save(tx, work.words),
        )?;
        Ok(())
    }
}

/// The time an incident was reported, if that was a moment ago: its case is then about to open.
fn just_reported(incident: IncidentId, now: DateTime<Utc>) -> bool {
    incident.time().is_some_and(|at| (now - at).num_seconds().abs() <= 60)
}

/// Those of `incidents` that are cases, as they stand.
///
/// # Errors
/// When the database fails, or a row fits no case.
pub async fn cases(
    store: &platform::store::Store,
    incidents: &[IncidentId],
) -> Result<BTreeMap<IncidentId, Case>, StoreError> {
    store::cases::load(store.readers(), incidents).await
}

/// How many cases are open, by the area they lie in and their category.
///
/// # Errors
/// When the database fails, or a row fits no case.
pub async fn open_cases(store: &platform::store::Store) -> Result<OpenCases, StoreError> {
    store::open::count(store.readers()).await
}

/// Who holds each of `incidents` now, for those that are cases.
///
/// # Errors
/// When the database fails, or a row fits no case.
pub async fn holders(
    store: &platform::store::Store,
    incidents: &[IncidentId],
) -> Result<BTreeMap<IncidentId, domain::holder::Holder>, StoreError> {
    let cases = cases(store, incidents).await?;
    Ok(cases.into_iter().map(|(incident, case)| (incident, case.holder)).collect())
}
