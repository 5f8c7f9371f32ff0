//! `gridward reread SERVICE`: after a topic was made anew or a broker lost the end of one, a service's positions may lie
//! outside their logs; it then reads nothing and says so. This puts them back to where the logs begin. Reading again is
//! harmless: what was taken is dropped by its sequence.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use platform::metrics::Metrics;
use platform::store::positions::{self, Position};
use platform::store::{Store, StoreError};
use platform::stream::{KafkaStream, Source, Stream};

use super::{Config, say};
use crate::servers::{database_as_it_is, services_of};

#[derive(Debug, Args)]
pub struct Reread {
    /// route, handle, supervise or partner.
    #[arg(value_name = "SERVICE", value_parser = ["route", "handle", "supervise", "partner"])]
    service: String,
    #[command(flatten)]
    config: Config,
}

impl Reread {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let settings = self.config.load()?;
        let service = services_of(&settings).await?.into_iter().find(|name| *name == self.service);
        let service = service.context("there is no such service in this office")?;
        let store = database_as_it_is(service, &settings, 2).await?;
        let (stream, _) = KafkaStream::start(service, &[], &store, &settings.stream()?, &Metrics::new())?;
        for (source, was, is) in put_back(service, &store, &stream).await? {
            say(format_args!(
                "{service} on {}/{}: from {was} back to {is} / 已退回",
                source.topic, source.partition
            ));
        }
        store.close().await?;
        say(
            "restart the service if it has stopped reading; what it has taken it drops / 若服务已停止读取，请重启；已处理的将被跳过",
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// Puts every position of a service back to where its log begins; answers of each where it was and where it is.
///
/// # Errors
/// When the database fails, or the log cannot be asked.
pub(crate) async fn put_back(
    service: &'static str,
    store: &Store,
    stream: &dyn Stream,
) -> Result<Vec<(Source, i64, i64)>, StoreError> {
    let mut put = Vec::new();
    for (source, was) in positions::all(store.readers(), service).await? {
        let bounds = stream.bounds(source).await?;
        let begin = Position { topic_id: bounds.topic_id, after: bounds.first - 1 };
        positions::put(store.writer(), service, source, &begin).await?;
        put.push((source, was.after, begin.after));
    }
    Ok(put)
}
