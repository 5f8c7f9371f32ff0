//! `gridward pack`: checks a pack, publishes it, or sketches grids for a street that has none drawn yet.

mod check;
mod publish;
mod sketch;
mod status;
mod tessellate;

use std::process::ExitCode;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct PackCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say what is in a pack, what is odd about it, and what is wrong with it: file, line and reason.
    Check(check::Check),
    /// Publish a pack to the services that run, once it is checked. A bad one is refused, with file, line and reason, and
    /// the version in force stays.
    Publish(publish::Publish),
    /// Say which version is published, and which the services go by.
    Status(status::Status),
    /// Draw made-up grids for a street of a pack, so that a pack can be tried before its grids are surveyed.
    Sketch(sketch::Sketch),
}

impl PackCommand {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.what {
            What::Check(check) => check.run(),
            What::Publish(publish) => publish.run().await,
            What::Status(status) => status.run().await,
            What::Sketch(sketch) => sketch.run(),
        }
    }
}
