//! What runs: its command, port, probes, files and rights.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cluster::{Cluster, FOLDER, SERVICES};
use super::command_line;
use super::tree::{Document, at, list, text};

/// After `drain_seconds`: how long people are answered who are inside, how long leaving the broker may take, and
/// what is left to be sure.
const FINISHING_SECONDS: i64 = 10 + 10;
const MARGIN_SECONDS: i64 = 10;

/// A pod of ours, with its one container.
pub(super) struct Pod<'a> {
    pub(super) document: &'a Document,
    pub(super) template: &'a Value,
    pub(super) container: &'a Value,
}

impl<'a> Pod<'a> {
    pub(super) fn all(cluster: &'a Cluster) -> Vec<Self> {
        let whole = cluster.of_kind("Deployment").chain(cluster.of_kind("Job"));
        whole
            .map(|document| {
                let template = document.at("/spec/template");
                Self { document, template, container: at(template, "/spec/containers/0") }
            })
            .collect()
    }

    fn arguments(&self) -> Vec<&'a str> {
        list(at(self.container, "/args")).iter().map(text).collect()
    }

    /// What it runs: `discover`, `migrate`, …
    pub(super) fn command(&self) -> &'a str {
        self.arguments().first().copied().unwrap_or_default()
    }

    fn component(&self) -> &'a str {
        text(at(self.template, "/metadata/labels/app.kubernetes.io~1component"))
    }

    /// The files that its volume puts into the folder of settings.
    fn files(&self, cluster: &'a Cluster) -> BTreeSet<&'a str> {
        let mut files = BTreeSet::new();
        for source in list(at(self.template, "/spec/volumes/0/projected/sources")) {
            let config = text(at(source, "/configMap/name"));
            for generator in cluster.generated().filter(|one| text(at(one, "/name")) == config) {
                files.extend(list(at(generator, "/files")).iter().map(text));
            }
            files.extend(list(at(source, "/secret/items")).iter().map(|item| text(at(item, "/path"))));
        }
        files
    }
}

/// Each runs a command that there is, under its own name, with the settings.
pub(super) fn commands(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    let pods = Pod::all(cluster);
    for pod in &pods {
        let arguments = pod.arguments();
        if let Some(why) = command_line::refused(&arguments) {
            faults.push(pod.document.fault(format_args!("the program does not take {arguments:?}: {why}")));
        }
        let file = format!("{FOLDER}/gridward.toml");
        if arguments.get(1..3) != Some(&["--config", file.as_str()][..]) {
            faults.push(pod.document.fault(format_args!("it is not given --config {file}")));
        }
        let own = pod.command();
        let named = [pod.component(), text(at(pod.container, "/name"))];
        if named != [own; 2] || pod.document.name != format!("gridward-{own}") {
            faults.push(pod.document.fault(format_args!("it runs {own:?} under another name")));
        }
        if list(at(pod.template, "/spec/containers")).len() != 1 {
            faults.push(pod.document.fault("it has more than one container"));
        }
    }
    for wanted in SERVICES.iter().chain(&["migrate", "audit"]) {
        if !pods.iter().any(|pod| pod.command() == *wanted) {
            faults.push(format!("nothing runs `gridward {wanted}`"));
        }
    }
    faults
}

/// A Deployment finds its pods, and its Service them and the port they listen on.
pub(super) fn ports(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    let port = cluster.port();
    for pod in Pod::all(cluster).iter().filter(|pod| pod.document.kind == "Deployment") {
        let labels = at(pod.template, "/metadata/labels");
        let ports = list(at(pod.container, "/ports"));
        if ports != [json!({"name": "http", "containerPort": port})] {
            faults.push(pod.document.fault(format_args!("`http` is not {port}, where it listens")));
        }
        let scraped = at(pod.template, "/metadata/annotations/prometheus.io~1port");
        if text(scraped) != port.to_string() {
            faults.push(pod.document.fault("its metrics are looked for on another port"));
        }
        if pod.document.at("/spec/selector/matchLabels") != labels {
            faults.push(pod.document.fault("it does not select its own pods"));
        }
        let Some(service) = cluster.find("Service", &pod.document.name) else {
            faults.push(pod.document.fault("it has no Service"));
            continue;
        };
        if service.at("/spec/selector") != labels {
            faults.push(service.fault("it selects other pods"));
        }
        if service.at("/spec/ports") != &json!([{"name": "http", "port": port, "targetPort": "http"}]) {
            faults.push(service.fault(format_args!("its port is not {port}, the pods' `http`")));
        }
    }
    faults
}

/// Probes ask for what is served, are in time before a pod ends, and the end is waited for.
pub(super) fn probes(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    let served = cluster.tree.text("shared/platform/src/http/serving.rs");
    let drain = cluster.number("drain_seconds");
    for pod in Pod::all(cluster).iter().filter(|pod| pod.document.kind == "Deployment") {
        let service = SERVICES.contains(&pod.command());
        for (probe, wanted) in
            [("startupProbe", "live"), ("livenessProbe", "live"), ("readinessProbe", "ready")]
        {
            let (path, port) =
                (format!("/{probe}/httpGet/path"), at(pod.container, &format!("/{probe}/httpGet/port")));
            let path = text(at(pod.container, &path));
            if service && path != format!("/health/{wanted}") {
                faults.push(pod.document.fault(format_args!("its {probe} does not ask /health/{wanted}")));
            }
            if !path.is_empty() && (!served.contains(&format!(".route(\"{path}\"")) || port != "http") {
                faults.push(pod.document.fault(format_args!("nobody serves {path} to its {probe}")));
            }
        }
        let number = |name: &str| at(pod.container, &format!("/readinessProbe/{name}")).as_i64();
        let seen = number("periodSeconds").zip(number("failureThreshold"));
        if service && seen.is_none_or(|(period, times)| period * times >= drain) {
            faults.push(pod.document.fault(format_args!("that it ends is not seen in {drain} s")));
        }
        let grace = at(pod.template, "/spec/terminationGracePeriodSeconds").as_i64().unwrap_or(30);
        if grace < drain + FINISHING_SECONDS + MARGIN_SECONDS {
            faults.push(pod.document.fault(format_args!("{grace} s are too few to end in")));
        }
    }
    faults
}

