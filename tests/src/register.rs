//! 社会组织名录 over HTTP: who sees which of its entries.

use serde_json::Value;

use crate::bad_input::office::Office;
use crate::world::{monday_morning, packs};

fn ids(register: &Value) -> Vec<&str> {
    register["partners"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_organisations_people_see_their_own_entry_and_the_street_sees_all() {
    let office = Office::of(&packs().join("beilun"), monday_morning()).await;
    for (person, own) in [("hongling-1", "hongling"), ("danjiang-1", "danjiang")] {
        assert_eq!(ids(&office.get("/api/v1/partners", person).await.with(200)), [own]);
    }
    let all = office.get("/api/v1/partners", "desk-command").await.with(200);
    assert_eq!(ids(&all), ["bailing", "danjiang", "hongling", "wenti", "yishi"]);
    office.closes_clean().await;
}
