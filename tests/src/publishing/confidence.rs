//! What is sensitive stays so for a case, and what is not does too, whatever becomes of its category.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Edition, digest, publish};
use crate::bad_input::office::Office;
use crate::fleet::STUCK;
use crate::process::beat;

const RUBBISH: &str = "rubbish,垃圾堆积,Rubbish piled up,4wh,no\n";
const DISPUTE: &str = "dispute,家庭矛盾纠纷,Family dispute,5d,yes\n";
const RULE: &str =
    "      { \"name\": \"sensitive\", \"categories\": [\"dispute\"], \"to\": \"street_desk\" },\n";
const COUNTY: &str = "/api/v1/figures?area=990001";

impl Office {
    /// Publishes an edition beside the office, and waits until it goes by it; answers what was said of it.
    async fn follows(&self, edition: &Edition, more: &[&str]) -> String {
        let place = self.place();
        let said = publish(edition, &place.each_ref().map(String::as_str), more);
        assert!(said.done, "{}", said.text);
        let digest = digest(&edition.folder());
        let here = |told: &Value| digest.starts_with(told["pack"]["version"].as_str().unwrap());
        self.when("/health/ready", "supervisor-county", here).await;
        said.text
    }

    /// Waits until supervise knows so many cases in this state.
    async fn supervise_knows(&self, cases: i64, state: &str) {
        let sql = format!("SELECT count(*) AS n FROM supervise_case WHERE state = '{state}'");
        let known = tokio::time::timeout(STUCK, async {
            while self.count("supervise", &sql).await != cases {
                beat(Duration::from_millis(20)).await;
            }
        });
        known.await.unwrap_or_else(|_| panic!("supervise never knows {cases} cases that are {state}"));
    }

    async fn counts(&self) -> [Value; 4] {
        let mut figures = self.get(COUNTY, "supervisor-county").await.with(200);
        ["opened", "closed", "open", "open_overdue"].map(|figure| figures["all"][figure].take())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_counted_to_its_end_as_what_it_was_opened_as() {
    let office = Office::open().await;
    let (plain, quarrel) = (office.case_of("rubbish").await, office.case_of("dispute").await);
    office.supervise_knows(2, "DISPATCHED").await;
    assert_eq!(office.counts().await, [1, 0, 1, 0].map(|figure| json!(figure)));
    let fewer = Edition::copy().with("categories.csv", RUBBISH, "").with("categories.csv", DISPUTE, "").with(
        "pack.json",
        RULE,
        "",
    );
    office.follows(&Edition::copy(), &[]).await;
    let said = office.follows(&fewer, &["--drop", "rubbish", "--drop", "dispute"]).await;
    assert!(
        said.contains(
            "the category Rubbish piled up (rubbish) is listed no more: its one open case will go on"
        ),
        "{said}"
    );

    // What nobody can report any more is closed in the figures it was opened in, and its words can be read till then.
    let seen = office.get(&plain, "leader-111").await.with(200);
    assert_eq!(seen["words"], "堆在楼道口 beside the stairs");
    for (what, who) in
        [("sign", "leader-111"), ("answer", "leader-111"), ("check", "checker-1"), ("close", "checker-1")]
    {
        office.act(&plain, what, who).await.with(200);
    }
    office.supervise_knows(1, "CLOSED").await;
    assert_eq!(office.counts().await, [1, 1, 0, 0].map(|figure| json!(figure)));
    let figures = office.get(COUNTY, "supervisor-county").await.with(200);
    assert_eq!(
        (&figures["all"]["closed_on_time"], &figures["all"]["on_time_rate"]),
        (&json!(1), &json!(1.0))
    );

    // A quarrel of before stays in confidence, also when what has its code now is no secret; and also when it is late.
    let anew = Edition::copy().with("categories.csv", "5d,yes", "5d,no").with("pack.json", RULE, "");
    office.follows(&anew, &[]).await;
    assert_eq!(office.get(&quarrel, "desk-1a").await.with(200)["words"], Value::Null);
    office.clock.drive("2026-03-09T12:00:00+08:00".parse().unwrap());
    let incident = quarrel.rsplit('/').next().unwrap();
    let climbed = |list: &Value| list.to_string().contains(incident);
    office.when("/api/v1/escalations", "supervisor-county", climbed).await;
    assert_eq!(office.counts().await, [1, 1, 0, 0].map(|figure| json!(figure)));
    for (what, who) in
        [("sign", "desk-1a"), ("answer", "desk-1a"), ("check", "checker-1"), ("close", "checker-1")]
    {
        office.act(&quarrel, what, who).await.with(200);
    }
    office.supervise_knows(2, "CLOSED").await;
    assert_eq!(office.counts().await, [1, 1, 0, 0].map(|figure| json!(figure)));
    office.closes_clean().await;
}
