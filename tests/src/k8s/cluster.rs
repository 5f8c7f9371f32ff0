//! The manifests together with the settings that their pods are given.

use serde_json::Value;
use toml::Table;

use super::schema::Kinds;
use super::settings;
use super::tree::{Document, Tree, at, list, text, yaml};

/// Where the settings of all pods lie in the sources, and in a pod.
pub(super) const SETTINGS: &str = "k8s/base/gridward.toml";
pub(super) const FOLDER: &str = "/etc/gridward";
/// In the order an incident meets them.
pub(super) const SERVICES: [&str; 6] = ["discover", "route", "handle", "supervise", "partner", "console"];

/// Everything that would be sent to a cluster, and what it is compared with.
pub(super) struct Cluster {
    pub(super) tree: Tree,
    pub(super) kustomization: Value,
    pub(super) documents: Vec<Document>,
    pub(super) settings: Table,
}

impl Cluster {
    /// # Errors
    /// What cannot be read, what is not listed, and what is not of its kind.
    pub(super) fn of(tree: &Tree, kinds: &mut Kinds) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut read = |path: &str| {
            yaml(tree.text(path)).unwrap_or_else(|error| {
                faults.push(format!("{path}: {error}"));
                Vec::new()
            })
        };
        let kustomization = read("k8s/base/kustomization.yaml").pop().unwrap_or_default();
        let mut documents = Vec::new();
        for name in tree.names("k8s/base") {
            if name.ends_with(".yaml") && name != "kustomization.yaml" {
                let file = format!("k8s/base/{name}");
                documents.extend(read(&file).into_iter().map(|body| document(file.clone(), body)));
            }
        }
        faults.extend(documents.iter().flat_map(|document| kinds.faults(document)));
        let settings: Table = tree.text(SETTINGS).parse().unwrap_or_else(|error| {
            faults.push(format!("{SETTINGS}: {error}"));
            Table::new()
        });
        faults.extend(settings::unknown(&settings));
        let cluster = Self { tree: tree.clone(), kustomization, documents, settings };
        faults.extend(cluster.unlisted());
        if faults.is_empty() { Ok(cluster) } else { Err(faults) }
    }

    /// Files that no kustomization names, and names without a file.
    fn unlisted(&self) -> Vec<String> {
        let mut named: Vec<&str> = list(at(&self.kustomization, "/resources")).iter().map(text).collect();
        named.extend(self.generated().flat_map(|generator| list(at(generator, "/files"))).map(text));
        named.push("kustomization.yaml");
        let files = self.tree.names("k8s/base");
        let mut faults = Vec::new();
        for file in &files {
            if !named.contains(file) {
                faults.push(format!("k8s/base/{file} is not in kustomization.yaml"));
            }
        }
        for name in named {
            if !files.contains(&name) {
                faults.push(format!("kustomization.yaml names {name}, and there is no such file"));
            }
        }
        faults
    }

    /// The ConfigMaps that kustomize makes.
    pub(super) fn generated(&self) -> impl Iterator<Item = &Value> {
        list(at(&self.kustomization, "/configMapGenerator")).iter()
    }

    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Document> {
        self.documents.iter().filter(move |document| document.kind == kind)
    }

    pub(super) fn find(&self, kind: &str, name: &str) -> Option<&Document> {
        self.of_kind(kind).find(|document| document.name == name)
    }

    /// A setting by its dotted name: what the file says, or else the default.
    pub(super) fn setting(&self, name: &str) -> toml::Value {
        let defaults: Table = gridward::settings::DEFAULTS.parse().unwrap();
        let given = look(&self.settings, name).or_else(|| look(&defaults, name));
        given.unwrap_or_else(|| panic!("there is no setting {name}"))
    }

    /// A setting that is a text.
    pub(super) fn said(&self, name: &str) -> String {
        self.setting(name).as_str().unwrap_or_else(|| panic!("{name} is no text")).to_owned()
    }

    /// A setting that is a number.
    pub(super) fn number(&self, name: &str) -> i64 {
        self.setting(name).as_integer().unwrap_or_else(|| panic!("{name} is no number"))
    }

    /// The port that every process listens on.
    pub(super) fn port(&self) -> i64 {
        let listen = self.said("listen");
        listen.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_default()
    }
}

fn look(table: &Table, name: &str) -> Option<toml::Value> {
    match name.split_once('.') {
        Some((section, name)) => look(table.get(section)?.as_table()?, name),
        None => table.get(name).cloned(),
    }
}

fn document(file: String, body: Value) -> Document {
    let kind = text(at(&body, "/kind")).to_owned();
    let name = text(at(&body, "/metadata/name")).to_owned();
    Document { file, kind, name, body }
}

/// No two of a kind have one name, or the second would take the place of the first.
pub(super) fn names(cluster: &Cluster) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let again = cluster.documents.iter().filter(|one| !seen.insert((&one.kind, &one.name)));
    again.map(|one| one.fault("there is another one of this name")).collect()
}
