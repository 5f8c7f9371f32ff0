//! Every manifest against the bundled schema of its kind: `k8s/schemas/SOURCE.md` says where they come from.

use std::collections::BTreeMap;
use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use super::tree::Document;

/// The schemas, compiled when first asked for and once only: it takes longer than everything else here.
pub(super) struct Kinds {
    compiler: Compiler,
    schemas: Schemas,
    known: BTreeMap<String, Option<SchemaIndex>>,
}

impl Kinds {
    pub(super) fn new() -> Self {
        Self { compiler: Compiler::new(), schemas: Schemas::new(), known: BTreeMap::new() }
    }

    /// Where a document is not of its kind, one line each.
    pub(super) fn faults(&mut self, document: &Document) -> Vec<String> {
        let kind = document.kind.to_lowercase();
        let Some(schema) = self.schema(&kind) else {
            return vec![document.fault("there is no schema of this kind in k8s/schemas")];
        };
        let Err(error) = self.schemas.validate(&document.body, schema) else { return Vec::new() };
        let mut faults = Vec::new();
        leaves(&error, &mut |at, what| faults.push(document.fault(format_args!("{at}: {what}"))));
        faults
    }

    fn schema(&mut self, kind: &str) -> Option<SchemaIndex> {
        if let Some(known) = self.known.get(kind) {
            return *known;
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../k8s/schemas/{kind}.json"));
        let found = std::fs::read_to_string(&path).ok().map(|text| {
            let schema: Value = serde_json::from_str(&text).unwrap();
            let place = format!("http://gridward.invalid/{kind}.json");
            self.compiler.add_resource(&place, schema).unwrap();
            self.compiler.compile(&place, &mut self.schemas).unwrap()
        });
        self.known.insert(kind.to_owned(), found);
        found
    }
}

/// What is wrong at the bottom, not which of its parents are wrong therefore.
fn leaves(error: &boon::ValidationError<'_, '_>, tell: &mut impl FnMut(String, String)) {
    if error.causes.is_empty() {
        tell(error.instance_location.to_string(), error.kind.to_string());
    }
    for cause in &error.causes {
        leaves(cause, tell);
    }
}

#[test]
fn every_object_of_a_schema_has_what_is_named_alone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../k8s/schemas");
    let mut kinds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            open(&schema, &mut |open| panic!("{}: {open}", path.display()));
            kinds += 1;
        }
    }
    assert_eq!(kinds, 13);
}

/// Objects that would let a misspelt field pass. Alternatives of one that is closed itself are parts of it.
fn open(schema: &Value, tell: &mut impl FnMut(&Value)) {
    let Value::Object(fields) = schema else { return };
    let typed = fields.get("type").is_some_and(|kind| kind == "object");
    if typed && fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
        tell(schema);
    }
    for (word, value) in fields {
        match word.as_str() {
            "properties" | "$defs" => {
                value.as_object().unwrap().values().for_each(|one| open(one, tell));
            }
            "items" | "additionalProperties" => open(value, tell),
            _ => {}
        }
    }
}
