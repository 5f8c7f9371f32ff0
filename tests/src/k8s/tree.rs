//! What is compared: the files of `k8s/` and the sources they speak of, as texts, so that a test can plant a fault.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// Folders of manifests, and single files they are compared with.
const FOLDERS: [&str; 2] = ["k8s/base", "k8s/office"];
const FILES: [&str; 14] = [
    "k8s/README.md",
    "Dockerfile",
    "Cargo.toml",
    "tests/setup.sh",
    "docs/openapi.json",
    "shared/platform/src/http/serving.rs",
    "services/gridward/src/http/mod.rs",
    "services/discover/src/http/mod.rs",
    "services/handle/src/http/mod.rs",
    "services/supervise/src/http/mod.rs",
    "services/partner/src/http/mod.rs",
    "services/console/src/http/mod.rs",
    "services/route/src/lib.rs",
    "shared/packs/beilun/pack.json",
];

/// Texts by path, from the root of the sources.
#[derive(Clone)]
pub(super) struct Tree(BTreeMap<String, String>);

impl Tree {
    pub(super) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut paths: Vec<String> = FILES.map(str::to_owned).to_vec();
        for folder in FOLDERS {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                paths.push(format!("{folder}/{}", entry.unwrap().file_name().into_string().unwrap()));
            }
        }
        let text = |path: String| {
            let text = fs::read_to_string(root.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            (path, text)
        };
        Self(paths.into_iter().map(text).collect())
    }

    /// The same with the first `from` of one file turned into `to`.
    pub(super) fn with(&self, path: &str, from: &str, to: &str) -> Self {
        assert!(self.text(path).contains(from), "{path} has no {from:?} to plant a fault in");
        let mut planted = self.clone();
        planted.0.insert(path.to_owned(), self.text(path).replacen(from, to, 1));
        planted
    }

    pub(super) fn text(&self, path: &str) -> &str {
        self.0.get(path).unwrap_or_else(|| panic!("{path} was not read"))
    }

    /// The names of the files in a folder.
    pub(super) fn names(&self, folder: &str) -> Vec<&str> {
        let within = |path: &'_ String| path.strip_prefix(folder).is_some_and(|name| name.starts_with('/'));
        self.0.keys().filter(|path| within(path)).map(|path| &path[folder.len() + 1..]).collect()
    }
}

/// One manifest.
pub(super) struct Document {
    pub(super) file: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) body: Value,
}

impl Document {
    /// What stands at a JSON pointer, or null.
    pub(super) fn at(&self, pointer: &str) -> &Value {
        at(&self.body, pointer)
    }

    /// A fault of this document.
    pub(super) fn fault(&self, what: impl std::fmt::Display) -> String {
        format!("{}: {} {}: {what}", self.file, self.kind, self.name)
    }
}

/// What stands at a JSON pointer, or null.
pub(super) fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// The elements of a list, or none.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text, or the empty one.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The documents of a YAML text, as the JSON that a cluster is sent; a key that stands twice is an error.
pub(super) fn yaml(source: &str) -> Result<Vec<Value>, String> {
    let documents = Yaml::load_from_str(source).map_err(|error| error.to_string())?;
    documents.iter().map(json).collect()
}

fn json(node: &Yaml<'_>) -> Result<Value, String> {
    Ok(match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => Value::from(*value),
        Yaml::Value(Scalar::Integer(value)) => Value::from(*value),
        Yaml::Value(Scalar::FloatingPoint(value)) => Value::from(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => plain(value)?,
        Yaml::Sequence(values) => Value::Array(values.iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Mapping(fields) => {
            let mut object = Map::new();
            for (name, value) in fields {
                let name = name.as_str().ok_or("a key that is no text")?;
                object.insert(name.to_owned(), json(value)?);
            }
            Value::Object(object)
        }
        other => return Err(format!("no value of JSON: {other:?}")),
    })
}

/// Kubernetes reads YAML 1.1, where these are true and false; whoever means the words writes another one.
fn plain(word: &str) -> Result<Value, String> {
    if ["yes", "no", "on", "off", "y", "n"].contains(&word.to_lowercase().as_str()) {
        return Err(format!("`{word}` is a truth value in YAML 1.1 and a word in YAML 1.2"));
    }
    Ok(Value::from(word))
}

#[test]
fn yaml_is_read_as_a_cluster_reads_it() {
    assert_eq!(
        yaml("a: 1\n---\nb: \"1\"\nc: [x, true]\n").unwrap(),
        [serde_json::json!({"a": 1}), serde_json::json!({"b": "1", "c": ["x", true]})]
    );
    for wrong in ["a: 1\na: 2\n", "a: yes\n", "1: a\n", "a: !x 1\n", "a: [\n"] {
        assert!(yaml(wrong).is_err(), "{wrong}");
    }
}
