//! Settings that lead to the wrong server, database or topic, or to none: said at once, by name, with what to do.

use std::process::{Command, Output};

use gridward::servers::database;
use gridward::settings::Settings;
use tempfile::TempDir;

use crate::fleet::{FILE, has_servers, settings};
use crate::instance::{binary, free_port};

/// Runs a command on the settings of `folder`, some of them given by the environment instead.
fn gridward(folder: &TempDir, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary().unwrap());
    command.args(args).arg("--config").arg(folder.path().join(FILE)).envs(environment.iter().copied());
    command.output().unwrap()
}

/// What it says when it fails.
fn refusal(folder: &TempDir, args: &[&str], environment: &[(&str, &str)]) -> String {
    let run = gridward(folder, args, environment);
    assert!(!run.status.success(), "{args:?} {environment:?}");
    String::from_utf8(run.stderr).unwrap()
}

fn assert_said(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

async fn migrated(folder: &TempDir) -> Settings {
    let settings = settings(folder.path(), "twostreets", "").await.unwrap();
    assert!(gridward(folder, &["migrate"], &[]).status.success());
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_tables_is_not_looked_at_and_migrate_is_named() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    settings(folder.path(), "twostreets", "").await.unwrap();
    let looking = [
        &["audit"][..],
        &["audit", "--quick"],
        &["dead-letters", "list"],
        &["reread", "route"],
        &["strays", "route"],
    ];
    for command in looking {
        let said = refusal(&folder, command, &[]);
        assert_said(&said, &["does not have all tables of", "gridward migrate", "缺少"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_does_not_move_in_with_another() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let settings = migrated(&folder).await;
    let of_handle = settings.database_url("handle").unwrap();
    let (before, _) = of_handle.split_once("_handle").unwrap();
    // {service} is in it, and leads route to where handle is.
    let url = format!("{before}_handle?application_name={{service}}");
    let said = refusal(&folder, &["route"], &[("GRIDWARD_DATABASE_URL", &url)]);
    assert_said(&said, &["is that of handle", "database.url", "属于 handle"]);
    database("handle", &settings).await.unwrap().close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_away_are_named() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    migrated(&folder).await;
    let nobody = free_port().unwrap();
    let url = format!("postgres://gridward@127.0.0.1:{nobody}/{{service}}");
    for command in ["audit", "discover", "migrate"] {
        let said = refusal(&folder, &[command], &[("GRIDWARD_DATABASE_URL", &url)]);
        assert_said(&said, &["discover", "refused", "[database]"]);
    }
    let broker = format!("127.0.0.1:{nobody}");
    let said = refusal(&folder, &["audit"], &[("GRIDWARD_KAFKA_BOOTSTRAP", &broker)]);
    assert_said(&said, &[&broker, "does not answer", "没有应答"]);
    let said = refusal(&folder, &["audit"], &[("GRIDWARD_KAFKA_PREFIX", "elsewhere.")]);
    assert_said(&said, &["no topic elsewhere.", "kafka.prefix", "没有主题"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told_before_anything_is_joined() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    // Not migrated: whoever joined would have made tables.
    let settings = settings(folder.path(), "twostreets", "").await.unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for command in ["discover", "all"] {
        let said = refusal(&folder, &[command, "--listen", &address], &[]);
        assert_said(&said, &[&address, "--listen", "端口"]);
    }
    assert_said(&refusal(&folder, &["audit"], &[]), &["does not have all tables"]);
    drop(settings);
}
