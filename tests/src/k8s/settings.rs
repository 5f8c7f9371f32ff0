//! The settings file and the environment against the list of what there is to set.

use toml::{Table, Value};

use super::cluster::{Cluster, SETTINGS};
use super::pods::Pod;
use super::tree::{at, list, text};

/// Every setting of the file is a setting of the program, of the same kind.
pub(super) fn unknown(given: &Table) -> Vec<String> {
    let defaults: Table = gridward::settings::DEFAULTS.parse().unwrap();
    let mut faults = Vec::new();
    compare(given, &defaults, "", &mut faults);
    faults
}

/// It is asked from outside, and the file is no secret.
pub(super) fn file(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    if !cluster.said("listen").starts_with("0.0.0.0:") {
        faults.push(format!("{SETTINGS}: `listen` must be 0.0.0.0: a pod is asked from outside"));
    }
    for secret in ["database.password", "kafka.sasl_password"] {
        if !cluster.said(secret).is_empty() {
            faults.push(format!("{SETTINGS}: {secret} is a secret, and this file is none"));
        }
    }
    faults
}

fn compare(given: &Table, known: &Table, within: &str, faults: &mut Vec<String>) {
    for (name, value) in given {
        match (value, known.get(name)) {
            (_, None) => faults.push(format!("{SETTINGS}: there is no setting {within}{name}")),
            (Value::Table(given), Some(Value::Table(known))) => {
                compare(given, known, &format!("{within}{name}."), faults);
            }
            (value, Some(known)) if !value.same_type(known) => {
                faults.push(format!("{SETTINGS}: {within}{name} must be a {}", known.type_str()));
            }
            _ => {}
        }
    }
}

/// Every name in the environment of a pod is a setting's.
pub(super) fn environment(cluster: &Cluster) -> Vec<String> {
    let known = in_environment();
    let mut faults = Vec::new();
    for pod in Pod::all(cluster) {
        for one in list(at(pod.container, "/env")) {
            let name = text(at(one, "/name"));
            if !known.iter().any(|known| known == name) {
                faults.push(pod.document.fault(format_args!("there is no setting {name}")));
            }
        }
    }
    faults
}

/// The names of all settings as the environment has them.
fn in_environment() -> Vec<String> {
    let defaults: Table = gridward::settings::DEFAULTS.parse().unwrap();
    let mut names = Vec::new();
    for (name, value) in &defaults {
        match value {
            Value::Table(inner) => names.extend(inner.keys().map(|key| format!("{name}_{key}"))),
            _ => names.push(name.clone()),
        }
    }
    names.iter().map(|name| format!("GRIDWARD_{}", name.to_uppercase())).collect()
}
