//! 下单 – 接单 – 婉拒 – 回流, over HTTP: what an organisation's people see and do, what the office sees of it, and how an
//! offer ends.

use chrono::{DateTime, TimeDelta, Utc};
use domain::holder::organisation;
use domain::rights::{Grant, Role};
use partner::OfferState;
use platform::clock::host_now;
use platform::token::Principal;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::bad_input::Says;
use crate::bad_input::office::{Answer, Office};

/// A category that organisations of the class `service` are offered.
pub(super) const OFFERED: &str = "clean-up";
const GRID: &str = "grid_leader:990001/990001001/990001001001/990001001001001";

/// That Monday in Shanghai.
fn at(time: &str) -> DateTime<Utc> {
    format!("2026-03-02T{time}+08:00").parse().unwrap()
}

/// The incident of a case's path.
pub(super) fn incident(case: &str) -> &str {
    case.rsplit('/').next().unwrap()
}

/// What whoever comes too late is told.
pub(super) fn too_late(state: OfferState) -> (String, String) {
    let text = state.text();
    (text.en, text.zh)
}

impl Office {
    /// A case in grid 111, on offer to `lark` and `home`.
    pub(super) async fn offered(&self) -> String {
        let case = self.case_of(OFFERED).await;
        self.when(&case, "leader-111", |case| case["state"] == "OFFERED").await;
        let asked = |list: &Value| list["offers"].as_array().unwrap().iter().any(|one| of(one, &case));
        for person in ["lark-1", "home-1"] {
            self.when("/api/v1/offers", person, asked).await;
        }
        case
    }

    pub(super) fn answering(&self, person: &str, case: &str, what: &str, body: &Value) -> RequestBuilder {
        self.request("POST", &format!("/api/v1/offers/{}/{what}", incident(case)), person).json(body)
    }

    /// Answers an offer, and hears what came of it, if need be by asking once more.
    pub(super) async fn answers(&self, person: &str, case: &str, what: &str, body: Value) -> Answer {
        let first = Answer::to(self.answering(person, case, what, &body)).await;
        if first.status != 202 {
            return first;
        }
        let waits =
            |one: &Value| ["open", "accepting", "declining"].iter().any(|state| one["state"] == *state);
        let decided = |list: &Value| {
            list["offers"].as_array().unwrap().iter().filter(|one| of(one, case)).all(|one| !waits(one))
        };
        self.when("/api/v1/offers?show=all", person, decided).await;
        Answer::to(self.answering(person, case, what, &body)).await
    }

    async fn accepts(&self, person: &str, case: &str) -> Value {
        self.answers(person, case, "accept", json!({})).await.with(200)
    }

    async fn declines(&self, person: &str, case: &str) -> Value {
        self.answers(person, case, "decline", json!({ "reason": "no_capacity" })).await.with(200)
    }

    /// An acceptance that comes too late is told why, in both languages.
    async fn comes_too_late(&self, person: &str, case: &str, state: OfferState) {
        self.when("/api/v1/offers?show=all", person, |list| offer(list, case)["state"] == state.as_str())
            .await;
        let (en, zh) = too_late(state);
        let says = Says { status: 409, code: "too-late", field: None, en: &en, zh: &zh };
        self.refuses(self.answering(person, case, "accept", &json!({})), says).await;
    }

    async fn orders(&self, person: &str, case: &str, partners: &[&str]) -> Answer {
        let order = json!({ "incident": incident(case), "partners": partners });
        self.post("/api/v1/orders", person, &order).await
    }

    async fn stands(&self, partner: &str, standing: &str) -> Answer {
        let body = json!({ "standing": standing, "reason": "年检未通过（示意）" });
        self.post(&format!("/api/v1/partners/{partner}/standing"), "desk-1a", &body).await
    }

    /// The types of facts in a case's history, in order.
    async fn told(&self, case: &str) -> Vec<String> {
        let case = self.get(case, "desk-1a").await.with(200);
        let lines = case["history"].as_array().unwrap().iter();
        lines.map(|line| line["what"].as_str().unwrap().trim_start_matches("case.").to_owned()).collect()
    }

    async fn is_held_by(&self, case: &str, holder: &str, state: &str) -> Value {
        self.when(case, "desk-1a", |case| case["holder"] == holder && case["state"] == state).await
    }
}

