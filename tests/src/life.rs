//! The life of one incident, over HTTP, as the README tells it.

use chrono::{DateTime, Utc};
use domain::id::IncidentId;
use serde_json::{Value, json};

use crate::bad_input::office::{Answer, Office};

const GRID: &str = "990001/990001001/990001001001/990001001001001";
const COMMUNITY: &str = "990001/990001001/990001001001";
const STREET: &str = "990001/990001001";

/// That Monday in Shanghai, at an hour and minute.
fn at(time: &str) -> DateTime<Utc> {
    format!("2026-03-02T{time}:00+08:00").parse().unwrap()
}

/// The types of facts in a case's history, in order.
fn told(case: &Value) -> Vec<&str> {
    case["history"].as_array().unwrap().iter().map(|line| line["what"].as_str().unwrap()).collect()
}

fn deadline<'a>(case: &'a Value, kind: &str) -> &'a Value {
    case["deadlines"].as_array().unwrap().iter().find(|deadline| deadline["kind"] == kind).unwrap()
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// When the steps of a deadline took effect, as far as they have.
fn done(deadline: &Value) -> Vec<DateTime<Utc>> {
    let steps = deadline["steps"].as_array().unwrap();
    steps.iter().map(|step| &step["done_at"]).filter(|at| !at.is_null()).map(time).collect()
}

/// How a deadline says it was computed.
fn explained(deadline: &Value) -> Vec<&str> {
    deadline["explained"].as_array().unwrap().iter().map(|line| line["zh"].as_str().unwrap()).collect()
}

impl Office {
    /// The incidents in somebody's queue.
    async fn queue(&self, person: &str, narrowed: &str) -> Vec<String> {
        let page = self.get(&format!("/api/v1/cases{narrowed}"), person).await.with(200);
        let cases = page["cases"].as_array().unwrap();
        cases.iter().map(|case| case["incident"].as_str().unwrap().to_owned()).collect()
    }

    /// The case once so many steps of its handling have taken effect, seen by the street's supervisor.
    async fn after_steps(&self, case: &str, many: usize) -> Value {
        self.when(case, "supervisor-1", |case| done(deadline(case, "handle")).len() == many).await
    }
}

