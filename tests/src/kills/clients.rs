//! Clients: each reports with client ids of its own, a few at a time as a phone does that was without signal,
//! and sends again until it has an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use domain::id::IncidentId;
use domain::rights::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::dice::Dice;
use super::progress::Progress;
use crate::door::Door;
use crate::instance::beat;

/// An answer 201 or 200.
#[derive(Clone, Debug)]
pub struct Answer {
    pub reporter: String,
    pub client_id: String,
    pub incident: IncidentId,
    /// 201; `false`: 200, the report was there already.
    pub fresh: bool,
}

/// How long a client waits before it sends again.
pub const AGAIN: Duration = Duration::from_millis(10);
/// Of so many reports one is sent twice at once, and one is sent again later.
const ONE_IN: usize = 32;

/// So many reports of one client are under way at once.
pub const LINES: usize = 4;

/// What the clients are to do.
#[derive(Clone, Copy, Debug)]
pub struct Reports {
    pub clients: usize,
    /// So many reports between them, each with a client id of its own, one after the other; without, one in every
    /// `pace` a line, until they are told that it is enough.
    pub posts: Option<usize>,
    pub pace: Duration,
    pub seed: u64,
}

/// One line of a client.
pub struct Client {
    door: Door,
    /// Counts what it sends: each time another instance is asked.
    sent: AtomicUsize,
    reporter: String,
    token: String,
    posts: usize,
    pace: Option<Duration>,
    number: usize,
    dice: Dice,
    progress: Arc<Progress>,
}

impl Client {
    /// Line `number` of all lines: each [`LINES`] of them are one client, one of the pack's grid workers.
    pub fn new(
        door: &Door,
        reports: Reports,
        number: usize,
        progress: &Arc<Progress>,
    ) -> anyhow::Result<Self> {
        let worker = |person: &&platform::pack::Person| {
            person.grants.iter().any(|grant| grant.role == Role::GridWorker)
        };
        let workers: Vec<_> = door.pack.people.iter().filter(worker).collect();
        let reporter = workers
            .get(number / LINES % workers.len().max(1))
            .context("the pack has no workers")?
            .id
            .0
            .clone();
        let lines = reports.clients * LINES;
        // The first ones take what is left over.
        let share = |posts: usize| posts / lines + usize::from(number < posts % lines);
        Ok(Self {
            token: door.token(&reporter)?,
            door: door.clone(),
            sent: AtomicUsize::new(number),
            reporter,
            posts: reports.posts.map_or(usize::MAX, share),
            pace: reports.posts.is_none().then_some(reports.pace),
            number,
            dice: Dice::new(reports.seed, number as u64),
            progress: progress.clone(),
        })
    }

    pub async fn report_all(mut self) -> anyhow::Result<Vec<Answer>> {
        let mut answers = Vec::new();
        let mut sent: Vec<Value> = Vec::new();
        for n in 0..self.posts {
            if let Some(pace) = self.pace {
                beat(self.dice.millis(2 * usize::try_from(pace.as_millis()).unwrap_or(0))).await;
                if !self.progress.goes_on() {
                    break;
                }
            }
            let report = self.new_report(n);
            if self.dice.one_in(ONE_IN) {
                let (one, other) = tokio::try_join!(self.answer(&report), self.answer(&report))?;
                answers.extend([one, other]);
            } else {
                answers.push(self.answer(&report).await?);
            }
            self.progress.one_answered();
            if self.dice.one_in(ONE_IN)
                && let Some(earlier) = self.dice.pick(&sent)
            {
                answers.push(self.answer(earlier).await?);
            }
            sent.push(report);
        }
        Ok(answers)
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Anywhere in the two streets, now and then on a shared border or outside of all grids.
    pub fn new_report(&mut self, n: usize) -> Value {
        let category = match self.dice.below(10) {
            0 | 1 => "gas",
            2..=4 => "rubbish",
            5 | 6 => "road",
            7 | 8 => "clean-up",
            _ => "dispute",
        };
        #[expect(clippy::cast_precision_loss, reason = "some thousands of steps of a millionth degree")]
        let mut along = |micro_degrees: usize| self.dice.below(micro_degrees) as f64 / 1e6;
        let (mut lon, lat) = (121.8 + along(40_000), 29.9 + along(20_000));
        match self.dice.below(128) {
            0 => lon = 121.81,
            1 => lon += 0.04,
            _ => {}
        }
        json!({
            "client_id": format!("{}-{n}", self.number),
            "category": category,
            "place": {"lon": lon, "lat": lat, "datum": "CGCS2000"},
            "description": format!("report {n} of line {}", self.number),
        })
    }

    /// Sends `report` until there is an answer.
    pub async fn answer(&self, report: &Value) -> anyhow::Result<Answer> {
        loop {
            match self.try_once(report).await? {
                Some(answer) => return Ok(answer),
                None => {
                    self.progress.one_retried();
                    beat(AGAIN).await;
                }
            }
        }
    }

    /// `None`: nobody answered, or nobody could just now.
    async fn try_once(&self, report: &Value) -> anyhow::Result<Option<Answer>> {
        let url = self.door.url("/api/v1/reports", self.sent.fetch_add(1, Ordering::Relaxed));
        let ask = self.door.client.post(url).bearer_auth(&self.token).json(report);
        let Ok(answer) = ask.send().await else { return Ok(None) };
        let status = answer.status();
        let Ok(body) = answer.bytes().await else { return Ok(None) };
        match status {
            StatusCode::CREATED | StatusCode::OK => {}
            StatusCode::SERVICE_UNAVAILABLE => return Ok(None),
            _ => bail!("{report} was answered {status}: {}", String::from_utf8_lossy(&body)),
        }
        let receipt: Value = serde_json::from_slice(&body).context("a receipt that is not JSON")?;
        if status == StatusCode::CREATED {
            self.progress.one_new();
        }
        let incident = receipt["incident"].as_str().context("the receipt names no incident")?;
        Ok(Some(Answer {
            reporter: self.reporter.clone(),
            client_id: report["client_id"].as_str().unwrap_or_default().to_owned(),
            incident: incident.parse().context("the incident is no id")?,
            fresh: status == StatusCode::CREATED,
        }))
    }
}
