//! People sign in, and report by a link: who may, who may not, and what each is shown.

pub mod browser;
mod command;
mod form_link;
mod late;
mod links;
mod page;
mod points;
mod servers;
mod sessions;

use console::Password;
use platform::clock::host_now;

use crate::bad_input::office::{Answer, Office};

/// Long enough, and nobody's.
const PASSWORD: &str = "correct horse battery";

impl Office {
    /// Gives `person` an account; the register need not know them.
    async fn give_account(&self, person: &str) {
        let password = Password::from(PASSWORD.to_owned());
        self.accounts().add(&person.into(), &password, host_now()).await.unwrap();
    }

    /// Tries to sign in, from an address that a proxy on this machine vouches for.
    async fn try_from(&self, peer: &str, name: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "name": name, "password": password });
        let asked = self.anonymous("POST", "/api/v1/sessions").header("x-forwarded-for", peer);
        Answer::to(asked.json(&body)).await
    }

    async fn try_to_sign_in(&self, name: &str, password: &str) -> Answer {
        self.try_from("192.0.2.1", name, password).await
    }
}
