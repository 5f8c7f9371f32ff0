//! The smallest service: it notes words, and tells each on its own topic. Some words are trouble.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use domain::facts::Topic;
use domain::id::IncidentId;
use platform::store::{Doing, StoreError, Tx};
use platform::stream::Record;
use platform::turn::{Asked, Service, Turn, Undecided};
use sea_orm::prelude::{ConnectionTrait, async_trait};
use sea_orm::sea_query::{Expr, ExprTrait, Query};

use super::noon;

/// Cannot be decided.
pub const ODD: &str = "odd";
/// Cannot be decided yet.
pub const EARLY: &str = "early";
/// Deciding it panics.
pub const PANIC: &str = "panic";
/// Is decided, and then cannot be saved.
pub const UNSAVEABLE: &str = "unsaveable";
/// Its incident's row cannot be loaded once this has been noted.
pub const TORN: &str = "torn";

/// The service. It has route's tables of the turn, in a folder where route does not run.
#[derive(Debug, Default)]
pub struct Notebook {
    /// The cause of all trouble is gone.
    mended: AtomicBool,
    /// Its database is away.
    pub away: AtomicBool,
    /// How often it has asked the database for what it decides on.
    pub loads: AtomicUsize,
}

impl Notebook {
    pub fn mended() -> Arc<Self> {
        Arc::new(Self { mended: AtomicBool::new(true), ..Self::default() })
    }

    fn trouble(&self, word: &str, trouble: &str) -> bool {
        word == trouble && !self.mended.load(Ordering::SeqCst)
    }
}

/// A word that somebody says about an incident.
#[derive(Clone, Debug)]
pub struct Say {
    pub incident: IncidentId,
    pub word: &'static str,
}

pub fn asked(n: u8, word: &'static str) -> Asked<Say> {
    let command = Say { incident: super::incident(n), word };
    Asked { command, by: "somebody".into(), recorded_at: noon() }
}

/// What one turn noted.
#[derive(Default)]
pub struct Work {
    noted: Vec<String>,
}

impl Work {
    /// Answers under which sequence the word was noted.
    fn note(&mut self, incident: IncidentId, word: &str, cause: String, turn: &mut Turn) -> i64 {
        self.noted.push(word.to_owned());
        turn.publish(incident, "word.noted", turn.now(), cause, &word)
    }
}

#[async_trait::async_trait]
impl Service for Notebook {
    const NAME: &'static str = "route";
    const READS: &'static [Topic] = &[Topic::Reported];
    const WRITES: Topic = Topic::Routed;
    type Command = Say;
    type Answer = i64;
    type Work = Work;

    fn incident(command: &Say) -> IncidentId {
        command.incident
    }

    async fn load(
        &self,
        tx: &Tx,
        incidents: &[IncidentId],
        _commands: &[Asked<Say>],
    ) -> Result<Work, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Broker { doing: "loading words", why: "nobody answers".to_owned() });
        }
        if self.mended.load(Ordering::SeqCst) {
            return Ok(Work::default());
        }
        for incident in incidents {
            if is_torn(tx, *incident).await? {
                let why = "its row fits no state".to_owned();
                return Err(StoreError::Inconsistent { table: "notebook", id: incident.to_string(), why });
            }
        }
        Ok(Work::default())
    }

    fn obey(&self, work: &mut Work, asked: &Asked<Say>, turn: &mut Turn) -> i64 {
        let Say { incident, word } = asked.command;
        assert!(!self.trouble(word, PANIC), "no way to say it");
        work.note(incident, word, "act/say".to_owned(), turn)
    }

    fn react(&self, work: &mut Work, record: &Record, turn: &mut Turn) -> Result<(), Undecided> {
        let word: String = record.body()?;
        if self.trouble(&word, ODD) {
            return Err(format!("nobody knows what `{word}` means").into());
        }
        if self.trouble(&word, EARLY) {
            return Err(Undecided::NotYet(format!("nobody has heard of `{word}` yet")));
        }
        assert!(!self.trouble(&word, PANIC), "no way to take it");
        work.note(record.incident, &word, record.as_cause(), turn);
        Ok(())
    }

    async fn save(&self, tx: &Tx, work: Work, _turn: &Turn) -> Result<(), StoreError> {
        if work.noted.iter().any(|word| self.trouble(word, UNSAVEABLE)) {
            tx.execute_unprepared("INSERT INTO no_such_table VALUES (1)").await.doing("saving words")?;
        }
        Ok(())
    }
}

/// Whether a word noted for the incident tore its row.
async fn is_torn(tx: &Tx, incident: IncidentId) -> Result<bool, StoreError> {
    Ok(words(tx, incident).await?.iter().any(|word| word.contains(TORN)))
}

/// The bodies of the facts published of an incident, as far as `seen` from there.
pub async fn words(seen: &impl ConnectionTrait, incident: IncidentId) -> Result<Vec<String>, StoreError> {
    let published = match seen.get_database_backend() {
        sea_orm::DbBackend::Postgres => "route_outbox",
        _ => "log",
    };
    let select = Query::select()
        .column("body")
        .from(published)
        .and_where(Expr::col("topic").eq(Topic::Routed.as_str()))
        .and_where(Expr::col("incident").eq(incident.0))
        .to_owned();
    let rows = seen.query_all(&select).await.doing("loading words")?;
    Ok(rows.iter().filter_map(|row| row.try_get("", "body").ok()).collect())
}
