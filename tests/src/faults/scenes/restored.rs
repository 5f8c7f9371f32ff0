//! A database that was restored from before the end of its service's topic: handle takes back what it does not know
//! from there; the others would say other things under the same names, and do not start.

use serde_json::json;

use super::Office;
use crate::fleet::has_servers;

impl Office {
    /// A copy of a stopped service's database, as a backup would be.
    async fn back_up(&self, service: &str) {
        let name = self.database(service);
        self.on_the_server(&format!("CREATE DATABASE {name}_backup TEMPLATE {name}")).await;
    }

    /// Puts one of two databases in the place of the service's own, which is kept beside it.
    async fn put(&self, from: &str, service: &str, to: &str) {
        let name = self.database(service);
        for (old, new) in [(name.clone(), format!("{name}_{to}")), (format!("{name}_{from}"), name)] {
            let elsewhere = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('{old}', '{new}')"
            );
            self.on_the_server(&elsewhere).await;
            self.on_the_server(&format!("ALTER DATABASE {old} RENAME TO {new}")).await;
        }
    }

    /// Stops a service, takes a copy of its database, starts it again and lets it do more.
    async fn go_on_after_a_backup(&mut self, service: &str) {
        self.of(service).stop().await.unwrap();
        self.forget_connections(service).await;
        self.back_up(service).await;
        self.of(service).start().await.unwrap();
        for case in self.cases(3).await {
            let (status, body) =
                self.ask("POST", &format!("{case}/sign"), "leader-111", Some(&json!({}))).await;
            assert_eq!(status, 200, "{body}");
        }
        self.settles_clean().await;
        self.of(service).stop().await.unwrap();
    }

    /// Whoever looks is sent away too: a database is copied and renamed only when nobody uses it.
    async fn forget_connections(&self, service: &str) {
        let name = self.database(service);
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        self.on_the_server(&sql).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn handle_takes_back_from_its_topic_what_a_restored_database_does_not_know() {
    if !has_servers() {
        return;
    }
    let mut office = Office::open("twostreets").await;
    office.cases(3).await;
    office.settles_clean().await;
    office.go_on_after_a_backup("handle").await;
    office.put("backup", "handle", "real").await;
    office.of("handle").start().await.unwrap();
    assert!(office.of("handle").said().contains("from the topic"), "{}", office.of("handle").said());
    let known = office.work.count("handle", "SELECT count(*) FROM handle_case", Vec::new()).await.unwrap();
    assert_eq!(known, 6, "of the three cases before the backup, and the three after it");
    office.cases(2).await;
    office.settles_clean().await;
    office.fleet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_take_it_back_does_not_start_on_a_restored_database_and_says_what_to_do() {
    if !has_servers() {
        return;
    }
    let mut office = Office::open("twostreets").await;
    office.cases(1).await;
    office.settles_clean().await;
    for service in ["discover", "route"] {
        office.go_on_after_a_backup(service).await;
        office.put("backup", service, "real").await;
        let refused = office.of(service).start().await.unwrap_err().to_string();
        assert!(refused.contains("restore") && refused.contains("does not know"), "{refused}");
        office.put("real", service, "old").await;
        office.of(service).start().await.unwrap();
    }
    office.cases(2).await;
    office.settles_clean().await;
    office.fleet.stop().await.unwrap();
}
