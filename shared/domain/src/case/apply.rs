//! What a happening does to the row. The only code that changes a case.

use chrono::{DateTime, Utc};

use super::receive::FINAL_RETURN;
use super::{Case, Happened, Mark, State};
use crate::deadline::{Deadline, DeadlineKind};
use crate::holder::{Holder, Post};
use crate::id::PersonId;

impl Case {
    /// Applies what happened at `at`. Total: a happening that does not fit the state leaves the state
    /// as it is, and the audit, which folds by rules of its own, would say so.
    pub fn apply(&mut self, at: DateTime<Utc>, happened: &Happened) {
        self.last_at = self.last_at.max(at);
        match happened {
            // The first row comes whole with its fact.
            Happened::Opened { .. } => {}
            Happened::Assigned { attempt, area, holder, sign, .. } => {
                self.attempt = *attempt;
                self.area = area.clone();
                self.hand_to(holder, sign.as_ref());
                self.answers_for_it(holder);
            }
            Happened::Signed { by, met_at } => {
                self.meet(DeadlineKind::Sign, *met_at);
                // Whoever holds it may take it although it is offered: the offer is over.
                self.meet(DeadlineKind::Offer, *met_at);
                self.remember(by);
                self.revision += 1;
                self.state = State::Handling { signed: Mark { by: by.clone(), at } };
            }
            Happened::Returned { holder, sign, met_at, .. } => {
                self.meet(DeadlineKind::Sign, *met_at);
                self.returns += 1;
                self.hand_to(holder, sign.as_ref());
                // Until then the desk only keeps it for the moment route needs to propose again.
                if self.returns == FINAL_RETURN {
                    self.answers_for_it(holder);
                }
            }
            Happened::Offered { partners, met_at, offer, .. } => self.offered(partners, *met_at, offer),
            Happened::Accepted { partner, by, met_at } => self.accepted(at, partner, by, *met_at),
            Happened::Declined { partner, met_at, sign, .. } => {
                self.not_asked(partner, *met_at, sign.as_ref());
            }
            Happened::Lapsed { deadline, round, step, sign } => {
                self.step_done(*deadline, *round, *step, at);
                self.flow_back(at, sign.as_ref());
            }
            Happened::Released { partner, holder, met_at, sign, .. } => {
                self.released(partner, holder, *met_at, sign.as_ref());
            }
            Happened::Staged { stage, met_at, by } => {
                self.meet(*stage, *met_at);
                self.remember(by);
                self.revision += 1;
            }
            Happened::Answered { by, met_at, check } => self.answered(at, by, *met_at, check.as_ref()),
            Happened::Checked { by, met_at } => {
                self.meet(DeadlineKind::Check, *met_at);
                self.revision += 1;
                if let State::Checking { passed, .. } = &mut self.state {
                    *passed = Some(Mark { by: by.clone(), at });
                }
            }
            Happened::Reworked { met_at, .. } => self.reworked(*met_at),
            Happened::Reminded { deadline, round, step } => self.step_done(*deadline, *round, *step, at),
            Happened::Escalated { deadline, round, step, to, .. } => {
                self.step_done(*deadline, *round, *step, at);
                self.level = self.level.max(*to);
            }
            Happened::Closed { by } => {
                self.revision += 1;
                if let State::Checking { signed, answered, passed: Some(passed) } = self.state.clone() {
                    let closed = Mark { by: by.clone(), at };
                    self.state = State::Closed { signed, answered, passed, closed };
                }
            }
        }
    }

    fn hand_to(&mut self, holder: &Holder, sign: Option<&Deadline>) {
        self.holder = holder.clone();
        self.home = None;
        self.state = State::Dispatched;
        self.revision += 1;
        if let Some(sign) = sign {
            self.put(sign.clone());
        }
    }

    /// A holder above the grid is answerable from the start.
    fn answers_for_it(&mut self, holder: &Holder) {
        if holder.post == Post::StreetDesk || holder.post == Post::Community {
            self.level = self.level.max(holder.post.level());
        }
    }

    fn answered(
        &mut self,
        at: DateTime<Utc>,
        by: &PersonId,
        met_at: DateTime<Utc>,
        check: Option<&Deadline>,
    ) {
        // The whole is done, so each of its stages is.
        for stage in DeadlineKind::STAGES {
            self.meet(stage, met_at);
        }
        self.meet(DeadlineKind::Handle, met_at);
        self.remember(by);
        self.revision += 1;
        if let Some(check) = check {
            self.put(check.clone());
        }
        if let State::Handling { signed } = &self.state {
            let answered = Mark { by: by.clone(), at };
            self.state = State::Checking { signed: signed.clone(), answered, passed: None };
        }
    }

    fn reworked(&mut self, met_at: DateTime<Utc>) {
        self.meet(DeadlineKind::Check, met_at);
        self.reworks += 1;
        self.revision += 1;
        for deadline in &mut self.deadlines {
            if deadline.kind == DeadlineKind::Handle {
                deadline.met_at = None;
            }
        }
        if let State::Checking { signed, .. } = &self.state {
            self.state = State::Handling { signed: signed.clone() };
        }
    }

    pub(super) fn meet(&mut self, kind: DeadlineKind, met_at: DateTime<Utc>) {
        let open = |deadline: &&mut Deadline| deadline.kind == kind && deadline.met_at.is_none();
        if let Some(deadline) = self.deadlines.iter_mut().find(open) {
            deadline.met_at = Some(met_at);
        }
    }

    fn step_done(&mut self, kind: DeadlineKind, round: u32, step: u32, at: DateTime<Utc>) {
        let this = |deadline: &&mut Deadline| deadline.kind == kind && deadline.round == round;
        let deadline = self.deadlines.iter_mut().find(this);
        if let Some(step) = deadline.and_then(|deadline| deadline.steps.get_mut(step as usize)) {
            step.done_at = Some(at);
        }
    }

    /// Puts a deadline in the place of the earlier round of its kind.
    pub(super) fn put(&mut self, deadline: Deadline) {
        self.deadlines.retain(|other| other.kind != deadline.kind);
        self.deadlines.push(deadline);
        self.deadlines.sort_by_key(|deadline| deadline.kind);
    }

    pub(super) fn remember(&mut self, handler: &PersonId) {
        if !self.handlers.contains(handler) {
            self.handlers.push(handler.clone());
        }
    }
}
