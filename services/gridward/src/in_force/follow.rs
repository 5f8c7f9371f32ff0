//! Following the register: a version that is published comes into force here as soon as everything is made of it. One
//! that cannot be used here changes nothing; that is said once, and shown as long as it is so.

use chrono::{DateTime, Utc};
use partner::PartnerDesk;
use platform::clock::{Clock, host_now};
use platform::lifecycle::Lifecycle;
use platform::metrics::Metrics;
use platform::pack::InForce;
use platform::register::{Manifest, Register, Shelf};
use platform::store::packs::{self, RanOn};
use platform::store::{Store, StoreError, commit, dead_letters};
use platform::turn::{Health, Service};
use tracing::{error, info, warn};

const NO_PARTNER: &str = "the pack in force has partner organisations, and this process does not run partner: restart it. \
                          Until then nothing is offered to them, and all else goes on / 新版辖区包启用了社会组织接单，请重启本进程；\
                          此前不下单，其余照常";

/// Follows the register for all services of a process.
#[derive(Debug)]
pub struct Follower {
    register: Register,
    in_force: InForce,
    /// The services of this process, and where they note what they run on.
    stores: Vec<(&'static str, Store)>,
    clock: Clock,
    metrics: Metrics,
    health: Health,
    /// Why the newest version is not in force here.
    refused: Option<String>,
    /// The version in force still has to be noted.
    unnoted: bool,
    /// What the last look failed with, so that it is said once.
    failing: bool,
}

impl Follower {
    pub fn new(
        register: Register,
        in_force: &InForce,
        stores: Vec<(&'static str, Store)>,
        clock: &Clock,
        metrics: &Metrics,
    ) -> Self {
        Self {
            register,
            in_force: in_force.clone(),
            stores,
            clock: clock.clone(),
            metrics: metrics.clone(),
            health: Health::named("the register of packs"),
            refused: None,
            unnoted: false,
            failing: false,
        }
    }

    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Looks until the process ends.
    pub async fn run(mut self, mut lifecycle: Lifecycle) {
        while !lifecycle.is_stopping() {
            self.health.came_around();
            match self.look().await {
                Ok(_) => {
                    self.failing = false;
                    self.health.answered();
                    match self.trouble() {
                        None => self.health.saved(),
                        Some(trouble) => self.health.failed(&trouble),
                    }
                }
                Err(failed) => {
                    if !self.failing {
                        warn!("cannot follow the register of packs, trying again: {failed}");
                    }
                    self.failing = true;
                    self.health.failed(&failed);
                    self.register.look_again();
                }
            }
            tokio::select! {
                biased;
                () = lifecycle.stopping() => {}
                () = self.register.stirs() => {}
            }
        }
        self.register.close().await;
    }

    /// What is wrong though the process goes on.
    fn trouble(&self) -> Option<StoreError> {
        let why = self.refused.clone().or_else(|| self.lacks_partner().then(|| NO_PARTNER.to_owned()))?;
        let id = self.in_force.now().code.clone();
        Some(StoreError::Inconsistent { table: "pack_record", id, why })
    }

    /// Looks once; answers whether another version came into force.
    ///
    /// # Errors
    /// When the register or a database cannot be asked; it is looked at again then.
    pub async fn look(&mut self) -> Result<bool, StoreError> {
        let mut exchanged = false;
        if let Some(shelf) = self.register.moved().await? {
            exchanged = self.take(shelf).await?;
        }
        if self.unnoted {
            self.note().await?;
            self.unnoted = false;
        }
        Ok(exchanged)
    }

    async fn take(&mut self, shelf: Shelf) -> Result<bool, StoreError> {
        let (code, since) = (self.in_force.now().code.clone(), self.in_force.published_at());
        let newest = shelf.newest(&code).cloned();
        let newest_at = newest.as_ref().map(|manifest| manifest.published_at);
        let manifest = match newest {
            Some(manifest) if since.is_none_or(|since| since < manifest.published_at) => manifest,
            _ if newest_at == since => {
                self.refused = None;
                return Ok(false);
            }
            _ => {
                self.refuse(format!(
                    "the register of packs has lost the version of {code} that is in force, published at {}: publish it \
                     again / 登记中已没有正在使用的版本，请重新发布",
                    since.map_or_else(String::new, |since| since.to_rfc3339())
                ));
                return Ok(false);
            }
        };
        let (in_force, wanted) = (self.in_force.clone(), manifest.clone());
        // Reading a pack and making what is made of it takes its time, and nobody is to wait for it.
        let prepared = tokio::task::spawn_blocking(move || {
            let pack = shelf.load(&wanted).map_err(|why| why.to_string())?;
            in_force.prepare(pack, wanted.published_at)
        });
        let prepared = match prepared.await {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(why)) => {
                self.refuse(not_used(&manifest, &why));
                return Ok(false);
            }
            Err(panicked) => {
                self.refuse(not_used(&manifest, &panicked.to_string()));
                return Ok(false);
            }
        };
        if let Some(store) = self.store(PartnerDesk::NAME) {
            partner::follow(store, &prepared.pack().partners, self.clock.now()).await?;
        }
        self.in_force.exchange(prepared);
        (self.refused, self.unnoted) = (None, true);
        self.tell(&manifest, host_now());
        if self.lacks_partner() {
            error!("{NO_PARTNER}");
        }
        Ok(true)
    }

    /// Several services are all services: there is nobody else to run partner.
    fn lacks_partner(&self) -> bool {
        let runs_all = self.stores.len() > 1;
        runs_all && self.store(PartnerDesk::NAME).is_none() && self.in_force.now().has_partners()
    }

    fn store(&self, service: &str) -> Option<&Store> {
        self.stores.iter().find(|(name, _)| *name == service).map(|(_, store)| store)
    }

    fn refuse(&mut self, why: String) {
        if self.refused.as_ref() != Some(&why) {
            error!("{why}");
        }
        self.refused = Some(why);
    }

    fn tell(&self, manifest: &Manifest, now: DateTime<Utc>) {
        let Manifest { code, published_at, by, .. } = manifest;
        let seconds = (now - *published_at).as_seconds_f64();
        self.metrics.pack_applied.set(seconds);
        info!(
            applied_seconds = seconds,
            "the pack {code} {} is in force, published at {published_at} by {by} / 新版辖区包已生效",
            self.in_force.now().version()
        );
    }

    /// Notes what the services run on from now on, and has them try again what they could not decide: another service
    /// may have gone by this version a moment earlier.
    async fn note(&self) -> Result<(), StoreError> {
        let (pack, published_at) = (self.in_force.now(), self.in_force.published_at());
        for (service, store) in &self.stores {
            let ran_on = RanOn { digest: pack.digest.clone(), published_at, loaded_at: self.clock.now() };
            let tx = store.begin().await?;
            packs::note(&tx, service, &pack.code, &ran_on).await?;
            if *service != console::NAME {
                dead_letters::ask_retry_of_all(&tx, service).await?;
            }
            commit(tx, "noting the pack").await?;
        }
        Ok(())
    }
}

fn not_used(manifest: &Manifest, why: &str) -> String {
    format!(
        "the pack {} published at {} cannot be used here, so the one in force stays: {why} / 新发布的辖区包无法使用，继续使用原版本",
        manifest.code, manifest.published_at
    )
}
