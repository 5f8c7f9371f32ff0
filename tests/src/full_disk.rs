//! A disk that is full: nobody is told that a report is safe when it is not, and once there is room again work
//! goes on by itself.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use gridward::audit::{Options, audit};
use gridward::folder_clock::{FILE, paced};
use platform::store::Store;
use reqwest::StatusCode;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Process, beat, binary, pack};

/// How large any file may grow, in KiB, while the disk counts as full.
const ROOM: u32 = 3_000;

struct Office {
    process: Process,
    token: String,
    /// Incidents that somebody was told are safe.
    safe: BTreeSet<String>,
    sent: u32,
}

impl Office {
    /// One more report, with words enough to fill a disk; answers the status.
    async fn report(&mut self) -> (StatusCode, Value) {
        self.sent += 1;
        let report = json!({
            "client_id": format!("long-{}", self.sent),
            "category": "rubbish",
            "place": {"lon": 121.805, "lat": 29.905, "datum": "CGCS2000"},
            "description": "满".repeat(2_000),
        });
        let ask = self.process.client().post(self.process.url("/api/v1/reports"));
        let answer = ask.bearer_auth(&self.token).json(&report).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        if status == StatusCode::CREATED {
            self.safe.insert(body["incident"].as_str().unwrap().to_owned());
        }
        (status, body)
    }

    async fn ready(&self) -> StatusCode {
        self.process.client().get(self.process.url("/health/ready")).send().await.unwrap().status()
    }
}

async fn stored(folder: &TempDir) -> BTreeSet<String> {
    let store = Store::look(folder.path()).await.unwrap();
    let backend = store.readers().get_database_backend();
    let select = Statement::from_string(backend, "SELECT incident FROM discover_report");
    let rows = store.readers().query_all_raw(select).await.unwrap();
    let incidents =
        rows.iter().map(|row| row.try_get_by_index::<uuid::Uuid>(0).unwrap().to_string()).collect();
    store.close().await.unwrap();
    incidents
}

#[tokio::test]
async fn what_was_answered_201_is_there_also_when_the_disk_was_full_and_work_goes_on_when_there_is_room() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::new(folder.path(), "twostreets", 1.0).unwrap();
    process.start_with_files_up_to(ROOM).await.unwrap();
    let token = process.token("worker-111").unwrap();
    let mut office = Office { process, token, safe: BTreeSet::new(), sent: 0 };

    let mut refused = 0;
    while refused < 20 {
        assert!(office.sent < 2_000, "the disk is never full: {} were safe", office.safe.len());
        match office.report().await {
            (StatusCode::CREATED, _) => {}
            (StatusCode::SERVICE_UNAVAILABLE, problem) => {
                assert_eq!(problem["type"], "urn:gridward:problem:cannot-save", "{problem}");
                refused += 1;
            }
            (other, body) => panic!("{other}: {body}"),
        }
    }
    assert!(!office.safe.is_empty(), "there was room at first");
    assert_eq!(office.ready().await, StatusCode::SERVICE_UNAVAILABLE);

    office.process.lift_the_limit().unwrap();
    let before = office.safe.len();
    while office.safe.len() < before + 30 {
        assert!(office.sent < 4_000, "it does not go on though there is room");
        office.report().await;
    }
    while office.ready().await != StatusCode::OK {
        beat(Duration::from_millis(20)).await;
    }
    let Office { mut process, safe, .. } = office;
    process.instance().stop().await.unwrap();

    let stored = stored(&folder).await;
    let lost: Vec<_> = safe.difference(&stored).collect();
    assert!(lost.is_empty(), "{} of {} answered with 201 are lost", lost.len(), safe.len());
    let report = audit(folder.path(), Options::default()).await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.dead_letters, 0, "no fact is to blame for a full disk: {report}");
}

#[test]
fn a_folder_that_is_begun_on_a_full_disk_has_no_half_a_clock() {
    let folder = TempDir::new().unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-c", "trap '' XFSZ; ulimit -S -f 0; exec \"$0\" \"$@\""]).arg(binary().unwrap());
    shell.args(["all", "--speed", "60", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
    let refused = shell.arg("--pack").arg(pack("twostreets")).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains(FILE) && said.contains("无法写入"), "{said}");
    assert!(!folder.path().join(FILE).exists());
    assert!(paced(folder.path(), 60.0, None).is_ok(), "when there is room again");
}
