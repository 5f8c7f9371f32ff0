//! 督办 supervise: sees the time pass, and keeps the figures.
//!
//! In: `case.*` from `handled`. Out: `step.due` on `supervised`, one for each step that falls due, also when
//! handle noticed first, so that the topic tells of every step exactly once and in order. It proposes;
//! handle decides on its own row. It never moves a deadline, and keeps nothing between sweeps but rows: a
//! step is due or done.

pub mod http;
mod metrics;
mod on_case_changed;
mod store;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::deadline::DeadlineKind;
use domain::facts::Topic;
use domain::id::IncidentId;
use platform::metrics::Metrics;
use platform::pack::{InForce, Pack};
use platform::store::{Readers, StoreError, Tx};
use platform::stream::Record;
use platform::turn::{Asked, NoCommand, Service, Turn, Undecided};

use store::cases::Mirrored;
use store::deadlines::DeadlineRow;
use store::steps::StepRow;
use store::tallies::Tallies;

/// The service.
#[derive(Debug)]
pub struct Supervise {
    pack: InForce,
    steps: metrics::Steps,
}

impl Supervise {
    /// # Errors
    /// When its metrics are registered already: two of it in one process.
    pub fn new(pack: &InForce, metrics: &Metrics) -> Result<Arc<Self>, prometheus::Error> {
        Ok(Arc::new(Self { pack: pack.clone(), steps: metrics::Steps::register(&metrics.registry)? }))
    }
}

/// Names one deadline: kind and round.
type DeadlineKey = (IncidentId, DeadlineKind, u32);
/// Names one step of one deadline.
type StepKey = (IncidentId, DeadlineKind, u32, u32);

/// The mirror of the cases of one turn, and the pack the turn goes by.
#[derive(Debug)]
pub struct Work {
    pack: Arc<Pack>,
    cases: BTreeMap<IncidentId, Mirrored>,
    deadlines: BTreeMap<DeadlineKey, DeadlineRow>,
    steps: BTreeMap<StepKey, StepRow>,
    changed_cases: BTreeSet<IncidentId>,
    changed_deadlines: BTreeSet<DeadlineKey>,
    changed_steps: BTreeSet<StepKey>,
    tallies: Tallies,
    /// What took effect, and how long after it was due it was noticed.
    effected: Vec<(String, chrono::TimeDelta)>,
}

#[async_trait::async_trait]
impl Service for Supervise {
    const NAME: &'static str = "supervise";
    const READS: &'static [Topic] = &[Topic::Handled];
    const WRITES: Topic = Topic::Supervised;
    type Command = NoCommand;
    type Answer = ();
    type Work = Work;

    fn incident(command: &NoCommand) -> IncidentId {
        match *command {}
    }

    async fn load(
        &self,
        tx: &Tx,
        incidents: &[IncidentId],
        _commands: &[Asked<NoCommand>],
    ) -> Result<Work, StoreError> {
        // Together: while one answer is read, the database finds the next.
        let (cases, deadlines, steps) = tokio::try_join!(
            biased;
            store::cases::load(tx, incidents),
            store::deadlines::load(tx, incidents),
            store::steps::load(tx, incidents),
        )?;
        Ok(Work {
            pack: self.pack.now(),
            cases,
            deadlines,
            steps,
            changed_cases: BTreeSet::new(),
            changed_deadlines: BTreeSet::new(),
            changed_steps: BTreeSet::new(),
            tallies: Tallies::default(),
            effected: Vec::new(),
        })
    }

    fn obey(&self, _work: &mut Work, asked: &Asked<NoCommand>, _turn: &mut Turn) {
        match asked.command {}
    }

    fn react(&self, work: &mut Work, record: &Record, _turn: &mut Turn) -> Result<(), Undecided> {
        Ok(on_case_changed::react(work, record)?)
    }

    async fn save(&self, tx: &Tx, work: Work, _turn: &Turn) -> Result<(), StoreError> {
        let cases: Vec<_> =
            work.changed_cases.iter().filter_map(|key| work.cases.get_key_value(key)).collect();
        let deadlines: Vec<_> =
            work.changed_deadlines.iter().filter_map(|key| work.deadlines.get_key_value(key)).collect();
        let steps: Vec<_> =
            work.changed_steps.iter().filter_map(|key| work.steps.get_key_value(key)).collect();
        // Together: while the database takes one statement, the next is written.
        tokio::try_join!(
            biased;
            store::cases::save(tx, &cases),
            store::deadlines::save(tx, &deadlines),
            store::steps::save(tx, &steps),
            store::tallies::add(tx, &work.tallies),
        )?;
        self.steps.count(&work.effected);
        Ok(())
    }

    async fn due(&self, tx: &Tx, now: DateTime<Utc>, limit: u64) -> Result<Vec<IncidentId>, StoreError> {
        store::steps::due(tx, now, limit).await
    }

    fn sweep(&self, work: &mut Work, incident: IncidentId, turn: &mut Turn) {
        sweep::sweep(work, incident, turn);
    }

    async fn put_off(&self, tx: &Tx, incident: IncidentId, until: DateTime<Utc>) -> Result<(), StoreError> {
        store::steps::put_off(tx, incident, until).await
    }

    async fn next_due(&self, readers: &Readers) -> Result<Option<DateTime<Utc>>, StoreError> {
        store::steps::next(readers).await
    }
}
