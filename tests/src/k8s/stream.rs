//! Kafka: the topics, who may use them, and how they are reached.

use std::collections::BTreeSet;

use discover::Discover;
use domain::facts::Topic;
use handle::Handle;
use partner::PartnerDesk;
use platform::stream::kafka::{PACKS, PACKS_SETTINGS};
use platform::turn::Service;
use route::Route;
use serde_json::{Value, json};
use supervise::Supervise;

use super::cluster::{Cluster, SERVICES};
use super::pods::Pod;
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

/// What a process does with the topics: of which it writes, which it reads, and whether it shares that with others.
#[derive(Default)]
struct Uses {
    writes: Vec<Topic>,
    reads: Vec<Topic>,
    writes_packs: bool,
    joins: bool,
}

impl Uses {
    fn of<S: Service>() -> Self {
        // Before it serves, it compares its store with its own topic.
        let reads = S::READS.iter().copied().chain([S::WRITES]).collect();
        Self { writes: vec![S::WRITES], reads, writes_packs: false, joins: !S::READS.is_empty() }
    }

    /// By the name of its user: each of our processes, and whoever publishes packs.
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("gridward-discover", Self::of::<Discover>()),
            ("gridward-route", Self::of::<Route>()),
            ("gridward-handle", Self::of::<Handle>()),
            ("gridward-supervise", Self::of::<Supervise>()),
            ("gridward-partner", Self::of::<PartnerDesk>()),
            ("gridward-console", Self::default()),
            ("gridward-migrate", Self::default()),
            ("gridward-audit", Self { reads: Topic::ALL.to_vec(), ..Self::default() }),
            ("gridward-publish", Self { writes_packs: true, ..Self::default() }),
        ]
    }

    /// What it may do with the topic of this name.
    fn wanted(&self, topic: &str, prefix: &str) -> BTreeSet<&'static str> {
        let is = |one: &Topic| topic == format!("{prefix}{one}");
        let packs = topic == format!("{prefix}{PACKS}");
        let reads = packs || self.reads.iter().any(is);
        let writes = (packs && self.writes_packs) || self.writes.iter().any(is);
        let more = [("Read", reads), ("Write", writes)].into_iter().filter(|(_, may)| *may);
        ["Describe", "DescribeConfigs"].into_iter().chain(more.map(|(what, _)| what)).collect()
    }
}

/// Each process is a user of its own, and may do what the program does as that one, and no more: what a topic says in
/// the right form is believed.
pub(super) fn users(cluster: &Cluster) -> Vec<String> {
    let mut faults = Vec::new();
    for pod in Pod::all(cluster) {
        let environment = list(at(pod.container, "/env")).iter();
        let mut named = environment.filter(|one| text(at(one, "/name")) == "GRIDWARD_KAFKA_SASL_USERNAME");
        let user = named.next().map_or("", |one| text(at(one, "/value")));
        let sources = list(at(pod.template, "/spec/volumes/0/projected/sources")).iter();
        let secrets: Vec<&str> = sources.map(|source| text(at(source, "/secret/name"))).collect();
        if user != pod.document.name || !secrets.contains(&user) {
            faults.push(
                pod.document.fault(format_args!("it is {user:?} in Kafka, by the password of another")),
            );
        }
    }
    let prefix = cluster.said("kafka.prefix");
    let topics: Vec<String> = Topic::ALL
        .into_iter()
        .map(Topic::as_str)
        .chain([PACKS])
        .map(|name| format!("{prefix}{name}"))
        .collect();
    for (name, uses) in Uses::all() {
        let Some(user) = cluster.find("KafkaUser", name) else {
            faults.push(format!("there is no KafkaUser {name}"));
            continue;
        };
        must(user, "/spec/authentication/type", &json!("scram-sha-512"), &mut faults);
        let mut compare = |kind: &str, what: &str, wanted: BTreeSet<&str>| {
            let may = may(user, kind, what);
            if may != wanted {
                faults.push(user.fault(format_args!("of the {kind} {what} it may {may:?}, not {wanted:?}")));
            }
        };
        for topic in &topics {
            compare("topic", topic, uses.wanted(topic, &prefix));
        }
        let joining = BTreeSet::from(["Describe", "Read"]);
        for service in SERVICES {
            let own = name == format!("gridward-{service}") && uses.joins;
            compare(
                "group",
                &format!("{prefix}{service}"),
                if own { joining.clone() } else { BTreeSet::new() },
            );
        }
        // A tool that reads alone names a group that it never joins.
        compare("group", "gridward-alone", joining);
    }
    for user in cluster.of_kind("KafkaUser") {
        if Uses::all().iter().all(|(name, _)| *name != user.name) {
            faults.push(user.fault("nothing of ours is this user"));
        }
        for acl in list(user.at("/spec/authorization/acls")) {
            if !["topic", "group"].contains(&text(at(acl, "/resource/type"))) {
                faults.push(user.fault("it may do something with more than topics and groups"));
            }
        }
    }
    faults
}

/// What `user` may do with the topic or group of a name.
fn may<'a>(user: &'a Document, kind: &str, what: &str) -> BTreeSet<&'a str> {
    let fits = |acl: &&Value| {
        let name = text(at(acl, "/resource/name"));
        let here = match text(at(acl, "/resource/patternType")) {
            "prefix" => what.starts_with(name),
            _ => what == name,
        };
        here && text(at(acl, "/resource/type")) == kind
    };
    let acls = list(user.at("/spec/authorization/acls")).iter().filter(fits);
    acls.flat_map(|acl| list(at(acl, "/operations"))).map(text).collect()
}

/// What stands at `pointer` is `wanted`.
pub(super) fn must(document: &Document, pointer: &str, wanted: &Value, faults: &mut Vec<String>) {
    let found = document.at(pointer);
    if found != wanted {
        faults.push(document.fault(format_args!("{pointer} is {found}, not {wanted}")));
    }
}
