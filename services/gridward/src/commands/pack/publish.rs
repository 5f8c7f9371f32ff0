//! `gridward pack publish PACK`: checks a pack, and has the services go by it within a second. The one writer of the
//! register; a pack that is refused changes nothing.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use domain::text::Text;
use handle::Handle;
use partner::PartnerDesk;
use platform::clock::host_now;
use platform::pack::{Dropping, OpenCases, Pack, PackFiles};
use platform::register::{Manifest, NotPublished, Register, Shelf, Unusable, published_at};
use platform::store::{Store, packs};
use platform::turn::Service;

use super::super::{Config, DataFolder, PackData, PackFolder, say, tell, told, told_of_boundaries};
use crate::embedded::beside;
use crate::in_force;
use crate::servers::{database_as_it_is, topics};

#[derive(Debug, Args)]
pub struct Publish {
    /// A folder with a pack.json, or the name of a pack that comes with Gridward.
    #[arg(value_name = "PACK")]
    pack: PathBuf,
    #[command(flatten)]
    pack_data: PackData,
    #[command(flatten)]
    place: Place,
    /// The code of an area or category that the published version lists and this one does not, and that is really to go;
    /// of an area with all below it. Once for each. It is said how many cases are open there, and who has them then.
    #[arg(long = "drop", value_name = "CODE")]
    dropped: Vec<String>,
    /// Who publishes, for the record. Nobody signs in on the machine itself: without a name it is its operator.
    #[arg(long, value_name = "NAME", env = "USER", default_value = OPERATOR)]
    by: String,
}

/// Whoever works on the machine itself and has not said who they are, as it is written in the register.
const OPERATOR: &str = "operator on this host / 运维（本机）";

/// Where packs are published.
#[derive(Debug, Args)]
pub struct Place {
    #[command(flatten)]
    data: DataFolder,
    /// Settings of Kafka and PostgreSQL: for the services there, not for a folder.
    #[arg(long, value_name = "FILE", env = "GRIDWARD_CONFIG")]
    pub config: Option<PathBuf>,
}

/// The register of a place, and whose it is.
pub struct Opened {
    pub register: Register,
    /// The jurisdiction that is run there, as far as one can tell.
    code: Option<String>,
    /// In the embedded setting: the file, to be asked and closed.
    pub store: Option<Store>,
}

impl Place {
    /// Opens the register, also beside a running process.
    ///
    /// # Errors
    /// When there is no database in the folder, or the settings or the broker cannot be used.
    pub async fn open(&self) -> anyhow::Result<Opened> {
        let Some(file) = &self.config else {
            let store = beside(&self.data.data).await?;
            let code = packs::code(store.readers(), Handle::NAME).await?;
            return Ok(Opened { register: Register::in_file(store.clone()), code, store: Some(store) });
        };
        let settings = Config { config: Some(file.clone()) }.load()?;
        topics(&settings.stream()?).await?;
        let code = PackFolder::of_settings(settings.pack.clone()).code();
        Ok(Opened { register: in_force::on_servers(&settings)?, code, store: None })
    }
}

impl Opened {
    pub async fn close(self) -> anyhow::Result<()> {
        self.register.close().await;
        if let Some(store) = self.store {
            store.close().await?;
        }
        Ok(())
    }
}

/// The version that is published, if this program can read it.
fn read(shelf: &Shelf, newest: &Manifest) -> Option<Arc<Pack>> {
    let unread = |unusable: Unusable| {
        tell(format_args!(
            "the version published before cannot be read, so nothing is compared with it: {unusable} / \
             无法读取上一版本，未作比较"
        ));
    };
    shelf.load(newest).map_err(unread).ok()
}

/// Whether the office runs partner, as far as one can tell: by the version that is published, or by what a folder ran on.
async fn runs_partner(followed: Option<&Pack>, store: Option<&Store>) -> anyhow::Result<bool> {
    match (followed, store) {
        (Some(followed), _) => Ok(followed.has_partners()),
        (None, Some(store)) => Ok(packs::last(store.readers(), PartnerDesk::NAME).await?.is_some()),
        (None, None) => Ok(true),
    }
}

/// A process runs the services that it was started with.
const START_PARTNER: &str = "! this version has partner organisations, and the one before had none: a process that runs all \
                             services (`gridward all`) must be started again to run partner, and on servers `gridward partner` \
                             must run. Until then nothing is offered, and all else goes on / 本版本启用了社会组织接单：请重启 \
                             gridward all，或启动 gridward partner；此前不下单，其余照常";

/// A version that somebody published after this one was compared.
fn replaced(unseen: &Manifest) -> Text {
    let Manifest { version, published_at, by, .. } = unseen;
    let version = version.get(..12).unwrap_or(version);
    Text::new(
        format!(
            "{by} 于 {published_at} 同时发布了 {version}，已被您的版本取代且未作比较：请核对其改动，合并后再发布"
        ),
        format!(
            "{version} was published meanwhile, at {published_at} by {by}: yours replaces it, and was not compared with it. \
             Ask what it changed, and publish the two together"
        ),
    )
}