#[tokio::test]
async fn the_life_of_one_incident() {
    let office = Office::open().await;

    // 1. A worker reports. It is committed before it is answered 201, and the answer says where it is.
    let mut report = office.new_report("rubbish");
    report["place"]["accuracy_m"] = json!(8.5);
    report["place"]["captured_at"] = json!(at("08:58"));
    let answer = office.post("/api/v1/reports", "worker-111", &report).await;
    let receipt = answer.with(201);
    let incident = receipt["incident"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/reports/{incident}"));
    let own = office.get(answer.header("location"), "worker-111").await.with(200);
    assert_eq!((&own["description"], time(&own["filed_at"])), (&report["description"], at("09:00")));
    let path = receipt["case"].as_str().unwrap();

    // 2. It is routed: the grid is found, a rule chooses who holds it, and it is written down why.
    let case = office.get(&format!("{path}?wait=10s"), "leader-111").await.with(200);
    assert_eq!(case["holder"], format!("grid_leader:{GRID}"));
    let why = &case["why"];
    let en = "The place lies in Grid 111 (synthetic), 482 m inside its border. \
              Rule “grid” gives it to the grid leader of Grid 111 (synthetic).";
    assert_eq!(why["en"], en);
    assert_eq!(
        why["zh"],
        "地点在示意网格 111 内，距其边界 482 米；按规则「网格」由示意网格 111 网格长承办。"
    );

    // 3. The case is in the holder's queue with its deadlines; the holder signs for it.
    assert_eq!(office.queue("leader-111", "").await, [incident]);
    assert_eq!((&case["state"], &case["level"]), (&json!("DISPATCHED"), &json!("grid")));
    assert_eq!(time(&deadline(&case, "sign")["due_at"]), at("09:10"));
    assert_eq!(time(&deadline(&case, "handle")["due_at"]), at("14:30"));
    assert_eq!(deadline(&case, "handle")["limit"], "4wh");
    assert_eq!(case["due_kind"], "sign", "what has to be done first");
    assert_eq!(
        explained(deadline(&case, "handle"))[..4],
        [
            "2026-03-02（周一）09:00 起算，限 4 工作时",
            "当日 09:00–12:00、13:30–14:30 计 4 小时",
            "到期 2026-03-02 14:30",
            "催办 2026-03-02 13:42：从起算到到期共办公时间 4 小时，其 80% 为 3 小时 12 分钟",
        ]
    );
    assert_eq!((&case["may"], &case["reporter"]), (&json!(["sign", "return"]), &json!("worker-111")));
    office.clock.drive(at("09:05"));
    let signed = office.act(path, "sign", "leader-111").await.with(200);
    assert_eq!(signed, json!({ "incident": incident, "state": "HANDLING", "revision": 2 }));

    // 4. Time passes. At 80 % of the working hours a reminder; then the community is made answerable, and
    //    after it the street. The holder stays the holder.
    office.clock.drive(at("13:42"));
    let case = office.after_steps(path, 1).await;
    assert_eq!((&case["level"], &case["overdue"]), (&json!("grid"), &json!(false)));
    office.clock.drive(at("14:30"));
    let case = office.after_steps(path, 2).await;
    assert_eq!(case["level"], "community");
    assert_eq!(office.queue("community-11", "?level=community").await, [incident]);
    office.clock.drive(at("14:31"));
    let case = office.after_steps(path, 3).await;
    assert_eq!((&case["level"], &case["overdue"]), (&json!("street"), &json!(true)));
    assert_eq!(case["due_kind"], "handle", "signed for in time, and not handled");
    assert_eq!(case["holder"], format!("grid_leader:{GRID}"));
    let each_at_its_time = [at("13:42"), at("14:30"), at("14:31")];
    assert_eq!(done(deadline(&case, "handle")), each_at_its_time);
    assert_eq!(office.queue("desk-1a", "?level=street").await, [incident]);

    // 5. The holder answers, too late; somebody else checks it and closes it. The handler may not.
    office.clock.drive(at("15:00"));
    assert_eq!(office.act(path, "answer", "leader-111").await.with(200)["state"], "CHECKING");
    office.clock.drive(at("15:10"));
    for what in ["check", "close"] {
        let refused = office.act(path, what, "leader-111").await.with(403);
        assert_eq!(refused["type"], "urn:gridward:problem:not-yours", "{what}");
    }
    assert_eq!(office.act(path, "close", "checker-1").await.status, 409, "it has not been checked");
    assert_eq!(office.act(path, "check", "checker-1").await.with(200)["state"], "CHECKING");
    assert_eq!(office.act(path, "close", "checker-1").await.with(200)["state"], "CLOSED");
    let case = office.get(path, "worker-111").await.with(200);
    let life = ["case.opened", "case.signed", "case.reminded", "case.escalated", "case.escalated"];
    let end = ["case.answered", "case.checked", "case.closed"];
    assert_eq!(told(&case), [&life[..], &end[..]].concat());
    assert_eq!(deadline(&case, "sign")["verdict"], "on_time");
    assert_eq!(deadline(&case, "handle")["verdict"], "overdue");
    assert_eq!(deadline(&case, "check")["verdict"], "on_time");
    assert_eq!(office.queue("leader-111", "").await, Vec::<String>::new());
    assert_eq!(office.queue("leader-111", "?state=CLOSED").await, [incident]);

    // 6. The figures and the escalations show it, at every level; the audit finds nothing.
    let figures =
        office.when("/api/v1/figures", "supervisor-1", |figures| figures["all"]["closed"] == 1).await;
    let all = &figures["all"];
    assert_eq!((&all["area"], &all["name_zh"]), (&json!(STREET), &json!("西示意街道")));
    for (measure, count) in [
        ("opened", 1),
        ("open", 0),
        ("open_overdue", 0),
        ("closed_on_time", 0),
        ("closed_overdue", 1),
        ("reminders", 1),
        ("escalated_community", 1),
        ("escalated_street", 1),
        ("escalated_county", 0),
        ("returned", 0),
        ("reworked", 0),
    ] {
        assert_eq!(all[measure], count, "{measure} in {all}");
    }
    assert_eq!(all["on_time_rate"], 0.0);
    let below: Vec<_> = figures["below"].as_array().unwrap().iter().map(|area| &area["opened"]).collect();
    assert_eq!(below, [&json!(1), &json!(0)]);
    let escalations = office.get("/api/v1/escalations", "supervisor-1").await.with(200);
    let levels: Vec<_> = escalations.as_array().unwrap().iter().map(|row| &row["to"]).collect();
    assert_eq!(levels, [&json!("street"), &json!("community")], "newest first");
    assert!(escalations.as_array().unwrap().iter().all(|row| row["incident"] == incident));
    office.closes_clean().await;
}

#[tokio::test]
async fn what_a_leader_gives_back_goes_to_the_community_and_from_there_to_the_street() {
    let office = Office::open().await;
    let case = office.case_of("rubbish").await;
    assert_eq!(office.act(&case, "return", "leader-111").await.with(200)["state"], "DISPATCHED");
    let holder = format!("community:{COMMUNITY}");
    let seen = office.when(&case, "community-11", |case| case["holder"] == holder).await;
    assert_eq!(
        (&seen["returns"], &seen["attempt"], &seen["level"]),
        (&json!(1), &json!(2), &json!("community"))
    );
    let why = seen["why"]["en"].as_str().unwrap();
    assert!(why.contains("It was given back before (1), so earlier holders are passed over"), "{why}");
    assert!(seen["why"]["zh"].as_str().unwrap().contains("已被退回 1 次"), "{}", seen["why"]);
    let note = seen["history"].as_array().unwrap().iter().find(|line| line["what"] == "case.returned");
    assert_eq!(note.unwrap()["note"], "在马路对面");
    assert_eq!(office.act(&case, "sign", "leader-111").await.status, 403, "it is not theirs any more");
    assert_eq!(office.act(&case, "return", "community-11").await.status, 200);
    let holder = format!("street_desk:{STREET}");
    let seen = office.when(&case, "desk-1a", |case| case["attempt"] == 3).await;
    assert_eq!(seen["holder"], holder);
    assert_eq!(office.act(&case, "sign", "desk-1a").await.with(200)["state"], "HANDLING");
    office.closes_clean().await;
}

#[tokio::test]
async fn who_is_made_answerable_hands_it_on_or_takes_it_over_and_nobody_of_another_level_or_place_does() {
    let office = Office::open().await;
    let case = office.case_of("rubbish").await;
    let path = format!("{case}/transfer");
    let to = |holder: &str| json!({ "to": holder, "note": "示意：原承办未签收" });
    let (own, next) = (format!("community:{COMMUNITY}"), format!("grid_leader:{COMMUNITY}/990001001001002"));
    let early = office.post(&path, "community-11", &to(&own)).await.with(403);
    assert_eq!(early["type"], "urn:gridward:problem:not-yours", "it has not climbed to them");

    // Nobody signs for it in time: the community is made answerable.
    office.clock.drive(at("09:10"));
    let seen = office.when(&case, "community-11", |case| case["level"] == "community").await;
    assert_eq!(seen["may"], json!(["transfer"]));
    let due = |case: &Value| ["sign", "handle"].map(|kind| deadline(case, kind)["due_at"].clone());
    let before = due(&seen);
    for (person, status, who) in [
        ("desk-1a", 403, "a higher level, which is not answerable yet"),
        ("community-12", 404, "the same level elsewhere"),
        ("desk-2a", 404, "the next street"),
        ("leader-111", 403, "whose it is"),
        ("supervisor-1", 403, "who only looks"),
    ] {
        assert_eq!(office.post(&path, person, &to(&own)).await.status, status, "{person}: {who}");
    }
    for (holder, why) in [
        (format!("street_desk:{STREET}"), "above them"),
        (format!("grid_leader:{STREET}/990001001002/990001001002001"), "of the next community"),
        (format!("grid_leader:{COMMUNITY}/990001001001009"), "no such grid"),
        ("partner:org/lark".to_owned(), "an organisation, without an offer"),
        ("community officer".to_owned(), "no post at all"),
    ] {
        let refused = office.post(&path, "community-11", &to(&holder)).await.with(422);
        assert_eq!(refused["field"], "to", "{why}: {refused}");
    }

    // 转派: to the leader of the next grid; no clock begins again.
    let told = office.post(&path, "community-11", &to(&next)).await.with(200);
    let there = format!("{COMMUNITY}/990001001001002");
    assert_eq!(
        (&told["state"], &told["holder"], &told["area"]),
        (&json!("DISPATCHED"), &json!(next), &json!(there))
    );
    let seen = office.get(&case, "leader-112").await.with(200);
    assert_eq!((&seen["holder"], &seen["may"]), (&json!(next), &json!(["sign", "return"])));
    assert_eq!((due(&seen), &seen["level"]), (before.clone(), &json!("community")));
    assert_eq!((&seen["area"], &seen["opened_in"]), (&json!(there), &json!(GRID)));
    assert_eq!(seen["why"]["zh"], "经督办转派，由示意网格 112 网格长承办；处置时限照旧。");
    assert_eq!(office.act(&case, "sign", "leader-111").await.status, 404, "it is not in their grid any more");
    // What was late was late where it lay; the list says both places.
    let moved = |listed: &Value| listed[0]["lies_in"] == there;
    let listed = office.when("/api/v1/escalations", "community-11", moved).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["area"], &listed[0]["holder"]), (&json!(GRID), &json!(next)));
    let open = |figures: &Value, grid: &str| {
        let below = figures["below"].as_array().into_iter().flatten();
        let of_grid = |one: &&Value| one["area"].as_str().is_some_and(|area| area.ends_with(grid));
        below.filter(of_grid).find_map(|one| one["open"].as_i64())
    };
    let figures = format!("/api/v1/figures?area={COMMUNITY}");
    let moved = |figures: &Value| (open(figures, "1001"), open(figures, "1002")) == (Some(0), Some(1));
    office.when(&figures, "community-11", moved).await;
    office.act(&case, "sign", "leader-112").await.with(200);

    // Taken over: the community signs for it, handles it, and is not the one who checks it.
    office.post(&path, "community-11", &to(&own)).await.with(200);
    office.act(&case, "sign", "community-11").await.with(200);
    let seen = office.get(&case, "community-11").await.with(200);
    assert_eq!(
        (&seen["holder"], deadline(&seen, "handle")["due_at"].clone()),
        (&json!(own), before[1].clone())
    );
    office.act(&case, "answer", "community-11").await.with(200);
    assert_eq!(office.act(&case, "check", "community-11").await.status, 403, "the own work");
    office.act(&case, "check", "checker-1").await.with(200);
    office.closes_clean().await;
}

