//! Clients that go away in mid-request: some before they have said all, some before they have heard the answer.
//! Each asks again later, as a phone does that was without signal.

use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpStream;

use super::proxy;
use crate::door::Door;
use crate::kills::clients::{Answer, Client, Reports};
use crate::kills::dice::Dice;
use crate::kills::progress::Progress;

/// Beyond the numbers of those who wait for their answers.
const NUMBER: usize = 10_000;

/// Somebody whose signal is bad.
pub struct Gone {
    door: Door,
    client: Client,
    dice: Dice,
    sent: usize,
    pub answers: Vec<Answer>,
}

impl Gone {
    /// # Errors
    /// When the pack has no workers.
    pub fn new(door: &Door, reports: Reports, progress: &Arc<Progress>) -> anyhow::Result<Self> {
        Ok(Self {
            door: door.clone(),
            client: Client::new(door, reports, NUMBER, progress)?,
            dice: Dice::new(reports.seed, 3_000_000),
            sent: 0,
            answers: Vec::new(),
        })
    }

    /// So many go away; answers how many of their reports were taken all the same.
    ///
    /// # Errors
    /// When one that asked again had an answer no report may have.
    pub async fn go(&mut self, many: usize) -> anyhow::Result<usize> {
        let mut reports = Vec::new();
        for _ in 0..many {
            self.sent += 1;
            let report = self.client.new_report(self.sent);
            let body = report.to_string();
            let url = self.door.url("/api/v1/reports", self.sent);
            let (host, path) =
                url.trim_start_matches("http://").split_once('/').context("the URL has no path")?;
            let request = format!(
                "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                self.client.token(),
                body.len(),
            );
            let said = if self.dice.one_in(2) { request.len() } else { self.dice.below(request.len()) };
            // Nobody may be there: then it is told so again below.
            if let Ok(connection) = TcpStream::connect(host).await {
                let _ = proxy::write(&connection, &request.as_bytes()[..said]).await;
            }
            reports.push(report);
        }
        let mut taken = 0;
        for report in reports {
            let answer = self.client.answer(&report).await?;
            taken += usize::from(!answer.fresh);
            self.answers.push(answer);
        }
        Ok(taken)
    }
}
