//! Kafka: the topics, who may use them, and how they are reached.

use domain::facts::Topic;
use platform::stream::kafka::{PACKS, PACKS_SETTINGS};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::tree::{Document, at, list, text};

/// A host and a port.
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: i64,
}

impl Place {
    pub(super) fn of(place: &str) -> Self {
        let (host, port) = place.split_once(':').unwrap_or((place, ""));
        Self { host: host.to_owned(), port: port.parse().unwrap_or_default() }
    }
}

/// Where the brokers are, as the settings say.
pub(super) fn place(cluster: &Cluster) -> Place {
    Place::of(&cluster.said("kafka.bootstrap"))
}

/// The topics are as the program wants them, and nothing of them is lost.
pub(super) fn topics(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    let prefix = cluster.said("kafka.prefix");
    let packs = format!("{prefix}{PACKS}");
    let of_facts = Topic::ALL.map(|topic| format!("{prefix}{}", topic.as_str()));
    let names: Vec<String> = of_facts.into_iter().chain([packs.clone()]).collect();
    for name in &names {
        if cluster.find("KafkaTopic", name).is_none() {
            faults.push(format!("there is no KafkaTopic {name}"));
        }
    }
    for topic in cluster.of_kind("KafkaTopic") {
        if !names.contains(&topic.name) {
            faults.push(topic.fault("the program has no such topic"));
        }
        for (pointer, wanted) in [
            ("/spec/replicas", json!(cluster.number("kafka.replication"))),
            ("/spec/config/min.insync.replicas", json!(cluster.number("kafka.replication") - 1)),
            ("/spec/config/unclean.leader.election.enable", json!(false)),
        ] {
            must(topic, pointer, &wanted, &mut faults);
        }
        let kept = if topic.name == packs { compacted() } else { for_ever(cluster) };
        for (pointer, wanted) in kept {
            must(topic, &pointer, &wanted, &mut faults);
        }
    }
    faults
}

/// A topic of facts loses nothing.
fn for_ever(cluster: &Cluster) -> Vec<(String, Value)> {
    [
        ("/spec/partitions", json!(cluster.number("kafka.partitions"))),
        ("/spec/config/cleanup.policy", json!("delete")),
        ("/spec/config/retention.ms", json!(-1)),
        ("/spec/config/retention.bytes", json!(-1)),
    ]
    .map(|(pointer, wanted)| (pointer.to_owned(), wanted))
    .to_vec()
}

/// The register of packs is as the program makes it where it may.
fn compacted() -> Vec<(String, Value)> {
    let number = |value: &str| serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    let settings = PACKS_SETTINGS.iter();
    let settings = settings.map(|(name, value)| (format!("/spec/config/{name}"), number(value)));
    settings.chain([("/spec/partitions".to_owned(), json!(1))]).collect()
}

/// The brokers are where the settings say, know the program, and keep what they have acknowledged.
pub(super) fn brokers(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(kafka) = cluster.of_kind("Kafka").next() else { return vec!["there is no Kafka".to_owned()] };
    let place = place(cluster);
    if place.host != format!("{}-kafka-bootstrap", kafka.name) {
        faults.push(kafka.fault(format_args!("kafka.bootstrap names {}", place.host)));
    }
    let listener = json!({"name": "tls", "port": place.port, "type": "internal", "tls": true,
        "authentication": {"type": "scram-sha-512"},
        "networkPolicyPeers": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "gridward"}}}]});
    must(kafka, "/spec/kafka/listeners", &json!([listener]), &mut faults);
    let spoken = ["security", "sasl_mechanism"].map(|name| cluster.said(&format!("kafka.{name}")));
    if spoken != ["sasl_ssl", "SCRAM-SHA-512"] {
        faults.push(kafka.fault(format_args!("its listener is not spoken to by {spoken:?}")));
    }
    for (pointer, wanted) in [
        ("/spec/kafka/authorization/type", json!("simple")),
        ("/spec/kafka/config/auto.create.topics.enable", json!(false)),
        ("/spec/kafka/config/delete.topic.enable", json!(false)),
        ("/spec/kafka/config/unclean.leader.election.enable", json!(false)),
        ("/spec/kafka/config/min.insync.replicas", json!(cluster.number("kafka.replication") - 1)),
    ] {
        must(kafka, pointer, &wanted, &mut faults);
    }
    for part in ["KafkaNodePool", "KafkaTopic", "KafkaUser"] {
        for one in cluster.of_kind(part) {
            must(one, "/metadata/labels/strimzi.io~1cluster", &json!(kafka.name), &mut faults);
        }
    }
    for pool in cluster.of_kind("KafkaNodePool") {
        must(pool, "/spec/replicas", &json!(cluster.number("kafka.replication")), &mut faults);
        for volume in list(pool.at("/spec/storage/volumes")) {
            if at(volume, "/deleteClaim") != &json!(false) {
                faults.push(pool.fault("its disks go when it goes"));
            }
        }
    }
    faults
}

/// The user of the settings may use every topic and group, and make or unmake none.
pub(super) fn user(cluster: &Cluster) -> Vec<String> {
    let name = cluster.said("kafka.sasl_username");
    let Some(user) = cluster.find("KafkaUser", &name) else {
        return vec![format!("there is no KafkaUser {name}")];
    };
    let mut faults = Vec::new();
    must(user, "/spec/authentication/type", &json!("scram-sha-512"), &mut faults);
    let prefix = cluster.said("kafka.prefix");
    let may = |kind: &str, what: &str| -> Vec<&Value> {
        let fits = |acl: &&Value| {
            text(at(acl, "/resource/type")) == kind
                && text(at(acl, "/resource/patternType")) == "prefix"
                && what.starts_with(text(at(acl, "/resource/name")))
        };
        let acls = list(user.at("/spec/authorization/acls")).iter().filter(fits);
        acls.flat_map(|acl| list(at(acl, "/operations"))).collect()
    };
    // A tool that reads alone names a group that it never joins.
    for (kind, what, wanted) in [
        ("topic", prefix.as_str(), &["Describe", "DescribeConfigs", "Read", "Write"][..]),
        ("group", prefix.as_str(), &["Describe", "Read"][..]),
        ("group", "gridward-alone", &["Describe", "Read"][..]),
    ] {
        if may(kind, what) != wanted {
            faults.push(user.fault(format_args!("of the {kind} {what} it may {:?}", may(kind, what))));
        }
    }
    faults
}

/// What stands at `pointer` is `wanted`.
pub(super) fn must(document: &Document, pointer: &str, wanted: &Value, faults: &mut Vec<String>) {
    let found = document.at(pointer);
    if found != wanted {
        faults.push(document.fault(format_args!("{pointer} is {found}, not {wanted}")));
    }
}
