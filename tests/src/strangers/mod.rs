//! What somebody who has no business with a case is shown of it, at every address there is: nothing. Each address has a
//! row that says what it answers whom; one without a row fails here.

mod api;
mod pages;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use serde_json::json;

use crate::bad_input::office::{Answer, Office};

/// A case that concerns others: reported by worker-111 in grid 111, offered to `lark` and `home`, held by `home`, and
/// late, so that it was escalated to the street.
struct Scene {
    office: Office,
    incident: String,
    /// Draws names that nobody has.
    drawn: AtomicU32,
}

/// What of the case nobody of them may read, wherever it stands.
const OF_THE_CASE: [&str; 10] = [
    "堆在楼道口",
    "beside the stairs",
    "990001001001001",
    "示意网格 111",
    "Grid 111",
    "121.805",
    "29.905",
    "partner:org/home",
    "leader-111",
    "worker-111",
];

impl Scene {
    async fn open() -> Self {
        let office = Office::with_partners().await;
        let case = office.case_of("clean-up").await;
        let incident = case.rsplit('/').next().unwrap().to_owned();
        let accept = format!("/api/v1/offers/{incident}/accept");
        for person in ["lark-1", "home-1"] {
            let asked = |list: &serde_json::Value| list.to_string().contains(&incident);
            office.when("/api/v1/offers", person, asked).await;
        }
        office.post(&accept, "home-1", &json!({})).await;
        office.when(&case, "desk-1a", |case| case["holder"] == "partner:org/home").await;
        let lost = |list: &serde_json::Value| list.to_string().contains("lost");
        office.when("/api/v1/offers?show=all", "lark-1", lost).await;
        // Long after it was reported: an id of the last minute may be about to become a case.
        office.clock.drive(office.clock.now() + TimeDelta::hours(13));
        let escalated = |list: &serde_json::Value| list.to_string().contains(&incident);
        office.when("/api/v1/escalations", "supervisor-1", escalated).await;
        Self { office, incident, drawn: AtomicU32::new(0) }
    }

    /// A name that nobody has, another one each time.
    fn nobody(&self) -> String {
        format!("nobody-{}", self.drawn.fetch_add(1, Ordering::SeqCst))
    }

    /// That neither the body nor a header tells of the case; `knows`: the visitor was told its number before.
    fn shows_nothing(&self, answer: &Answer, knows: bool, who: &str) {
        let told = format!("{:?}\n{}", answer.headers, answer.text);
        for secret in OF_THE_CASE {
            assert!(!told.contains(secret), "{who} is shown {secret}: {told}");
        }
        assert!(knows || !told.contains(&self.incident), "{who} is shown its number: {told}");
    }
}

/// Every path that a service serves, by what the sources say.
fn routes() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for folder in ["services", "shared/platform/src"] {
        look_into(&root.join(folder), &mut found);
    }
    found
}

fn look_into(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look_into(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let bare: String = code.chars().filter(|c| !c.is_whitespace()).collect();
            let routes = bare.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(routes.map(str::to_owned));
        }
    }
}

/// The demo alone serves its page there, to whoever started it.
const OF_THE_DEMO: [&str; 3] = ["/", "/demo/now", "/demo/page.css"];

#[test]
fn every_address_has_a_row() {
    let mut rows: BTreeSet<String> = api::ROWS.iter().map(|row| row.path.to_owned()).collect();
    rows.extend(pages::ROWS.iter().map(|row| row.path.to_owned()));
    rows.extend(OF_THE_DEMO.map(str::to_owned));
    assert_eq!(routes(), rows, "say in `strangers` what it shows to whom");
}
