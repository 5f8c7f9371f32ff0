//! `gridward discover | route | handle | supervise | partner`: one service, alone in its process, on Kafka and
//! PostgreSQL; `console` is in a file of its own, for it has no topic.
//! As many as there are of one share its work.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use discover::Discover;
use handle::Handle;
use partner::PartnerDesk;
use platform::http::Patience;
use platform::lifecycle::{Lifecycle, asked_to_stop};
use platform::metrics::Metrics;
use platform::pack::InForce;
use platform::register::Register;
use platform::telemetry::log_to_stderr;
use platform::token::Tokens;
use platform::turn::{Service, Turns};
use route::Route;
use supervise::Supervise;
use tracing::info;

use super::all::{WAITING, take_place};
use super::{Config, PackFolder};
use crate::http::{Front, Routes, finished};
use crate::in_force::{self, Follower};
use crate::servers::{Joined, join, leave, topics};
use crate::settings::Settings;

/// One service.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    config: Config,
    /// Address to listen on, instead of the one in the settings.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// How one comes by the key of the tokens.
pub(super) const NO_KEY: &str = "cannot read token_key_file, the key of 32 bytes that all services share; \
     `head -c 32 /dev/urandom > token.key` makes one / 无法读取各服务共用的令牌密钥文件（32 字节随机数）";

/// What a service needs of its process, beside its place among the servers.
pub(super) struct Process {
    pub(super) settings: Settings,
    pub(super) in_force: InForce,
    /// Where the next version is published.
    pub(super) register: Register,
    pub(super) metrics: Metrics,
    pub(super) tokens: Tokens,
}

impl Serve {
    /// Reads which pack to go by, to its end: before anything is listened to, taken or decided.
    pub(super) async fn begin(&self) -> anyhow::Result<Process> {
        let mut settings = self.config.load()?;
        settings.listen = self.listen.unwrap_or(settings.listen);
        log_to_stderr(&settings.log);
        let tokens = Tokens::of_file(&settings.token_key_file).context(NO_KEY)?;
        topics(&settings.stream()?).await?;
        let mut register = in_force::on_servers(&settings)?;
        let named = PackFolder::of_settings(settings.pack.clone()).into();
        let in_force = in_force::begin(&named, &mut register).await?;
        Ok(Process { settings, in_force, register, metrics: Metrics::new(), tokens })
    }

    pub async fn discover(self) -> anyhow::Result<ExitCode> {
        let process = self.begin().await?;
        let service = Discover::new(&process.in_force);
        process.serve(service, Routes::discover).await
    }

    pub async fn route(self) -> anyhow::Result<ExitCode> {
        let process = self.begin().await?;
        let service = Route::new(&process.in_force).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        in_force::warn_of_gaps(&service, &process.settings.clock()?);
        process.serve(service, |_, _| Routes::none()).await
    }

    pub async fn handle(self) -> anyhow::Result<ExitCode> {
        let process = self.begin().await?;
        let service = Handle::new(&process.in_force);
        process.serve(service, Routes::handle).await
    }

    pub async fn supervise(self) -> anyhow::Result<ExitCode> {
        let process = self.begin().await?;
        let service = Supervise::new(&process.in_force, &process.metrics)?;
        process.serve(service, |front, _| Routes::supervise(front)).await
    }

    pub async fn partner(self) -> anyhow::Result<ExitCode> {
        let process = self.begin().await?;
        let pack = process.in_force.now();
        if !pack.has_partners() {
            bail!(
                "the pack {0} has no policy.offer_limit, so nothing is ever offered to an organisation and partner has \
                 nothing to do / 辖区包 {0} 没有 policy.offer_limit，不向社会组织下单，无需运行 partner",
                pack.code
            );
        }
        let service = PartnerDesk::new(&process.in_force);
        process.serve(service, Routes::partner).await
    }
}

impl Process {
    /// Runs `service` until SIGINT or SIGTERM. The end has its order, so that nobody hears an error: it says that
    /// it is not ready, and still takes what comes; then closes its door, and answers who is inside; then ends its
    /// loop, sends what that has published, and leaves its topics to the others.
    async fn serve<S: Service>(
        self,
        service: Arc<S>,
        routes: impl FnOnce(&Front<'_>, platform::turn::Desk<S>) -> Routes,
    ) -> anyhow::Result<ExitCode> {
        let Self { settings, in_force, register, metrics, tokens } = self;
        let (stream, clock) = (settings.stream()?, settings.clock()?);
        let place = take_place(settings.listen)?;
        let Joined { around, stream, relay } =
            join::<S>(&settings, &stream, &in_force, &clock, &metrics).await?;
        if S::NAME == PartnerDesk::NAME {
            partner::follow(&around.store, &in_force.now().partners, clock.now()).await?;
        }
        let turns = Turns::new(service, &around);
        let own = vec![(S::NAME, around.store.clone())];
        let follower = Follower::new(register, &in_force, own, &clock, &metrics);
        let health = vec![(S::NAME, turns.health())];
        let beside = vec![("relay", relay.health()), ("packs", follower.health())];

        let (draining, drained) = Lifecycle::new();
        let (door, closing) = Lifecycle::new();
        let (ending, ended) = Lifecycle::new();
        let (last, relayed) = Lifecycle::new();
        let following = tokio::spawn(follower.run(ended.clone()));
        let (desk, looping) = turns.open_desk(ended);
        let looping = tokio::spawn(looping);
        let relaying = tokio::spawn(relay.run(relayed));
        let listener = place.listen(WAITING).context("cannot listen")?;
        let address = listener.local_addr()?;
        let front =
            Front { around: &around, pack: &in_force, tokens: &tokens, health, beside, lifecycle: &drained };
        let router = finished(routes(&front, desk).with_probes(&front));
        let listening = tokio::spawn(platform::http::serve(listener, router, closing, Patience::default()));
        info!(
            "{} is ready at http://{address}, data in {}; SIGTERM ends it / 已就绪",
            S::NAME,
            around.store.place()
        );

        asked_to_stop().await?;
        info!("asked to stop: not ready from now on, and closing in {:?}", settings.drain());
        draining.stop();
        drained.clone().wait_out(settings.drain()).await;
        door.stop();
        listening.await.context("the listener panicked")?.context("the listener failed")?;
        ending.stop();
        looping.await.context("the service panicked")?;
        following.await.context("following the register of packs panicked")?;
        last.stop();
        relaying.await.context("the relay panicked")?;
        leave(stream).await?;
        around.store.close().await?;
        info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}
