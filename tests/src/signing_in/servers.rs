//! console alone in its process, on PostgreSQL; of the broker it reads the register of packs.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::PASSWORD;
use crate::fleet::{FILE, has_servers, settings};
use crate::instance::{Instance, binary, free_port};
use crate::process::client;

#[tokio::test(flavor = "multi_thread")]
async fn console_runs_alone_and_what_it_signs_the_others_take() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    settings(folder.path(), "twostreets", "").await.unwrap();
    let file = folder.path().join(FILE);
    let http = client().unwrap();
    let port = free_port().unwrap();
    let arguments = ["console", "--config", file.to_str().unwrap(), "--listen", &format!("127.0.0.1:{port}")];
    let arguments = arguments.iter().map(Into::into).collect();
    let mut instance = Instance::new("console", arguments, &folder.path().join("console.log"), port, &http);
    instance.start().await.unwrap();

    let mut add = Command::new(binary().unwrap());
    add.args(["account", "add", "worker-111", "--password-stdin", "--config"]).arg(&file);
    add.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
    let mut add = add.spawn().unwrap();
    std::io::Write::write_all(&mut add.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    assert!(add.wait().unwrap().success());

    let typed = json!({ "name": "worker-111", "password": PASSWORD });
    let answer = http.post(instance.url("/api/v1/sessions")).json(&typed).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    let signed_in: Value = answer.json().await.unwrap();
    let tokens = platform::token::Tokens::of_folder(folder.path()).unwrap();
    let token = signed_in["token"].as_str().unwrap();
    let principal = tokens.verify(token, platform::clock::host_now()).unwrap();
    assert_eq!((principal.person.0.as_str(), principal.grants.len()), ("worker-111", 1));
    let metrics = http.get(instance.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("gridward_since_round_seconds{loop=\"console\"}"), "{metrics}");
    assert!(!instance.said().contains(PASSWORD), "{}", instance.said());
    instance.stop().await.unwrap();
}
