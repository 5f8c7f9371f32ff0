//! The turn that looks for times that have come.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::TimeDelta;
use domain::id::IncidentId;
use tracing::error;

use super::{Failed, INPUTS_PER_TURN, Service, Turns, commit, panic_text};
use crate::faults::Point;
use crate::store::StoreError;

/// An incident for which nothing could be decided is looked at again after this long: soon enough once its
/// row is mended, and no flood of the same error until then.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(30);

impl<S: Service> Turns<S> {
    /// One sweep: decides for up to a turn's worth of incidents whose time has come; answers for how many it
    /// looked. When that fails, each by itself, so that only the culprit is put off.
    ///
    /// # Errors
    /// When the database fails; nothing was changed then.
    pub async fn sweep(&mut self) -> Result<usize, StoreError> {
        let look = self.store.look_first().await?;
        let now = self.store.now(&look, &self.clock).await?;
        let mut due = self.service.due(&look, now, INPUTS_PER_TURN as u64).await?;
        drop(look);
        due.sort_unstable();
        due.dedup();
        if due.is_empty() {
            return Ok(0);
        }
        self.store.faults().at(Point::SweepFound).await?;
        match self.sweep_turn(&due).await {
            Ok(()) => Ok(due.len()),
            Err(Failed::Store(error)) if error.may_pass() || error.is_damage() => Err(error),
            Err(_) => self.sweep_one_by_one(&due).await,
        }
    }

    async fn sweep_one_by_one(&mut self, due: &[IncidentId]) -> Result<usize, StoreError> {
        for incident in due {
            let failed = match self.sweep_turn(std::slice::from_ref(incident)).await {
                Ok(()) => continue,
                Err(Failed::Store(error)) if error.may_pass() || error.is_damage() => return Err(error),
                Err(failed) => failed.reason(),
            };
            error!(service = S::NAME, %incident, "its time has come, but nothing could be decided: {failed}");
            self.metrics.became(S::NAME, "put_off", 1);
            let tx = self.store.begin().await?;
            self.service.put_off(&tx, *incident, self.clock.now() + LOOK_AGAIN).await?;
            commit(tx).await?;
        }
        Ok(due.len())
    }

    async fn sweep_turn(&mut self, due: &[IncidentId]) -> Result<(), Failed> {
        let look = self.store.look_first().await?;
        let (mut turn, _) = self.open(&look, due, None).await?;
        let mut work = self.service.load(&look, due, &[]).await?;
        let service = &*self.service;
        let decided = catch_unwind(AssertUnwindSafe(|| {
            for incident in due {
                service.sweep(&mut work, *incident, &mut turn);
            }
        }));
        decided.map_err(|panic| Failed::Panicked(panic_text(&*panic)))?;
        self.store.faults().at(Point::SweepDecided).await?;
        let tx = self.store.write(look).await?;
        self.save(&tx, work, &turn, None).await?;
        self.store.faults().at(Point::SweepSaved).await?;
        commit(tx).await?;
        self.store.faults().at(Point::SweepCommitted).await?;
        self.committed(&turn);
        Ok(())
    }
}
