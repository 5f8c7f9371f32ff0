//! Clients that send a report twice at once, to two instances, and afterwards something else under its name: it is one
//! report with one incident, and the other one is refused.

use std::sync::Arc;

use anyhow::{bail, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::door::Door;
use crate::instance::beat;
use crate::kills::clients::{AGAIN, Answer, Client, Reports};
use crate::kills::progress::Progress;

/// Beyond the numbers of all others.
const NUMBER: usize = 20_000;

/// Somebody who taps twice.
pub struct Twice {
    door: Door,
    client: Client,
    sent: usize,
    pub answers: Vec<Answer>,
}

impl Twice {
    /// # Errors
    /// When the pack has no workers.
    pub fn new(door: &Door, reports: Reports, progress: &Arc<Progress>) -> anyhow::Result<Self> {
        let client = Client::new(door, reports, NUMBER, progress)?;
        Ok(Self { door: door.clone(), client, sent: 0, answers: Vec::new() })
    }

    /// Sends so many, each twice at once; answers how many of them were answered as one that is new and one that is
    /// there already.
    ///
    /// # Errors
    /// When one was answered as two, or something else was taken under its name.
    pub async fn send(&mut self, many: usize) -> anyhow::Result<usize> {
        let mut met = 0;
        for _ in 0..many {
            self.sent += 1;
            let report = self.client.new_report(self.sent);
            let (one, other) = tokio::try_join!(self.client.answer(&report), self.client.answer(&report))?;
            ensure!(one.incident == other.incident, "{report} is {} and {}", one.incident, other.incident);
            met += usize::from(one.fresh != other.fresh);
            self.answers.extend([one, other]);
            let mut changed = report.clone();
            changed["description"] = json!("something else");
            self.refused(&changed, StatusCode::CONFLICT, "client-id-taken").await?;
            changed["category"] = json!("no such category");
            self.refused(&changed, StatusCode::UNPROCESSABLE_ENTITY, "unknown-category").await?;
        }
        Ok(met)
    }

    /// Sends what must not be taken, until somebody answers.
    async fn refused(&mut self, report: &Value, status: StatusCode, code: &str) -> anyhow::Result<()> {
        loop {
            self.sent += 1;
            let url = self.door.url("/api/v1/reports", self.sent);
            let ask = self.door.client.post(url).bearer_auth(self.client.token()).json(report);
            // Nobody may be there just now: then it is asked again.
            if let Ok(answer) = ask.send().await {
                let answered = answer.status();
                let body = answer.text().await.unwrap_or_default();
                match answered {
                    StatusCode::SERVICE_UNAVAILABLE => {}
                    _ if answered == status && body.contains(code) => return Ok(()),
                    _ => bail!("{report} was answered {answered} and not {status}: {body}"),
                }
            }
            beat(AGAIN).await;
        }
    }
}