#[tokio::test]
async fn what_was_handed_on_and_is_given_back_is_routed_past_whoever_gave_it_back() {
    let office = Office::open().await;
    let case = office.case_of("rubbish").await;
    office.clock.drive(at("09:10"));
    office.when(&case, "community-11", |case| case["level"] == "community").await;
    let next = json!({ "to": format!("grid_leader:{COMMUNITY}/990001001001002") });
    office.post(&format!("{case}/transfer"), "community-11", &next).await.with(200);
    office.act(&case, "return", "leader-112").await.with(200);
    // The leader of the grid it lies in never gave it back, and is asked first.
    let seen = office.when(&case, "community-11", |case| case["attempt"] == 2).await;
    assert_eq!((&seen["holder"], &seen["returns"]), (&json!(format!("grid_leader:{GRID}")), &json!(1)));
    assert!(seen["why"]["zh"].as_str().unwrap().contains("已被退回 1 次"), "{}", seen["why"]);
    office.act(&case, "return", "leader-111").await.with(200);
    let seen = office.when(&case, "community-11", |case| case["attempt"] == 3).await;
    assert_eq!(seen["holder"], format!("community:{COMMUNITY}"));
    office.closes_clean().await;
}

#[tokio::test]
async fn a_second_tap_is_answered_like_the_first() {
    let office = Office::open().await;
    let report = office.new_report("rubbish");
    let first = office.post("/api/v1/reports", "worker-111", &report).await;
    let again = office.post("/api/v1/reports", "worker-111", &report).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
    assert_eq!(office.stored().await, (1, 0));

    let case = first.json()["case"].as_str().unwrap().to_owned();
    office.get(&format!("{case}?wait=10s"), "leader-111").await.with(200);
    for (what, person) in
        [("sign", "leader-111"), ("answer", "leader-111"), ("check", "checker-1"), ("close", "checker-1")]
    {
        let first = office.act(&case, what, person).await;
        let again = office.act(&case, what, person).await;
        assert_eq!(first.with(200), again.with(200), "{what}");
        assert_eq!(first.header("etag"), again.header("etag"), "{what}");
    }
    assert_eq!(office.stored().await, (1, 4));
    office.closes_clean().await;
}

