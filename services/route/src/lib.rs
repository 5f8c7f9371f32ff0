//! 流转 route: who should hold an incident, and why.
//!
//! In: `report.submitted` from `reported`, `case.returned` from `handled`. Out: `incident.routed` on
//! `routed`, one for each attempt. It proposes; handle decides. Never looks at a case, and never takes the
//! nearest area for a place that lies in none.

mod borders;
pub mod boundaries;
mod choose;
mod ground;
mod locate;
mod on_case_returned;
mod on_report_submitted;
pub mod published;
mod store;
mod why;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::facts::{INCIDENT_ROUTED, IncidentRouted, REPORT_SUBMITTED, Topic};
use domain::id::IncidentId;
use domain::report::Report;
use platform::pack::{InForce, Made};
use platform::store::{StoreError, Tx};
use platform::stream::{Opens, Record};
use platform::turn::{Asked, NoCommand, Service, Turn, Undecided};

use boundaries::BoundaryFaults;
use ground::Ground;
use store::incidents::{self, Incident};

/// The service.
#[derive(Debug)]
pub struct Route {
    ground: Made<Ground>,
}

impl Route {
    /// # Errors
    /// When boundary files of the pack cannot be used; names each file, feature and reason. A later version with
    /// such a file does not come into force.
    pub fn new(pack: &InForce) -> Result<Arc<Self>, BoundaryFaults> {
        Ok(Arc::new(Self { ground: pack.make(Ground::of)? }))
    }

    /// What of the pack's ground no boundary covers now, if anything: reports from there go to the street desk.
    pub fn uncovered(&self, now: DateTime<Utc>) -> Option<BoundaryFaults> {
        let ground = self.ground.now();
        published::covered(&ground.pack, &ground.boundaries, ground.day(now)).err()
    }
}

/// The incidents of one turn, and the ground it goes by.
pub struct Work {
    ground: Arc<Ground>,
    incidents: BTreeMap<IncidentId, Incident>,
    changed: Vec<IncidentId>,
}

impl Work {
    /// Keeps the incident's new row and tells handle.
    fn propose(
        &mut self,
        incident: Incident,
        report: Option<Report>,
        at: DateTime<Utc>,
        cause: String,
        turn: &mut Turn,
    ) {
        let body = IncidentRouted { attempt: incident.attempt, route: incident.route.clone(), report };
        turn.publish(incident.id, INCIDENT_ROUTED, at, cause, &body);
        self.changed.push(incident.id);
        self.incidents.insert(incident.id, incident);
    }
}

#[async_trait::async_trait]
impl Service for Route {
    const NAME: &'static str = "route";
    const READS: &'static [Topic] = &[Topic::Reported, Topic::Handled];
    const WRITES: Topic = Topic::Routed;
    type Command = NoCommand;
    type Answer = ();
    type Work = Work;

    fn opens(topic: Topic) -> Opens {
        if topic == Topic::Handled { Opens::Only(&["case.returned"]) } else { Opens::All }
    }

    fn incident(command: &NoCommand) -> IncidentId {
        match *command {}
    }

    async fn load(
        &self,
        tx: &Tx,
        incidents: &[IncidentId],
        _commands: &[Asked<NoCommand>],
    ) -> Result<Work, StoreError> {
        let (ground, incidents) = (self.ground.now(), incidents::load(tx, incidents).await?);
        Ok(Work { ground, incidents, changed: Vec::new() })
    }

    fn obey(&self, _work: &mut Work, asked: &Asked<NoCommand>, _turn: &mut Turn) {
        match asked.command {}
    }

    fn react(&self, work: &mut Work, record: &Record, turn: &mut Turn) -> Result<(), Undecided> {
        match (record.source.topic, record.kind.as_str()) {
            (_, REPORT_SUBMITTED) => on_report_submitted::react(work, record, turn),
            (_, "case.returned") => on_case_returned::react(work, record, turn),
            (Topic::Handled, _) => Ok(()),
            (topic, kind) => Err(format!("route does not know facts of type `{kind}` on `{topic}`").into()),
        }
    }

    async fn save(&self, tx: &Tx, mut work: Work, _turn: &Turn) -> Result<(), StoreError> {
        work.changed.sort_unstable();
        work.changed.dedup();
        let changed: Vec<&Incident> = work.changed.iter().filter_map(|id| work.incidents.get(id)).collect();
        incidents::save(tx, &changed).await
    }
}
