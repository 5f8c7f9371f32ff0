//! `gridward COMMAND`: chooses the role at start.

use clap::Parser;
use gridward::commands::Gridward;

/// Turns make and drop many small strings, often on different threads; this allocator is a fifth faster at it.
/// It asks for no huge pages: with them, what was freed stayed with the process, and it had twice the memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    gridward::commands::run(Gridward::parse())
}
