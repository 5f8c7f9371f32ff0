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
mod surveyed;

pub use submit::{NewPlace, NewReport, ReportFault, Reported, Submit, Submitted};
pub use surveyed::Surveyed;

use std::sync::Arc;

use domain::facts::{REPORT_SUBMITTED, ReportSubmitted, Topic};
use domain::id::IncidentId;
use platform::pack::{InForce, Pack};
use platform::store::{StoreError, Tx};
use platform::stream::Record;
use platform::turn::{Asked, Service, Turn, Undecided};

use store::reports::{self, Known, Row};

/// The service.
#[derive(Debug)]
pub struct Discover {
    pack: InForce,
}

impl Discover {
    pub fn new(pack: &InForce) -> Arc<Self> {
        Arc::new(Self { pack: pack.clone() })
    }
}

/// The reports one turn knows of, the new ones it will save, and the pack it goes by.
pub struct Work {
    pack: Arc<Pack>,
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
        let known = reports::known(tx, &client_ids).await?;
        Ok(Work { pack: self.pack.now(), known, new: Vec::new() })
    }

    fn obey(&self, work: &mut Work, asked: &Asked<Submit>, turn: &mut Turn) -> Self::Answer {
        let filed_at = turn.at(asked.recorded_at);
        let pack = &work.pack;
        let lists = submit::Lists {
            categories: &pack.categories,
            areas: &pack.areas,
            unlisted: pack.recorded.as_ref().and_then(|recorded| recorded.unlisted_category.as_ref()),
        };
        let checked = submit::check(&asked.command.report, filed_at, lists, &asked.by)?;
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

    fn react(&self, _work: &mut Work, record: &Record, _turn: &mut Turn) -> Result<(), Undecided> {
        Err(format!("discover reads nothing, but was given {}", record.name()).into())
    }

    async fn save(&self, tx: &Tx, work: Work, _turn: &Turn) -> Result<(), StoreError> {
        reports::save(tx, work.new).await
    }
}
