//! The image: what it is built with, what is in it, and that every pod runs the same one.

use super::cluster::Cluster;
use super::pods::Pod;
use super::tree::{at, list, text, yaml};

/// All pods run the version of the sources, and an office says the same one.
pub(super) fn version(cluster: &Cluster) -> Vec<String> {
    let image = concat!("gridward:", env!("CARGO_PKG_VERSION"));
    let mut faults = Vec::new();
    for pod in Pod::all(cluster) {
        if text(at(pod.container, "/image")) != image {
            faults.push(pod.document.fault(format_args!("its image is not {image}")));
        }
    }
    let file = "k8s/office/kustomization.yaml";
    let office = match yaml(cluster.tree.text(file)) {
        Ok(documents) => documents.into_iter().next().unwrap_or_default(),
        Err(error) => return vec![format!("{file}: {error}")],
    };
    if list(at(&office, "/resources")) != ["../base"] {
        faults.push(format!("{file} is not made of ../base"));
    }
    let tag = text(at(&office, "/images/0/newTag"));
    if text(at(&office, "/images/0/name")) != "gridward" || !image.ends_with(&format!(":{tag}")) {
        faults.push(format!("{file} does not say {image}"));
    }
    for (pointer, wanted) in [
        ("/replacements/0/source/name", "gridward-migrate"),
        ("/replacements/0/targets/0/select/name", "gridward-migrate"),
        ("/replacements/0/targets/0/fieldPaths/0", "metadata.name"),
    ] {
        if text(at(&office, pointer)) != wanted {
            faults.push(format!("{file}: the Job of a version is not named by it: {pointer}"));
        }
    }
    faults
}

/// The image has what the build needs, the pack that the settings name, and a user who is not root.
pub(super) fn contents(cluster: &Cluster) -> Vec<String> {
    let dockerfile = cluster.tree.text("Dockerfile");
    let mut faults = Vec::new();
    let setup = cluster.tree.text("tests/setup.sh");
    let installed = setup.lines().map(str::trim).find(|line| line.starts_with("DEBIAN_FRONTEND"));
    let packages = installed.and_then(|line| line.split("--no-install-recommends ").nth(1));
    let packages = packages.map_or("", |rest| rest.split(" <").next().unwrap_or_default());
    if packages.is_empty() || !dockerfile.contains(packages) {
        faults.push(format!("the Dockerfile does not install {packages:?} as tests/setup.sh does"));
    }
    let pack = cluster.said("pack");
    let (folder, pack) = pack.rsplit_once('/').unwrap_or_default();
    if folder.is_empty() || !dockerfile.contains(&format!("COPY shared/packs {folder}\n")) {
        faults.push(format!("the Dockerfile puts no packs into {folder:?}"));
    }
    // partner refuses an office that offers nothing, and would be started again for ever.
    if !cluster.tree.text(&format!("shared/packs/{pack}/pack.json")).contains("\"offer_limit\"") {
        faults.push(format!("the pack {pack} offers nothing, and there is a Deployment of partner"));
    }
    for wanted in ["--locked --release --workspace", "ENTRYPOINT [\"/usr/bin/gridward\"]"] {
        if !dockerfile.contains(wanted) {
            faults.push(format!("the Dockerfile has no {wanted}"));
        }
    }
    for pod in Pod::all(cluster) {
        let user = at(pod.template, "/spec/securityContext/runAsUser");
        if !dockerfile.contains(&format!("USER {user}:{user}\n")) {
            faults.push(pod.document.fault(format_args!("the image's user is not {user}")));
        }
    }
    let number = |text: &str| -> Vec<u32> { text.split('.').filter_map(|part| part.parse().ok()).collect() };
    let after = |text: &str, mark: &str, until: [char; 2]| {
        text.split(mark).nth(1).and_then(|rest| rest.split(until).next()).map(number).unwrap_or_default()
    };
    let wanted = after(cluster.tree.text("Cargo.toml"), "rust-version = \"", ['"', '\n']);
    if wanted.is_empty() || after(dockerfile, "library/rust:", ['-', ' ']) < wanted {
        faults.push(format!("the Dockerfile's Rust is older than {wanted:?}"));
    }
    faults
}
