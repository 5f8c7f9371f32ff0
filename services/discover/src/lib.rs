//! 发现 discover: reports come in.
//!
//! In: people's reports over HTTP and from the form behind a link, recorded reports from a file. Out: `report.submitted` on `reported`,
//! committed before anybody is answered 201. Never decides where a report belongs or who holds it, never makes two
//! incidents of one client id, and never lets the words of a sensitive report out.

mod form;
pub mod http;
mod link;
mod store;
mod submit;

pub use submit::{NewPlace, NewReport, ReportFault, Reported, Submit, Submitted};

use std::sync::Arc;

use domain::facts::{REPORT_SUBMITTED, ReportSubmitted, Topic};
use domain::id::IncidentId;
use platform::pack::Pack;
use platform::store::{StoreError, Tx};
use platform::stream::Record;
use platform::turn::{Asked, Service, Turn};

use store::reports::{self, Known, Row};

/// The service.
#[derive(Debug)]
pub struct Discover {
    lists: submit::Lists,
}

impl Discover {
    pub fn new(pack: &Pack) -> Arc<Self> {
        let unlisted = pack.recorded.as_ref().and_then(|recorded| recorded.unlisted_category.clone());
        let (categories, areas) = (pack.categories.clone(), pack.areas.clone());
        Arc::new(Self { lists: submit::Lists { categories, areas, unlisted } })
    }
}

/// The reports one turn knows of, and the new ones it will save.
pub struct Work {
    known: Known,
    new: Vec<Row>,
}

#[async_trait::async_trait]
impl Service for Discover {
    const NAME: &'static str = "discover";
    const READS: &'static [Topic] = &[];
    const WRITES: Topic = Topic::Reported;
    const WINDOWS: usize = 2;
    type Command = Submit;
    type Answer = Result<Submitted, ReportFault>;
    type Work = Work;

    fn incident(command: &Submit) -> IncidentId {
        command.incident
    }

    fn is_new(_command: &Submit) -> bool {
        true
    }

    async fn load(
        &self,
        tx: &Tx,
        _incidents: &[IncidentId],
        commands: &[Asked<Submit>],
    ) -> Result<Work, StoreError> {
        let client_ids: Vec<&str> = commands.iter().map(|asked| asked.command.report.client_id()).collect();
        Ok(Work { known: reports::known(tx, &client_ids).await?, new: Vec::new() })
    }

    fn obey(&self, work: &mut Work, asked: &Asked<Submit>, turn: &mut Turn) -> Self::Answer {
        let filed_at = turn.at(asked.recorded_at);
        let checked = submit::check(&asked.command.report, filed_at, &self.lists, &asked.by)?;
        let key = (asked.by.clone(), checked.client_id.clone());
        if let Some((incident, digest)) = work.known.get(&key) {
            return submit::again(*incident, digest, &checked);
        }
        let incident = asked.command.incident;
        work.known.insert(key, (incident, checked.digest.clone()));
        let body = ReportSubmitted { report: checked.report.clone() };
        turn.publish(incident, REPORT_SUBMITTED, filed_at, "act/submit".to_owned(), &body);
        work.new.push(Row { incident, checked, filed_at });
        Ok(Submitted { incident, fresh: true })
    }

    fn react(&self, _work: &mut Work, record: &Record, _turn: &mut Turn) -> Result<(), String> {
        Err(format!("discover reads nothing, but was given {}", record.name()))
    }

    async fn save(&self, tx: &Tx, work: Work, _turn: &Turn) -> Result<(), StoreError> {
        reports::save(tx, work.new).await
    }
}
