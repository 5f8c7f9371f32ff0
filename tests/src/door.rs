//! The one door that people know: it leads to whoever serves a path.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use chrono::TimeDelta;
use platform::clock::host_now;
use platform::pack::Pack;
use platform::token::{Principal, Tokens};

/// How people reach the services: by path, as through an ingress, and as who they are.
#[derive(Clone, Debug)]
pub struct Door {
    pub client: reqwest::Client,
    pub pack: Arc<Pack>,
    pub(crate) tokens: Tokens,
    /// Where the instances of each service are.
    pub(crate) services: BTreeMap<&'static str, Vec<String>>,
}

impl Door {
    /// Where `path` is served, by the instance of that number, counted around.
    pub fn url(&self, path: &str, number: usize) -> String {
        let service = match path.split('/').nth(3).map(|name| name.split('?').next().unwrap_or(name)) {
            Some("reports") => "discover",
            Some("cases") => "handle",
            Some("figures" | "escalations") => "supervise",
            Some("offers" | "orders" | "partners") => "partner",
            Some("sessions" | "me") => "console",
            _ => "route",
        };
        let urls = &self.services[service];
        format!("{}{path}", urls[number % urls.len()])
    }

    /// A token for somebody of the pack, good for a day of the host's clock.
    ///
    /// # Errors
    /// When the pack has nobody of that id.
    pub fn token(&self, person: &str) -> anyhow::Result<String> {
        let person =
            self.pack.people.get(&person.into()).with_context(|| format!("nobody is called {person}"))?;
        let principal = Principal { person: person.id.clone(), grants: person.grants.clone() };
        self.tokens.issue(&principal, host_now(), TimeDelta::hours(24)).context("cannot sign a token")
    }
}
