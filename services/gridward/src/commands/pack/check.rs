//! `gridward pack check PACK`: what is in a pack, and what is odd about it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use platform::clock::host_now;

use super::super::{PackData, PackFolder, say, told_of_boundaries};
use crate::demo::day::Script;

#[derive(Debug, Args)]
pub struct Check {
    /// A folder with a pack.json, or the name of a pack that comes with Gridward.
    #[arg(value_name = "PACK", env = "GRIDWARD_PACK")]
    pack: PathBuf,
    #[command(flatten)]
    data: PackData,
}

impl Check {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let pack = PackFolder { pack: Some(self.pack), data: self.data }.load()?;
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
        for warning in
            route::published::without_outline(&pack).map_err(|faults| told_of_boundaries(&faults))?
        {
            say(format_args!("! {warning}"));
        }
        let report = route::published::report(&pack).map_err(|faults| told_of_boundaries(&faults))?;
        say(&report);
        let today = pack.calendar.local(host_now()).date();
        for warning in route::published::to_come(&pack, today) {
            say(format_args!("! {warning}"));
        }
        let boundaries = route::published::boundaries(&pack);
        match boundaries.and_then(|boundaries| route::published::covered(&pack, &boundaries, today)) {
            Ok(()) => {
                say("the boundaries can be used / 边界可以使用");
                if Script::of(&pack)?.is_some() {
                    say("its day can be played by `gridward demo` / day.json 可供 gridward demo 演示");
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(fault) => {
                say(fault);
                Ok(ExitCode::FAILURE)
            }
        }
    }
}
