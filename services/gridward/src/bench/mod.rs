//! `gridward bench`: how fast it is, beside how fast the bare database is at the same, in the same run on the same
//! machine. What counts is the ratio; the rates by themselves tell of the machine.

mod asking;
mod audit;
mod child;
mod due_steps;
mod figures;
mod first;
mod intake;
mod pipeline;
mod reports;
mod site;
mod steady;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use platform::lifecycle::Lifecycle;
use platform::telemetry::log_to_stderr;

use crate::commands::say;
pub use figures::percentile;

use figures::Figures;

/// How fast it is.
#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// 上报: reports over HTTP, each answered after it is committed.
    Intake(intake::Intake),
    /// 流转与处置: from the report on its topic to the committed case.
    Pipeline(pipeline::Pipeline),
    /// 督办: steps that fall due among many that do not.
    DueSteps(due_steps::DueSteps),
    /// 核查: the quick audit of few and of many cases, with --config.
    Audit(audit::BenchAudit),
}

impl Bench {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        log_to_stderr("warn");
        let (figures, json) = match self.what {
            What::Intake(intake) => (intake.measure().await?, intake.at.json),
            What::Pipeline(pipeline) => (pipeline.measure().await?, pipeline.at.json),
            What::DueSteps(steps) => (steps.measure().await?, steps.at.json),
            What::Audit(audit) => (audit.measure().await?, audit.at.json),
        };
        print(&figures, json)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn print(figures: &Figures, json: bool) -> anyhow::Result<()> {
    if json {
        say(serde_json::to_string_pretty(figures)?);
    } else {
        say(figures.table());
    }
    Ok(())
}

/// Waits, as long as nothing can be measured yet.
async fn wait(long: Duration) {
    let (_stopper, lifecycle) = Lifecycle::new();
    lifecycle.wait_out(long).await;
}
