//! `gridward all`: every service as a task of one process.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use platform::clock::Clock;
use platform::http::Patience;
use platform::lifecycle::{Lifecycle, asked_to_stop};
use platform::telemetry::log_to_stderr;
use platform::token::Tokens;
use tokio::net::TcpListener;
use tracing::info;

use super::{DataFolder, PackFolder};
use crate::embedded::Embedded;
use crate::http::{Desks, Router, finished, router};

#[derive(Debug, Args)]
pub struct All {
    #[command(flatten)]
    data: DataFolder,
    #[command(flatten)]
    pack: PackFolder,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", env = "GRIDWARD_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Run the clock of the cases this much faster than the host's, from the first start of this folder on.
    /// For trying things out; tokens keep to the host's clock.
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = crate::folder_clock::speed)]
    speed: f64,
}

impl All {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        log_to_stderr("info");
        let pack = self.pack.load()?;
        let clock = crate::folder_clock::paced(&self.data.data, self.speed, None)?;
        let all = Embedded::open(&self.data.data, pack, clock).await?;
        let listener = TcpListener::bind(self.listen).await.with_context(|| {
            format!("cannot listen on {0}: if another program has the port, give --listen another / 无法监听 {0}：端口若被占用，请用 --listen 换一个", self.listen)
        })?;
        let tokens = Tokens::of_folder(&self.data.data).context("cannot read the token key")?;
        serve(all, listener, tokens, |router| router).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Runs the services and the listener until SIGINT or SIGTERM. `extend` may add to the routes.
///
/// # Errors
/// When the listener fails or a database connection cannot be closed.
pub async fn serve(
    all: Embedded,
    listener: TcpListener,
    tokens: Tokens,
    extend: impl FnOnce(Router) -> Router,
) -> anyhow::Result<()> {
    let (stopper, lifecycle) = Lifecycle::new();
    let running = start(all, listener, &tokens, &lifecycle, extend)?;
    asked_to_stop().await?;
    info!("asked to stop: finishing what was begun");
    stopper.stop();
    running.finished().await
}

/// A running process: its loops and its listener.
pub struct Running {
    loops: tokio::task::JoinSet<()>,
    listening: tokio::task::JoinHandle<std::io::Result<()>>,
    store: platform::store::Store,
    desks: Desks,
    clock: Clock,
    pack: std::sync::Arc<platform::pack::Pack>,
    _lock: std::fs::File,
}

/// Starts the services as tasks and serves their endpoints.
///
/// # Errors
/// When the listener has no address.
pub fn start(
    all: Embedded,
    listener: TcpListener,
    tokens: &Tokens,
    lifecycle: &Lifecycle,
    extend: impl FnOnce(Router) -> Router,
) -> anyhow::Result<Running> {
    let address = listener.local_addr()?;
    let parts =
        all.into_parts(lifecycle, |front, desks| finished(extend(router(front, desks, tokens, lifecycle))));
    let mut loops = tokio::task::JoinSet::new();
    for running in parts.loops {
        loops.spawn(running);
    }
    let serving = platform::http::serve(listener, parts.router, lifecycle.clone(), Patience::default());
    let listening = tokio::spawn(serving);
    info!(
        "ready: the API is at http://{address}/api/v1 (openapi.json says what there is), data in {}; Ctrl-C ends it / \
         已就绪：接口见 /api/v1/openapi.json，按 Ctrl-C 停止",
        parts.folder.display()
    );
    Ok(Running {
        loops,
        listening,
        store: parts.around.store.clone(),
        desks: parts.desks,
        clock: parts.around.clock,
        pack: parts.pack,
        _lock: parts.lock,
    })
}

impl Running {
    /// Waits for the listener and every loop to end, then closes the database.
    ///
    /// # Errors
    /// When the listener failed, a loop panicked, or the database cannot be closed.
    pub async fn finished(mut self) -> anyhow::Result<()> {
        self.listening.await.context("the listener panicked")?.context("the listener failed")?;
        while let Some(ended) = self.loops.join_next().await {
            ended.context("a service panicked")?;
        }
        self.store.close().await?;
        info!("stopped");
        Ok(())
    }
}

/// What somebody who acts without HTTP needs of a running process.
#[derive(Clone, Debug)]
pub struct Stage {
    pub desks: Desks,
    pub clock: Clock,
    pub store: platform::store::Store,
    pub pack: std::sync::Arc<platform::pack::Pack>,
}

impl Running {
    pub fn stage(&self) -> Stage {
        Stage {
            desks: self.desks.clone(),
            clock: self.clock.clone(),
            store: self.store.clone(),
            pack: self.pack.clone(),
        }
    }
}
