//! Organisations that accept at the same moment, over HTTP: exactly one gets the case, the others are told, and at no
//! moment has it no holder or another one.

use partner::OfferState;
use serde_json::{Value, json};

use super::over_http::{OFFERED, incident, too_late};
use crate::bad_input::office::{Answer, Office};

const ROUNDS: usize = 12;
const GRID: &str = "grid_leader:990001/990001002/990001002001/990001002001001";
/// Two of each of two organisations that never have their hands full.
const PEOPLE: [&str; 4] = ["swift-1", "stork-1", "stork-2", "swift-2"];

impl Office {
    /// A case in grid 211, on offer to `swift` and `stork`.
    async fn offered_next_door(&self) -> String {
        let mut report = self.new_report(OFFERED);
        (report["place"]["lon"], report["place"]["lat"]) = (json!(121.825), json!(29.905));
        let reported = self.post("/api/v1/reports", "worker-211", &report).await.with(201);
        let case = reported["case"].as_str().unwrap().to_owned();
        let open = |list: &Value| {
            let mut offers = list["offers"].as_array().unwrap().iter();
            offers.any(|one| one["incident"] == incident(&case) && one["state"] == "open")
        };
        for person in ["swift-1", "stork-1"] {
            self.when("/api/v1/offers", person, open).await;
        }
        case
    }

    /// Who holds it now.
    async fn holder_of(&self, case: &str) -> String {
        let seen = self.get(case, "supervisor-2").await.with(200);
        seen["holder"].as_str().unwrap().to_owned()
    }

    /// Lets all of them accept at once; what each heard at last, and who was seen to hold the case meanwhile.
    async fn all_accept(&self, case: &str) -> (Vec<Answer>, Vec<String>) {
        let accept = |person| self.answers(person, case, "accept", json!({}));
        let all = async {
            let [one, two, three, four] = PEOPLE.map(accept);
            let (one, two, three, four) = tokio::join!(one, two, three, four);
            vec![one, two, three, four]
        };
        tokio::pin!(all);
        let mut seen = vec![self.holder_of(case).await];
        let answers = loop {
            tokio::select! {
                biased;
                answers = &mut all => break answers,
                holder = self.holder_of(case) => seen.push(holder),
            }
        };
        seen.push(self.holder_of(case).await);
        seen.dedup();
        (answers, seen)
    }
}

#[tokio::test]
async fn two_that_accept_at_the_same_moment_one_gets_it_the_other_is_told_and_there_is_one_holder_throughout()
{
    let office = Office::with_partners().await;
    let mut won = Vec::new();
    for round in 0..ROUNDS {
        let case = office.offered_next_door().await;
        let (answers, seen) = office.all_accept(&case).await;
        let organisation = |person: &str| person.split('-').next().unwrap().to_owned();
        let taken: Vec<String> = PEOPLE
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| answer.status == 200)
            .map(|(one, _)| organisation(one))
            .collect();
        let [winner, colleague] = &taken[..] else { panic!("round {round}: {answers:#?}") };
        assert_eq!(winner, colleague, "round {round}: {answers:#?}");
        assert_eq!(seen, [GRID.to_owned(), format!("partner:org/{winner}")], "round {round}");

        let (en, zh) = too_late(OfferState::Lost);
        for (person, answer) in PEOPLE.iter().zip(&answers) {
            if organisation(person) == *winner {
                assert_eq!(
                    (&answer.json()["state"], &answer.json()["partner"]),
                    (&json!("won"), &json!(winner))
                );
                continue;
            }
            assert_eq!(answer.with(409)["type"], "urn:gridward:problem:too-late", "round {round}");
            for (language, words) in [("en", &en), ("zh-CN", &zh)] {
                let again = office.answering(person, &case, "accept", &json!({}));
                let told = Answer::to(again.header("accept-language", language)).await.with(409);
                assert_eq!(told["detail"].as_str(), Some(words.as_str()), "round {round}, {language}");
            }
        }
        let history = office.get(&case, "supervisor-2").await.with(200)["history"].clone();
        let accepted = history.as_array().unwrap().iter().filter(|line| line["what"] == "case.accepted");
        assert_eq!(accepted.count(), 1, "round {round}: {history}");
        won.push(winner.clone());
    }
    let offers = "SELECT count(*) AS n FROM partner_offer WHERE state = 'won'";
    assert_eq!(office.count("partner", offers).await, i64::try_from(won.len()).unwrap(), "{won:?}");
    office.closes_clean().await;
}

#[tokio::test]
async fn one_accepts_while_the_other_declines_and_a_third_hand_signs_and_exactly_one_has_it() {
    let office = Office::with_partners().await;
    for round in 0..ROUNDS {
        let case = office.offered_next_door().await;
        let (accepted, declined, signed) = tokio::join!(
            office.answers("swift-1", &case, "accept", json!({})),
            office.answers("stork-1", &case, "decline", json!({ "reason": "not_our_work" })),
            office.act(&case, "sign", "leader-211"),
        );
        // Whichever came first, all three hear the same of it.
        let holder = office.holder_of(&case).await;
        let outcome = (accepted.status, signed.status, holder.as_str());
        let one_has_it = match outcome {
            (200, 403 | 409, "partner:org/swift") => true,
            (409, 200, holder) => holder == GRID,
            _ => false,
        };
        assert!(one_has_it, "round {round}: {outcome:?} {accepted:?} {signed:?}");
        assert!(matches!(declined.status, 200 | 409), "round {round}: {declined:?}");
        office.offers_agree().await;
    }
    office.closes_clean().await;
}
