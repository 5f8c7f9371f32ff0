//! A whole Gridward in a temporary folder, on a driven clock: the services themselves, no HTTP.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use discover::{NewReport, ReportFault, Reported, Submit, Submitted};
use domain::case::{Action, Refusal};
use domain::id::{IncidentId, PersonId};
use domain::place::{Datum, Place};
use gridward::embedded::Embedded;
use handle::{Act, Done};
use platform::clock::Clock;
use platform::pack::Pack;
use platform::turn::Asked;
use tempfile::TempDir;

/// A world; its folder goes when it does.
pub struct World {
    pub all: Embedded,
    pub clock: Clock,
    pub folder: TempDir,
    reports: u32,
}

/// The packs beside the sources.
pub fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/packs")
}

/// Monday 2026-03-02, 09:00 in Shanghai.
pub fn monday_morning() -> DateTime<Utc> {
    "2026-03-02T01:00:00Z".parse().unwrap()
}

/// A point in the middle of grid 1-1-1 of the pack `twostreets`: leader-111 holds what is reported here.
pub const IN_GRID_111: (f64, f64) = (121.805, 29.905);

impl World {
    /// The synthetic pack of two streets, on a Monday morning.
    pub async fn start() -> Self {
        Self::on("twostreets", monday_morning()).await
    }

    pub async fn on(pack: &str, now: DateTime<Utc>) -> Self {
        Self::of(Pack::load(&packs().join(pack)).unwrap(), now).await
    }

    pub async fn of(pack: Pack, now: DateTime<Utc>) -> Self {
        let (folder, pack) = (TempDir::new().unwrap(), Arc::new(pack));
        let clock = Clock::driven(now);
        let all = Embedded::open(folder.path(), pack, clock.clone()).await.unwrap();
        Self { all, clock, folder, reports: 0 }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Lets time pass, and whatever falls due take effect.
    pub async fn pass(&mut self, time: TimeDelta) {
        self.clock.drive(self.now() + time);
        self.settle().await;
        self.all.sweep().await.unwrap();
    }

    pub async fn settle(&mut self) {
        self.all.settle().await.unwrap();
    }

    /// A report from `worker-111` as it would be sent, of `category` at a point.
    pub fn new_report(&mut self, category: &str, (lon, lat): (f64, f64)) -> NewReport {
        self.reports += 1;
        NewReport {
            client_id: format!("report-{}", self.reports),
            category: category.to_owned(),
            place: Place {
                lon,
                lat,
                datum: Datum::Cgcs2000,
                accuracy_m: Some(5.0),
                source: None,
                captured_at: None,
                area: None,
            },
            registered_area: None,
            description: String::new(),
        }
    }

    pub async fn submit(&mut self, by: &str, report: NewReport) -> Result<Submitted, ReportFault> {
        let now = self.now();
        let incident = IncidentId::new(now, platform::entropy::draw());
        let command = Submit { incident, report: Reported::Now(report) };
        let asked = Asked { command, by: by.into(), recorded_at: now };
        self.all.discover.lock().await.obey(&[asked]).await.remove(0).unwrap()
    }

    /// A report of `category` in grid 111, opened as a case.
    pub async fn case_of(&mut self, category: &str) -> IncidentId {
        let report = self.new_report(category, IN_GRID_111);
        let submitted = self.submit("worker-111", report).await.unwrap();
        self.settle().await;
        submitted.incident
    }

    /// A person of the pack does something to a case, now.
    pub async fn act(&mut self, person: &str, action: Action, incident: IncidentId) -> Result<Done, Refusal> {
        let asked = self.asked(person, action, incident);
        let answer = self.all.handle.lock().await.obey(&[asked]).await.remove(0).unwrap();
        self.settle().await;
        answer
    }

    pub fn asked(&self, person: &str, action: Action, incident: IncidentId) -> Asked<Act> {
        let by: PersonId = person.into();
        let grants = self.all.pack.people.get(&by).unwrap().grants.clone();
        let command = Act { incident, action, grants, seen: None, note: None };
        Asked { command, by, recorded_at: self.now() }
    }

    /// What happened to a case, as fact types in order.
    pub async fn history(&self, incident: IncidentId) -> Vec<String> {
        let records =
            platform::store::log::slice(self.all.around.store.readers(), 0, i64::MAX).await.unwrap();
        let mut seen = BTreeSet::new();
        records
            .into_iter()
            .filter(|record| {
                record.incident == incident && record.source.topic == domain::facts::Topic::Handled
            })
            .filter(|record| seen.insert(record.sequence))
            .map(|record| record.kind)
            .collect()
    }
}

#[tokio::test]
async fn a_report_becomes_a_case_with_the_leader_of_its_grid_and_is_closed_by_somebody_else() {
    let mut world = World::start().await;
    let incident = world.case_of("rubbish").await;
    world.act("leader-111", Action::Sign, incident).await.unwrap();
    world.act("leader-111", Action::Answer, incident).await.unwrap();
    assert!(matches!(world.act("leader-111", Action::Pass, incident).await, Err(Refusal::NotYours { .. })));
    world.act("checker-1", Action::Pass, incident).await.unwrap();
    world.act("checker-1", Action::Close, incident).await.unwrap();
    let told = ["case.opened", "case.signed", "case.answered", "case.checked", "case.closed"];
    assert_eq!(world.history(incident).await, told);
}
