//! PostgreSQL: the databases, their order of text, and that what is committed stays.

use serde_json::json;

use super::cluster::{Cluster, SERVICES};
use super::pods::Pod;
use super::stream::{Place, must};
use super::tree::{at, list, text};

/// What an instance needs for itself: replication, its operator, a person who looks.
const FOR_OTHERS: i64 = 30;

/// Where the databases are, as the settings say.
pub(super) fn place(cluster: &Cluster) -> Place {
    let url = cluster.said("database.url");
    let after = url.split_once('@').map_or("", |(_, after)| after);
    Place::of(after.split('/').next().unwrap_or_default())
}

/// Each service has a database of its own, of the role that the settings name, in the order of bytes.
pub(super) fn databases(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    let url = cluster.said("database.url");
    let role = url.split_once("://").and_then(|(_, rest)| rest.split(['@', ':']).next()).unwrap_or_default();
    let Some(server) = cluster.of_kind("Cluster").next() else {
        return vec!["there is no Cluster of PostgreSQL".to_owned()];
    };
    if place(cluster).host != format!("{}-rw", server.name) {
        faults.push(server.fault(format_args!("database.url names {}", place(cluster).host)));
    }
    if !url.contains("sslmode=verify-full") {
        faults.push("database.url does not look whom it speaks to".to_owned());
    }
    for service in SERVICES {
        let own = url.replace("{service}", service);
        let name = own.rsplit('/').find(|part| part.starts_with("gridward_")).unwrap_or_default();
        let name = name.split('?').next().unwrap_or_default();
        let database = cluster.of_kind("Database").find(|one| text(one.at("/spec/name")) == name);
        let Some(database) = database else {
            faults.push(format!("there is no Database {name:?} for {service}"));
            continue;
        };
        for (pointer, wanted) in [
            ("/spec/cluster/name", json!(server.name)),
            ("/spec/owner", json!(role)),
            ("/spec/localeCollate", json!("C")),
            ("/spec/localeCType", json!("C")),
            ("/spec/encoding", json!("UTF8")),
            ("/spec/databaseReclaimPolicy", json!("retain")),
        ] {
            must(database, pointer, &wanted, &mut faults);
        }
    }
    for (pointer, wanted) in [
        ("/spec/bootstrap/initdb/owner", json!(role)),
        ("/spec/bootstrap/initdb/localeCollate", json!("C")),
        ("/spec/bootstrap/initdb/localeCType", json!("C")),
        ("/spec/bootstrap/initdb/encoding", json!("UTF8")),
        ("/spec/instances", json!(3)),
        (
            "/spec/postgresql/synchronous",
            json!({"method": "any", "number": 1, "dataDurability": "required", "failoverQuorum": true}),
        ),
    ] {
        must(server, pointer, &wanted, &mut faults);
    }
    for lax in ["fsync", "synchronous_commit", "full_page_writes"] {
        if !server.at(&format!("/spec/postgresql/parameters/{lax}")).is_null() {
            faults.push(server.fault(format_args!("{lax} is as it is")));
        }
    }
    faults
}

/// The server takes all connections that there can be at once, while everything rolls out.
pub(super) fn connections(cluster: &Cluster) -> Vec<String> {
    let mut most = FOR_OTHERS;
    for pod in Pod::all(cluster) {
        let of_env = list(at(pod.container, "/env"))
            .iter()
            .find(|one| text(at(one, "/name")) == "GRIDWARD_DATABASE_CONNECTIONS")
            .and_then(|one| text(at(one, "/value")).parse().ok());
        let each: i64 = of_env.unwrap_or_else(|| cluster.number("database.connections"));
        let copies = pod.document.at("/spec/replicas").as_i64().unwrap_or(1)
            + pod.document.at("/spec/strategy/rollingUpdate/maxSurge").as_i64().unwrap_or(0);
        // A service asks its own database; whoever is none may ask all.
        let databases = if SERVICES.contains(&pod.command()) { 1 } else { SERVICES.len() };
        most += each * copies * i64::try_from(databases).unwrap();
    }
    let mut faults = Vec::new();
    for server in cluster.of_kind("Cluster") {
        let limit = text(server.at("/spec/postgresql/parameters/max_connections")).parse().unwrap_or(100);
        if most > limit {
            faults.push(server.fault(format_args!("max_connections is {limit}, and {most} may be wanted")));
        }
    }
    faults
}
