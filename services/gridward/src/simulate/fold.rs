//! A case as a few words, and what each thing that happens does to them: the picture of states once more, small, and
//! by nobody's rules but its own.

use domain::area::Level;
use domain::case::{Case, Happened, State};
use domain::holder::{Holder, Post};
use domain::id::{PartnerId, PersonId};

/// What is kept of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    state: &'static str,
    passed: bool,
    holder: Holder,
    home: Option<Holder>,
    offered_to: Vec<PartnerId>,
    attempt: u32,
    returns: u32,
    reworks: u32,
    revision: u32,
    level: Level,
    handlers: Vec<PersonId>,
}

impl Folded {
    /// As a case begins, by the first fact of it.
    pub fn opened(case: &Case) -> Self {
        Self {
            state: "DISPATCHED",
            passed: false,
            holder: case.holder.clone(),
            home: None,
            offered_to: Vec::new(),
            attempt: 1,
            returns: 0,
            reworks: 0,
            revision: 1,
            level: case.holder.post.level(),
            handlers: Vec::new(),
        }
    }

    /// As a fact says that it is.
    pub fn told(case: &Case) -> Self {
        let offered_to = match &case.state {
            State::Offered { partners } => partners.clone(),
            _ => Vec::new(),
        };
        Self {
            state: case.state.name(),
            passed: matches!(case.state, State::Checking { passed: Some(_), .. } | State::Closed { .. }),
            holder: case.holder.clone(),
            home: case.home.clone(),
            offered_to,
            attempt: case.attempt,
            returns: case.returns,
            reworks: case.reworks,
            revision: case.revision,
            level: case.level,
            handlers: case.handlers.clone(),
        }
    }

    /// Applies what happened.
    ///
    /// # Errors
    /// When it cannot happen to a case like this.
    pub fn apply(&mut self, happened: &Happened) -> Result<(), String> {
        let state = self.state;
        let cannot = || Err(format!("`{}` cannot happen to a case that is {state}", happened.fact_type()));
        let fits = match happened {
            Happened::Opened { .. } => false,
            Happened::Assigned { by, .. } => state == "DISPATCHED" || (state == "HANDLING" && by.is_some()),
            Happened::Signed { .. } => matches!(state, "DISPATCHED" | "OFFERED"),
            Happened::Offered { .. } | Happened::Returned { .. } => {
                matches!(state, "DISPATCHED" | "HANDLING")
            }
            Happened::Accepted { .. } | Happened::Declined { .. } | Happened::Lapsed { .. } => {
                state == "OFFERED"
            }
            Happened::Released { .. } => matches!(state, "OFFERED" | "HANDLING" | "CHECKING"),
            Happened::Staged { .. } | Happened::Answered { .. } => state == "HANDLING",
            Happened::Checked { .. } => state == "CHECKING" && !self.passed,
            Happened::Reworked { .. } => state == "CHECKING",
            Happened::Closed { .. } => state == "CHECKING" && self.passed,
            Happened::Reminded { .. } | Happened::Escalated { .. } => state != "CLOSED",
        };
        if !fits {
            return cannot();
        }
        let by_time = matches!(
            happened,
            Happened::Reminded { .. } | Happened::Escalated { .. } | Happened::Lapsed { .. }
        );
        self.revision += u32::from(!by_time);
        self.become_what(happened)
    }

    fn become_what(&mut self, happened: &Happened) -> Result<(), String> {
        match happened {
            Happened::Assigned { holder, attempt, .. } => {
                self.attempt = *attempt;
                self.hand_to(holder, true);
            }
            Happened::Returned { holder, .. } => {
                self.returns += 1;
                self.hand_to(holder, self.returns == 3);
            }
            Happened::Signed { by, .. } => {
                self.turn_into("HANDLING");
                self.handled(by);
            }
            Happened::Offered { partners, .. } => {
                self.turn_into("OFFERED");
                self.offered_to.clone_from(partners);
            }
            Happened::Accepted { partner, by, .. } => {
                if !self.offered_to.contains(partner) {
                    return Err(format!("{partner} accepts, and was not asked"));
                }
                self.turn_into("HANDLING");
                self.handled(by);
                let taken = Holder::of_partner(partner);
                self.home = Some(std::mem::replace(&mut self.holder, taken));
            }
            Happened::Declined { partner, .. } => self.not_asked(partner),
            Happened::Released { partner, .. } if self.state == "OFFERED" => self.not_asked(partner),
            Happened::Released { holder, partner, .. } => {
                if self.holder.partner().as_ref() != Some(partner) {
                    return Err(format!("{partner} gives back what {} holds", self.holder));
                }
                if self.home.as_ref() != Some(holder) {
                    return Err(format!("it goes back to {holder}, whose it was not"));
                }
                self.holder = holder.clone();
                self.home = None;
                if self.state == "HANDLING" {
                    self.turn_into("DISPATCHED");
                }
            }
            Happened::Lapsed { .. } => self.turn_into("DISPATCHED"),
            Happened::Staged { by, .. } => self.handled(by),
            Happened::Answered { by, .. } => {
                self.turn_into("CHECKING");
                self.handled(by);
            }
            Happened::Checked { .. } => self.passed = true,
            Happened::Reworked { .. } => {
                self.reworks += 1;
                self.turn_into("HANDLING");
            }
            Happened::Escalated { to, .. } => self.level = self.level.max(*to),
            Happened::Closed { .. } => self.state = "CLOSED",
            Happened::Reminded { .. } | Happened::Opened { .. } => {}
        }
        Ok(())
    }

    fn turn_into(&mut self, state: &'static str) {
        self.state = state;
        self.passed = false;
        self.offered_to.clear();
    }

    fn hand_to(&mut self, holder: &Holder, answers_for_it: bool) {
        self.holder = holder.clone();
        self.home = None;
        self.turn_into("DISPATCHED");
        if answers_for_it && matches!(holder.post, Post::Community | Post::StreetDesk) {
            self.level = self.level.max(holder.post.level());
        }
    }

    fn not_asked(&mut self, partner: &PartnerId) {
        self.offered_to.retain(|other| other != partner);
        if self.offered_to.is_empty() {
            self.turn_into("DISPATCHED");
        }
    }

    fn handled(&mut self, by: &PersonId) {
        if !self.handlers.contains(by) {
            self.handlers.push(by.clone());
        }
    }
}
