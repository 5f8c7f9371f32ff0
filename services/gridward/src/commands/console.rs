//! `gridward console`: accounts and signing in, alone in its process, on PostgreSQL. It has no topic of facts; what it
//! reads of Kafka is the register of packs, for people sign in as who they are there.

use std::process::ExitCode;

use anyhow::Context;
use platform::http::{Patience, Probes};
use platform::lifecycle::{Lifecycle, asked_to_stop};
use platform::turn::Health;
use tracing::info;

use super::all::{WAITING, take_place};
use super::serve::{Process, Serve};
use crate::http::{Routes, finished};
use crate::in_force::Follower;
use crate::servers::accounts;

impl Serve {
    /// Until SIGINT or SIGTERM: then it says that it is not ready, still takes what comes, and at last closes its door.
    pub async fn console(self) -> anyhow::Result<ExitCode> {
        let Process { settings, in_force, register, metrics, tokens } = self.begin().await?;
        let (place, clock) = (take_place(settings.listen)?, settings.clock()?);
        let accounts = accounts(&settings, &in_force, &clock).await?;
        let store = accounts.store.clone();
        let own = vec![(console::NAME, store.clone())];
        let follower = Follower::new(register, &in_force, own, &clock, &metrics);
        let beside = vec![("packs", follower.health())];
        let (draining, drained) = Lifecycle::new();
        let (door, closing) = Lifecycle::new();
        let (ending, ended) = Lifecycle::new();
        let health = Health::named(console::NAME);
        let following = tokio::spawn(follower.run(ended.clone()));
        let watching = tokio::spawn(console::watch(store.clone(), health.clone(), ended));
        let listener = place.listen(WAITING).context("cannot listen")?;
        let address = listener.local_addr()?;
        let probes = Probes {
            metrics,
            services: vec![(console::NAME, health)],
            beside,
            pack: in_force.clone(),
            lifecycle: drained.clone(),
        };
        let router = finished(Routes::console(accounts, &in_force, &tokens).probed(probes));
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
        following.await.context("following the register of packs panicked")?;
        store.close().await?;
        info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}
