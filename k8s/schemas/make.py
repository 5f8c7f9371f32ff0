#!/usr/bin/env python3
"""Writes the schemas beside this file from three published packages; SOURCE.md says which, and how to get them.

    make.py KUBERNETES CRDS BINDINGS

KUBERNETES  the folder vX.Y.0-local-strict of kubernetes-validate
CRDS        a folder with the definitions that Strimzi's generator writes, *.yaml
BINDINGS    the folder src of the crate k8s-crds-cloud-native-pg

Descriptions are left out, whatever no kind of ours reaches is left out, and what an object does not have fails.
"""

import json
import pathlib
import re
import sys

import yaml

HERE = pathlib.Path(__file__).parent
CORE = {
    "configmap": "io.k8s.api.core.v1.ConfigMap",
    "service": "io.k8s.api.core.v1.Service",
    "deployment": "io.k8s.api.apps.v1.Deployment",
    "job": "io.k8s.api.batch.v1.Job",
    "poddisruptionbudget": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "ingress": "io.k8s.api.networking.v1.Ingress",
    "networkpolicy": "io.k8s.api.networking.v1.NetworkPolicy",
}
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# What validates; the rest of a schema explains, or is for a server (x-kubernetes-…).
KEPT = [
    "type", "enum", "const", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    "required", "properties", "additionalProperties", "items", "oneOf", "anyOf", "allOf", "not", "$ref",
]


def lean(schema):
    """`schema` with what validates alone; a field that is written down has a value, so null goes."""
    if isinstance(schema, bool):
        return schema
    kept = {}
    for word in KEPT:
        if word not in schema:
            continue
        value = schema[word]
        if word == "properties":
            value = {name: lean(one) for name, one in value.items()}
        elif word in ("oneOf", "anyOf", "allOf"):
            value = [lean(one) for one in value]
        elif word in ("items", "additionalProperties", "not"):
            value = lean(value)
        elif word == "$ref":
            value = "#/$defs/" + value.rsplit("/", 1)[1]
        elif word == "type" and isinstance(value, list):
            value = [one for one in value if one != "null"]
            value = value[0] if len(value) == 1 else value
        kept[word] = value
    if schema.get("x-kubernetes-int-or-string"):
        kept = {"type": ["integer", "string"]}
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        kept["additionalProperties"] = True
    return kept


def close(schema):
    """Lets an object have what is named alone. Alternatives are left as they are: each names a part of it."""
    if not isinstance(schema, dict):
        return
    if "properties" in schema and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    for one in schema.get("properties", {}).values():
        close(one)
    for word in ("items", "additionalProperties"):
        close(schema.get(word))


def reached(schema, definitions, found):
    """Everything that `schema` refers to, directly or not."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            if name not in found:
                found[name] = definitions[name]
                reached(definitions[name], definitions, found)
        for value in schema.values():
            reached(value, definitions, found)
    elif isinstance(schema, list):
        for value in schema:
            reached(value, definitions, found)
    return found


def write(kind, version, spec, definitions):
    """One kind of one version: its four parts, and what they refer to."""
    name = kind.lower()
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"] + ([] if name == "configmap" else ["spec"]),
        "properties": {"apiVersion": {"const": version}, "kind": {"const": kind}, "metadata": {"$ref": "#/$defs/" + META}}
        | spec,
        "additionalProperties": False,
    }
    schema["$defs"] = dict(sorted(reached(schema, definitions, {}).items()))
    (HERE / f"{name}.json").write_text(laid_out(schema) + "\n", encoding="utf-8")


def laid_out(schema):
    """A definition a line, so that a newer version shows what has changed."""
    lines = []
    for word, value in schema.items():
        if isinstance(value, dict) and value:
            inner = ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items())
            lines.append(f" {json.dumps(word)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {json.dumps(word)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def core(folder):
    """The kinds of Kubernetes itself; answers their definitions, for the others' metadata."""
    definitions = json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))["$defs"]
    definitions = {name: lean(one) for name, one in definitions.items()}
    for one in definitions.values():
        close(one)
        # Whoever writes a manifest is not the one to say how it stands.
        one.get("properties", {}).pop("status", None)
    # Both numbers and texts are quantities, and a number is no text: one of the two is any of the two.
    for name in ("api.resource.Quantity", "util.intstr.IntOrString"):
        whole = "io.k8s.apimachinery.pkg." + name
        definitions[whole] = {"type": ["string", "number" if "Quantity" in name else "integer"]}
    for name, whole in CORE.items():
        parts = dict(definitions[whole]["properties"])
        for word in ("apiVersion", "kind", "metadata"):
            parts.pop(word)
        group, version, kind = re.fullmatch(r"io\.k8s\.api\.(\w+)\.(\w+)\.(\w+)", whole).groups()
        group = {"core": "", "networking": "networking.k8s.io/"}.get(group, group + "/")
        assert kind.lower() == name
        write(kind, group + version, parts, definitions)
    return definitions


