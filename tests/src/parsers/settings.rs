//! Settings of the servers: a TOML file, and behind a line `---` what the environment says, `NAME=value` a line. Passwords
//! that are planted in the environment are never shown.

use std::io::Write as _;
use std::str::FromStr as _;

use gridward::settings::{Settings, unknown_in};
use sea_orm::sqlx::postgres::PgConnectOptions;
use tempfile::NamedTempFile;

use super::{Read, text};

const PLANTED: &str = "pl4nt3d?";
const PLACES: [&str; 2] = ["GRIDWARD_DATABASE_PASSWORD", "GRIDWARD_KAFKA_SASL_PASSWORD"];

pub fn settings(bytes: &[u8]) -> Read {
    let Some(text) = text(bytes) else { return Read::Refused };
    let (file, environment) = text.split_once("\n---\n").unwrap_or((text, ""));
    let environment = environment.lines().filter_map(|line| line.split_once('='));
    let environment: Vec<(String, String)> =
        environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    unknown_in(environment.iter().cloned());
    let planted = PLACES.map(|name| (name.to_owned(), PLANTED.to_owned()));
    let all = planted.into_iter().chain(environment);
    let mut written = NamedTempFile::new().expect("there is room for a file");
    written.write_all(file.as_bytes()).expect("there is room for a file");
    let settings = match Settings::load(Some(written.path()), all) {
        Ok(settings) => settings,
        Err(fault) => {
            assert!(!fault.to_string().is_empty());
            return Read::Refused;
        }
    };
    // What an operator is shown: nothing of it is secret but where they wrote the word themselves.
    let shown = serde_json::to_string(&settings).expect("settings are plain data");
    let said = text.contains("pl4nt3d");
    assert!(said || !(shown.contains("pl4nt3d") || format!("{settings:?}").contains("pl4nt3d")), "{shown}");
    used(&settings, &shown);
    Read::Taken
}

/// What a service makes of them at its start, short of connecting.
fn used(settings: &Settings, shown: &str) {
    // Each is something, or says why not.
    let _ = (settings.clock().map(|clock| clock.now()).is_ok(), settings.proxies().is_ok(), settings.drain());
    // A file that is named is read: not whatever somebody made up.
    let value: serde_json::Value = serde_json::from_str(shown).expect("it was written here");
    let files = [&value["database"]["password_file"], &value["kafka"]["sasl_password_file"]];
    if files.iter().any(|file| file.as_str() != Some("")) {
        return;
    }
    let _ = settings.stream().is_ok();
    if let Ok(url) = settings.database_url("handle") {
        assert!(!url.contains("{service}"), "{url}");
        let _ = PgConnectOptions::from_str(&url).is_ok();
    }
}