fn of(offer: &Value, case: &str) -> bool {
    offer["incident"] == incident(case)
}

/// The offer of a case in a list; nothing, when it is not there.
fn offer(list: &Value, case: &str) -> Value {
    list["offers"].as_array().unwrap().iter().find(|one| of(one, case)).cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_organisation_is_offered_a_case_takes_it_and_works_on_it_to_its_close() {
    let office = Office::with_partners().await;
    let case = office.offered().await;

    // Offered to all that fit; the grid holds it meanwhile, and need not sign.
    let seen = office.is_held_by(&case, GRID, "OFFERED").await;
    assert!(seen["history"][1]["happened"]["why"]["zh"].as_str().unwrap().contains("lark（示意）"), "{seen}");
    let list = office.get("/api/v1/offers", "home-1").await;
    let shown = offer(&list.with(200), &case);
    assert_eq!((&shown["state"], &shown["says"]["zh"]), (&json!("open"), &json!("待接单")));
    assert_eq!(
        (&shown["category_name"]["zh"], &shown["area_name"]["zh"]),
        (&json!("志愿清扫"), &json!("示意网格 111"))
    );
    assert_eq!(
        (&shown["place_name"]["zh"], &shown["place_name"]["en"]),
        (
            &json!("西示意街道 · 示意社区 11 · 示意网格 111"),
            &json!("West Street (synthetic) · Community 11 (synthetic) · Grid 111 (synthetic)")
        )
    );
    assert_eq!(shown["answer_by"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), at("09:05:00"));
    for not_theirs in ["worker-111", "堆在楼道口", "leader-111", "case_state"] {
        assert!(!list.text.contains(not_theirs), "{not_theirs} in {list:?}");
    }

    // 接单: it is theirs, and the other is told.
    let accepted = office.accepts("home-1", &case).await;
    assert_eq!((&accepted["state"], &accepted["says"]["zh"]), (&json!("won"), &json!("已接单")));
    assert_eq!(office.accepts("home-1", &case).await, accepted, "a second tap");
    assert_eq!(office.accepts("home-2", &case).await, accepted, "a colleague");
    office.comes_too_late("lark-1", &case, OfferState::Lost).await;
    let lost = offer(&office.get("/api/v1/offers?show=all", "lark-1").await.with(200), &case);
    for not_theirs in ["area", "area_name", "place_name", "lon", "lat", "due_at", "case_state"] {
        assert_eq!(lost[not_theirs], Value::Null, "{not_theirs} of what somebody else has: {lost}");
    }
    let seen = office.is_held_by(&case, "partner:org/home", "HANDLING").await;
    assert_eq!(
        (&seen["why"]["zh"], &seen["why"]["en"]),
        (
            &json!("home（示意）于 2026-03-02 09:00 接单，由其承办；交回或被撤回时仍归原承办人。"),
            &json!(
                "home took it on 2026-03-02 09:00 and has it; given up or taken back, it is its former holder's again."
            )
        )
    );
    assert_eq!(office.act(&case, "answer", "leader-111").await.status, 403, "it is not the grid's now");

    // They work on it without seeing more of it, and somebody of the office checks it.
    office.is_hidden(&case, "home-1").await;
    let first = office.act(&case, "answer", "home-1").await;
    assert_eq!(first.with(200)["state"], "CHECKING");
    assert_eq!(office.act(&case, "answer", "home-1").await.text, first.text, "a second tap");
    assert_eq!(office.act(&case, "check", "home-1").await.status, 404);
    office.act(&case, "check", "checker-1").await.with(200);
    office.act(&case, "close", "checker-1").await.with(200);
    let all = ["opened", "offered", "accepted", "answered", "checked", "closed"];
    assert_eq!(office.told(&case).await, all);
    let done =
        office.when("/api/v1/offers?show=all", "home-1", |list| offer(list, &case)["state"] == "done").await;
    assert_eq!(offer(&done, &case)["case_state"], "CLOSED");
    assert_eq!(office.get("/api/v1/offers", "home-1").await.with(200), json!({ "offers": [] }));
    office.closes_clean().await;
}

#[tokio::test]
async fn declining_wants_a_reason_is_kept_with_the_case_and_with_the_last_one_the_grid_has_it_again() {
    let office = Office::with_partners().await;
    let case = office.offered().await;
    for (body, en, zh) in [
        (json!({}), "the field reason is missing", "缺少字段 reason"),
        (json!({ "reason": "lazy" }), "unknown variant `lazy`", "字段 reason 有误"),
    ] {
        let says = Says { status: 422, code: "wrong-field", field: Some("reason"), en, zh };
        office.refuses(office.answering("lark-1", &case, "decline", &body), says).await;
    }
    assert_eq!(office.declines("lark-1", &case).await["state"], "declined");
    assert_eq!(office.declines("lark-2", &case).await["state"], "declined", "a colleague says it again");
    office.is_held_by(&case, GRID, "OFFERED").await;
    office.declines("home-1", &case).await;
    let seen = office.is_held_by(&case, GRID, "DISPATCHED").await;
    assert_eq!((&seen["returns"], &seen["level"]), (&json!(0), &json!("grid")), "nobody is blamed");
    let line = &seen["history"][2];
    assert_eq!((&line["what"], &line["by"]), (&json!("case.declined"), &json!("lark-1")));
    assert_eq!(line["happened"]["reason"], "no_capacity");
    office.act(&case, "sign", "leader-111").await.with(200);
    office.closes_clean().await;
}

#[tokio::test]
async fn what_an_organisation_gives_back_is_the_grids_again_and_counts_as_no_return() {
    let office = Office::with_partners().await;
    let case = office.offered().await;
    office.accepts("home-1", &case).await;
    assert_eq!(office.act(&case, "return", "lark-1").await.status, 404, "it is not theirs to give back");
    assert_eq!(office.act(&case, "return", "home-1").await.with(200)["state"], "DISPATCHED");
    let seen = office.is_held_by(&case, GRID, "DISPATCHED").await;
    assert_eq!((&seen["returns"], &seen["attempt"]), (&json!(0), &json!(1)));
    let why = seen["why"]["zh"].as_str().unwrap();
    assert!(
        why.starts_with("home（示意）于 2026-03-02 09:00 交回，回到示意网格 111 网格长。地点在"),
        "{why}"
    );
    assert_eq!(office.told(&case).await, ["opened", "offered", "accepted", "released"]);
    office.comes_too_late("home-1", &case, OfferState::Released).await;
    office.act(&case, "sign", "leader-111").await.with(200);
    office.closes_clean().await;
}

#[tokio::test]
async fn what_nobody_answers_in_time_flows_back_and_whoever_accepts_then_is_told_so() {
    let office = Office::with_partners().await;
    let case = office.offered().await;
    office.clock.drive(at("09:05:00") + TimeDelta::milliseconds(1));
    let seen = office.is_held_by(&case, GRID, "DISPATCHED").await;
    let due = |kind: &str| {
        let deadlines = seen["deadlines"].as_array().unwrap();
        deadlines.iter().find(|deadline| deadline["kind"] == kind).cloned().unwrap()
    };
    assert_eq!(due("offer")["steps"][0]["does"], "lapse");
    assert_eq!(due("sign")["due_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), at("09:15:00"));
    assert_eq!(office.told(&case).await, ["opened", "offered", "lapsed"]);
    // It made nobody else answerable.
    let lapsed = |case: &Value| {
        let deadlines = case["deadlines"].as_array().unwrap();
        deadlines.iter().any(|one| one["kind"] == "offer" && one["steps"][0]["done_at"].is_string())
    };
    office.when(&case, "leader-111", lapsed).await;
    assert_eq!(office.get("/api/v1/escalations", "supervisor-1").await.with(200), json!([]));
    for person in ["lark-1", "home-1"] {
        office.comes_too_late(person, &case, OfferState::Lapsed).await;
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn what_is_due_before_another_offer_would_end_stays_with_the_grid_and_the_case_says_so() {
    let office = Office::with_partners().await;
    let case = office.offered().await;
    office.clock.drive(at("09:05:00") + TimeDelta::milliseconds(1));
    let seen = office.is_held_by(&case, GRID, "DISPATCHED").await;
    let says = |case: &Value| case["why"]["zh"].as_str().unwrap().contains("来不及，故不下单");
    let order = |case: &Value| case["may"].as_array().unwrap().contains(&json!("order"));
    assert_eq!((says(&seen), order(&office.get(&case, "community-11").await.with(200))), (false, true));
    // It is due at 21:00, and an offer stands for five minutes.
    office.clock.drive(at("20:56:00"));
    let seen = office.get(&case, "community-11").await.with(200);
    assert_eq!((says(&seen), order(&seen)), (true, false), "{seen}");
    assert!(seen["why"]["en"].as_str().unwrap().starts_with("The place lies in Grid 111"), "{}", seen["why"]);
    let late = office.orders("community-11", &case, &[]).await.with(409);
    assert_eq!(late["type"], "urn:gridward:problem:too-late");
    office.closes_clean().await;
}

#[tokio::test]
async fn whoever_holds_it_may_take_it_in_mid_offer_and_the_offer_is_over() {
    let office = Office::with_partners().await;
    let case = office.offered().await;
    office.act(&case, "sign", "leader-111").await.with(200);
    office.is_held_by(&case, GRID, "HANDLING").await;
    office.comes_too_late("home-1", &case, OfferState::Lost).await;
    office.closes_clean().await;
}

#[tokio::test]
async fn a_community_orders_what_flowed_back_and_an_organisation_takes_it() {
    let office = Office::with_partners().await;
    let case = office.offered().await;
    let late = office.orders("community-11", &case, &[]).await;
    assert_eq!(late.with(409)["type"], "urn:gridward:problem:too-late", "it is on offer already");
    for person in ["lark-1", "home-1"] {
        office.declines(person, &case).await;
    }
    office.is_held_by(&case, GRID, "DISPATCHED").await;
    office.offers_agree().await;

    for (person, status, why) in [
        ("community-12", 404, "the next community"),
        ("desk-2a", 404, "the next street"),
        ("lark-1", 404, "an organisation"),
        ("worker-111", 403, "who sees it"),
        ("supervisor-1", 403, "who sees it"),
    ] {
        assert_eq!(office.orders(person, &case, &[]).await.status, status, "{person}: {why}");
    }
    for (partners, en, zh) in [
        (&["nobody"][..], "there is no organisation `nobody`", "没有编号为 nobody 的社会组织"),
        (&["home", "swift"][..], "swift: it does not work in this area", "swift（示意）不在其服务范围"),
    ] {
        let order = json!({ "incident": incident(&case), "partners": partners });
        let says = Says { status: 422, code: "wrong-field", field: Some("partners"), en, zh };
        office.refuses(office.request("POST", "/api/v1/orders", "community-11").json(&order), says).await;
    }
    let ordered = office.orders("community-11", &case, &["home", "home"]).await.with(202);
    assert_eq!(ordered, json!({ "incident": incident(&case), "partners": ["home"] }));
    let again = |list: &Value| offer(list, &case)["state"] == "open" && offer(list, &case)["round"] == 2;
    office.when("/api/v1/offers", "home-1", again).await;
    let seen = office.is_held_by(&case, GRID, "OFFERED").await;
    let line = seen["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&line["by"], &line["happened"]["why"]["zh"]),
        (&json!("community-11"), &json!("下单给home（示意）"))
    );
    office.accepts("home-1", &case).await;
    office.is_held_by(&case, "partner:org/home", "HANDLING").await;
    assert_eq!(office.orders("community-11", &case, &[]).await.status, 409, "an organisation has it");
    office.closes_clean().await;
}

#[tokio::test]
async fn what_is_sensitive_or_not_for_organisations_is_offered_to_nobody_and_cannot_be_ordered() {
    let office = Office::with_partners().await;
    let absent = json!({ "incident": office.absent().to_string() });
    let nothing = office.post("/api/v1/orders", "desk-1a", &absent).await;
    for category in ["dispute", "rubbish"] {
        let case = office.case_of(category).await;
        // A case that is offered, opened after it, has been offered: partner has heard of both.
        office.offered().await;
        for partners in [&[][..], &["home"][..]] {
            let refused = office.orders("desk-1a", &case, partners).await;
            assert_eq!((refused.status, &refused.text), (404, &nothing.text), "{category} {partners:?}");
        }
        let accept = office.answers("home-1", &case, "accept", json!({})).await;
        assert_eq!((accept.status, &accept.text), (404, &nothing.text), "{category}");
        for list in ["/api/v1/offers", "/api/v1/offers?show=all"] {
            let list = office.get(list, "home-1").await;
            assert!(!list.text.contains(incident(&case)), "{category}: {list:?}");
        }
        assert_eq!(office.told(&case).await, ["opened"], "{category}");
        let known = format!("SELECT count(*) AS n FROM partner_case WHERE category = '{category}'");
        assert_eq!(office.count("partner", &known).await, 0, "{category}");
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn an_organisation_suspended_in_mid_offer_loses_what_it_is_offered_and_what_it_holds() {
    let office = Office::with_partners().await;
    let (held, open) = (office.offered().await, office.offered().await);
    office.accepts("home-1", &held).await;
    assert_eq!(office.stands("home", "suspended").await.status, 204);
    office.is_held_by(&held, GRID, "DISPATCHED").await;
    office.comes_too_late("home-1", &held, OfferState::TakenBack).await;
    office.comes_too_late("home-1", &open, OfferState::Withdrawn).await;
    assert_eq!(office.told(&open).await, ["opened", "offered", "released"]);
    office.accepts("lark-1", &open).await;
    office.is_held_by(&open, "partner:org/lark", "HANDLING").await;

    assert_eq!(office.stands("home", "active").await.status, 204);
    let ordered = office.orders("desk-1a", &held, &["home"]).await;
    assert_eq!(ordered.with(202)["partners"], json!(["home"]), "as before");
    office.when("/api/v1/offers", "home-1", |list| offer(list, &held)["state"] == "open").await;
    office.closes_clean().await;
}

#[tokio::test]
async fn an_organisation_removed_in_mid_offer_is_gone_for_good_and_its_history_stays() {
    let office = Office::with_partners().await;
    let (held, open) = (office.offered().await, office.offered().await);
    office.accepts("home-1", &held).await;
    assert_eq!(office.stands("home", "removed").await.status, 204);
    office.is_held_by(&held, GRID, "DISPATCHED").await;
    office.comes_too_late("home-1", &open, OfferState::Withdrawn).await;
    let released = office.get(&held, "desk-1a").await.with(200)["history"][3].clone();
    assert_eq!(
        (&released["what"], &released["happened"]["reason"]),
        (&json!("case.released"), &json!("removed"))
    );
    let register = office.get("/api/v1/partners", "desk-1a").await.with(200);
    let home = register["partners"].as_array().unwrap().iter().find(|one| one["id"] == "home").unwrap();
    assert_eq!((&home["standing"], &home["reason"]), (&json!("removed"), &json!("年检未通过（示意）")));
    let back = office.stands("home", "active").await;
    assert!(back.with(409)["detail"].as_str().unwrap().contains("removed for good"), "{back:?}");

    // Nobody asks it any more.
    let next = office.case_of(OFFERED).await;
    office.when(&next, "leader-111", |case| case["state"] == "OFFERED").await;
    let asked = office.when("/api/v1/offers", "lark-1", |list| !offer(list, &next).is_null()).await;
    assert_eq!(offer(&asked, &next)["partner"], "lark");
    assert!(offer(&office.get("/api/v1/offers?show=all", "home-1").await.with(200), &next).is_null());
    office.closes_clean().await;
}

#[tokio::test]
async fn whoever_acts_for_two_organisations_says_for_which() {
    let office = Office::with_partners().await;
    let case = office.offered().await;
    let grant = |id: &str| Grant { role: Role::Partner, area: organisation(&id.into()) };
    let principal = Principal { person: "lark-1".into(), grants: vec![grant("lark"), grant("home")] };
    let token = office.tokens.issue(&principal, host_now(), TimeDelta::hours(1)).unwrap();
    let path = format!("/api/v1/offers/{}/accept", incident(&case));
    let asking = |body: Value| office.anonymous("POST", &path).bearer_auth(&token).json(&body);
    let says = Says {
        status: 422,
        code: "which-partner",
        field: Some("partner"),
        en: "you act for several organisations, so name the partner: lark, home",
        zh: "您代表多个组织，请写明 partner：lark、home",
    };
    office.refuses(asking(json!({})), says).await;
    assert_eq!(Answer::to(asking(json!({ "partner": "swift" }))).await.status, 404);
    let answer = Answer::to(asking(json!({ "partner": "home" }))).await;
    assert!(matches!(answer.status, 200 | 202), "{answer:?}");
    office.is_held_by(&case, "partner:org/home", "HANDLING").await;
    office.closes_clean().await;
}
