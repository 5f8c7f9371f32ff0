//! `gridward pack`: checks a pack, or sketches grids for a street that has none drawn yet.

mod check;
mod sketch;
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
    /// Draw made-up grids for a street of a pack, so that a pack can be tried before its grids are surveyed.
    Sketch(sketch::Sketch),
}

impl PackCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.what {
            What::Check(check) => check.run(),
            What::Sketch(sketch) => sketch.run(),
        }
    }
}
