//! `gridward pack status`: which version is published, and which the services went by last. What each process has in
//! force it says itself, at /health/ready and in /metrics.

use std::process::ExitCode;

use clap::Args;
use partner::PartnerDesk;
use platform::register::Manifest;
use platform::store::packs::{self, RanOn};
use platform::turn::Service;
use serde_json::{Value, json};

use super::super::{Config, say};
use super::publish::{Opened, Place};
use crate::servers::{SERVICES, WITHOUT_TOPIC, database_as_it_is, services_of};

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    place: Place,
    /// For machines.
    #[arg(long)]
    json: bool,
}

/// A service, and what it ran on last.
type Ran = (&'static str, RanOn);

impl Status {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let mut opened = self.place.open().await?;
        let shelf = opened.register.read().await?;
        let newest = shelf.codes().into_iter().filter_map(|code| shelf.newest(code).cloned());
        let published: Vec<Manifest> = newest.collect();
        let ran = self.ran(&opened).await?;
        opened.close().await?;
        if self.json {
            let services: Vec<Value> = ran.iter().map(in_json).collect();
            say(serde_json::to_string_pretty(&json!({ "published": published, "services": services }))?);
        } else {
            print(&published, &ran);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What each service has noted.
    async fn ran(&self, opened: &Opened) -> anyhow::Result<Vec<Ran>> {
        let mut ran = Vec::new();
        if let Some(store) = &opened.store {
            for service in SERVICES.into_iter().chain([PartnerDesk::NAME]).chain(WITHOUT_TOPIC) {
                let last = packs::last(store.readers(), service).await?;
                ran.extend(last.map(|last| (service, last)));
            }
            return Ok(ran);
        }
        let settings = Config { config: self.place.config.clone() }.load()?;
        for service in services_of(&settings).await?.into_iter().chain(WITHOUT_TOPIC) {
            let store = database_as_it_is(service, &settings, 1).await?;
            let last = packs::last(store.readers(), service).await?;
            ran.extend(last.map(|last| (service, last)));
            store.close().await?;
        }
        Ok(ran)
    }
}

fn print(published: &[Manifest], ran: &[Ran]) {
    if published.is_empty() {
        say(
            "nothing is published: services go by the folder they are given / 尚未发布，各服务使用目录中的辖区包",
        );
    }
    for Manifest { code, version, published_at, by, files } in published {
        let (version, files) = (short(version), files.len());
        say(format_args!("published  {code} {version}  at {published_at} by {by}, {files} files"));
    }
    for (service, RanOn { digest, published_at, loaded_at }) in ran {
        let from = published_at.map_or_else(
            || "from its folder".to_owned(),
            |published_at| format!("published at {published_at}"),
        );
        say(format_args!("{service:<9}  {}  since {loaded_at}, {from}", short(digest)));
    }
}

fn in_json((service, last): &Ran) -> Value {
    json!({
        "service": service, "version": last.digest, "published_at": last.published_at, "since": last.loaded_at,
    })
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