/// What came of a publishing that failed.
fn not_published(failed: NotPublished, in_file: bool) -> anyhow::Error {
    let told = match &failed {
        // It says itself what is in force now.
        NotPublished::SomebodyElse { .. } => return failed.into(),
        NotPublished::Store(_) if in_file => {
            "nothing is published, and the version in force stays / 未发布，继续使用原版本"
        }
        NotPublished::Store(_) => {
            "it cannot be told whether it is published: look with `gridward pack status`, and publish it again if it is not / \
             无法确定是否已发布：请用 gridward pack status 查看，如未发布请重试"
        }
        NotPublished::Unusable(_) => {
            "it is published and not whole, so that whoever runs stays on the version before it: publish it again / \
             发布的内容不完整，各服务继续使用原版本：请重新发布"
        }
    };
    anyhow::Error::new(failed).context(told)
}

impl Publish {
    /// Who publishes. A shell may say `USER=` and mean nobody.
    fn by(&self) -> &str {
        let by = self.by.trim();
        if by.is_empty() { OPERATOR } else { by }
    }

    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let folder = PackFolder { pack: Some(self.pack.clone()), data: self.pack_data.clone() };
        let (pack, files) = folder.load_to_publish()?;
        let today = pack.calendar.local(host_now()).date();
        let boundaries = route::published::boundaries(&pack);
        boundaries
            .and_then(|boundaries| route::published::covered(&pack, &boundaries, today))
            .map_err(|faults| told_of_boundaries(&faults))?;
        let mut opened = self.place.open().await?;
        let published = self.publish(&pack, &files, &mut opened).await;
        opened.close().await?;
        published?;
        Ok(ExitCode::SUCCESS)
    }

    async fn publish(&self, pack: &Pack, files: &PackFiles, opened: &mut Opened) -> anyhow::Result<()> {
        let (code, version) = (&pack.code, pack.version());
        if let Some(other) = opened.code.as_ref().filter(|other| *other != code) {
            bail!(
                "the services there go by the pack {other}, and this is {code}: give the right one, or another place / \
                 该处运行的是辖区包 {other}，而这是 {code}：请核对辖区包与位置"
            );
        }
        let mut before = opened.register.read().await?;
        let newest = before.newest(code).cloned();
        let newest = newest.as_ref();
        if let Some(same) = newest.filter(|newest| newest.version == pack.digest) {
            let Manifest { published_at, by, .. } = same;
            say(format_args!(
                "{code} {version} was published already, at {published_at} by {by} / 该版本此前已发布"
            ));
            return Ok(());
        }
        let followed = newest.and_then(|newest| read(&before, newest));
        let becomes = match &followed {
            Some(followed) => self.compare(pack, files, followed, opened.store.as_ref()).await?,
            None => Vec::new(),
        };
        let runs_partner = runs_partner(followed.as_deref(), opened.store.as_ref()).await?;
        let (manifest, parts) = Manifest::of(files, code, &pack.digest, host_now(), self.by());
        let brought = opened.register.bring(&mut before, &parts).await;
        brought.map_err(|failed| not_published(failed.into(), opened.store.is_some()))?;
        // Only now, for it counts from here until everybody goes by it.
        let at = published_at(host_now(), newest);
        let manifest = Manifest { published_at: at, ..manifest };
        let published = opened.register.publish(&before, &manifest, &parts).await;
        let unseen = published.map_err(|failed| not_published(failed, opened.store.is_some()))?;
        say(format_args!(
            "published {code} {version} at {at}: whoever runs goes by it within a second / 已发布，运行中的服务一秒内生效"
        ));
        if pack.has_partners() && !runs_partner {
            say(START_PARTNER);
        }
        let to_come = route::published::to_come(pack, pack.calendar.local(host_now()).date());
        let unseen = unseen.as_ref().map(replaced);
        for told in unseen.iter().chain(&becomes).chain(&to_come).chain(&pack.warnings) {
            say(format_args!("! {told}"));
        }
        Ok(())
    }

    /// Whether the pack may follow the one that is published; and if so, what becomes of the open cases of what it lists
    /// no more.
    async fn compare(
        &self,
        pack: &Pack,
        files: &PackFiles,
        before: &Pack,
        store: Option<&Store>,
    ) -> anyhow::Result<Vec<Text>> {
        let open = if pack.lists_all_of(before) { None } else { self.open_cases(store).await };
        let dropping = Dropping { codes: &self.dropped, open: open.as_ref() };
        pack.follows(before, files, dropping).map_err(|fault| told(&fault))?;
        Ok(pack.what_becomes(before, open.as_ref()))
    }

    /// The cases that are open now, as far as whoever publishes can ask: also somebody who has the broker alone may.
    async fn open_cases(&self, store: Option<&Store>) -> Option<OpenCases> {
        let counted = match store {
            Some(store) => handle::open_cases(store).await.map_err(anyhow::Error::new),
            None => self.open_cases_on_servers().await,
        };
        let tell_why = |why: anyhow::Error| {
            tell(format_args!("cannot count the cases that are open: {why:#} / 无法统计未结案件"));
        };
        counted.map_err(tell_why).ok()
    }

    async fn open_cases_on_servers(&self) -> anyhow::Result<OpenCases> {
        let settings = Config { config: self.place.config.clone() }.load()?;
        let store = database_as_it_is(Handle::NAME, &settings, 1).await?;
        let open = handle::open_cases(&store).await;
        store.close().await?;
        Ok(open?)
    }
}
