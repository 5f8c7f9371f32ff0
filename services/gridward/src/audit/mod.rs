//! `gridward audit`: proves, from outside the services, that what is stored keeps the promises.
//!
//! It reads every service's tables in plain SQL, in one read transaction on a file or one on each service's
//! database, and follows each case by rules written down here a second time: it shares no code with the
//! services' deciding, so what they get wrong it does not get wrong with them. It walks incident by incident, a
//! page at a time, and never holds more than two pages, the sums of the tallies and, on servers, 40 bytes for
//! each record of the topics. It changes nothing and may run beside running processes. With `--quick`, on servers,
//! it compares the databases by sets instead.

mod deadlines;
mod figures;
mod fold;
mod fold_offers;
mod gauges;
mod history;
mod holder;
mod index;
mod lags;
mod ledger;
mod life;
mod mirror;
mod once;
mod partition;
mod people;
mod places;
mod positions;
mod quick;
mod report;
mod row;
mod rows;
mod said;
mod seen;
mod sent;
mod sequences;
mod snapshot;
mod steps;
mod told;
mod topics;
mod walk;
mod watch;
mod whole;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Args;
use platform::store::Store;
use platform::telemetry::log_to_stderr;

pub use places::{Auditor, Patience, Places, audit_places};
pub use quick::audit_quickly;
pub use report::{Check, DueSteps, Fault, Lag, OnTopics, Query, Quick, Report};
pub use watch::{Watch, Watching, watch};

use crate::commands::{Config, DataFolder, say};
use snapshot::Snapshot;

/// Nobody could look: no such folder, no such file, a file of another make.
const COULD_NOT_LOOK: u8 = 2;

#[derive(Debug, Args)]
pub struct Audit {
    #[command(flatten)]
    data: DataFolder,
    /// Settings of Kafka and PostgreSQL: audit the services there, not a folder.
    #[arg(long, value_name = "FILE", env = "GRIDWARD_CONFIG")]
    config: Option<PathBuf>,
    /// Judge lateness as of this time, as in 2026-03-02T09:00:00Z. The latest time on the log when left out.
    #[arg(long, value_name = "TIME")]
    now: Option<DateTime<Utc>>,
    /// Count a step that is due for more than a minute and not done as a fault.
    #[arg(long)]
    strict: bool,
    /// Compare the databases by sets, with --config: minutes for ten million cases, but no bodies of facts, no records.
    #[arg(long, conflicts_with = "watch")]
    quick: bool,
    /// For machines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    watching: Watching,
}

/// How to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// As of when a step is late; the latest time on the log when `None`.
    pub now: Option<DateTime<Utc>>,
    /// A late step is a fault, not a remark.
    pub strict: bool,
}

impl Audit {
    /// Audits a folder, or what the settings name.
    ///
    /// # Errors
    /// When something is asked for that only an office on servers has.
    pub async fn run(mut self) -> anyhow::Result<ExitCode> {
        if self.config.is_some() {
            let settings = Config { config: self.config.clone() }.load()?;
            if self.watching.watch {
                log_to_stderr(&settings.log);
            }
            self.watching.listen.get_or_insert(settings.listen);
            let places = match Places::open(&settings).await {
                Ok(places) => places,
                Err(error) => return Ok(could_not_look(&error)),
            };
            return self.run_on(places).await;
        }
        if self.watching.watch {
            anyhow::bail!(
                "only an office on servers can be watched: run the audit of a folder again and again instead / \
                 只能监视服务器上的部署：请改为反复核查该目录"
            );
        }
        if self.quick {
            anyhow::bail!(
                "the quick audit is of an office on servers: give --config, or leave out --quick / \
                 快速核查仅用于服务器部署：请给出 --config，或去掉 --quick"
            );
        }
        let report = audit(&self.data.data, self.options()).await;
        self.tell(report)
    }

    /// Audits what is on servers, once or again and again until the process is asked to stop.
    ///
    /// # Errors
    /// When the address to listen on cannot be had.
    async fn run_on(self, places: Places) -> anyhow::Result<ExitCode> {
        if self.watching.watch {
            self.watching.run(places, self.options()).await?;
            return Ok(ExitCode::SUCCESS);
        }
        let report = match self.quick {
            true => audit_quickly(&places, self.options(), Patience::default()).await,
            false => audit_places(&places, self.options()).await,
        };
        self.tell(report)
    }

    fn options(&self) -> Options {
        Options { now: self.now, strict: self.strict }
    }

    fn tell(&self, report: anyhow::Result<Report>) -> anyhow::Result<ExitCode> {
        let report = match report {
            Ok(report) => report,
            Err(error) => return Ok(could_not_look(&error)),
        };
        if self.json {
            say(serde_json::to_string_pretty(&report)?);
        } else {
            say(&report);
        }
        Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn could_not_look(error: &anyhow::Error) -> ExitCode {
    crate::commands::tell(format_args!("gridward audit: could not look / 无法核查: {error:#}"));
    ExitCode::from(COULD_NOT_LOOK)
}

/// Audits the database in `folder`, as it is at this moment.
///
/// # Errors
/// When there is no database, or it cannot be read; a fault in the data is part of the report.
pub async fn audit(folder: &Path, options: Options) -> anyhow::Result<Report> {
    let store = Store::look(folder).await?;
    let snapshot = Snapshot::of_file(&store).await?;
    let report = walk::of_file(&snapshot, options).await?;
    snapshot.end().await?;
    store.close().await.context("cannot close the database")?;
    Ok(report)
}
