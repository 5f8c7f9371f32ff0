//! What a reporter writes reaches whoever handles it, and nobody else; of a sensitive matter it goes nowhere.

use discover::NewReport;
use domain::case::Action;
use domain::id::IncidentId;
use platform::store::log;
use serde_json::{Value, json};

use crate::articles::a_week_later;
use crate::bad_input::office::Office;
use crate::world::{IN_GRID_111, World, packs};

const WORDS: &str = "堆在楼道口 beside the stairs";

impl World {
    /// A report of `category` in grid 111 in so many words, as a case.
    async fn case_in_words(&mut self, category: &str, words: &str) -> IncidentId {
        let report = NewReport { description: words.to_owned(), ..self.new_report(category, IN_GRID_111) };
        let submitted = self.submit("worker-111", report).await.unwrap();
        self.settle().await;
        submitted.incident
    }

    /// The topics on which a fact of `incident` has `words` in it.
    async fn told_on(&self, incident: IncidentId, words: &str) -> Vec<&'static str> {
        let records = log::slice(self.all.around.store.readers(), 0, i64::MAX).await.unwrap();
        let mut topics: Vec<_> = records
            .iter()
            .filter(|record| record.incident == incident && record.body.contains(words))
            .map(|record| record.source.topic.as_str())
            .collect();
        topics.dedup();
        topics
    }
}

fn words(seen: &Value) -> &Value {
    seen.get("words").unwrap_or_else(|| panic!("a case always says whether there are words: {seen}"))
}

#[tokio::test]
async fn whoever_may_see_the_case_reads_what_its_reporter_wrote() {
    let office = Office::open().await;
    let case = office.case_of("rubbish").await;
    for person in ["leader-111", "community-11", "desk-1a", "checker-1", "supervisor-1", "worker-111"] {
        let seen = office.get(&case, person).await.with(200);
        assert_eq!(words(&seen), WORDS, "{person}");
        let alone = office.get(&format!("{case}/words"), person).await.with(200);
        assert_eq!(alone, json!({ "incident": seen["incident"], "words": WORDS }), "{person}");
    }
    let absent = office.get(&format!("/api/v1/cases/{}/words", office.absent()), "desk-2a").await;
    for person in ["leader-211", "leader-112", "desk-2a"] {
        let refused = office.get(&format!("{case}/words"), person).await;
        assert_eq!((refused.status, &refused.text), (404, &absent.text), "{person}");
    }
    let list = office.get("/api/v1/cases", "desk-1a").await.with(200);
    assert!(!list.to_string().contains("堆在楼道口"), "a list is not for reading: {list}");
    office.closes_clean().await;
}

#[tokio::test]
async fn the_words_of_a_sensitive_matter_stay_where_they_were_taken() {
    let office = Office::open().await;
    let case = office.case_of("dispute").await;
    for person in ["desk-1a", "worker-111"] {
        assert_eq!(words(&office.get(&case, person).await.with(200)), &Value::Null, "{person}");
        let alone = office.get(&format!("{case}/words"), person).await.with(200);
        assert_eq!(alone["words"], Value::Null, "{person}");
    }
    let own = office.get(&case.replace("cases", "reports"), "worker-111").await.with(200);
    assert_eq!(own["description"], WORDS, "for the reporter they are there");
    assert_eq!(office.count("handle", "SELECT count(*) AS n FROM handle_words").await, 0);
    office.closes_clean().await;
}

#[tokio::test]
async fn words_travel_to_handle_and_no_farther() {
    let mut world = World::start().await;
    let plain = world.case_in_words("rubbish", WORDS).await;
    world.act("leader-111", Action::Sign, plain).await.unwrap();
    assert_eq!(world.told_on(plain, WORDS).await, ["reported", "routed"]);
    let sensitive = world.case_in_words("dispute", WORDS).await;
    assert_eq!(world.told_on(sensitive, WORDS).await, Vec::<&str>::new());
}

#[tokio::test]
async fn who_writes_nothing_has_no_words_and_the_longest_are_kept_whole() {
    let office = Office::open().await;
    let mut report = office.new_report("rubbish");
    report["description"] = json!("  ");
    let blank = office.post("/api/v1/reports", "worker-111", &report).await.with(201);
    let blank = format!("{}?wait=10s", blank["case"].as_str().unwrap());
    assert_eq!(words(&office.get(&blank, "leader-111").await.with(200)), &Value::Null);

    let longest = "堆".repeat(2_000);
    let mut report = office.new_report("rubbish");
    report["description"] = json!(longest);
    let long = office.post("/api/v1/reports", "worker-111", &report).await.with(201);
    let long = format!("{}?wait=10s", long["case"].as_str().unwrap());
    assert_eq!(words(&office.get(&long, "leader-111").await.with(200)), longest.as_str());
    office.closes_clean().await;
}

#[tokio::test]
async fn an_organisation_reads_the_words_of_what_it_holds_and_sees_no_more_of_the_case() {
    let office = Office::of(&packs().join("beilun"), a_week_later()).await;
    let mut report = office.new_report("2102");
    report["place"] = json!({ "lon": 121.803_558, "lat": 29.925_353, "datum": "CGCS2000", "source": "area chosen by hand" });
    let reported = office.post("/api/v1/reports", "worker-002009002", &report).await.with(201);
    let (case, incident) = (reported["case"].as_str().unwrap(), reported["incident"].as_str().unwrap());
    let offered = |seen: &Value| seen["offers"].as_array().is_some_and(|offers| !offers.is_empty());
    let list = office.when("/api/v1/offers", "bailing-1", offered).await;
    let offer = &list["offers"][0];
    assert_eq!(offer["filing"]["zh"], "居民提出的清扫需求，有明确地点");
    assert_eq!(offer["closing"]["zh"], "清扫完成，居民认可", "what is asked");
    let place = offer["place_name"]["zh"].as_str().unwrap();
    assert!(place.ends_with(offer["area_name"]["zh"].as_str().unwrap()) && place.contains(" · "), "{place}");
    assert_eq!(
        (&offer["lon"], &offer["lat"]),
        (&Value::Null, &Value::Null),
        "where exactly, it needs to know later"
    );
    assert!(
        !list.to_string().contains("堆在楼道口"),
        "what was written may name people: it is for who holds it"
    );
    let alone = format!("{case}/words");
    assert_eq!(office.get(&alone, "bailing-1").await.status, 404, "it is not theirs yet");
    let accepted = office.post(&format!("/api/v1/offers/{incident}/accept"), "bailing-1", &json!({})).await;
    assert!(matches!(accepted.status, 200 | 202), "{accepted:?}");
    let read = office.when(&alone, "bailing-1", |_| true).await;
    assert_eq!(read["words"], WORDS);
    let located = |list: &Value| list["offers"][0]["lon"].is_number();
    let list = office.when("/api/v1/offers", "bailing-1", located).await;
    assert_eq!(list["offers"][0]["chosen_area"], true, "nobody measured that point");
    office.is_hidden(case, "bailing-1").await;
    assert_eq!(office.get(&alone, "hongling-1").await.status, 404, "they were asked, and do not hold it");
    office.closes_clean().await;
}
