//! Where people's deeds are asked: at the desks of running services, or, on a driven clock, of the services' turns.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use discover::{ReportFault, Submit, Submitted};
use domain::case::{Case, Refusal};
use domain::id::IncidentId;
use handle::{Act, Done};
use partner::{Command, Refused};
use platform::lifecycle::Lifecycle;
use platform::turn::{Asked, Unanswered};

use crate::running::Stage;
use crate::settling::Office;

/// On a driven clock facts are taken, and what is due takes effect, this often.
const SETTLE: TimeDelta = TimeDelta::minutes(1);

/// The one or the other.
pub enum Doors {
    /// The services run by themselves, and so does their clock.
    Running { stage: Stage, lifecycle: Lifecycle },
    /// Nothing goes on but what is asked here; the clock is driven along.
    Driven { office: Box<Office>, settled: DateTime<Utc> },
}

impl Doors {
    pub fn running(stage: Stage, lifecycle: Lifecycle) -> Self {
        Self::Running { stage, lifecycle }
    }

    pub fn driven(office: Office) -> Self {
        let settled = office.clock.now();
        Self::Driven { office: Box::new(office), settled }
    }

    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Running { stage, .. } => stage.clock.now(),
            Self::Driven { office, .. } => office.clock.now(),
        }
    }

    /// Lets it become `at`. False once the process stops.
    ///
    /// # Errors
    /// When a service that is driven fails.
    pub async fn reach(&mut self, at: DateTime<Utc>) -> anyhow::Result<bool> {
        match self {
            Self::Running { stage, lifecycle } => {
                if let Some(wait) = stage.clock.until(at) {
                    lifecycle.pause(wait).await;
                }
                Ok(!lifecycle.is_stopping())
            }
            Self::Driven { office, settled } => {
                while at - *settled >= SETTLE {
                    *settled += SETTLE;
                    office.settle().await?;
                    office.clock.drive(*settled);
                    office.sweep().await?;
                }
                office.clock.drive(at);
                Ok(true)
            }
        }
    }

    /// Takes what waits, on a driven clock; running services do so by themselves.
    ///
    /// # Errors
    /// When a service fails.
    pub async fn settle(&mut self) -> anyhow::Result<()> {
        if let Self::Driven { office, .. } = self {
            office.settle().await?;
            office.sweep().await?;
        }
        Ok(())
    }

    /// Files a report.
    ///
    /// # Errors
    /// When nobody answered.
    pub async fn report(&self, asked: Asked<Submit>) -> Result<Result<Submitted, ReportFault>, Unanswered> {
        match self {
            Self::Running { stage, .. } => stage.desks.discover.ask(asked).await,
            Self::Driven { office, .. } => only(office.discover.turns.lock().await.obey(&[asked]).await),
        }
    }

    /// Does something to a case.
    ///
    /// # Errors
    /// When nobody answered.
    pub async fn act(&self, asked: Asked<Act>) -> Result<Result<Done, Refusal>, Unanswered> {
        match self {
            Self::Running { stage, .. } => stage.desks.handle.ask(asked).await,
            Self::Driven { office, .. } => only(office.handle.turns.lock().await.obey(&[asked]).await),
        }
    }

    /// Answers an offer, or places an order; `None` in an office without organisations.
    ///
    /// # Errors
    /// When nobody answered.
    pub async fn offer(
        &self,
        asked: Asked<Command>,
    ) -> Option<Result<Result<partner::Done, Refused>, Unanswered>> {
        Some(match self {
            Self::Running { stage, .. } => stage.desks.partner.as_ref()?.ask(asked).await,
            Self::Driven { office, .. } => {
                only(office.partner.as_ref()?.turns.lock().await.obey(&[asked]).await)
            }
        })
    }

    /// Those of `incidents` that are cases, as they stand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cases(&self, incidents: &[IncidentId]) -> anyhow::Result<BTreeMap<IncidentId, Case>> {
        let store = match self {
            Self::Running { stage, .. } => stage.store("handle"),
            Self::Driven { office, .. } => &office.handle.store,
        };
        handle::cases(store, incidents).await.context("cannot look up cases")
    }
}

/// The answer to the one thing that was asked.
fn only<A>(answers: Vec<Result<A, Unanswered>>) -> Result<A, Unanswered> {
    answers.into_iter().next().unwrap_or(Err(Unanswered::Stopping))
}
