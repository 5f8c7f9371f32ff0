//! The manifests of `k8s/`, tried without a cluster: each is of its kind as Kubernetes and the operators define it,
//! and they and the program mean the same by every name, number and path.

mod cluster;
mod command_line;
mod database;
mod image;
mod network;
mod planted;
mod pods;
mod schema;
mod settings;
mod stream;
mod tree;

use cluster::Cluster;
use schema::Kinds;
use tree::Tree;

/// What is looked at, once everything is of its kind.
const CHECKS: [fn(&Cluster) -> Vec<String>; 18] = [
    cluster::names,
    settings::file,
    settings::environment,
    pods::commands,
    pods::ports,
    pods::probes,
    pods::files,
    pods::rights,
    pods::services,
    network::paths,
    network::policies,
    stream::topics,
    stream::brokers,
    stream::users,
    database::databases,
    database::connections,
    image::version,
    image::contents,
];

fn faults(tree: &Tree, kinds: &mut Kinds) -> Vec<String> {
    match Cluster::of(tree, kinds) {
        Ok(cluster) => CHECKS.iter().flat_map(|check| check(&cluster)).collect(),
        Err(faults) => faults,
    }
}

#[test]
fn the_manifests_are_of_their_kinds_and_mean_what_the_program_means() {
    let faults = faults(&Tree::read(), &mut Kinds::new());
    assert!(faults.is_empty(), "{} faults\n\n{}\n", faults.len(), faults.join("\n"));
}

#[test]
fn each_planted_fault_is_found() {
    let tree = Tree::read();
    let mut kinds = Kinds::new();
    for (path, from, to, says) in planted::FAULTS {
        let found = faults(&tree.with(path, from, to), &mut kinds);
        assert!(
            found.iter().any(|fault| fault.contains(says)),
            "{path}: {from:?} as {to:?} should say {says:?}, and says\n{}",
            found.join("\n")
        );
    }
}
