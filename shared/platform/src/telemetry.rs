//! Logs: one sentence with fields, to standard error.

use tracing_subscriber::EnvFilter;

/// Logs at `info` unless `GRIDWARD_LOG` says otherwise. Never phone, name or raw text.
pub fn log_to_stderr(default: &str) {
    let filter = EnvFilter::try_from_env("GRIDWARD_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // A second call in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
