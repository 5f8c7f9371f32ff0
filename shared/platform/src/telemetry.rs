//! Logs: one sentence with fields, to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Logs at `info` unless `GRIDWARD_LOG` says otherwise. Never phone, name or raw text.
pub fn log_to_stderr(default: &str) {
    // Which migrations ran is for whoever mends them; how long somebody waited for the one writer is no fault.
    let quieter = format!("{default},sea_orm_migration=warn,sqlx::pool=error,sqlx::postgres::notice=warn");
    let filter = EnvFilter::try_from_env("GRIDWARD_LOG").unwrap_or_else(|_| EnvFilter::new(quieter));
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // A second call in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(coloured)
        .with_writer(std::io::stderr)
        .try_init();
}
