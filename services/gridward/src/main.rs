//! `gridward COMMAND`: chooses the role at start.

use clap::Parser;
use gridward::commands::Gridward;

fn main() -> std::process::ExitCode {
    gridward::commands::run(Gridward::parse())
}
