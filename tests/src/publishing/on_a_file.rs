//! One process on a file, and a second command beside it.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Edition, bad_ones, digest, goes_by, gridward, in_force, publish, published, report, status};
use crate::fleet::STUCK;
use crate::instance::binary;
use crate::process::{Process, beat};
use crate::world::packs;

/// A running process in a folder of its own, as people and commands reach it.
struct Running {
    folder: TempDir,
    process: Process,
}

impl Running {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut process = Process::new(folder.path(), "twostreets", 1.0).unwrap();
        process.instance().start().await.unwrap();
        Self { folder, process }
    }

    fn data(&self) -> [&str; 2] {
        ["--data", self.folder.path().to_str().unwrap()]
    }

    /// A token as an operator makes one, of the register in force: which pack that is, the folder knows.
    fn token(&self, person: &str) -> Option<String> {
        let said = gridward(&["token", "--as", person], &self.data());
        said.done.then(|| said.text.trim().to_owned())
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> (u16, Value) {
        let url = self.process.url(path);
        let mut ask = self.process.client().request(method.parse().unwrap(), url).bearer_auth(token);
        if let Some(body) = body {
            ask = ask.json(body);
        }
        let answer = ask.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// A report in grid 111, opened as a case: where the case is, and what it is.
    async fn case_of(&self, client_id: &str) -> (String, Value) {
        let token = self.token("worker-111").unwrap();
        let (status, receipt) = self.ask("POST", "/api/v1/reports", &token, Some(&report(client_id))).await;
        assert_eq!(status, 201, "{receipt}");
        let case = receipt["case"].as_str().unwrap().to_owned();
        let (status, seen) = self.ask("GET", &format!("{case}?wait=10s"), &token, None).await;
        assert_eq!(status, 200, "{seen}");
        (case, seen)
    }

    /// What is wrong though people are served; `null` when nothing is.
    async fn troubles(&self) -> String {
        let answer = self.process.client().get(self.process.url("/health/ready")).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["troubles"].to_string()
    }

    async fn signs(&self, person: &str, case: &str) -> u16 {
        let token = self.token(person).unwrap();
        self.ask("POST", &format!("{case}/sign"), &token, Some(&json!({}))).await.0
    }
}

/// How long a holder may take to sign for a case, in minutes.
fn minutes_to_sign(case: &Value) -> i64 {
    let sign = case["deadlines"].as_array().unwrap().iter().find(|one| one["kind"] == "sign").unwrap();
    let time = |name: &str| sign[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    (time("due_at") - time("start_at")).num_minutes()
}

fn holder(case: &Value) -> &str {
    case["holder"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_pack_is_in_force_at_once_and_what_a_case_was_promised_stays() {
    let mut running = Running::start().await;
    assert_eq!(in_force(running.process.instance()).await["published_at"], Value::Null);
    let (open, before) = running.case_of("before").await;
    assert_eq!(minutes_to_sign(&before), 10);

    // Somebody else leads the grid.
    let edition = Edition::with_another_leader();
    let version = published(&edition, &running.data());
    goes_by(running.process.instance(), &version).await;
    let (case, seen) = running.case_of("after").await;
    assert_eq!(minutes_to_sign(&seen), 15);
    assert_eq!(holder(&seen), holder(&before), "the post is the same, and somebody else has it");
    assert_eq!(running.token("leader-111"), None, "the register does not list the old one any more");
    assert_eq!(running.signs("leader-new", &case).await, 200);

    // Nobody leads it: the next report goes to the level above at once.
    let version = published(&Edition::without_a_leader(), &running.data());
    goes_by(running.process.instance(), &version).await;
    let (_, seen) = running.case_of("vacant").await;
    assert!(holder(&seen).starts_with("community:"), "{seen}");

    // What was open keeps what it was promised.
    let token = running.token("worker-111").unwrap();
    let (_, after) = running.ask("GET", &open, &token, None).await;
    assert_eq!((promised(&after), holder(&after)), (promised(&before), holder(&before)));

    let metrics = running.process.client().get(running.process.url("/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let info = "gridward_pack_info{code=\"twostreets\",from=\"";
    let lines: Vec<&str> = metrics.lines().filter(|line| line.starts_with(info)).collect();
    assert!(lines.len() == 1 && lines[0].contains(&version[..12]), "{lines:?}");
    assert!(metrics.contains("\ngridward_pack_applied_seconds "), "{metrics}");

    // Started again it goes by what is published, whatever lies in the folder it is given.
    running.process.instance().kill().unwrap();
    running.process.instance().start().await.unwrap();
    goes_by(running.process.instance(), &version).await;
    let said = status(&running.data());
    assert_eq!(
        (said["published"][0]["version"].as_str(), said["published"][0]["by"].as_str()),
        (Some(&*version), Some("anna"))
    );
    let services = said["services"].as_array().unwrap();
    assert_eq!(services.len(), 5, "{services:?}");
    assert!(services.iter().all(|service| service["version"] == *version), "{services:?}");

    running.process.instance().stop().await.unwrap();
    let said = gridward(&["audit"], &running.data());
    assert!(said.done, "{}", said.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_pack_is_refused_with_file_line_and_reason_and_what_runs_stays() {
    let mut running = Running::start().await;
    let good = Edition::with_another_leader();
    let version = published(&good, &running.data());
    goes_by(running.process.instance(), &version).await;
    for (edition, wanted) in bad_ones() {
        let said = publish(&edition, &running.data(), &[]);
        assert!(!said.done && said.text.contains(wanted), "wanted {wanted} in {}", said.text);
    }
    // Whole by themselves, and not as what comes after the one that is published.
    let same_name =
        Edition::with_another_leader().with("pack.json", "\"after\": \"24h\"", "\"after\": \"48h\"");
    let said = publish(&same_name, &running.data(), &[]);
    let wanted = "pack.json:16:16: policy.version: limits or ladders are other than published";
    assert!(!said.done && said.text.contains(wanted), "{}", said.text);
    let fewer = || Edition::with_another_leader().with("categories.csv", "gas,燃气泄漏,Gas leak,1m,no\n", "");
    let said = publish(&fewer(), &running.data(), &[]);
    let wanted = "categories.csv: the published categories Gas leak (gas) are no longer listed";
    assert!(!said.done && said.text.contains(wanted), "{}", said.text);
    let boston = packs().join("boston");
    let said = gridward(&["pack", "publish", boston.to_str().unwrap()], &running.data());
    assert!(
        !said.done && said.text.contains("go by the pack twostreets, and this is boston"),
        "{}",
        said.text
    );

    // Each fault is one line, whichever language its reader reads, and whichever command tells it.
    let two = Edition::copy().with("pack.json", "\"sign_limit\": \"10m\"", "\"sign_limit\": \"0m\"").with(
        "people.csv",
        "Checker 1,checker",
        "Checker 1,chequer",
    );
    let checked = gridward(&["pack", "check", two.folder().to_str().unwrap()], &[]);
    for said in [checked, publish(&two, &running.data(), &[])] {
        let lines: Vec<&str> = said.text.lines().collect();
        assert!(!said.done && lines.len() == 3 && lines[0].ends_with("错误 2 处："), "{}", said.text);
        assert!(
            lines[1].starts_with("pack.json:") && lines[2].starts_with("people.csv:14: "),
            "{}",
            said.text
        );
        assert!(lines[1].contains("grants no time at all / ") && lines[1].contains("没有给出任何时间"));
        assert!(
            lines[2].contains("`chequer` is not a role") && lines[2].contains("不是角色"),
            "{}",
            lines[2]
        );
    }

    assert_eq!(status(&running.data())["published"][0]["version"], *version);
    assert!(version.starts_with(in_force(running.process.instance()).await["version"].as_str().unwrap()));
    running.case_of("still").await;

    let said = publish(&good, &running.data(), &[]);
    assert!(said.done && said.text.contains("was published already"), "{}", said.text);
    let said = publish(&fewer(), &running.data(), &["--drop", "gas"]);
    assert!(said.done, "{}", said.text);
    goes_by(running.process.instance(), &digest(&fewer().folder())).await;
    running.process.instance().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_publishes_on_the_machine_and_gives_no_name_is_on_record_as_its_operator() {
    let mut running = Running::start().await;
    let other = Edition::with_another_leader();
    let editions =
        [(other, None, "operator on this host / 运维（本机）"), (Edition::copy(), Some("anna"), "anna")];
    for (edition, user, by) in editions {
        let mut command = Command::new(binary().unwrap());
        command.args(["pack", "publish", edition.folder().to_str().unwrap()]).args(running.data());
        match user {
            Some(user) => command.env("USER", user),
            None => command.env_remove("USER"),
        };
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(status(&running.data())["published"][0]["by"], by);
    }
    running.process.instance().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_on_a_folder_means_the_pack_that_runs_there_also_when_nothing_is_published() {
    let mut running = Running::start().await;
    assert!(running.token("leader-111").is_some());
    let said = gridward(&["token", "--as", "worker-0306"], &running.data());
    assert!(
        !said.done && said.text.contains("the pack twostreets has no person `worker-0306`"),
        "{}",
        said.text
    );
    let said = gridward(&["account", "list"], &running.data());
    assert!(said.done, "{}", said.text);
    running.process.instance().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_brings_partner_organisations_says_who_is_to_be_started_again() {
    let mut running = Running::start().await;
    let edition = Edition::copy().with("pack.json", "\"twostreets-1\"", "\"twostreets-2\"").with(
        "pack.json",
        "\"check_limit\": \"1wd\",",
        "\"check_limit\": \"1wd\",\n    \"offer_limit\": \"5m\",",
    );
    let said = publish(&edition, &running.data(), &[]);
    assert!(
        said.done && said.text.contains("(`gridward all`) must be started again to run partner"),
        "{}",
        said.text
    );
    let version = digest(&edition.folder());
    goes_by(running.process.instance(), &version).await;
    running.case_of("meanwhile").await;
    let told = tokio::time::timeout(STUCK, async {
        while !running.troubles().await.contains("this process does not run partner: restart it") {
            beat(Duration::from_millis(20)).await;
        }
    });
    told.await.expect("what to do is told as long as it is so");

    running.process.instance().stop().await.unwrap();
    running.process.instance().start().await.unwrap();
    goes_by(running.process.instance(), &version).await;
    assert_eq!(running.troubles().await, "null");
    let services = status(&running.data())["services"].as_array().unwrap().len();
    assert_eq!(services, 6, "partner runs");
    let other = edition.with("people.csv", "Leader 111", "Another leader");
    let said = publish(&other, &running.data(), &[]);
    assert!(said.done && !said.text.contains("must be started again"), "{}", said.text);
    running.process.instance().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_as_who_they_are_in_the_pack_that_is_in_force() {
    let mut running = Running::start().await;
    let account = |person: &str| {
        let pack = packs().join("twostreets");
        let said = gridward(&["account", "add", person, "--pack", pack.to_str().unwrap()], &running.data());
        said.done.then(|| said.text.lines().next().unwrap().to_owned())
    };
    let password = account("leader-111").unwrap();
    assert_eq!(account("leader-new"), None, "nobody knows the new one yet");
    let session = async |process: &Process, name: &str, password: &str| {
        let typed = json!({ "name": name, "password": password });
        let asked = process.client().post(process.url("/api/v1/sessions")).json(&typed);
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!(session(&running.process, "leader-111", &password).await, 201);
    let version = published(&Edition::with_another_leader(), &running.data());
    goes_by(running.process.instance(), &version).await;
    assert_eq!(session(&running.process, "leader-111", &password).await, 401, "has left the register");
    let account = |person: &str| {
        let pack = packs().join("twostreets");
        let said = gridward(&["account", "add", person, "--pack", pack.to_str().unwrap()], &running.data());
        assert!(said.done, "{}", said.text);
        said.text.lines().next().unwrap().to_owned()
    };
    let password = account("leader-new");
    assert_eq!(session(&running.process, "leader-new", &password).await, 201);
    running.process.instance().stop().await.unwrap();
}

/// Its deadlines, without how they came about: that is told step by step only by the version they came from.
fn promised(seen: &Value) -> Value {
    let mut deadlines = seen["deadlines"].clone();
    for deadline in deadlines.as_array_mut().unwrap() {
        let explained = deadline.as_object_mut().unwrap().remove("explained").unwrap();
        assert!(!explained.as_array().unwrap().is_empty(), "{seen}");
    }
    deadlines
}
