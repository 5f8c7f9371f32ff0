//! Plays the days of a script: people report and act on the clock of the cases, at the services' own desks, as anybody
//! else does. A visitor who is quicker is left to it: what is refused then is dropped.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use discover::{Reported, Submit};
use domain::id::{IncidentId, PersonId};
use domain::rights::Grant;
use handle::Act;
use partner::{Answer, Command, Order};
use platform::pack::{Pack, Person};
use platform::turn::Asked;
use tracing::{debug, warn};

use super::deeds::{Deed, Part, cast};
use super::doors::Doors;
use super::script::{Cue, Does, Expected, Reports, Script};
use crate::demo::highlights::Highlights;

/// How often it is looked whether what was expected has happened.
const LOOK: TimeDelta = TimeDelta::minutes(2);

/// What has not happened so long after it was expected does not happen any more: somebody was quicker.
const GIVES_UP: TimeDelta = TimeDelta::hours(1);

/// Plays a script, from its first day on.
pub struct Player {
    pack: Arc<Pack>,
    script: Script,
    highlights: Highlights,
    /// What happens next, by its time and the order it was written down in.
    agenda: BTreeMap<(DateTime<Utc>, u64), Does>,
    written: u64,
    /// The first day that is not in the agenda yet.
    next_day: usize,
    expected: Vec<Expected>,
    look_at: DateTime<Utc>,
}

impl Player {
    pub fn new(pack: Arc<Pack>, script: Script, highlights: Highlights) -> Self {
        let look_at = script.hours().first().begins;
        Self {
            pack,
            script,
            highlights,
            agenda: BTreeMap::new(),
            written: 0,
            next_day: 0,
            expected: Vec::new(),
            look_at,
        }
    }

    /// Plays everything before `end`, then lets it become `end`; or until there are no more days. False once the
    /// process stops.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn play_until(&mut self, end: DateTime<Utc>, doors: &mut Doors) -> anyhow::Result<bool> {
        while let Some(at) = self.upcoming().filter(|at| *at < end) {
            if !doors.reach(at).await? {
                return Ok(false);
            }
            if let Some((_, does)) = self.agenda.pop_first() {
                self.happens(does, doors).await?;
            }
            if at >= self.look_at {
                self.look(doors).await?;
                self.look_at = at + LOOK;
            }
        }
        if self.agenda.is_empty() && self.script.hours().day(self.next_day).is_none() {
            return Ok(true);
        }
        let goes_on = doors.reach(end).await?;
        doors.settle().await?;
        self.look(doors).await?;
        Ok(goes_on)
    }

    /// When something happens next. A day is written into the agenda before anything of it happens.
    fn upcoming(&mut self) -> Option<DateTime<Utc>> {
        loop {
            let next = self.agenda.keys().next().map(|(at, _)| *at);
            let Some(day) = self.script.hours().day(self.next_day) else { return next };
            if next.is_some_and(|at| at < day.begins) {
                return next;
            }
            for Cue { at, does } in self.script.day(self.next_day).unwrap_or_default() {
                self.agenda.insert((at, self.written), does);
                self.written += 1;
            }
            self.next_day += 1;
        }
    }

    async fn happens(&mut self, does: Does, doors: &Doors) -> anyhow::Result<()> {
        match does {
            Does::Reports(reports) => self.reports(*reports, doors).await,
            Does::Deed(incident, deed) => self.does(incident, deed, doors).await?,
            Does::Expects(expected) => {
                self.highlights.show(expected.before());
                self.expected.push(*expected);
            }
            Does::Announces(showing) => self.highlights.show(*showing),
        }
        Ok(())
    }

    async fn reports(&self, reports: Reports, doors: &Doors) {
        let Reports { incident, by, report } = reports;
        let command = Submit { incident, report: Reported::Now(report) };
        match doors.report(Asked { command, by, recorded_at: doors.now() }).await {
            Ok(Ok(_)) => {}
            // Nobody else sends it, so it is the script that is wrong.
            Ok(Err(fault)) => warn!("a report of the script was refused: {}", fault.text),
            Err(error) => debug!("a report was not answered: {error}"),
        }
    }

    /// What somebody does, if the case is still as it was meant for.
    async fn does(&self, incident: IncidentId, deed: Deed, doors: &Doors) -> anyhow::Result<()> {
        let cases = doors.cases(&[incident]).await?;
        let Some(case) = cases.get(&incident) else {
            debug!("there is no case {incident} for {deed:?}");
            return Ok(());
        };
        let local = self.pack.calendar.local(doors.now());
        match cast(&self.pack, case, deed, local) {
            None => debug!("{deed:?} does not fit case {incident} any more"),
            Some(Part::Act(person, action)) => {
                let command = Act { incident, action, grants: grants(person), seen: None, note: None };
                told(incident, deed, &doors.act(asked(command, person, doors)).await);
            }
            Some(Part::Says(person, partner, says)) => {
                let command = Command::Answer(Answer { incident, partner, says, grants: grants(person) });
                told(incident, deed, &doors.offer(asked(command, person, doors)).await);
            }
            Some(Part::Orders(person)) => {
                let order = Order { incident, partners: Vec::new(), grants: grants(person) };
                told(incident, deed, &doors.offer(asked(Command::Order(order), person, doors)).await);
            }
        }
        Ok(())
    }

    /// Shows what was expected and has happened, and takes back what does not happen any more.
    async fn look(&mut self, doors: &Doors) -> anyhow::Result<()> {
        if self.expected.is_empty() {
            return Ok(());
        }
        let incidents: Vec<IncidentId> = self.expected.iter().map(|expected| expected.incident).collect();
        let (cases, now) = (doors.cases(&incidents).await?, doors.now());
        let (pack, highlights) = (&self.pack, &self.highlights);
        self.expected.retain(|expected| {
            let seen = cases.get(&expected.incident).and_then(|case| expected.seen(case, now, pack));
            if let Some(showing) = seen {
                highlights.show(showing);
                return false;
            }
            let waits = now < expected.at + GIVES_UP;
            if !waits {
                highlights.take_back(expected.kind, expected.incident);
            }
            waits
        });
        Ok(())
    }
}

fn asked<C>(command: C, person: &Person, doors: &Doors) -> Asked<C> {
    let by: PersonId = person.id.clone();
    Asked { command, by, recorded_at: doors.now() }
}

fn grants(person: &Person) -> Vec<Grant> {
    person.grants.clone()
}

/// A refusal is nobody's fault: a visitor was quicker, or has the organisation's hands full.
fn told(incident: IncidentId, deed: Deed, answer: &impl std::fmt::Debug) {
    debug!("{deed:?} of case {incident}: {answer:?}");
}
