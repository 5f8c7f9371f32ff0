//! `gridward simulate`: lives of a whole office, drawn from seeds, with everything that may go wrong in them, and the
//! promises held against each.
//!
//! A life is one event after the other: a person asks, an instance takes facts, a relay sends, time passes. At each named
//! point of a step ([`platform::faults::Point`]) whoever does it may die, freeze and go on later, or be told that it
//! failed. Two instances of each service share its tables; topics lie in memory; no clock and no chance but the seed's is
//! asked, so a seed gives the same life every time. At the end nothing goes wrong any more, all must come to rest, and
//! what is kept everywhere is held against small models of the promises ([`model`], [`fold`]). A life that breaks one
//! is made as short as it still does, and told step by step.

mod broker;
mod dice;
mod draw;
mod faults;
mod figures;
mod fold;
mod hands;
mod hiring;
mod life;
mod meddling;
mod mishaps;
mod model;
mod office;
mod parts;
mod people;
mod process;
mod promises;
mod script;
mod shrink;
mod store;
mod swarm;
mod switches;
mod tell;
mod trying;
mod verdict;
mod verdict_mirrors;
mod world;

use std::num::NonZero;
use std::process::ExitCode;
use std::thread::available_parallelism;

use anyhow::ensure;
use clap::Args;

use life::Lived;
use promises::{Breach, Promise};

use crate::commands::{say, tell};

pub use figures::{Failed, Figures};
pub use hands::{Wanted, live};
pub use office::Office;
pub use switches::{Broken, Switch};

/// So often a broken promise is told of one life.
const TOLD: usize = 3;

/// Live many lives of an office in which everything goes wrong that can, and hold the promises against each.
#[derive(Debug, Args)]
pub struct Simulate {
    /// How many lives.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    seeds: u64,
    /// The seed of the first.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    first_seed: u64,
    /// Live one life again and tell it step by step; made short, where it breaks a promise.
    #[arg(long, value_name = "SEED", conflicts_with = "switches")]
    replay: Option<u64>,
    /// Break this rule on purpose; more than once: several together.
    #[arg(long, value_name = "NAME")]
    switch: Vec<Switch>,
    /// Break every rule there is on purpose, one after the other, and say how many lives it took to notice.
    #[arg(long, conflicts_with = "switch")]
    switches: bool,
    /// So many at once; as many as there are processors, for each keeps one busy, unless fewer are said.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// For machines.
    #[arg(long)]
    json: bool,
}

impl Simulate {
    /// # Errors
    /// When there is nothing to live, or the pack or the database in memory cannot be used.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        ensure!(
            self.seeds > 0,
            "--seeds 0 lives no life, and so shows nothing: give 1 or more / --seeds 0 不运行任何生命，什么也说明不了：请给 1 或更多"
        );
        ensure!(
            self.threads != Some(0),
            "--threads 0 leaves nobody to live them: give 1 or more / --threads 0 没有线程可用：请给 1 或更多"
        );
        let processors = available_parallelism().map_or(1, NonZero::get);
        let threads = self.threads.unwrap_or(processors).min(processors);
        if let Some(asked) = self.threads.filter(|asked| *asked > threads) {
            tell(format_args!(
                "--threads {asked}: on {processors} processors no more than {threads} help, and so many are used / \
                 {processors} 个处理器最多用 {threads} 个线程，已按此运行"
            ));
        }
        let office = Office::open()?;
        let broken = Broken::of(&self.switch);
        let wanted = Wanted { seeds: self.seeds, first_seed: self.first_seed, threads, broken, failures: 5 };
        if let Some(seed) = self.replay {
            return replay(&office, seed, broken);
        }
        if self.switches {
            let tried = trying::every(&office, &wanted)?;
            if self.json {
                say(serde_json::to_string_pretty(&tried)?)
            } else {
                say(&tried)
            }
            return Ok(code(tried.is_good()));
        }
        let figures = live(&office, &wanted)?;
        if self.json {
            say(serde_json::to_string_pretty(&figures)?)
        } else {
            say(&figures)
        }
        if let Some(failed) = figures.failed.first()
            && !self.json
        {
            replay(&office, failed.seed, broken)?;
        }
        Ok(code(figures.is_good()))
    }
}

fn code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tells the life of a seed.
fn replay(office: &Office, seed: u64, broken: Broken) -> anyhow::Result<ExitCode> {
    let (whole, short) = hands::again(office, seed, broken)?;
    let told = if short.is_clean() { &whole } else { &short };
    begin(seed, &whole, told);
    for line in &told.lines {
        say(line);
    }
    say(format_args!("digest {}", told.digest));
    if whole.is_clean() {
        say("every promise was kept / 各项承诺均未违反");
        return Ok(ExitCode::SUCCESS);
    }
    say("what was broken / 违反的承诺：");
    let mut said = Vec::new();
    for breach in &told.breaches {
        if !said.contains(&breach.promise) {
            said.push(breach.promise);
            end(breach.promise, told);
        }
    }
    Ok(ExitCode::FAILURE)
}

/// What one has to know to understand what follows.
fn begin(seed: u64, whole: &Lived, told: &Lived) {
    let setup = &told.script.setup;
    say(format_args!(
        "seed {seed}: from {}, {} partitions of each topic, at most {} records a read; #0 is what became of the first \
         report",
        setup.start, setup.partitions, setup.most
    ));
    for switch in setup.broken.switches() {
        say(format_args!("broken on purpose 故意破坏: {} ({})", switch.says(), switch.name()));
    }
    let (all, left) = (whole.script.events.len(), told.script.events.len());
    if left < all {
        say(format_args!("{left} of {all} events are enough for it / 已由 {all} 个事件缩短为 {left} 个"));
    }
}

/// How one promise was broken: the first few times.
fn end(promise: Promise, told: &Lived) {
    say(format_args!("  {promise:?}: {}", promise.says()));
    let of = |breach: &&Breach| breach.promise == promise;
    for breach in told.breaches.iter().filter(of).take(TOLD) {
        say(format_args!("    - {}", breach.what));
    }
    let more = told.breaches.iter().filter(of).count().saturating_sub(TOLD);
    if more > 0 {
        say(format_args!("    - and {more} more"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Asked {
        #[command(flatten)]
        simulate: Simulate,
    }

    fn refusal(arguments: [&str; 2]) -> String {
        let asked = Asked::parse_from(["simulate"].into_iter().chain(arguments));
        asked.simulate.run().unwrap_err().to_string()
    }

    #[test]
    fn no_life_and_nobody_to_live_it_are_refused_with_what_to_do() {
        for what in ["--seeds", "--threads"] {
            let said = refusal([what, "0"]);
            assert!(said.contains(&format!("{what} 0")) && said.contains("give 1 or more"), "{said}");
            assert!(said.contains("请给 1 或更多"), "{said}");
        }
    }
}