/// Every file that the settings name is in the pod; of keys, only where tokens are looked at.
pub(super) fn files(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    for pod in Pod::all(cluster) {
        let there = pod.files(cluster);
        let key = SERVICES.contains(&pod.command());
        let settings = format!("{FOLDER}/gridward.toml");
        for named in named_files(&cluster.settings).into_iter().chain([settings]) {
            let wanted = named != cluster.said("token_key_file") || key;
            let name = named.strip_prefix(FOLDER).and_then(|name| name.strip_prefix('/')).unwrap_or(&named);
            if wanted != there.contains(name) {
                let what = if wanted { "is not given" } else { "has no use for" };
                faults.push(pod.document.fault(format_args!("it {what} {named}")));
            }
        }
        let mount = at(pod.container, "/volumeMounts");
        if mount != &json!([{"name": "settings", "mountPath": FOLDER, "readOnly": true}]) {
            faults.push(pod.document.fault(format_args!("{FOLDER} is not its one mount")));
        }
        for source in list(at(pod.template, "/spec/volumes/0/projected/sources")) {
            // Deployments roll out with a new name, and a Job must never see one.
            let config = text(at(source, "/configMap/name"));
            let generator = cluster.generated().find(|one| text(at(one, "/name")) == config);
            let fixed =
                generator.is_some_and(|one| at(one, "/options/disableNameSuffixHash") == &json!(true));
            if !config.is_empty() && fixed != (pod.document.kind == "Job") {
                faults.push(pod.document.fault(format_args!("{config} is not the ConfigMap for it")));
            }
            let secret = text(at(source, "/secret/name"));
            if !secret.is_empty() && !cluster.tree.text("k8s/README.md").contains(&format!("`{secret}`")) {
                faults
                    .push(pod.document.fault(format_args!("k8s/README.md does not say what {secret} holds")));
            }
        }
    }
    faults
}

/// The absolute paths among the settings, also within a URL; the pack's is in the image.
fn named_files(settings: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in settings {
        match value {
            toml::Value::Table(inner) => found.extend(named_files(inner)),
            toml::Value::String(value) if name == "url" => {
                let after = value.split("sslrootcert=").nth(1).unwrap_or_default();
                found.extend(after.split('&').next().filter(|path| !path.is_empty()).map(str::to_owned));
            }
            toml::Value::String(value) if name.ends_with("_file") => found.push(value.clone()),
            _ => {}
        }
    }
    found
}

/// No pod can do more than it must.
pub(super) fn rights(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    for pod in Pod::all(cluster) {
        for (pointer, wanted) in [
            ("/spec/automountServiceAccountToken", json!(false)),
            // Or every Service adds names in the environment that begin as settings do.
            ("/spec/enableServiceLinks", json!(false)),
            ("/spec/securityContext/runAsNonRoot", json!(true)),
            ("/spec/securityContext/seccompProfile/type", json!("RuntimeDefault")),
            ("/spec/containers/0/securityContext/allowPrivilegeEscalation", json!(false)),
            ("/spec/containers/0/securityContext/readOnlyRootFilesystem", json!(true)),
            ("/spec/containers/0/securityContext/capabilities/drop", json!(["ALL"])),
        ] {
            if at(pod.template, pointer) != &wanted {
                faults.push(pod.document.fault(format_args!("{pointer} is not {wanted}")));
            }
        }
        for amount in ["requests/cpu", "requests/memory", "limits/memory"] {
            if at(pod.container, &format!("/resources/{amount}")).is_null() {
                faults.push(pod.document.fault(format_args!("it says nothing of {amount}")));
            }
        }
    }
    faults
}

/// The five services differ in their names alone, run twice or more, and are never fewer than that.
pub(super) fn services(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    let alike = |service: &str| {
        let of = cluster.documents.iter().filter(|one| one.file == format!("k8s/base/{service}.yaml"));
        of.map(|one| one.body.to_string().replace(service, "SERVICE")).collect::<Vec<_>>()
    };
    for service in SERVICES {
        if alike(service) != alike(SERVICES[0]) {
            faults.push(format!(
                "k8s/base/{service}.yaml differs from {}.yaml in more than names",
                SERVICES[0]
            ));
        }
        let name = format!("gridward-{service}");
        let Some(deployment) = cluster.find("Deployment", &name) else { continue };
        if deployment.at("/spec/replicas").as_i64().unwrap_or(1) < 2
            || deployment.at("/spec/strategy/rollingUpdate/maxUnavailable") != &json!(0)
        {
            faults.push(deployment.fault("it is gone while one of it is replaced"));
        }
        let budget = cluster.find("PodDisruptionBudget", &name);
        if budget.is_none_or(|budget| budget.at("/spec/selector") != deployment.at("/spec/selector")) {
            faults.push(deployment.fault("nothing keeps its pods from being evicted all at once"));
        }
    }
    faults
}
