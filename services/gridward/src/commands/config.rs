//! `gridward config`: the settings in force; and `--config`, as every command on servers takes it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{say, tell};
use crate::settings::{DEFAULTS, Settings, unknown_in};

/// Where the settings are.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// Settings of Kafka and PostgreSQL (TOML); only what differs from the defaults `gridward config --defaults` prints.
    #[arg(long, value_name = "FILE", env = "GRIDWARD_CONFIG")]
    pub config: Option<PathBuf>,
}

impl Config {
    /// The defaults, the file and the environment, one over the other.
    ///
    /// # Errors
    /// Names the setting that is unknown or wrong.
    pub fn load(&self) -> anyhow::Result<Settings> {
        for name in unknown_in(std::env::vars()) {
            tell(format_args!(
                "{name} is set and names no setting: `gridward config` lists all / \
                 环境变量 {name} 不对应任何设置，请用 gridward config 查看"
            ));
        }
        Settings::load(self.config.as_deref(), std::env::vars())
    }
}

#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    config: Config,
    /// The page of defaults instead, which says what each setting means: a file to begin with.
    #[arg(long)]
    defaults: bool,
}

impl Show {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if self.defaults {
            say(DEFAULTS.trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        say(toml::to_string(&self.config.load()?)?.trim_end());
        Ok(ExitCode::SUCCESS)
    }
}
