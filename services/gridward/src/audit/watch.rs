//! The audit of an office again and again, for whoever watches it: gauges, a health endpoint, a line in the log
//! for each fault that was not there before.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use platform::clock::host_now;
use platform::http::{Patience as Listening, dress, serve};
use platform::lifecycle::{Lifecycle, asked_to_stop};
use platform::metrics::Metrics;
use tokio::net::TcpListener;
use tokio::sync::watch::Sender;
use tracing::{info, warn};

use super::gauges::Gauges;
use super::places::{Auditor, Patience, Places};
use super::report::Report;
use super::{Fault, Options};
use crate::http::watching;

/// What may be asked for at the command line.
#[derive(Clone, Debug, Args)]
pub struct Watching {
    /// Audit again and again until stopped, with gauges at /metrics and a log line for each new fault.
    #[arg(long)]
    pub(super) watch: bool,
    /// Seconds from the end of one audit to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "watch")]
    every: u64,
    /// Have published facts that a broker lost sent again; otherwise nothing is written.
    #[arg(long, requires = "watch")]
    resend: bool,
    /// Where /metrics and /health are served; as in the settings when left out.
    #[arg(long, value_name = "ADDRESS", requires = "watch")]
    pub(super) listen: Option<SocketAddr>,
}

impl Watching {
    /// Watches until SIGINT or SIGTERM.
    pub(super) async fn run(&self, places: Places, options: Options) -> anyhow::Result<()> {
        let listen = self.listen.context("there is no address to listen on")?;
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!(
                "cannot listen on {listen}: give --listen another / 无法监听 {listen}，请用 --listen 换一个"
            )
        })?;
        let every = Duration::from_secs(self.every);
        let how = Watch { every, resend: self.resend, options, patience: Patience::default() };
        info!("watching: gauges are at http://{listen}/metrics; Ctrl-C ends it / 已开始监视，按 Ctrl-C 停止",);
        let (stopper, lifecycle) = Lifecycle::new();
        let watching = tokio::spawn(watch(places, how, listener, lifecycle));
        asked_to_stop().await?;
        stopper.stop();
        watching.await.context("the watch panicked")?
    }
}

/// How to watch.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// From the end of an audit to the next.
    pub every: Duration,
    /// Have what a broker lost sent again. Otherwise nothing is written.
    pub resend: bool,
    pub options: Options,
    pub patience: Patience,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60),
            resend: false,
            options: Options::default(),
            patience: Patience::default(),
        }
    }
}

/// Audits `office` until the process is asked to stop, and tells of it at `listener`.
///
/// # Errors
/// When the listener fails. An audit that cannot look is counted, and tried again.
pub async fn watch(
    places: Places,
    how: Watch,
    listener: TcpListener,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    let gauges = Gauges::new(&metrics.registry).context("cannot set up the gauges")?;
    let (state, seen) =
        tokio::sync::watch::channel(Some("no audit has ended yet / 首次核查尚未完成".to_owned()));
    let router = dress(watching(metrics, seen, lifecycle.clone()));
    let serving = tokio::spawn(serve(listener, router, lifecycle.clone(), Listening::default()));
    let mut watcher = Watcher { places, how, gauges, state, auditor: None, known: BTreeSet::new() };
    let mut stop = lifecycle.clone();
    while !stop.is_stopping() {
        let mut stopping = lifecycle.clone();
        tokio::select! {
            () = watcher.round() => {}
            () = stopping.stopping() => {}
        }
        stop.pause(how.every).await;
    }
    if let Some(auditor) = watcher.auditor.take() {
        auditor.stop().await;
    }
    serving.await.context("the listener panicked")?.context("the listener failed")
}

struct Watcher {
    places: Places,
    how: Watch,
    gauges: Gauges,
    /// Why it is not ready.
    state: Sender<Option<String>>,
    auditor: Option<Auditor>,
    /// What was found last, so that each is told once.
    known: BTreeSet<(&'static str, String, String)>,
}

impl Watcher {
    /// One audit, and what follows from it.
    async fn round(&mut self) {
        let began = Instant::now();
        match self.audit().await {
            Ok(report) => {
                self.gauges.show(&report, host_now(), began.elapsed());
                self.tell(&report);
                self.state.send_replace(None);
            }
            Err(why) => {
                warn!("the audit could not look / 无法核查: {why:#}");
                self.gauges.failures.inc();
                self.auditor = None;
                self.state.send_replace(Some(format!("the audit could not look: {why:#} / 无法核查")));
            }
        }
    }

    async fn audit(&mut self) -> anyhow::Result<Report> {
        let auditor = match &mut self.auditor {
            Some(auditor) => auditor,
            None => {
                let made = Auditor::start(self.places.clone(), self.how.patience).await?;
                self.auditor.insert(made)
            }
        };
        let report = auditor.audit(self.how.options).await?;
        if self.how.resend {
            let resent = auditor.resend().await.context("cannot have lost facts sent again")?;
            self.gauges.resent.inc_by(resent);
        }
        Ok(report)
    }

    fn tell(&mut self, report: &Report) {
        let mut found = BTreeSet::new();
        for check in &report.checks {
            for Fault { id, what } in &check.faults {
                let fault = (check.name, id.clone(), what.clone());
                if !self.known.contains(&fault) {
                    warn!(check = check.name, id, "the audit found / 核查发现: {what}");
                }
                found.insert(fault);
            }
        }
        if found.is_empty() && !self.known.is_empty() {
            info!("the audit finds nothing any more / 核查已无问题");
        }
        self.known = found;
    }
}
