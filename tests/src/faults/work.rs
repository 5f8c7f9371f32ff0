//! Whether work goes on: reports are answered, each service publishes, and what was on the topics is read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use discover::Discover;
use domain::facts::Topic;
use gridward::servers::services_of;
use gridward::settings::Settings;
use handle::Handle;
use kafka::connection::Connection;
use kafka::topics::Topics;
use partner::PartnerDesk;
use platform::clock::host_now;
use platform::store::{Store, get};
use platform::stream::kafka::envelope::topic_name;
use platform::turn::Service;
use route::Route;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use supervise::Supervise;

use crate::instance::beat;
use crate::kills::progress::Progress;

/// Each service that reads, and what it reads.
const READERS: [(&str, &[Topic]); 5] = [
    (Discover::NAME, Discover::READS),
    (Route::NAME, Route::READS),
    (Handle::NAME, Handle::READS),
    (Supervise::NAME, Supervise::READS),
    (PartnerDesk::NAME, PartnerDesk::READS),
];

/// Work that has not gone on after this hangs.
pub(super) const HANGS: Duration = Duration::from_secs(90);
/// What is there at one moment, what came of it, and what came of that.
const SETTLES: usize = 3;
/// How often anybody looks.
const LOOK: Duration = Duration::from_millis(20);

/// The databases and topics of a fleet, to look at.
#[derive(Debug)]
pub struct Work {
    databases: BTreeMap<&'static str, Store>,
    /// Where they are: a URL with `{service}` in it.
    places: String,
    topics: Topics,
    prefix: String,
    partitions: i32,
    progress: Arc<Progress>,
}

/// How far everything was.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// The last record of each partition.
    ends: BTreeMap<(Topic, i32), i64>,
    /// The last row of each outbox.
    rows: BTreeMap<&'static str, i64>,
}

/// Since when work is to have gone on.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    at: DateTime<Utc>,
    new: usize,
    begun: Instant,
}

/// How long it took until work went on.
#[derive(Clone, Copy, Debug)]
pub struct Back {
    /// That of the service that was looked at first; of all, where none was.
    pub own: Duration,
    /// That of all services.
    pub all: Duration,
}

impl Work {
    /// Makes the topics that are missing, and waits until the broker leads each of their partitions.
    ///
    /// # Errors
    /// When a server cannot be reached.
    pub async fn of(
        settings: &Settings,
        databases: &str,
        broker: &str,
        progress: &Arc<Progress>,
    ) -> anyhow::Result<Self> {
        let mut opened = BTreeMap::new();
        for service in services_of(settings).await? {
            opened.insert(service, Store::connect(&databases.replace("{service}", service), 2).await?);
        }
        settings.stream()?.ensure_topics().await?;
        let work = Self {
            databases: opened,
            places: databases.to_owned(),
            topics: Topics::start(&Connection::plain(broker), Duration::from_secs(5))?,
            prefix: settings.kafka.prefix.clone(),
            partitions: i32::try_from(settings.kafka.partitions)?,
            progress: progress.clone(),
        };
        let begun = Instant::now();
        while let Err(error) = work.ends().await {
            if begun.elapsed() > HANGS {
                return Err(error.context("the topics cannot be read"));
            }
            beat(LOOK).await;
        }
        Ok(work)
    }

