//! A pack is published while the services run: on a file, on servers, and what becomes of cases whose area or category
//! is gone.

mod cases;
mod confidence;
mod on_a_file;
mod on_servers;
mod partners;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::fleet::STUCK;
use crate::instance::{Instance, beat, binary};
use crate::pack_copy::PackCopy as Edition;

impl Edition {
    /// Another leader in grid 111, and half as much time again to sign, under another version of the policy.
    fn with_another_leader() -> Self {
        Self::copy()
            .with(
                "people.csv",
                "leader-111,示意网格长 111,Leader 111",
                "leader-new,示意网格长新,The new leader",
            )
            .with("pack.json", "\"twostreets-1\"", "\"twostreets-2\"")
            .with("pack.json", "\"sign_limit\": \"10m\"", "\"sign_limit\": \"15m\"")
    }

    /// The same without anybody in grid 111.
    fn without_a_leader() -> Self {
        let line = "leader-new,示意网格长新,The new leader,grid_leader,990001001001001\n";
        Self::with_another_leader().with("people.csv", line, "")
    }
}

/// What a command said, and whether it did as asked.
struct Said {
    done: bool,
    text: String,
}

fn gridward(arguments: &[&str], place: &[&str]) -> Said {
    let output = Command::new(binary().unwrap()).args(arguments).args(place).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Said { done: output.status.success(), text: text.into_owned() }
}

/// Publishes an edition where `place` says: `--data FOLDER` or `--config FILE`.
fn publish(edition: &Edition, place: &[&str], more: &[&str]) -> Said {
    let folder = edition.folder();
    let arguments = ["pack", "publish", folder.to_str().unwrap(), "--by", "anna"];
    gridward(&[&arguments[..], more].concat(), place)
}

/// Publishes it, and answers its digest.
fn published(edition: &Edition, place: &[&str]) -> String {
    let said = publish(edition, place, &[]);
    assert!(said.done && said.text.contains("published twostreets"), "{}", said.text);
    digest(&edition.folder())
}

fn digest(folder: &Path) -> String {
    platform::pack::Pack::load(folder).unwrap().digest
}

/// What `gridward pack status` says.
fn status(place: &[&str]) -> Value {
    let said = gridward(&["pack", "status", "--json"], place);
    assert!(said.done, "{}", said.text);
    serde_json::from_str(&said.text).unwrap_or_else(|_| panic!("not JSON: {}", said.text))
}

/// What a process says of the pack in force.
async fn in_force(instance: &Instance) -> Value {
    let client = crate::process::client().unwrap();
    let answer = client.get(instance.url("/health/ready")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.json::<Value>().await.unwrap()["pack"].take()
}

/// Waits until a process goes by this version.
async fn goes_by(instance: &Instance, digest: &str) {
    let looked = tokio::time::timeout(STUCK, async {
        while !digest.starts_with(in_force(instance).await["version"].as_str().unwrap()) {
            beat(Duration::from_millis(10)).await;
        }
    });
    looked
        .await
        .unwrap_or_else(|_| panic!("{} never goes by {digest}: {}", instance.name(), instance.said()));
}

/// Editions that cannot be used, and where and why they are refused.
fn bad_ones() -> Vec<(Edition, &'static str)> {
    let copy = Edition::copy;
    vec![
        (
            copy().with("areas.csv", "community,990001001,", "community,990001009,"),
            "areas.csv:4: area `990001001001` names the parent `990001009`, which is not listed above it",
        ),
        (
            copy().with("categories.csv", "rubbish,", "gas,"),
            "categories.csv:3: category `gas` is listed twice",
        ),
        (
            copy().with("people.csv", "Checker 1,checker", "Checker 1,chequer"),
            "people.csv:14: `chequer` is not a role",
        ),
        (
            copy().with("pack.json", "{ \"to\": \"street\", \"after\": \"1m\" },", ""),
            "pack.json:25:17: policy.handle.escalate[1].to: from community to county the street is left out",
        ),
        (
            copy().with("../calendars/cn.json", "\"2026-02-14\"", "\"2026-02-11\""),
            "../calendars/cn.json:63:13: 2026: make-up working day 2026-02-11 is not a Saturday or Sunday",
        ),
        (
            copy().with("pack.json", "\"datum\": \"CGCS2000\", \"valid_from\"", "\"datum\": \"北京54\", \"valid_from\""),
            "pack.json:13:73: boundaries[0].datum: `北京54` is not a datum",
        ),
        (
            copy().with(
                "pack.json",
                "\"to\": \"community\" }\n    ]",
                "\"to\": \"community\" },\n      { \"name\": \"again\", \"categories\": [\"gas\"], \"to\": \"community\" }\n    ]",
            ),
            "routing.rules[4]: the earlier rule `community` takes all that `again` would",
        ),
        (
            copy().with("pack.json", "\"valid_from\": \"2020-01-01\"", "\"valid_from\": \"2220-01-01\""),
            "pack.json:13:5: boundaries[0]: grids.geojson is not in force on 2",
        ),
        (
            copy().edited("grids.geojson", |grids| {
                grids["features"][0]["properties"]["code"] = "990001001009009".into();
            }),
            "grids.geojson:3: feature 1 (code 990001001009009): the list of areas has no such grid",
        ),
    ]
}

/// A point in the middle of grid 111, as a device sends it.
fn report(client_id: &str) -> Value {
    let (lon, lat) = crate::world::IN_GRID_111;
    serde_json::json!({
        "client_id": client_id, "category": "rubbish",
        "place": { "lon": lon, "lat": lat, "datum": "CGCS2000" },
    })
}
