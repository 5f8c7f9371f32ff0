//! Everything between the services and their servers by TLS, as the settings say it: each side is who it says, or
//! nothing is sent to it.

use std::path::Path;
use std::process::{Command, Output};

use platform::token::Tokens;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::faults::own_servers::{SecuredServers, Which};
use crate::fleet::has_servers;
use crate::instance::{Instance, beat, binary, free_port};
use crate::process::client;

/// Writes settings that trust what these two files have signed.
fn write(folder: &Path, servers: &SecuredServers, trust: [&str; 2]) -> std::path::PathBuf {
    let [kafka, postgres] = trust;
    let (kafka, postgres) = (servers.file(Which::Kafka, kafka), servers.file(Which::Postgres, postgres));
    let file = folder.join("gridward.toml");
    let settings = format!(
        "pack = \"twostreets\"\ntoken_key_file = {:?}\ndrain_seconds = 0\n\
         [database]\nurl = \"{}?sslmode=verify-full&sslrootcert={}\"\nconnections = 4\n\
         [kafka]\nbootstrap = {:?}\nprefix = \"tls.\"\npartitions = 2\nsecurity = \"sasl_ssl\"\nca_file = {kafka:?}\n\
         sasl_username = \"gridward\"\nsasl_password_file = {:?}\n",
        folder.join("token.key"),
        servers.url,
        postgres.display(),
        servers.bootstrap,
        servers.file(Which::Kafka, "tls/password"),
    );
    std::fs::write(&file, settings).unwrap();
    file
}

fn gridward(command: &str, config: &Path) -> Output {
    Command::new(binary().unwrap()).arg(command).arg("--config").arg(config).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn services_and_servers_meet_by_tls_only_where_each_is_who_it_says() {
    if !has_servers() {
        return;
    }
    let servers = SecuredServers::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    Tokens::of_folder(folder.path()).unwrap();

    for trust in [["tls/ca.pem", "tls/other-ca.pem"], ["tls/other-ca.pem", "tls/ca.pem"]] {
        let refused = gridward("migrate", &write(folder.path(), &servers, trust));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("certificate"), "{trust:?}: {said}");
    }

    let config = write(folder.path(), &servers, ["tls/ca.pem", "tls/ca.pem"]);
    let made = gridward("migrate", &config);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let port = free_port().unwrap();
    let args = ["all", "--config", config.to_str().unwrap(), "--listen", &format!("127.0.0.1:{port}")];
    let args = args.into_iter().map(Into::into).collect();
    let client = client().unwrap();
    let mut office = Instance::new("all", args, &folder.path().join("said"), port, &client);
    office.start().await.unwrap();
    let signed = Command::new(binary().unwrap())
        .args(["token", "--as", "worker-111", "--pack", "twostreets", "--key"])
        .arg(folder.path().join("token.key"))
        .output()
        .unwrap();
    let token = String::from_utf8(signed.stdout).unwrap().trim().to_owned();
    let report = json!({
        "client_id": "by-tls", "category": "rubbish",
        "place": {"lon": 121.805, "lat": 29.905, "datum": "CGCS2000"},
    });
    let answer =
        client.post(office.url("/api/v1/reports")).bearer_auth(&token).json(&report).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let receipt: Value = answer.json().await.unwrap();
    let case = office.url(receipt["case"].as_str().unwrap());
    while client.get(&case).bearer_auth(&token).send().await.unwrap().status() != StatusCode::OK {
        beat(std::time::Duration::from_millis(20)).await;
    }
    office.stop().await.unwrap();
    let audited = gridward("audit", &config);
    assert!(audited.status.success(), "{}", String::from_utf8_lossy(&audited.stdout));
}
