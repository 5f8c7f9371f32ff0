//! `gridward console`: accounts and signing in, alone in its process, on PostgreSQL. It has no topic, so it needs no Kafka.

use std::process::ExitCode;

use anyhow::Context;
use platform::http::{Patience, Probes};
use platform::lifecycle::{Lifecycle, asked_to_stop};
use platform::turn::Health;
use tracing::info;

use super::all::{WAITING, take_place};
use super::serve::{Process, Serve};
use crate::http::{Routes, finished};
use crate::servers::accounts;

impl Serve {
    /// Until SIGINT or SIGTERM: then it says that it is not ready, still takes what comes, and at last closes its door.
    pub async fn console(self) -> anyhow::Result<ExitCode> {
        let Process { settings, pack, metrics, tokens } = self.begin()?;
        let place = take_place(settings.listen)?;
        let accounts = accounts(&settings, &pack, &settings.clock()?).await?;
        let store = accounts.store.clone();
        let (draining, drained) = Lifecycle::new();
        let (door, closing) = Lifecycle::new();
        let (ending, ended) = Lifecycle::new();
        let health = Health::default();
        let watching = tokio::spawn(console::watch(store.clone(), health.clone(), ended));
        let listener = place.listen(WAITING).context("cannot listen")?;
        let address = listener.local_addr()?;
        let probes = Probes {
            metrics,
            services: vec![(console::NAME, health)],
            beside: Vec::new(),
            lifecycle: drained.clone(),
        };
        let router = finished(Routes::console(accounts, &pack, &tokens).probed(probes));
        let listening = tokio::spawn(platform::http::serve(listener, router, closing, Patience::default()));
        info!("console is ready at http://{address}, data in {}; SIGTERM ends it / 已就绪", store.place());

        asked_to_stop().await?;
        info!("asked to stop: not ready from now on, and closing in {:?}", settings.drain());
        draining.stop();
        drained.wait_out(settings.drain()).await;
        door.stop();
        listening.await.context("the listener panicked")?.context("the listener failed")?;
        ending.stop();
        watching.await.context("looking at the database panicked")?;
        store.close().await?;
        info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}
