//! The turn that obeys people, and the desk they ask at.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use domain::id::{IncidentId, PersonId};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::{Failed, Service, Turns, commit, panic_text};
use crate::faults::{Point, Rule};
use crate::store::StoreError;

/// A command, by whom, and when it was recorded. On any but a driven clock the recorded time is ignored:
/// no endpoint accepts one.
#[derive(Clone, Debug)]
pub struct Asked<C> {
    pub command: C,
    pub by: PersonId,
    pub recorded_at: DateTime<Utc>,
}

/// The command of a service that takes none from people.
#[derive(Clone, Copy, Debug)]
pub enum NoCommand {}

/// Why nobody could answer. Nothing was changed, unless the process died in between: asking again with
/// the same client id or by the same person is always safe.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unanswered {
    /// The service is stopping; ask again in a moment.
    #[error("the service is stopping")]
    Stopping,
    /// Too many are waiting; ask again in a moment.
    #[error("too many are waiting")]
    Busy,
    /// The database could not take it now; ask again in a moment.
    #[error("{0}")]
    Unavailable(String),
    /// This command cannot be carried out, and asking again does not help.
    #[error("{0}")]
    Failed(String),
}

/// One person waiting for an answer.
pub(super) struct Waiting<S: Service> {
    pub asked: Asked<S::Command>,
    pub answer: oneshot::Sender<Result<S::Answer, Unanswered>>,
}

/// Where people's commands are handed in: at one of its windows, in turn.
pub struct Desk<S: Service> {
    windows: Arc<[mpsc::Sender<Waiting<S>>]>,
    next: Arc<AtomicUsize>,
}

impl<S: Service> Clone for Desk<S> {
    fn clone(&self) -> Self {
        Self { windows: self.windows.clone(), next: self.next.clone() }
    }
}

impl<S: Service> std::fmt::Debug for Desk<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("service", &S::NAME).finish()
    }
}

impl<S: Service> Desk<S> {
    /// A desk of so many windows, and what is handed in at each. People beyond `room` at one are told to come back.
    pub(super) fn new(windows: usize, room: usize) -> (Self, Vec<mpsc::Receiver<Waiting<S>>>) {
        let (windows, received): (Vec<_>, _) = (0..windows).map(|_| mpsc::channel(room)).unzip();
        (Self { windows: windows.into(), next: Arc::default() }, received)
    }

    /// Hands in a command and waits for the answer, which comes after its turn has committed. The turn
    /// goes on when the asker goes away.
    ///
    /// # Errors
    /// When nobody could answer.
    pub async fn ask(&self, asked: Asked<S::Command>) -> Result<S::Answer, Unanswered> {
        let (answer, answered) = oneshot::channel();
        let window = self.next.fetch_add(1, Ordering::Relaxed) % self.windows.len();
        self.windows[window].try_send(Waiting { asked, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Unanswered::Busy,
            mpsc::error::TrySendError::Closed(_) => Unanswered::Stopping,
        })?;
        answered.await.map_err(|_| Unanswered::Stopping)?
    }
}

impl<S: Service> Turns<S> {
    /// Carries out `asked` in order, sharing one commit; answers in the same order. A batch that fails is
    /// run again one by one, and only the culprit gets the error.
    pub async fn obey(&mut self, asked: &[Asked<S::Command>]) -> Vec<Result<S::Answer, Unanswered>> {
        if asked.is_empty() {
            return Vec::new();
        }
        if let [one] = asked {
            return vec![self.obey_one(one).await];
        }
        match self.commands_turn(asked).await {
            Ok(answers) => return answers.into_iter().map(Ok).collect(),
            // The database is away: nobody of them is the culprit, and each would wait as long again.
            Err(Failed::Store(error)) if error.may_pass() && !error.collided() => {
                let away = Unanswered::from(error);
                self.told(&away);
                return asked.iter().map(|_| Err(away.clone())).collect();
            }
            Err(_) => {}
        }
        let mut answers = Vec::with_capacity(asked.len());
        for one in asked {
            answers.push(self.obey_one(one).await);
        }
        answers
    }

    async fn obey_one(&mut self, one: &Asked<S::Command>) -> Result<S::Answer, Unanswered> {
        let one = std::slice::from_ref(one);
        let mut done = self.commands_turn(one).await;
        // Another instance was at the same thing at this moment: what it did is there now, and is seen.
        if let Err(Failed::Store(error)) = &done
            && error.collided()
        {
            done = self.commands_turn(one).await;
        }
        let answer = done.map_err(Unanswered::from).and_then(|mut one| one.pop().ok_or(Unanswered::Stopping));
        if let Err(failed) = &answer {
            self.told(failed);
        }
        answer
    }

    fn told(&self, failed: &Unanswered) {
        error!(service = S::NAME, "could not carry out a command: {failed}");
        if let Unanswered::Unavailable(why) = failed {
            self.health.unsaved(why);
        }
    }

    async fn commands_turn(&mut self, asked: &[Asked<S::Command>]) -> Result<Vec<S::Answer>, Failed> {
        let old = asked.iter().filter(|asked| !S::is_new(&asked.command));
        let mut incidents: Vec<IncidentId> = old.map(|asked| S::incident(&asked.command)).collect();
        incidents.sort_unstable();
        incidents.dedup();
        self.store.faults().at(Point::CommandsAsked).await?;
        let look = self.store.look_first().await?;
        let (mut turn, _) = self.open(&look, &incidents, None).await?;
        let mut work = self.service.load(&look, &incidents, asked).await?;
        let service = &*self.service;
        let decided = catch_unwind(AssertUnwindSafe(|| {
            asked.iter().map(|asked| service.obey(&mut work, asked, &mut turn)).collect::<Vec<_>>()
        }));
        let answers = decided.map_err(|panic| Failed::Panicked(panic_text(&*panic)))?;
        self.store.faults().at(Point::CommandsDecided).await?;
        let tx = self.store.write(look).await?;
        self.save(&tx, work, &turn, None).await?;
        match self.store.faults().at(Point::CommandsSaved).await {
            Err(_) if self.store.faults().breaks(Rule::AnswerAfterCommit) => return Ok(answers),
            lost => lost?,
        }
        commit(tx).await?;
        self.store.faults().at(Point::CommandsCommitted).await?;
        self.committed(&turn);
        self.metrics.became(S::NAME, "command", asked.len());
        Ok(answers)
    }
}

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        if error.may_pass() { Self::Unavailable(text) } else { Self::Failed(text) }
    }
}

impl From<Failed> for Unanswered {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Store(error) => error.into(),
            Failed::Panicked(why) => Self::Failed(format!("deciding it panicked: {why}")),
        }
    }
}
