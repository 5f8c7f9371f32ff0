//! `gridward all`: every service as a task of one process, on a file or on servers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use platform::http::Proxies;
use platform::lifecycle::{Lifecycle, asked_to_stop};
use platform::telemetry::log_to_stderr;
use platform::token::Tokens;
use tokio::net::TcpSocket;
use tracing::info;

use super::serve::NO_KEY;
use super::{Config, DataFolder, PackFolder};
use crate::embedded::Embedded;
use crate::running::{Ready, start};
use crate::servers::Servers;

#[derive(Debug, Args)]
pub struct All {
    #[command(flatten)]
    data: DataFolder,
    #[command(flatten)]
    pack: PackFolder,
    /// Settings of Kafka and PostgreSQL: run there, and not on a file. Pack and speed are then as the settings say.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on; 127.0.0.1:8080 when neither this nor the settings say one.
    #[arg(long, value_name = "ADDRESS", env = "GRIDWARD_LISTEN")]
    listen: Option<SocketAddr>,
    /// Run the clock of the cases this much faster than the host's, from the first start of this folder on.
    /// For trying things out; tokens keep to the host's clock.
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = crate::folder_clock::speed)]
    speed: f64,
    /// The reverse proxies whose X-Forwarded-For is believed, with commas: 127.0.0.1 where one stands before it on this
    /// machine. Nobody's, when it is not given. With --config the settings say.
    #[arg(
        long,
        value_name = "ADDRESSES",
        env = "GRIDWARD_PROXIES",
        default_value = "",
        hide_default_value = true
    )]
    proxies: Proxies,
}

const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

impl All {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(file) = self.config {
            return on_servers(&Config { config: Some(file) }, self.listen).await;
        }
        log_to_stderr("info");
        // First of all: whoever has the port is most likely running on this very folder.
        let place = take_place(self.listen.unwrap_or(USUAL))?;
        let clock = crate::folder_clock::paced(&self.data.data, self.speed, None)?;
        let all = Embedded::open(&self.data.data, self.pack, clock).await?;
        let tokens = Tokens::of_folder(&self.data.data).context("cannot read the token key")?;
        let mut ready = all.ready();
        ready.accounts.proxies = self.proxies;
        serve(ready, place, tokens).await?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn on_servers(config: &Config, listen: Option<SocketAddr>) -> anyhow::Result<ExitCode> {
    let settings = config.load()?;
    log_to_stderr(&settings.log);
    let pack = PackFolder::of_settings(settings.pack.clone());
    let tokens = Tokens::of_file(&settings.token_key_file).context(NO_KEY)?;
    let place = take_place(listen.unwrap_or(settings.listen))?;
    let membership = settings.stream()?.membership;
    let all = Servers::open(&settings, membership, pack, settings.clock()?).await?;
    serve(all.ready(), place, tokens).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the services and the listener until SIGINT or SIGTERM.
///
/// # Errors
/// When the listener fails or a database connection cannot be closed.
async fn serve(ready: Ready, place: TcpSocket, tokens: Tokens) -> anyhow::Result<()> {
    let listener = place.listen(WAITING).context("cannot listen")?;
    let (stopper, lifecycle) = Lifecycle::new();
    let running = start(ready, listener, &tokens, &lifecycle, |router| router)?;
    asked_to_stop().await?;
    info!("asked to stop: finishing what was begun");
    stopper.stop();
    running.finished().await
}

/// How many may wait at the door.
pub(super) const WAITING: u32 = 1024;

/// Takes an address, so that nobody else can; who knocks is not let in before it listens.
///
/// # Errors
/// When it is taken, or not this machine's.
pub(super) fn take_place(address: SocketAddr) -> anyhow::Result<TcpSocket> {
    let take = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A port whose last user has just ended can be had at once; one that is listened on cannot.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok::<_, std::io::Error>(socket)
    };
    take().with_context(|| {
        format!(
            "cannot listen on {address}: if another program has the port, give --listen another / \
             无法监听 {address}：端口若被占用，请用 --listen 换一个"
        )
    })
}
