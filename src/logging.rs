//! Logs: to standard error, as text or JSON, at the level of `RUST_LOG` or the configuration.

use callboard_actors::config::{LogFormat, LogSettings};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::EnvFilter;

/// Begins to log. `RUST_LOG`, where it is set, goes before the settings. A second call does nothing.
pub fn start(settings: &LogSettings) {
    let from_settings = || EnvFilter::new(format!("{},fjall=warn,lsm_tree=warn", settings.level));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| from_settings());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // An error means that the program logs already.
    let _ = match settings.format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
