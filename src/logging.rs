//! Logs: to standard error, as text or JSON, at the level of `RUST_LOG` or the configuration.

use callboard_actors::config::{LogFormat, LogSettings};
use std::io::{IsTerminal, stderr};
use std::sync::OnceLock;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// Puts a filter in the place of the one that counts; says whether it could.
type Reload = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;

/// There once this process logs by [`start`].
static RELOAD: OnceLock<Reload> = OnceLock::new();

/// The log is not the broker's, but that of a program that the broker runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log belongs to the program that the broker runs in")]
pub struct NotOurs;

/// Begins to log. `RUST_LOG`, where it is set, goes before the settings. A second call does nothing.
pub fn start(settings: &LogSettings) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| filter(&settings.level));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let (started, reload): (_, Reload) = match settings.format {
        LogFormat::Text => {
            let lines = lines.with_ansi(stderr().is_terminal()).with_filter_reloading();
            let handle = lines.reload_handle();
            (lines.try_init(), Box::new(move |filter| handle.reload(filter).is_ok()))
        }
        LogFormat::Json => {
            let lines = lines.json().with_filter_reloading();
            let handle = lines.reload_handle();
            (lines.try_init(), Box::new(move |filter| handle.reload(filter).is_ok()))
        }
    };
    // An error means that the program logs already.
    if started.is_ok() {
        let _ = RELOAD.set(reload);
    }
}

/// Logs at another level from now on, until the process ends.
///
/// # Errors
/// [`NotOurs`] when the log was not begun by [`start`].
pub fn set_level(level: LevelFilter) -> Result<(), NotOurs> {
    let is_set = RELOAD.get().is_some_and(|reload| reload(filter(&level.to_string())));
    if is_set { Ok(()) } else { Err(NotOurs) }
}

/// The broker's own lines at that level; of those of the index's library only what is wrong.
fn filter(level: &str) -> EnvFilter {
    let library = if matches!(level, "error" | "off") { level } else { "warn" };
    EnvFilter::new(format!("{level},fjall={library},lsm_tree={library}"))
}