    /// Those that have a topic.
    pub fn services(&self) -> impl Iterator<Item = &'static str> {
        self.databases.keys().copied()
    }

    /// A connection of its own to a service's database, for whoever keeps it or has it refused.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn apart(&self, service: &str) -> anyhow::Result<Store> {
        let store = Store::connect(&self.places.replace("{service}", service), 1).await;
        store.with_context(|| format!("cannot reach the database of {service}"))
    }

    /// Before the name of every topic and group.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of a topic here.
    pub fn topic(&self, topic: Topic) -> String {
        topic_name(&self.prefix, topic)
    }

    /// Rows of a service's database.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn rows(
        &self,
        service: &str,
        sql: &str,
        values: Vec<Value>,
    ) -> anyhow::Result<Vec<QueryResult>> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let database = self.databases.get(service).context("no such service")?;
        database.readers().query_all_raw(statement).await.with_context(|| format!("cannot read: {sql}"))
    }

    /// The one number that `sql` selects.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn count(&self, service: &str, sql: &str, values: Vec<Value>) -> anyhow::Result<i64> {
        let rows = self.rows(service, sql, values).await?;
        let row = rows.first().context("a count without a row")?;
        row.try_get_by_index(0).with_context(|| format!("no number: {sql}"))
    }

    /// The last record of each partition.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn ends(&self) -> anyhow::Result<BTreeMap<(Topic, i32), i64>> {
        let mut ends = BTreeMap::new();
        for topic in Topic::ALL {
            for partition in 0..self.partitions {
                let (_, last) = self.topics.bounds(&self.topic(topic), partition).await?;
                ends.insert((topic, partition), last);
            }
        }
        Ok(ends)
    }

    /// How far everything is now; a server that has just come back is asked until it answers.
    ///
    /// # Errors
    /// When a server does not answer.
    pub async fn marks(&self) -> anyhow::Result<Marks> {
        let begun = Instant::now();
        loop {
            match self.try_marks().await {
                Err(_) if begun.elapsed() < HANGS => beat(LOOK).await,
                marks => return marks,
            }
        }
    }

    async fn try_marks(&self) -> anyhow::Result<Marks> {
        let mut marks = Marks { ends: self.ends().await?, ..Marks::default() };
        for service in self.services() {
            let sql = format!("SELECT coalesce(max(id), 0) FROM {service}_outbox");
            marks.rows.insert(service, self.count(service, &sql, Vec::new()).await?);
        }
        Ok(marks)
    }

    pub fn now(&self) -> Since {
        Since { at: host_now(), new: self.progress.new_ones(), begun: Instant::now() }
    }

    /// Waits until a new report was answered 201 since then, each service has sent a new fact, and everything that
    /// was on the topics at `marks` is read; answers how long it took, also for the service `first` by itself. For
    /// discover that is the report, for the others what they read, and for all what they send.
    ///
    /// # Errors
    /// When it takes for ever, saying what does not go on.
    pub async fn goes_on(
        &self,
        marks: &Marks,
        since: Since,
        first: Option<&'static str>,
    ) -> anyhow::Result<Back> {
        let own = match first {
            Some(service) => Some(self.until_on(marks, since, Some(service)).await?),
            None => None,
        };
        let all = self.until_on(marks, since, None).await?;
        Ok(Back { own: own.unwrap_or(all), all })
    }

    async fn until_on(&self, marks: &Marks, since: Since, of: Option<&str>) -> anyhow::Result<Duration> {
        loop {
            let rests = match self.rests(marks, since, of).await {
                Ok(None) => return Ok(since.begun.elapsed()),
                Ok(Some(rests)) => rests,
                // A server that is away says nothing.
                Err(error) => format!("{error:#}"),
            };
            if since.begun.elapsed() > HANGS {
                bail!("work has not gone on for {HANGS:?}: {rests}");
            }
            beat(LOOK).await;
        }
    }

    /// What does not go on yet, of one service or of all.
    async fn rests(&self, marks: &Marks, since: Since, of: Option<&str>) -> anyhow::Result<Option<String>> {
        let asked = |service: &str| of.is_none_or(|of| of == service);
        if asked(Discover::NAME) && self.progress.new_ones() == since.new {
            return Ok(Some("no new report was answered".to_owned()));
        }
        for (service, last) in marks.rows.iter().filter(|(service, _)| asked(service)) {
            let sql = format!(
                "SELECT count(*) FROM (SELECT 1 FROM {service}_outbox WHERE id > $1 AND published_at > $2 LIMIT 1) AS new"
            );
            if self.count(service, &sql, vec![(*last).into(), since.at.into()]).await? == 0 {
                return Ok(Some(format!("{service} has sent nothing new")));
            }
        }
        self.unread_by(&marks.ends, asked).await
    }

    /// A partition that some reader has not read up to `ends`.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn unread(&self, ends: &BTreeMap<(Topic, i32), i64>) -> anyhow::Result<Option<String>> {
        self.unread_by(ends, |_| true).await
    }

    async fn unread_by(
        &self,
        ends: &BTreeMap<(Topic, i32), i64>,
        asked: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Option<String>> {
        for (service, reads) in self.readers().filter(|(name, _)| asked(name)) {
            let positions = self.positions(service).await?;
            for ((topic, partition), last) in ends.iter().filter(|((topic, _), _)| reads.contains(topic)) {
                let at = positions.get(&(*topic, *partition)).copied().unwrap_or(0);
                if at < *last {
                    return Ok(Some(format!("{service} is at {at} of {last} on {topic}/{partition}")));
                }
            }
        }
        Ok(None)
    }

    /// How many records the readers have still to read, all together.
    ///
    /// # Errors
    /// When a server does not answer.
    pub async fn lag(&self) -> anyhow::Result<i64> {
        let ends = self.ends().await?;
        let mut lag = 0;
        for (service, reads) in self.readers() {
            let positions = self.positions(service).await?;
            let of_it = ends.iter().filter(|((topic, _), _)| reads.contains(topic));
            lag += of_it.map(|(place, last)| last - positions.get(place).copied().unwrap_or(0)).sum::<i64>();
        }
        Ok(lag)
    }

    /// What a service reads.
    pub fn reads(&self, service: &str) -> &'static [Topic] {
        self.readers().find(|(name, _)| *name == service).map_or(&[], |(_, reads)| reads)
    }

    /// Those here that read something, and what.
    fn readers(&self) -> impl Iterator<Item = (&'static str, &'static [Topic])> {
        let here = |service: &str| self.databases.contains_key(service);
        READERS.into_iter().filter(move |(name, reads)| here(name) && !reads.is_empty())
    }

    /// Where a service stands on each partition that it has read from.
    async fn positions(&self, service: &str) -> anyhow::Result<BTreeMap<(Topic, i32), i64>> {
        let sql = format!("SELECT topic, partition, position FROM {service}_position");
        let mut positions = BTreeMap::new();
        for row in self.rows(service, &sql, Vec::new()).await? {
            let topic: String = get(&row, "topic")?;
            let topic: Topic = topic.parse().map_err(|why: String| anyhow::anyhow!(why))?;
            positions.insert((topic, get(&row, "partition")?), get(&row, "position")?);
        }
        Ok(positions)
    }

    /// How many facts were set aside, by all services.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn dead(&self) -> anyhow::Result<i64> {
        let mut dead = 0;
        for service in self.services() {
            let sql = format!("SELECT count(*) FROM {service}_dead_letter");
            dead += self.count(service, &sql, Vec::new()).await?;
        }
        Ok(dead)
    }

    /// What of everything that was there at `marks`, or due by `by` on the clock of the cases, is not done `now`.
    async fn waits(
        &self,
        marks: &Marks,
        by: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Option<String>> {
        for (service, last) in &marks.rows {
            let sql =
                format!("SELECT count(*) FROM {service}_outbox WHERE published_at IS NULL AND id <= $1");
            let (unsent, parked) = (
                self.count(service, &sql, vec![(*last).into()]).await?,
                self.count(service, &format!("SELECT count(*) FROM {service}_parked"), Vec::new()).await?,
            );
            if unsent + parked > 0 {
                return Ok(Some(format!("{unsent} facts of {service} to be sent, {parked} parked")));
            }
        }
        let reports = self.count("discover", "SELECT count(*) FROM discover_report", Vec::new()).await?;
        let cases = self.count("handle", "SELECT count(*) FROM handle_case", Vec::new()).await?;
        if reports != cases {
            return Ok(Some(format!("{cases} cases of {reports} reports")));
        }
        let due = self.due(by, now).await?;
        if due > 0 {
            return Ok(Some(format!("{due} steps are due")));
        }
        if self.databases.contains_key(PartnerDesk::NAME) {
            let look = "SELECT count(*) FROM partner_offer WHERE look_at IS NOT NULL";
            let look = self.count(PartnerDesk::NAME, look, Vec::new()).await?;
            if look > 0 {
                return Ok(Some(format!("{look} offers are to be taken back")));
            }
        }
        self.unread(&marks.ends).await
    }

    /// Steps that were due by `by` and have not taken effect `now`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due(&self, by: DateTime<Utc>, now: DateTime<Utc>) -> anyhow::Result<i64> {
        // A step told of is looked at again 30 s later, so what is due lies within that time in the index.
        let soon = now + chrono::TimeDelta::seconds(60);
        let due = "SELECT count(*) FROM supervise_step WHERE look_at <= $1 AND due_at <= $2";
        self.count("supervise", due, vec![soon.into(), by.into()]).await
    }

    /// Waits until nothing waits any more; answers the time on `clock` up to which that is so. Among many open cases
    /// there is always another step that falls due, so what counts is what was there at one moment; then what came of
    /// it, and of that.
    ///
    /// # Errors
    /// When it takes for ever.
    pub async fn settled(&self, clock: &platform::clock::Clock) -> anyhow::Result<DateTime<Utc>> {
        let begun = Instant::now();
        let mut settled = clock.now();
        for _ in 0..SETTLES {
            settled = clock.now();
            let marks = self.marks().await?;
            while let Some(waits) = self.waits(&marks, settled, clock.now()).await? {
                self.progress.stage(&format!("waiting until nothing waits any more: {waits}"));
                if begun.elapsed() > 2 * HANGS {
                    bail!("not settled after {:?}: {waits}", begun.elapsed());
                }
                beat(LOOK * 5).await;
            }
        }
        Ok(settled)
    }
}