#[tokio::test]
async fn who_looked_before_a_colleague_changed_the_case_is_told_so() {
    let office = Office::open().await;
    let case = office.case_of("dispute").await;
    let seen = office.get(&case, "desk-1b").await;
    assert_eq!(seen.header("etag"), "\"1\"");
    let matching = |what: &str, etag: &str| {
        let path = format!("{case}/{what}");
        office.request("POST", &path, "desk-1b").header("if-match", etag.to_owned()).json(&json!({}))
    };
    office.act(&case, "sign", "desk-1a").await.with(200);
    let refused = Answer::to(matching("answer", seen.header("etag"))).await;
    let detail = refused.with(412)["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("you saw revision 1, it is 2"), "{detail}");
    assert_eq!(office.stored().await, (1, 1));

    let seen = office.get(&case, "desk-1b").await;
    let answered = Answer::to(matching("answer", seen.header("etag"))).await;
    assert_eq!((answered.with(200)["state"].as_str(), answered.header("etag")), (Some("CHECKING"), "\"3\""));
    office.closes_clean().await;
}

#[tokio::test]
async fn a_reminder_never_costs_the_holder_the_case_they_look_at() {
    let office = Office::open().await;
    let case = office.case_of("gas").await;
    let etag = office.get(&case, "leader-111").await.header("etag").to_owned();
    office.clock.drive(at("09:09"));
    office.after_steps(&case, 3).await;
    let sign = office.request("POST", &format!("{case}/sign"), "leader-111").header("if-match", etag);
    assert_eq!(Answer::to(sign).await.with(200)["state"], "HANDLING");
    office.closes_clean().await;
}

#[tokio::test]
async fn a_case_that_is_about_to_open_is_answered_202_and_can_be_waited_for() {
    let office = Office::open().await;
    let reported = office.post("/api/v1/reports", "worker-111", &office.new_report("road")).await.with(201);
    let path = reported["case"].as_str().unwrap();
    let at_once = office.get(path, "worker-111").await;
    assert!(matches!(at_once.status, 200 | 202), "just reported, so never a 404: {at_once:?}");
    office.get(&format!("{path}?wait=10s"), "worker-111").await.with(200);

    // An id of this very moment whose report has not been read yet.
    let coming = format!("/api/v1/cases/{}", IncidentId::new(office.clock.now(), [9; 10]));
    let answer = office.get(&coming, "worker-111").await;
    assert_eq!(answer.with(202)["state"], "REPORTED");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(office.get(&format!("{coming}?wait=1s"), "worker-111").await.status, 202);
    office.clock.drive(at("09:02"));
    assert_eq!(office.get(&coming, "worker-111").await.status, 404, "a minute later there is no such case");
    office.closes_clean().await;
}
