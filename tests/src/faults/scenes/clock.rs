//! A database whose clock is set: nobody is reminded or escalated early, nothing is done twice, and when it is right
//! again work goes on by itself.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use gridward::servers::SERVICES;
use platform::store::Store;
use sea_orm::ConnectionTrait;

use super::{LOOK, Office};
use crate::fleet::{STUCK, Servers, has_servers};
use crate::instance::beat;
use crate::process::pack;

/// A clock of a database's own, put before PostgreSQL's.
const CLOCK: &str = "
CREATE SCHEMA skew;
CREATE TABLE skew.off (seconds double precision);
INSERT INTO skew.off VALUES (0);
CREATE FUNCTION skew.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
  'SELECT pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => seconds) FROM skew.off';
";

/// A pack like `twostreets` whose holders of gas leaks are reminded after six seconds.
pub(super) fn hurried(folder: &Path) -> PathBuf {
    let (from, to) = (pack("twostreets"), folder.join("twostreets"));
    std::fs::create_dir_all(folder.join("calendars")).unwrap();
    std::fs::copy(pack("calendars").join("cn.json"), folder.join("calendars/cn.json")).unwrap();
    std::fs::create_dir_all(&to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    let main = std::fs::read_to_string(to.join("pack.json")).unwrap();
    let hurried = main.replacen("\"remind_percent\": 80", "\"remind_percent\": 10", 1);
    assert_ne!(main, hurried);
    std::fs::write(to.join("pack.json"), hurried).unwrap();
    to
}

impl Office {
    async fn execute(&self, service: &str, sql: &str) {
        let here = Store::connect(&self.fleet.databases.replace("{service}", service), 1).await.unwrap();
        here.writer().execute_unprepared(sql).await.unwrap();
        here.close().await.unwrap();
    }

    /// Sets the clocks of all databases at once, as one server's clock.
    async fn set(&self, off: TimeDelta) {
        for service in SERVICES {
            self.execute(service, &format!("UPDATE skew.off SET seconds = {}", off.num_seconds())).await;
        }
    }

    /// The steps that took effect, by now, and how many of them did before they were due by the host's clock.
    pub(super) async fn effects(&self) -> (i64, i64) {
        let effects = "SELECT count(*) FROM handle_history WHERE kind IN ('case.reminded', 'case.escalated')";
        let early = "SELECT count(*) FROM supervise_step WHERE done_at IS NOT NULL AND due_at > pg_catalog.clock_timestamp()";
        let effects = self.work.count("handle", effects, Vec::new()).await.unwrap();
        (effects, self.work.count("supervise", early, Vec::new()).await.unwrap())
    }

    async fn metric_off(&self, service: &str) -> bool {
        let url = self.fleet.instances[service][0].url("/metrics");
        let text = self.door.client.get(url).send().await.unwrap().text().await.unwrap();
        let shown = text.lines().find(|line| line.starts_with("gridward_clock_off_seconds{"));
        shown.is_some_and(|line| !line.ends_with(" 0"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_clock_is_set_reminds_nobody_early_and_work_goes_on_when_it_is_right_again() {
    if !has_servers() {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let hurried = hurried(folder.path());
    let mut office = Office::on(Servers::given().unwrap(), hurried.to_str().unwrap()).await;
    for service in SERVICES {
        office.execute(service, CLOCK).await;
        let name = office.database(service);
        let path = format!("ALTER DATABASE {name} SET search_path = public, skew, pg_catalog");
        office.on_the_server(&path).await;
    }
    office.fleet.start().await.unwrap();
    let mut reminders = 0;
    for off in [TimeDelta::hours(1), TimeDelta::minutes(-10)] {
        let case = office.report("gas").await;
        office.opened(&case).await;
        office.set(off).await;
        let said = office.says("supervise", |_, said| said.contains("was set by")).await;
        assert!(said.contains("\"ready\":true") && office.metric_off("supervise").await, "{said}");
        assert_eq!(office.effects().await, (reminders, 0), "nobody believes a clock that is off by {off}");
        // People are served meanwhile, and what they do counts as of the time that it really is.
        let meanwhile = office.report("rubbish").await;
        office.opened(&meanwhile).await;
        office.set(TimeDelta::zero()).await;
        office.says("supervise", |_, said| !said.contains("was set by")).await;
        reminders += 1;
        let begun = std::time::Instant::now();
        while office.effects().await != (reminders, 0) {
            assert!(begun.elapsed() < STUCK, "{:?} instead of {reminders} reminders", office.effects().await);
            beat(LOOK).await;
        }
        assert!(!office.metric_off("supervise").await);
    }
    office.settles_clean().await;
    office.fleet.stop().await.unwrap();
}
