//! `gridward audit`: proves, from outside the services, that what is stored keeps the promises.
//!
//! It reads every service's tables in plain SQL, in one read transaction, and follows each case by rules
//! written down here a second time: it shares no code with the services, so what they get wrong it does
//! not get wrong with them. It walks incident by incident, a page at a time, and never holds more than two
//! pages and the sums of the tallies. It changes nothing and may run beside a running process.

mod deadlines;
mod figures;
mod fold;
mod history;
mod holder;
mod ledger;
mod life;
mod mirror;
mod once;
mod people;
mod positions;
mod report;
mod row;
mod rows;
mod said;
mod seen;
mod sequences;
mod snapshot;
mod steps;
mod told;
mod walk;
mod whole;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Args;
use platform::store::Store;

pub use report::{Check, DueSteps, Fault, Report};

use crate::commands::{DataFolder, say};
use snapshot::Snapshot;

/// Nobody could look: no such folder, no such file, a file of another make.
const COULD_NOT_LOOK: u8 = 2;

#[derive(Debug, Args)]
pub struct Audit {
    #[command(flatten)]
    data: DataFolder,
    /// Judge lateness as of this time, as in 2026-03-02T09:00:00Z. The latest time on the log when left out.
    #[arg(long, value_name = "TIME")]
    now: Option<DateTime<Utc>>,
    /// Count a step that is due for more than a minute and not done as a fault.
    #[arg(long)]
    strict: bool,
    /// For machines.
    #[arg(long)]
    json: bool,
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
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let options = Options { now: self.now, strict: self.strict };
        let report = match audit(&self.data.data, options).await {
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
    let snapshot = Snapshot::begin(&store).await?;
    let report = walk::walk(&snapshot, options).await?;
    snapshot.end().await?;
    store.close().await.context("cannot close the database")?;
    Ok(report)
}
