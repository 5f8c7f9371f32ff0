//! People of partner organisations: they accept and decline, answer what they hold or give it back. And the desk that
//! places orders with them, and suspends one of them now and then.

use std::sync::Arc;

use anyhow::{Context, bail};
use domain::id::{IncidentId, PartnerId};
use domain::rights::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::dice::Dice;
use super::people::{Acted, BEAT};
use super::progress::Progress;
use crate::door::Door;
use crate::instance::beat;

/// Two organisations of one street, and the desk of that street.
pub const MEMBERS: usize = 3;
/// Those that are never full.
const ORGANISATIONS: [&str; 2] = ["swift", "stork"];
const DESK: &str = "desk-2a";
/// How many offers of a list somebody looks at before looking again.
const AT_ONCE: usize = 6;

/// One of them.
pub struct Member {
    door: Door,
    /// Counts what they ask: each time another instance.
    asked: usize,
    person: String,
    token: String,
    /// None: at the desk.
    organisation: Option<PartnerId>,
    dice: Dice,
    progress: Arc<Progress>,
    acts: Vec<Acted>,
}

impl Member {
    /// # Errors
    /// When the pack has no such organisation.
    pub fn new(door: &Door, seed: u64, number: usize, progress: &Arc<Progress>) -> anyhow::Result<Self> {
        let organisation = ORGANISATIONS.get(number).map(|id| PartnerId::from(*id));
        let person = match &organisation {
            Some(organisation) => contact(door, organisation)?,
            None => DESK.to_owned(),
        };
        Ok(Self {
            door: door.clone(),
            asked: number,
            token: door.token(&person)?,
            person,
            organisation,
            dice: Dice::new(seed, 2_000 + number as u64),
            progress: progress.clone(),
            acts: Vec::new(),
        })
    }

    /// # Errors
    /// When somebody hears what nobody may be told.
    pub async fn act_until_told(mut self) -> anyhow::Result<Vec<Acted>> {
        while self.progress.goes_on() {
            beat(BEAT).await;
            match self.organisation.is_some() {
                true => self.look_at_offers().await?,
                false => self.keep_the_desk().await?,
            }
        }
        Ok(self.acts)
    }

    async fn look_at_offers(&mut self) -> anyhow::Result<()> {
        let Some(list) = self.ask(Method::GET, "/api/v1/offers", None).await? else { return Ok(()) };
        let mut offers = list["offers"].as_array().cloned().unwrap_or_default();
        for _ in 0..AT_ONCE.min(offers.len()) {
            let offer = offers.swap_remove(self.dice.below(offers.len()));
            let incident =
                offer["incident"].as_str().and_then(|id| id.parse().ok()).context("an incident")?;
            match (offer["state"].as_str(), offer["case_state"].as_str()) {
                (Some("open"), _) if self.dice.one_in(4) => {
                    let body = json!({ "reason": "not_now" });
                    self.tell("offers", incident, "decline", body, "case.declined").await?;
                }
                (Some("open"), _) => {
                    self.tell("offers", incident, "accept", json!({}), "case.accepted").await?;
                }
                (Some("won"), Some("HANDLING")) if self.dice.one_in(4) => {
                    let body = json!({ "reason": "unclear_owner", "note": "人手不够 too few hands" });
                    self.tell("cases", incident, "return", body, "case.released").await?;
                }
                (Some("won"), Some("HANDLING")) => {
                    self.tell("cases", incident, "answer", json!({}), "case.answered").await?;
                }
                _ => {}
            }
            beat(BEAT).await;
        }
        Ok(())
    }

    /// Orders what flowed back to the grids; now and then one organisation may take nothing for a while.
    async fn keep_the_desk(&mut self) -> anyhow::Result<()> {
        if self.dice.one_in(40) {
            for standing in ["suspended", "active"] {
                let to = format!("/api/v1/partners/{}/standing", ORGANISATIONS[1]);
                let body = json!({ "standing": standing, "reason": "例行核查 a routine look" });
                // Until it is so: nobody is left suspended.
                while self.ask(Method::POST, &to, Some(body.clone())).await?.is_none() {
                    beat(BEAT).await;
                }
                beat(BEAT * 10).await;
            }
        }
        let waiting = self.ask(Method::GET, "/api/v1/cases?state=DISPATCHED&limit=50", None).await?;
        let Some(page) = waiting else { return Ok(()) };
        let cases = page["cases"].as_array().cloned().unwrap_or_default();
        let offered = cases.iter().filter(|case| case["category"] == "clean-up").take(AT_ONCE);
        for case in offered {
            let order = json!({ "incident": case["incident"] });
            if self.ask(Method::POST, "/api/v1/orders", Some(order)).await?.is_some() {
                self.progress.one_acted();
            }
        }
        Ok(())
    }

    /// Does it; what was answered 200 has its line in the history.
    async fn tell(
        &mut self,
        what: &str,
        incident: IncidentId,
        action: &str,
        body: Value,
        kind: &'static str,
    ) -> anyhow::Result<()> {
        let path = format!("/api/v1/{what}/{incident}/{action}");
        let Some(answer) = self.ask(Method::POST, &path, Some(body)).await? else { return Ok(()) };
        // Sent, and what came of it is not known yet.
        if matches!(answer["state"].as_str(), Some("accepting" | "declining")) {
            return Ok(());
        }
        self.progress.one_acted();
        self.acts.push(Acted { person: self.person.clone(), incident, kind });
        Ok(())
    }

    /// The answer; `None` when nobody answered, or it had moved on meanwhile.
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Option<Value>> {
        self.asked += 1;
        let ask = self.door.client.request(method, self.door.url(path, self.asked)).bearer_auth(&self.token);
        let ask = match body {
            Some(body) => ask.json(&body),
            None => ask,
        };
        let Ok(answer) = ask.send().await else { return Ok(None) };
        let status = answer.status();
        let Ok(body) = answer.bytes().await else { return Ok(None) };
        match status {
            StatusCode::NO_CONTENT => Ok(Some(Value::Null)),
            StatusCode::OK | StatusCode::ACCEPTED => Ok(Some(serde_json::from_slice(&body)?)),
            StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::CONFLICT
            | StatusCode::SERVICE_UNAVAILABLE => Ok(None),
            _ => bail!("{} was answered {status}: {}", self.person, String::from_utf8_lossy(&body)),
        }
    }
}

/// The first of an organisation's people.
fn contact(door: &Door, organisation: &PartnerId) -> anyhow::Result<String> {
    let of_it = |person: &&platform::pack::Person| {
        let grants = person.grants.iter();
        grants.filter(|grant| grant.role == Role::Partner).any(|grant| grant.area.code() == organisation.0)
    };
    let person = door.pack.people.iter().find(of_it);
    Ok(person.with_context(|| format!("nobody acts for {organisation}"))?.id.0.clone())
}
