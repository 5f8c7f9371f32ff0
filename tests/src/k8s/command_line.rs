//! The arguments of a pod, read by the program's own parser.

use clap::Parser;
use gridward::commands::Gridward;

/// Why the program would not take `arguments`.
pub(super) fn refused(arguments: &[&str]) -> Option<String> {
    let said = std::iter::once("gridward").chain(arguments.iter().copied());
    Gridward::try_parse_from(said).err().map(|error| error.to_string())
}
