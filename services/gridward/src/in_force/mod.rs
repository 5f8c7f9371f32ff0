//! Which pack a process goes by: the newest that is published for its jurisdiction; as long as none is, the one in its
//! folder. It is known before anything is decided, and [followed](Follower) from then on.

mod follow;

pub use follow::Follower;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use handle::Handle;
use platform::clock::Clock;
use platform::pack::{InForce, Pack};
use platform::register::Register;
use platform::store::packs::{self, RanOn};
use platform::store::{Store, commit};
use platform::stream::kafka::PackTopic;
use platform::turn::Service;
use route::Route;
use tracing::{info, warn};

use crate::commands::PackFolder;
use crate::settings::Settings;

/// The pack that a process is given at its start. Once something is published under its code, it only names that.
#[derive(Clone, Debug)]
pub enum Named {
    Folder(PackFolder),
    Loaded(Arc<Pack>),
}

impl From<PackFolder> for Named {
    fn from(folder: PackFolder) -> Self {
        Self::Folder(folder)
    }
}

impl From<Arc<Pack>> for Named {
    fn from(pack: Arc<Pack>) -> Self {
        Self::Loaded(pack)
    }
}

impl Named {
    /// Also of a folder of which no more can be read: what lies in it may be half edited.
    fn code(&self) -> Option<String> {
        match self {
            Self::Folder(folder) => folder.code(),
            Self::Loaded(pack) => Some(pack.code.clone()),
        }
    }

    /// What is named; where nothing is, the pack that a place runs on.
    pub fn or_of(self, code: Option<String>) -> Self {
        match self {
            Self::Folder(folder) => Self::Folder(folder.or_of(code)),
            Self::Loaded(pack) => Self::Loaded(pack),
        }
    }

    fn load(&self) -> anyhow::Result<Arc<Pack>> {
        match self {
            Self::Folder(folder) => folder.load(),
            Self::Loaded(pack) => Ok(pack.clone()),
        }
    }
}

/// Reads the register to its end, and answers what to go by.
///
/// # Errors
/// When the register cannot be read, or neither what is published nor the folder can be used.
pub async fn begin(named: &Named, register: &mut Register) -> anyhow::Result<InForce> {
    let shelf =
        register.read().await.context("cannot read which pack is published / 无法读取已发布的辖区包")?;
    let newest = named.code().and_then(|code| shelf.newest(&code).cloned());
    let Some(manifest) = newest else {
        let pack = named.load()?;
        let (code, version, folder) = (&pack.code, pack.version(), pack.folder.display());
        info!(
            "no pack {code} is published: going by {version} in {folder} / 尚未发布辖区包，使用目录中的版本"
        );
        return Ok(InForce::new(pack));
    };
    let (published_at, by) = (manifest.published_at, manifest.by.clone());
    let loaded = tokio::task::spawn_blocking(move || {
        let loaded = shelf.load(&manifest);
        loaded.map_err(|why| anyhow::anyhow!("{} {}: {why}", manifest.code, manifest.version))
    });
    let pack = loaded.await.context("reading the published pack panicked")?.context(
        "the published pack cannot be used by this program: publish it again, or run the version of the program that \
         published it / 本程序无法使用已发布的辖区包：请重新发布，或使用发布时的程序版本",
    )?;
    info!(
        "going by the pack {} {}, published at {published_at} by {by} / 使用已发布的辖区包",
        pack.code,
        pack.version()
    );
    Ok(InForce::begin(pack, Some(published_at)))
}

/// The register of an office on servers.
///
/// # Errors
/// When a setting is none that the broker's client takes.
pub fn on_servers(settings: &Settings) -> anyhow::Result<Register> {
    Ok(Register::on_topic(PackTopic::open(&settings.stream()?)?))
}

/// The pack in force on servers, for a command that looks once.
///
/// # Errors
/// As [`begin`].
pub async fn pack_of(settings: &Settings) -> anyhow::Result<Arc<Pack>> {
    let mut register = on_servers(settings)?;
    let begun = begin(&PackFolder::of_settings(settings.pack.clone()).into(), &mut register).await;
    register.close().await;
    Ok(begun?.now())
}

/// The pack in force in a folder, for a command that looks once, also beside a running process. Where none is named it is
/// the one that the folder runs on.
///
/// # Errors
/// As [`begin`]; and when there is no database in the folder.
pub async fn pack_in(data: &Path, named: &PackFolder) -> anyhow::Result<Arc<Pack>> {
    let store = crate::embedded::beside(data).await?;
    let code = packs::code(store.readers(), Handle::NAME).await?;
    let unnamed = code.clone().filter(|_| !named.is_given());
    let named: Named = named.clone().or_of(code).into();
    let begun = begin(&named, &mut Register::in_file(store.clone())).await;
    store.close().await?;
    let begun = match unnamed {
        None => begun?,
        Some(code) => begun.with_context(|| {
            format!(
                "{} runs on the pack {code}, which was not published there: name its folder with --pack, or publish it / \
                 {} 使用的辖区包 {code} 尚未发布：请用 --pack 给出其目录，或先发布",
                data.display(),
                data.display()
            )
        })?,
    };
    Ok(begun.now())
}

/// Says so where nothing covers some of the ground now. A version is not published so; but a day can come on which
/// boundaries end, and a process starts all the same: what is reported there goes to the street desk.
pub fn warn_of_gaps(route: &Route, clock: &Clock) {
    // One that is driven shows no day yet.
    if matches!(clock, Clock::Driven(_)) {
        return;
    }
    if let Some(gap) = route.uncovered(clock.now()) {
        warn!("{gap}");
    }
}

/// Notes that `service` runs on the pack in force from now on.
///
/// # Errors
/// When its store holds cases of another jurisdiction, or has seen a later version than the register has.
pub async fn note(
    service: &'static str,
    store: &Store,
    clock: &Clock,
    in_force: &InForce,
) -> anyhow::Result<()> {
    let (pack, published_at, place) = (in_force.now(), in_force.published_at(), store.place());
    let code = &pack.code;
    let tx = store.begin().await?;
    if let Some(other) = packs::other(&tx, service, code).await? {
        bail!(
            "{place} holds cases of the pack {other}, not {code}: give the right --pack, or another --data / \
             {place} 中是辖区包 {other} 的案件，而不是 {code}：请改用正确的 --pack，或换一个 --data"
        );
    }
    let newest = packs::newest(&tx, service).await?;
    if let Some(newest) = newest.filter(|newest| published_at.is_none_or(|at| at < *newest)) {
        bail!(
            "{service} has run on the pack {code} as published at {newest}, and the register has no such version any more: \
             was the topic of packs made anew? Publish the pack again / {service} 曾使用 {newest} 发布的辖区包 {code}，但登记中\
             已没有该版本：若 packs 主题被重建，请重新发布"
        );
    }
    let ran_on = RanOn { digest: pack.digest.clone(), published_at, loaded_at: clock.now() };
    packs::note(&tx, service, code, &ran_on).await?;
    commit(tx, "noting the pack").await?;
    Ok(())
}
