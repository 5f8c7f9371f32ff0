//! How soon a pack that is published is in force in every process of a fleet: "a change reaches all within a second".

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use platform::pack::Pack;
use serde_json::Value;
use tempfile::TempDir;

use crate::fleet::{FILE, Fleet, STUCK};
use crate::instance::{Instance, beat, binary};
use crate::pack_copy;
use crate::process;

/// The largest pack that comes with Gridward and has partners.
const PACK: &str = "beilun";

/// What a process says of the version it went over to last, in seconds from its publication.
const APPLIED: &str = "gridward_pack_applied_seconds ";

/// How often somebody looks whether a process goes by the new version.
const LOOK: Duration = Duration::from_millis(20);

/// What came of some publications.
#[derive(Debug)]
pub struct Outcome {
    pub publications: usize,
    pub processes: usize,
    /// From each publication to where each process goes by it, in ascending order.
    pub seconds: Vec<f64>,
}

/// Publishes so many versions, one after the other, to `each` instances of every service.
///
/// # Errors
/// When one is refused, or not in force everywhere within a minute.
pub async fn run(publications: usize, each: usize) -> anyhow::Result<Outcome> {
    let folder = TempDir::new()?;
    let mut fleet = Fleet::new(folder.path(), PACK, each, "").await?;
    fleet.start().await?;
    let config = folder.path().join(FILE);
    let edition = pack_copy::copy(PACK, &folder.path().join("packs"))?;
    let people = std::fs::read_to_string(edition.join("people.csv"))?;
    let mut seconds = Vec::new();
    for n in 1..=publications {
        // Somebody begins to work here.
        let another = format!("{people}another-{n},新来的 {n},Another {n},grid_worker,330206002002001\n");
        std::fs::write(edition.join("people.csv"), another)?;
        let digest = Pack::load(&edition).map_err(|fault| anyhow::anyhow!("{fault}"))?.digest;
        publish(&edition, &config)?;
        for instance in fleet.instances.values().flatten() {
            seconds.push(goes_by(instance, &digest).await?);
        }
    }
    let processes = fleet.instances.values().flatten().count();
    fleet.stop().await?;
    seconds.sort_by(f64::total_cmp);
    Ok(Outcome { publications, processes, seconds })
}

fn publish(edition: &Path, config: &Path) -> anyhow::Result<()> {
    let ran = Command::new(binary()?)
        .args(["pack", "publish", "--by", "acceptance", "--config"])
        .args([config, edition])
        .output()?;
    ensure!(ran.status.success(), "pack publish: {}", String::from_utf8_lossy(&ran.stderr));
    Ok(())
}

/// Waits until a process goes by a version; answers how long after its publication that was, as the process says.
async fn goes_by(instance: &Instance, digest: &str) -> anyhow::Result<f64> {
    let client = process::client()?;
    let looked = tokio::time::timeout(STUCK, async {
        loop {
            let said: Value = client.get(instance.url("/health/ready")).send().await?.json().await?;
            let version = said["pack"]["version"].as_str().context("it does not say what it goes by")?;
            if digest.starts_with(version) {
                return anyhow::Ok(());
            }
            beat(LOOK).await;
        }
    });
    match looked.await {
        Ok(looked) => looked?,
        Err(_) => bail!("{} does not go by {digest}: {}", instance.name(), instance.said()),
    }
    let metrics = client.get(instance.url("/metrics")).send().await?.text().await?;
    let applied = metrics.lines().find_map(|line| line.strip_prefix(APPLIED)?.parse().ok());
    applied.with_context(|| format!("{} tells nothing of {APPLIED}", instance.name()))
}
