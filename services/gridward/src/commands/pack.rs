//! `gridward pack --pack PACK`: what is in a pack, and what is odd about it.

use std::process::ExitCode;

use clap::Args;

use super::{PackFolder, say};

#[derive(Debug, Args)]
pub struct CheckPack {
    #[command(flatten)]
    pack: PackFolder,
}

impl CheckPack {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let pack = self.pack.load()?;
        say(format_args!("{} ({}) {}", pack.name.zh, pack.name.en, pack.digest));
        say(format_args!(
            "{} areas, {} categories, {} people, calendar {} {}",
            pack.areas.iter().count(),
            pack.categories.len(),
            pack.people.len(),
            pack.calendar.code(),
            pack.calendar.version(),
        ));
        for warning in &pack.warnings {
            say(format_args!("! {warning}"));
        }
        let report = route::published::report(&pack).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        say(&report);
        match route::published::boundaries(&pack) {
            Ok(_) => {
                say("the boundaries can be used / 边界可以使用");
                Ok(ExitCode::SUCCESS)
            }
            Err(fault) => {
                say(fault);
                Ok(ExitCode::FAILURE)
            }
        }
    }
}
