//! People at their queues: two sign, answer and return for the posts of a street, two check and close.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use domain::area::Level;
use domain::id::IncidentId;
use domain::rights::Role;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::dice::Dice;
use super::progress::Progress;
use crate::door::Door;
use crate::instance::beat;

/// Something a person did to a case, answered 200.
#[derive(Clone, Debug)]
pub struct Acted {
    pub person: String,
    pub incident: IncidentId,
    /// The line it must have in the history: `case.signed`.
    pub kind: &'static str,
}

/// Between two things one person does.
pub(super) const BEAT: Duration = Duration::from_millis(20);
/// How many cases of a page somebody works on before looking again.
const AT_ONCE: usize = 8;

/// One at a desk, in turn as each of the people who hold or check cases there.
pub struct Actor {
    door: Door,
    /// Counts what they ask: each time another instance.
    asked: usize,
    hats: Vec<Hat>,
    dice: Dice,
    progress: Arc<Progress>,
}

/// Somebody of the pack, and which cases concern them.
struct Hat {
    person: String,
    token: String,
    /// Their post as the API writes it; `None`: a checker.
    holder: Option<String>,
}

impl Actor {
    /// Actor `number`: the holders of one street, or its checkers.
    pub fn new(door: &Door, seed: u64, number: usize, progress: &Arc<Progress>) -> anyhow::Result<Self> {
        let pack = &door.pack;
        let streets: Vec<_> = pack.areas.iter().filter(|area| area.level == Level::Street).collect();
        let Some(street) = streets.get((number / 2) % streets.len().max(1)) else {
            bail!("the pack has no street")
        };
        let checks = number % 2 == 1;
        let mut hats = Vec::new();
        for person in pack.people.iter() {
            let concerned = person.grants.iter().find(|grant| {
                let role = if checks { grant.role == Role::Checker } else { grant.role.post().is_some() };
                role && street.path.contains(&grant.area)
            });
            if let Some(grant) = concerned {
                let holder = grant.role.post().map(|post| format!("{}:{}", post.as_str(), grant.area));
                hats.push(Hat { person: person.id.0.clone(), token: door.token(&person.id.0)?, holder });
            }
        }
        Ok(Self {
            door: door.clone(),
            asked: number,
            hats,
            dice: Dice::new(seed, 1_000 + number as u64),
            progress: progress.clone(),
        })
    }

    pub async fn act_until_told(mut self) -> anyhow::Result<Vec<Acted>> {
        let mut acts = Vec::new();
        let hats = std::mem::take(&mut self.hats);
        while self.progress.goes_on() {
            beat(BEAT).await;
            let Some(hat) = self.dice.pick(&hats) else { bail!("nobody of the pack works here") };
            let state = match (&hat.holder, self.dice.below(2)) {
                (None, _) => "CHECKING",
                (_, 0) => "DISPATCHED",
                _ => "HANDLING",
            };
            let mut queue = self.queue(hat, state).await?;
            for _ in 0..AT_ONCE.min(queue.len()) {
                let incident = queue.swap_remove(self.dice.below(queue.len()));
                self.act(hat, state, incident, &mut acts).await?;
                beat(BEAT).await;
            }
        }
        Ok(acts)
    }

    async fn queue(&mut self, hat: &Hat, state: &str) -> anyhow::Result<Vec<IncidentId>> {
        let of = hat.holder.as_ref().map(|holder| format!("&holder={holder}")).unwrap_or_default();
        let queue = self.url(&format!("?state={state}&limit=20{of}"));
        let ask = self.door.client.get(queue);
        let Some(page) = self.ask(hat, ask).await? else { return Ok(Vec::new()) };
        let cases = page["cases"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(cases.iter().filter_map(|case| case["incident"].as_str()?.parse().ok()).collect())
    }

    async fn act(
        &mut self,
        hat: &Hat,
        state: &str,
        incident: IncidentId,
        acts: &mut Vec<Acted>,
    ) -> anyhow::Result<()> {
        match state {
            "DISPATCHED" => self.tell(hat, incident, "sign", json!({}), "case.signed", acts).await?,
            "HANDLING" if self.dice.one_in(6) => {
                let why = json!({"reason": "wrong_area", "note": "隔壁网格 next door"});
                self.tell(hat, incident, "return", why, "case.returned", acts).await?
            }
            "HANDLING" => {
                self.tell(hat, incident, "answer", json!({"note": "已处理 done"}), "case.answered", acts)
                    .await?
            }
            _ if self.dice.one_in(5) => {
                self.tell(hat, incident, "check", json!({"passed": false}), "case.reworked", acts).await?
            }
            _ => {
                let passed =
                    self.tell(hat, incident, "check", json!({"passed": true}), "case.checked", acts).await?;
                passed && self.tell(hat, incident, "close", json!({}), "case.closed", acts).await?
            }
        };
        Ok(())
    }

    /// Does it, now and then as of the revision seen; whether it was answered 200.
    async fn tell(
        &mut self,
        hat: &Hat,
        incident: IncidentId,
        action: &str,
        body: Value,
        kind: &'static str,
        acts: &mut Vec<Acted>,
    ) -> anyhow::Result<bool> {
        let url = self.url(&format!("/{incident}/{action}"));
        let mut ask = self.door.client.post(url).json(&body);
        if self.dice.one_in(4) {
            let case = self.url(&format!("/{incident}"));
            let Some(seen) = self.ask(hat, self.door.client.get(case)).await? else { return Ok(false) };
            ask = ask.header(reqwest::header::IF_MATCH, format!("\"{}\"", seen["revision"]));
        }
        if self.ask(hat, ask).await?.is_none() {
            return Ok(false);
        }
        self.progress.one_acted();
        acts.push(Acted { person: hat.person.clone(), incident, kind });
        Ok(true)
    }

    fn url(&mut self, rest: &str) -> String {
        self.asked += 1;
        self.door.url(&format!("/api/v1/cases{rest}"), self.asked)
    }

    /// The answer; `None` when nobody answered, or the case had moved on meanwhile.
    async fn ask(&self, hat: &Hat, ask: RequestBuilder) -> anyhow::Result<Option<Value>> {
        let Ok(answer) = ask.bearer_auth(&hat.token).send().await else { return Ok(None) };
        let status = answer.status();
        let Ok(body) = answer.bytes().await else { return Ok(None) };
        match status {
            StatusCode::OK => Ok(Some(serde_json::from_slice(&body)?)),
            StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::CONFLICT
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::SERVICE_UNAVAILABLE => Ok(None),
            _ => bail!("{} was answered {status}: {}", hat.person, String::from_utf8_lossy(&body)),
        }
    }
}
