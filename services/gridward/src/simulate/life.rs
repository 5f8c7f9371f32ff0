//! One life: what a seed draws or a script says, and what came of it.

use super::draw::Chance;
use super::faults::Reached;
use super::mishaps::Hits;
use super::office::Office;
use super::promises::Breach;
use super::script::{Event, Script, Setup};
use super::store::Kept;
use super::switches::Broken;
use super::tell::{Line, digest};
use super::verdict;
use super::world::World;

/// What came of a life.
#[derive(Debug)]
pub struct Lived {
    /// What happened, so that it can happen again.
    pub script: Script,
    pub breaches: Vec<Breach>,
    pub lines: Vec<Line>,
    pub reached: Reached,
    pub hits: Hits,
    /// Facts that were committed.
    pub facts: usize,
    pub digest: String,
}

impl Lived {
    pub fn is_clean(&self) -> bool {
        self.breaches.is_empty()
    }
}

/// Lives the life of a seed.
///
/// # Errors
/// When the database itself fails.
pub async fn of_seed(office: &Office, kept: &Kept, seed: u64, broken: Broken) -> anyhow::Result<Lived> {
    let (setup, mut chance) = Chance::new(seed, broken);
    live(office, kept, setup, |world, _| chance.next(world)).await
}

/// Lives a life that was written down.
///
/// # Errors
/// When the database itself fails.
pub async fn of_script(office: &Office, kept: &Kept, script: &Script) -> anyhow::Result<Lived> {
    live(office, kept, script.setup.clone(), |_, n| script.events.get(n).cloned()).await
}

async fn live(
    office: &Office,
    kept: &Kept,
    setup: Setup,
    mut next: impl FnMut(&World, usize) -> Option<Event>,
) -> anyhow::Result<Lived> {
    kept.empty().await?;
    let mut world = World::new(office, kept, &setup);
    partner::follow(&kept.store, &office.organisations(setup.broken), setup.start).await?;
    world.begin().await;
    let mut events = Vec::new();
    while let Some(event) = next(&world, events.len()) {
        world.happen(&event).await;
        events.push(event);
    }
    world.settle().await;
    verdict::judge(&mut world).await?;
    Ok(Lived {
        script: Script { setup, events },
        breaches: world.model.breaches().to_vec(),
        reached: world.reached(),
        hits: world.hits(),
        facts: world.model.facts.values().map(Vec::len).sum(),
        digest: digest(&world.lines),
        lines: std::mem::take(&mut world.lines),
    })
}