def custom(folder, definitions):
    """The kinds of Strimzi."""
    for path in sorted(folder.glob("*.yaml")):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]
        for version in definition["versions"]:
            spec = lean(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
            close(spec)
            write(definition["names"]["kind"], f"{definition['group']}/{version['name']}", {"spec": spec}, definitions)


# A field as rustfmt lays it out: what follows its type begins another one, or the struct ends.
FIELD = re.compile(
    r"((?:    #\[serde\(.*?\)\]\n)*)    pub (?:r#)?(\w+):\s*(.*?),\n(?=    (?:#\[serde|pub )|\Z)", re.S
)
SIMPLE = {
    "String": {"type": "string"}, "bool": {"type": "boolean"}, "f64": {"type": "number"},
    "i32": {"type": "integer"}, "i64": {"type": "integer"}, "IntOrString": {"type": ["integer", "string"]},
    # Only of a status.
    "Condition": {"type": "object"}, "serde_json::Value": True,
}


def bound(rust):
    """The schema of a type of the bindings, by its name."""
    rust = re.sub(r"[\s]+", " ", rust).strip().rstrip(",").strip()
    whole = re.fullmatch(r"(Option|Vec|BTreeMap)< ?(.*?),? ?>", rust)
    if not whole:
        return SIMPLE[rust] if rust in SIMPLE else {"$ref": "#/$defs/" + rust}
    outer, inner = whole.groups()
    if outer == "Option":
        return bound(inner)
    if outer == "Vec":
        return {"type": "array", "items": bound(inner)}
    key, value = inner.split(",", 1)
    assert key.strip() == "String"
    return {"type": "object", "additionalProperties": bound(value)}


def bindings(folder, kind, definitions):
    """A kind of CloudNativePG, from the structs and enums that stand for its definition."""
    text = (folder / f"{kind.lower()}s.rs").read_text(encoding="utf-8")
    text = re.sub(r"^\s*//.*\n", "", text, flags=re.M)
    text = re.sub(r"^\s*#\[cfg_attr\(.*?\)\]\n", "", text, flags=re.M | re.S)
    found = dict(definitions)
    for what, name, body in re.findall(r"pub (struct|enum) (\w+)\s*\{(?:\}|\n(.*?)^\})", text, re.M | re.S):
        if what == "enum":
            values = re.findall(r"^    (?:#\[serde\(rename = \"(.*?)\"\)\]\s*)?(\w+),$", body, re.M)
            assert len(values) == body.count(",\n"), name
            found[name] = {"enum": [renamed or plain for renamed, plain in values]}
            continue
        if not body:
            # An object that the definition says no more of.
            found[name] = {"type": "object"}
            continue
        properties, required = {}, []
        fields = FIELD.findall(body)
        assert len(fields) == body.count("pub "), (name, len(fields), body.count("pub "))
        for serde, field, rust in fields:
            renamed = re.search(r"rename = \"(.*?)\"", serde)
            field = renamed.group(1) if renamed else field
            properties[field] = bound(rust)
            if not rust.strip().startswith("Option"):
                required.append(field)
        found[name] = {"type": "object", "properties": properties, "additionalProperties": False}
        if required:
            found[name]["required"] = required
    write(kind, "postgresql.cnpg.io/v1", {"spec": {"$ref": f"#/$defs/{kind}Spec"}}, found)


if __name__ == "__main__":
    kubernetes, crds, crate = (pathlib.Path(one) for one in sys.argv[1:])
    everything = core(kubernetes)
    custom(crds, everything)
    for one in ("Cluster", "Database"):
        bindings(crate, one, everything)
