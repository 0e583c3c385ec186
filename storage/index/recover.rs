//! Discarding the database's own write-ahead log before it is opened.
//!
//! An unsynced page of it that a power failure lost would make opening fail, and reading it back
//! would only repeat what the journal says. An empty one is left in its place: a database that
//! finds none at all does not continue its numbering.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const EXTENSION: &str = "jnl";

/// Leaves an empty write-ahead log with the highest number of those that are there, if any.
pub(super) fn discard_write_ahead_log(folder: &Path) -> Result<()> {
    let mut logs = write_ahead_logs(folder)?;
    logs.sort_unstable();
    let Some((_, newest)) = logs.pop() else { return Ok(()) };
    for (_, path) in &logs {
        fs::remove_file(path).map_err(Error::io("removing", path))?;
    }
    File::options()
        .write(true)
        .truncate(true)
        .open(&newest)
        .and_then(|file| file.sync_all())
        .map_err(Error::io("emptying", &newest))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("syncing", folder))
}

fn write_ahead_logs(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("listing", folder)(error)),
    };
    let mut logs = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("listing", folder))?.path();
        let is_log = path.extension().is_some_and(|extension| extension == EXTENSION);
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let Some(number) = number.filter(|_| is_log) {
            logs.push((number, path));
        }
    }
    Ok(logs)
}
