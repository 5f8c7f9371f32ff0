//! Who reaches what: the API by its paths, each other by their ports.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cluster::{Cluster, SERVICES};
use super::tree::{at, list, text};

/// Where the API's description itself is served, by everybody.
const DESCRIPTION: &str = "/api/v1/openapi.json";

/// Every endpoint reaches the service that has it, and nothing but endpoints is reached.
pub(super) fn paths(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    let api: Value = serde_json::from_str(cluster.tree.text("docs/openapi.json")).unwrap();
    for path in at(&api, "/paths").as_object().unwrap().keys() {
        let owner = owner(cluster, path);
        let reached = reached(cluster, path);
        if owner.is_none() || reached != owner.map(|owner| format!("gridward-{owner}")) {
            faults.push(format!("{path} is served by {owner:?}, and the Ingress leads to {reached:?}"));
        }
    }
    if !cluster.tree.text("services/gridward/src/http/mod.rs").contains(&format!("\"{DESCRIPTION}\""))
        || reached(cluster, DESCRIPTION).is_none()
    {
        faults.push(format!("the Ingress does not lead to {DESCRIPTION}"));
    }
    for inside in ["/", "/metrics", "/health/live", "/health/ready", "/api/v1/reportsx"] {
        if let Some(reached) = reached(cluster, inside) {
            faults.push(format!("the Ingress leads from outside to {inside} of {reached}"));
        }
    }
    for ingress in cluster.of_kind("Ingress") {
        for rule in list(ingress.at("/spec/rules")) {
            let host = at(rule, "/host");
            if !list(ingress.at("/spec/tls")).iter().any(|tls| list(at(tls, "/hosts")).contains(host)) {
                faults.push(ingress.fault(format_args!("{host} is served without TLS")));
            }
            for path in list(at(rule, "/http/paths")) {
                let service = text(at(path, "/backend/service/name"));
                let port = at(path, "/backend/service/port/name");
                let there = cluster.find("Service", service).is_some_and(|service| {
                    list(service.at("/spec/ports")).iter().any(|one| at(one, "/name") == port)
                });
                if !there {
                    faults
                        .push(ingress.fault(format_args!("there is no Service {service} with port {port}")));
                }
            }
        }
    }
    faults
}

/// The service whose sources route `path`.
fn owner(cluster: &Cluster, path: &str) -> Option<&'static str> {
    let routed = |service: &&str| {
        *service != "route"
            && cluster
                .tree
                .text(&format!("services/{service}/src/http/mod.rs"))
                .contains(&format!(".route(\"{path}\""))
    };
    SERVICES.into_iter().find(routed)
}

/// The Service that the Ingress leads to, by the rules of Kubernetes: the longest that fits, element by element.
fn reached(cluster: &Cluster, path: &str) -> Option<String> {
    let rules = cluster.of_kind("Ingress").flat_map(|ingress| list(ingress.at("/spec/rules")));
    let fits = |one: &&Value| {
        let prefix = text(at(one, "/path"));
        match text(at(one, "/pathType")) {
            "Exact" => path == prefix,
            _ => {
                let rest = path.strip_prefix(prefix.trim_end_matches('/'));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    };
    rules
        .flat_map(|rule| list(at(rule, "/http/paths")))
        .filter(fits)
        .max_by_key(|one| text(at(one, "/path")).len())
        .map(|one| text(at(one, "/backend/service/name")).to_owned())
}

/// The policies let through the ports that are spoken to, and no others.
pub(super) fn policies(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    let database = super::database::place(cluster);
    let bootstrap = super::stream::place(cluster);
    let mut wanted = |name: &str, direction: &str, ports: &[i64]| {
        let Some(policy) = cluster.find("NetworkPolicy", name) else {
            faults.push(format!("there is no NetworkPolicy {name}"));
            return;
        };
        let rules = list(policy.at(&format!("/spec/{direction}")));
        let found: BTreeSet<i64> = rules
            .iter()
            .flat_map(|rule| list(at(rule, "/ports")))
            .filter_map(|one| at(one, "/port").as_i64())
            .collect();
        let open = rules.iter().any(|rule| list(at(rule, "/ports")).is_empty());
        if open || found != ports.iter().copied().collect() {
            faults.push(policy.fault(format_args!("{direction} lets through {found:?}, not {ports:?}")));
        }
    };
    let port = cluster.port();
    wanted("gridward", "ingress", &[port]);
    wanted("gridward", "egress", &[53, database.port, bootstrap.port]);
    wanted("gridward-api", "ingress", &[port]);
    // Besides: between instances and from the operator, and its metrics.
    wanted("gridward-postgres", "ingress", &[database.port, 8000, 9187]);
    let reached: BTreeSet<String> = list(
        cluster
            .find("NetworkPolicy", "gridward-api")
            .map_or(&Value::Null, |policy| policy.at("/spec/podSelector/matchExpressions/0/values")),
    )
    .iter()
    .map(|one| format!("gridward-{}", text(one)))
    .collect();
    let led: BTreeSet<String> = cluster
        .of_kind("Ingress")
        .flat_map(|ingress| list(ingress.at("/spec/rules")))
        .flat_map(|rule| list(at(rule, "/http/paths")))
        .map(|path| text(at(path, "/backend/service/name")).to_owned())
        .collect();
    if reached != led {
        faults.push(format!("the Ingress leads to {led:?}, and the network lets it to {reached:?}"));
    }
    faults
}
